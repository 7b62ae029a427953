// Package jira collects issues of Jira Cloud and Jira Data Center.
//
// Both flavours are read by a search in order of update time; their histories
// come with it on Data Center, and by bulk changelog on Cloud. Texts are not
// asked for, or dropped where the API sends them unasked.
package jira

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/andygrunwald/go-jira"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// Options are what a Source needs besides its configuration.
type Options struct {
	Name      string            // the configured name; default "jira"
	Transport http.RoundTripper // paces and tries again; default http.DefaultTransport
	Logger    *slog.Logger      // says itself which source it is; default discards
	Since     time.Time         // how far back closed issues are collected; zero is everything
	Clock     func() time.Time  // default time.Now
}

// Source is one Jira site. It implements source.Source.
type Source struct {
	name   string
	cfg    Config
	scope  string
	rules  rules
	since  time.Time
	client *client
	people *people
	site   site
	log    *slog.Logger
	clock  func() time.Time
}

var (
	_ source.Source = (*Source)(nil)
	_ source.Scoped = (*Source)(nil)
)

// New makes a source. It reads the secret's file and sends no request.
func New(cfg Config, o Options) (*Source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("checking jira configuration: %w", err)
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	transport, err := authenticated(cfg, o.Transport, o.Clock)
	if err != nil {
		return nil, err
	}
	api, err := jira.NewClient(&http.Client{Transport: transport}, cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("making jira client: %w", err)
	}
	root := "rest/api/3"
	if cfg.Flavour == DataCenter {
		root = "rest/api/2"
	}
	return &Source{
		name: cmp.Or(o.Name, "jira"), cfg: cfg, scope: scope(cfg), rules: newRules(cfg), since: o.Since,
		client: &client{jira: api, api: root}, people: peopleOf(cfg),
		site: site{projects: map[string]string{}}, log: o.Logger, clock: o.Clock,
	}, nil
}

// Name implements source.Source.
func (s *Source) Name() string { return s.name }

// Since implements source.Scoped.
func (s *Source) Since() time.Time { return s.since }

// Now implements source.Source. The clock is the Date of an answer, to the
// second and never ahead; the answer is the account's, whose zone is then
// known too. Where there is no such resource, that answer has a date too.
func (s *Source) Now(ctx context.Context) (time.Time, error) {
	me, header, err := do[wireUser](ctx, s.client, call{method: http.MethodGet, path: "/myself"})
	if err != nil && status(err) != http.StatusNotFound {
		return time.Time{}, fmt.Errorf("asking for the time: %w", err)
	}
	s.site.mu.Lock()
	s.setZone(ctx, me.TimeZone, s.clock())
	s.site.mu.Unlock()
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("asking for the time: %w: no Date in the answer's header", source.ErrUnreadable)
	}
	return now.UTC(), nil
}

// errStopped ends a stream that its reader left.
var errStopped = errors.New("stopped")

// Pages implements source.Source.
func (s *Source) Pages(ctx context.Context, stream source.Stream, from source.Cursor) iter.Seq2[source.Page, error] {
	return func(yield func(source.Page, error) bool) {
		err := s.pages(ctx, stream, from, func(p source.Page) bool { return yield(p, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(source.Page{}, fmt.Errorf("reading %s issues of %s: %w", stream, s.name, err))
		}
	}
}

func (s *Source) pages(ctx context.Context, stream source.Stream, from source.Cursor, yield func(source.Page) bool) error {
	if from.Start.IsZero() {
		now, err := s.Now(ctx)
		if err != nil {
			return err
		}
		from.Start = now
	}
	cal, err := s.calendar(ctx)
	if err != nil {
		return err
	}
	effort, err := s.effortFields(ctx)
	if err != nil {
		return err
	}
	q := s.streamQuery(stream, from, cal)
	run := &run{source: s, yield: yield, effort: effort, cursor: from, query: q}
	// The earlier backfill streams are followed by more issues, which describe
	// most accounts.
	run.lookUp = stream == source.StreamOlder || stream == source.StreamIncremental
	run.counted = stream != source.StreamIncremental
	size := s.cfg.requestSize()
	if s.cfg.Flavour == Cloud {
		run.walk = newCloudWalk(s.client, cal, q, s.rules.fields(effort), size)
	} else {
		run.walk = newOffsetWalk(s.client, cal, q, s.rules.fields(effort), size)
	}
	if stream != source.StreamIncremental && from.ID != "" {
		run.walk = &resumed{walk: run.walk, after: from}
	}
	return run.all(ctx)
}

// run is one reading of a stream.
type run struct {
	source *Source
	walk   walk
	yield  func(source.Page) bool
	effort []wireField
	query  query

	cursor    source.Cursor
	sent      time.Time // when the first request of the batch was sent
	batch     []wireIssue
	place     map[string]int // of an issue in the batch, by id
	lookUp    bool           // accounts that only changelogs name, at the end
	last      wireIssue      // the last one read, in the walk's order
	delivered int
	counted   bool // a backfill stream: its size is worth a request
	total     int  // of the stream on Cloud; 0 is not asked for yet
}

// all gathers batches and hands them on. What was read whole before a failure
// is handed on first, so that a fault far into a batch costs no repetition.
func (r *run) all(ctx context.Context) error {
	size := r.source.cfg.requestSize()
	r.place = map[string]int{}
	for {
		asked := r.source.clock()
		issues, remaining, done, err := r.walk.next(ctx)
		r.add(issues, asked)
		if err != nil {
			if ctx.Err() == nil && len(r.batch) > 0 {
				if flushed := r.flush(ctx, -1, false); flushed != nil {
					return flushed
				}
			}
			return err
		}
		if done || len(r.batch)+size > r.source.cfg.pageSize() {
			if err := r.flush(ctx, remaining, done); err != nil {
				return err
			}
		}
		if done {
			return nil
		}
	}
}

// add puts issues into the batch. One that came again replaces the earlier.
func (r *run) add(issues []wireIssue, asked time.Time) {
	if len(r.batch) == 0 {
		r.sent = asked
	}
	for _, i := range issues {
		if !i.updated().After(asked.Add(maxAhead)) {
			r.last = i
		}
		if n, ok := r.place[i.ID]; ok {
			r.batch[n] = i
			continue
		}
		r.place[i.ID] = len(r.batch)
		r.batch = append(r.batch, i)
	}
}

func (r *run) flush(ctx context.Context, remaining int, done bool) error {
	// By (Updated, ID), as far as one batch goes: an issue that was read again
	// took the place of its earlier state.
	slices.SortStableFunc(r.batch, func(a, b wireIssue) int {
		return cmp.Or(a.updated().Compare(b.updated()), compareIDs(a.ID, b.ID))
	})
	where := place(r.cursor.Updated)
	page, err := r.source.page(ctx, r.batch, r.effort, where, true)
	if err != nil {
		return err
	}
	page.Sent = r.sent
	if done && r.lookUp {
		accounts, err := r.source.describe(ctx)
		if err != nil {
			return err
		}
		page.Accounts = append(page.Accounts, accounts...)
	}
	r.delivered += len(r.batch)
	if page.Remaining = remaining; !done && remaining < 0 {
		page.Remaining = r.estimate(ctx)
	}
	r.advance()
	page.Next = r.cursor
	empty := len(r.batch) == 0 && len(page.Accounts) == 0
	r.batch = r.batch[:0:0]
	clear(r.place)
	if !empty && !r.yield(page) {
		return errStopped
	}
	return nil
}

// maxAhead is how far the source's clock may be ahead of ours.
const maxAhead = 24 * time.Hour

// advance moves the cursor to the last issue read. In a poll's overlap it stays
// where it was, and an issue that claims to be changed in the future must not
// take it there.
func (r *run) advance() {
	if r.last.ID == "" || sameOrder(r.last.updated(), r.cursor.Updated) < 0 {
		return
	}
	r.cursor.Updated, r.cursor.ID = later(r.cursor.Updated, r.last.updated()), r.last.ID
}

// sameOrder compares update times as finely as Jira's index orders by them:
// Data Center's has seconds.
func sameOrder(a, b time.Time) int {
	return a.Truncate(time.Second).Compare(b.Truncate(time.Second))
}

func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// estimate asks Cloud once how many issues a stream of more than one page has.
// It is for showing progress: without an answer there is none. A poll comes every
// minute, and that it is not at its end is all that one would learn.
func (r *run) estimate(ctx context.Context) int {
	if r.source.cfg.Flavour != Cloud || !r.counted {
		return -1
	}
	if r.total == 0 {
		r.total = -1
		jql, _, _ := strings.Cut(r.query.jql(r.query.lower, time.Time{}), " ORDER BY ")
		if n, err := r.source.count(ctx, jql); err == nil {
			r.total = n
		}
	}
	if r.total < 0 {
		return -1
	}
	return max(r.total-r.delivered, 0)
}

func (s *Source) count(ctx context.Context, jql string) (int, error) {
	answer, _, err := do[struct {
		Count int `json:"count"`
	}](ctx, s.client, call{method: http.MethodPost, path: "/search/approximate-count", body: map[string]string{"jql": jql}})
	if err != nil {
		return 0, fmt.Errorf("counting issues: %w", err)
	}
	return answer.Count, nil
}

// page makes whole tickets of issues. Where a lagging index showed some as they
// were, they are fetched again, once.
func (s *Source) page(ctx context.Context, issues []wireIssue, effort []wireField, where string, fromIndex bool) (source.Page, error) {
	var page source.Page
	if len(issues) == 0 {
		return page, nil
	}
	list, skipped, err := s.complete(ctx, issues, effort, where)
	if err != nil {
		return page, err
	}
	page.Skipped = skipped
	if fromIndex && s.cfg.Flavour == Cloud {
		if ids := stale(list, s.clock()); len(ids) > 0 {
			again, skipped, err := s.fetch(ctx, ids, effort)
			if err != nil {
				return page, err
			}
			fresh := make(map[string]whole, len(again))
			for _, w := range again {
				fresh[w.ID] = w
			}
			for n, w := range list {
				if f, ok := fresh[w.ID]; ok {
					list[n] = f
				}
			}
			gone := map[string]bool{}
			for _, sk := range skipped {
				gone[sk.ID] = true
			}
			list = slices.DeleteFunc(list, func(w whole) bool { return gone[w.ID] })
			page.Skipped = append(page.Skipped, skipped...)
		}
	}
	return page, s.mapPage(ctx, &page, list, effort)
}

// mapPage fills a page with the tickets of issues that are whole.
func (s *Source) mapPage(ctx context.Context, page *source.Page, list []whole, effort []wireField) error {
	m := newMapper(s.name, s.people, effort, s.rules)
	m.learn(list)
	for _, w := range list {
		t, err := m.ticket(w)
		if err != nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "issue unreadable", slog.String("id", w.ID), slog.String("error", err.Error()))
			page.Skipped = append(page.Skipped, source.Skipped{ID: w.ID, Reason: "unreadable"})
			continue
		}
		page.Tickets = append(page.Tickets, t)
	}
	if err := s.describeHistory(ctx, m); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(m.named)) {
		page.Accounts = append(page.Accounts, s.people.named(s.name, id))
	}
	page.Terms = slices.SortedFunc(maps.Values(m.term), func(a, b ticket.Term) int {
		return cmp.Or(strings.Compare(string(a.Field), string(b.Field)), strings.Compare(a.ID, b.ID))
	})
	return nil
}

// describeHistory describes the statuses and projects that only histories
// name: a changelog has no category and no key.
func (s *Source) describeHistory(ctx context.Context, m *mapper) error {
	wanted := map[string]bool{}
	for id := range m.statuses {
		if m.term[termKey{ticket.FieldStatus, id}].Value == "" {
			wanted[id] = true
		}
	}
	if len(wanted) > 0 {
		statuses, err := s.statusList(ctx, wanted)
		if err != nil {
			return err
		}
		for id := range wanted {
			st, ok := statuses[id]
			if !ok {
				// Deleted from the site: its name is in the changelog, and
				// only the configuration can say what it meant.
				st = wireStatus{ID: id, Name: m.term[termKey{ticket.FieldStatus, id}].Name}
			}
			m.describe(ticket.FieldStatus, id, st.Name, string(s.rules.category(st)))
		}
	}
	for key, t := range m.term {
		if key.field == ticket.FieldProject {
			s.learnProject(key.id, t.Name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.projects)) {
		if _, ok := m.term[termKey{ticket.FieldProject, id}]; ok {
			continue
		}
		key, err := s.projectKey(ctx, id)
		if err != nil {
			return err
		}
		if key != "" {
			m.describeProject(id, key)
		}
	}
	return nil
}

// ByID implements source.Source.
func (s *Source) ByID(ctx context.Context, ids []string) (source.Page, error) {
	sent := s.clock()
	effort, err := s.effortFields(ctx)
	if err != nil {
		return source.Page{}, fmt.Errorf("fetching issues of %s by id: %w", s.name, err)
	}
	list, skipped, err := s.fetch(ctx, ids, effort)
	page := source.Page{Sent: sent, Skipped: skipped}
	if err == nil {
		err = s.mapPage(ctx, &page, list, effort)
	}
	if err != nil {
		return source.Page{}, fmt.Errorf("fetching issues of %s by id: %w", s.name, err)
	}
	return page, nil
}

// isID reports whether s can be the id of an issue.
func isID(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && n > 0
}
