package distribution

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

type people struct{ work, capacity []float64 }

func drawPeople(t *rapid.T, least int) people {
	n := rapid.IntRange(least, 14).Draw(t, "people")
	var p people
	for range n {
		p.work = append(p.work, rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0.001, 1000), rapid.Map(rapid.IntRange(1, 9), func(i int) float64 { return float64(i) })).Draw(t, "work"))
		p.capacity = append(p.capacity, rapid.SampledFrom([]float64{1, 1, 1, 0.5, 0.8, 0.2}).Draw(t, "capacity"))
	}
	if !slices.ContainsFunc(p.work, func(w float64) bool { return w > 0 }) {
		p.work[0] = 1
	}
	return p
}

func (p people) sample(t *rapid.T) Sample {
	s, err := Weighted(p.work, p.capacity)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func near(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) && math.IsNaN(b)
	}
	return a == b || math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b))
}

func TestPropertyScaleInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeople(t, 1)
		factor := rapid.Float64Range(1e-9, 1e9).Draw(t, "factor")
		want := indices(p.sample(t))
		for i := range p.work {
			p.work[i] *= factor
			p.capacity[i] *= 1 / factor
		}
		for name, x := range indices(p.sample(t)) {
			if !near(x, want[name]) {
				t.Fatalf("%s: %v became %v", name, want[name], x)
			}
		}
	})
}

func TestPropertyOrderChangesNoBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeople(t, 2)
		want := indices(p.sample(t))
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)).Perm(len(p.work))
		var q people
		for _, i := range order {
			q.work, q.capacity = append(q.work, p.work[i]), append(q.capacity, p.capacity[i])
		}
		for name, x := range indices(q.sample(t)) {
			if math.Float64bits(x) != math.Float64bits(want[name]) {
				t.Fatalf("%s: %v became %v", name, want[name], x)
			}
		}
	})
}

// TestPropertyReplication: the same team twice is as unequal as once.
func TestPropertyReplication(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeople(t, 1)
		once := p.sample(t)
		twice := people{slices.Concat(p.work, p.work), slices.Concat(p.capacity, p.capacity)}.sample(t)
		for name, pair := range map[string][2]float64{
			"gini": {once.Gini(), twice.Gini()}, "hoover": {once.Hoover(), twice.Hoover()},
			"theil": {once.TheilT(), twice.TheilT()}, "mld": {once.MeanLogDeviation(), twice.MeanLogDeviation()},
			"atkinson": {once.Atkinson(0.7), twice.Atkinson(0.7)}, "cv2": {once.CV2(), twice.CV2()},
			"lorenz": {once.Lorenz(0.3), twice.Lorenz(0.3)}, "effective": {2 * once.Effective(), twice.Effective()},
			"shannon": {2 * once.EffectiveShannon(), twice.EffectiveShannon()},
		} {
			if !near(pair[0], pair[1]) {
				t.Fatalf("%s: %v became %v", name, pair[0], pair[1])
			}
		}
	})
}

// TestPropertySplit: one person described as two with half the capacity and
// half the work each changes nothing that is weighted by capacity.
func TestPropertySplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeople(t, 1)
		whole := p.sample(t)
		i := rapid.IntRange(0, len(p.work)-1).Draw(t, "who")
		part := rapid.Float64Range(0.05, 0.95).Draw(t, "part")
		q := people{append(slices.Clone(p.work), p.work[i]*part), append(slices.Clone(p.capacity), p.capacity[i]*part)}
		q.work[i] *= 1 - part
		q.capacity[i] *= 1 - part
		split := q.sample(t)
		for name, pair := range map[string][2]float64{
			"gini": {whole.Gini(), split.Gini()}, "hoover": {whole.Hoover(), split.Hoover()},
			"theil": {whole.TheilT(), split.TheilT()}, "mld": {whole.MeanLogDeviation(), split.MeanLogDeviation()},
			"atkinson": {whole.Atkinson(2), split.Atkinson(2)}, "cv2": {whole.CV2(), split.CV2()}, "jain": {whole.Jain(), split.Jain()},
			"lorenz": {whole.Lorenz(0.6), split.Lorenz(0.6)},
		} {
			if !near(pair[0], pair[1]) {
				t.Fatalf("%s: %v became %v", name, pair[0], pair[1])
			}
		}
	})
}

// TestPropertyTransfer: work that moves from a more loaded to a less loaded
// person, without turning their order, never raises an index and lowers the
// strict ones.
func TestPropertyTransfer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeople(t, 2)
		before := p.sample(t)
		from := rapid.IntRange(0, len(p.work)-1).Draw(t, "from")
		to := rapid.IntRange(0, len(p.work)-1).Draw(t, "to")
		a, b := p.work[from]/p.capacity[from], p.work[to]/p.capacity[to]
		if a < b {
			from, to, a, b = to, from, b, a
		}
		if a <= b*1.001+1e-6 {
			return // as good as even: there is nothing to move
		}
		// At most until both have the same work per capacity.
		even := (p.work[from]*p.capacity[to] - p.work[to]*p.capacity[from]) / (p.capacity[from] + p.capacity[to])
		moved := even * rapid.Float64Range(0.1, 1).Draw(t, "part")
		p.work[from] -= moved
		p.work[to] += moved
		after := p.sample(t)
		const tiny = 1e-12
		for name, pair := range map[string][2]float64{
			"gini": {before.Gini(), after.Gini()}, "hoover": {before.Hoover(), after.Hoover()}, "theil": {before.TheilT(), after.TheilT()},
			"mld": {before.MeanLogDeviation(), after.MeanLogDeviation()}, "atkinson": {before.Atkinson(0.5), after.Atkinson(0.5)},
			"cv2": {before.CV2(), after.CV2()}, "lorenz": {-before.Lorenz(0.5), -after.Lorenz(0.5)},
		} {
			if pair[1] > pair[0]+tiny {
				t.Fatalf("%s rose from %v to %v", name, pair[0], pair[1])
			}
		}
		if share := moved / before.Total(); share > 1e-5 && !(after.Gini() < before.Gini() && after.CV2() < before.CV2()) {
			t.Fatalf("gini %v → %v, cv2 %v → %v: a transfer must show", before.Gini(), after.Gini(), before.CV2(), after.CV2())
		}
	})
}

func TestPropertyDefinitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeople(t, 1)
		s := p.sample(t)
		var work, capacity float64
		for i := range p.work {
			work += p.work[i]
			capacity += p.capacity[i]
		}
		var gini, hoover, theil, hhi, cv2 float64
		for i := range p.work {
			si, pi := p.work[i]/work, p.capacity[i]/capacity
			hoover += math.Abs(si-pi) / 2
			hhi += si * si
			cv2 += (si - pi) * (si - pi) / pi
			if si > 0 {
				theil += si * math.Log(si/pi)
			}
			for j := range p.work {
				sj, pj := p.work[j]/work, p.capacity[j]/capacity
				gini += pi * pj * math.Abs(si/pi-sj/pj) / 2
			}
		}
		// The rest as textbooks write them, naively.
		n := float64(len(p.work))
		evenHHI, mld, entropy, nullGini, excess := 0.0, 0.0, 0.0, 0.0, 0.0
		power, inverse, logs := 0.0, 0.0, 0.0
		const h = 0.07
		var byShare []float64
		for i := range p.work {
			si, pi := p.work[i]/work, p.capacity[i]/capacity
			byShare = append(byShare, si)
			evenHHI += pi * pi
			mld += pi * math.Log(pi/si)
			power += pi * math.Pow(si/pi, 0.6)
			inverse += pi * pi / si
			logs += pi * math.Log(si/pi)
			if si > 0 {
				entropy -= si * math.Log(si)
			}
			excess += (si*si - h*si) / pi
			for j := range p.work {
				if pj := p.capacity[j] / capacity; i != j {
					nullGini += math.Sqrt(h / 2 / math.Pi * pi * pj * (pi + pj))
				}
			}
		}
		slices.Sort(byShare)
		slices.Reverse(byShare)
		ranks := 0.0
		for k, x := range byShare {
			ranks += float64(k+1) * x
		}
		// The area under the Lorenz curve is (1−G)/2, by trapezoids between people.
		order := make([]int, len(p.work))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Compare(p.work[a]*p.capacity[b], p.work[b]*p.capacity[a])
		})
		area, at, lorenz := 0.0, 0.0, 0.0
		for _, i := range order {
			next, rise := at+p.capacity[i]/capacity, p.work[i]/work
			area += (next - at) * (lorenz + rise/2)
			if at+1e-9 < 0.37 && 0.37 < next-1e-9 {
				if want := lorenz + rise*(0.37-at)/(next-at); !near(s.Lorenz(0.37), want) {
					t.Fatalf("lorenz is %v, by definition %v", s.Lorenz(0.37), want)
				}
			}
			at, lorenz = next, lorenz+rise
		}
		null, err := s.Null(h)
		if err != nil {
			t.Fatal(err)
		}
		pairs := map[string][2]float64{
			"gini": {s.Gini(), gini}, "gini by area": {s.Gini(), 1 - 2*area}, "hoover": {s.Hoover(), hoover}, "theil": {s.TheilT(), theil},
			"hhi": {s.HHI(), hhi}, "cv2": {s.CV2(), cv2}, "jain": {s.Jain(), 1 / (1 + cv2)}, "mld": {s.MeanLogDeviation(), mld},
			"atkinson 0.4": {s.Atkinson(0.4), 1 - math.Pow(power, 1/0.6)}, "atkinson 2": {s.Atkinson(2), 1 - 1/inverse}, "atkinson 1": {s.Atkinson(1), 1 - math.Exp(logs)},
			"effective": {s.Effective(), 1 / hhi}, "shannon": {s.EffectiveShannon(), math.Exp(entropy)}, "rosenbluth": {s.Rosenbluth(), 1 / (2*ranks - 1)},
			"top": {s.TopShare(1), byShare[0]}, "null hhi": {null.HHI(), evenHHI + (1-evenHHI)*h}, "null cv2": {null.CV2(), (n - 1) * h}, "null gini": {null.Gini(), nullGini},
			"excess": {s.ExcessCV2(h), excess/(1-h) - 1},
		}
		if n > 1 {
			pairs["corrected"] = [2]float64{s.GiniCorrected(), gini / (1 - evenHHI)}
			pairs["normalised"] = [2]float64{s.HHINormalised(), (hhi - 1/n) / (1 - 1/n)}
			pairs["over capacity"] = [2]float64{s.HHIOverCapacity(), max(0, (hhi-evenHHI)/(1-evenHHI))}
		}
		for name, pair := range pairs {
			if !near(pair[0], pair[1]) {
				t.Fatalf("%s is %v, by definition %v", name, pair[0], pair[1])
			}
		}
		checkRanges(t, s)
	})
}

type fataler interface{ Fatalf(string, ...any) }

func checkRanges(t fataler, s Sample) {
	n := float64(s.People())
	const slack = 1e-9
	for _, c := range []struct {
		name           string
		x, least, most float64
	}{
		{"gini", s.Gini(), 0, 1}, {"hoover", s.Hoover(), 0, s.Gini() + slack}, {"theil", s.TheilT(), 0, math.Inf(1)},
		{"mld", s.MeanLogDeviation(), 0, math.Inf(1)}, {"atkinson_0.5", s.Atkinson(0.5), 0, 1}, {"atkinson_2", s.Atkinson(2), s.Atkinson(0.5) - slack, 1},
		{"hhi", s.HHI(), 1/n - slack, 1}, {"effective", s.Effective(), 1, n + slack*n}, {"shannon", s.EffectiveShannon(), s.Effective() * (1 - slack), n * (1 + slack)},
		{"jain", s.Jain(), 0, 1}, {"rosenbluth", s.Rosenbluth(), 1/n - slack, 1}, {"top", s.TopShare(1), 1/n - slack, 1},
		{"lorenz", s.Lorenz(0.4), 0, 0.4 + slack},
	} {
		if !(c.x >= c.least && c.x <= c.most) {
			t.Fatalf("%s is %v, outside [%v, %v]", c.name, c.x, c.least, c.most)
		}
	}
}

// TestPropertyAtkinsonIsContinuous where its two ways of summing meet, and at 1.
func TestPropertyAtkinsonIsContinuous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeople(t, 2)
		for i := range p.work {
			p.work[i] += 0.5
		}
		s := p.sample(t)
		epsilon := rapid.Float64Range(0.01, 4).Draw(t, "epsilon")
		if a, b := s.Atkinson(epsilon), s.Atkinson(epsilon*(1+1e-10)); math.Abs(a-b) > 1e-7 {
			t.Fatalf("jumps from %v to %v at %v", a, b, epsilon)
		}
		if a, b := s.Atkinson(1), s.Atkinson(1+1e-9); math.Abs(a-b) > 1e-7 {
			t.Fatalf("jumps from %v to %v at 1", a, b)
		}
	})
}

func TestPropertyDecomposition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var groups []Sample
		var all people
		for range rapid.IntRange(1, 5).Draw(t, "groups") {
			p := drawPeople(t, 1)
			all.work, all.capacity = append(all.work, p.work...), append(all.capacity, p.capacity...)
			groups = append(groups, p.sample(t))
		}
		d, whole := Decompose(groups), all.sample(t)
		for name, c := range map[string]struct {
			p     Parts
			total float64
		}{"theil": {d.TheilT, whole.TheilT()}, "mld": {d.MeanLogDeviation, whole.MeanLogDeviation()}} {
			if !near(c.p.Total, c.total) || !near(c.p.Within+c.p.Between, c.p.Total) {
				t.Fatalf("%s: %+v does not add up to %v", name, c.p, c.total)
			}
		}
		if g := d.Gini; !near(g.Total, whole.Gini()) || !near(g.Within+g.Between+g.Overlap, g.Total) {
			t.Fatalf("gini: %+v does not add up to %v", g, whole.Gini())
		}
	})
}

func TestPropertyJackknife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeople(t, 3)
		s := p.sample(t)
		for _, corrected := range []bool{false, true} {
			index := Sample.Gini
			if corrected {
				index = Sample.GiniCorrected
			}
			n := float64(len(p.work))
			var mean, variance float64
			var left []float64
			for i := range p.work {
				q := people{slices.Delete(slices.Clone(p.work), i, i+1), slices.Delete(slices.Clone(p.capacity), i, i+1)}
				left = append(left, index(q.sample(t)))
				mean += left[i] / n
			}
			for _, g := range left {
				variance += (g - mean) * (g - mean)
			}
			e := s.JackknifeGini(corrected)
			if want := math.Sqrt((n - 1) / n * variance); !near(e.SE, want) {
				t.Fatalf("corrected %v: error is %v, want %v", corrected, e.SE, want)
			}
			if want := n*index(s) - (n-1)*mean; !near(e.Jack, want) {
				t.Fatalf("corrected %v: estimate is %v, want %v", corrected, e.Jack, want)
			}
		}
	})
}

// FuzzWeighted: whatever the numbers, either an error, nothing defined, or
// indices in their ranges; never a panic.
func FuzzWeighted(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 1.0, 0.5, 1.0)
	f.Add(0.0, 0.0, 40.0, 1.0, 1.0, 1.0)
	f.Add(5e-324, 1.7e308, 1.0, 1.0, 1e-70, 0.0)
	f.Add(math.NaN(), 1.0, 1.0, 1.0, 1.0, 1.0)
	f.Add(1e308, 1e308, 1e308, 1e308, 1e308, 1e308)
	f.Fuzz(func(t *testing.T, a, b, c, x, y, z float64) {
		s, err := Weighted([]float64{a, b, c}, []float64{x, y, z})
		if err != nil {
			return
		}
		if s.empty() {
			for name, index := range indices(s) {
				if Defined(index) {
					t.Fatalf("%s of no work is %v", name, index)
				}
			}
			return
		}
		checkRanges(t, s)
		s.JackknifeGini(true).Interval(0.95)
		if _, err := s.Null(0.1); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkGini(b *testing.B) {
	for _, n := range []int{8, 200, 10_000} {
		work := make([]float64, n)
		random := rand.New(rand.NewPCG(1, 2))
		for i := range work {
			work[i] = random.ExpFloat64()
		}
		b.Run("people="+strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := Equal(work)
				if err != nil || !Defined(s.Gini()) {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAllIndices(b *testing.B) {
	work := make([]float64, 200)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range work {
		work[i] = random.ExpFloat64()
	}
	for b.Loop() {
		s, err := Equal(work)
		if err != nil {
			b.Fatal(err)
		}
		indices(s)
	}
}
