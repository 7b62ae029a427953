package analysis

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// allSeries is every basis, unit and grouping in some windows.
func allSeries(windows ...Window) []Series {
	var list []Series
	for _, w := range windows {
		for _, basis := range Bases {
			for _, unit := range Units {
				for _, by := range []By{Team, Area, Source} {
					list = append(list, Series{w, basis, unit, by})
				}
			}
		}
	}
	return list
}

func pointsOf(t fataler, e *Engine, q HistoryQuery) []*HistoryPoint {
	var points []*HistoryPoint
	for p, err := range e.History(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, p)
	}
	return points
}

// unlike says where two results differ: numbers by more than 1e-9 of them.
func unlike(path string, a, b reflect.Value) string {
	switch a.Kind() {
	case reflect.Float64:
		x, y := a.Float(), b.Float()
		if x != y && !(math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y))) {
			return fmt.Sprintf("%s is %v, want %v", path, x, y)
		}
	case reflect.Pointer:
		if a.IsNil() != b.IsNil() {
			return fmt.Sprintf("%s is %v, want %v", path, a, b)
		}
		if !a.IsNil() {
			return unlike(path, a.Elem(), b.Elem())
		}
	case reflect.Slice:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s has %d, want %d: %+v, want %+v", path, a.Len(), b.Len(), a, b)
		}
		for i := range a.Len() {
			if s := unlike(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); s != "" {
				return s
			}
		}
	case reflect.Struct:
		if at, ok := a.Interface().(time.Time); ok {
			if !at.Equal(b.Interface().(time.Time)) {
				return fmt.Sprintf("%s is %v, want %v", path, a, b)
			}
			return ""
		}
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.IsExported() {
				if s := unlike(path+"."+f.Name, a.Field(i), b.Field(i)); s != "" {
					return s
				}
			}
		}
	default:
		if !a.Equal(b) {
			return fmt.Sprintf("%s is %v, want %v", path, a, b)
		}
	}
	return ""
}

// plain is groups without what a history does not have: luck by lot, unless it
// was judged, and trends. By name, and engineers by pseudonym: equal ones may
// stand in either order.
func plain(groups []Group, judged bool) []Group {
	list := slices.Clone(groups)
	for i := range list {
		g := &list[i]
		g.Explained, g.Trend = nil, nil
		if !judged {
			g.ChanceLow, g.ChanceHigh, g.HooverChance, g.P, g.PAdjusted, g.PLevelled, g.Verdict = nil, nil, nil, nil, nil, nil, NoVerdict
		}
		g.Engineers = slices.Clone(g.Engineers)
		slices.SortFunc(g.Engineers, func(a, b Part) int { return compareStrings(a.Pseudonym, b.Pseudonym) })
	}
	slices.SortFunc(list, func(a, b Group) int { return compareStrings(a.Name, b.Name) })
	return list
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// checkPoint compares a point with the analysis of its instant alone.
func checkPoint(t fataler, e *Engine, q HistoryQuery, p *HistoryPoint) {
	ctx := context.Background()
	for i, s := range q.Series {
		want, err := e.Distribution(ctx, Query{p.AsOf, s.Window, s.Basis, s.Unit, s.By})
		if err != nil {
			t.Fatal(err)
		}
		got := p.Groups[i]
		for n := range got[min(1, len(got)):] {
			if got[n].Total < got[n+1].Total {
				t.Fatal("groups are out of order")
			}
		}
		if diff := unlike("groups", reflect.ValueOf(plain(got, p.Judged)), reflect.ValueOf(plain(want, p.Judged))); diff != "" {
			t.Fatal(fmt.Sprintf("%s in %s by %s, window %s at %s: %s", s.Basis, s.Unit, s.By, s.Window, p.AsOf, diff))
		}
	}
	if q.Open {
		w, err := e.world(ctx)
		if err != nil {
			t.Fatal(err)
		}
		model, err := e.model(ctx, w, millis(p.AsOf))
		if err != nil {
			t.Fatal(err)
		}
		want, err := e.openLoad(ctx, w, &model, p.AsOf, millis(p.AsOf))
		if err != nil {
			t.Fatal(err)
		}
		if diff := unlike("open", reflect.ValueOf(*p.Open), reflect.ValueOf(want)); diff != "" {
			t.Fatal(fmt.Sprintf("%s: %s", p.AsOf, diff))
		}
	}
}

// TestPropertyHistory: every value of a history is that of the analysis of its
// instant alone.
func TestPropertyHistory(t *testing.T) {
	checks(t, 12)
	db := replayWarehouse(t)
	e := engine(db)
	rapid.Check(t, func(t *rapid.T) {
		load(t, db, drawHistories(t))
		first := rapid.IntRange(-3, lastHour).Draw(t, "first")
		q := HistoryQuery{
			From: hour(first).Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 1800}).Draw(t, "off")) * time.Second), To: hour(lastHour + 30), Every: rapid.SampledFrom([]Every{EveryHour, EveryDay}).Draw(t, "every"),
			Open: true, Efforts: true, People: true, Verdicts: rapid.Bool().Draw(t, "verdicts"),
		}
		for _, s := range allSeries(All, Days(1), Days(2)) {
			if rapid.IntRange(0, 5).Draw(t, "ask") == 0 {
				q.Series = append(q.Series, s)
			}
		}
		points := pointsOf(t, e, q)
		for range 3 {
			checkPoint(t, e, q, rapid.SampledFrom(points).Draw(t, "point"))
		}
	})
}
