package asana

import (
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

// Config says which projects to read, as whom, and what their sections and
// custom fields stand for. Nothing is collected of a project that neither
// Projects nor Teams lists.
type Config struct {
	URL string `yaml:"url"` // where the API is, without /api/1.0

	// Token is a personal access token or that of a service account. It may
	// instead stand in a file of its own.
	Token     string `yaml:"token"`
	TokenFile string `yaml:"token_file"`
	OAuth     OAuth  `yaml:"oauth"`

	Projects []string `yaml:"projects"` // gids
	Teams    []string `yaml:"teams"`    // gids; all projects of theirs

	// Sections says what the sections of a project stand for.
	Sections SectionUse `yaml:"sections"`

	// The custom fields, by name or gid, that hold the status (beside completion),
	// the kind and the priority, each a single choice, and the effort, a number.
	// Empty is none.
	StatusField   string `yaml:"status_field"`
	KindField     string `yaml:"kind_field"`
	PriorityField string `yaml:"priority_field"`
	EffortField   string `yaml:"effort_field"`

	// Statuses and Kinds give the meaning of options, of sections and of
	// Asana's own types, by name or gid, before what their words say.
	Statuses map[string]ticket.Category `yaml:"statuses"`
	Kinds    map[string]ticket.Kind     `yaml:"kinds"`

	// Bots are accounts that are not people, by gid or e-mail address.
	Bots []string `yaml:"bots"`

	// Overlap is how far before its cursor a poll begins.
	Overlap time.Duration `yaml:"overlap"`
	// NamesMaxAge is how long projects, sections and people are kept before they
	// are read again.
	NamesMaxAge time.Duration `yaml:"names_max_age"`
	// PageSize is how many tasks a request asks for, 1 to 100, and how many are
	// handed on at once.
	PageSize int `yaml:"page_size"`
}

// OAuth is the refresh of a grant that a person has made to an application.
type OAuth struct {
	ClientID         string `yaml:"client_id"`
	ClientSecret     string `yaml:"client_secret"`
	ClientSecretFile string `yaml:"client_secret_file"`
	RefreshToken     string `yaml:"refresh_token"`
	RefreshTokenFile string `yaml:"refresh_token_file"`
}

// SectionUse is what sections stand for.
type SectionUse string

// The uses. Whatever it is, a task that is in no section of that use has its
// project for an area.
const (
	SectionsAreas    SectionUse = "area"   // where knowledge sits
	SectionsStatuses SectionUse = "status" // the columns of a board
	SectionsNothing  SectionUse = "ignore"
)

var sectionUses = []SectionUse{SectionsAreas, SectionsStatuses, SectionsNothing}

// maxPage is the most that the API gives at once ("Pagination").
const maxPage = 100

// DefaultConfig is what holds where the configuration says nothing. A
// credential and what to collect have no default.
func DefaultConfig() Config {
	return Config{
		URL: "https://app.asana.com", Sections: SectionsNothing, PriorityField: "Priority", EffortField: "Story points",
		Overlap: 5 * time.Minute, NamesMaxAge: 24 * time.Hour, PageSize: maxPage,
	}
}

var gidPattern = regexp.MustCompile(`^[0-9]+$`)

var (
	kinds = []ticket.Kind{
		ticket.KindIncident, ticket.KindProblem, ticket.KindChange, ticket.KindRequest, ticket.KindTask, ticket.KindBug, ticket.KindOther,
	}
	categories = []ticket.Category{ticket.CategoryTodo, ticket.CategoryInProgress, ticket.CategoryDone, ticket.CategoryOther}
)

// Validate says everything that is wrong with the configuration, by key, and
// what to do about it.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		fault("url: %q is not an address; leave it out, or write https://app.asana.com", c.URL)
	} else if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		fault("url: leave out user, query and fragment; credentials have keys of their own")
	}
	faults = append(faults, c.validateCredential()...)
	if len(c.Projects)+len(c.Teams) == 0 {
		fault("projects: list at least one project or team by its gid, the number in its address")
	}
	for _, p := range c.Projects {
		if !gidPattern.MatchString(p) {
			fault("projects: %q is not the gid of a project, the number in its address", p)
		}
	}
	for _, t := range c.Teams {
		if !gidPattern.MatchString(t) {
			fault("teams: %q is not the gid of a team, the number in its address", t)
		}
	}
	if !slices.Contains(sectionUses, c.Sections) {
		fault("sections: %q is none of area, status, ignore", c.Sections)
	}
	if c.StatusField != "" && c.Sections == SectionsStatuses {
		fault("status_field: is set beside sections: status; remove one")
	}
	for name, kind := range c.Kinds {
		if !slices.Contains(kinds, kind) {
			fault("kinds: %q of %q is none of %v", kind, name, kinds)
		}
	}
	for name, category := range c.Statuses {
		if !slices.Contains(categories, category) {
			fault("statuses: %q of %q is none of %v", category, name, categories)
		}
	}
	for _, b := range c.Bots {
		if b == "" {
			fault("bots: write the gid or the e-mail address of an account")
		}
	}
	if c.Overlap < 0 || c.Overlap > 7*24*time.Hour {
		fault("overlap: %s is not between 0 and 168h", c.Overlap)
	}
	if c.NamesMaxAge <= 0 {
		fault("names_max_age: is %s; use more than zero", c.NamesMaxAge)
	}
	if c.PageSize < 1 || c.PageSize > maxPage {
		fault("page_size: %d is not between 1 and %d", c.PageSize, maxPage)
	}
	return errors.Join(faults...)
}

func (c Config) validateCredential() (faults []error) {
	token := c.Token != "" || c.TokenFile != ""
	oauth := c.OAuth != OAuth{}
	switch {
	case c.Token != "" && c.TokenFile != "":
		faults = append(faults, errors.New("token: set either token or token_file, not both"))
	case token && oauth:
		faults = append(faults, errors.New("oauth: set either a token or oauth, not both"))
	case !token && !oauth:
		faults = append(faults, errors.New("token_file: missing credential; name the file that holds the token, or give it in the environment"))
	case oauth && c.OAuth.ClientID == "":
		faults = append(faults, errors.New("oauth.client_id: missing; it is the application's"))
	case oauth && (c.OAuth.ClientSecret == "") == (c.OAuth.ClientSecretFile == ""):
		faults = append(faults, errors.New("oauth.client_secret_file: name the file that holds the client secret, or set client_secret; one of the two"))
	case oauth && (c.OAuth.RefreshToken == "") == (c.OAuth.RefreshTokenFile == ""):
		faults = append(faults, errors.New("oauth.refresh_token_file: name the file that holds the refresh token, or set refresh_token; one of the two"))
	}
	return faults
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
	if value = strings.TrimSpace(string(content)); value == "" {
		return "", fmt.Errorf("reading %s: %s is empty", key, file)
	}
	return value, nil
}
