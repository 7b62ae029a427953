package ownership

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"fairlead/analysis/distribution"
)

// Weights is how much an act counts as evidence.
type Weights struct {
	Resolution float64 `yaml:"resolution"` // a ticket of the area became done in their hands
	Act        float64 `yaml:"act"`        // a comment or worklog on a ticket in another's hands; once a ticket
	Transition float64 `yaml:"transition"` // a change of status that is no resolution
	First      float64 `yaml:"first"`      // the first resolution in the area that is known; once
}

// DefaultWeights are those of the definition of the measures.
func DefaultWeights() Weights {
	return Weights{Resolution: 1, Act: 0.5, Transition: 0.25, First: 3}
}

// Config is how evidence is weighed and when an area is a silo.
type Config struct {
	Weights  Weights       `yaml:"weights"`
	Decay    time.Duration `yaml:"decay"`    // time constant
	Memory   time.Duration `yaml:"memory"`   // older acts count for nothing
	Demand   time.Duration `yaml:"demand"`   // how far back demand is looked at
	Prior    float64       `yaml:"prior"`    // α: evidence that is spread evenly before any is seen
	Enough   float64       `yaml:"enough"`   // θ: evidence at which a person can step in
	Backups  float64       `yaml:"backups"`  // k: people wanted who can step in
	Smallest float64       `yaml:"smallest"` // E under which an area has no score
}

// DefaultConfig is that of the definition of the measures.
func DefaultConfig() Config {
	return Config{
		Weights: DefaultWeights(),
		Decay:   90 * 24 * time.Hour, Memory: 547 * 24 * time.Hour, Demand: 90 * 24 * time.Hour,
		Prior: 4, Enough: 3, Backups: 2, Smallest: 3,
	}
}

// Validate names the key that is wrong.
func (c Config) Validate() error {
	for _, w := range []struct {
		key string
		x   float64
	}{
		{"weights.resolution", c.Weights.Resolution},
		{"weights.act", c.Weights.Act},
		{"weights.transition", c.Weights.Transition},
		{"weights.first", c.Weights.First},
	} {
		if !(w.x >= 0 && w.x <= 1000) {
			return fmt.Errorf("%s is %g: give a number from 0 to 1000", w.key, w.x)
		}
	}
	switch {
	case c.Decay < time.Hour:
		return fmt.Errorf("decay is %s: give at least 1h", c.Decay)
	case c.Memory < c.Decay:
		return fmt.Errorf("memory is %s: give at least the decay, %s", c.Memory, c.Decay)
	case c.Demand < time.Hour:
		return fmt.Errorf("demand is %s: give at least 1h", c.Demand)
	case !(c.Prior > 0 && !math.IsInf(c.Prior, 1)):
		return fmt.Errorf("prior is %g: give a number over 0", c.Prior)
	case !(c.Enough > 0 && !math.IsInf(c.Enough, 1)):
		return fmt.Errorf("enough is %g: give a number over 0", c.Enough)
	case !(c.Backups > 1 && !math.IsInf(c.Backups, 1)):
		return fmt.Errorf("backups is %g: give a number over 1", c.Backups)
	case !(c.Smallest > 0):
		return fmt.Errorf("smallest is %g: give a number over 0", c.Smallest)
	}
	return nil
}

// Concentration is how the knowledge of an area lies with people: of their shares
// q_p of the evidence, shrunk toward even.
type Concentration struct {
	HHI       float64 // Σq², from 1/n to 1
	Effective float64 // 1/HHI, the effective number of owners, from 1 to n
	TopShare  float64 // the greatest q
}

// Concentrate measures with how few people the knowledge of an area is. evidence
// and capacity are as for Score, of which C is the same HHI beyond that of the
// capacities. All is NaN where nobody has evidence or nobody capacity. The error
// wraps distribution.ErrInput; the order of people changes no bit.
func (c Config) Concentrate(evidence, capacity []float64) (Concentration, error) {
	s, err := c.spread(evidence, capacity)
	if err != nil {
		return Concentration{}, fmt.Errorf("measuring concentration: %w", err)
	}
	if s.total == 0 || s.fte == 0 {
		return Concentration{math.NaN(), math.NaN(), math.NaN()}, nil
	}
	return Concentration{HHI: s.squares, Effective: 1 / s.squares, TopShare: s.top}, nil
}

// spread is how evidence lies beside the capacities.
type spread struct {
	total, fte float64 // E, and the sum of the capacities
	squares    float64 // Σq²
	even       float64 // Σπ²
	top        float64 // the greatest q
	backups    float64 // K
}

// spread adds up in the order of evidence. All but total and fte is without
// meaning where one of them is 0.
func (c Config) spread(evidence, capacity []float64) (spread, error) {
	if _, err := distribution.Weighted(evidence, capacity); err != nil {
		return spread{}, err
	}
	type holder struct{ evidence, capacity float64 }
	holders := make([]holder, len(evidence))
	for i := range evidence {
		holders[i] = holder{evidence[i], capacity[i]}
		if max(evidence[i], capacity[i]) > 1e100 {
			return spread{}, fmt.Errorf("%w: person %d has evidence %g and capacity %g", distribution.ErrInput, i, evidence[i], capacity[i])
		}
	}
	slices.SortFunc(holders, func(a, b holder) int {
		return cmp.Or(cmp.Compare(a.evidence, b.evidence), cmp.Compare(a.capacity, b.capacity))
	})
	var s spread
	for _, h := range holders {
		s.total += h.evidence
		s.fte += h.capacity
	}
	if s.fte == 0 {
		return s, nil
	}
	for _, h := range holders {
		share := h.capacity / s.fte
		q := (h.evidence + c.Prior*share) / (s.total + c.Prior)
		s.squares += q * q
		s.even += share * share
		s.top = max(s.top, q)
		s.backups += min(1, h.evidence/c.Enough)
	}
	return s, nil
}

// The weights of the parts of a silo score.
const (
	weightConcentration = 0.4
	weightBackup        = 0.3
	weightDemand        = 0.3
)

// Silo is the score of an area and its parts, all from 0 (shared) to 1 (with
// one person), but for Backups.
type Silo struct {
	Score         float64 // 0.4·C + 0.3·G + 0.3·D
	Concentration float64 // C, of evidence shrunk toward even
	Backup        float64 // G, missing backup
	Demand        float64 // D, as given
	Backups       float64 // K = Σ min(1, e_p/θ), people who could step in
}

// ErrNoEvidence means that too little happened in an area for a score.
var ErrNoEvidence = errors.New("no evidence")

// Score computes the silo score of an area. evidence and capacity, in the same
// order, are those of the area's team and of all who hold evidence, zeros
// included; demand is the share of the recent tickets that nobody but the top
// holder touched. It returns ErrNoEvidence under c.Smallest or where nobody has
// capacity, and an error that wraps distribution.ErrInput for numbers that are
// none or over 1e100. The order of people changes no bit.
//
// For equal capacities and an unchanged top holder, evidence that moves to a
// lesser holder, by at most half the difference, never raises the score, and a
// top holder over θ who gains evidence never lowers it.
func (c Config) Score(evidence, capacity []float64, demand float64) (Silo, error) {
	if !(demand >= 0 && demand <= 1) {
		return Silo{}, fmt.Errorf("scoring an area: %w: demand share is %g", distribution.ErrInput, demand)
	}
	spread, err := c.spread(evidence, capacity)
	if err != nil {
		return Silo{}, fmt.Errorf("scoring an area: %w", err)
	}
	if spread.total < c.Smallest || spread.fte == 0 {
		return Silo{}, ErrNoEvidence
	}
	s := Silo{Concentration: 1, Demand: demand, Backups: spread.backups}
	if len(evidence) > 1 && spread.even < 1 {
		s.Concentration = clip((spread.squares - spread.even) / (1 - spread.even))
	}
	s.Backup = 1 - clip((spread.backups-1)/(c.Backups-1))
	s.Score = weightConcentration*s.Concentration + weightBackup*s.Backup + weightDemand*s.Demand
	return s, nil
}

func clip(x float64) float64 { return min(1, max(0, x)) }

// coverShare is the rule of Avelino et al. 2016: an author of a file is who has
// more than three quarters of the greatest degree of authorship.
const coverShare = 0.75

// Covers reports whether a person with this evidence could keep an area going:
// they have more than ¾ of what its greatest holder has, and at least θ.
func (c Config) Covers(evidence, greatest float64) bool {
	return evidence > coverShare*greatest && evidence >= c.Enough
}
