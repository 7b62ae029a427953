package chart

import (
	"math"
	"testing"
)

func TestNumber(t *testing.T) {
	for want, x := range map[string]float64{"0.00": -0.001, "-0.01": -0.009, "1.50": 1.5, "–": math.NaN(), "1000000.00": 1e6} {
		if got := Number(&x, 2); got != want {
			t.Errorf("%v reads %s, want %s", x, got, want)
		}
	}
	infinite := math.Inf(-1)
	if Number(nil, 2) != "–" || Number(&infinite, 0) != "–" {
		t.Error("what is no number reads as one")
	}
}
