package distribution

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// referenceFolder is where the reference values are, or the test is skipped;
// in CI their absence is a failure.
func referenceFolder(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("FAIRLEAD_SHARED")
	if shared == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("FAIRLEAD_SHARED is not set: the reference values must be there in CI")
		}
		t.Skip("FAIRLEAD_SHARED is not set")
	}
	return filepath.Join(shared, "reference")
}

func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// elsewhere lists the indices that other packages answer for.
var elsewhere = map[string]bool{
	"chisq_p": true, // R's own approximation, which nothing here uses
	"null_EG": true, "null_q50": true, "null_q90": true, "null_q95": true, "null_q99": true,
	"null_p_gini": true, "null_p_cv2": true, "null_G_q95_monte_carlo": true,
	"bh_adjusted": true, "by_adjusted": true,
	"mk_S": true, "mk_varS_ties": true, "mk_Z": true, "mk_p_normal": true, "mk_p_exact": true, "sen_slope": true, "kendall_tau_b": true,
	"cusum_upper": true, "first_alarm_index_h4": true, "arl0": true, "arl_shift1sigma": true,
	"median": true, "mad_raw": true, "mad_scaled_1.4826": true, "robust_z_last": true, "modified_z_last_0.6745": true,
	"enps": true, "enps_se": true, "enps_moe95": true, "psych_safety_mean": true,
	"doa_A": true, "doa_norm_A": true, "doa_B": true, "doa_norm_B": true, "doa_C": true, "doa_norm_C": true,
	"silo_S": true, "silo_C": true, "silo_G": true, "silo_K": true,
}

func TestReference(t *testing.T) {
	folder := referenceFolder(t)
	checked := 0
	for _, row := range readCSV(t, filepath.Join(folder, "measures.csv")) {
		name, index := row[0], row[3]
		if elsewhere[index] {
			continue
		}
		t.Run(name+"/"+index, func(t *testing.T) {
			want, err := strconv.ParseFloat(row[4], 64)
			if err != nil {
				t.Fatal(err)
			}
			got, err := referenceIndex(t, folder, name, row[1], row[2], index)
			if err != nil {
				t.Fatal(err)
			}
			if !agrees(got, want) {
				t.Errorf("%s of %s is %.12g, reference %.12g (%s)", index, name, got, want, row[5])
			}
		})
		checked++
	}
	if checked < 200 {
		t.Errorf("only %d rows were compared", checked)
	}
}

// agrees to nine digits after the point, as many as the file holds and one
// less for its rounding; large values to nine significant ones.
func agrees(got, want float64) bool {
	switch {
	case math.IsNaN(want):
		return math.IsNaN(got)
	case math.IsInf(want, 0):
		return got == want
	}
	return math.Abs(got-want) <= 5.5e-10*max(1, math.Abs(want))
}

func referenceIndex(t *testing.T, folder, name, values, weights, index string) (float64, error) {
	t.Helper()
	if strings.HasPrefix(name, "Z1_") {
		return decompositionIndex(values, index)
	}
	var work []float64
	switch {
	case strings.HasPrefix(name, "K_Ilocos"):
		for _, row := range readCSV(t, filepath.Join(folder, "ilocos.csv")) {
			work = append(work, number(t, row[0]))
		}
	case strings.HasPrefix(name, "X3_"):
		return storyPointIndex(t, values, weights, index)
	default:
		for _, f := range strings.Fields(values) {
			work = append(work, number(t, f))
		}
	}
	// The weighted cases give work per unit of capacity: 482 people with 541
	// each are one of capacity 482 with 482·541.
	capacity := make([]float64, len(work))
	for i := range capacity {
		capacity[i] = 1
	}
	for i, f := range strings.Fields(weights) {
		capacity[i] = number(t, f)
		if strings.HasPrefix(name, "W") {
			work[i] *= capacity[i]
		}
	}
	s, err := Weighted(work, capacity)
	if err != nil {
		return 0, err
	}
	n := float64(s.People())
	null, err := s.Null(1 / max(1, s.Total()))
	if err != nil {
		return 0, err
	}
	index, _ = strings.CutSuffix(index, "_weighted")
	switch index {
	case "gini", "null_G_obs":
		return s.Gini(), nil
	case "gini_corrected":
		return s.GiniCorrected(), nil
	case "gini_weighted":
		return s.Gini(), nil
	case "gini_weighted_corrected":
		return s.GiniCorrected(), nil
	case "hoover":
		return s.Hoover(), nil
	case "cv_population":
		return math.Sqrt(s.CV2()), nil
	case "cv2_population", "cv2", "cv2_capacity":
		return s.CV2(), nil
	case "cv_sample":
		if n < 2 {
			return nan, nil
		}
		return math.Sqrt(s.CV2() * n / (n - 1)), nil
	case "theil_t":
		return s.TheilT(), nil
	case "theil_l_mld":
		return s.MeanLogDeviation(), nil
	case "atkinson_0.5":
		return s.Atkinson(0.5), nil
	case "atkinson_1":
		return s.Atkinson(1), nil
	case "atkinson_2":
		return s.Atkinson(2), nil
	case "hhi":
		return s.HHI(), nil
	case "hhi_normalised":
		return s.HHINormalised(), nil
	case "effective_n_hhi":
		return s.Effective(), nil
	case "effective_n_shannon":
		return s.EffectiveShannon(), nil
	case "rosenbluth":
		return s.Rosenbluth(), nil
	case "jain":
		return s.Jain(), nil
	case "top1_share":
		return s.TopShare(1), nil
	case "top2_share":
		return s.TopShare(2), nil
	case "lorenz_at_0.4":
		return s.Lorenz(0.4), nil
	case "lorenz_weighted_at_0.5":
		return s.Lorenz(0.5), nil
	case "palma":
		return s.Palma(), nil
	case "ratio_20_20":
		return s.Ratio2020(), nil
	case "gini_corrected_jackknife_se":
		return s.JackknifeGini(true).SE, nil
	case "gini_corrected_jackknife_est":
		return s.JackknifeGini(true).Jack, nil
	case "chisq_stat":
		return s.CV2() * s.Total(), nil
	case "cv2_null_expected", "null_ECV2":
		return null.CV2(), nil
	case "hhi_null_expected", "null_EHHI":
		return null.HHI(), nil
	case "excess_cv2_unbiased":
		return s.ExcessCV2(1 / s.Total()), nil
	case "null_EG_closed_form_approx":
		return null.Gini(), nil
	}
	return 0, fmt.Errorf("no rule for index %q", index)
}

func storyPointIndex(t *testing.T, values, weights, index string) (float64, error) {
	t.Helper()
	var w, capacity []float64
	for _, f := range strings.Fields(values) {
		count, size, _ := strings.Cut(f, "x")
		w = append(w, slices.Repeat([]float64{number(t, size)}, int(number(t, count)))...)
	}
	for _, f := range strings.Fields(weights) {
		capacity = append(capacity, number(t, f))
	}
	sum, err := WeightsOf(w)
	if err != nil {
		return 0, err
	}
	null, err := NewNull(capacity, sum.H())
	if err != nil {
		return 0, err
	}
	switch index {
	case "h_w":
		return sum.H(), nil
	case "null_EHHI":
		return null.HHI(), nil
	case "null_ECV2":
		return null.CV2(), nil
	case "null_EG_closed_form_approx":
		return null.Gini(), nil
	}
	return 0, fmt.Errorf("no rule for index %q", index)
}

func decompositionIndex(values, index string) (float64, error) {
	var names []string
	work := map[string][]float64{}
	for _, f := range strings.Fields(values) {
		team, value, _ := strings.Cut(f, ":")
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, err
		}
		if work[team] == nil {
			names = append(names, team)
		}
		work[team] = append(work[team], x)
	}
	var groups []Sample
	for _, name := range names {
		s, err := Equal(work[name])
		if err != nil {
			return 0, err
		}
		groups = append(groups, s)
	}
	d := Decompose(groups)
	measure, part, _ := strings.Cut(index, "_")
	if rest, ok := strings.CutPrefix(index, "theil_t_"); ok {
		measure, part = "theil", rest
	}
	parts := map[string]Parts{"theil": d.TheilT, "mld": d.MeanLogDeviation, "gini": d.Gini.Parts}[measure]
	switch part {
	case "total":
		return parts.Total, nil
	case "within":
		return parts.Within, nil
	case "between":
		return parts.Between, nil
	case "overlap":
		return d.Gini.Overlap, nil
	}
	return 0, fmt.Errorf("no rule for index %q", index)
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
