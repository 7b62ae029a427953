package analysis

import (
	"slices"
	"strings"

	"fairlead/analysis/overload"
)

// When somebody worked is for themself. Others see it of teams only, unless it
// was agreed that they may see it of people (metrics.person_after_hours).

// theirs stands for the signs of overload that are told to the person alone.
const theirs = "and a sign that only they can see"

// WithoutHours is the state without what tells when somebody worked.
func (o EngineerOverload) WithoutHours() EngineerOverload {
	o.AfterHours = nil
	o.Signals = slices.DeleteFunc(slices.Clone(o.Signals), func(s OverloadSignal) bool { return s.Family == string(overload.FamilyTime) })
	o.Reasons = withoutHours(o.Reasons)
	return o
}

func withoutHours(reasons []string) []string {
	kept := slices.DeleteFunc(slices.Clone(reasons), func(why string) bool { return strings.HasPrefix(why, string(overload.FamilyTime)+": ") })
	if len(kept) < len(reasons) {
		kept = append(kept, theirs)
	}
	return kept
}
