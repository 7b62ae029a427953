//go:build verify

package analysis

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"fairlead/analysis/overload"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

// score is how often one planted truth was found.
type score struct {
	truth              string
	hits, misses       int
	caused             int // alarms that were not planted by themselves, and are true of what was
	falseAlarms, noise int // false alarms, and of how many that could have been
	missed             []string
}

// scores is the table of a simulation.
type scores []*score

func (s *scores) of(truth string) *score {
	for _, one := range *s {
		if one.truth == truth {
			return one
		}
	}
	*s = append(*s, &score{truth: truth})
	return (*s)[len(*s)-1]
}

func (s *score) found(hit bool, seed uint64, says string) {
	if hit {
		s.hits++
		return
	}
	s.misses++
	s.missed = append(s.missed, fmt.Sprintf("seed %d: %s", seed, says))
}

func (s *score) alarmed(falsely, of int) { s.falseAlarms, s.noise = s.falseAlarms+falsely, s.noise+of }

func (s *scores) add(others scores) {
	for _, o := range others {
		one := s.of(o.truth)
		one.hits, one.misses, one.caused = one.hits+o.hits, one.misses+o.misses, one.caused+o.caused
		one.alarmed(o.falseAlarms, o.noise)
		one.missed = append(one.missed, o.missed...)
	}
}

func (s scores) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "truth\thits\tmisses\twith a cause\tfalse alarms\tof")
	for _, one := range s {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\n", one.truth, one.hits, one.misses, one.caused, one.falseAlarms, one.noise)
	}
	_ = table.Flush() // a Builder takes everything
	for _, one := range s {
		for _, m := range one.missed {
			fmt.Fprintf(&text, "%s: %s\n", one.truth, m)
		}
	}
	return text.String()
}

// What was planted, as the table calls it.
const (
	truthMostLoaded = "the overloaded engineer is the first finding of that kind"
	truthState      = "the overloaded engineer's state is on"
	truthHoarded    = "the hoarded area and its holder are the first of that kind"
	truthUneven     = "the overloaded engineer's team is uneven"
	truthChance     = "the team of chance is not called uneven"
	truthFair       = "the team that takes turns is levelled (received)"
	truthSkilled    = "skills explain half or more of what is beyond chance in the team of skills"
)

// TestVerifyTruths: over twenty generated organisations, what was planted is
// found, and what was not is not: with a roster, over a quarter.
func TestVerifyTruths(t *testing.T) {
	seeds, tickets := uint64(20), sandbox.DefaultTickets
	if n, err := strconv.Atoi(os.Getenv("FAIRLEAD_SEEDS")); err == nil {
		seeds = uint64(n)
	}
	// One window is all that is asked, and two organisations at a time: generating
	// and collecting each takes most of it.
	tables := make([]scores, seeds)
	t.Run("seeds", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { // its fakes and its warehouse end with it
				t.Parallel()
				now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -17*int(seed))
				o := sandbox.Generate(seed, now, sandbox.Options{Tickets: tickets})
				db := sandboxtest.Organisation(t, o)
				staff(t, db, string(o.RosterYAML()))
				e := fullEngine(db)
				e.config.Windows = []Window{Days(90)}
				s, err := e.Snapshot(context.Background(), o.Now)
				if err != nil {
					t.Fatal(err)
				}
				tables[seed].judge(seed, o, s)
			})
		}
	})
	if t.Failed() {
		return
	}
	var table scores
	for _, one := range tables {
		table.add(one)
	}
	t.Logf("%d organisations of %d tickets\n%s", seeds, tickets, table)
	for _, c := range []struct {
		truth       string
		misses      int     // of 20, at most
		caused      int     // of 20 organisations, at most
		falseAlarms float64 // share, at most
	}{
		{truthMostLoaded, 0, 0, 0.025}, {truthState, 0, 40, 0.0025}, {truthHoarded, 0, 0, 0.005}, {truthUneven, 0, 0, 0.02},
		{truthChance, 0, 0, 0}, {truthFair, 0, 0, 0}, {truthSkilled, 0, 0, 0},
	} {
		one := table.of(c.truth)
		if one.misses > c.misses || one.caused > c.caused || float64(one.falseAlarms) > c.falseAlarms*float64(one.noise) {
			t.Errorf("%s: %d misses, want at most %d; %d alarms with a cause, want at most %d; %d false alarms of %d, want at most %g of them",
				c.truth, one.misses, c.misses, one.caused, c.caused, one.falseAlarms, one.noise, c.falseAlarms)
		}
	}
}

// cause is why somebody who was not planted is overloaded nevertheless, by what the
// generator knows: they are called at night, week after week, for what only they
// can do, though they are not on call; or they are of the team of skills, and more
// comes to those who have them.
func cause(o *sandbox.Organisation, name, team string, at time.Time) string {
	var called map[time.Time]bool
	for _, p := range o.People {
		if p.Name != name {
			continue
		}
		called = map[time.Time]bool{}
		for _, when := range o.CalledOut(p) {
			if when.After(at.AddDate(0, 0, -91)) {
				called[overload.WeekOf(when).Start()] = true
			}
		}
	}
	switch {
	case len(called) >= 6:
		return fmt.Sprintf("called out off duty in %d of 13 weeks", len(called))
	case team == o.Truths.Skilled.Name:
		return "of the team of skills"
	}
	return ""
}

func (s *scores) judge(seed uint64, o *sandbox.Organisation, found *Snapshot) {
	truth := o.Truths
	first := map[FindingKind]Finding{}
	others := map[FindingKind]int{}
	for _, f := range found.Findings {
		if _, known := first[f.Kind]; !known {
			first[f.Kind] = f
		}
		if f.Kind == OverloadedEngineer && f.Name != truth.Overloaded.Name || f.Kind == HoardedArea && f.Area != truth.Hoarded.Name {
			others[f.Kind]++
		}
	}
	f := first[OverloadedEngineer]
	engineers := 0
	for _, one := range found.Overload {
		if one.Judged && one.Name != truth.Overloaded.Name {
			engineers++
		}
	}
	s.of(truthMostLoaded).found(f.Name == truth.Overloaded.Name, seed, fmt.Sprintf("%q of %s", f.Name, f.Team))
	s.of(truthMostLoaded).alarmed(others[OverloadedEngineer], engineers)

	on, falsely, state := false, 0, "not judged"
	for _, one := range found.Overload {
		switch {
		case one.Name == truth.Overloaded.Name:
			on = on || one.Overloaded
			if one.Judged && one.Team == truth.OverloadedTeam.Name {
				state = signalsOf(one)
			}
		case one.Overloaded:
			why := cause(o, one.Name, one.Team, o.Now)
			if why == "" {
				why = "a false alarm"
				falsely++
			} else {
				s.of(truthState).caused++
			}
			s.of(truthState).missed = append(s.of(truthState).missed, fmt.Sprintf("seed %d: %s: %s since %s: %s", seed, why, one.Team, one.Since.Format(time.DateOnly), strings.Join(one.Reasons, "; ")))
		}
	}
	s.of(truthState).found(on, seed, state)
	s.of(truthState).alarmed(falsely, engineers)

	f = first[HoardedArea]
	s.of(truthHoarded).found(f.Area == truth.Hoarded.Name && f.Name == truth.Hoarder.Name, seed, fmt.Sprintf("%q of %q", f.Area, f.Name))
	s.of(truthHoarded).alarmed(others[HoardedArea], len(found.Areas)-1)

	uneven, teams := 0, 0
	for _, g := range found.Teams[TeamsKey{Days(90), Load, Tickets}] {
		switch g.Name {
		case truth.OverloadedTeam.Name:
			s.of(truthUneven).found(g.Verdict == Uneven, seed, fmt.Sprintf("%q, Gini %s, by chance %s", g.Verdict, optional(g.Gini, 2), optional(g.GiniChance, 2)))
			continue
		case truth.Chance.Name:
			s.of(truthChance).found(g.Verdict != Uneven, seed, string(g.Verdict))
		case truth.Skilled.Name:
			hit, says := false, "no verdict"
			if x := g.Explained; x != nil && g.GiniExcess != nil {
				hit = x.Part > 0.5**g.GiniExcess
				says = fmt.Sprintf("Gini %s, by chance %s, explained %.2f", optional(g.Gini, 2), optional(g.GiniChance, 2), x.Part)
			}
			s.of(truthSkilled).found(hit, seed, says)
			continue
		}
		if g.Verdict != NoVerdict {
			teams++
		}
		if g.Verdict == Uneven {
			uneven++
		}
	}
	s.of(truthUneven).alarmed(uneven, teams)

	received := found.Teams[TeamsKey{Days(90), Assigned, Tickets}]
	i := slices.IndexFunc(received, func(g Group) bool { return g.Name == truth.Fair.Name })
	if i < 0 {
		s.of(truthFair).found(false, seed, "no such team")
		return
	}
	g := received[i]
	s.of(truthFair).found(g.Verdict == Levelled, seed, fmt.Sprintf("%q, Gini %s, by chance %s", g.Verdict, optional(g.Gini, 3), optional(g.GiniChance, 3)))
}

// signalsOf says which signals of somebody hold.
func signalsOf(o EngineerOverload) string {
	var parts []string
	for _, s := range o.Signals {
		if s.Value != nil {
			parts = append(parts, fmt.Sprintf("%s %s %v", s.Name, sig(*s.Value), s.Holds))
		}
	}
	hot := 0
	for _, w := range o.Weeks {
		if w.Hot {
			hot++
		}
	}
	return fmt.Sprintf("off; %d of %d weeks hot; %s", hot, len(o.Weeks), strings.Join(parts, ", "))
}
