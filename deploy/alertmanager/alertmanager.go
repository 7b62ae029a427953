// Package alertmanager writes a configuration of Alertmanager in which each alert
// of Fairlead reaches whom it concerns.
package alertmanager

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is how alerts are sent.
type Config struct {
	// Smarthost is the mail server, as host:port.
	Smarthost string `yaml:"smarthost"`
	// From is the sender's address.
	From string `yaml:"from"`
	// Username and PasswordFile are for a mail server that asks for them. The
	// file is read by Alertmanager, where it runs.
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	// Operations are the addresses of who runs Fairlead. They get what is about
	// Fairlead itself, and about teams that the roster does not know.
	Operations []string `yaml:"operations"`
	// Zone is where the working hours are, in which messages are sent.
	Zone string `yaml:"zone"`
	// Receivers are of Alertmanager's own form, for the names under notify in
	// the roster that are no addresses.
	Receivers []map[string]any `yaml:"receivers"`
}

// DefaultConfig sends through a mail server on the same host.
func DefaultConfig() Config {
	return Config{Smarthost: "127.0.0.1:25", From: "fairlead@localhost", Zone: "UTC"}
}

// Validate names the key that is wrong and says what to do.
func (c Config) Validate() error {
	if !strings.Contains(c.Smarthost, ":") {
		return fmt.Errorf("smarthost is %q: write it as host:port, like 127.0.0.1:25", c.Smarthost)
	}
	if (c.Username == "") != (c.PasswordFile == "") {
		return errors.New("username and password_file belong together: set both or none")
	}
	for _, address := range append([]string{c.From}, c.Operations...) {
		if !isAddress(address) {
			return fmt.Errorf("%q is not an e-mail address: from and operations want one", address)
		}
	}
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "" || c.Zone == "Local" {
		return fmt.Errorf("zone is %q: give a name like Europe/Berlin", c.Zone)
	}
	names := map[string]bool{operations: true, nobody: true}
	for i, r := range c.Receivers {
		if name, ok := r["name"].(string); !ok || name == "" {
			return fmt.Errorf("receiver %d has no name: give it the one that is under notify in the roster", i+1)
		} else if names[name] {
			return fmt.Errorf("receiver %q is there already: give it another name", name)
		} else {
			names[name] = true
		}
	}
	return nil
}

func isAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text
}

// Team is whom the alerts about a team, and about its people, concern. Addresses
// of e-mail; Notify may also name receivers of the configuration.
type Team struct {
	Name   string
	Notify []string
	Lead   string // "" for nobody who can be reached
	People []Person
}

// Person is an engineer of a team. Labels are what they are called in the label
// "engineer".
type Person struct {
	Labels []string
	Email  string // "" for none
}

//go:embed alertmanager.yml
var example []byte

// The parts of Alertmanager's configuration that are made anew.
// https://prometheus.io/docs/alerting/latest/configuration/
type file struct {
	Global        map[string]any `yaml:"global"`
	Route         *route         `yaml:"route"`
	TimeIntervals []interval     `yaml:"time_intervals"`
	InhibitRules  []any          `yaml:"inhibit_rules"`
	Receivers     []any          `yaml:"receivers"`
}

type route struct {
	Receiver       string   `yaml:"receiver,omitempty"`
	Matchers       []string `yaml:"matchers,omitempty"`
	Continue       bool     `yaml:"continue,omitempty"`
	GroupBy        []string `yaml:"group_by,omitempty,flow"`
	GroupWait      string   `yaml:"group_wait,omitempty"`
	GroupInterval  string   `yaml:"group_interval,omitempty"`
	RepeatInterval string   `yaml:"repeat_interval,omitempty"`
	// Alertmanager hands all but this one down to the routes below.
	Active []string `yaml:"active_time_intervals,omitempty,flow"`
	Routes []*route `yaml:"routes,omitempty"`
}

type interval struct {
	Name          string           `yaml:"name"`
	TimeIntervals []map[string]any `yaml:"time_intervals"`
}

type receiver struct {
	Name   string  `yaml:"name"`
	Emails []email `yaml:"email_configs,omitempty"`
}

type email struct {
	To           string            `yaml:"to"`
	SendResolved bool              `yaml:"send_resolved"`
	Headers      map[string]string `yaml:"headers"`
	HTML         string            `yaml:"html"`
	Text         string            `yaml:"text"`
}

const head = `# Written by "fairlead rules" from the configuration and the roster. Write it
# again when either changes; what is edited here is lost then.
#
# It says which address belongs to which pseudonym: keep it from everybody but
# Alertmanager.
`

// The receivers that are always there. What is about a person and has no way to
// their lead goes to nobody: it stands in Alertmanager and in Prometheus.
const (
	operations = "operations"
	nobody     = "nobody"
)

// Generate writes the configuration. An alert about a person reaches them and
// the lead of their team, and nobody else: of the team that it names, and of each
// of theirs where it names none. One about a team or an area reaches its notify,
// all else who runs Fairlead. Grouping, inhibition and hours are those of the
// example beside this file. unreached are the teams about whose people nobody can
// be told.
func Generate(c Config, teams []Team) (text []byte, unreached []string, err error) {
	if len(c.Operations) == 0 {
		return nil, nil, errors.New("alerts.operations is empty: give it the e-mail address of who runs Fairlead")
	}
	var f file
	if err := yaml.Unmarshal(example, &f); err != nil {
		return nil, nil, fmt.Errorf("reading the example: %w", err)
	}
	g := &generator{config: c, known: map[string]bool{}}
	if err := g.layout(&f); err != nil {
		return nil, nil, err
	}
	f.Global["smtp_smarthost"], f.Global["smtp_from"] = c.Smarthost, c.From
	if !strings.HasPrefix(c.Smarthost, "127.0.0.1:") && !strings.HasPrefix(c.Smarthost, "localhost:") {
		delete(f.Global, "smtp_require_tls")
	}
	if c.Username != "" {
		f.Global["smtp_auth_username"], f.Global["smtp_auth_password_file"] = c.Username, c.PasswordFile
	}
	for i := range f.TimeIntervals {
		for _, t := range f.TimeIntervals[i].TimeIntervals {
			t["location"] = c.Zone
		}
	}
	g.mail(operations, c.Operations)
	g.add(nobody, receiver{Name: nobody})
	for _, r := range c.Receivers {
		g.add(r["name"].(string), r)
	}
	for _, t := range teams {
		if err := g.team(t); err != nil {
			return nil, nil, err
		}
	}
	g.teamless()
	// The most telling matchers come first: the first that matches takes it.
	g.people.Routes = slices.Concat(g.ofPerson, g.ofMember, g.ofLead)
	f.Receivers = g.receivers

	var out bytes.Buffer
	out.WriteString(head)
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(f); err != nil {
		return nil, nil, fmt.Errorf("writing the routes: %w", err)
	}
	return out.Bytes(), g.unreached, nil
}

type generator struct {
	config    Config
	form      email // as the example writes messages
	receivers []any
	known     map[string]bool

	people, groups             *route
	ofPerson, ofMember, ofLead []*route
	members                    []*member
	unreached                  []string
}

// member is a person over all teams that have a lead.
type member struct {
	who, label, email string
	receiver          string   // of the first of their teams
	leads             []string // addresses
}

// layout takes what the example has: its routes and the form of its messages.
func (g *generator) layout(f *file) error {
	for _, r := range f.Route.Routes {
		switch {
		case slices.Equal(r.Matchers, []string{`about="person"`}):
			g.people, r.Receiver = r, nobody
		case slices.Equal(r.Matchers, []string{`owner="lead"`}):
			g.groups, r.Receiver = r, operations
		}
	}
	var receivers struct {
		Receivers []receiver `yaml:"receivers"`
	}
	if err := yaml.Unmarshal(example, &receivers); err != nil {
		return fmt.Errorf("reading the example: %w", err)
	}
	if g.people == nil || g.groups == nil || len(receivers.Receivers) == 0 {
		return errors.New("the example of routes has lost its routes")
	}
	g.form = receivers.Receivers[0].Emails[0]
	return nil
}

func (g *generator) add(name string, r any) {
	if !g.known[name] {
		g.known[name] = true
		g.receivers = append(g.receivers, r)
	}
}

// mail adds a receiver of e-mail and gives its name.
func (g *generator) mail(name string, to []string) string {
	one := g.form
	one.To = strings.Join(to, ", ")
	g.add(name, receiver{Name: name, Emails: []email{one}})
	return name
}

func (g *generator) team(t Team) error {
	match := "team=" + quote(t.Name)
	if len(t.Notify) > 0 {
		var to, names []string
		for _, n := range t.Notify {
			switch {
			case isAddress(n):
				to = append(to, n)
			case g.known[n] && n != operations && n != nobody:
				names = append(names, n)
			default:
				return fmt.Errorf("team %s: notify has %q, which is neither an e-mail address nor the name of one of alerts.receivers", t.Name, n)
			}
		}
		if len(to) > 0 {
			names = append(names, g.mail("team "+t.Name, to))
		}
		for i, name := range names {
			g.groups.Routes = append(g.groups.Routes, &route{Receiver: name, Matchers: []string{match}, Continue: i < len(names)-1, Active: g.groups.Active})
		}
	}
	if t.Lead == "" {
		g.unreached = append(g.unreached, t.Name)
		return nil
	}
	if !isAddress(t.Lead) {
		return fmt.Errorf("team %s: the address of its lead, %q, is none", t.Name, t.Lead)
	}
	// Who is not in the roster, or has no address: the lead alone.
	g.ofLead = append(g.ofLead, &route{Receiver: g.mail("lead of "+t.Name, []string{t.Lead}), Matchers: []string{match}, Active: g.people.Active})
	for _, p := range t.People {
		if len(p.Labels) == 0 {
			continue
		}
		name, to := "lead of "+t.Name, []string{t.Lead}
		if isAddress(p.Email) && p.Email != t.Lead {
			name, to = p.Labels[0]+" in "+t.Name, append(to, p.Email)
		}
		g.mail(name, to)
		who := "engineer=" + quote(p.Labels[0])
		if len(p.Labels) > 1 {
			patterns := make([]string, len(p.Labels))
			for i, l := range p.Labels {
				patterns[i] = regexp.QuoteMeta(l)
			}
			who = "engineer=~" + quote(strings.Join(patterns, "|"))
		}
		g.ofPerson = append(g.ofPerson, &route{Receiver: name, Matchers: []string{who, match}, Active: g.people.Active})
		g.member(who, p, name, t.Lead)
	}
	return nil
}

// member notes somebody as one of a lead's people.
func (g *generator) member(who string, p Person, receiver, lead string) {
	i := slices.IndexFunc(g.members, func(m *member) bool { return m.who == who })
	if i < 0 {
		g.members = append(g.members, &member{who: who, label: p.Labels[0], receiver: receiver, leads: []string{lead}})
		i = len(g.members) - 1
	}
	m := g.members[i]
	if !slices.Contains(m.leads, lead) {
		m.leads = append(m.leads, lead)
	}
	if isAddress(p.Email) {
		m.email = p.Email
	}
}

// teamless adds the routes of what is about somebody and no team, as an area that
// only they know. Whoever leads them has to know: each of their leads.
func (g *generator) teamless() {
	for _, m := range g.members {
		name := m.receiver
		if len(m.leads) > 1 {
			to := m.leads
			if m.email != "" && !slices.Contains(to, m.email) {
				to = append(slices.Clone(to), m.email)
			}
			name = g.mail(m.label+" and their leads", to)
		}
		g.ofMember = append(g.ofMember, &route{Receiver: name, Matchers: []string{m.who, `team=""`}, Active: g.people.Active})
	}
}

// quote writes a value of a matcher.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}
