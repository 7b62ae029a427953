package roster

import (
	"fmt"
	"slices"
	"strings"
)

// Error is what is wrong with a roster, where, and what to do about it. Nothing
// of a roster with an error is used.
type Error struct {
	File    string // "" where it came from no file
	Line    int    // from 1; 0 where there is none
	Problem string
	Remedy  string
}

func (e *Error) Error() string {
	text := e.Problem + ": " + e.Remedy
	switch {
	case e.File == "":
		return "roster: " + text
	case e.Line == 0:
		return e.File + ": " + text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, text)
}

// place is where something stands in the files.
type place struct {
	file string
	line int
}

func (p place) fail(remedy, problem string, args ...any) *Error {
	return &Error{File: p.file, Line: p.line, Problem: fmt.Sprintf(problem, args...), Remedy: remedy}
}

// here is how to point at p from another place.
func (p place) here() string {
	if p.file == "" {
		return "another entry"
	}
	return fmt.Sprintf("%s:%d", p.file, p.line)
}

// orNearest adds to advice the known word that is spelled most like word.
func orNearest(advice, word string, known []string) string {
	best, least := "", 3
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least && d < len(word) {
			best, least = k, d
		}
	}
	if best == "" {
		return advice
	}
	return fmt.Sprintf("%s (did you mean %q?)", advice, best)
}

// distance is that of Levenshtein, in bytes; 3 for anything that is far.
func distance(a, b string) int {
	if len(a) > 100 || len(b) > 100 || len(a) > len(b)+2 || len(b) > len(a)+2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], 3)
}
