package servicenow

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"fairlead/connectors/ticket"
)

// Config says which instance to read, as whom, and what of it. Nothing is
// collected from a table that Tables does not list.
type Config struct {
	// URL of the instance, https://acme.service-now.com.
	URL string `yaml:"url"`

	// Username and Password are for basic authentication or, with a ClientID,
	// for the OAuth password grant. A ClientID alone is the client credentials
	// grant. Each secret may instead stand in a file of its own.
	Username         string `yaml:"username"`
	Password         string `yaml:"password"`
	PasswordFile     string `yaml:"password_file"`
	ClientID         string `yaml:"client_id"`
	ClientSecret     string `yaml:"client_secret"`
	ClientSecretFile string `yaml:"client_secret_file"`

	Tables []Table `yaml:"tables"`

	// History says from where the history of tickets is taken.
	History HistoryMode `yaml:"history"`

	// Comments says whether who commented on which ticket, and when, is read; what
	// they wrote never is.
	Comments bool `yaml:"comments"`

	// Batch lets several requests be sent as one, by the platform's Batch API, where
	// it takes that.
	Batch bool `yaml:"batch"`

	PageSize      int `yaml:"page_size"`       // tickets a request, up to 10,000
	AuditPageSize int `yaml:"audit_page_size"` // audit rows a request, up to 10,000
	MaxURLBytes   int `yaml:"max_url_bytes"`   // longest request that the instance and what stands before it take

	// Overlap is how far before its cursor a poll begins: an update that takes
	// long becomes visible after others with a later sys_updated_on.
	Overlap time.Duration `yaml:"overlap"`

	// NamesMaxAge is how long the names of people, groups, configuration items
	// and choices are kept before they are read again.
	NamesMaxAge time.Duration `yaml:"names_max_age"`

	// Language of the labels that are read from sys_choice.
	Language string `yaml:"language"`

	// Bots are user names of accounts that are not people; * matches any run of
	// characters. The platform's own marks on sys_user count besides.
	Bots []string `yaml:"bots"`
}

// Table is one task table to collect.
type Table struct {
	Name  string `yaml:"table"`
	Query string `yaml:"query"` // encoded query that narrows it; "" is all

	// Kind of its tickets; by the table's name when empty.
	Kind ticket.Kind `yaml:"kind"`

	StatusField string   `yaml:"status_field"` // state when empty
	ParentField string   `yaml:"parent_field"` // parent when empty
	EffortField string   `yaml:"effort_field"` // none when empty; a number or a duration (in hours)
	AreaFields  []string `yaml:"area_fields"`  // the first that is filled is the area

	// Unplanned and Planned say which tickets are so whatever their kind, OnCall
	// which called whoever was on call.
	Unplanned Rule `yaml:"unplanned"`
	Planned   Rule `yaml:"planned"`
	OnCall    Rule `yaml:"on_call"`

	// Statuses gives the category of single values of StatusField, before the
	// defaults.
	Statuses map[string]ticket.Category `yaml:"statuses"`
}

// Rule says which tickets bear a mark: those that have, in any of these columns, one
// of its values, as it is stored. An empty one says none.
type Rule map[string][]string

func (r Rule) marks(rec record) bool {
	for column, values := range r {
		if v, shown := rec[column]; shown && slices.Contains(values, string(v)) {
			return true
		}
	}
	return false
}

// marks are those of a record, sorted. What is both planned and unplanned is
// unplanned.
func (t Table) marks(rec record) []ticket.Mark {
	var list []ticket.Mark
	if t.OnCall.marks(rec) {
		list = append(list, ticket.MarkOnCall)
	}
	switch {
	case t.Unplanned.marks(rec):
		list = append(list, ticket.MarkUnplanned)
	case t.Planned.marks(rec):
		list = append(list, ticket.MarkPlanned)
	}
	return list
}

func (r Rule) validate() error {
	for _, column := range slices.Sorted(maps.Keys(r)) {
		switch {
		case !columnName.MatchString(column):
			return fmt.Errorf("%q is not a column's name", column)
		case len(r[column]) == 0:
			return fmt.Errorf("%s: list at least one value", column)
		}
	}
	return nil
}

// DefaultConfig collects incidents. URL and a credential have no default.
func DefaultConfig() Config {
	return Config{
		Tables:        []Table{{Name: "incident"}},
		History:       HistoryAudit,
		Comments:      true,
		Batch:         true,
		PageSize:      1000,
		AuditPageSize: 5000,
		MaxURLBytes:   7800,
		Overlap:       5 * time.Minute,
		NamesMaxAge:   24 * time.Hour,
		Language:      "en",
		Bots:          []string{"system", "guest"},
	}
}

var (
	tableName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	columnName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// maxPage is the most records that the Table API gives in one answer unless an
// administrator raises it (product documentation, Table API, sysparm_limit).
const maxPage = 10000

// Validate names the first key that is wrong and says what to do.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		return errors.New("url: set it to the instance, such as https://acme.service-now.com")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("url: is not a web address; write it as https://acme.service-now.com")
	case u.User != nil:
		return errors.New("url: must not hold a credential; use username and password_file")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("url: must be the instance only, without a query")
	case c.Username == "" && c.ClientID == "":
		return errors.New("username: set it (basic authentication), or client_id (OAuth)")
	case c.Username != "" && c.Password == "" && c.PasswordFile == "":
		return errors.New("password_file: set it to a file that holds the password of username")
	case c.Password != "" && c.PasswordFile != "":
		return errors.New("password: is set beside password_file; remove one")
	case c.ClientID != "" && c.ClientSecret == "" && c.ClientSecretFile == "":
		return errors.New("client_secret_file: set it to a file that holds the secret of client_id")
	case c.ClientSecret != "" && c.ClientSecretFile != "":
		return errors.New("client_secret: is set beside client_secret_file; remove one")
	case !slices.Contains(historyModes, c.History):
		return fmt.Errorf("history: %q is none of %v", c.History, historyModes)
	case c.PageSize < 1 || c.PageSize > maxPage:
		return fmt.Errorf("page_size: is %d; use 1 to %d", c.PageSize, maxPage)
	case c.AuditPageSize < 1 || c.AuditPageSize > maxPage:
		return fmt.Errorf("audit_page_size: is %d; use 1 to %d", c.AuditPageSize, maxPage)
	case c.MaxURLBytes < 1500:
		return fmt.Errorf("max_url_bytes: is %d; use at least 1500", c.MaxURLBytes)
	case c.Overlap < 0:
		return fmt.Errorf("overlap: is %v; use zero or more", c.Overlap)
	case c.NamesMaxAge <= 0:
		return fmt.Errorf("names_max_age: is %v; use more than zero", c.NamesMaxAge)
	case c.Language == "":
		return errors.New("language: set it, such as en")
	case len(c.Tables) == 0:
		return errors.New("tables: list at least one, such as incident")
	}
	for _, b := range c.Bots {
		if _, err := path.Match(b, ""); err != nil || b == "" {
			return fmt.Errorf("bots: %q is not a pattern of a user name", b)
		}
	}
	seen := map[string]bool{}
	for _, t := range c.Tables {
		if err := t.validate(); err != nil {
			return fmt.Errorf("tables: %s: %w", cmp.Or(t.Name, "(without a name)"), err)
		}
		if seen[t.Name] {
			return fmt.Errorf("tables: %s: is listed twice; join the two queries with ^NQ", t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}

func (t Table) validate() error {
	if !tableName.MatchString(t.Name) {
		return errors.New("table: is not a table's name, such as incident")
	}
	for _, q := range strings.Split(t.Query, "^") {
		switch {
		case strings.HasPrefix(q, "ORDERBY") || strings.HasPrefix(q, "GROUPBY"):
			return errors.New("query: must not order or group; remove " + q)
		case q == "EQ":
			return errors.New("query: remove ^EQ")
		}
	}
	if strings.HasPrefix(t.Query, "OR") || strings.HasPrefix(t.Query, "NQ") || strings.HasPrefix(t.Query, "^") || strings.HasSuffix(t.Query, "^") {
		return errors.New("query: begins or ends with an operator that joins conditions")
	}
	if t.Kind != "" && !slices.Contains(kinds, t.Kind) {
		return fmt.Errorf("kind: %q is none of %v", t.Kind, kinds)
	}
	for key, col := range map[string]string{"status_field": t.StatusField, "parent_field": t.ParentField, "effort_field": t.EffortField} {
		if col != "" && !columnName.MatchString(col) {
			return fmt.Errorf("%s: %q is not a column's name", key, col)
		}
	}
	for _, col := range t.AreaFields {
		if !columnName.MatchString(col) {
			return fmt.Errorf("area_fields: %q is not a column's name", col)
		}
	}
	for key, rule := range map[string]Rule{"unplanned": t.Unplanned, "planned": t.Planned, "on_call": t.OnCall} {
		if err := rule.validate(); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	for v, c := range t.Statuses {
		if !slices.Contains(categories, c) {
			return fmt.Errorf("statuses: %s: %q is none of %v", v, c, categories)
		}
	}
	return nil
}

var (
	kinds = []ticket.Kind{
		ticket.KindIncident, ticket.KindProblem, ticket.KindChange, ticket.KindRequest, ticket.KindTask, ticket.KindBug, ticket.KindOther,
	}
	categories = []ticket.Category{ticket.CategoryTodo, ticket.CategoryInProgress, ticket.CategoryDone, ticket.CategoryOther}
)

// filled is the table with its defaults.
func (t Table) filled() Table {
	t.StatusField = cmp.Or(t.StatusField, "state")
	t.ParentField = cmp.Or(t.ParentField, "parent")
	if t.AreaFields == nil {
		t.AreaFields = []string{"cmdb_ci", "business_service"}
		if hasCategory[t.Name] {
			t.AreaFields = append(t.AreaFields, "category")
		}
	}
	if t.Kind == "" {
		t.Kind = kindOf(t.Name)
	}
	return t
}

// hasCategory are the base system's task tables with a category column: a
// column that does not exist is ignored in sysparm_fields, but is better not
// asked for.
var hasCategory = map[string]bool{"incident": true, "problem": true, "change_request": true}

// readSecret gives a secret as it stands, or from its file.
func readSecret(key, value, file string) (string, error) {
	if value != "" || file == "" {
		return value, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_file: reading the secret: %w", key, err)
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" {
		return "", fmt.Errorf("%s_file: %s is empty; write the secret into it", key, file)
	}
	return s, nil
}
