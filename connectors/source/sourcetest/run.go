package sourcetest

import (
	"slices"
	"testing"
)

// Run tests that the source of h keeps every promise of the contract; those of a
// source.Lister and a source.AgedLister if it is one.
func Run(t *testing.T, h Harness) {
	promises := slices.Concat(wholeness, paging, streams, faults)
	if lists(t, h) {
		promises = append(promises, listing...)
	}
	if listsByAge(t, h) {
		promises = append(promises, agedListing...)
	}
	keep(t, h, promises)
}

// RunHistories is the part of Run that is about what tickets are and were: for a
// source that passes Run, and here tells less of the past.
func RunHistories(t *testing.T, h Harness) {
	keep(t, h, slices.Concat(wholeness, streams))
}

func keep(t *testing.T, h Harness, promises []promise) {
	for _, p := range promises {
		if p.needs != nil && !p.needs(h) {
			continue
		}
		t.Run(p.name, func(t *testing.T) { p.run(t, h) })
	}
}

// promise is one test of the suite.
type promise struct {
	name  string
	run   func(t *testing.T, h Harness)
	needs func(h Harness) bool // nil is nothing
}
