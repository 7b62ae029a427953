package trust

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"fairlead/connectors/sandbox/shared"
)

// TestReference compares with every row of the reference values about surveys;
// the reference test of distribution leaves these to this one.
func TestReference(t *testing.T) {
	checked := 0
	for _, row := range shared.Measures(t) {
		if !strings.HasPrefix(row.Index, "enps") && !strings.HasPrefix(row.Index, "psych_safety") {
			continue
		}
		var answers []int
		for _, f := range strings.Fields(row.Values) {
			x, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, x)
		}
		var got float64
		var err error
		switch row.Index {
		case "psych_safety_mean":
			got, err = Edmondson().Person(answers)
		case "enps", "enps_se", "enps_moe95":
			var r Recommendation
			r, err = Recommend(answers, len(answers))
			got = map[string]float64{"enps": r.Score, "enps_se": r.SE, "enps_moe95": z95 * r.SE}[row.Index]
		default:
			t.Errorf("%s: no rule for index %q", row.Case, row.Index)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := strconv.ParseFloat(row.Expected, 64)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got-want) <= 5.5e-10) {
			t.Errorf("%s of %s is %.12f, reference %.12f", row.Index, row.Case, got, want)
		}
		checked++
	}
	t.Logf("%d rows", checked)
	if checked < 4 {
		t.Errorf("only %d rows were compared", checked)
	}
}
