package jira

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimesAsJiraWritesThem(t *testing.T) {
	for raw, want := range map[string]string{
		`"2008-10-21T11:58:01.307+0000"`: "2008-10-21T11:58:01.307Z",
		`"2024-03-10T02:30:00.000-0700"`: "2024-03-10T09:30:00Z",
		`"2021-01-17T12:34:00Z"`:         "2021-01-17T12:34:00Z",
		`"2021-01-17T12:34:00.1234567Z"`: "2021-01-17T12:34:00.123Z",
		`"2021-01-17T12:34:00.5+05:30"`:  "2021-01-17T07:04:00.5Z",
		`1492070429`:                     "2017-04-13T08:00:29Z",
		`1492070429123`:                  "2017-04-13T08:00:29.123Z",
		`null`:                           "0001-01-01T00:00:00Z",
		`""`:                             "0001-01-01T00:00:00Z",
	} {
		var s stamp
		if err := json.Unmarshal([]byte(raw), &s); err != nil || !s.Equal(at(want)) || s.Location() != time.UTC {
			t.Errorf("%s is %v (%v), want %s", raw, s, err, want)
		}
	}
	for _, raw := range []string{`"yesterday"`, `"2021-01-17"`, `"2021-01-17T12:34:00"`, `1.5`, `true`, `{}`} {
		var s stamp
		if err := json.Unmarshal([]byte(raw), &s); err == nil {
			t.Errorf("%s is read as %v", raw, s)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2008-10-21T11:58:01.307+0000", "2021-01-17T12:34:00Z", "2021-01-17T12:34:00.5+05:30", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999-2359"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseTime(s)
		if err != nil {
			return
		}
		if got.Location() != time.UTC || got.Nanosecond()%1e6 != 0 {
			t.Errorf("%q is %v: not UTC to the millisecond", s, got)
		}
		again, err := parseTime(got.Format("2006-01-02T15:04:05.000-0700"))
		if y := got.Year(); y >= 0 && y <= 9999 && (err != nil || !again.Equal(got)) {
			t.Errorf("%q is %v, and then %v (%v)", s, got, again, err)
		}
	})
}

// Zones with whole hours, with half hours, that set clocks by half an hour, and
// that skipped a day.
var zones = []string{
	"Etc/UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu",
	"Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns", "Africa/Casablanca", "Pacific/Chatham",
}

func load(t interface{ Fatal(...any) }, name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// Every instant that a wall-clock minute can mean: found by trying them all.
func meanings(wall time.Time, zone *time.Location) []time.Time {
	var found []time.Time
	for offset := -15 * time.Hour; offset <= 15*time.Hour; offset += 15 * time.Minute {
		instant := wall.Add(-offset)
		if _, real := instant.In(zone).Zone(); time.Duration(real)*time.Second == offset {
			found = append(found, instant)
		}
	}
	return found
}

func TestDatesAreNeverTooLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := load(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		instant := time.UnixMilli(rapid.Int64Range(1e12, 2e12).Draw(t, "ms")).UTC()
		// Near a change of clocks, if there is one within half a year.
		if rapid.Bool().Draw(t, "near") {
			if change := nextChange(instant, zone); !change.IsZero() {
				instant = change.Add(time.Duration(rapid.Int64Range(-3*3600e3, 3*3600e3).Draw(t, "off")) * time.Millisecond)
			}
		}
		for _, cal := range []calendar{{zone}, {}} {
			floor, ceil := cal.floor(instant), cal.ceil(instant)
			if floor.Second() != 0 || ceil.Second() != 0 || floor.Nanosecond() != 0 || !ceil.After(floor) {
				t.Fatalf("%v to %v are not minutes in order", floor, ceil)
			}
			for _, m := range meanings(floor, zone) {
				if m.After(instant) {
					t.Errorf("%v in %s: floor %v can mean %v", instant, zone, floor, m)
				}
			}
			for _, m := range meanings(ceil, zone) {
				if !m.After(instant) {
					t.Errorf("%v in %s: ceil %v can mean %v", instant, zone, ceil, m)
				}
			}
			if cal.zone == nil {
				continue
			}
			if earliest, _ := cal.readings(floor); instant.Sub(earliest) > 2*time.Hour+2*time.Minute {
				t.Errorf("%v in %s: floor %v goes back %v", instant, zone, floor, instant.Sub(earliest))
			}
		}
	})
}

func nextChange(from time.Time, zone *time.Location) time.Time {
	_, first := from.In(zone).Zone()
	for t := from; t.Before(from.AddDate(0, 7, 0)); t = t.Add(time.Hour) {
		if _, offset := t.In(zone).Zone(); offset != first {
			return t
		}
	}
	return time.Time{}
}

func TestDatesWhenClocksAreSet(t *testing.T) {
	for _, test := range []struct{ zone, instant, floor, ceil string }{
		{"Europe/Amsterdam", "2026-07-01T10:20:30Z", "2026-07-01 12:20", "2026-07-01 12:21"},
		{"Asia/Kathmandu", "2026-07-01T10:20:30Z", "2026-07-01 16:05", "2026-07-01 16:06"},
		// Clocks are set back at 01:00Z: 02:00 to 03:00 occurs twice.
		{"Europe/Amsterdam", "2026-10-25T00:30:00Z", "2026-10-25 01:59", "2026-10-25 02:31"},
		{"Europe/Amsterdam", "2026-10-25T01:30:00Z", "2026-10-25 02:30", "2026-10-25 03:00"},
		{"Europe/Amsterdam", "2026-10-25T02:00:00Z", "2026-10-25 03:00", "2026-10-25 03:01"},
		// Clocks are set forward at 01:00Z: 02:00 to 03:00 does not occur.
		{"Europe/Amsterdam", "2026-03-29T00:59:30Z", "2026-03-29 01:59", "2026-03-29 03:00"},
		{"Europe/Amsterdam", "2026-03-29T01:00:30Z", "2026-03-29 03:00", "2026-03-29 03:01"},
	} {
		cal := calendar{load(t, test.zone)}
		const layout = "2006-01-02 15:04"
		if f, c := cal.floor(at(test.instant)).Format(layout), cal.ceil(at(test.instant)).Format(layout); f != test.floor || c != test.ceil {
			t.Errorf("%s in %s: %s to %s, want %s to %s", test.instant, test.zone, f, c, test.floor, test.ceil)
		}
	}
}

func TestAnUnknownZoneIsNotGuessed(t *testing.T) {
	for _, name := range []string{"", "Local", "local", "Mars/Olympus"} {
		if zone := zoneOf(name); zone != nil {
			t.Errorf("%q is taken for %v", name, zone)
		}
	}
	instant := at("2026-07-01T10:20:30Z")
	if got := instant.Sub(calendar{}.floor(instant)); got < 24*time.Hour {
		t.Errorf("only %v are read again", got)
	}
}
