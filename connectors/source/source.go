// Package source is the contract between a ticketing system's connector and
// the collector.
package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"time"

	"fairlead/connectors/ticket"
)

// Stream names an ordered sequence of tickets of a source. The backfill
// streams partition what exists when a first collection starts, the most
// useful first; the incremental stream brings every later change.
type Stream string

// The streams, in the order in which a first collection reads them. Open,
// recent and older end; incremental is polled for ever.
const (
	StreamOpen        Stream = "open"        // not closed at its start
	StreamRecent      Stream = "recent"      // closed, changed in the last 90 days before its start
	StreamOlder       Stream = "older"       // closed, changed before that, back to the configured since
	StreamIncremental Stream = "incremental" // changed since the cursor
)

// Backfill lists the streams of a first collection in order.
var Backfill = []Stream{StreamOpen, StreamRecent, StreamOlder}

// Cursor is a place in a stream: everything up to and including the ticket
// (Updated, ID) was delivered. Start is the source's clock at the first request
// of a first collection: it divides the backfill streams from the incremental
// one and stays the same for as long as the stream is read. A zero Updated is
// the beginning.
type Cursor struct {
	Start   time.Time `json:"start,omitzero"`
	Updated time.Time `json:"updated,omitzero"`
	ID      string    `json:"id,omitempty"`
}

// Page is a run of whole tickets, and what is needed to read them.
type Page struct {
	// Sent is when the request that brought these tickets was sent, by our
	// clock: what was asked later wins.
	Sent     time.Time
	Tickets  []ticket.Ticket
	Accounts []ticket.Account // every account that Tickets name and the source described
	Terms    []ticket.Term    // every id that Tickets name and the source described
	Skipped  []Skipped        // objects that the source refused or that could not be read

	// Next is the cursor once this page is stored. It never moves back within
	// a stream, save by the overlap when a poll starts.
	Next Cursor

	// Remaining estimates how many tickets of the stream follow this page;
	// negative when the source does not tell.
	Remaining int
}

// Skipped is a single object that could not be had. It is counted and named,
// and does not stop the stream.
type Skipped struct {
	ID     string
	Reason string // constant lower-case words: "deleted", "no permission"
}

// Source is a ticketing system. Implementations are safe for concurrent use by
// different streams.
type Source interface {
	// Name is the configured name, the `source` label.
	Name() string

	// Now is the source's own clock, from an answer of the source.
	Now(ctx context.Context) (time.Time, error)

	// Pages yields the stream's pages after the cursor, ordered by
	// (Updated, ID) as far as the source's index allows, then ends: a backfill
	// stream is then complete, the incremental one has caught up. A poll of the
	// incremental stream starts an overlap before the cursor, so tickets can
	// come again, and never fail to come.
	//
	// Faults that may pass (429, 5xx, a broken connection, an answer that does
	// not parse) are tried again inside. What remains is yielded once as an
	// error, and ends the sequence; the last Next that was stored is where to
	// begin again. Tickets of a page are whole: their history was fetched.
	Pages(ctx context.Context, stream Stream, from Cursor) iter.Seq2[Page, error]

	// ByID fetches single tickets again, whole, past any lagging index. An id
	// that is gone, refused, or of a ticket that the configuration does not
	// include, is in Skipped; the reason of the first and the last has the word
	// gone or deleted.
	ByID(ctx context.Context, ids []string) (Page, error)

	// Check finds out, with as few requests as it can, who we are and what
	// we may see. It returns an error only when nothing could be found out.
	Check(ctx context.Context) (Report, error)
}

// Lister is a Source that can tell cheaply which tickets there are. The
// deletion sweep asks it.
type Lister interface {
	Source

	// IDs yields, a page at a time and in no particular order, the id of every
	// ticket that exists now, that the account may see and that the
	// configuration includes, whatever its age. A ticket that is created,
	// changed or moved meanwhile may or may not come, and one may come twice;
	// one that exists throughout comes. Any error ends the sequence, and then
	// nothing can be concluded from an id's absence.
	IDs(ctx context.Context) iter.Seq2[[]string, error]
}

// AgedLister is a Lister that can tell which tickets are too old to be collected. By
// that a sweep knows of one that it should have seen and never has: an account was
// given a right later, and the ticket was not changed since.
type AgedLister interface {
	Lister

	// ByAge is IDs in two parts: first the tickets that are closed and were last
	// changed before since, which are Old, then the others. A zero since makes
	// none old. One that goes over meanwhile comes among the others.
	ByAge(ctx context.Context, since time.Time) iter.Seq2[Listed, error]
}

// Listed is a page of a list by age.
type Listed struct {
	IDs []string
	Old bool
}

// Scoped is a Source that can tell which tickets its configuration includes, and
// what it makes of them. What has changed in that since a source was collected is
// collected anew.
type Scoped interface {
	Source

	// Scope changes with whatever decides which tickets are collected and what
	// their fields are, but for Since, and with nothing else. It holds no secret.
	Scope() string

	// Since is how far back closed tickets are collected; zero is without bound.
	Since() time.Time
}

// Staffed is a Source that knows who is in its groups. A draft of a roster asks it.
type Staffed interface {
	Source

	// Staff tells of groups, by the ids that tickets have in FieldGroup. What the
	// account may not see is missing from it; an error is one of the whole source.
	Staff(ctx context.Context, groups []string) (Staff, error)
}

// Staff is who is in groups.
type Staff struct {
	Groups   []Group
	Accounts []ticket.Account  // of their members and managers
	Zones    map[string]string // IANA time zone of an account, where it tells one
}

// Group is a group with the accounts in it, of those that are active.
type Group struct {
	ID, Name string
	Manager  string // account; "" where none is known
	Members  []string
}

// Report is what Check found: facts in the order in which to show them.
type Report struct {
	Facts []Fact
}

// Fact is one finding.
type Fact struct {
	Level Level
	What  string // "account", "version", "time zone", "tickets visible", "history"
	Says  string // what was found and, if not OK, what to do
}

// Level is how bad a Fact is.
type Level string

// The levels. Only LevelFailed makes `fairlead check` fail.
const (
	LevelOK      Level = "ok"
	LevelWarning Level = "warning"
	LevelFailed  Level = "failed"
)

// What a caller branches on. Connectors wrap these.
var (
	// ErrUnauthorized: the credential was refused. Trying again does not help.
	ErrUnauthorized = errors.New("credential refused")
	// ErrForbidden: the account lacks a right that nothing works without.
	ErrForbidden = errors.New("permission missing")
	// ErrUnreachable: the source did not answer.
	ErrUnreachable = errors.New("source unreachable")
	// ErrUnreadable: an answer could not be parsed, again and again. The error
	// names the request and the place.
	ErrUnreadable = errors.New("answer unreadable")
)

// Unreachable is the error of a request that had no answer: that of ctx if it has
// ended, else ErrUnreachable with the cause. The request's address is left out of
// it, since the query names what is collected.
func Unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}
