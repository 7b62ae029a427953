//go:build verify

package servicenow_test

import (
	"testing"

	"fairlead/connectors/source/sourcetest"
)

// TestVerifyConformance is the whole suite for the modes without the audit.
func TestVerifyConformance(t *testing.T) {
	for mode, past := range lesserPasts {
		t.Run(string(mode), func(t *testing.T) { sourcetest.Run(t, conformance(mode, past)) })
	}
}
