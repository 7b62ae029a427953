package distribution

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// alias draws an index from fixed probabilities in constant time (Walker 1977,
// as Vose 1991 builds it) with 32 random bits: each probability is met to
// within n·2⁻³².
type alias struct {
	cut   []uint32
	other []uint32
}

// newAlias takes weights of which at least one is not 0.
func newAlias(weights []float64) alias {
	n := len(weights)
	a := alias{make([]uint32, n), make([]uint32, n)}
	var total float64
	for _, w := range weights {
		total += w
	}
	scaled := make([]float64, n)
	var small, large []int
	for i := n - 1; i >= 0; i-- {
		scaled[i] = weights[i] / total * float64(n)
		if scaled[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.cut[s], a.other[s] = uint32(scaled[s]*0x1p32), uint32(l)
		if scaled[l] -= 1 - scaled[s]; scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	// What is left has a cell of its own but for rounding.
	for _, i := range slices.Concat(small, large) {
		a.cut[i], a.other[i] = math.MaxUint32, uint32(i)
	}
	return a
}

func (a *alias) pick(bits uint32) uint32 {
	x := uint64(bits) * uint64(len(a.cut))
	i := uint32(x >> 32)
	if uint32(x) < a.cut[i] {
		return i
	}
	return a.other[i]
}

// poisson draws from a Poisson distribution that is cut off where it has less
// than 1e-16 of its mode.
type poisson struct {
	alias
	low uint32
}

func newPoisson(mean float64) poisson {
	mode := int(mean)
	var below []float64
	for x, k := 1.0, mode; k > 0; k-- {
		if x *= float64(k) / mean; x < 1e-16 {
			break
		}
		below = append(below, x)
	}
	slices.Reverse(below)
	weights := append(slices.Clone(below), 1)
	for x, k := 1.0, mode+1; ; k++ {
		if x *= mean / float64(k); x < 1e-16 {
			break
		}
		weights = append(weights, x)
	}
	return poisson{newAlias(weights), uint32(mode - len(below))}
}

const (
	// From so many units of one weight on, in all and a head, they are drawn as
	// counts.
	classLeast   = 64
	classPerHead = 8
	// lostSkewness is how much of the skewness of anybody's load may be lost by
	// drawing light units as one normal.
	lostSkewness = 0.1
)

// dealer deals out all units of a table.
//
// Units are drawn one by one, but in two cases. Many of one weight in one lot
// are drawn as counts, which is exact: independent Poisson counts are
// multinomial given their sum K, whatever K is, so they are drawn with a mean a
// little under what is wanted, and the missing ones one by one (Brown and
// Bromberg 1984). And of the others the lightest are drawn at once, from the
// normal distribution of their exact mean and covariance, as far as nobody's
// load loses more than a tenth in skewness by that: a hundred equal tickets a
// head have no more. CV² is even in the deviations, so its tail moves by less
// than B draws can show.
type dealer struct {
	random *rand.PCG
	normal *rand.Rand
	hands  []hand
	light  *light
	counts []uint32
}

// hand is what is drawn of one lot.
type hand struct {
	one     alias
	single  []float64
	classes []class
}

type class struct {
	weight float64
	count  uint32
	people []poisson // by distinct probability
	which  []int     // of people, for each person
}

func newDealer(t *table, random *rand.PCG) *dealer {
	d := &dealer{random: random, normal: rand.New(random), counts: make([]uint32, len(t.p)), hands: make([]hand, len(t.lots))}
	for k, l := range t.lots {
		h := &d.hands[k]
		h.one = newAlias(l.p)
		for i := 0; i < len(l.weights); {
			end := i + 1
			for end < len(l.weights) && l.weights[end] == l.weights[i] {
				end++
			}
			if m := end - i; m >= max(classLeast, classPerHead*len(t.p)) {
				h.classes = append(h.classes, newClass(l.weights[i], m, l.p))
			} else {
				h.single = append(h.single, l.weights[i:end]...)
			}
			i = end
		}
	}
	d.lighten(t)
	d.hands = slices.DeleteFunc(d.hands, func(h hand) bool { return len(h.single)+len(h.classes) == 0 })
	return d
}

func newClass(weight float64, m int, p []float64) class {
	c := class{weight: weight, count: uint32(m), which: make([]int, len(p))}
	mean := float64(m) - 3*math.Sqrt(float64(m))
	var distinct []float64
	for i, x := range p {
		k := slices.Index(distinct, x)
		if k < 0 {
			k = len(distinct)
			distinct = append(distinct, x)
			c.people = append(c.people, newPoisson(mean*x))
		}
		c.which[i] = k
	}
	return c
}

// lighten takes out of the hands what can be drawn as one normal.
func (d *dealer) lighten(t *table) {
	n := len(t.p)
	type unit struct {
		weight float64
		lot    int
	}
	var units []unit
	variance := make([]float64, n)
	for k, l := range t.lots {
		var squares float64
		for _, w := range l.weights {
			squares += w * w
		}
		for i, p := range l.p {
			variance[i] += squares * p * (1 - p)
		}
		for _, w := range d.hands[k].single {
			units = append(units, unit{w, k})
		}
	}
	slices.SortStableFunc(units, func(a, b unit) int { return cmp.Compare(a.weight, b.weight) })
	third, taken, count := make([]float64, n), make([]int, len(t.lots)), 0
take:
	for _, u := range units {
		for i, p := range t.lots[u.lot].p {
			third[i] += u.weight * u.weight * u.weight * p * (1 - p)
			if third[i] > lostSkewness*variance[i]*math.Sqrt(variance[i]) {
				break take
			}
		}
		taken[u.lot]++
		count++
	}
	// A normal vector costs about as much as two units a head, and more with a
	// covariance of its own.
	if count <= 2*n+n*n/6 {
		return
	}
	v := &light{mean: make([]float64, n), gauss: make([]float64, n)}
	for k, m := range taken {
		if m > 0 {
			h := &d.hands[k]
			v.add(t.lots[k].p, h.single[:m])
			h.single = h.single[m:]
		}
	}
	v.factor()
	d.light = v
}

// deal makes one outcome: what each person gets.
func (d *dealer) deal(load []float64) {
	if d.light != nil {
		d.light.deal(d.normal, load)
	} else {
		clear(load)
	}
	for k := range d.hands {
		h := &d.hands[k]
		single := h.single
		for len(single) >= 2 {
			bits := d.random.Uint64()
			load[h.one.pick(uint32(bits))] += single[0]
			load[h.one.pick(uint32(bits>>32))] += single[1]
			single = single[2:]
		}
		if len(single) == 1 {
			load[h.one.pick(uint32(d.random.Uint64()))] += single[0]
		}
		for c := range h.classes {
			d.count(&h.one, &h.classes[c])
			for i, x := range d.counts {
				load[i] += h.classes[c].weight * float64(x)
			}
		}
	}
}

// count draws how many units of a class each person gets.
func (d *dealer) count(one *alias, c *class) {
	var drawn uint32
	for {
		drawn = 0
		for i, k := range c.which {
			person := &c.people[k]
			d.counts[i] = person.low + person.pick(uint32(d.random.Uint64()))
			drawn += d.counts[i]
		}
		if drawn <= c.count {
			break
		}
	}
	for ; drawn+2 <= c.count; drawn += 2 {
		bits := d.random.Uint64()
		d.counts[one.pick(uint32(bits))]++
		d.counts[one.pick(uint32(bits>>32))]++
	}
	if drawn < c.count {
		d.counts[one.pick(uint32(d.random.Uint64()))]++
	}
}

// light is the light units of all lots together, as a normal vector: mean and
// covariance are the sums of those of the lots, Σw·p and Σw²·(diag(p) − pp').
type light struct {
	parts []part
	mean  []float64
	root  [][]float64 // lower triangle: root·root' = covariance; nil for one part
	gauss []float64   // scratch
}

// part is what a lot adds to the light units.
type part struct {
	p       []float64
	squares float64 // Σw²
}

func (v *light) add(p, weights []float64) {
	var t, q sum
	for _, w := range weights {
		t.add(w)
		q.add(w * w)
	}
	for i, x := range p {
		v.mean[i] += t.value() * x
	}
	v.parts = append(v.parts, part{p, q.value()})
}

// factor is Cholesky's, of a matrix that never has full rank: what one person
// does not get somebody else does, and some can get nothing.
func (v *light) factor() {
	if len(v.parts) == 1 {
		return
	}
	n := len(v.mean)
	covariance := make([][]float64, n)
	v.root = make([][]float64, n)
	var largest float64
	for i := range n {
		covariance[i], v.root[i] = make([]float64, i+1), make([]float64, i+1)
		for _, one := range v.parts {
			covariance[i][i] += one.squares * one.p[i]
			for j, y := range one.p[:i+1] {
				covariance[i][j] -= one.squares * one.p[i] * y
			}
		}
		largest = max(largest, covariance[i][i])
	}
	for j := range n {
		pivot := covariance[j][j]
		for _, x := range v.root[j][:j] {
			pivot -= x * x
		}
		if pivot <= 1e-12*largest {
			continue
		}
		v.root[j][j] = math.Sqrt(pivot)
		for i := j + 1; i < n; i++ {
			x := covariance[i][j]
			for k := range j {
				x -= v.root[i][k] * v.root[j][k]
			}
			v.root[i][j] = x / v.root[j][j]
		}
	}
}

func (v *light) deal(random *rand.Rand, load []float64) {
	if v.root == nil {
		// Z_i sqrt(p_i) less its projection has covariance diag(p) − pp'.
		one, drift := v.parts[0], 0.0
		for i, p := range one.p {
			v.gauss[i] = random.NormFloat64() * math.Sqrt(one.squares*p)
			drift += v.gauss[i]
		}
		for i, p := range one.p {
			load[i] = v.mean[i] + v.gauss[i] - p*drift
		}
		return
	}
	for i := range v.gauss {
		v.gauss[i] = random.NormFloat64()
	}
	for i, row := range v.root {
		x := v.mean[i]
		for k, l := range row {
			x += l * v.gauss[k]
		}
		load[i] = x
	}
}
