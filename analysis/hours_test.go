package analysis

import (
	"slices"
	"strings"
	"testing"
)

// Nothing of when somebody worked is left, and what else there is stays.
func TestWithoutHours(t *testing.T) {
	reasons := []string{"demand: 2.4 × the team's load per FTE", "time: 24 % of acts outside own hours where 9 % is usual, a daily rest of 6 h 11 min"}
	half := 0.5
	o := EngineerOverload{Reasons: reasons, AfterHours: &half, Unplanned: &half, Signals: []OverloadSignal{{Name: "team_load", Family: "demand"}, {Name: "rest", Family: "time"}}}
	got := o.WithoutHours()
	if want := []string{reasons[0], theirs}; !slices.Equal(got.Reasons, want) || got.AfterHours != nil || got.Unplanned == nil || len(got.Signals) != 1 {
		t.Errorf("%+v", got)
	}
	if len(o.Signals) != 2 || len(o.Reasons) != 2 || !strings.HasPrefix(o.Reasons[1], "time") {
		t.Errorf("what it was made from has changed: %+v", o)
	}
	if plain := (EngineerOverload{Reasons: reasons[:1]}).WithoutHours(); !slices.Equal(plain.Reasons, reasons[:1]) {
		t.Errorf("without such a sign: %v", plain.Reasons)
	}
}
