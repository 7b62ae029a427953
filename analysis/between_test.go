package analysis

import (
	"math"
	"testing"
)

// Two teams of two: 3 and 1, 4 and 4. Of all, T = Σ s ln(4s).
func TestSplitBetween(t *testing.T) {
	team := func(name string, work ...float64) Group {
		g := Group{By: Team, Name: name}
		for _, w := range work {
			g.Engineers = append(g.Engineers, Part{Value: w, Capacity: 1})
		}
		return g
	}
	x, err := SplitBetween([]Group{team("a", 3, 1), team("b", 4, 4), team("c")})
	if err != nil {
		t.Fatal(err)
	}
	s := func(w float64) float64 { return w / 12 * math.Log(w/12*4) }
	within := 4.0 / 12 * (0.75*math.Log(1.5) + 0.25*math.Log(0.5))
	a, b := 4.0/12*math.Log(4.0/12/0.5), 8.0/12*math.Log(8.0/12/0.5)
	for _, c := range []struct{ got, want float64 }{
		{x.Total, s(3) + s(1) + 2*s(4)}, {x.Within, within}, {x.Between, a + b}, {x.Within + x.Between, x.Total},
		{x.Groups[0].Within, within}, {x.Groups[1].Within, 0}, {x.Groups[0].Between, a}, {x.Groups[1].Between, b}, {x.Groups[2].Between, 0},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	for _, none := range [][]Group{nil, {team("a", 1, 2)}, {team("a", 0, 0), team("b", 0)}} {
		if x, err := SplitBetween(none); x != nil || err != nil {
			t.Errorf("%+v: %+v, %v", none, x, err)
		}
	}
}
