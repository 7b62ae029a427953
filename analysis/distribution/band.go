package distribution

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	bandDraws = 999
	// manyTickets is the number a head from which a count is drawn as normal.
	manyTickets = 400
)

// LorenzBand is between which ends luck alone leaves the Lorenz curve at each of
// the places 90 times in a hundred: 1/h equal tickets, each given to person i with
// probability c_i/C, independently. It is drawn from PCG, whose state is the
// first sixteen bytes of SHA-256(seed). Both ends are nil without a ticket or
// with fewer than two people.
func LorenzBand(seed string, capacity []float64, h float64, places []float64) (low, high []float64, err error) {
	for _, x := range places {
		if !(x >= 0 && x <= 1) {
			return nil, nil, fmt.Errorf("%w: a place of %v on a Lorenz curve", ErrInput, x)
		}
	}
	var total float64
	var people []float64
	for _, c := range capacity {
		if !(c >= 0) || math.IsInf(c, 1) {
			return nil, nil, fmt.Errorf("%w: capacity %v", ErrInput, c)
		}
		if c > 0 {
			people = append(people, c)
			total += c
		}
	}
	n := int(math.Round(1 / h))
	if !(h > 0 && h <= 1) || n < 1 || len(people) < 2 {
		return nil, nil, nil
	}
	slices.Sort(people)
	key := sha256.Sum256([]byte(seed))
	random := rand.New(rand.NewPCG(binary.BigEndian.Uint64(key[:8]), binary.BigEndian.Uint64(key[8:16])))
	few := float64(n) < manyTickets*float64(len(people))
	var given alias
	if few {
		given = newAlias(people)
	}
	work := make([]float64, len(people))
	curves := make([][]float64, len(places))
	for range bandDraws {
		clear(work)
		if few {
			for range n {
				work[given.pick(random.Uint32())]++
			}
		} else {
			for i, c := range people {
				mean := float64(n) * c / total
				work[i] = max(0, mean+math.Sqrt(mean)*random.NormFloat64())
			}
		}
		s, err := Weighted(work, people)
		if err != nil {
			return nil, nil, err
		}
		for i, x := range places {
			curves[i] = append(curves[i], s.Lorenz(x))
		}
	}
	for _, c := range curves {
		slices.Sort(c)
		low, high = append(low, c[bandDraws*5/100]), append(high, c[bandDraws-1-bandDraws*5/100])
	}
	return low, high, nil
}
