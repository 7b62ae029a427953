package jira

import (
	"time"
	_ "time/tzdata" // zones are needed wherever Fairlead runs
)

// calendar turns instants into the dates of JQL: wall-clock minutes of the
// account's zone, without offset. A wall-clock time is held as a time.Time in
// UTC that shows it. A nil zone is unknown.
type calendar struct{ zone *time.Location }

// unknownZone is how far a date of JQL can be from what we mean when we do not
// know in which zone it is read: zones reach from UTC-12 to UTC+14, and a full
// day leaves room for mistakes.
const unknownZone = 24 * time.Hour

// floor is the latest wall-clock minute that is not after t in whatever way
// Jira may read it. When clocks are set back an hour occurs twice, and which
// one Jira takes is not documented: then it is the last minute before.
func (c calendar) floor(t time.Time) time.Time {
	if c.zone == nil {
		return t.UTC().Truncate(time.Minute).Add(-unknownZone)
	}
	w := c.wall(t).Truncate(time.Minute)
	for {
		if _, latest := c.readings(w); !latest.After(t) {
			return w
		}
		w = w.Add(-time.Minute)
	}
}

// ceil is the earliest wall-clock minute that is after t in whatever way Jira
// may read it.
func (c calendar) ceil(t time.Time) time.Time {
	if c.zone == nil {
		return t.UTC().Truncate(time.Minute).Add(unknownZone + time.Minute)
	}
	w := c.wall(t).Truncate(time.Minute).Add(time.Minute)
	for {
		if earliest, _ := c.readings(w); earliest.After(t) {
			return w
		}
		w = w.Add(time.Minute)
	}
}

func (c calendar) wall(t time.Time) time.Time {
	_, offset := t.In(c.zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// readings are the first and the last instant that a wall-clock time can mean:
// the same but where clocks are set. A time that is skipped when they are set
// forward can be read by either offset.
func (c calendar) readings(w time.Time) (earliest, latest time.Time) {
	_, before := w.Add(-24 * time.Hour).In(c.zone).Zone()
	_, after := w.Add(24 * time.Hour).In(c.zone).Zone()
	a := w.Add(-time.Duration(before) * time.Second)
	b := w.Add(-time.Duration(after) * time.Second)
	switch aShows, bShows := c.wall(a).Equal(w), c.wall(b).Equal(w); {
	case aShows && !bShows:
		b = a
	case bShows && !aShows:
		a = b
	}
	if b.Before(a) {
		a, b = b, a
	}
	return a, b
}
