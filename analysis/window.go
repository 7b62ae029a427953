package analysis

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Window is a range of time that is analysed, relative to an as_of. The zero
// Window is all of it. Windows can be compared.
type Window struct {
	days    int // the last days
	year    int // a calendar quarter, in UTC
	quarter int
}

// All is the window of everything before as_of.
var All = Window{}

// maxDays keeps a window's start within the times that ClickHouse can hold.
const maxDays = 36_500

// ParseWindow reads a window: all, 90d (days), 12w (weeks) or 2026Q3 (a quarter,
// in UTC).
func ParseWindow(s string) (Window, error) {
	bad := fmt.Errorf("window %q is none: give all, days as 90d, weeks as 12w, or a quarter as 2026Q3", s)
	if s == "all" {
		return All, nil
	}
	if year, quarter, ok := strings.Cut(s, "Q"); ok {
		y, err := strconv.Atoi(year)
		if err != nil || len(year) != 4 || y < 1970 || len(quarter) != 1 || quarter < "1" || quarter > "4" {
			return Window{}, bad
		}
		return Window{year: y, quarter: int(quarter[0] - '0')}, nil
	}
	unit := 1
	number, ok := strings.CutSuffix(s, "d")
	if !ok {
		if number, ok = strings.CutSuffix(s, "w"); !ok {
			return Window{}, bad
		}
		unit = 7
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > maxDays/unit || number[0] == '+' || number[0] == '0' {
		return Window{}, bad
	}
	return Window{days: n * unit}, nil
}

// Days is the window of the last n days; it panics unless 1 ≤ n ≤ 36,500.
func Days(n int) Window {
	if n < 1 || n > maxDays {
		panic(fmt.Sprintf("analysis: a window of %d days", n))
	}
	return Window{days: n}
}

// String writes the window as ParseWindow reads it: the `window` label.
func (w Window) String() string {
	switch {
	case w.quarter != 0:
		return fmt.Sprintf("%04dQ%d", w.year, w.quarter)
	case w.days != 0:
		return strconv.Itoa(w.days) + "d"
	default:
		return "all"
	}
}

// Bounds is the half-open range [from, to) of the window at as_of; a zero from
// is without beginning. A quarter is cut at as_of, and is empty (from = to)
// when it has not begun by then.
func (w Window) Bounds(asOf time.Time) (from, to time.Time) {
	asOf = asOf.UTC()
	switch {
	case w.quarter != 0:
		from = w.begin()
		to = from.AddDate(0, 3, 0)
		if asOf.Before(to) {
			to = asOf
		}
		if to.Before(from) {
			to = from
		}
		return from, to
	case w.days != 0:
		return asOf.AddDate(0, 0, -w.days), asOf
	default:
		return time.Time{}, asOf
	}
}

// MarshalText and UnmarshalText let a window stand in a configuration and in
// an answer.
func (w Window) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (w *Window) UnmarshalText(text []byte) (err error) {
	*w, err = ParseWindow(string(text))
	return err
}
