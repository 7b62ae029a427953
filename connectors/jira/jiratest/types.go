// Package jiratest is an HTTP server that behaves as Jira's REST API does, in
// both flavours: Jira Cloud (v3) and Jira Data Center (v2). It is for tests and
// for the demonstration; it holds its issues in memory.
//
// An Instance is one site. Fill it by AddUser, AddProject and so on, in that
// order, then AddIssue; change it by Edit, Comment, Log and Delete; serve it as
// the http.Handler that it is. All methods are safe for concurrent use.
//
// People are named by their Data Center user name everywhere in this package;
// on Cloud the server translates to account ids.
package jiratest

import "time"

// Flavour is which of Atlassian's two products the Instance is.
type Flavour string

// The flavours.
const (
	Cloud      Flavour = "cloud"
	DataCenter Flavour = "datacenter"
)

// Category is the key of a status category: there are just these three (and
// "undefined", which no status that is in use has).
type Category string

// The status categories that Jira has.
const (
	ToDo       Category = "new"
	InProgress Category = "indeterminate"
	Done       Category = "done"
)

// User is a person or an app.
type User struct {
	Name        string // Data Center user name; unique whatever its case, and how this package names the user
	Key         string // Data Center user key; "" is a server before 6.0, which has none: changelogs then hold the name
	AccountID   string // Cloud; "" is made from Name by a hash
	DisplayName string // default: Name
	Email       string // "" is hidden
	TimeZone    string // IANA; default: Options.TimeZone
	Inactive    bool
	App         bool // an integration: accountType "app" on Cloud
	Deleted     bool // lookups of the account answer 404
}

// Project is a project. Issues refer to it by ID.
type Project struct {
	ID   string
	Key  string
	Name string // default: Key
}

// Status is a step of a workflow.
type Status struct {
	ID       string
	Name     string
	Category Category
}

// IssueType is a type of issue.
type IssueType struct {
	ID      string
	Name    string
	Subtask bool
}

// Priority is a priority. An Instance that was given none has Jira's five,
// "1" Highest to "5" Lowest.
type Priority struct {
	ID   string
	Name string
}

// Component is a component of a project.
type Component struct {
	ID      string
	Name    string
	Project string // project id; "" is any
}

// Issue is an issue as it is now, with all that happened to it. Every field but
// the texts is an id of the Instance's catalogue, people are user names.
type Issue struct {
	ID         string // number; "" lets the Instance choose
	Key        string // "" lets the Instance choose the project's next
	Project    string
	Type       string
	Status     string
	Priority   string // "" is none
	Assignee   string // "" is nobody
	Reporter   string
	Creator    string
	Created    time.Time
	Updated    time.Time // zero is the latest of Created and Histories
	Parent     string    // issue id
	Components []string
	Points     *float64 // story points
	Summary    string

	// Extra holds further fields by id, in JSON, served as they are:
	// resolution, labels, duedate.
	Extra map[string][]byte

	Histories []History // any order; served in the order that Jira has
	Comments  []Comment
	Worklogs  []Worklog
}

// History is one update of an issue: an entry of its changelog.
type History struct {
	ID      string // number; "" lets the Instance choose
	Author  string // user name; "" is anonymous: no author is served
	Created time.Time
	Items   []Item
}

// Item is one change of one field in a History, as Jira stores it. From and To
// are ids and may be nil with a string set (free text and numbers), From and
// FromString are nil where the field was empty. Use the Instance's methods
// AssigneeItem, StatusItem and so on to make them, or load real ones as they
// are: an assignee's From and To are then served as they stand on Data Center,
// and translated on Cloud.
type Item struct {
	Field      string  // the name on Data Center: "assignee", "Component", "Story Points"
	FieldID    string  // the id on Cloud: "assignee", "components", "customfield_10016"; "" is found by Field
	FieldType  string  // "jira" or "custom"; default "jira"
	From       *string // id
	FromString *string
	To         *string // id
	ToString   *string
}

// Comment is a comment. Its text is served as rich text on Cloud.
type Comment struct {
	ID      string // number; "" lets the Instance choose
	Author  string // user name; "" is anonymous
	Created time.Time
	Body    string
}

// Worklog is a record of work done.
type Worklog struct {
	ID      string // number; "" lets the Instance choose
	Author  string // user name; "" is anonymous
	Created time.Time
	Started time.Time // default: Created
	Seconds int
	Body    string
}

// PointsField is the id of the story point field, PointsName its name. On Cloud
// its schema is Jira Software's own; on Data Center it is a float named so.
const (
	PointsField = "customfield_10016"
	PointsName  = "Story Points"
)

// Options says how the Instance behaves. The zero value is a Cloud site in UTC
// that accepts any credential, never lags and never fails.
type Options struct {
	Flavour Flavour // default Cloud

	// Clock is the site's clock; default time.Now. It says how far the search
	// index lags and when page tokens expire.
	Clock func() time.Time

	// TimeZone is the IANA zone of the account that asks: dates in JQL are
	// read in it. Default Etc/UTC. HideTimeZone leaves it out of /myself.
	TimeZone     string
	HideTimeZone bool
	// LaterOffset reads a time that occurs twice (when clocks are set back) as
	// the second of the two. The default is the first, as Java does.
	LaterOffset bool

	// Email with Token (Cloud, basic), or Token alone (Data Center, bearer) is
	// the credential. An empty Token accepts any request.
	Email string
	Token string
	// ClientID with ClientSecret is accepted at /oauth/token for a token of
	// its own. Empty is none.
	ClientID     string
	ClientSecret string

	// HideEmails leaves e-mail addresses out, as Cloud does by default. MaskEmails
	// writes them as Data Center does where user email visibility is masked.
	HideEmails bool
	MaskEmails bool

	// Permissions are the keys of what the account may do besides browsing, which
	// it may not where Permissions holds "-BROWSE_PROJECTS".
	Permissions []string

	// IndexLag is how long searches show an issue as it was before an edit.
	IndexLag time.Duration
	// TokenLife is how long a page token lives; default 7 days.
	TokenLife time.Duration
	// PageCap is the most issues that a search gives at once, whatever is
	// asked. Default 100 on Cloud (5,000 when only ids are asked for), 1,000
	// on Data Center.
	PageCap int
	// EmbeddedComments and EmbeddedWorklogs are the most that a search puts
	// into an issue; the list's total tells. Default 20 on Cloud; on Data
	// Center all comments and 20 worklogs.
	EmbeddedComments int
	EmbeddedWorklogs int
	// EmbeddedHistories is the most changelog entries that a search puts into
	// an issue. Default 40 on Cloud, the newest; on Data Center 0 is all, and
	// some versions give the newest 100.
	EmbeddedHistories int
	// CutIssues cuts the changelog of a single Data Center issue likewise, so
	// that its history cannot be had whole.
	CutIssues bool

	// ChangelogCap is the most entries that a bulk changelog gives at once,
	// ListCap the most comments or worklogs of a single issue; 0 is Jira's own.
	ChangelogCap int
	ListCap      int

	// EpochTimes writes times in bulk changelogs as milliseconds since 1970,
	// as Cloud does in spite of its specification.
	EpochTimes bool
	// AnonymousSearch answers searches with a wrong credential as if nobody
	// had signed in: nothing is found, and only a header tells.
	AnonymousSearch bool

	// RequestsPerMinute answers 429 with Retry-After above it; 0 is no limit.
	RequestsPerMinute int

	// Version of the server; the default is a recent one of the flavour.
	Version string
}
