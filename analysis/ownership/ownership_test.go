package ownership

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/analysis/distribution"
)

func ones(n int) []float64 {
	c := make([]float64, n)
	for i := range c {
		c[i] = 1
	}
	return c
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12 }

func TestConcentrate(t *testing.T) {
	nothing := Concentration{math.NaN(), math.NaN(), math.NaN()}
	for _, c := range []struct {
		name               string
		evidence, capacity []float64
		want               Concentration
	}{
		// q = (6 + 4/3, 2 + 4/3, 4/3)/12 = (22, 10, 4)/36.
		{"three", []float64{6, 2, 0}, ones(3), Concentration{600.0 / 1296, 1296.0 / 600, 22.0 / 36}},
		// π = (½, ¼, ¼): q = (8, 3, 1)/12.
		{"a part-timer", []float64{6, 2, 0}, []float64{1, 0.5, 0.5}, Concentration{74.0 / 144, 144.0 / 74, 8.0 / 12}},
		{"one alone", []float64{0.5}, ones(1), Concentration{1, 1, 1}},
		// Of hardly any evidence it says hardly anything: π.
		{"a trace", []float64{1e-9, 0, 0, 0}, ones(4), Concentration{0.25, 4, 0.25}},
		// Of much it is the evidence as it lies.
		{"plenty", []float64{3e12, 1e12}, ones(2), Concentration{0.625, 1.6, 0.75}},
		// The top share is the greatest q, not that of the greatest evidence.
		{"a full-timer beside one who is hardly there", []float64{1, 1.5}, []float64{1, 0.25}, Concentration{(4.2*4.2 + 2.3*2.3) / 6.5 / 6.5, 6.5 * 6.5 / (4.2*4.2 + 2.3*2.3), 4.2 / 6.5}},
		{"nobody", nil, nil, nothing},
		{"no evidence", []float64{0, 0}, ones(2), nothing},
		{"no capacity", []float64{3, 1}, []float64{0, 0}, nothing},
	} {
		got, err := DefaultConfig().Concentrate(c.evidence, c.capacity)
		same := func(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9 }
		if err != nil || !same(got.HHI, c.want.HHI) || !same(got.Effective, c.want.Effective) || !same(got.TopShare, c.want.TopShare) {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	for name, evidence := range map[string][]float64{"negative": {-1, 2}, "no number": {math.NaN(), 2}, "infinite": {math.Inf(1), 2}, "too much": {1e101, 2}} {
		if _, err := DefaultConfig().Concentrate(evidence, ones(2)); !errors.Is(err, distribution.ErrInput) {
			t.Errorf("%s evidence: %v", name, err)
		}
	}
}

// What is published beside the score is of the same shares: C follows from it.
func TestScoreFollowsFromConcentration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 9).Draw(t, "people")
		evidence, capacity := make([]float64, n), make([]float64, n)
		var fte, even float64
		for i := range n {
			evidence[i], capacity[i] = rapid.Float64Range(0, 50).Draw(t, "evidence"), rapid.Float64Range(0.1, 1).Draw(t, "capacity")
			fte += capacity[i]
		}
		for _, c := range capacity {
			even += c / fte * (c / fte)
		}
		config := DefaultConfig()
		s, err := config.Score(evidence, capacity, 0)
		if errors.Is(err, ErrNoEvidence) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Concentrate(evidence, capacity)
		if err != nil {
			t.Fatal(err)
		}
		if want := clip((c.HHI - even) / (1 - even)); math.Abs(s.Concentration-want) > 1e-9 {
			t.Fatalf("C is %v, of the published HHI %v it is %v", s.Concentration, c.HHI, want)
		}
		if c.HHI < 1/float64(n)-1e-12 || c.HHI > 1 || c.TopShare < 1/float64(n)-1e-12 || c.TopShare > 1 || c.Effective < 1 || c.Effective > float64(n)+1e-9 {
			t.Fatalf("%+v of %d people", c, n)
		}
	})
}

func TestScoreByHand(t *testing.T) {
	cases := []struct {
		name               string
		evidence, capacity []float64
		demand             float64
		want               Silo
	}{
		{"one person alone", []float64{5}, ones(1), 1, Silo{1, 1, 1, 1, 1}},
		{"one person with a part of a backup", []float64{6, 1.5}, ones(2), 0, Silo{
			// q = (8, 3.5)/11.5; Σq² = 76.25/132.25; C = (Σq² − ½)/½. K = 1 + ½.
			Concentration: 2*76.25/132.25 - 1, Backup: 0.5, Backups: 1.5, Score: 0.4*(2*76.25/132.25-1) + 0.3*0.5,
		}},
		{"even", []float64{4, 4}, ones(2), 0, Silo{Backups: 2}},
		{"nobody for long", []float64{1, 1, 1}, ones(3), 0.5, Silo{Score: 0.3 + 0.15, Backup: 1, Demand: 0.5, Backups: 1}},
	}
	for _, c := range cases {
		got, err := DefaultConfig().Score(c.evidence, c.capacity, c.demand)
		if err != nil {
			t.Fatal(err)
		}
		if !near(got.Score, c.want.Score) || !near(got.Concentration, c.want.Concentration) || !near(got.Backup, c.want.Backup) ||
			!near(got.Demand, c.want.Demand) || !near(got.Backups, c.want.Backups) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestScoreRefuses(t *testing.T) {
	c := DefaultConfig()
	if _, err := c.Score([]float64{2.9, 0}, ones(2), 0); !errors.Is(err, ErrNoEvidence) {
		t.Errorf("too little evidence: %v", err)
	}
	if _, err := c.Score(nil, nil, 0); !errors.Is(err, ErrNoEvidence) {
		t.Errorf("nobody: %v", err)
	}
	for _, demand := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := c.Score([]float64{9}, ones(1), demand); !errors.Is(err, distribution.ErrInput) {
			t.Errorf("demand %v: %v", demand, err)
		}
	}
	if _, err := c.Score([]float64{9, math.Inf(1)}, ones(2), 0); !errors.Is(err, distribution.ErrInput) {
		t.Errorf("infinite evidence: %v", err)
	}
}

func TestCovers(t *testing.T) {
	c := DefaultConfig()
	for _, x := range []struct {
		evidence, greatest float64
		want               bool
	}{{10, 10, true}, {7.5, 10, false}, {7.6, 10, true}, {2.9, 2.9, false}, {3, 3, true}} {
		if got := c.Covers(x.evidence, x.greatest); got != x.want {
			t.Errorf("%v of %v covers: %v", x.evidence, x.greatest, got)
		}
	}
}

func TestAuthorship(t *testing.T) {
	for _, c := range []struct {
		first       bool
		own, others int
		want        float64
	}{{false, 0, 0, 3.293}, {true, 0, 0, 4.391}, {false, 10, 0, 4.933}, {false, 0, 9, 3.293 - 0.321*math.Ln10}, {false, -1, -1, 3.293}} {
		if got := Authorship(c.first, c.own, c.others); !near(got, c.want) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		change func(*Config)
		names  string
	}{
		{func(c *Config) { c.Weights.Act = -1 }, "weights.act"},
		{func(c *Config) { c.Weights.First = math.NaN() }, "weights.first"},
		{func(c *Config) { c.Decay = 0 }, "decay"},
		{func(c *Config) { c.Memory = time.Hour }, "memory"},
		{func(c *Config) { c.Demand = 0 }, "demand"},
		{func(c *Config) { c.Prior = 0 }, "prior"},
		{func(c *Config) { c.Enough = math.Inf(1) }, "enough"},
		{func(c *Config) { c.Backups = 1 }, "backups"},
		{func(c *Config) { c.Smallest = 0 }, "smallest"},
	}
	for _, x := range cases {
		c := DefaultConfig()
		x.change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), x.names+" is") {
			t.Errorf("%s: %v", x.names, err)
		}
	}
}

// TestPropertyMovingEvidence: with equal capacities and an unchanged top
// holder, evidence that moves to a lesser holder never raises the score.
func TestPropertyMovingEvidence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SliceOfN(rapid.Float64Range(0, 20), 2, 9).Draw(t, "evidence")
		demand := rapid.Float64Range(0, 1).Draw(t, "demand")
		from := rapid.IntRange(0, len(e)-1).Draw(t, "from")
		to := rapid.IntRange(0, len(e)-1).Draw(t, "to")
		e[0] += DefaultConfig().Enough // enough for a score
		before, err := DefaultConfig().Score(e, ones(len(e)), demand)
		if err != nil {
			t.Fatal(err)
		}
		if before.Score < 0 || before.Score > 1+1e-12 {
			t.Fatalf("score is %v", before.Score)
		}
		if e[from] < e[to] {
			from, to = to, from
		}
		moved := (e[from] - e[to]) / 2 * rapid.Float64Range(0, 1).Draw(t, "part")
		e[from] -= moved
		e[to] += moved
		after, err := DefaultConfig().Score(e, ones(len(e)), demand)
		if err != nil {
			t.Fatal(err)
		}
		if after.Score > before.Score+1e-12 {
			t.Fatalf("score rose from %v to %v", before.Score, after.Score)
		}
	})
}

// TestPropertyTopGains: a top holder over θ who gains evidence never lowers
// the score.
func TestPropertyTopGains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SliceOfN(rapid.Float64Range(0, 20), 1, 9).Draw(t, "evidence")
		top := 0
		for i := range e {
			if e[i] > e[top] {
				top = i
			}
		}
		e[top] = max(e[top], DefaultConfig().Enough)
		before, err := DefaultConfig().Score(e, ones(len(e)), 0.3)
		if err != nil {
			t.Fatal(err)
		}
		e[top] += rapid.Float64Range(0, 50).Draw(t, "gain")
		after, err := DefaultConfig().Score(e, ones(len(e)), 0.3)
		if err != nil {
			t.Fatal(err)
		}
		if after.Score < before.Score-1e-12 {
			t.Fatalf("score fell from %v to %v", before.Score, after.Score)
		}
	})
}

// TestPropertyScore: whatever the capacities, the score and its parts lie in
// [0, 1], and the order of people changes no bit.
func TestPropertyScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evidence := rapid.SliceOfN(rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 20), rapid.Float64Range(0, 1e9)), 1, 12).Draw(t, "evidence")
		capacity := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1, 1, 0.5, 0.8, 0.1}), len(evidence), len(evidence)).Draw(t, "capacity")
		demand := rapid.Float64Range(0, 1).Draw(t, "demand")
		s, err := DefaultConfig().Score(evidence, capacity, demand)
		order := rapid.Permutation(indicesOf(evidence)).Draw(t, "order")
		var e, c []float64
		for _, i := range order {
			e, c = append(e, evidence[i]), append(c, capacity[i])
		}
		again, errAgain := DefaultConfig().Score(e, c, demand)
		if again != s || (err == nil) != (errAgain == nil) {
			t.Fatalf("%+v in one order and %+v in another", s, again)
		}
		if err != nil {
			if !errors.Is(err, ErrNoEvidence) || s != (Silo{}) {
				t.Fatalf("%+v, %v", s, err)
			}
			return
		}
		// As defined, naively.
		var total, fte, squares, even, backups float64
		for i := range e {
			total, fte, backups = total+e[i], fte+c[i], backups+min(1, e[i]/3)
		}
		for i := range e {
			q := (e[i] + 4*c[i]/fte) / (total + 4)
			squares, even = squares+q*q, even+c[i]/fte*c[i]/fte
		}
		concentration := 1.0
		if len(e) > 1 && even < 1-1e-12 {
			concentration = min(1, max(0, (squares-even)/(1-even)))
		}
		backup := min(1, max(0, 2-backups))
		if want := 0.4*concentration + 0.3*backup + 0.3*demand; math.Abs(s.Score-want) > 1e-9 || math.Abs(s.Concentration-concentration) > 1e-9 || math.Abs(s.Backup-backup) > 1e-9 {
			t.Fatalf("%+v, by definition %v of %v and %v", s, want, concentration, backup)
		}
		for _, x := range []float64{s.Score - 1e-15, s.Concentration, s.Backup, s.Demand, s.Backups / float64(len(evidence))} {
			if !(x >= -1e-15 && x <= 1) {
				t.Fatalf("%+v", s)
			}
		}
	})
}

func indicesOf(x []float64) []int {
	list := make([]int, len(x))
	for i := range list {
		list[i] = i
	}
	return list
}

// TestPropertyDemandAndBackup: more that only one touched, and fewer who could
// step in, never lower the score.
func TestPropertyDemandAndBackup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SliceOfN(rapid.Float64Range(0, 20), 2, 9).Draw(t, "evidence")
		e[0] += 20
		low := rapid.Float64Range(0, 1).Draw(t, "demand")
		high := rapid.Float64Range(low, 1).Draw(t, "more demand")
		before, err := DefaultConfig().Score(e, ones(len(e)), low)
		if err != nil {
			t.Fatal(err)
		}
		more, err := DefaultConfig().Score(e, ones(len(e)), high)
		if err != nil {
			t.Fatal(err)
		}
		if more.Score < before.Score {
			t.Fatalf("score fell from %v to %v", before.Score, more.Score)
		}
		c := DefaultConfig()
		c.Enough *= 1 + rapid.Float64Range(0, 3).Draw(t, "factor")
		strict, err := c.Score(e, ones(len(e)), low)
		if err != nil {
			t.Fatal(err)
		}
		if strict.Backups > before.Backups || strict.Score < before.Score {
			t.Fatalf("with a higher bar %+v became %+v", before, strict)
		}
	})
}

// FuzzScore: whatever the numbers, an error or parts in their range.
func FuzzScore(f *testing.F) {
	f.Add(3.0, 0.0, 1.0, 1.0, 1.0, 0.5, 0.5)
	f.Add(math.NaN(), 0.0, 1.0, 1.0, 1.0, 1.0, 0.5)
	f.Add(1e308, 1e308, 1e308, 1.0, 1.0, 1.0, 1.0)
	f.Add(1e99, 3.0, 0.0, 1e-300, 1e99, 0.0, 0.0)
	f.Add(-1.0, 3.0, math.Inf(1), 1.0, 1.0, 1.0, 0.0)
	f.Add(5.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.2)
	f.Fuzz(func(t *testing.T, a, b, c, x, y, z, demand float64) {
		s, err := DefaultConfig().Score([]float64{a, b, c}, []float64{x, y, z}, demand)
		if err != nil {
			if !errors.Is(err, ErrNoEvidence) && !errors.Is(err, distribution.ErrInput) || s != (Silo{}) {
				t.Fatalf("%+v, %v", s, err)
			}
			return
		}
		for _, part := range []float64{s.Score, s.Concentration, s.Backup, s.Demand, s.Backups / 3} {
			if !(part >= 0 && part <= 1+1e-12) {
				t.Fatalf("%+v", s)
			}
		}
	})
}

func BenchmarkScore(b *testing.B) {
	for _, people := range []int{8, 50, 500} {
		b.Run("people="+strconv.Itoa(people), func(b *testing.B) {
			evidence := make([]float64, people)
			for i := range evidence {
				evidence[i] = float64(i * 7919 % 100)
			}
			for b.Loop() {
				if _, err := DefaultConfig().Score(evidence, ones(people), 0.5); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
