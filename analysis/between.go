package analysis

import (
	"fmt"
	"math"

	"fairlead/analysis/distribution"
)

// Split is the inequality among all people of groups (Theil's T) in two parts
// without rest: what lies within groups and what lies between them. Who is in two
// groups is in it twice, with the capacity and the work of each.
type Split struct {
	Total, Within, Between float64

	// Groups are the parts of each group: S_g T_g within, and S_g ln(S_g/P_g)
	// between, which is negative for a group with less than its share of the work.
	Groups []SplitGroup
}

// SplitGroup is what a group adds to a Split.
type SplitGroup struct{ Within, Between float64 }

// SplitBetween decomposes the inequality of the people of an answer. It is nil
// where there is no work, or only one group.
func SplitBetween(groups []Group) (*Split, error) {
	samples := make([]distribution.Sample, len(groups))
	var work, capacity float64
	for i, g := range groups {
		values, fte := make([]float64, len(g.Engineers)), make([]float64, len(g.Engineers))
		for j, p := range g.Engineers {
			values[j], fte[j] = p.Value, p.Capacity
		}
		s, err := distribution.Weighted(values, fte)
		if err != nil {
			return nil, fmt.Errorf("decomposing inequality: %w", err)
		}
		samples[i], work, capacity = s, work+s.Total(), capacity+s.Capacity()
	}
	d := distribution.Decompose(samples).TheilT
	if len(groups) < 2 || !distribution.Defined(d.Total) {
		return nil, nil
	}
	x := &Split{Total: d.Total, Within: d.Within, Between: d.Between, Groups: make([]SplitGroup, len(groups))}
	for i, s := range samples {
		if s.Total() == 0 {
			continue // 0·ln 0 = 0
		}
		share := s.Total() / work
		x.Groups[i] = SplitGroup{share * s.TheilT(), share * math.Log(share/(s.Capacity()/capacity))}
	}
	return x, nil
}
