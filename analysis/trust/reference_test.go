package trust

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestReference compares with every row of the reference values about surveys;
// the reference test of distribution leaves these to this one.
func TestReference(t *testing.T) {
	shared := os.Getenv("FAIRLEAD_SHARED")
	if shared == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("FAIRLEAD_SHARED is not set: the reference values must be there in CI")
		}
		t.Skip("FAIRLEAD_SHARED is not set")
	}
	file, err := os.Open(filepath.Join(shared, "reference", "measures.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, row := range rows {
		if !strings.HasPrefix(row[3], "enps") && !strings.HasPrefix(row[3], "psych_safety") {
			continue
		}
		var answers []int
		for _, f := range strings.Fields(row[1]) {
			x, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, x)
		}
		var got float64
		switch row[3] {
		case "psych_safety_mean":
			got, err = Edmondson().Person(answers)
		case "enps", "enps_se", "enps_moe95":
			var r Recommendation
			r, err = Recommend(answers, len(answers))
			got = map[string]float64{"enps": r.Score, "enps_se": r.SE, "enps_moe95": z95 * r.SE}[row[3]]
		default:
			t.Errorf("%s: no rule for index %q", row[0], row[3])
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := strconv.ParseFloat(row[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got-want) <= 5.5e-10) {
			t.Errorf("%s of %s is %.12f, reference %.12f", row[3], row[0], got, want)
		}
		checked++
	}
	t.Logf("%d rows", checked)
	if checked < 4 {
		t.Errorf("only %d rows were compared", checked)
	}
}
