package sourcetest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/connectors/rest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// epoch is when every test begins: a Monday morning.
var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// world is one fake, what it should hold, and the way to it.
type world struct {
	t       *testing.T
	h       Harness
	in      Instance
	wire    *wire
	base    *http.Transport
	tickets map[string]*story // by name
}

// story is all that happened to a ticket.
type story struct {
	first   Update
	updates []Update
	gone    bool // deleted or hidden
}

// bubble runs f in a world of its own.
func bubble(t *testing.T, h Harness, o Options, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(epoch))
		w := &world{t: t, h: h, in: h.New(t, o), tickets: map[string]*story{}}
		w.wire = &wire{fake: w.in.Handler(), acting: make(chan struct{}, 1)}
		w.wire.runaway = func() { t.Errorf("the source was asked more than %d times", maxRequests) }
		w.base = w.wire.serve(t)
		f(t, w)
	})
}

// connect makes a connector as a process that has just started would.
func (w *world) connect() source.Source {
	w.t.Helper()
	src, err := w.in.Connect(rest.New("conformance", rest.Config{}, w.base, nil, nil))
	if err != nil {
		w.t.Fatalf("connecting: %v", err)
	}
	return src
}

func (w *world) now() time.Time { return time.Now().UTC().Truncate(w.h.Precision) }

func (w *world) create(name string, at time.Time, fields ...string) {
	w.t.Helper()
	u := update(at, "dee", fields...)
	if err := w.in.Create(name, u); err != nil {
		w.t.Errorf("creating %s: %v", name, err)
		return
	}
	w.tickets[name] = &story{first: u}
}

func (w *world) update(name string, at time.Time, actor string, fields ...string) {
	w.t.Helper()
	u := update(at, actor, fields...)
	s := w.tickets[name]
	if !s.changedBy(u) {
		return // some sources take no note of it, others do
	}
	if err := w.in.Update(name, u); err != nil {
		w.t.Errorf("updating %s: %v", name, err)
		return
	}
	s.updates = append(s.updates, u)
}

// changedBy reports whether an update sets any field to another value.
func (s *story) changedBy(u Update) bool {
	now := maps.Clone(s.first.Set)
	for _, earlier := range s.updates {
		maps.Copy(now, earlier.Set)
	}
	for field, value := range u.Set {
		if now[field] != value {
			return true
		}
	}
	return false
}

// update reads fields as pairs of a field and its value.
func update(at time.Time, actor string, fields ...string) Update {
	u := Update{At: at, Actor: actor, Set: map[ticket.Field]string{}}
	for i := 0; i < len(fields); i += 2 {
		u.Set[ticket.Field(fields[i])] = fields[i+1]
	}
	return u
}

func (w *world) delete(name string) {
	w.t.Helper()
	if err := w.in.Delete(name); err != nil {
		w.t.Errorf("deleting %s: %v", name, err)
		return
	}
	w.tickets[name].gone = true
}

func (w *world) hide(name string) {
	w.t.Helper()
	if err := w.in.Hide(name, true); err != nil {
		w.t.Errorf("hiding %s: %v", name, err)
		return
	}
	w.tickets[name].gone = true
}

// fill makes n open tickets, an hour apart and the last an hour ago, half of
// them assigned since.
func (w *world) fill(n int) {
	w.t.Helper()
	for i := range n {
		name, at := name(i), epoch.Add(time.Duration(i-n)*time.Hour)
		w.create(name, at, "status", StatusNew, "group", Groups[i%2])
		if i%2 == 0 {
			w.update(name, at.Add(10*time.Minute), "ann", "assignee", Accounts[i%3], "status", StatusWorking)
		}
	}
}

func name(i int) string { return fmt.Sprintf("t%04d", i) }

// tracked are the fields that the suite sets.
var tracked = []ticket.Field{ticket.FieldAssignee, ticket.FieldGroup, ticket.FieldStatus}

// want is what a source must say of a ticket: its fields and changes that the
// suite sets.
func (w *world) want(name string) ticket.Ticket {
	s := w.tickets[name]
	values := maps.Clone(s.first.Set)
	out := ticket.Ticket{ID: w.in.ID(name), Created: s.first.At, Updated: s.first.At, HistoryComplete: true}
	seq := uint32(0)
	for _, u := range s.updates {
		out.Updated = u.At
		if w.h.MergesCreation && u.At.Equal(s.first.At) {
			maps.Copy(values, u.Set)
			continue
		}
		seq++
		for _, field := range tracked {
			to, ok := u.Set[field]
			if !ok || to == values[field] {
				continue
			}
			out.Changes = append(out.Changes, ticket.Change{At: u.At, Seq: seq, Field: field,
				From: w.value(field, values[field]), To: w.value(field, to), Actor: w.value(ticket.FieldAssignee, u.Actor)})
			values[field] = to
		}
	}
	out.Assignee = w.value(ticket.FieldAssignee, values[ticket.FieldAssignee])
	out.Group = w.value(ticket.FieldGroup, values[ticket.FieldGroup])
	out.Status = w.value(ticket.FieldStatus, values[ticket.FieldStatus])
	return out
}

func (w *world) value(field ticket.Field, name string) string {
	if name == "" {
		return ""
	}
	return w.in.Value(field, name)
}

// reduced is the part of a ticket that want knows, its updates numbered anew
// since a source may number updates that the suite knows nothing of.
func reduced(t ticket.Ticket) ticket.Ticket {
	out := ticket.Ticket{ID: t.ID, Created: t.Created, Updated: t.Updated, Assignee: t.Assignee, Group: t.Group, Status: t.Status,
		HistoryComplete: t.HistoryComplete}
	for _, c := range t.Changes {
		if slices.Contains(tracked, c.Field) {
			out.Changes = append(out.Changes, c)
		}
	}
	return out
}

// difference says how got is not what want says, or nothing.
func difference(got, want ticket.Ticket) string {
	got = reduced(got)
	if d := presentDifference(got, want); d != "" {
		return d
	}
	if a, b := updates(got.Changes), updates(want.Changes); !slices.EqualFunc(a, b, slices.Equal[[]string]) {
		return fmt.Sprintf("updates\n got %v\nwant %v", a, b)
	}
	return ""
}

func presentDifference(got, want ticket.Ticket) string {
	if !got.Created.Equal(want.Created) || !got.Updated.Equal(want.Updated) || got.Assignee != want.Assignee || got.Group != want.Group ||
		got.Status != want.Status || got.HistoryComplete != want.HistoryComplete {
		return fmt.Sprintf("present state\n got %s\nwant %s", state(got), state(want))
	}
	return ""
}

func state(t ticket.Ticket) string {
	return fmt.Sprintf("created %s, updated %s, assignee %q, group %q, status %q, complete %v",
		t.Created.Format(time.RFC3339Nano), t.Updated.Format(time.RFC3339Nano), t.Assignee, t.Group, t.Status, t.HistoryComplete)
}

// updates groups changes by the update that made them; those of one update
// have no order among fields.
func updates(changes []ticket.Change) [][]string {
	var out [][]string
	for i, c := range changes {
		says := fmt.Sprintf("%s %s %q>%q by %q", c.At.UTC().Format(time.RFC3339Nano), c.Field, c.From, c.To, c.Actor)
		if i > 0 && changes[i-1].Seq == c.Seq && changes[i-1].At.Equal(c.At) {
			out[len(out)-1] = append(out[len(out)-1], says)
			continue
		}
		out = append(out, []string{says})
	}
	for _, u := range out {
		slices.Sort(u)
	}
	return out
}

// store is what a collector would hold: the latest answer for each ticket.
type store map[string]ticket.Ticket

// verify checks that s holds every ticket that can be seen, as it is now.
func (w *world) verify(s store) {
	w.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(w.tickets)) {
		if w.tickets[name].gone {
			continue
		}
		got, ok := s[w.in.ID(name)]
		if !ok {
			w.t.Errorf("%s never came", name)
			continue
		}
		if d := w.difference(got, name); d != "" {
			w.t.Errorf("%s is not as the source has it: %s", name, d)
		}
	}
}

// drain reads a stream to its end into s and returns the cursor after the last
// page, also with an error.
func (w *world) drain(ctx context.Context, src source.Source, stream source.Stream, from source.Cursor, s store) (source.Cursor, error) {
	cursor, _, err := w.read(ctx, src, stream, from, s, -1)
	return cursor, err
}

// read is drain that stops after a number of pages, unless that is negative.
// It checks what must hold of every page.
func (w *world) read(ctx context.Context, src source.Source, stream source.Stream, from source.Cursor, s store, pages int) (cursor source.Cursor, ended bool, err error) {
	w.t.Helper()
	cursor = from
	asked := time.Now()
	if w.h.KeepsLists {
		asked = epoch
	}
	failed := false
	n := 0
	for page, pageErr := range src.Pages(ctx, stream, from) {
		if failed {
			w.t.Fatalf("%s: the sequence goes on after an error", stream)
		}
		if pageErr != nil {
			failed, err = true, pageErr
			continue
		}
		if n == pages {
			return cursor, false, nil
		}
		n++
		w.checkPage(src, string(stream), page, asked)
		if !page.Next.Start.Equal(from.Start) {
			w.t.Errorf("%s: page %d changes the cursor's start from %v to %v", stream, n, from.Start, page.Next.Start)
		}
		if n > 1 && page.Next.Updated.Before(cursor.Updated) {
			w.t.Errorf("%s: page %d moves the cursor back from %v to %v", stream, n, cursor.Updated, page.Next.Updated)
		}
		cursor = page.Next
		for _, got := range page.Tickets {
			s[got.ID] = got
		}
		if n > 10_000 {
			w.t.Fatalf("%s: does not end", stream)
		}
	}
	if err == nil && cursor.Updated.Before(from.Updated) {
		w.t.Errorf("%s: ended with the cursor back from %v to %v", stream, from.Updated, cursor.Updated)
	}
	return cursor, true, err
}

// checkPage checks the promises about a single page.
func (w *world) checkPage(src source.Source, what string, page source.Page, asked time.Time) {
	w.t.Helper()
	if page.Sent.Before(asked) || page.Sent.After(time.Now()) {
		w.t.Errorf("%s: page was sent at %v, outside of %v to %v", what, page.Sent, asked, time.Now())
	}
	described := map[string]bool{}
	for _, a := range page.Accounts {
		described["account "+a.ID] = true
	}
	for _, term := range page.Terms {
		described[string(term.Field)+" "+term.ID] = true
	}
	for _, got := range page.Tickets {
		if got.Source != src.Name() || got.ID == "" || got.Key == "" {
			w.t.Errorf("%s: ticket %q is named %q of source %q", what, got.ID, got.Key, got.Source)
		}
		names := map[string]bool{"status " + got.Status: true, "group " + got.Group: got.Group != "", "account " + got.Assignee: got.Assignee != ""}
		for i, c := range got.Changes {
			if c.Seq == 0 || c.At.Location() != time.UTC {
				w.t.Errorf("%s: ticket %s: change %d has no update number or is not in UTC: %v", what, got.ID, i, c)
			}
			if i > 0 && (c.At.Before(got.Changes[i-1].At) || c.At.Equal(got.Changes[i-1].At) && c.Seq < got.Changes[i-1].Seq) {
				w.t.Errorf("%s: ticket %s: change %d is out of order", what, got.ID, i)
			}
			names["account "+c.Actor] = c.Actor != ""
			switch c.Field {
			case ticket.FieldAssignee:
				names["account "+c.From], names["account "+c.To] = c.From != "", c.To != ""
			case ticket.FieldStatus, ticket.FieldGroup:
				names[string(c.Field)+" "+c.From], names[string(c.Field)+" "+c.To] = c.From != "", c.To != ""
			}
		}
		for what, is := range names {
			if is && !described[what] {
				w.t.Errorf("page does not describe %s, which ticket %s names", what, got.ID)
			}
		}
	}
}

// collection is a collector of the suite: where it stands in every stream.
type collection struct {
	store   store
	cursors map[source.Stream]source.Cursor
	done    map[source.Stream]bool
}

// begin asks the source for its clock, from which a first collection starts.
func (w *world) begin(ctx context.Context, src source.Source) (*collection, error) {
	start, err := src.Now(ctx)
	if err != nil {
		return nil, err
	}
	c := &collection{store: store{}, cursors: map[source.Stream]source.Cursor{}, done: map[source.Stream]bool{}}
	for _, stream := range source.Backfill {
		c.cursors[stream] = source.Cursor{Start: start}
	}
	c.cursors[source.StreamIncremental] = source.Cursor{Start: start, Updated: start}
	return c, nil
}

// advance reads what is not read yet: the backfill streams in order, then the
// incremental one until it has caught up.
func (w *world) advance(ctx context.Context, src source.Source, c *collection) error {
	w.t.Helper()
	for _, stream := range slices.Concat(source.Backfill, []source.Stream{source.StreamIncremental}) {
		if c.done[stream] {
			continue
		}
		cursor, err := w.drain(ctx, src, stream, c.cursors[stream], c.store)
		c.cursors[stream] = cursor
		if err != nil {
			return fmt.Errorf("%s: %w", stream, err)
		}
		c.done[stream] = stream != source.StreamIncremental
	}
	return nil
}

// collect does all of a first collection, which must not fail.
func (w *world) collect(src source.Source) *collection {
	w.t.Helper()
	c, err := w.begin(w.t.Context(), src)
	if err != nil {
		w.t.Fatalf("asking for the source's clock: %v", err)
	}
	if err := w.advance(w.t.Context(), src, c); err != nil {
		w.t.Fatalf("collecting: %v", err)
	}
	return c
}

// meddle makes one random edit now, of a ticket or of a new one.
func (w *world) meddle(random *rand.Rand) {
	if w.h.MergesCreation {
		time.Sleep(time.Second) // nor does it tell two updates of one instant apart
	}
	now := w.now()
	if random.IntN(8) == 0 {
		w.create(name(len(w.tickets)), now, "status", StatusNew, "group", Groups[random.IntN(2)])
		return
	}
	names := slices.Sorted(maps.Keys(w.tickets))
	one := names[random.IntN(len(names))]
	actor := Accounts[random.IntN(len(Accounts))]
	switch {
	case w.tickets[one].gone:
	case random.IntN(20) == 0:
		w.delete(one)
	case random.IntN(3) == 0:
		w.update(one, now, actor, "status", Statuses[random.IntN(3)], "assignee", Accounts[random.IntN(4)])
	case random.IntN(3) == 0:
		w.update(one, now, actor, "group", Groups[random.IntN(2)])
	default:
		w.update(one, now, actor, "assignee", slices.Concat(Accounts, []string{""})[random.IntN(5)])
	}
}
