// Package asanatest is a fake of Asana's REST API (developers.asana.com,
// "API reference") over a workspace in memory, for tests and the demonstration.
// It serves what a reader of tasks needs and refuses what Asana refuses: a
// request without a Bearer token, a limit over 100, an offset or a sync token
// that has expired, more requests than the limits allow.
package asanatest

import (
	"net/http"
	"sync"
	"time"
)

// Options of a fake. A zero value is the default.
type Options struct {
	// Token is the personal access token that is accepted; "token" when empty.
	Token string
	// ClientID, ClientSecret and RefreshToken are what POST /-/oauth_token takes;
	// none when empty.
	ClientID, ClientSecret, RefreshToken string
	// AccessLife is how long an access token by OAuth lives; an hour when zero.
	AccessLife time.Duration

	// Clock is time.Now when nil.
	Clock func() time.Time

	// PageCap is the most rows that a page has, whatever is asked; none when 0.
	PageCap int

	// PerMinute, AtOnce and Cost are the rate limits ("Rate limits": 150 requests
	// a minute of a free workspace and 1,500 of a paid one, 50 GETs under way at
	// once, and a cost by the objects that are read); none when 0. Every action
	// of a batch counts, and one too many refuses the batch ("Batch requests").
	// Searches is the same for the search, which takes 60 a minute.
	PerMinute, AtOnce, Cost, Searches int

	// Free refuses the search, as in a workspace that nobody pays for ("Search
	// tasks in a workspace": 402). SearchLag is how long the search does not know
	// of a change; ten to sixty seconds, or more, in reality.
	Free      bool
	SearchLag time.Duration

	// OffsetLife and SyncLife are how long an offset and a sync token are good
	// for; a quarter of an hour and a day when zero.
	OffsetLife, SyncLife time.Duration

	// NoBatch refuses POST /batch, as for an app without the scope.
	NoBatch bool
	// SyncPage is how many events one answer has; 100 when zero.
	SyncPage int
}

// Workspace is one workspace and its API. It is safe for concurrent use.
type Workspace struct {
	o   Options
	mux *http.ServeMux

	mu       sync.Mutex
	last     int64
	gid      string
	users    map[string]*user
	userList []string
	teams    map[string]*team
	teamList []string
	projects map[string]*project
	prList   []string
	sections map[string]*section
	fields   map[string]*Field
	tasks    map[string]*task
	log      []event
	syncs    map[string]marker
	access   map[string]time.Time // access tokens, until when
	meter    meter
	searched int // searches so far
}

// User is a person's account.
type User struct {
	GID         string // its own where empty
	Name, Email string
	// Hidden keeps the e-mail address from the reader, as it is for people
	// outside the organisation.
	Hidden bool
}

type user struct {
	User
	gid  string
	left bool
}

type team struct{ gid, name string }

type project struct {
	gid, name, team string
	archived        bool
	hidden          bool
	sections        []string
	fields          []string
	order           []string // tasks by rank
	next            int
	rank            map[string]int
}

type section struct{ gid, name, project string }

// Field is a custom field of the workspace.
type Field struct {
	Name    string
	Number  bool     // else a choice of Options
	Options []string // their names
	gid     string
	options []string // their gids
}

type task struct {
	gid, subtype       string
	created, modified  time.Time
	times              []time.Time // all that modified was, in order
	by                 string
	assignee           string
	completed          bool
	completedAt        time.Time
	completedBy        string
	parent             string
	subtasks           []string
	homes              []home // memberships, in the order of joining
	enums              map[string]string
	numbers            map[string]float64
	stories            []*story
	gone, hidden, mute bool
	changed            bool // by the update under way
}

type home struct{ project, section string }

type story struct {
	gid, subtype string
	at           time.Time
	by           string
	more         map[string]any // structured fields
}

type event struct {
	projects []string
	resource map[string]any
	parent   map[string]any
	action   string
	field    string
	by       string
	at       time.Time
}

// marker is what a sync token stands for.
type marker struct {
	project string
	place   int
	until   time.Time
}

// New makes an empty workspace.
func New(o Options) *Workspace {
	if o.Token == "" {
		o.Token = "token"
	}
	if o.AccessLife == 0 {
		o.AccessLife = time.Hour
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.OffsetLife == 0 {
		o.OffsetLife = 15 * time.Minute
	}
	if o.SyncLife == 0 {
		o.SyncLife = 24 * time.Hour
	}
	if o.SyncPage == 0 {
		o.SyncPage = 100
	}
	w := &Workspace{
		o: o, last: 1_200_000_000_000_000, users: map[string]*user{}, teams: map[string]*team{}, projects: map[string]*project{},
		sections: map[string]*section{}, fields: map[string]*Field{}, tasks: map[string]*task{}, syncs: map[string]marker{},
		access: map[string]time.Time{}, meter: newMeter(),
	}
	w.gid = w.id()
	w.mux = w.routes()
	return w
}
