package jira

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"fairlead/connectors/ticket"
)

// Flavour is which of Atlassian's two products a site is. Their REST APIs
// differ in paging, in histories and in how people are named.
type Flavour string

// The flavours.
const (
	Cloud      Flavour = "cloud"
	DataCenter Flavour = "datacenter"
)

// Config is one Jira site and what to collect of it.
type Config struct {
	URL     string  `yaml:"url"`     // https://example.atlassian.net, or where Data Center is served, with its context path
	Flavour Flavour `yaml:"flavour"` // cloud or datacenter

	// Cloud takes an e-mail address with an API token, Data Center a personal
	// access token alone, and Cloud service accounts OAuth.
	Email     string `yaml:"email"`
	Token     string `yaml:"token"`
	TokenFile string `yaml:"token_file"`
	OAuth     OAuth  `yaml:"oauth"`

	// Projects is the allow-list: keys or ids. Empty is every project that the
	// account sees. JQL narrows it further.
	Projects []string `yaml:"projects"`
	JQL      string   `yaml:"jql"`

	// EffortField is the id of the field that holds the effort. Empty finds
	// the story points, "none" collects no effort.
	EffortField string `yaml:"effort_field"`
	// Kinds and Statuses override what the name of an issue type or the
	// category of a status says, by name or id.
	Kinds    map[string]ticket.Kind     `yaml:"kinds"`
	Statuses map[string]ticket.Category `yaml:"statuses"`

	// Unplanned and Planned say which issues are so whatever their kind, OnCall
	// which called whoever was on call.
	Unplanned Rule `yaml:"unplanned"`
	Planned   Rule `yaml:"planned"`
	OnCall    Rule `yaml:"on_call"`

	// Bots are accounts that are not people, besides those that Cloud calls apps:
	// user names, account ids or e-mail addresses, whatever their case; * matches
	// any run of characters.
	Bots []string `yaml:"bots"`

	// Overlap is how far before the cursor a poll starts. It must exceed how
	// far the site's search index lags behind edits.
	Overlap time.Duration `yaml:"overlap"`
	// PageSize is how many issues are fetched before they are handed on, at
	// most 1,000; RequestSize how many one search asks for. 0 is the flavour's
	// default; Cloud gives at most 100 with fields.
	PageSize    int `yaml:"page_size"`
	RequestSize int `yaml:"request_size"`
}

// OAuth is a client credentials grant, for service accounts of Cloud. URL is
// then https://api.atlassian.com/ex/jira/ and the cloud id.
type OAuth struct {
	TokenURL         string `yaml:"token_url"`
	ClientID         string `yaml:"client_id"`
	ClientSecret     string `yaml:"client_secret"`
	ClientSecretFile string `yaml:"client_secret_file"`
}

// maxPage is how many issues one bulk changelog request takes.
const maxPage = 1000

// DefaultConfig is what holds where the configuration says nothing.
func DefaultConfig() Config {
	return Config{
		Overlap:  5 * time.Minute,
		PageSize: maxPage,
		OAuth:    OAuth{TokenURL: "https://auth.atlassian.com/oauth/token"},
	}
}

// requestSize is how many issues one search asks for. Cloud gives no more than
// 100 when fields are asked for; Data Center could give 1,000, but building so
// many with their changelogs takes it longer than most proxies wait.
func (c Config) requestSize() int {
	size := 100
	if c.Flavour == DataCenter {
		size = 250
	}
	return min(cmp.Or(c.RequestSize, size), c.pageSize())
}

func (c Config) pageSize() int { return cmp.Or(c.PageSize, maxPage) }

var (
	projectPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$|^[0-9]+$`)
	orderPattern   = regexp.MustCompile(`(?i)\border\s+by\b`)
	fieldPattern   = regexp.MustCompile(`^customfield_[0-9]+$`)
)

var (
	kinds = []ticket.Kind{
		ticket.KindIncident, ticket.KindProblem, ticket.KindChange, ticket.KindRequest,
		ticket.KindTask, ticket.KindBug, ticket.KindOther,
	}
	statusCategories = []ticket.Category{
		ticket.CategoryTodo, ticket.CategoryInProgress, ticket.CategoryDone, ticket.CategoryOther,
	}
)

// Validate says everything that is wrong with the configuration, by key, and
// what to do about it.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if u, err := url.Parse(c.URL); c.URL == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		fault("url: %q is not the address of a Jira site; write one such as https://example.atlassian.net", c.URL)
	} else if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		fault("url: leave out user, query and fragment; credentials have keys of their own")
	}
	switch c.Flavour {
	case Cloud, DataCenter:
		faults = append(faults, c.validateCredential()...)
	default:
		fault("flavour: %q is neither cloud nor datacenter", c.Flavour)
	}
	for _, p := range c.Projects {
		if !projectPattern.MatchString(p) {
			fault("projects: %q is not a project key or id", p)
		}
	}
	if orderPattern.MatchString(c.JQL) {
		fault("jql: leave out ORDER BY; Fairlead reads in an order of its own")
	}
	if c.EffortField != "" && c.EffortField != "none" && !fieldPattern.MatchString(c.EffortField) {
		fault("effort_field: %q is not a field id such as customfield_10016; write none to collect no effort", c.EffortField)
	}
	for name, kind := range c.Kinds {
		if !slices.Contains(kinds, kind) {
			fault("kinds: %q of %q is not one of %s", kind, name, join(kinds))
		}
	}
	for name, category := range c.Statuses {
		if !slices.Contains(statusCategories, category) {
			fault("statuses: %q of %q is not one of %s", category, name, join(statusCategories))
		}
	}
	for _, rule := range []struct {
		key string
		Rule
	}{{"unplanned", c.Unplanned}, {"planned", c.Planned}, {"on_call", c.OnCall}} {
		if rule.blank() {
			fault("%s: an empty name is no label, type or priority; remove it", rule.key)
		}
	}
	for _, b := range c.Bots {
		if strings.Trim(b, "* ") == "" {
			fault("bots: %q is no pattern of an account; write a user name, an account id or an e-mail address", b)
		}
	}
	if c.Overlap < 0 || c.Overlap > 7*24*time.Hour {
		fault("overlap: %s is not between 0 and 168h", c.Overlap)
	}
	if c.PageSize < 0 || c.PageSize > maxPage {
		fault("page_size: %d is not between 1 and %d", c.PageSize, maxPage)
	}
	if c.RequestSize < 0 || c.RequestSize > maxPage {
		fault("request_size: %d is not between 1 and %d", c.RequestSize, maxPage)
	}
	return errors.Join(faults...)
}

func (c Config) validateCredential() (faults []error) {
	token := c.Token != "" || c.TokenFile != ""
	oauth := c.OAuth.ClientID != ""
	switch {
	case c.Token != "" && c.TokenFile != "":
		faults = append(faults, errors.New("token: set either token or token_file, not both"))
	case oauth && token:
		faults = append(faults, errors.New("oauth: set either a token or oauth.client_id, not both"))
	case oauth && c.Flavour == DataCenter:
		faults = append(faults, errors.New("oauth: Data Center has no client credentials grant; set token_file to a personal access token"))
	case oauth && c.OAuth.ClientSecret == "" && c.OAuth.ClientSecretFile == "":
		faults = append(faults, errors.New("oauth.client_secret_file: missing; name the file that holds the client secret"))
	case oauth && !strings.HasPrefix(c.OAuth.TokenURL, "http"):
		faults = append(faults, fmt.Errorf("oauth.token_url: %q is not an address", c.OAuth.TokenURL))
	case !oauth && !token:
		faults = append(faults, errors.New("token_file: missing credential; name the file that holds the token, or give it in the environment"))
	case !oauth && c.Flavour == Cloud && c.Email == "":
		faults = append(faults, errors.New("email: missing; a Cloud API token goes with the e-mail address of its account"))
	case c.Flavour == DataCenter && c.Email != "":
		faults = append(faults, errors.New("email: Data Center takes a personal access token alone; remove email"))
	}
	return faults
}

func join[S ~string](list []S) string {
	words := make([]string, len(list))
	for n, s := range list {
		words[n] = string(s)
	}
	return strings.Join(words, ", ")
}

// secret is the value, or the content of the file if there is no value.
func secret(value, file, key string) (string, error) {
	if value != "" || file == "" {
		return value, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	value = strings.TrimSpace(string(content))
	if value == "" {
		return "", fmt.Errorf("reading %s: %s is empty", key, file)
	}
	return value, nil
}
