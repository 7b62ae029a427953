package analysis

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

// TestPlantedTruths: general rules find what the generator planted, and put it
// first.
func TestPlantedTruths(t *testing.T) {
	for seed := range uint64(1) { // many seeds are for make verify
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			o := sandbox.Generate(seed, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: 8_000})
			findings, err := engine(sandboxtest.Organisation(t, o)).Findings(context.Background(), o.Now)
			if err != nil {
				t.Fatal(err)
			}
			first := map[FindingKind]Finding{}
			for _, f := range findings {
				if _, known := first[f.Kind]; !known {
					first[f.Kind] = f
				}
			}
			if f := first[OverloadedEngineer]; f.Name != o.Truths.Overloaded.Name {
				t.Errorf("the most loaded engineer is %s, planted was %s of %s: %+v", f.Name, o.Truths.Overloaded.Name, o.Truths.OverloadedTeam.Name, findings)
			}
			if f := first[HoardedArea]; f.Area != o.Truths.Hoarded.Name || f.Name != o.Truths.Hoarder.Name {
				t.Errorf("the most hoarded area is %s of %s, planted was %s of %s", f.Area, f.Name, o.Truths.Hoarded.Name, o.Truths.Hoarder.Name)
			}
		})
	}
}
