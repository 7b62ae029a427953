//go:build verify

package analysis

import (
	"context"
	"testing"
	"time"

	"fairlead/connectors/sandbox/sandboxtest"
)

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

// TestVerifySameSnapshotTwice: of the real log too the same as_of gives the same,
// byte for byte.
func TestVerifySameSnapshotTwice(t *testing.T) {
	db := sandboxtest.IncidentLog(t)
	var texts [2]string
	for i := range texts {
		s, err := engine(db).Snapshot(context.Background(), time.Date(2016, 6, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = inJSON(t, s)
	}
	if len(texts[0]) < 1000 || texts[0] != texts[1] {
		t.Fatal("the same as_of gave two answers")
	}
}
