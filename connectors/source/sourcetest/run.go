package sourcetest

import "testing"

// Run tests that the source of h keeps every promise of the contract.
func Run(t *testing.T, h Harness) {
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) { p.run(t, h) })
	}
}

// promise is one test of the suite.
type promise struct {
	name string
	run  func(t *testing.T, h Harness)
}

var promises []promise
