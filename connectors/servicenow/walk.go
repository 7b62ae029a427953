package servicenow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/connectors/source"
)

// keyed is a row with a place in an order: a time and, among those of one
// second, the sys_id.
type keyed interface {
	key() (at, id string)
}

// walk reads the rows that a query finds, page after page by key: a row that
// changes while it goes on shifts no other.
type walk[T keyed] struct {
	c      *client
	table  string
	where  func(conditions ...string) string // the query without place and order
	order  string                            // column of the time
	fields []string
	limit  int
	name   string // for errors

	at, id string // everything up to here was read; at "" is the beginning
	offset int    // records after the place that access left out

	begun, ended bool
	endedAt      time.Time // by the instance's clock
	confirm      bool      // the next request has to say how many follow

	// After a page that was shorter than asked, the records that should follow:
	// if fewer do, access withheld the difference.
	short    bool
	expected int

	left     int             // records after the place, as far as known; -1 when not
	withheld int             // records that the query found and access left out
	seen     map[string]bool // rows of the page before
}

// place is the condition on rows that follow (at, id). ^OR binds tighter than ^
// (SDK documentation, "Encoded Queries"), so this reads
//
//	at >= X AND (at > X OR sys_id > Y)
//
// Were it written X^ORat=X^sys_id>Y, every row would be asked for a greater id.
// ^NQ could say it too, but the conditions that a before-query business rule
// adds then apply to one part only (KB0564887).
func place(column, at, id string) string {
	switch {
	case at == "":
		return ""
	case id == "":
		return column + ">=" + at
	default:
		return column + ">=" + at + "^" + column + ">" + at + "^ORsys_id>" + id
	}
}

func (w *walk[T]) request() request {
	return request{
		table:  w.table,
		query:  w.where(place(w.order, w.at, w.id)) + "^ORDERBY" + w.order + "^ORDERBYsys_id",
		fields: w.fields, limit: w.limit, offset: w.offset,
		// A count costs the instance a second query, so it is asked for where
		// it decides something: first, and at what should be the last page.
		count: !w.begun || w.confirm || w.left >= 0 && w.left <= w.limit,
		at:    w.describe(),
	}
}

func (w *walk[T]) describe() string {
	if w.at == "" {
		return w.name + " from the beginning"
	}
	return w.name + " after " + strings.TrimSpace(w.at+" "+w.id)
}

// next reads on until there are rows, and gives none at the end. They come in
// order, and each is before the walk's place.
//
// A page shorter than asked is not the end: access is decided after the query
// was cut to its limit, so any number of a page's records can be missing
// (KB3047115, "Inbound Web Services — Empty or Incomplete Results"). The end is
// where as many came as the query finds, or where none came and no more than
// was asked for is found; where the instance tells no count, an empty answer.
func (w *walk[T]) next(ctx context.Context) (answer[T], error) {
	for !w.ended {
		r := w.request()
		ans, err := get[T](ctx, w.c, r)
		if err != nil {
			return ans, err
		}
		w.limit = ans.limit // less from now on, where the instance took too long
		if ans.rows, err = w.fresh(ans.rows); err != nil {
			return ans, fmt.Errorf("reading %s %s: %w", r.target(), r.at, err)
		}
		n := len(ans.rows)
		found := ans.total - r.offset // after the place and the offset
		told := ans.total >= 0
		switch {
		case told:
			w.left = max(0, found-n)
			if w.short {
				w.withheld += max(0, w.expected-found)
			}
		case !w.begun:
			w.left = -1
		case w.left >= 0:
			w.left = max(0, w.left-n)
		}
		w.begun, w.confirm, w.short = true, false, false
		if n == 0 {
			switch {
			case told && found > ans.limit, !told && ans.next:
				w.withheld += ans.limit
				w.offset += ans.limit
			case told || r.count:
				w.withheld += max(0, found)
				w.end(ans)
			default:
				w.confirm = true
			}
			continue
		}
		last := told && found <= n
		if ans.rows, err = w.advance(ans.rows, ans.date, last); err != nil {
			return ans, fmt.Errorf("reading %s %s: %w", r.target(), r.at, err)
		}
		clear(w.seen)
		for _, row := range ans.rows {
			w.seen[keyOf(row)] = true
		}
		if last {
			w.end(ans)
		} else if n < ans.limit {
			w.confirm = true
			w.short, w.expected = told, found-len(ans.rows)
		}
		return ans, nil
	}
	return answer[T]{limit: w.limit, total: -1}, nil
}

func (w *walk[T]) end(ans answer[T]) {
	w.ended, w.endedAt = true, ans.date
	if ans.date.IsZero() {
		w.endedAt = ans.sent
	}
}

// resume makes a walk that has ended look for what came since.
func (w *walk[T]) resume() {
	w.ended, w.begun, w.confirm, w.short, w.offset = false, false, false, false, 0
}

// settled is how old a row's time has to be for the row not to have changed
// while its page was read.
const settled = time.Minute

// advance moves the place to the last row, and gives the rows up to there in
// order. The platform finds the records of a page first and then loads them, so
// one that is changed in between stands at its old place with its new time.
// Were that the last, the rows between the two times would be passed over; so
// while more follows, the place is the last row that is not from just now, and
// what is later comes again.
func (w *walk[T]) advance(rows []T, date time.Time, last bool) ([]T, error) {
	for _, r := range rows {
		if at, id := r.key(); at == "" || id == "" {
			return nil, fmt.Errorf("%w: the account cannot read %s or sys_id of this table", source.ErrForbidden, w.order)
		}
	}
	end := len(rows) - 1
	if !last && !date.IsZero() {
		now := formatTime(date.Add(-settled))
		for i := end; i >= 0; i-- {
			if at, _ := rows[i].key(); at < now {
				end = i
				break
			}
		}
	}
	at, id := rows[end].key()
	if last {
		for _, r := range rows {
			if a, i := r.key(); a > at || a == at && i > id {
				at, id = a, i
			}
		}
	}
	w.at, w.id, w.offset = at, id, 0
	rows = slices.DeleteFunc(rows, func(r T) bool {
		a, _ := r.key()
		return a > at
	})
	slices.SortStableFunc(rows, func(a, b T) int {
		x, _ := a.key()
		y, _ := b.key()
		return strings.Compare(x, y)
	})
	return rows, nil
}

// fresh drops rows that this or the page before has had already, at the same
// key, and those from before the place. A row that changed since has another
// key, and comes again.
func (w *walk[T]) fresh(rows []T) ([]T, error) {
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	had := make(map[string]bool, len(rows))
	before := 0
	out := slices.DeleteFunc(rows, func(r T) bool {
		at, _ := r.key()
		k := keyOf(r)
		twice := w.seen[k] || had[k]
		had[k] = true
		if at != "" && at < w.at && !twice {
			before++
			return true
		}
		return twice
	})
	if before > 1 && len(out) == 0 {
		return nil, fmt.Errorf("%w: all rows are from before the %s that was asked for", source.ErrUnreadable, w.order)
	}
	return out, nil
}

func keyOf[T keyed](r T) string {
	at, id := r.key()
	return at + " " + id
}

// all reads every row.
func (w *walk[T]) all(ctx context.Context) ([]T, error) {
	var out []T
	for {
		ans, err := w.next(ctx)
		if err != nil {
			return nil, err
		}
		if len(ans.rows) == 0 {
			return out, nil
		}
		out = append(out, ans.rows...)
	}
}

// joined puts conditions after an encoded query, into each of its parts.
func joined(query string, conditions ...string) string {
	parts := strings.Split(query, "^NQ")
	for i, p := range parts {
		all := make([]string, 0, len(conditions)+1)
		for _, c := range append([]string{p}, conditions...) {
			if c != "" {
				all = append(all, c)
			}
		}
		parts[i] = strings.Join(all, "^")
	}
	return strings.Join(parts, "^NQ")
}

// batches splits ids so that each request with a part of them stays within max
// bytes. A request that the instance still finds too long is split by reading.
func batches(ids []string, r request, max int, base string) [][]string {
	room := max - len(base) - len(r.path())
	var out [][]string
	for len(ids) > 0 {
		n, size := 0, 0
		for n < len(ids) && (n == 0 || size+len(escape(ids[n]))+1 <= room) {
			size += len(escape(ids[n])) + 1
			n++
		}
		out = append(out, ids[:n])
		ids = ids[n:]
	}
	return out
}

// halving calls read with ids and, where the instance finds the request too
// long, with each half of them.
func halving(ids []string, read func([]string) error) error {
	err := read(ids)
	if err == nil || !errors.Is(err, errTooLong) || len(ids) < 2 {
		return err
	}
	half := len(ids) / 2
	if err := halving(ids[:half], read); err != nil {
		return err
	}
	return halving(ids[half:], read)
}
