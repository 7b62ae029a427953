//go:build verify

package clickhouse_test

import "testing"

// TestVerifySweepsAreAsSets is the test of that name, tried often.
func TestVerifySweepsAreAsSets(t *testing.T) { sweepsAreAsSets(t, 150) }
