//go:build verify

package overload

import "testing"

// TestVerifyBaseline is TestBaseline with the teams that the package's words
// count.
func TestVerifyBaseline(t *testing.T) { baseline(t, 200) }
