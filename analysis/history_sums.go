package analysis

import (
	"cmp"
	"math/bits"
	"slices"
)

// The grid of a history is regular: instants are `step` milliseconds apart. So
// what counts in a window that moves along it is, as a function of the instant's
// number, linear from piece to piece: it grows while work lasts, stays, and
// shrinks as the window leaves it behind. A line is added to a sum with its
// first value, slope and square's differences where it begins, and taken off
// where it ends: the cost of a ticket does not depend on how many instants there
// are. Sums are of whole numbers, so that nothing is left when all is taken off.

// wide is a whole number of 128 bits.
type wide struct {
	high int64
	low  uint64
}

func (a wide) plus(b wide) wide {
	low, carry := bits.Add64(a.low, b.low, 0)
	high, _ := bits.Add64(uint64(a.high), uint64(b.high), carry)
	return wide{int64(high), low}
}

func (a wide) negative() wide {
	low, borrow := bits.Sub64(0, a.low, 0)
	high, _ := bits.Sub64(0, uint64(a.high), borrow)
	return wide{int64(high), low}
}

func product(x, y int64) wide {
	negative := (x < 0) != (y < 0)
	high, low := bits.Mul64(magnitude(x), magnitude(y))
	p := wide{int64(high), low}
	if negative {
		return p.negative()
	}
	return p
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func (a wide) float() float64 {
	if a.high < 0 {
		return -a.negative().float()
	}
	return float64(a.high)*0x1p64 + float64(a.low)
}

// track is a running sum of lines, and of their squares.
type track struct {
	items    int64
	v, slope int64
	square   wide
	dq, ddq  wide // the first and second difference of square
}

// event changes a track from an instant on.
type event struct {
	cell     int32
	items    int64
	v, slope int64
	square   wide
	dq, ddq  wide
}

// lineFrom is that of value v now and v + n·slope after n steps.
func lineFrom(cell int32, items, v, slope int64) event {
	twice := product(v, slope)
	return event{
		cell: cell, items: items, v: v, slope: slope,
		square: product(v, v),
		dq:     twice.plus(twice).plus(product(slope, slope)),
		ddq:    product(slope, slope).plus(product(slope, slope)),
	}
}

func (e event) negative() event {
	return event{e.cell, -e.items, -e.v, -e.slope, e.square.negative(), e.dq.negative(), e.ddq.negative()}
}

func (e *event) plus(o *event) {
	e.items, e.v, e.slope = e.items+o.items, e.v+o.v, e.slope+o.slope
	e.square, e.dq, e.ddq = e.square.plus(o.square), e.dq.plus(o.dq), e.ddq.plus(o.ddq)
}

func (e *event) nothing() bool { return *e == event{cell: e.cell} }

func (t *track) add(e *event) {
	t.items, t.v, t.slope = t.items+e.items, t.v+e.v, t.slope+e.slope
	t.square, t.dq, t.ddq = t.square.plus(e.square), t.dq.plus(e.dq), t.ddq.plus(e.ddq)
}

// advance goes on by one instant.
func (t *track) advance() {
	if t.slope == 0 && t.dq == (wide{}) && t.ddq == (wide{}) {
		return
	}
	t.v += t.slope
	t.square = t.square.plus(t.dq)
	t.dq = t.dq.plus(t.ddq)
}

// idle reports that a track adds nothing.
func (t *track) idle() bool { return t.items == 0 && t.v == 0 && t.square == wide{} }

// events are those of all instants of the grid.
type events struct {
	at        [][]event
	compacted []int // how many were left when they were last summed up
}

func newEvents(instants int) *events {
	return &events{make([][]event, instants), make([]int, instants)}
}

// add changes a cell from instant k on; what comes after the grid is left out.
func (s *events) add(k int, e event) {
	if k >= len(s.at) {
		return
	}
	s.at[k] = append(s.at[k], e)
	// Of each cell one is enough, so that memory does not grow with tickets.
	if n := len(s.at[k]); n >= 4096 && n >= 4*s.compacted[k] {
		s.at[k] = summed(s.at[k])
		s.compacted[k] = len(s.at[k])
	}
}

// summed is the events by cell, one of each.
func summed(list []event) []event {
	slices.SortFunc(list, func(a, b event) int { return cmp.Compare(a.cell, b.cell) })
	n := 0
	for _, e := range list {
		if n > 0 && list[n-1].cell == e.cell {
			list[n-1].plus(&e)
			continue
		}
		list[n] = e
		n++
	}
	list = slices.DeleteFunc(list[:n], func(e event) bool { return e.nothing() })
	return list
}

// grid is the instants of a history.
type grid struct {
	first, step int64
	n           int
}

func (g grid) at(k int) int64 { return g.first + int64(k)*g.step }

// after is the number of the first instant after a time; n if that is none.
func (g grid) after(x int64) int {
	if x < g.first {
		return 0
	}
	return int(min((x-g.first)/g.step+1, int64(g.n)))
}

// instants are those numbered [from, to).
type instants struct{ from, to int }

func (i instants) empty() bool { return i.from >= i.to }

func (i instants) and(o instants) instants { return instants{max(i.from, o.from), min(i.to, o.to)} }

// piece is open work in [from, to); a millisecond of it counts as rate/of shares.
// of is 1 but where a ticket was in so many areas that shares do not divide.
type piece struct{ from, to, rate, of int64 }

// overlap is how much of the pieces lies in the window that ends at an instant,
// in shares; length 0 is a window without beginning. All pieces are of 1.
func overlap(pieces []piece, at, length int64) int64 {
	var sum int64
	for _, p := range pieces {
		from := p.from
		if length > 0 {
			from = max(from, at-length)
		}
		if to := min(p.to, at); to > from {
			sum += p.rate * (to - from)
		}
	}
	return sum
}

// fraction is overlap for pieces of any.
func fraction(pieces []piece, at, length int64) float64 {
	var sum float64
	for i := range pieces {
		sum += float64(overlap(pieces[i:i+1], at, length)) / float64(pieces[i].of)
	}
	return sum
}

// bends are the instants within a range from which the overlap may be another
// line, the range's beginning first.
func (g grid) bends(within instants, pieces []piece, length int64, into []int) []int {
	into = append(into[:0], within.from)
	add := func(k int) {
		if k > within.from && k < within.to {
			into = append(into, k)
		}
	}
	for _, p := range pieces {
		add(g.after(p.from))
		add(g.after(p.to))
		if length > 0 {
			add(g.after(p.from + length))
			add(g.after(p.to + length - 1))
		}
	}
	if len(into) > 2 {
		slices.Sort(into)
		into = slices.Compact(into)
	}
	return into
}

// lines adds the weight of pieces in the moving window for a range of instants.
func (s *events) lines(g grid, cell int32, within instants, pieces []piece, length int64, scratch []int) []int {
	scratch = g.bends(within, pieces, length, scratch)
	for i, k := range scratch {
		end := within.to
		if i+1 < len(scratch) {
			end = scratch[i+1]
		}
		v := overlap(pieces, g.at(k), length)
		if v == 0 {
			continue
		}
		var slope int64
		if end > k+1 {
			slope = overlap(pieces, g.at(k+1), length) - v
		}
		s.line(instants{k, end}, cell, v, slope)
	}
	return scratch
}

// line adds a line for a range of instants.
func (s *events) line(within instants, cell int32, v, slope int64) {
	s.add(within.from, lineFrom(cell, 1, v, slope))
	s.add(within.to, lineFrom(cell, 1, v+slope*int64(within.to-within.from), slope).negative())
}
