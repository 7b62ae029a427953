package distribution

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fairlead/connectors/sandbox/shared"
)

// elsewhere names the package whose own reference test answers for all indices
// that begin like this, and fails at one that it does not know. Every other row
// is answered here or fails here.
var elsewhere = map[string]string{"silo_": "ownership", "doa_": "ownership", "enps": "trust", "psych_safety": "trust"}

func answeredIn(index string) string {
	for prefix, folder := range elsewhere {
		if strings.HasPrefix(index, prefix) {
			return folder
		}
	}
	return "distribution"
}

// TestReference compares with every row of the reference values: those that R and
// exact enumeration gave to nine digits, those that were simulated within their
// error.
func TestReference(t *testing.T) {
	rows := shared.Measures(t)
	answered := map[string]int{}
	for _, row := range rows {
		name, index := row.Case, row.Index
		where := answeredIn(index)
		answered[where]++
		if where != "distribution" {
			if _, err := os.Stat(filepath.Join("..", where, "reference_test.go")); err != nil {
				t.Errorf("%s of %s: nobody answers for it: %v", index, name, err)
			}
			continue
		}
		t.Run(name+"/"+index, func(t *testing.T) {
			var want []float64
			for _, f := range strings.Fields(row.Expected) {
				want = append(want, number(t, f))
			}
			got, tolerance, err := answer(t, name, row.Values, row.Weights, index)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("%d values, reference %d", len(got), len(want))
			}
			for i := range want {
				if !agrees(got[i], want[i]) && !(math.Abs(got[i]-want[i]) <= tolerance) {
					t.Errorf("value %d is %.12g, reference %.12g (%s)", i, got[i], want[i], row.Source)
				}
			}
		})
	}
	t.Logf("of %d rows, by package: %v", len(rows), answered)
	if len(rows) < 250 || answered["distribution"] < 220 {
		t.Errorf("only %d rows, %v", len(rows), answered)
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

// answer is the value, or values, of a row. The tolerance is not 0 where the
// reference was simulated, or is printed with fewer digits.
func answer(t *testing.T, name, values, weights, index string) (got []float64, tolerance float64, err error) {
	t.Helper()
	one := func(x float64) ([]float64, float64, error) { return []float64{x}, 0, nil }
	switch {
	case strings.HasPrefix(name, "Z1_"):
		x, err := decompositionIndex(values, index)
		return []float64{x}, 0, err
	case strings.HasPrefix(index, "arl"):
		var c Cusum
		if _, err := fmt.Sscanf(values, "k=%g h=%g", &c.Allowance, &c.Limit); err != nil {
			return nil, 0, err
		}
		x, err := c.RunLength(map[string]float64{"arl0": 0, "arl_shift1sigma": 1}[index])
		return []float64{x}, 0.005, err
	case strings.HasPrefix(name, "K_Ilocos"):
		var income []float64
		for _, row := range shared.CSV(t, "reference/ilocos.csv")[1:] {
			income = append(income, number(t, row[0]))
		}
		if len(income) != 632 {
			t.Errorf("%d incomes, not 632", len(income))
		}
		return sampleIndex(income, ones(len(income)), index)
	case strings.HasPrefix(name, "X3_"):
		return lotIndex(t, nil, numbers(t, weights), units(t, values), index)
	}
	x := numbers(t, values)
	switch index {
	case "bh_adjusted":
		p, err := BenjaminiHochberg(x)
		return p, 0, err
	case "by_adjusted":
		p, err := BenjaminiYekutieli(x)
		return p, 0, err
	case "mk_S":
		return one(float64(TrendOf(x).S))
	case "mk_varS_ties":
		return one(TrendOf(x).VarS)
	case "mk_Z":
		return one(TrendOf(x).Z)
	case "mk_p_normal":
		return one(TrendOf(x).PNormal)
	case "mk_p_exact":
		if !TrendOf(x).Exact {
			t.Error("not exact")
		}
		return one(TrendOf(x).P)
	case "sen_slope":
		return one(TrendOf(x).Slope)
	case "kendall_tau_b":
		return one(TrendOf(x).TauB)
	case "cusum_upper":
		sums, _ := DefaultCusum().Sums(x)
		return sums, 0, nil
	case "first_alarm_index_h4": // counted from 1
		_, alarm := Cusum{Allowance: 0.5, Limit: 4}.Sums(x)
		return one(float64(alarm + 1))
	case "median":
		return one(Median(x))
	case "mad_raw":
		return one(MAD(x))
	case "mad_scaled_1.4826":
		return one(MADScale * MAD(x))
	case "robust_z_last":
		return one(RobustZ(x[len(x)-1], x))
	case "modified_z_last_0.6745": // the same with 0.6745 for 1/1.4826
		return one(RobustZ(x[len(x)-1], x) * MADScale * 0.6745)
	}
	capacity := ones(len(x))
	if weights != "" {
		capacity = numbers(t, weights)
	}
	if strings.HasPrefix(index, "null_") {
		var tickets []float64
		for _, n := range x {
			tickets = append(tickets, ones(int(n))...)
		}
		return lotIndex(t, x, capacity, tickets, index)
	}
	if strings.HasPrefix(name, "W") {
		// Work per unit of capacity: 482 people with 541 each are one of
		// capacity 482 with 482·541.
		for i := range x {
			x[i] *= capacity[i]
		}
	}
	return sampleIndex(x, capacity, index)
}

func sampleIndex(work, capacity []float64, index string) (got []float64, tolerance float64, err error) {
	s, err := Weighted(work, capacity)
	if err != nil {
		return nil, 0, err
	}
	n := float64(s.People())
	null, err := s.Null(1 / max(1, s.Total()))
	if err != nil {
		return nil, 0, err
	}
	if n < 2 && index == "cv_sample" {
		return []float64{nan}, 0, nil
	}
	index, _ = strings.CutSuffix(index, "_weighted")
	x, ok := map[string]func() float64{
		"gini": s.Gini, "gini_weighted": s.Gini, "gini_corrected": s.GiniCorrected, "gini_weighted_corrected": s.GiniCorrected,
		"hoover":        s.Hoover,
		"cv_population": func() float64 { return math.Sqrt(s.CV2()) }, "cv_sample": func() float64 { return math.Sqrt(s.CV2() * n / (n - 1)) },
		"cv2_population": s.CV2, "cv2": s.CV2, "cv2_capacity": s.CV2,
		"theil_t": s.TheilT, "theil_l_mld": s.MeanLogDeviation,
		"atkinson_0.5": func() float64 { return s.Atkinson(0.5) }, "atkinson_1": func() float64 { return s.Atkinson(1) }, "atkinson_2": func() float64 { return s.Atkinson(2) },
		"hhi": s.HHI, "hhi_normalised": s.HHINormalised, "effective_n_hhi": s.Effective, "effective_n_shannon": s.EffectiveShannon,
		"rosenbluth": s.Rosenbluth, "jain": s.Jain,
		"top1_share": func() float64 { return s.TopShare(1) }, "top2_share": func() float64 { return s.TopShare(2) },
		"lorenz_at_0.4": func() float64 { return s.Lorenz(0.4) }, "lorenz_weighted_at_0.5": func() float64 { return s.Lorenz(0.5) },
		"palma": s.Palma, "ratio_20_20": s.Ratio2020,
		"gini_corrected_jackknife_se":  func() float64 { return s.JackknifeGini(true).SE },
		"gini_corrected_jackknife_est": func() float64 { return s.JackknifeGini(true).Jack },
		"chisq_stat":                   func() float64 { return s.CV2() * s.Total() },
		"chisq_p":                      func() float64 { return null.UpperTail(s.CV2()) },
		"cv2_null_expected":            null.CV2, "hhi_null_expected": null.HHI,
		"excess_cv2_unbiased": func() float64 { return s.ExcessCV2(1 / s.Total()) },
	}[index]
	if !ok {
		return nil, 0, fmt.Errorf("no rule for index %q", index)
	}
	return []float64{x()}, 0, nil
}

// lotIndex answers for what chance gives when these units are dealt to people of
// these capacities; work is what they have, nil where that does not matter.
func lotIndex(t *testing.T, work, capacity, units []float64, index string) (got []float64, tolerance float64, err error) {
	t.Helper()
	size, err := WeightsOf(units)
	if err != nil {
		return nil, 0, err
	}
	null, err := NewNull(capacity, size.H())
	if err != nil {
		return nil, 0, err
	}
	one := func(x float64) ([]float64, float64, error) { return []float64{x}, 0, nil }
	switch index {
	case "h_w":
		return one(size.H())
	case "null_EHHI":
		return one(null.HHI())
	case "null_ECV2":
		return one(null.CV2())
	case "null_EG_closed_form_approx":
		return one(null.Gini())
	case "null_G_q95_monte_carlo":
		work = make([]float64, len(capacity))
		work[0] = size.Sum
		table, err := newTable(work, capacity, []Lot{{Weights: units}})
		if err != nil {
			return nil, 0, err
		}
		// The error of the reference, and that of as many draws.
		return []float64{table.drawFrom(rand.NewPCG(1, 2), 200_000).GiniHigh}, 0.002, nil
	}
	s, err := Weighted(work, capacity)
	if err != nil {
		return nil, 0, err
	}
	table, err := newTable(work, capacity, []Lot{{Weights: units}})
	if err != nil {
		return nil, 0, err
	}
	c, all := table.enumerate()
	if q, ok := strings.CutPrefix(index, "null_q"); ok {
		return one(all.quantile(number(t, q) / 100))
	}
	switch index {
	case "null_EG":
		return one(c.Gini)
	case "null_G_obs":
		return one(s.Gini())
	case "null_p_cv2":
		return one(c.Upper)
	case "null_p_gini":
		p := 0.0
		for i, g := range all.ginis {
			if g >= s.Gini()-1e-12 {
				p += all.masses[i]
			}
		}
		return one(p)
	}
	return nil, 0, fmt.Errorf("no rule for index %q", index)
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
	parts, known := map[string]Parts{"theil": d.TheilT, "mld": d.MeanLogDeviation, "gini": d.Gini.Parts}[measure]
	x, ok := map[string]float64{"total": parts.Total, "within": parts.Within, "between": parts.Between, "overlap": d.Gini.Overlap}[part]
	if !known || !ok {
		return 0, fmt.Errorf("no rule for index %q", index)
	}
	return x, nil
}

// units reads weights as 20x1 15x2: twenty of one, fifteen of two.
func units(t *testing.T, values string) (w []float64) {
	t.Helper()
	for _, f := range strings.Fields(values) {
		count, size, _ := strings.Cut(f, "x")
		w = append(w, slices.Repeat([]float64{number(t, size)}, int(number(t, count)))...)
	}
	return w
}

func numbers(t *testing.T, list string) (x []float64) {
	t.Helper()
	for _, f := range strings.Fields(list) {
		x = append(x, number(t, f))
	}
	return x
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
