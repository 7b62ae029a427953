package analysis

import (
	"cmp"
	"slices"
	"strings"
)

// mostNamed is how many names an error offers.
const mostNamed = 6

// Nearby says which of the known names may have been meant, the likeliest first:
// the same but for capitals, one that is a part of the other, one that a slip of
// the keys away. Where none is near it says some of what there is. It is empty
// where nothing is known.
func Nearby(name string, known []string) string {
	type candidate struct {
		name string
		far  int
	}
	asked := strings.ToLower(strings.TrimSpace(name))
	var near []candidate
	for _, k := range known {
		have := strings.ToLower(k)
		far := slips(asked, have)
		switch {
		case have == asked:
			far = -2
		case asked != "" && (strings.Contains(have, asked) || strings.Contains(asked, have)):
			far = -1
		case far > max(1, len([]rune(have))/3):
			continue
		}
		near = append(near, candidate{k, far})
	}
	slices.SortFunc(near, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.name, b.name)) })
	var names []string
	for _, c := range near[:min(mostNamed, len(near))] {
		names = append(names, c.name)
	}
	switch {
	case len(names) > 0:
		return ": did you mean " + either(names) + "?"
	case len(known) == 0:
		return ""
	}
	names = slices.Sorted(slices.Values(known))
	more := ""
	if len(names) > mostNamed {
		names, more = names[:mostNamed], " and others"
	}
	return ": there is " + strings.Join(names, ", ") + more
}

func either(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// slips is how many characters have to be added, left out, changed or swapped
// with their neighbour to turn one text into the other (optimal string
// alignment).
func slips(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, now := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		now[0] = i + 1
		for j := range y {
			change := last[j]
			if x[i] != y[j] {
				change++
			}
			now[j+1] = min(last[j+1]+1, now[j]+1, change)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(y)]
}
