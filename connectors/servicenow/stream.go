package servicenow

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"fairlead/connectors/source"
)

// recentWindow divides the recent closed tickets from the older ones.
const recentWindow = 90 * 24 * time.Hour

// closed is what is not active: a record whose active was never set is not.
const closed = "active=false^ORactiveISEMPTY"

// Pages yields a stream of all configured tables as one, ordered by
// (sys_updated_on, sys_id).
//
// The backfill streams end at the moment they began: what changes later has a
// later sys_updated_on and belongs to the incremental stream, so a ticket that
// changes all the time cannot keep them from ending. The incremental stream has
// no upper bound.
func (s *Source) Pages(ctx context.Context, stream source.Stream, from source.Cursor) iter.Seq2[source.Page, error] {
	return func(yield func(source.Page, error) bool) {
		run, err := s.begin(ctx, stream, from)
		if err != nil {
			yield(source.Page{}, err)
			return
		}
		fresh := from.Start.IsZero() && stream == source.StreamIncremental
		for {
			page, err := run.page(ctx)
			if err != nil {
				yield(source.Page{}, err)
				return
			}
			if page == nil {
				if fresh {
					// Nothing came, but when the stream began must be kept.
					yield(source.Page{Sent: s.now(), Next: source.Cursor{Start: run.start}}, nil)
				}
				return
			}
			fresh = false
			if !yield(*page, nil) {
				return
			}
		}
	}
}

// run is one reading of a stream: the walks of its tables, merged.
type run struct {
	s      *Source
	stream source.Stream
	from   source.Cursor
	start  time.Time
	parts  []*part
}

// part is one table's share of a run.
type part struct {
	table Table
	walk  *walk[record]
	buf   []record
	sent  time.Time // when what is in buf was asked for
	tried string    // the time for which the walk was last resumed
}

func (s *Source) begin(ctx context.Context, stream source.Stream, from source.Cursor) (*run, error) {
	start := from.Start
	if start.IsZero() {
		var err error
		if start, err = s.Now(ctx); err != nil {
			return nil, err
		}
	}
	bounds, err := s.bounds(stream, start)
	if err != nil {
		return nil, err
	}
	r := &run{s: s, stream: stream, from: from, start: start}
	at, id := formatTime(from.Updated), from.ID
	switch {
	case stream == source.StreamIncremental && from.Updated.IsZero():
		at, id = formatTime(start.Add(-s.cfg.Overlap)), ""
	case stream == source.StreamIncremental:
		at, id = formatTime(from.Updated.Add(-s.cfg.Overlap)), ""
	case from.Updated.IsZero():
		at, id = "", ""
	}
	for _, t := range s.tables {
		r.parts = append(r.parts, &part{table: t, walk: &walk[record]{
			c: s.client, table: t.Name, order: "sys_updated_on", fields: t.columns(), limit: s.cfg.PageSize,
			at: at, id: id, left: -1, name: "stream " + string(stream),
			where: func(more ...string) string { return joined(t.Query, append(slices.Clone(bounds), more...)...) },
		}})
	}
	r.readAhead(ctx)
	return r, nil
}

// readAhead asks for the first page of all tables at once: they are merged, so that
// each is wanted before the first ticket can go out.
func (r *run) readAhead(ctx context.Context) {
	first := make([]request, len(r.parts))
	for i, p := range r.parts {
		first[i] = p.walk.request()
	}
	c := r.s.client.ahead(ctx, first)
	for _, p := range r.parts {
		p.walk.c = c
	}
}

// bounds are the conditions of a stream.
func (s *Source) bounds(stream source.Stream, start time.Time) ([]string, error) {
	until := "sys_updated_on<=" + formatTime(start)
	recent := start.Add(-recentWindow)
	switch stream {
	case source.StreamOpen:
		return []string{"active=true", until}, nil
	case source.StreamRecent:
		if s.since.After(recent) {
			recent = s.since
		}
		return []string{closed, "sys_updated_on>=" + formatTime(recent), until}, nil
	case source.StreamOlder:
		conditions := []string{closed, "sys_updated_on<" + formatTime(recent), until}
		if !s.since.IsZero() {
			conditions = append(conditions, "sys_updated_on>="+formatTime(s.since))
		}
		return conditions, nil
	case source.StreamIncremental:
		return nil, nil
	}
	return nil, fmt.Errorf("unknown stream %q", stream)
}

// page gives the next page, nil at the end.
func (r *run) page(ctx context.Context) (*source.Page, error) {
	var rows []row
	var sent time.Time
	place := map[string]int{} // sys_id → place in rows
	var lastAt, lastID string
	for len(rows) < r.s.cfg.PageSize {
		p, err := r.head(ctx, len(rows) > 0)
		if err != nil {
			return nil, err
		}
		if p == nil {
			break
		}
		rec := p.buf[0]
		p.buf = p.buf[1:]
		if sent.IsZero() || p.sent.Before(sent) {
			sent = p.sent
		}
		lastAt, lastID = rec.key()
		if i, ok := place[lastID]; ok {
			rows[i] = row{p.table, rec} // it changed while the stream was read
			continue
		}
		place[lastID] = len(rows)
		rows = append(rows, row{p.table, rec})
	}
	if len(rows) == 0 {
		return nil, nil
	}
	page, err := r.s.assemble(ctx, rows)
	if err != nil {
		return nil, fmt.Errorf("collecting %s after %s %s: %w", r.stream, lastAt, lastID, err)
	}
	updated, ok := parseTime(text(lastAt))
	if !ok {
		return nil, fmt.Errorf("reading stream %s: %w: sys_updated_on is not a time", r.stream, source.ErrUnreadable)
	}
	page.Sent = sent
	page.Next = source.Cursor{Start: r.start, Updated: updated, ID: lastID}
	if r.stream == source.StreamIncremental && updated.Before(r.from.Updated) {
		page.Next.Updated, page.Next.ID = r.from.Updated, r.from.ID // within the overlap
	}
	page.Remaining = r.remaining()
	return &page, nil
}

// head gives the part whose next record comes first, nil at the end. A part
// that has nothing buffered is read on, since its next record might be the one;
// one table's page is not, so that a page is what one request brought.
func (r *run) head(ctx context.Context, begun bool) (*part, error) {
	for {
		var first *part
		for _, p := range r.parts {
			if len(p.buf) == 0 && !p.walk.ended {
				if begun && len(r.parts) == 1 {
					return nil, nil
				}
				if err := r.fill(ctx, p); err != nil {
					return nil, err
				}
			}
			if len(p.buf) > 0 && (first == nil || before(p.buf[0], first.buf[0])) {
				first = p
			}
		}
		if first == nil || r.stream != source.StreamIncremental || !r.resume(first.buf[0]) {
			return first, nil
		}
	}
}

// resume begins again the walks that ended at a time before a record that is to
// go out: their tables may have changed since, and the cursor must not pass
// over that.
func (r *run) resume(next record) bool {
	at, _ := next.key()
	any := false
	for _, p := range r.parts {
		if p.walk.ended && len(p.buf) == 0 && formatTime(p.walk.endedAt) < at && p.tried < at {
			p.tried = at
			p.walk.resume()
			any = true
		}
	}
	return any
}

func (r *run) fill(ctx context.Context, p *part) error {
	ans, err := p.walk.next(ctx)
	if err != nil {
		return err
	}
	p.buf, p.sent = ans.rows, ans.sent
	if p.walk.withheld > 0 && r.s.firstTime(p.table.Name+" rows") {
		r.s.log.Warn("tickets are withheld from the account by access rules",
			"table", p.table.Name, "tickets", p.walk.withheld)
	}
	return nil
}

func before(a, b record) bool {
	aAt, aID := a.key()
	bAt, bID := b.key()
	return aAt < bAt || aAt == bAt && aID < bID
}

// remaining estimates how many tickets follow.
func (r *run) remaining() int {
	n := 0
	for _, p := range r.parts {
		if !p.walk.ended {
			if p.walk.left < 0 {
				return -1
			}
			n += p.walk.left
		}
		n += len(p.buf)
	}
	return n
}
