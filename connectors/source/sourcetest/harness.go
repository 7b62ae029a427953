// Package sourcetest is the conformance suite that every source passes. Each
// of its tests is named for a promise of the contract in connectors/source.
//
// A connector adapts itself and the fake of its API by a Harness, and calls
// Run. The suite does the rest: it serves the fake over connections in memory,
// puts faults and edits between the connector and the fake at any request, and
// runs each test in a synctest bubble, so that waiting costs nothing and a
// goroutine that is left behind fails the test. In the bubble time.Now is the
// clock of all parts; a fake must use no other.
package sourcetest

import (
	"net/http"
	"testing"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// Harness adapts one source to the suite.
type Harness struct {
	// New makes an empty fake. It runs within a bubble: what it starts must end
	// by t.Cleanup.
	New func(t testing.TB, o Options) Instance

	// Precision is the finest difference between two update times that the
	// source can show: a second for ServiceNow, a millisecond for Jira.
	Precision time.Duration

	// Lags says that the source's index can lag behind edits; the fake then
	// obeys Options.IndexLag.
	Lags bool

	// Repeats says that the source can show a row again on the next page; the
	// fake then obeys Options.RepeatRows.
	Repeats bool

	// KeepsLists says that the source may go on with a list that it was given
	// when a stream was read before; such a page was asked for then.
	KeepsLists bool

	// MergesCreation says that the source tells a change in the very instant of
	// creation from what the ticket was made with in no way.
	MergesCreation bool

	// Past says how much of the history of tickets the source tells.
	Past Past
}

// Options of a fake and the connector that goes with it. A zero value is the
// default of either.
type Options struct {
	// PageSize is how many tickets the connector is configured to ask for at
	// once. It is small in the suite.
	PageSize int
	// PageCap is the most tickets that the fake gives at once, whatever is
	// asked, where its API has such a limit.
	PageCap int
	// IndexLag is how long the fake's searches show a ticket as it was.
	IndexLag time.Duration
	// RepeatRows makes the fake give the last row of a page again as the first
	// one of the next.
	RepeatRows bool
	// Since is how far back the connector is configured to collect; zero is
	// everything.
	Since time.Time
	// WrongCredential configures the connector with a credential that the fake
	// refuses.
	WrongCredential bool
}

// Instance is one fake of the source's API, with the means to edit what it
// holds as its users would. The suite names tickets and values in words of its
// own (the Names and the values below); the Instance turns them into its API's
// ids. Methods are called by one goroutine at a time, which may be one that
// serves a request: never under a lock that serving holds.
type Instance interface {
	// Handler serves the fake API. It may be reached by any host name.
	Handler() http.Handler

	// Connect makes a connector of the fake, which reaches it at
	// http://source.test through transport. It may be called again, for a
	// connector that starts anew.
	Connect(transport http.RoundTripper) (source.Source, error)

	// Create makes a ticket with the fields of first; those left out are unset.
	// FieldStatus is always given.
	Create(name string, first Update) error

	// Update makes one update of a ticket, which the fake's history records.
	Update(name string, u Update) error

	// Delete removes a ticket.
	Delete(name string) error

	// Hide takes the account's right to see a ticket away, or gives it back.
	Hide(name string, hidden bool) error

	// ID is the id in the source of the ticket of that name, also after it was
	// deleted.
	ID(name string) string

	// Value is the id in the source of a value: of an account for
	// FieldAssignee, a queue for FieldGroup, a status for FieldStatus.
	Value(field ticket.Field, name string) string
}

// Update is one update of a ticket: all its changes at once. Set holds
// FieldAssignee, FieldGroup and FieldStatus; "" is none.
type Update struct {
	At    time.Time
	Actor string // an account
	Set   map[ticket.Field]string
}

// The values that the suite uses. A Harness provides them all. Jira's queue is
// its project: an update of FieldGroup there moves the ticket.
var (
	Accounts = []string{"ann", "bob", "cyd", "dee"}
	Groups   = []string{"net", "db"}
	Statuses = []string{StatusNew, StatusWorking, StatusDone}
)

// The statuses. StatusDone is one of the category done, after which the ticket
// counts as closed; a ticket may be opened again.
const (
	StatusNew     = "new"
	StatusWorking = "working"
	StatusDone    = "done"
)
