// Package ticket holds the domain types that cross between Fairlead's rooms.
//
// A Ticket is whole: its present state and the complete history of the fields
// that the measures need. It never holds text that a person wrote: no summary,
// description or comment. Times are UTC with millisecond precision, intervals
// are half-open [From, To), and an open interval has a zero To.
package ticket

import "time"

// Kind is what sort of work a ticket is, in the words of IT service management.
type Kind string

// The kinds. A kind that no rule maps is KindOther; the original stays in
// Ticket.Kind and in its Term.
const (
	KindIncident Kind = "incident"
	KindProblem  Kind = "problem"
	KindChange   Kind = "change"
	KindRequest  Kind = "request"
	KindTask     Kind = "task"
	KindBug      Kind = "bug"
	KindOther    Kind = "other"
)

// Category is the phase a status stands for.
type Category string

// The categories. A status that no rule maps is CategoryOther: it counts as
// open, and the number of such statuses is published.
const (
	CategoryTodo       Category = "todo"
	CategoryInProgress Category = "in_progress"
	CategoryDone       Category = "done"
	CategoryOther      Category = "other"
)

// Field names a tracked field of a ticket.
type Field string

// The tracked fields: what the measures must know at any past instant.
// FieldArea holds a set: a change of it adds To, removes From, or both.
// All others hold one value.
const (
	FieldAssignee Field = "assignee"
	FieldStatus   Field = "status"
	FieldGroup    Field = "group"
	FieldArea     Field = "area"
	FieldEffort   Field = "effort"
	FieldKind     Field = "kind"
	FieldPriority Field = "priority"
	FieldProject  Field = "project"
	FieldParent   Field = "parent"
)

// Ticket is a unit of tracked work of one source, whole: its present state and
// its complete history. Every value of a tracked field is an id of the source;
// what an id is called, and what it means, is in a Term.
type Ticket struct {
	Source  string    // configured name of the source
	ID      string    // immutable id in the source; with Source it is the identity
	Key     string    // what people call it now: INC0012345, FCREPO-374
	Created time.Time // may be corrected by the source; never part of the identity
	Updated time.Time // the source's own time of the last change

	Assignee string // account of the source; "" is nobody
	Status   string // never empty
	Group    string // the source's queue: assignment group, Jira project, Asana team
	Kind     string // the source's own id of the type
	Priority string
	Project  string
	Parent   string   // id of the parent ticket
	Areas    []string // sorted, without repeats
	Effort   *float64 // story points or what the configuration names; nil where unset
	Marks    []Mark   // by the source's configuration, of what the ticket is now; sorted, without repeats

	Changes       []Change       // of tracked fields, by (At, Seq)
	Contributions []Contribution // by At

	// Observed are the fields of whose changes the source keeps no record. What
	// Changes holds of them is what the ticket tells by itself now, and the
	// collector adds what it sees by comparing the ticket with what is stored.
	Observed []Field

	// HistoryComplete is false where the source withheld a part of the
	// history; IncompleteReason then says which, in a few constant words.
	HistoryComplete  bool
	IncompleteReason string

	Deleted time.Time // when a sweep found it gone; zero while it exists
}

// Change is one recorded change of one tracked field. Changes that were made
// in one update of the ticket share At and Seq.
type Change struct {
	At    time.Time
	Seq   uint32 // order of the update within the ticket's history, from 1
	Field Field
	From  string // "" is none
	To    string // "" is none
	Actor string // account that made it; "" where the source does not say
}

// Mark is what a source's configuration says of a ticket that its kind does not
// tell.
type Mark string

// The marks. A ticket is planned or unplanned by its mark, and where it has neither
// by its kind.
const (
	MarkUnplanned Mark = "unplanned" // nobody planned it
	MarkPlanned   Mark = "planned"   // it was planned, whatever its kind
	MarkOnCall    Mark = "on_call"   // it called whoever was on call
)

// Act is what a Contribution was.
type Act string

// The acts. Transitions and resolutions are not stored as contributions: they
// are changes of status, whose category may be remapped later.
const (
	ActComment Act = "comment"
	ActWorklog Act = "worklog"
)

// Contribution is a dated act of an account on a ticket.
type Contribution struct {
	At    time.Time
	Actor string
	Act   Act
}

// Account is one account of a source, as the source shows it.
type Account struct {
	Source string
	ID     string // immutable: accountId, user key or name, sys_id, gid
	Name   string // display name; "" where hidden
	Email  string // "" where hidden
	Active bool
	Bot    bool // an integration or application account by the source's own word
}

// Term says what an id of a tracked field means: its name now and, for
// statuses and kinds, the normalised value. It is looked up at analysis, so a
// remapping needs no new collection.
type Term struct {
	Source string
	Field  Field
	ID     string
	Name   string
	Value  string // a Category for FieldStatus, a Kind for FieldKind, else ""
}

// Assignment is the interval in which a ticket was with one account. The group
// is the one in force when it was given. Zero-length assignments are kept and
// carry no load.
type Assignment struct {
	Actor string
	Group string
	From  time.Time
	To    time.Time // zero while open
}

// Spell is the interval in which a tracked field had one value. A ticket in
// several areas has several area spells at once.
type Spell struct {
	Field Field
	Value string // "" is none
	From  time.Time
	To    time.Time // zero while open
}

// Record is a ticket with what timeline derived from its history: the row that
// is written. Version orders the writings of one ticket: the microsecond at
// which the request that brought it was sent, made strictly increasing.
type Record struct {
	Ticket
	Assignments []Assignment // by From, in order of their changes
	Spells      []Spell      // status, group, area, effort, kind, priority, project; by field, then From
	// Unrecorded counts the places where the history contradicts itself or
	// the present state, that is, where a change must have happened that the
	// source did not record.
	Unrecorded uint32
	Version    uint64
}
