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
