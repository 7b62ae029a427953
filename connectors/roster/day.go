package roster

import (
	"time"
)

// Day is a calendar day, without a zone: 1 is 1900-01-01. The zero Day is none,
// and bounds nothing. Days reach to 2299-12-31.
type Day int32

// The first and the last day that there are.
const (
	FirstDay Day = 1
	LastDay  Day = 146_097
)

// beforeFirst is the unix day of Day 0.
const beforeFirst = -25_568

// Date is the day of a date; 0 outside of what a Day holds. Values out of their
// usual range are normalised as time.Date does.
func Date(year int, month time.Month, day int) Day {
	return fromUnixDay(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86_400)
}

// DayOf is the day that a clock in t's location shows.
func DayOf(t time.Time) Day {
	year, month, day := t.Date()
	return Date(year, month, day)
}

func fromUnixDay(n int64) Day {
	if d := n - beforeFirst; d >= int64(FirstDay) && d <= int64(LastDay) {
		return Day(d)
	}
	return 0
}

// ParseDay reads 2006-01-02; ok is false for anything else.
func ParseDay(s string) (d Day, ok bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, false
	}
	d = DayOf(t)
	return d, d != 0
}

// UTC is midnight UTC of the day; the zero time for no day.
func (d Day) UTC() time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Unix(d.seconds(), 0).UTC()
}

// String is 2006-01-02; "" for no day.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.UTC().Format(time.DateOnly)
}

// MarshalText makes JSON of a day readable.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday { return time.Weekday(d % 7) }

// seconds is the day's midnight as the seconds that a clock in UTC would show.
func (d Day) seconds() int64 { return (int64(d) + beforeFirst) * 86_400 }

// In is when the day begins in a zone. Where the clock skips midnight, it is
// when the clock jumps.
func (d Day) In(zone *time.Location) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.UnixMilli(instant(d.seconds(), zone)).In(zone)
}

// instant is the unix millisecond at which a clock of the zone first shows the
// given seconds since 1970, or jumps over them. It is monotonic.
func instant(wall int64, zone *time.Location) int64 {
	offset := func(at int64) int64 {
		_, s := time.Unix(at, 0).In(zone).Zone()
		return int64(s)
	}
	const day = 86_400
	before, after := offset(wall-day), offset(wall+day)
	if early := wall - before; before == after || offset(early) == before {
		return early * 1000
	}
	late := wall - after
	if offset(late) != after {
		_, jump := time.Unix(late, 0).In(zone).ZoneBounds()
		late = jump.Unix()
	}
	return late * 1000
}

// Period is the half-open run of days [From, To). A zero From is since ever, a
// zero To is for ever.
type Period struct {
	From Day
	To   Day
}

// Contains reports whether a day lies in the period.
func (p Period) Contains(d Day) bool { return d >= p.From && (p.To == 0 || d < p.To) }

// Overlaps reports whether two periods have a day in common.
func (p Period) Overlaps(q Period) bool {
	return (q.To == 0 || p.From < q.To) && (p.To == 0 || q.From < p.To)
}

func (p Period) String() string {
	switch {
	case p == Period{}:
		return "always"
	case p.From == 0:
		return "until " + p.To.String()
	case p.To == 0:
		return "from " + p.From.String() + " on"
	}
	return "from " + p.From.String() + " to " + p.To.String()
}
