package effort

import (
	"slices"
	"time"
)

// Day is how much working time a day is.
const Day = 8 * time.Hour

// Calendar knows somebody's working time.
type Calendar interface {
	// Working is how much of [from, to) they were at work. It adds up over
	// adjacent intervals, and is never longer than the interval.
	Working(from, to time.Time) time.Duration
}

// Weekdays is the calendar of whom nothing is known of: Monday to Friday in UTC,
// each hour counting as 8 of 24, no holidays. It adds up to within a nanosecond.
type Weekdays struct{}

// weekdayEpoch is a Monday: milliseconds from 1970-01-01 back to it.
const weekdayEpoch = 3 * 24 * 60 * 60 * 1000

// Working is a third of the time in [from, to) that is on weekdays, counted in
// milliseconds: F(to) − F(from) with
//
//	F(t) = ⌊u / week⌋ · 5 days + min(u mod week, 5 days), u = t + 3 days
func (Weekdays) Working(from, to time.Time) time.Duration {
	a, b := weekdayMillis(from.UnixMilli()), weekdayMillis(to.UnixMilli())
	if b <= a {
		return 0
	}
	return time.Duration(b-a) * time.Millisecond / (24 * time.Hour / Day)
}

// weekdayMillis is F of the unix millisecond.
func weekdayMillis(t int64) int64 {
	const day = 24 * 60 * 60 * 1000
	const week = 7 * day
	u := t + weekdayEpoch
	weeks, rest := u/week, u%week
	if rest < 0 {
		weeks, rest = weeks-1, rest+week
	}
	return weeks*5*day + min(rest, 5*day)
}

// Span is the half-open interval [From, To); a zero To is open.
type Span struct{ From, To time.Time }

// Hold is a Span in which one person held a ticket. A nil Calendar is Weekdays.
type Hold struct {
	Span
	Calendar Calendar
}

// WorkingDays is how long a ticket was worked on before an instant, in days: the
// working time of its holders, while they held it and while it was in a status in
// which work is under way, the spans of active. Spans of one list that overlap
// count once: at any time a ticket is with the one who got it last.
func WorkingDays(holds []Hold, active []Span, asOf time.Time) float64 {
	type piece struct {
		from, to time.Time
		calendar Calendar
	}
	var held []piece
	for _, h := range holds {
		if from, to := h.bounds(asOf); from.Before(to) {
			held = append(held, piece{from, to, h.Calendar})
		}
	}
	slices.SortStableFunc(held, func(a, b piece) int { return a.from.Compare(b.from) })
	var total time.Duration
	spans := union(active, asOf)
	for i, h := range held {
		if i+1 < len(held) {
			h.to = earliest(h.to, held[i+1].from)
		}
		if h.calendar == nil {
			h.calendar = Weekdays{}
		}
		for _, s := range spans {
			from, to := latest(h.from, s.From), earliest(h.to, s.To)
			if from.Before(to) {
				total += h.calendar.Working(from, to)
			}
		}
	}
	return float64(total) / float64(Day)
}

// bounds are those of the part before an instant.
func (s Span) bounds(asOf time.Time) (from, to time.Time) {
	if s.To.IsZero() {
		return s.From, asOf
	}
	return s.From, earliest(s.To, asOf)
}

// union is the spans before an instant, in order and without overlap.
func union(spans []Span, asOf time.Time) []Span {
	var list []Span
	for _, s := range spans {
		if from, to := s.bounds(asOf); from.Before(to) {
			list = append(list, Span{from, to})
		}
	}
	slices.SortFunc(list, func(a, b Span) int { return a.From.Compare(b.From) })
	merged := list[:0]
	for _, s := range list {
		if n := len(merged); n > 0 && !merged[n-1].To.Before(s.From) {
			merged[n-1].To = latest(merged[n-1].To, s.To)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
