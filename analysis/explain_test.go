package analysis

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/analysis/distribution"
	"fairlead/analysis/people"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/roster"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

// near says whether two figures are the same but for rounding.
func near(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return math.Abs(*a-*b) <= 1e-9*max(1, math.Abs(*a))
}

// again recomputes figures from nothing but the inputs and people listed.
var again = map[string]func(in map[string]float64, who []ExplainedPerson) float64{
	"gini": func(in map[string]float64, who []ExplainedPerson) float64 {
		s, err := distribution.Weighted(numbersOf(who, func(p ExplainedPerson) float64 { return *p.Work }), numbersOf(who, func(p ExplainedPerson) float64 { return p.Capacity }))
		if err != nil || s.Total() == 0 || math.Abs(s.Total()-in["W"]) > 1e-9*in["W"] || math.Abs(s.Capacity()-in["C"]) > 1e-9 {
			return math.NaN()
		}
		return s.Gini()
	},
	"gini_chance": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return math.Sqrt(in["Σw²"]/in["Σw"]/in["Σw"]/2/math.Pi) * in["Σ√"]
	},
	"gini_low":       func(in map[string]float64, _ []ExplainedPerson) float64 { return max(0, in["gini"]-in["t"]*in["SE"]) },
	"gini_high":      func(in map[string]float64, _ []ExplainedPerson) float64 { return min(1, in["gini"]+in["t"]*in["SE"]) },
	"gini_explained": func(in map[string]float64, _ []ExplainedPerson) float64 { return in["G₂"] - in["G₁"] },
	"theil": func(in map[string]float64, who []ExplainedPerson) float64 {
		sum := 0.0
		for _, p := range who {
			if *p.Work > 0 {
				sum += *p.Work / in["W"] * math.Log(*p.Work/in["W"]/(p.Capacity/in["C"]))
			}
		}
		return sum
	},
	"gini_excess": func(in map[string]float64, _ []ExplainedPerson) float64 { return in["gini"] - in["gini_chance"] },
	"relative_load": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return (in["W_i"] / in["W"]) / (in["c_i"] / in["C"])
	},
	"z": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return (in["s"] - in["p"]) / math.Sqrt(in["h"]*in["p"]*(1-in["p"]))
	},
	"ownership_hhi": func(in map[string]float64, who []ExplainedPerson) float64 {
		sum := 0.0
		for _, q := range shrunkShares(in, who) {
			sum += q * q
		}
		return sum
	},
	"effective_owners": func(in map[string]float64, who []ExplainedPerson) float64 {
		sum := 0.0
		for _, q := range shrunkShares(in, who) {
			sum += q * q
		}
		return 1 / sum
	},
	"top_owner": func(in map[string]float64, who []ExplainedPerson) float64 {
		return slices.Max(shrunkShares(in, who))
	},
	"concentration": func(in map[string]float64, _ []ExplainedPerson) float64 {
		if in["n"] < 2 {
			return 1
		}
		return min(1, max(0, (in["Σq²"]-in["Σπ²"])/(1-in["Σπ²"])))
	},
	"missing_backup": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return 1 - min(1, max(0, (in["K"]-1)/(in["k"]-1)))
	},
	"sole_demand": func(in map[string]float64, _ []ExplainedPerson) float64 {
		if in["touched"] == 0 {
			return 0
		}
		return in["alone"] / in["touched"]
	},
	"silo": func(in map[string]float64, _ []ExplainedPerson) float64 {
		if _, ok := in["C"]; !ok {
			return teamSilo(in)
		}
		if in["E"] == 0 {
			return math.NaN() // of how little it is made stands beside it
		}
		return 0.4*in["C"] + 0.3*in["G"] + 0.3*in["D"]
	},
	"own_load_signal": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return (in["load"] - in["usual"]) / in["spread"]
	},
	"team_load_signal": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return in["share of load"] / in["share of capacity"]
	},
	"flow_signal": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return (in["arrivals"] - in["completions"]) / math.Sqrt(in["arrivals"]+in["completions"])
	},
	"on_call_signal":   func(in map[string]float64, _ []ExplainedPerson) float64 { return in["incidents"] / in["shifts"] },
	"unplanned_signal": func(in map[string]float64, _ []ExplainedPerson) float64 { return in["unplanned"] / in["received"] },
	"after_hours_signal": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return in["acts outside own hours"] / in["acts"]
	},
	"rest_signal":     func(in map[string]float64, _ []ExplainedPerson) float64 { return in["rest"] },
	"own_load_level":  levelOf,
	"flow_level":      levelOf,
	"on_call_level":   levelOf,
	"unplanned_level": levelOf,
	"team_load_level": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return max(0, min(in["value"]/in["threshold"], min(38, in["z(tail)"])/in["z(limit)"]))
	},
	"after_hours_level": func(in map[string]float64, _ []ExplainedPerson) float64 { return in["least"] / in["threshold"] },
	"rest_level":        func(in map[string]float64, _ []ExplainedPerson) float64 { return in["threshold"] / in["value"] },
	"unplanned":         func(in map[string]float64, _ []ExplainedPerson) float64 { return in["unplanned"] / in["received"] },
	"after_hours":       func(in map[string]float64, _ []ExplainedPerson) float64 { return in["outside"] / in["acts"] },
	"after_hours_usual": func(in map[string]float64, _ []ExplainedPerson) float64 { return in["outside"] / in["acts"] },
	"average_load": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return (in["W"] + in["W_i"]) / in["days"]
	},
	"capacity": func(in map[string]float64, who []ExplainedPerson) float64 {
		return sumOf(numbersOf(who, func(p ExplainedPerson) float64 { return p.Capacity }))
	},
	"total": func(in map[string]float64, who []ExplainedPerson) float64 {
		return sumOf(numbersOf(who, func(p ExplainedPerson) float64 { return *p.Work }))
	},
	"engineers":            func(in map[string]float64, who []ExplainedPerson) float64 { return float64(len(who)) },
	"open":                 func(in map[string]float64, _ []ExplainedPerson) float64 { return in["n"] },
	"unassigned":           func(in map[string]float64, _ []ExplainedPerson) float64 { return in["n"] },
	"handovers":            func(in map[string]float64, _ []ExplainedPerson) float64 { return in["handovers"] + in["deleted"] },
	"overloaded_engineers": sumOfInputs,
	"judged_engineers":     sumOfInputs,
	"sole_holder_areas":    sumOfInputs,
	"uncovered_areas":      func(in map[string]float64, _ []ExplainedPerson) float64 { return float64(len(in)) },
	"orphaned_demand":      func(in map[string]float64, _ []ExplainedPerson) float64 { return in["orphaned"] / in["demand"] },
	"unassigned_growing": func(in map[string]float64, _ []ExplainedPerson) float64 {
		if in["τ"] > 0 && in["p"] <= 0.05 && in["now"] >= 1.25*in["usual"] && in["now"] >= in["usual"]+5 {
			return 1
		}
		return 0
	},
	"evidence": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return in["resolved"] + in["wrote"]/2 + in["moved on"]/4 + in["first"]
	},
	"area_evidence": func(in map[string]float64, _ []ExplainedPerson) float64 { return in["e_p"] / in["E"] },
	"covers": func(in map[string]float64, _ []ExplainedPerson) float64 {
		if in["e_p"] > 0.75*in["e_top"] && in["e_p"] >= in["θ"] {
			return 1
		}
		return 0
	},
}

// shrunkShares are q_p, of the evidence and the capacities told.
func shrunkShares(in map[string]float64, who []ExplainedPerson) []float64 {
	fte := 0.0
	for _, p := range who {
		fte += p.Capacity
	}
	return numbersOf(who, func(p ExplainedPerson) float64 {
		return (*p.Evidence + in["α"]*p.Capacity/fte) / (in["E"] + in["α"])
	})
}

// teamSilo is the mean of the areas' scores by their tickets.
func teamSilo(in map[string]float64) float64 {
	var scored, weight float64
	for name, tickets := range in {
		if area, ok := strings.CutPrefix(name, "t["); ok {
			scored, weight = scored+tickets*in["S["+area], weight+tickets
		}
	}
	return scored / weight
}

func levelOf(in map[string]float64, _ []ExplainedPerson) float64 {
	return max(0, in["value"]/in["threshold"])
}

func sumOfInputs(in map[string]float64, _ []ExplainedPerson) float64 {
	sum := 0.0
	for _, x := range in {
		sum += x
	}
	return sum
}

// behind is which input, or which sum of inputs, lists of tickets add up to.
var behind = map[string][]struct {
	lists []string
	of    func(in map[string]float64, value float64) float64
}{
	"unplanned":         {{[]string{listUnplanned}, one("unplanned")}, {[]string{listUnplanned, listPlanned}, one("received")}},
	"after_hours":       {{[]string{listOff}, one("outside")}, {[]string{listOff, listIn}, one("acts")}},
	"after_hours_usual": {{[]string{listOffUsual}, one("outside")}, {[]string{listOffUsual, listInUsual}, one("acts")}},
	"short_rests":       {{[]string{listRest}, itself}},
	"open":              {{[]string{listOpen}, itself}},
	"unassigned":        {{[]string{listUnassigned}, itself}},
	"handovers":         {{[]string{listHandedOver}, one("handovers")}},
	"flow_signal":       {{[]string{listCame}, one("arrivals")}, {[]string{listLeft}, one("completions")}},
	"on_call_signal":    {{[]string{listCalled}, one("incidents")}},
	"own_load_signal":   {{[]string{listHeld}, one("load")}},
	"weekly_load":       {{[]string{listWeeks}, func(in map[string]float64, _ float64) float64 { return sumOfInputs(in, nil) }}, {[]string{listHeld}, itself}},
	"evidence":          {{[]string{listEvidence}, func(in map[string]float64, value float64) float64 { return value - in["first"] }}},
	"orphaned_demand":   {{[]string{listDemand}, one("orphaned")}},
	"uncovered_areas":   {{[]string{listDemand}, func(in map[string]float64, _ float64) float64 { return sumOfInputs(in, nil) }}},
}

func one(name string) func(map[string]float64, float64) float64 {
	return func(in map[string]float64, _ float64) float64 { return in[name] }
}

func itself(_ map[string]float64, value float64) float64 { return value }

func numbersOf(who []ExplainedPerson, of func(ExplainedPerson) float64) []float64 {
	var list []float64
	for _, p := range who {
		list = append(list, of(p))
	}
	return list
}

// seen is how often each figure was.
var seen = map[string]int{}

// recompute checks every figure of an explanation that can be.
func recompute(t *testing.T, x Explanation) {
	t.Helper()
	for _, f := range x.Figures {
		subject := OfTeam
		switch {
		case x.Who != "":
			subject = OfEngineer
		case len(x.People) > 0 && x.People[0].Evidence != nil:
			subject = OfArea
		}
		if p, ok := find(subject, f.Name); !ok || p.name != f.Name || p.chapter != f.chapter {
			t.Errorf("%s of a %s cannot be asked for by itself: told in %v, %+v", f.Name, subject, f.chapter, p)
		}
		in := map[string]float64{}
		for _, i := range f.Inputs {
			in[i.Name] = i.Value
		}
		for _, b := range behind[f.Name] {
			var sum float64
			there := 0
			for _, l := range x.Tickets {
				if l.Where == f.Where && slices.Contains(b.lists, l.Behind) {
					sum += weightOf(l)
					there++
				}
			}
			if want := b.of(in, *f.Value); math.Abs(sum-want) > 1e-6*max(1, math.Abs(want)) || there != len(b.lists) && want > 0 {
				t.Errorf("%s: the tickets behind %s in %q (%v) add up to %v, want %v", x.Of, f.Name, f.Where, b.lists, sum, want)
			}
		}
		seen[f.Name]++
		formula, ok := again[f.Name]
		if !ok || f.Value == nil {
			continue
		}
		if got := formula(in, x.People); !near(&got, f.Value) {
			t.Errorf("%s: %s from its inputs is %v, said to be %v: %+v", x.Of, f.Name, got, *f.Value, f.Inputs)
		}
		if f.Put == "" || f.Formula == "" {
			t.Errorf("%s: %s has no formula", x.Of, f.Name)
		}
	}
}

func byFigure(x Explanation) map[string]ExplainedFigure {
	m := map[string]ExplainedFigure{}
	for _, f := range x.Figures {
		m[f.Name] = f
	}
	return m
}

func weightOf(l ExplainedList) float64 {
	sum := l.MoreWeight
	for _, t := range l.Tickets {
		sum += t.Weight
	}
	return sum
}

// everything explains what is published of a warehouse, and compares: of at most
// so many teams and areas.
func everything(t *testing.T, e *Engine, asOf time.Time, most int) {
	ctx := context.Background()
	s, err := e.Snapshot(ctx, asOf)
	if err != nil {
		t.Fatal(err)
	}
	verdicts, signals, silos := 0, 0, 0
	for _, key := range []TeamsKey{{Days(90), Load, Tickets}, {Days(28), Assigned, Tickets}, {Days(90), Load, Effort}} {
		for _, g := range s.Teams[key][:min(most, len(s.Teams[key]))] {
			q := ExplainQuery{AsOf: asOf, Team: g.Name, Window: key.Window, Basis: key.Basis, Unit: key.Unit, Tickets: 3}
			if first := (TeamsKey{Days(90), Load, Tickets}); key != first {
				q.about = []chapter{onSpread} // the others have no window
			}
			x, err := e.Explain(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			recompute(t, x)
			f := byFigure(x)
			for name, published := range map[string]*float64{
				"gini": g.Gini, "hoover": g.Hoover, "hhi": g.HHI, "effective": g.Effective, "cv2": g.CV2,
				"gini_chance": g.GiniChance, "gini_excess": g.GiniExcess, "p": g.P, "p_adjusted": g.PAdjusted,
				"theil": g.Theil, "top_share": g.TopShare, "gini_low": g.GiniLow, "gini_high": g.GiniHigh,
				"gini_chance_low": g.ChanceLow, "gini_chance_high": g.ChanceHigh, "gini_explained": partOf(g.Explained),
			} {
				if !near(f[name].Value, published) {
					t.Errorf("%s of %s: explained %s, published %s", name, x.Of, orUndefined(f[name].Value), orUndefined(published))
				}
			}
			want := string(g.Verdict)
			if g.Verdict == NoVerdict {
				want = "none"
			}
			if v := f["verdict"].Verdict; v != want {
				t.Errorf("%s: verdict %s, published %s", x.Of, v, g.Verdict)
			}
			if g.Verdict != NoVerdict {
				verdicts++
			}
			l := x.Tickets[0]
			if outside := g.Outside.AwayWork; math.Abs(weightOf(l)-g.Total-outside) > 1e-6*max(1, g.Total) {
				t.Errorf("%s: the tickets weigh %v, the work is %v and %v", x.Of, weightOf(l), g.Total, outside)
			}
			if len(l.Tickets) > 3 || !slices.IsSortedFunc(l.Tickets, func(a, b ExplainedTicket) int { return -compareFloats(a.Weight, b.Weight) }) || len(l.Tickets) > 0 && l.Tickets[0].Key == "" {
				t.Errorf("%s: listed %+v", x.Of, l.Tickets)
			}
			if q.about == nil {
				teamOf(t, s, g.Name, f)
			}
			if len(g.Engineers) == 0 {
				continue
			}
			p := g.Engineers[0]
			q.Engineer = p.Pseudonym
			if x, err = e.Explain(ctx, q); err != nil {
				t.Fatal(err)
			}
			recompute(t, x)
			f = byFigure(x)
			if !near(f["relative_load"].Value, p.Relative) || p.Z != nil && (!near(f["z"].Value, p.Z) || !near(f["tail"].Value, p.Tail)) {
				t.Errorf("%s: explained %s, published %s", x.Of, orUndefined(f["relative_load"].Value), orUndefined(p.Relative))
			}
			if got := weightOf(x.Tickets[0]); math.Abs(got-p.Value) > 1e-6*max(1, p.Value) {
				t.Errorf("%s: the tickets weigh %v, the work is %v", x.Of, got, p.Value)
			}
			for _, o := range s.Overload {
				if q.about != nil || o.Team != g.Name || o.Pseudonym != p.Pseudonym {
					continue
				}
				if got := f["overloaded"]; (*got.Value == 1) != o.Overloaded || o.Overloaded && !strings.Contains(got.Verdict, o.Since.Format(time.DateOnly)) {
					t.Errorf("%s: %s, published %+v", x.Of, got.Verdict, o)
				}
				for name, published := range map[string]*float64{"unplanned": o.Unplanned, "after_hours": o.AfterHours, "weekly_load": &o.Weeks[len(o.Weeks)-1].Load} {
					if !near(f[name].Value, published) {
						t.Errorf("%s: %s explained %s, published %s", x.Of, name, orUndefined(f[name].Value), orUndefined(published))
					}
				}
				for _, one := range o.Signals {
					signal, level := f[signalName(one.Name)], f[levelName(one.Name)]
					if !near(signal.Value, one.Value) || one.Value != nil && (signal.Verdict == "holds") != one.Holds || !near(level.Value, one.Level) {
						t.Errorf("%s: %s explained %s at %s, published %s at %s", x.Of, one.Name, orUndefined(signal.Value), orUndefined(level.Value), orUndefined(one.Value), orUndefined(one.Level))
					}
					if one.Value != nil {
						signals++
					}
				}
			}
		}
	}
	for _, a := range s.Areas[:min(most, len(s.Areas))] {
		x, err := e.Explain(ctx, ExplainQuery{AsOf: asOf, Area: a.Area, Tickets: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		recompute(t, x)
		f := byFigure(x)
		for name, published := range map[string]*float64{"ownership_hhi": a.HHI, "effective_owners": a.Effective, "top_owner": a.TopShare} {
			if !near(f[name].Value, published) {
				t.Errorf("%s of %s: explained %s, published %s", name, a.Area, orUndefined(f[name].Value), orUndefined(published))
			}
		}
		if *f["bus_factor"].Value != float64(a.BusFactor) || len(x.People) != a.People {
			t.Errorf("%s: bus factor %v of %d, published %d of %d", a.Area, *f["bus_factor"].Value, len(x.People), a.BusFactor, a.People)
		}
		if a.Silo == nil {
			continue
		}
		silos++
		for name, published := range map[string]float64{"silo": a.Silo.Score, "concentration": a.Silo.Concentration, "missing_backup": a.Silo.Backup, "sole_demand": a.Silo.Demand} {
			if !near(f[name].Value, &published) {
				t.Errorf("%s of %s: explained %s, published %v", name, a.Area, orUndefined(f[name].Value), published)
			}
		}
		made := map[string]float64{}
		for _, one := range x.Tickets[0].Tickets {
			made[one.Pseudonym] += one.Weight
		}
		for _, p := range x.People {
			if p.First > 3 || math.Abs(made[p.Pseudonym]+p.First-*p.Evidence) > 1e-6*max(1, *p.Evidence) {
				t.Errorf("%s: the tickets of %s make %v, and %v for the first; the evidence is %v", a.Area, p.Pseudonym, made[p.Pseudonym], p.First, *p.Evidence)
			}
		}
	}
	t.Logf("compared: %v", seen)
	t.Logf("%d verdicts, %d signals, %d silo scores", verdicts, signals, silos)
	if verdicts == 0 || signals == 0 || silos == 0 {
		t.Error("too little was published")
	}
}

// teamOf compares what is explained of a team whatever the window.
func teamOf(t *testing.T, s *Snapshot, team string, f map[string]ExplainedFigure) {
	t.Helper()
	i := slices.IndexFunc(s.States, func(one TeamState) bool { return one.Team == team })
	if i < 0 {
		t.Fatalf("nothing is published of %s", team)
	}
	state := s.States[i]
	number := func(n int) *float64 { x := float64(n); return &x }
	want := map[string]*float64{
		"unplanned": state.Unplanned, "after_hours": state.AfterHours, "after_hours_usual": state.AfterHoursUsual,
		"overloaded_engineers": number(state.Overloaded), "judged_engineers": number(state.Judged),
		"handovers": number(int(state.Handovers)), "unassigned": number(int(state.Unassigned.Now)), "unassigned_growing": number(0),
		"silo": state.Knowledge.Silo, "sole_holder_areas": number(state.Knowledge.Sole), "bus_factor": nil, "short_rests": nil, "open": number(0),
	}
	if state.Unassigned.Growing {
		want["unassigned_growing"] = number(1)
	}
	if state.ShortRests != nil {
		want["short_rests"] = number(*state.ShortRests)
	}
	if bus := state.Knowledge.Bus; bus != nil {
		want["bus_factor"] = number(bus.People)
	}
	if i := slices.IndexFunc(s.Open.Teams, func(one TeamLoad) bool { return one.Team == team }); i >= 0 {
		want["open"] = number(int(s.Open.Teams[i].Tickets))
	}
	for name, published := range want {
		if !near(f[name].Value, published) {
			t.Errorf("%s of %s: explained %s, published %s", name, team, orUndefined(f[name].Value), orUndefined(published))
		}
	}
}

func partOf(x *Explained) *float64 {
	if x == nil {
		return nil
	}
	return &x.Part
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestExplainOrganisation: what is explained of the generated organisation is what
// is published, and follows from what is listed; with a roster, and without.
func TestExplainOrganisation(t *testing.T) { explainOrganisation(t, 3_000, 2) }

func explainOrganisation(t *testing.T, tickets, most int) {
	o := sandbox.Generate(5, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: tickets})
	db := sandboxtest.Organisation(t, o)
	// Every queue had tickets that have been deleted for their age.
	old := "INSERT INTO " + db.Table("old_handovers") + " (source, `group`, run, handovers, version) " +
		"SELECT source, `group`, 1, 7, 1 FROM (SELECT DISTINCT source, arrayJoin(`assignments.group`) AS `group` FROM " + db.Table("tickets") + ")"
	if err := db.Conn().Exec(context.Background(), old); err != nil {
		t.Fatal(err)
	}
	t.Run("queues", func(t *testing.T) { everything(t, engine(db), o.Now, most) })
	staff, err := roster.Parse(roster.File{Name: "roster.yaml", Text: o.RosterYAML()})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.WriteRoster(context.Background(), staff); err != nil {
		t.Fatal(err)
	}
	t.Run("teams", func(t *testing.T) { everything(t, engine(db), o.Now, most) })
}

// pseudonymOf is how somebody is called in the figures.
func pseudonymOf(t *testing.T, db *clickhouse.DB, name string) string {
	t.Helper()
	w, err := engine(db).world(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	list := w.people.Engineers()
	i := slices.IndexFunc(list, func(p people.Engineer) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("nobody is called %s", name)
	}
	return list[i].Pseudonym
}

// Two people, three and one ticket-days: p = ½ each, s = ¾ and ¼, so that G = ¼.
func TestExplainByHand(t *testing.T) {
	first := opened("1", 0).give(1, "u1").give(3, "cho").status(4, "cho", statusDone)
	first.Key = "INC1"
	db := warehouse(t, first, opened("2", 0).give(0, "u1").status(1, "u1", statusDone))
	e := engine(db)
	ctx := context.Background()
	q := ExplainQuery{AsOf: day(5), Team: "Network", Window: All, Basis: Load, Unit: Tickets}
	x, err := e.Explain(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := x.Write(&text, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Network: load in ticket-days, window all up to 2026-01-06 00:00 UTC",
		"gini: 0.25", "½ Σ_i Σ_j p_i p_j |r_i − r_j|", "over the 2 people below, W = 4, C = 2: 0.25",
		// Ann 2 + 1, Cho 1: Σw² = 6, h = 6/16.
		"h = 6 / 4² = 0.375, as of 2.6667 equal tickets: under 5 a head for 2 people",
		"INC1", "2.00", "Provisional",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
	if l := x.Tickets[0]; len(l.Tickets) != 3 || l.Tickets[0].Key != "INC1" || l.Tickets[0].Weight != 2 || l.More != 0 {
		t.Errorf("tickets: %+v", l)
	}
	q.Tickets = 1
	if x, err = e.Explain(ctx, q); err != nil || len(x.Tickets[0].Tickets) != 1 || x.Tickets[0].More != 2 || x.Tickets[0].MoreWeight != 2 {
		t.Errorf("%v, tickets: %+v", err, x.Tickets)
	}
	q.Engineer = pseudonymOf(t, db, "Ann")
	if x, err = e.Explain(ctx, q); err != nil || *byFigure(x)["relative_load"].Value != 1.5 {
		t.Errorf("%v, %+v", err, x.Figures)
	}
	if put := byFigure(x)["relative_load"].Put; put != "in Network: (3/4) / (1/2) = 0.75 / 0.5 = 1.5" {
		t.Errorf("put: %s", put)
	}
	if _, err := json.Marshal(x); err != nil {
		t.Error(err)
	}
	text.Reset()
	if err := x.Write(&text, false); err != nil || strings.Contains(text.String(), "Ann") {
		t.Errorf("a name is there without being asked for:\n%s", &text)
	}
	for _, c := range []struct {
		q    ExplainQuery
		says string
	}{
		{ExplainQuery{AsOf: day(5), Basis: Load, Unit: Tickets}, "nothing to explain"},
		{ExplainQuery{AsOf: day(5), Team: "Netwrk", Basis: Load, Unit: Tickets}, `no team "Netwrk" with people or work in this window: did you mean Network?`},
		{ExplainQuery{AsOf: day(5), Engineer: "x-y-z", Basis: Load, Unit: Tickets}, "no engineer"},
		{ExplainQuery{AsOf: day(5), Area: "Fire"}, `no area "Fire" with evidence or recent tickets: did you mean Firewall?`},
		{ExplainQuery{AsOf: day(5), Area: "Firewall", Team: "Network"}, "by itself"},
		{ExplainQuery{AsOf: day(5), Team: "Network", Basis: "x", Unit: Tickets}, "basis"},
		{ExplainQuery{AsOf: day(0.5), Engineer: pseudonymOf(t, db, "Dan"), Basis: Load, Unit: Tickets}, "nothing is published"},
	} {
		if _, err := e.Explain(ctx, c.q); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
}
