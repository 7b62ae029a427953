package overload

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"fairlead/analysis/distribution"
)

// Week is the number of a week from Monday 00:00 to Monday 00:00 UTC. Week 0
// begins on 1969-12-29. It is floor((seconds since 1970 + 259200) / 604800).
type Week int32

const (
	weekLength = 7 * 24 * time.Hour
	weekOffset = 3 * 24 * time.Hour // 1970-01-01 was a Thursday
)

// WeekOf is the week that an instant lies in.
func WeekOf(t time.Time) Week {
	second, length := t.Unix()+int64(weekOffset/time.Second), int64(weekLength/time.Second)
	week := second / length
	if second%length < 0 {
		week--
	}
	return Week(week)
}

// Start is the Monday on which the week begins.
func (w Week) Start() time.Time {
	return time.Unix(int64(w)*int64(weekLength/time.Second)-int64(weekOffset/time.Second), 0).UTC()
}

// Member is one engineer in one team.
type Member struct {
	Engineer string
	Records  []Record // by week, each at most once; a week that is not there is not known
}

// Record is what is known of one member and one whole week. What is unknown is
// nil: it is not the same as none.
//
// Capacity and load are those of one team. The load of somebody in several teams
// is wherever their tickets are; split it as their capacity is.
type Record struct {
	Week Week

	// Capacity is the FTE that was present: 0 is away for the whole week, which
	// is then assessed by no signal. Without a roster it is 1 for everybody who
	// is taken to be there.
	Capacity float64

	// Load is the open work in the week, weighted by its time: an assignment
	// that lasted all week weighs 1 (or the ticket's effort), so that Sum is the
	// mean number of open tickets.
	Load distribution.Weights

	// Arrivals and Completions are how many tickets came to the engineer, and
	// how many became done in their hands.
	Arrivals, Completions uint64

	Received *Received // nil where nothing tells planned and unplanned work apart
	OnCall   *OnCall   // nil without an on-call roster; empty for a week off call
	Acts     *Acts     // nil where own hours are not known

	Areas []float64 // weight of the work in each area; in any order, empty where none is known
}

// Received is the work that came in a week, in tickets or (better) effort:
// weighed by time, short interruptions would weigh nothing.
type Received struct {
	Items          uint64
	All, Unplanned float64
}

// OnCall is the shifts of a week, and the incidents that came to the engineer
// during them.
type OnCall struct {
	Duration  time.Duration
	Incidents uint64
}

// Acts is a week's acts outside on-call shifts; see [SummariseActs].
type Acts struct {
	N   uint64
	Off uint64 // of N, those outside own hours

	// ShortestRest is the shortest daily rest that ended in the week; 0 where
	// none did.
	ShortestRest time.Duration

	OnCall uint64 // besides N: those on call, left out of all else
}

// check refuses what is no record, and weeks out of order.
func (m Member) check() error {
	for i, r := range m.Records {
		if i > 0 && r.Week <= m.Records[i-1].Week {
			return fmt.Errorf("%w: week %d comes after week %d", distribution.ErrInput, r.Week, m.Records[i-1].Week)
		}
		numbers := []float64{r.Capacity, r.Load.Sum, r.Load.Squares}
		if r.Received != nil {
			numbers = append(numbers, r.Received.All, r.Received.Unplanned)
			if r.Received.Unplanned > r.Received.All*(1+1e-9) {
				return fmt.Errorf("%w: week %d has %g unplanned of %g", distribution.ErrInput, r.Week, r.Received.Unplanned, r.Received.All)
			}
		}
		for _, x := range append(numbers, r.Areas...) {
			if !(x >= 0 && x <= greatest) {
				return fmt.Errorf("%w: week %d has a value of %g", distribution.ErrInput, r.Week, x)
			}
		}
		if (r.Load.Sum == 0) != (r.Load.Squares == 0) || r.Load.Squares > r.Load.Sum*r.Load.Sum*(1+1e-9) {
			return fmt.Errorf("%w: week %d has load %g with squares %g", distribution.ErrInput, r.Week, r.Load.Sum, r.Load.Squares)
		}
		if r.OnCall != nil && (r.OnCall.Duration < 0 || r.OnCall.Duration > weekLength) {
			return fmt.Errorf("%w: week %d has %s on call", distribution.ErrInput, r.Week, r.OnCall.Duration)
		}
		if r.Acts != nil && (r.Acts.Off > r.Acts.N || r.Acts.ShortestRest < 0) {
			return fmt.Errorf("%w: week %d has %d acts, %d of them outside own hours", distribution.ErrInput, r.Week, r.Acts.N, r.Acts.Off)
		}
	}
	return nil
}

// greatest bounds values so that sums of squares stay finite.
const greatest = 1e100

// Place is where in an engineer's time an act lies.
type Place uint8

// The places. An act on call is neither, within own hours or not.
const (
	InHours Place = iota
	OffHours
	OnCallShift
)

// Act is a dated act of an engineer on a ticket. Where own hours are not known,
// there is none.
type Act struct {
	At    time.Time
	Place Place // by the engineer's own zone, hours, holidays and leave at that time
}

// WeekActs is the acts of a week.
type WeekActs struct {
	Week Week
	Acts Acts
}

// SummariseActs counts one engineer's acts by week, in any order; the result is
// by week, without those in which nothing happened. rest is the least pause that
// ends a day; it is positive, as in a valid Config. A daily rest counts for the
// week in which it ended, and only once it has.
func SummariseActs(acts []Act, rest time.Duration) []WeekActs {
	weeks := map[Week]*Acts{}
	week := func(t time.Time) *Acts {
		w := WeekOf(t)
		if weeks[w] == nil {
			weeks[w] = &Acts{}
		}
		return weeks[w]
	}
	for _, a := range acts {
		w := week(a.At)
		if a.Place == OnCallShift {
			w.OnCall++
			continue
		}
		w.N++
		if a.Place == OffHours {
			w.Off++
		}
	}
	for _, r := range Rests(acts, rest) {
		if w := week(r.Ended); w.ShortestRest == 0 || r.Length() < w.ShortestRest {
			w.ShortestRest = r.Length()
		}
	}
	list := make([]WeekActs, 0, len(weeks))
	for w, a := range weeks {
		list = append(list, WeekActs{w, *a})
	}
	slices.SortFunc(list, func(a, b WeekActs) int { return cmp.Compare(a.Week, b.Week) })
	return list
}

// Rest is a daily rest, from an act to the next.
type Rest struct{ Began, Ended time.Time }

// Length is how long it was.
func (r Rest) Length() time.Duration { return r.Ended.Sub(r.Began) }

// Rests are the daily rests between one engineer's acts, in any order, that are
// over; those on call are left out. rest is that of SummariseActs.
func Rests(acts []Act, rest time.Duration) []Rest {
	var times []time.Time
	for _, a := range acts {
		if a.Place != OnCallShift {
			times = append(times, a.At)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return rests(times, rest)
}

// rests finds the daily rest of each day: of the pauses between sorted acts that
// begin within 24 hours after the day's first act, the first that is long enough,
// else the longest. A day begins with the act after the rest, or, if there was no
// rest that was long enough, with the first act after 24 hours. So the clock's
// midnight plays no part, and who works at night has days like everybody else.
func rests(times []time.Time, enough time.Duration) []Rest {
	var list []Rest
	for i := 0; i < len(times); {
		begin := times[i]
		var longest Rest
		for ; i+1 < len(times) && times[i].Sub(begin) < 24*time.Hour; i++ {
			if p := (Rest{times[i], times[i+1]}); p.Length() > longest.Length() {
				longest = p
			}
			if longest.Length() >= enough {
				i++
				break
			}
		}
		switch {
		case longest.Length() >= enough, times[i].Sub(begin) >= 24*time.Hour:
			list = append(list, longest)
		default:
			return list // the day is not over
		}
	}
	return list
}

// contexts is the effective number of areas, exp(entropy); NaN without any.
func contexts(weights []float64) float64 {
	sorted := slices.Sorted(slices.Values(weights))
	var total float64
	for _, w := range sorted {
		total += w
	}
	if total == 0 {
		return math.NaN()
	}
	var entropy float64
	for _, w := range sorted {
		if q := w / total; q > 0 {
			entropy -= q * math.Log(q)
		}
	}
	return math.Exp(max(0, entropy))
}
