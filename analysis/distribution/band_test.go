package distribution

import (
	"math"
	"slices"
	"testing"
)

func TestLorenzBand(t *testing.T) {
	places := []float64{0, 0.25, 0.5, 0.75, 1}
	equal := []float64{1, 1, 1, 1, 1, 1, 1, 1}
	low, high, err := LorenzBand("a", equal, 1.0/60, places)
	if err != nil {
		t.Fatal(err)
	}
	if low[0] != 0 || high[0] != 0 || low[4] != 1 || high[4] != 1 {
		t.Errorf("the ends are %v and %v", low, high)
	}
	// 8 people and 60 tickets have a Gini of 0.179 on average: at the half, a
	// curve of that Gini has between 0.33 and 0.41 of the work.
	if !(low[2] > 0.28 && low[2] < 0.36 && high[2] > 0.38 && high[2] < 0.46) {
		t.Errorf("at the half luck leaves %v to %v", low[2], high[2])
	}
	for i := range places {
		if low[i] > high[i] || high[i] > places[i]+1e-9 {
			t.Errorf("at %v: %v to %v", places[i], low[i], high[i])
		}
	}
	again, _, _ := LorenzBand("a", []float64{1, 1, 1, 1, 1, 1, 1, 1}, 1.0/60, places)
	if !slices.Equal(low, again) {
		t.Error("the same seed gives another band")
	}
	// The two ways to draw agree where they meet.
	few, _, _ := LorenzBand("b", equal, 1.0/(manyTickets*8-1), places)
	many, _, _ := LorenzBand("b", equal, 1.0/(manyTickets*8+1), places)
	for i := range few {
		if math.Abs(few[i]-many[i]) > 0.003 {
			t.Errorf("at %v drawn one by one %v, as normal %v", places[i], few[i], many[i])
		}
	}
	for _, none := range []struct {
		capacity []float64
		h        float64
	}{{[]float64{1}, 0.1}, {equal, 0}, {equal, math.NaN()}, {[]float64{1, 0}, 0.5}} {
		if low, high, err := LorenzBand("", none.capacity, none.h, places); low != nil || high != nil || err != nil {
			t.Errorf("%v: %v, %v, %v", none, low, high, err)
		}
	}
	for _, bad := range []struct {
		capacity, places []float64
	}{{[]float64{1, -1}, places}, {equal, []float64{1.1}}, {[]float64{1, math.NaN()}, places}} {
		if _, _, err := LorenzBand("", bad.capacity, 0.1, bad.places); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
