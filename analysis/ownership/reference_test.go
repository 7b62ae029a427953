package ownership

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"fairlead/connectors/sandbox/shared"
)

// TestReference compares with every row of the reference values about silos and
// authorship; the reference test of distribution leaves these to this one.
func TestReference(t *testing.T) {
	checked := 0
	for _, row := range shared.Measures(t) {
		var got float64
		var known bool
		if part, ok := strings.CutPrefix(row.Index, "silo_"); ok {
			got, known = silo(t, row.Values, row.Weights, part)
		} else if part, ok := strings.CutPrefix(row.Index, "doa_"); ok {
			got, known = authorship(t, row.Values, part)
		} else {
			continue
		}
		if !known {
			t.Errorf("%s: no rule for index %q", row.Case, row.Index)
			continue
		}
		if want := number(t, row.Expected); !(math.Abs(got-want) <= 5.5e-10) {
			t.Errorf("%s of %s is %.12f, reference %.12f", row.Index, row.Case, got, want)
		}
		checked++
	}
	t.Logf("%d rows", checked)
	if checked < 22 {
		t.Errorf("only %d rows were compared", checked)
	}
}

// silo reads "10 0 0" and "equal capacity; alpha=4 theta=3 k=2 w=.4 .3 .3 D=.5".
func silo(t *testing.T, values, settings, part string) (float64, bool) {
	t.Helper()
	var evidence []float64
	for _, f := range strings.Fields(values) {
		evidence = append(evidence, number(t, f))
	}
	setting := map[string]float64{}
	for _, m := range regexp.MustCompile(`(\w+)=([\d.]+)`).FindAllStringSubmatch(settings, -1) {
		setting[m[1]] = number(t, m[2])
	}
	if !strings.HasPrefix(settings, "equal capacity;") || len(setting) != 5 || setting["w"] != weightConcentration {
		t.Fatalf("settings %q are not understood", settings)
	}
	c := DefaultConfig()
	c.Prior, c.Enough, c.Backups = setting["alpha"], setting["theta"], setting["k"]
	s, err := c.Score(evidence, ones(len(evidence)), setting["D"])
	if err != nil {
		t.Fatal(err)
	}
	x, ok := map[string]float64{"S": s.Score, "C": s.Concentration, "G": s.Backup, "K": s.Backups}[part]
	return x, ok
}

// authorship reads "A:created+2 B:5 C:1": changes, of which the first made the
// file.
func authorship(t *testing.T, values, part string) (float64, bool) {
	t.Helper()
	changes, first, all := map[string]int{}, "", 0
	for _, f := range strings.Fields(values) {
		who, n, _ := strings.Cut(f, ":")
		if rest, ok := strings.CutPrefix(n, "created+"); ok {
			first, n = who, rest
		}
		changes[who] = int(number(t, n))
		all += changes[who]
	}
	degree := func(who string) float64 { return Authorship(who == first, changes[who], all-changes[who]) }
	who, normalised := strings.CutPrefix(part, "norm_")
	if _, ok := changes[who]; !ok {
		return 0, false
	}
	if !normalised {
		return degree(who), true
	}
	greatest := 0.0
	for other := range changes {
		greatest = max(greatest, degree(other))
	}
	return degree(who) / greatest, true
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
