//go:build verify

package collector_test

import "testing"

// TestVerifyTheWarehouseEqualsTheSource is the test of that name, tried often.
func TestVerifyTheWarehouseEqualsTheSource(t *testing.T) { theWarehouseEqualsTheSource(t, 12, 5) }
