// Package sandbox generates an IT organisation: a seeded year of a department
// whose tickets are served by the fakes of ServiceNow, Jira and Asana, for the
// demonstration and for tests of everything between a source and a gauge.
//
// Nothing in it is painted. People have working hours, leave and colleagues;
// tickets arrive, wait, are given out by each team's own policy, worked on,
// handed over, resolved and reopened; the load of a person is what comes out.
// A few truths are planted by those policies (see Truths), and nothing that is
// served marks them.
//
// The same seed, instant and options give the same organisation, byte for byte,
// on one kind of processor: another may round a logarithm otherwise.
package sandbox

import (
	"fmt"
	"math/rand/v2"
	"time"

	"fairlead/connectors/ticket"
)

// DefaultTickets is about how many tickets a year of the organisation has.
const DefaultTickets = 40_000

// MinTickets is the smallest year that Generate takes. The planted truths want
// some 12,000 to stand out of luck for every seed.
const MinTickets = 1_000

// Options change the size of the organisation.
type Options struct {
	// Tickets is about how many tickets are created within the year; 0 means
	// DefaultTickets. The people stay the same, so fewer tickets are fewer a
	// head.
	Tickets int

	// Asana keeps a part of the work there that is in Jira otherwise, of people
	// who work in the other systems, too. Nothing else is different.
	Asana bool
}

// System is the ticketing system in which a queue lives.
type System uint8

// The systems.
const (
	ServiceNow System = iota
	Jira
	Asana // holds tickets of queues that are Jira's otherwise
)

func (s System) String() string { return [...]string{"servicenow", "jira", "asana"}[s] }

// Organisation is the generated department: who works in it, and every ticket
// that was open at some time in [From, Now) with its whole history.
type Organisation struct {
	Seed uint64
	From time.Time // start of the year
	Now  time.Time // its end, midnight UTC: nothing happened at or after it

	Teams   []*Team
	Queues  []*Queue
	Areas   []*Area
	People  []*Person // engineers, then other staff, then service accounts
	Tickets []*Ticket // by creation

	// Truths are known to the generator and to tests. No answer of a fake
	// tells them.
	Truths Truths
}

// Truths are what the generator planted, for the analysis to find.
type Truths struct {
	// Overloaded receives and holds more than twice a fair share of their
	// team's work since OverloadedSince, more than anyone else anywhere.
	Overloaded      *Person
	OverloadedTeam  *Team
	OverloadedSince time.Time

	// Hoarded is the one area that nearly nobody but Hoarder works on.
	Hoarded *Area
	Hoarder *Person

	Chance  *Team // few tickets a head, given out by lot: unequal by luck alone
	Fair    *Team // given out in turn: levelled
	Skilled *Team // unequal, because each area needs a skill that only some have
}

// Interval is half-open [From, To) in UTC; a zero To is open.
type Interval struct{ From, To time.Time }

// Team is a team of the organisation, with one or two queues of its own.
type Team struct {
	Name    string
	Lead    *Person
	Members []Membership // by joining
	Queues  []*Queue
	OnCall  []Shift // by From, covering the year without gaps; empty if the team has no on-call

	index  int
	plan   *teamPlan
	policy policy
	places []home
}

// Membership is a person's time in a team.
type Membership struct {
	Person   *Person
	Team     *Team
	Interval         // zero To while it lasts
	FTE      float64 // the share of a full working week
}

// Shift is a time on call.
type Shift struct {
	Person *Person
	Interval
}

// Queue is where tickets wait for a team: a ServiceNow assignment group or a
// Jira project.
type Queue struct {
	System System
	Name   string // what the group or project is called
	Key    string // the Jira project's key; "" in ServiceNow
	ID     string // sys_id of the group, id of the project
	Team   *Team
	Areas  []*Area

	index int
	plan  *queuePlan
}

// AreaKind says in which field of a ticket an area stands.
type AreaKind uint8

// The kinds of area.
const (
	AreaCI        AreaKind = iota // cmdb_ci
	AreaService                   // business_service
	AreaComponent                 // component of a Jira project
)

// Area is where knowledge sits: a configuration item, a business service or a
// component.
type Area struct {
	Name     string
	ID       string
	Kind     AreaKind
	Category string // the ServiceNow category that goes with it
	Queue    *Queue

	index int
}

// Role is what a person, or an account that is none, does here.
type Role uint8

// The roles.
const (
	Engineer Role = iota
	Staff         // raises tickets, works on none
	Bot           // an integration or automation account
)

// Person is one human, or one service account, with the accounts held.
type Person struct {
	Name  string
	Email string // lower case; a system may spell it otherwise
	Role  Role

	Country string // whose public holidays are kept, ISO 3166-1 alpha-2
	Zone    string // IANA time zone
	// Hours are the agreed working hours, minutes from local midnight by
	// time.Weekday; Start == End on a day off.
	Hours  [7]Hours
	Leave  []Interval // annual leave and sickness, by From
	Joined time.Time  // zero if before the organisation's memory
	Left   time.Time  // zero while employed
	FTE    float64

	ServiceNowID  string // sys_id; "" without an account
	ServiceNow    string // user_name
	JiraAccountID string // Cloud; "" without an account
	JiraKey       string // Data Center user key
	JiraName      string // Data Center user name
	JiraEmail     string // as Jira spells it
	EmailHidden   bool   // Jira Cloud's profile visibility hides the e-mail
	Deleted       bool   // left, and the accounts were deleted and not only deactivated

	index    int
	work     workTime // when really at work, overtime among it
	location *time.Location
}

// Hours is a part of a local day, in minutes from midnight.
type Hours struct{ Start, End int }

// Type is the type of a ticket in its system.
type Type uint8

// The types.
const (
	Incident Type = iota
	CatalogTask
	ChangeRequest
	Problem
	Bug
	Story
	Task
	ServiceRequest
	Subtask
)

// Phase is where a ticket stands, whatever its system and type call it.
type Phase uint8

// The phases. Not every type has every one.
const (
	New Phase = iota
	InProgress
	OnHold
	InReview
	Resolved
	Closed
	Cancelled
)

// Done reports whether the work is over in phase p.
func (p Phase) Done() bool { return p >= Resolved }

// Ticket is a generated ticket: what it was when it was created, and all that
// happened to it since.
type Ticket struct {
	ID       string // sys_id, or the Jira issue's id
	Key      string // its number or key now
	Type     Type   // its type now
	Created  time.Time
	Updated  time.Time // the last thing that happened to it
	Reporter *Person
	Parent   *Ticket
	HandsOn  float64 // hours of work that it takes

	first   values
	last    values
	changes []change
	acts    []act
	keys    []string // the keys it has had, in order
	asana   bool     // it is held there
}

// values are the tracked fields of a ticket at one instant, as indices into
// the organisation; none is -1.
type values struct {
	queue    int32
	assignee int32
	area     int32
	phase    Phase
	kind     Type
	priority uint8 // 1 is the most urgent
	points   uint8 // in halves; 0 is not estimated
}

const none int32 = -1

// change is one change of one field. Changes of one update share at and stand
// next to each other; values are indices as in values.
type change struct {
	at       int64 // milliseconds since 1970
	from, to int32
	actor    int32 // index of a person; none where nobody is recorded
	field    field
	silent   bool // happened, and left no trace in the system's history
	together bool // of the same update as the one before
}

type field uint8

const (
	fieldAssignee field = iota
	fieldQueue
	fieldArea
	fieldPhase
	fieldKind
	fieldPriority
	fieldPoints
)

// act is a comment or a worklog.
type act struct {
	at      int64
	actor   int32
	worklog bool
	minutes uint16 // of a worklog
}

// Generate makes the organisation of a seed, whose year ends at the midnight
// UTC at or before now. It panics if opts.Tickets is neither 0 nor at least
// MinTickets.
func Generate(seed uint64, now time.Time, opts Options) *Organisation {
	if opts.Tickets == 0 {
		opts.Tickets = DefaultTickets
	}
	if opts.Tickets < MinTickets {
		panic(fmt.Sprintf("sandbox: Options.Tickets is %d, must be at least %d", opts.Tickets, MinTickets))
	}
	now = now.UTC().Truncate(24 * time.Hour)
	o := &Organisation{Seed: seed, Now: now, From: now.AddDate(0, 0, -365)}
	o.staff()
	o.rota()
	o.live(opts.Tickets)
	o.blemish()
	o.number()
	if opts.Asana {
		o.toAsana()
	}
	return o
}

// System is the system that holds the ticket.
func (t *Ticket) System() System {
	if t.asana {
		return Asana
	}
	return t.Type.System()
}

// System is the system that has tickets of this type.
func (t Type) System() System {
	if t >= Bug {
		return Jira
	}
	return ServiceNow
}

// Kind is the type in the words of IT service management.
func (t Type) Kind() ticket.Kind {
	return [...]ticket.Kind{
		ticket.KindIncident, ticket.KindRequest, ticket.KindChange, ticket.KindProblem,
		ticket.KindBug, ticket.KindTask, ticket.KindTask, ticket.KindRequest, ticket.KindTask,
	}[t]
}

// The streams of random numbers: one a purpose, so that a change of one part
// leaves the others as they were.
const (
	streamPeople = iota + 1
	streamLeave
	streamDemand
	streamLife
	streamBlemish
	streamID
	streamLot = 1000 // and up: one an attempt
)

func dice(seed, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream*0x9e3779b97f4a7c15))
}
