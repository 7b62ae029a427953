package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead/connectors/asana"
	"fairlead/connectors/jira"
	"fairlead/connectors/rest"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/source"
)

type initCmd struct {
	Output string `help:"File to write. It must not exist." default:"fairlead.yaml" type:"path" placeholder:"FILE"`
}

// Run asks for what it needs, looks at the systems, and writes a commented
// configuration. Nothing is written before all is known, and nothing is
// overwritten.
func (c initCmd) Run(ctx context.Context, a *app) error {
	if _, err := os.Lstat(c.Output); err == nil {
		return fmt.Errorf("%s exists: move it away, or name another file with --output", c.Output)
	}
	a.cfg = defaultConfig()
	a.log = newLogger(a.stderr, a.cfg.Log)
	ask := &questions{in: bufio.NewReader(a.stdin), out: a.stdout}
	fmt.Fprintln(a.stdout, "This writes "+c.Output+". Passwords and tokens are not asked for: name the files that hold them.")

	var written []string
	for {
		kind := ask.one("Add a source (jira, servicenow, asana), or done", "done", func(s string) error {
			switch s {
			case "jira", "servicenow", "asana", "done":
				return nil
			}
			return errors.New("say jira, servicenow, asana or done")
		})
		if ask.err != nil || kind == "done" {
			break
		}
		section, err := a.askSource(ctx, ask, kind)
		if ask.err != nil {
			break
		}
		if err != nil {
			fmt.Fprintf(a.stdout, "That did not work: %v\nThe source was not added.\n", oneLine(advise(err)))
			continue
		}
		written = append(written, section)
	}
	if ask.err == nil && len(written) == 0 {
		return errors.New("no source was added, so nothing was written")
	}
	people := ask.yes("Serve figures about single engineers, under pseudonyms, on /metrics/people?", false)
	if ask.err != nil {
		return ask.err
	}
	text := "# Fairlead's configuration. The README lists every key.\n\nsources:\n" + strings.Join(written, "") + fmt.Sprintf(`
web:
  listen: 127.0.0.1:9464

metrics:
  # Series about single engineers, under pseudonyms, on /metrics/people. Where
  # others can reach it, name in people_users who of web.config_file may read it.
  people: %t

# How long closed tickets are kept after the last that happened to them: 547 days,
# after which they count as evidence of nothing. Older ones are not collected, and
# those that grow older are deleted every day; of each quarter the figures of groups
# are stored before. 0 keeps them for ever.
privacy:
  retention:
    tickets: 13128h
`, people)
	if err := parseConfig([]byte(text), defaultConfig()); err != nil {
		return fmt.Errorf("writing a configuration that can be read: %w", err)
	}
	if err := createFile(c.Output, text); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\nWrote %s. Next: fairlead check --config %[1]s\n", c.Output)
	return nil
}

// createFile writes a file that must not exist, readable by its owner only.
func createFile(path, text string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("writing the configuration: %w", err), os.Remove(path))
	}
	return nil
}

// askSource asks for one system, looks at it, and returns its part of the file.
func (a *app) askSource(ctx context.Context, ask *questions, kind string) (string, error) {
	name := ask.one("Name of the source, the label in the metrics", kind, func(s string) error {
		if s == "" || strings.ContainsAny(s, " :#{}[]\"'\t") {
			return errors.New("use letters, digits, - and _")
		}
		return nil
	})
	preset := ""
	if kind == "asana" {
		preset = asana.DefaultConfig().URL
	}
	address := ask.one("URL", preset, func(s string) error {
		if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return errors.New("write it as https://example.atlassian.net")
		}
		return nil
	})
	switch kind {
	case "jira":
		return a.askJira(ctx, ask, name, address)
	case "asana":
		return a.askAsana(ctx, ask, name, address)
	}
	return a.askServiceNow(ctx, ask, name, address)
}

func readable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file")
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("that is not a file")
	}
	return nil
}

func (a *app) askJira(ctx context.Context, ask *questions, name, address string) (string, error) {
	cfg := jira.DefaultConfig()
	cfg.URL = address
	guess := string(jira.DataCenter)
	if strings.Contains(address, ".atlassian.net") {
		guess = string(jira.Cloud)
	}
	cfg.Flavour = jira.Flavour(ask.one("Flavour (cloud, datacenter)", guess, func(s string) error {
		if s != "cloud" && s != "datacenter" {
			return errors.New("say cloud or datacenter")
		}
		return nil
	}))
	var account string
	if cfg.Flavour == jira.Cloud {
		cfg.Email = ask.one("E-mail address of the account", "", notEmpty)
		account = fmt.Sprintf("      email: %s\n", quoted(cfg.Email))
	}
	cfg.TokenFile = absolute(ask.one("File that holds the token", "", readable))
	if ask.err != nil {
		return "", ask.err
	}
	s, err := jira.New(cfg, jira.Options{Name: name, Transport: a.probe(name), Logger: a.log, Clock: time.Now})
	if err != nil {
		return "", err
	}
	projects, err := s.Discover(ctx)
	if err != nil {
		return "", err
	}
	if len(projects) == 0 {
		return "", errors.New("the account sees no project: give it the permission Browse projects")
	}
	var options []choice
	for _, p := range projects {
		options = append(options, choice{p.Key, p.Name})
	}
	chosen := ask.choose("projects", options)
	return fmt.Sprintf(`  %s:
    since: %s    # how far back; no further than closed tickets are kept (below)
    jira:
      url: %s
      flavour: %s
%s      token_file: %s
      # What is collected, and nothing else:
      projects:
%s`, name, defaultSince, quoted(address), cfg.Flavour, account, quoted(cfg.TokenFile), list(options, chosen, "")), nil
}

func (a *app) askServiceNow(ctx context.Context, ask *questions, name, address string) (string, error) {
	cfg := servicenow.DefaultConfig()
	cfg.URL = address
	kind := ask.one("Authentication (basic, oauth-client for client credentials, oauth-password)", "basic", func(s string) error {
		if s != "basic" && s != "oauth-client" && s != "oauth-password" {
			return errors.New("say basic, oauth-client or oauth-password")
		}
		return nil
	})
	var account string
	if kind != "basic" {
		cfg.ClientID = ask.one("Client id", "", notEmpty)
		cfg.ClientSecretFile = absolute(ask.one("File that holds the client secret", "", readable))
		account += fmt.Sprintf("      client_id: %s\n      client_secret_file: %s\n", quoted(cfg.ClientID), quoted(cfg.ClientSecretFile))
	}
	if kind != "oauth-client" {
		cfg.Username = ask.one("User name", "", notEmpty)
		cfg.PasswordFile = absolute(ask.one("File that holds the password", "", readable))
		account += fmt.Sprintf("      username: %s\n      password_file: %s\n", quoted(cfg.Username), quoted(cfg.PasswordFile))
	}
	if ask.err != nil {
		return "", ask.err
	}
	s, err := servicenow.New(cfg, servicenow.Options{Name: name, Transport: a.probe(name), Logger: a.log, Clock: time.Now})
	if err != nil {
		return "", err
	}
	options, err := serviceNowTables(ctx, s)
	if err != nil {
		return "", err
	}
	if len(options) == 0 {
		return "", errors.New("the account can read no task table: give it the right to read incident")
	}
	if err := tellGroups(ctx, ask.out, s); err != nil {
		return "", err
	}
	chosen := ask.choose("tables", options)
	return fmt.Sprintf(`  %s:
    since: %s    # how far back; no further than closed tickets are kept (below)
    servicenow:
      url: %s
%s      # Where sys_audit may not be read: metric, or observed. fairlead check says which.
      history: audit
      # What is collected, and nothing else:
      tables:
%s`, name, defaultSince, quoted(address), account, list(options, chosen, "table: ")), nil
}

// groupsTold is how many groups are named.
const groupsTold = 20

// tellGroups says which groups' tickets can be told apart.
func tellGroups(ctx context.Context, out io.Writer, s *servicenow.Source) error {
	names, all, err := s.Groups(ctx, groupsTold)
	switch {
	case errors.Is(err, source.ErrForbidden) || err == nil && len(names) == 0:
		fmt.Fprintln(out, "The account sees no groups: give it the right to read sys_user_group, or they have no names.")
		return nil
	case err != nil:
		return err
	}
	more := ""
	if all > len(names) {
		more = fmt.Sprintf(" and %d more", all-len(names))
	}
	fmt.Fprintf(out, "The account sees the groups %s%s. A group is a team until a roster says otherwise.\n", strings.Join(names, ", "), more)
	return nil
}

func (a *app) askAsana(ctx context.Context, ask *questions, name, address string) (string, error) {
	cfg := asana.DefaultConfig()
	cfg.URL = address
	kind := ask.one("Authentication (token, oauth for an application that somebody has granted access)", "token", func(s string) error {
		if s != "token" && s != "oauth" {
			return errors.New("say token or oauth")
		}
		return nil
	})
	var account string
	if kind == "oauth" {
		o := &cfg.OAuth
		o.ClientID = ask.one("Client id", "", notEmpty)
		o.ClientSecretFile = absolute(ask.one("File that holds the client secret", "", readable))
		o.RefreshTokenFile = absolute(ask.one("File that holds the refresh token", "", readable))
		account = fmt.Sprintf("      oauth:\n        client_id: %s\n        client_secret_file: %s\n        refresh_token_file: %s\n",
			quoted(o.ClientID), quoted(o.ClientSecretFile), quoted(o.RefreshTokenFile))
	} else {
		cfg.TokenFile = absolute(ask.one("File that holds the token", "", readable))
		account = fmt.Sprintf("      token_file: %s\n", quoted(cfg.TokenFile))
	}
	if ask.err != nil {
		return "", ask.err
	}
	cfg.Projects = []string{"0"} // whichever: nothing is read of it
	s, err := asana.New(cfg, asana.Options{Name: name, Transport: a.probe(name), Logger: a.log, Clock: time.Now})
	if err != nil {
		return "", err
	}
	projects, err := s.Discover(ctx)
	if err != nil {
		return "", err
	}
	if len(projects) == 0 {
		return "", errors.New("the account sees no project: add it to those that are to be collected")
	}
	var options []choice
	for _, p := range projects {
		says := p.Name
		if p.Team != "" {
			says += ", team " + p.Team
		}
		options = append(options, choice{p.GID, says})
	}
	chosen := ask.choose("projects", options)
	sections := ask.one("What sections stand for: area (where knowledge sits), status (columns of a board) or ignore", string(cfg.Sections), func(s string) error {
		if s != "area" && s != "status" && s != "ignore" {
			return errors.New("say area, status or ignore")
		}
		return nil
	})
	var b strings.Builder
	for _, line := range strings.SplitAfter(list(options, chosen, ""), "\n") {
		// A gid is a number that is a name.
		if before, gid, ok := strings.Cut(line, "- "); ok {
			number, after, _ := strings.Cut(strings.TrimSuffix(gid, "\n"), " ")
			line = before + "- " + quoted(number) + strings.TrimRight(" "+after, " ") + "\n"
		}
		b.WriteString(line)
	}
	return fmt.Sprintf(`  %s:
    since: %s    # how far back; no further than closed tickets are kept (below)
    asana:
      url: %s
%s      # What sections stand for: area (where knowledge sits), status (the columns
      # of a board) or ignore.
      sections: %s
      # Custom fields by their names, where there are such:
      # status_field: Status
      # kind_field: Type
      priority_field: Priority
      effort_field: Story points
      # What is collected, and nothing else:
      projects:
%s`, name, defaultSince, quoted(address), account, sections, b.String()), nil
}

// probe is a transport for somebody who waits.
func (a *app) probe(name string) *rest.Transport {
	cfg := rest.DefaultConfig()
	cfg.MaxAttempts = 2
	return rest.New(name, cfg, nil, rest.NewMetrics(prometheus.NewRegistry()), a.log)
}

func notEmpty(s string) error {
	if s == "" {
		return errors.New("say something")
	}
	return nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil && path != "" {
		return abs
	}
	return path
}

// quoted writes a string as YAML takes it, whatever is in it.
func quoted(s string) string { return fmt.Sprintf("%q", s) }

type choice struct{ id, name string }

func list(options []choice, chosen map[string]bool, key string) string {
	var b strings.Builder
	for _, o := range options {
		off := ""
		if !chosen[o.id] {
			off = "# "
		}
		fmt.Fprintf(&b, "        %s- %s%s", off, key, o.id)
		if o.name != "" {
			fmt.Fprintf(&b, "    # %s", strings.Join(strings.Fields(o.name), " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// questions asks on a terminal. The first fault, and the end of the input, stay
// in err; what follows asks nothing more.
type questions struct {
	in  *bufio.Reader
	out io.Writer
	err error
}

func (q *questions) one(what, preset string, check func(string) error) string {
	for q.err == nil {
		if preset != "" {
			fmt.Fprintf(q.out, "%s [%s]: ", what, preset)
		} else {
			fmt.Fprintf(q.out, "%s: ", what)
		}
		line, err := q.in.ReadString('\n')
		if err != nil && line == "" {
			fmt.Fprintln(q.out)
			q.err = errors.New("the answers ended before all was known; nothing was written")
			return ""
		}
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = preset
		}
		if err := check(answer); err != nil {
			fmt.Fprintf(q.out, "  %v\n", err)
			continue
		}
		return answer
	}
	return ""
}

func (q *questions) yes(what string, preset bool) bool {
	word := map[bool]string{true: "yes", false: "no"}
	answer := q.one(what+" (yes, no)", word[preset], func(s string) error {
		if !slices.Contains([]string{"yes", "y", "no", "n"}, s) {
			return errors.New("say yes or no")
		}
		return nil
	})
	return strings.HasPrefix(answer, "y")
}

// choose shows what there is and takes a list of it, or all.
func (q *questions) choose(what string, options []choice) map[string]bool {
	fmt.Fprintf(q.out, "The account sees %d %s:\n", len(options), what)
	known := map[string]bool{}
	for _, o := range options {
		fmt.Fprintf(q.out, "  %-24s %s\n", o.id, o.name)
		known[o.id] = true
	}
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
	}
	answer := q.one("Which are collected (separated by commas, or all)", "all", func(s string) error {
		if s == "all" {
			return nil
		}
		if len(split(s)) == 0 {
			return errors.New("name at least one")
		}
		for _, id := range split(s) {
			if !known[id] {
				return fmt.Errorf("%s is not among them", id)
			}
		}
		return nil
	})
	chosen := map[string]bool{}
	if answer == "all" {
		return known
	}
	for _, id := range split(answer) {
		chosen[id] = true
	}
	return chosen
}

// serviceNowTables is what the account can read, to choose from.
func serviceNowTables(ctx context.Context, s *servicenow.Source) ([]choice, error) {
	found, err := s.Discover(ctx)
	if err != nil {
		return nil, err
	}
	var options []choice
	for _, t := range found {
		says := ""
		if t.Tickets >= 0 {
			says = fmt.Sprintf("%d tickets", t.Tickets)
		}
		options = append(options, choice{t.Name, says})
	}
	return options, nil
}
