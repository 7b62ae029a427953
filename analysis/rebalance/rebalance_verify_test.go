//go:build verify

package rebalance

import "testing"

// TestVerifyTeamSized is the test of that name with as many teams as its figures
// are told of.
func TestVerifyTeamSized(t *testing.T) { teamSized(t, 200) }
