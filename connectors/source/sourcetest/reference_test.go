package sourcetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// reference is a plain API over tickets in memory, and a connector of it that
// keeps every promise. Its mutants break one promise each.
type reference struct {
	o      Options
	mutant string
	past   Past

	mu    sync.Mutex
	live  map[string]*refTicket
	ids   map[string]string
	last  json.RawMessage // row of the page before, to repeat
	index map[string]refTicket
	due   []refDue
}

type refTicket struct {
	ID, Key, Assignee, Group, Status string
	Created, Updated                 time.Time
	Changes                          []ticket.Change
	Hidden                           bool
}

// refDue is what the index is to show from a time on.
type refDue struct {
	at     time.Time
	ticket refTicket
	gone   bool
}

func referenceHarness(mutant string, past Past) Harness {
	return Harness{
		New: func(_ testing.TB, o Options) Instance {
			return &reference{o: o, mutant: mutant, past: past, live: map[string]*refTicket{}, ids: map[string]string{}, index: map[string]refTicket{}}
		},
		Precision: time.Millisecond,
		Lags:      true,
		Repeats:   true,
		Past:      past,
	}
}

func (r *reference) ID(name string) string { return r.ids[name] }

func (r *reference) Value(field ticket.Field, name string) string { return string(field) + ":" + name }

func (r *reference) Create(name string, first Update) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := fmt.Sprintf("%06d", (len(r.ids)*7919)%100_000) // not in order of creation
	r.ids[name] = id
	r.live[id] = &refTicket{ID: id, Key: name, Created: first.At, Updated: first.At}
	r.set(r.live[id], first, false)
	r.show(r.live[id], len(r.live[id].Changes) > 0)
	return nil
}

func (r *reference) Update(name string, u Update) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.live[r.ids[name]]
	if !ok {
		return fmt.Errorf("no ticket %q", name)
	}
	t.Updated = u.At
	r.set(t, u, true)
	r.show(t, false)
	return nil
}

func (r *reference) set(t *refTicket, u Update, record bool) {
	seq := uint32(1)
	if n := len(t.Changes); n > 0 {
		seq = t.Changes[n-1].Seq + 1
	}
	t.Changes = slices.Clone(t.Changes)
	for field, value := range u.Set {
		at := map[ticket.Field]*string{ticket.FieldAssignee: &t.Assignee, ticket.FieldGroup: &t.Group, ticket.FieldStatus: &t.Status}[field]
		if value != "" {
			value = r.Value(field, value)
		}
		if record && *at != value {
			t.Changes = append(t.Changes, ticket.Change{At: u.At, Seq: seq, Field: field, From: *at, To: value, Actor: r.Value(ticket.FieldAssignee, u.Actor)})
		}
		*at = value
	}
}

func (r *reference) show(t *refTicket, gone bool) {
	due := refDue{at: time.Now(), ticket: *t, gone: gone}
	if t.Updated.Add(time.Minute).After(due.at) {
		due.at = due.at.Add(r.o.IndexLag)
	}
	r.due = append(r.due, due)
}

func (r *reference) Delete(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.show(r.live[r.ids[name]], true)
	delete(r.live, r.ids[name])
	return nil
}

func (r *reference) Hide(name string, hidden bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live[r.ids[name]].Hidden = hidden
	return nil
}

func (r *reference) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/now", func(rw http.ResponseWriter, _ *http.Request) { reply(rw, time.Now().UTC()) })
	mux.HandleFunc("GET /api/tickets", r.serveTickets)
	mux.HandleFunc("GET /api/ticket", r.serveByID)
	return http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer right" {
			http.Error(rw, "{}", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(rw, req)
	})
}

func reply(rw http.ResponseWriter, v any) {
	if err := json.NewEncoder(rw).Encode(v); err != nil {
		panic(http.ErrAbortHandler)
	}
}

type refPage struct {
	Rows []json.RawMessage
	More bool
	Last refTicket // the key of the last row, hidden or not
}

// serveTickets gives a page of the index by (updated, id). Rows that may not
// be seen are taken out after the page was cut, as ServiceNow does.
func (r *reference) serveTickets(rw http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.due = slices.DeleteFunc(r.due, func(d refDue) bool {
		if d.at.After(now) {
			return false
		}
		r.index[d.ticket.ID] = d.ticket
		if d.gone {
			delete(r.index, d.ticket.ID)
		}
		return true
	})
	q := req.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	if r.o.PageCap > 0 {
		limit = min(limit, r.o.PageCap)
	}
	offset, _ := strconv.Atoi(q.Get("offset"))
	after, afterID := instant(q.Get("after")), q.Get("after_id")
	from, to := instant(q.Get("from")), instant(q.Get("to"))
	byID := q.Get("by") == "id"
	var found []refTicket
	for _, t := range r.index {
		done := t.Status == r.Value(ticket.FieldStatus, StatusDone)
		if q.Get("done") != "" && q.Get("done") != strconv.FormatBool(done) ||
			t.Updated.Before(from) || !to.IsZero() && !t.Updated.Before(to) || byID && t.ID <= afterID ||
			!byID && (t.Updated.Before(after) || t.Updated.Equal(after) && t.ID <= afterID) {
			continue
		}
		found = append(found, t)
	}
	slices.SortFunc(found, func(a, b refTicket) int {
		if byID {
			return strings.Compare(a.ID, b.ID)
		}
		return cmp.Or(a.Updated.Compare(b.Updated), strings.Compare(a.ID, b.ID))
	})
	found = found[min(offset, len(found)):]
	var page refPage
	if len(found) > limit {
		found, page.More = found[:limit], true
	}
	if r.o.RepeatRows && !after.IsZero() && r.last != nil {
		page.Rows = append(page.Rows, r.last)
	}
	for _, t := range found {
		page.Last = refTicket{Updated: t.Updated, ID: t.ID}
		if live, ok := r.live[t.ID]; ok && live.Hidden {
			continue
		}
		row, err := json.Marshal(t)
		if err != nil {
			panic(err)
		}
		page.Rows, r.last = append(page.Rows, row), row
	}
	reply(rw, page)
}

func (r *reference) serveByID(rw http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := []refTicket{}
	for _, id := range strings.Split(req.URL.Query().Get("ids"), ",") {
		if r.mutant == "looks up ids in the index" {
			if t, ok := r.index[id]; ok {
				found = append(found, t)
			}
			continue
		}
		if t, ok := r.live[id]; ok && !t.Hidden {
			found = append(found, *t)
		}
	}
	reply(rw, found)
}

func instant(s string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s)
	return t
}

func (r *reference) Connect(transport http.RoundTripper) (source.Source, error) {
	return &refSource{o: r.o, mutant: r.mutant, past: r.past, client: &http.Client{Transport: transport}}, nil
}

// refSource is the connector.
type refSource struct {
	o      Options
	mutant string
	past   Past
	client *http.Client
}

func (s *refSource) is(mutant string) bool { return s.mutant == mutant }

func (s *refSource) Name() string { return "reference" }

func (s *refSource) Now(ctx context.Context) (time.Time, error) {
	if s.is("trusts its own clock") {
		return time.Now(), nil
	}
	var now time.Time
	err := s.get(ctx, "/api/now", nil, &now)
	return now, err
}

func (s *refSource) get(ctx context.Context, path string, query url.Values, into any) error {
	if s.is("does not mind its context") {
		ctx = context.Background()
	}
	var err error
	for try := range 3 {
		if try > 0 {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err = s.getOnce(ctx, path, query, into); !errors.Is(err, source.ErrUnreadable) || s.is("tries nothing again that it cannot read") {
			return err
		}
	}
	if s.is("takes what it cannot read for the end") {
		return nil
	}
	return err
}

func (s *refSource) getOnce(ctx context.Context, path string, query url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://source.test"+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer right")
	if s.o.WrongCredential {
		req.Header.Set("Authorization", "Bearer wrong")
	}
	resp, err := s.client.Do(req)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && s.is("keeps the cause to itself"):
		return err
	case err != nil:
		return source.Unreachable(ctx, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusUnauthorized && s.is("takes a refused credential for an empty source"):
		return nil
	case resp.StatusCode == http.StatusUnauthorized:
		return source.ErrUnauthorized
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("reading %s: status %d", path, resp.StatusCode)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		if s.is("does not name what it cannot read") {
			path = "an answer"
		}
		return fmt.Errorf("reading %s: %w: %w", path, source.ErrUnreadable, err)
	}
	return nil
}

const refOverlap = 2 * time.Minute

func (s *refSource) Pages(ctx context.Context, stream source.Stream, from source.Cursor) iter.Seq2[source.Page, error] {
	return func(yield func(source.Page, error) bool) {
		query := url.Values{"limit": {strconv.Itoa(cmp.Or(s.o.PageSize, 50))}}
		recent := from.Start.AddDate(0, 0, -90)
		span := func(done bool, from, to time.Time) {
			query.Set("done", strconv.FormatBool(done))
			if !from.IsZero() {
				query.Set("from", from.Format(time.RFC3339Nano))
			}
			if !to.IsZero() {
				query.Set("to", to.Format(time.RFC3339Nano))
			}
		}
		at := from
		switch stream {
		case source.StreamOpen:
			span(false, time.Time{}, time.Time{})
			if s.is("forgets open tickets from before since") {
				span(false, s.o.Since, time.Time{})
			}
		case source.StreamRecent:
			span(true, later(recent, s.o.Since), time.Time{})
			if s.is("brings a ticket in two streams") {
				span(true, recent.AddDate(0, 0, -30), time.Time{})
			}
		case source.StreamOlder:
			span(true, s.o.Since, recent)
			if s.is("leaves a gap between two streams") {
				span(true, s.o.Since, recent.AddDate(0, 0, -30))
			}
		case source.StreamIncremental:
			if !s.is("does not overlap its polls") {
				at.Updated, at.ID = at.Updated.Add(-refOverlap), ""
			}
		}
		if s.is("sends requests when nobody reads any more") {
			defer func() {
				go func() {
					time.Sleep(90 * time.Minute)
					var page refPage
					_ = s.getOnce(context.WithoutCancel(ctx), "/api/tickets", query, &page)
				}()
			}()
		}
		seen := map[string]bool{}
		offset := 0
		for {
			if !at.Updated.IsZero() {
				query.Set("after", at.Updated.Format(time.RFC3339Nano))
				query.Set("after_id", at.ID)
			}
			if s.is("drops what shares the second of a page's end") {
				query.Set("after_id", "~")
			}
			if s.is("pages by offset") {
				query.Set("offset", strconv.Itoa(offset))
				query.Set("after", from.Updated.Format(time.RFC3339Nano))
				query.Del("after_id")
			}
			page := source.Page{Sent: time.Now(), Remaining: -1}
			var got refPage
			if err := s.get(ctx, "/api/tickets", query, &got); err != nil {
				yield(source.Page{}, err)
				if s.is("goes on after an error") {
					yield(source.Page{Sent: page.Sent, Next: at}, nil)
				}
				return
			}
			if s.is("says a page was sent when it came") {
				page.Sent = time.Now()
			}
			var rows []refTicket
			for _, raw := range got.Rows {
				var row refTicket
				if err := json.Unmarshal(raw, &row); err != nil {
					yield(source.Page{}, fmt.Errorf("reading /api/tickets: %w: %w", source.ErrUnreadable, err))
					return
				}
				if seen[row.ID] && s.is("takes a row that it has seen for the end") {
					got.More = false
				}
				seen[row.ID] = true
				rows = append(rows, row)
			}
			offset += len(rows)
			s.fill(&page, rows)
			if s.is("never comes to an end") {
				got.Last.ID, got.More = "", true
				continue
			}
			if got.Last.ID != "" {
				at.Updated, at.ID = got.Last.Updated, got.Last.ID
			}
			page.Next = at
			if page.Next.Updated.Before(from.Updated) {
				page.Next = from
			}
			if s.is("moves its cursor back") && len(rows) > 1 {
				page.Next.Updated = rows[0].Updated.Add(-24 * time.Hour)
			}
			if s.is("moves its cursor before the page is read") {
				page.Next.Updated = page.Next.Updated.Add(time.Hour)
			}
			if s.is("forgets its start") {
				page.Next.Start = time.Time{}
			}
			if !yield(page, nil) {
				return
			}
			if !got.More || s.is("takes a short page for the last") && len(rows) < cmp.Or(s.o.PageSize, 50) ||
				s.is("takes an empty page for the last") && len(rows) == 0 {
				return
			}
		}
	}
}

func (s *refSource) fill(page *source.Page, rows []refTicket) {
	accounts, terms := map[string]bool{}, map[[2]string]bool{}
	for _, row := range rows {
		t := ticket.Ticket{Source: "reference", ID: row.ID, Key: row.Key, Created: row.Created, Updated: row.Updated,
			Assignee: row.Assignee, Group: row.Group, Status: row.Status, Changes: row.Changes, HistoryComplete: true}
		if s.is("cuts a long history") {
			t.Changes = t.Changes[:min(len(t.Changes), 100)]
		}
		if s.is("numbers no updates") {
			t.Changes = slices.Clone(t.Changes)
			for i := range t.Changes {
				t.Changes[i].Seq = 1
			}
		}
		s.forget(&t)
		page.Tickets = append(page.Tickets, t)
		accounts[t.Assignee] = true
		terms[[2]string{"status", t.Status}] = true
		terms[[2]string{"group", t.Group}] = true
		for _, c := range t.Changes {
			if !s.is("describes present accounts only") {
				accounts[c.Actor] = true
			}
			if c.Field == ticket.FieldAssignee {
				accounts[c.From], accounts[c.To] = true, true
			} else {
				terms[[2]string{string(c.Field), c.From}] = true
				terms[[2]string{string(c.Field), c.To}] = true
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(accounts)) {
		if id != "" {
			page.Accounts = append(page.Accounts, ticket.Account{Source: "reference", ID: id, Active: true})
		}
	}
	for term := range terms {
		if term[1] != "" && (term[0] != "group" || !s.is("describes no groups")) {
			page.Terms = append(page.Terms, ticket.Term{Source: "reference", Field: ticket.Field(term[0]), ID: term[1], Name: term[1]})
		}
	}
}

// forget takes from a ticket what a source with less of a past does not tell.
func (s *refSource) forget(t *ticket.Ticket) {
	updated := len(t.Changes) > 0
	switch s.past {
	case PastWhole:
		return
	case PastStates:
		t.Changes = slices.Clone(t.Changes)
		for i := range t.Changes {
			t.Changes[i].Actor = ""
		}
		switch {
		case s.is("tells the last of what it knows"):
			t.Changes = t.Changes[max(0, len(t.Changes)-1):]
		case s.is("says less than it knows") && updated:
			t.Changes, t.HistoryComplete, t.IncompleteReason = nil, false, "not told"
		}
		return
	}
	last := t.Changes
	t.Changes = nil
	if updated {
		t.HistoryComplete, t.IncompleteReason, t.Observed = false, "not told", tracked
	}
	switch {
	case s.is("calls whole what it does not know"):
		t.HistoryComplete, t.IncompleteReason = true, ""
	case s.is("does not say why it is not whole"):
		t.IncompleteReason = ""
	case s.is("leaves nothing to be observed"):
		t.Observed = nil
	case s.is("makes up a change") && updated:
		made := last[len(last)-1]
		made.At = made.At.Add(-time.Second)
		t.Changes = []ticket.Change{made}
	case s.is("knows nothing of what is untouched") && !updated:
		t.HistoryComplete, t.IncompleteReason = false, "not told"
	}
}

func (s *refSource) ByID(ctx context.Context, ids []string) (source.Page, error) {
	page := source.Page{Sent: time.Now(), Remaining: -1}
	for chunk := range slices.Chunk(ids, 50) {
		var rows []refTicket
		if err := s.get(ctx, "/api/ticket", url.Values{"ids": {strings.Join(chunk, ",")}}, &rows); err != nil {
			return source.Page{}, err
		}
		s.fill(&page, rows)
		for _, id := range chunk {
			if !slices.ContainsFunc(rows, func(t refTicket) bool { return t.ID == id }) && !s.is("keeps silent about what is gone") {
				page.Skipped = append(page.Skipped, source.Skipped{ID: id, Reason: s.gone()})
			}
		}
		if s.is("looks up no more than fifty ids") {
			break
		}
	}
	return page, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (s *refSource) gone() string {
	if s.is("does not say why it skips") {
		return "not found"
	}
	return "deleted or no permission"
}

// IDs reads the index in order of id, which no edit changes.
func (s *refSource) IDs(ctx context.Context) iter.Seq2[[]string, error] {
	return s.list(ctx, func(refTicket) bool { return true })
}

// ByAge reads the index once for either part.
func (s *refSource) ByAge(ctx context.Context, since time.Time) iter.Seq2[source.Listed, error] {
	return func(yield func(source.Listed, error) bool) {
		parts := []bool{true, false}
		if s.is("lists the young first") {
			parts = []bool{false, true}
		}
		for _, old := range parts {
			isOld := func(t refTicket) bool {
				closed := t.Status == "status:"+StatusDone
				return closed && (t.Updated.Before(since) || s.is("takes closed tickets for old"))
			}
			for ids, err := range s.list(ctx, func(t refTicket) bool { return isOld(t) == old }) {
				if !yield(source.Listed{IDs: ids, Old: old}, err) || err != nil {
					return
				}
			}
		}
	}
}

func (s *refSource) list(ctx context.Context, include func(refTicket) bool) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		limit := cmp.Or(s.o.PageSize, 50)
		query := url.Values{"limit": {strconv.Itoa(limit)}}
		if s.is("lists by time") {
			query.Set("by", "time")
		} else {
			query.Set("by", "id")
		}
		if s.is("lists what it collects") && !s.o.Since.IsZero() {
			query.Set("from", s.o.Since.Format(time.RFC3339Nano))
		}
		if s.is("sends requests when nobody reads any more") {
			defer func() {
				go func() {
					time.Sleep(90 * time.Minute)
					var page refPage
					_ = s.getOnce(context.WithoutCancel(ctx), "/api/tickets", query, &page)
				}()
			}()
		}
		if s.is("lists one by one") {
			query.Set("limit", "1")
		}
		offset := 0
		for {
			var got refPage
			if err := s.get(ctx, "/api/tickets", query, &got); err != nil {
				if !s.is("takes a list that fails for a whole one") {
					yield(nil, err)
				}
				return
			}
			var ids []string
			for _, raw := range got.Rows {
				var row refTicket
				if err := json.Unmarshal(raw, &row); err != nil {
					yield(nil, fmt.Errorf("reading /api/tickets: %w: %w", source.ErrUnreadable, err))
					return
				}
				if include(row) {
					ids = append(ids, row.ID)
				}
			}
			if !yield(ids, nil) || !got.More || s.is("takes a short list for the last") && len(got.Rows) < limit {
				return
			}
			if s.is("lists by time") {
				offset += limit
				query.Set("offset", strconv.Itoa(offset))
				continue
			}
			query.Set("after_id", got.Last.ID)
		}
	}
}

func (s *refSource) Check(ctx context.Context) (source.Report, error) {
	now, err := s.Now(ctx)
	if errors.Is(err, source.ErrUnauthorized) && !s.is("checks nothing") {
		return source.Report{Facts: []source.Fact{{Level: source.LevelFailed, What: "account", Says: "the credential was refused"}}}, nil
	}
	if err != nil && !s.is("checks nothing") {
		return source.Report{}, err
	}
	return source.Report{Facts: []source.Fact{{Level: source.LevelOK, What: "clock", Says: now.Format(time.RFC3339)}}}, nil
}
