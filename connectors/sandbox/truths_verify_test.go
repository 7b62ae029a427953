//go:build verify

package sandbox

import (
	"fmt"
	"testing"
)

// TestVerifyTruths: the truths stand out of more years than make test looks at, and
// by more at full size.
func TestVerifyTruths(t *testing.T) {
	eachTruthStandsOut(t, 20)
	for seed := range uint64(2) {
		t.Run(fmt.Sprintf("full size, seed %d", seed), func(t *testing.T) {
			t.Parallel()
			truthsStandOut(t, read(Generate(seed, testNow, Options{})), 1.3)
		})
	}
}
