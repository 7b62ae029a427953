package analysis

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"
)

// Every is how far apart the instants of a history are.
type Every string

// The distances.
const (
	EveryHour Every = "hour"
	EveryDay  Every = "day"
	EveryWeek Every = "week"
)

var everies = map[Every]time.Duration{EveryHour: time.Hour, EveryDay: 24 * time.Hour, EveryWeek: 7 * 24 * time.Hour}

// Series is one of the distributions of a history: Query without its as_of.
type Series struct {
	Window Window
	Basis  Basis
	Unit   Unit
	By     By
}

// HistoryQuery is what History answers: for each of the instants From, From +
// Every, and so on, none of them after To.
type HistoryQuery struct {
	From, To time.Time
	Every    Every
	Series   []Series
	Open     bool // the open tickets too, and in whose hands they are
	Efforts  bool // of open tickets; they are 0 without it

	// People asks for Engineers in groups. Without it they are empty.
	People bool
	// Verdicts asks for chance bands, p values and verdicts at the first
	// instant and then once a week, as they take most of the time. What is
	// Explained, and Trend, are not in a history.
	Verdicts bool
}

// maxInstants bounds a history: an hour each of more than eleven years.
const maxInstants = 100_000

// Validate says which part of the query is wrong.
func (q HistoryQuery) Validate() error {
	step, ok := everies[q.Every]
	switch {
	case !ok:
		return fmt.Errorf("every %q is none: give hour, day or week", string(q.Every))
	case q.To.Before(q.From):
		return fmt.Errorf("a history from %s to %s has no instant: its end comes before its beginning", q.From.Format(time.DateOnly), q.To.Format(time.DateOnly))
	case q.To.Sub(q.From)/step >= maxInstants:
		return fmt.Errorf("a history from %s to %s with one instant a %s has more than %d: make it shorter, or coarser",
			q.From.Format(time.DateOnly), q.To.Format(time.DateOnly), q.Every, maxInstants)
	case len(q.Series) == 0 && !q.Open:
		return fmt.Errorf("a history of nothing: ask for a series, or for open tickets")
	}
	for i, s := range q.Series {
		for _, asOf := range []time.Time{q.From, q.To} {
			if err := (Query{AsOf: asOf, Window: s.Window, Basis: s.Basis, Unit: s.Unit, By: s.By}).Validate(); err != nil {
				return err
			}
		}
		if s.Window.quarter != 0 {
			return fmt.Errorf("window %s does not move along a history: give days, weeks or all", s.Window)
		}
		if slices.Contains(q.Series[:i], s) {
			return fmt.Errorf("a history asks twice for %s in %s by %s, window %s", s.Basis, s.Unit, s.By, s.Window)
		}
	}
	return nil
}

// HistoryPoint is one instant of a history.
type HistoryPoint struct {
	AsOf   time.Time
	Groups [][]Group // of each of the query's Series: what Distribution answers
	Open   *OpenLoad // nil unless asked for; what Snapshot has
	Judged bool      // whether groups have p values and verdicts
}

// History computes what was true at many instants, from the stored histories in
// one scan: the cost of an instant is that of measuring the groups, whatever the
// number of tickets. Each value is the one that Distribution and Snapshot give
// for that as_of, to rounding (1e-9 of it). Instants come in order. The error, if
// any, ends it.
func (e *Engine) History(ctx context.Context, q HistoryQuery) iter.Seq2[*HistoryPoint, error] {
	return func(yield func(*HistoryPoint, error) bool) {
		if err := q.Validate(); err != nil {
			yield(nil, err)
			return
		}
		if err := e.history(ctx, q, func(p *HistoryPoint) bool { return yield(p, nil) }); err != nil {
			yield(nil, err)
		}
	}
}

func (e *Engine) history(ctx context.Context, q HistoryQuery, yield func(*HistoryPoint) bool) error {
	w, err := e.world(ctx)
	if err != nil {
		return err
	}
	step := everies[q.Every]
	g := grid{first: millis(q.From), step: step.Milliseconds(), n: int(q.To.Sub(q.From)/step) + 1}
	h := newWalker(w, g)
	shop := make([]*collector, len(q.Series)) // of each of the series
	from := q.From                            // of the first window
	efforts := q.Open && q.Efforts
	for i, s := range q.Series {
		at := slices.IndexFunc(h.shops, func(c *collector) bool { return c.basis == s.Basis && c.by == s.By && c.window == s.Window })
		if at < 0 {
			at = len(h.shops)
			h.shops = append(h.shops, newCollector(w, g, s.Basis, s.By, s.Window))
		}
		shop[i] = h.shops[at]
		efforts = efforts || s.Unit == Effort
		shop[i].classes = shop[i].classes || s.Unit == Effort || q.Verdicts
		begin, _ := s.Window.Bounds(q.From)
		if begin.IsZero() && w.crew != nil {
			begin = w.crew.earliest
		}
		if begin.Before(from) {
			from = begin
		}
	}
	if q.Open {
		h.open = newOpenCollector(g, q.Efforts)
	}
	if efforts {
		h.model = newModelHistory(e.config.Effort, w.crew, g)
	}
	if q.Verdicts {
		h.judgements = newJudgements(g)
	}
	if err := h.read(ctx, e); err != nil {
		return err
	}

	staff := newPastStaff(w.crew, from, q.To)
	evaluators := map[*collector]*evaluator{}
	for _, c := range h.shops {
		evaluators[c] = newEvaluator(c, h, staff)
	}
	x := &pastEfforts{h: h}
	for k := range g.n {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &HistoryPoint{AsOf: time.UnixMilli(g.at(k)).UTC(), Groups: make([][]Group, len(q.Series))}
		if h.model != nil {
			x.reset(h.model.advance(h))
		}
		for _, c := range h.shops {
			evaluators[c].advance()
		}
		p.Judged = h.judgements.at(k)
		for i, s := range q.Series {
			v := evaluators[shop[i]]
			if p.Judged {
				p.Groups[i], err = h.judgements.groups(e, v, s.Unit, x, q.People)
			} else {
				p.Groups[i], err = v.answer(s.Unit, x, q.People)
			}
			if err != nil {
				return fmt.Errorf("measuring %s at %s: %w", s.Basis, p.AsOf.Format(time.DateOnly), err)
			}
		}
		if p.Judged {
			h.judgements.forget(k)
		}
		if q.Open {
			h.open.advance(h)
			p.Open = h.open.load(h, x, q.Efforts)
		}
		if !yield(p) {
			return nil
		}
	}
	return nil
}
