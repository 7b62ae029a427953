package sourcetest

import (
	"slices"
	"testing"
)

// Run tests that the source of h keeps every promise of the contract.
func Run(t *testing.T, h Harness) {
	for _, p := range slices.Concat(wholeness, paging, streams, faults) {
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
