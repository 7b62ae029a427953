//go:build verify

package analysis

import "testing"

// TestVerifyProperties: what the tests of the same names try a few times, tried
// often.
func TestVerifyProperties(t *testing.T) {
	for _, c := range []struct {
		name string
		try  func(*testing.T, int)
		n    int
	}{
		{"bases", propertyBases, 150},
		{"the past stays", propertyThePastStays, 30},
		{"history", propertyHistory, 30},
		{"history of teams", propertyHistoryOfTeams, 30},
		{"snapshots", propertySnapshots, 10},
		{"teams by date", propertyTeamsByDate, 60},
		{"weeks", propertyWeeks, 60},
	} {
		t.Run(c.name, func(t *testing.T) { c.try(t, c.n) })
	}
}

// TestVerifyExplain: everything that is published of an organisation, taken apart.
func TestVerifyExplain(t *testing.T) { explainOrganisation(t, 6_000, 100) }

// TestVerifyKeysMoveNoFigure is the test of that name at twice the size.
func TestVerifyKeysMoveNoFigure(t *testing.T) { keysMoveNoFigure(t, 2_000) }
