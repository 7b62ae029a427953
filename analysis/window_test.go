package analysis

import (
	"testing"
	"time"
)

func TestParseWindow(t *testing.T) {
	asOf := time.Date(2026, 8, 15, 12, 30, 0, 0, time.UTC)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	cases := []struct {
		text, canonical string
		from, to        time.Time
	}{
		{"all", "all", time.Time{}, asOf},
		{"90d", "90d", asOf.AddDate(0, 0, -90), asOf},
		{"12w", "84d", asOf.AddDate(0, 0, -84), asOf},
		{"2026Q3", "2026Q3", day(2026, 7, 1), asOf},
		{"2026Q1", "2026Q1", day(2026, 1, 1), day(2026, 4, 1)},
		{"2025Q4", "2025Q4", day(2025, 10, 1), day(2026, 1, 1)},
		{"2026Q4", "2026Q4", day(2026, 10, 1), day(2026, 10, 1)},
	}
	for _, c := range cases {
		w, err := ParseWindow(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if w.String() != c.canonical {
			t.Errorf("%s is written %s, want %s", c.text, w, c.canonical)
		}
		if from, to := w.Bounds(asOf); !from.Equal(c.from) || !to.Equal(c.to) {
			t.Errorf("%s is [%v, %v), want [%v, %v)", c.text, from, to, c.from, c.to)
		}
	}
	for _, bad := range []string{"", "d", "0d", "-1d", "+1d", "01d", "1.5d", "90", "90D", "ALL", "2026q3", "2026Q0", "2026Q5", "26Q3", "2026Q12", "36501d", "5215w", "99999999999999999999d"} {
		if w, err := ParseWindow(bad); err == nil {
			t.Errorf("%q is read as %s", bad, w)
		}
	}
}

func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"all", "90d", "12w", "2026Q3", "0d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, err := ParseWindow(s)
		if err != nil {
			return
		}
		again, err := ParseWindow(w.String())
		if err != nil || again != w {
			t.Fatalf("%q is written %q and read as %v, %v", s, w, again, err)
		}
		from, to := w.Bounds(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		if to.Before(from) {
			t.Fatalf("%q ends before it begins", s)
		}
	})
}
