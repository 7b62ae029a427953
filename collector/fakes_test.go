package collector_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// one is a ticket that was updated some seconds after the epoch.
func one(id string, updated int, changes ...ticket.Change) ticket.Ticket {
	return ticket.Ticket{Source: "snow", ID: id, Key: "INC" + id, Created: epoch.Add(-time.Hour), Updated: epoch.Add(time.Duration(updated) * time.Second),
		Status: "1", Assignee: "ann", Changes: changes, HistoryComplete: true}
}

// page closes with its last ticket.
func page(remaining int, tickets ...ticket.Ticket) source.Page {
	p := source.Page{Tickets: tickets, Remaining: remaining,
		Accounts: []ticket.Account{{Source: "snow", ID: "ann", Name: "Ann", Active: true}},
		Terms:    []ticket.Term{{Source: "snow", Field: ticket.FieldStatus, ID: "1", Name: "New", Value: string(ticket.CategoryTodo)}}}
	if n := len(tickets); n > 0 {
		p.Next = source.Cursor{Updated: tickets[n-1].Updated, ID: tickets[n-1].ID}
	}
	return p
}

// scripted is a source whose streams are lists of pages. A reading goes on
// after the page whose cursor it is given.
type scripted struct {
	mu      sync.Mutex
	pages   map[source.Stream][]source.Page
	live    map[string]ticket.Ticket // for ByID
	overlap bool                     // the incremental stream always begins anew

	now       func() (time.Time, error)
	before    func(ctx context.Context, stream source.Stream, page int) error // nil lets the page through
	asked     []string
	delivered int
}

func (s *scripted) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fmt.Sprintf(format, args...))
}

func (s *scripted) Name() string { return "snow" }

func (s *scripted) Now(context.Context) (time.Time, error) {
	s.note("now")
	if s.now != nil {
		return s.now()
	}
	return epoch, nil
}

func (s *scripted) Pages(ctx context.Context, stream source.Stream, from source.Cursor) iter.Seq2[source.Page, error] {
	return func(yield func(source.Page, error) bool) {
		s.note("pages %s from %s", stream, from.ID)
		s.mu.Lock()
		pages := slices.Clone(s.pages[stream])
		s.mu.Unlock()
		skip := 0
		if stream != source.StreamIncremental || !s.overlap {
			skip = 1 + slices.IndexFunc(pages, func(p source.Page) bool {
				return p.Next.ID == from.ID && p.Next.Updated.Equal(from.Updated)
			})
		}
		for n, p := range pages {
			if n < skip {
				continue
			}
			if s.before != nil {
				if err := s.before(ctx, stream, n); err != nil {
					yield(source.Page{}, err)
					return
				}
			}
			p.Next.Start = from.Start
			if p.Sent.IsZero() {
				p.Sent = time.Now()
			}
			s.mu.Lock()
			s.delivered++
			s.mu.Unlock()
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (s *scripted) ByID(_ context.Context, ids []string) (source.Page, error) {
	s.note("by id %v", ids)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := source.Page{Sent: time.Now(), Remaining: -1}
	for _, id := range ids {
		if t, ok := s.live[id]; ok {
			p.Tickets = append(p.Tickets, t)
		} else {
			p.Skipped = append(p.Skipped, source.Skipped{ID: id, Reason: "deleted"})
		}
	}
	return p, nil
}

func (s *scripted) Check(context.Context) (source.Report, error) {
	return source.Report{}, errors.New("nobody checks here")
}

// memoryStore is a warehouse in memory, which notes what it is told in order
// and can be made to fail.
type memoryStore struct {
	mu          sync.Mutex
	told        []string
	records     map[string]ticket.Record // the latest version of each
	versions    []uint64
	accounts    map[string]ticket.Account
	terms       map[string]ticket.Term
	checkpoints map[string]clickhouse.Checkpoint
	unfit       map[string]bool // tickets that cannot be stored
	listed      map[string]uint64
	fail        func(ctx context.Context, what string) error
}

func newMemoryStore() *memoryStore {
	return &memoryStore{records: map[string]ticket.Record{}, accounts: map[string]ticket.Account{}, terms: map[string]ticket.Term{},
		checkpoints: map[string]clickhouse.Checkpoint{}, unfit: map[string]bool{}, listed: map[string]uint64{}}
}

func (m *memoryStore) tell(ctx context.Context, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if m.fail != nil {
		if err := m.fail(ctx, what); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = append(m.told, what)
	return ctx.Err()
}

func (m *memoryStore) WriteAccounts(ctx context.Context, accounts []ticket.Account) error {
	if err := m.tell(ctx, "accounts %d", len(accounts)); err != nil {
		return err
	}
	for _, a := range accounts {
		m.accounts[a.ID] = a
	}
	return nil
}

func (m *memoryStore) WriteTerms(ctx context.Context, terms []ticket.Term) error {
	if err := m.tell(ctx, "terms %d", len(terms)); err != nil {
		return err
	}
	for _, t := range terms {
		m.terms[string(t.Field)+t.ID] = t
	}
	return nil
}

func (m *memoryStore) WriteTickets(ctx context.Context, records []ticket.Record) error {
	var ids []string
	for _, r := range records {
		if m.unfit[r.ID] {
			return fmt.Errorf("writing tickets: %w", &clickhouse.TicketError{Source: r.Source, ID: r.ID, Reason: "it is odd"})
		}
		ids = append(ids, r.ID)
	}
	if err := m.tell(ctx, "tickets %v", ids); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range records {
		m.versions = append(m.versions, r.Version)
		if r.Version > m.records[r.ID].Version {
			m.records[r.ID] = r
		}
	}
	return nil
}

func (m *memoryStore) SaveCheckpoint(ctx context.Context, c clickhouse.Checkpoint) error {
	if err := m.tell(ctx, "checkpoint %s %s %v", c.Stream, c.Updated.Format("15:04:05"), c.Done); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checkpoints[c.Stream] = c
	return nil
}

func (m *memoryStore) Checkpoints(ctx context.Context, _ string) (map[string]clickhouse.Checkpoint, error) {
	if err := m.tell(ctx, "checkpoints?"); err != nil {
		return nil, err
	}
	return m.checkpoints, nil
}

func (m *memoryStore) StoredUpdates(ctx context.Context, _ string, ids []string) (map[string]time.Time, error) {
	if err := m.tell(ctx, "updates? %v", ids); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]time.Time{}
	for _, id := range ids {
		if r, ok := m.records[id]; ok {
			found[id] = r.Updated
		}
	}
	return found, nil
}

// Histories gives the accounts as they are: they are their own References.
func (m *memoryStore) Histories(ctx context.Context, _ string, ids []string) (map[string]ticket.Ticket, error) {
	if err := m.tell(ctx, "histories? %v", ids); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]ticket.Ticket{}
	for _, id := range ids {
		if r, ok := m.records[id]; ok {
			found[id] = r.Ticket
		}
	}
	return found, nil
}

func (m *memoryStore) Terms(context.Context) ([]ticket.Term, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.terms)), nil
}

func (m *memoryStore) Reference(_, account string) string { return account }

func (m *memoryStore) MaxVersion(ctx context.Context, _ string) (uint64, error) {
	if err := m.tell(ctx, "version?"); err != nil {
		return 0, err
	}
	return slices.Max(append(slices.Clone(m.versions), 0)), nil
}

func (m *memoryStore) AcquireLease(context.Context, string) (*clickhouse.Lease, error) {
	return nil, nil
}

func (m *memoryStore) Tally(context.Context, string) (clickhouse.Tally, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := clickhouse.Tally{Tickets: uint64(len(m.records))}
	for _, r := range m.records {
		if !r.Deleted.IsZero() {
			t.Deleted++
		}
		if !r.HistoryComplete {
			t.Incomplete++
		}
	}
	return t, nil
}

func (m *memoryStore) NoteListed(ctx context.Context, _ string, sweep uint64, ids []string) error {
	if err := m.tell(ctx, "listed %d", len(ids)); err != nil {
		return err
	}
	for _, id := range ids {
		m.listed[id] = sweep
	}
	return nil
}

// compared are the ids of tickets that were stored before a sweep, marked or
// not, and listed by it or not, in order.
func (m *memoryStore) compared(sweep uint64, marked, listed bool) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []string
	for id, r := range m.records {
		if r.Version < sweep && !r.Deleted.IsZero() == marked && (m.listed[id] == sweep) == listed {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (m *memoryStore) CompareListed(ctx context.Context, _ string, sweep uint64) (clickhouse.Listing, error) {
	missing, back := len(m.compared(sweep, false, false)), len(m.compared(sweep, true, true))
	l := clickhouse.Listing{Stored: uint64(missing + len(m.compared(sweep, false, true))), Missing: uint64(missing), Back: uint64(back)}
	for id, at := range m.listed {
		if _, ok := m.records[id]; !ok && at == sweep {
			l.Unknown++
		}
	}
	return l, m.tell(ctx, "compare")
}

func after(ids []string, id string, limit int) []string {
	ids = slices.DeleteFunc(ids, func(other string) bool { return other <= id })
	return ids[:min(len(ids), limit)]
}

func (m *memoryStore) MissingIDs(ctx context.Context, _ string, sweep uint64, id string, limit int) ([]string, error) {
	return after(m.compared(sweep, false, false), id, limit), m.tell(ctx, "missing?")
}

func (m *memoryStore) ReturnedIDs(ctx context.Context, _ string, sweep uint64, id string, limit int) ([]string, error) {
	return after(m.compared(sweep, true, true), id, limit), m.tell(ctx, "returned?")
}

func (m *memoryStore) MarkDeleted(ctx context.Context, _ string, ids []string, sweep uint64, at time.Time) error {
	if err := m.tell(ctx, "deleted %v", ids); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if r := m.records[id]; r.Version < sweep && r.Deleted.IsZero() {
			r.Version, r.Deleted = sweep, at
			m.records[id] = r
		}
	}
	return nil
}

func (m *memoryStore) forget() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	told := m.told
	m.told = nil
	return told
}

type progress struct {
	mu   sync.Mutex
	said []string
}

func (p *progress) Page(source, stream string, tickets, remaining int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, fmt.Sprintf("%s %s %d %d", source, stream, tickets, remaining))
}

func (p *progress) Done(source string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, "done "+source)
}
