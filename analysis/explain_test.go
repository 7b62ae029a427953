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
		return 0.4*in["C"] + 0.3*in["G"] + 0.3*in["D"]
	},
	"own_load": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return (in["load"] - in["usual"]) / in["spread"]
	},
	"team_load": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return in["share of load"] / in["share of capacity"]
	},
	"flow": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return (in["arrivals"] - in["completions"]) / math.Sqrt(in["arrivals"]+in["completions"])
	},
	"on_call":   func(in map[string]float64, _ []ExplainedPerson) float64 { return in["incidents"] / in["shifts"] },
	"unplanned": func(in map[string]float64, _ []ExplainedPerson) float64 { return in["unplanned"] / in["received"] },
	"after_hours": func(in map[string]float64, _ []ExplainedPerson) float64 {
		return in["acts outside own hours"] / in["acts"]
	},
	"rest": func(in map[string]float64, _ []ExplainedPerson) float64 { return in["rest"] },
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

func numbersOf(who []ExplainedPerson, of func(ExplainedPerson) float64) []float64 {
	var list []float64
	for _, p := range who {
		list = append(list, of(p))
	}
	return list
}

// recompute checks every figure of an explanation that can be.
func recompute(t *testing.T, x Explanation) {
	t.Helper()
	for _, f := range x.Figures {
		if !slices.ContainsFunc(explainable, func(p published) bool { return p.name == f.Name }) {
			t.Errorf("%s cannot be asked for by itself", f.Name)
		}
		formula, ok := again[f.Name]
		if !ok || f.Value == nil {
			continue
		}
		in := map[string]float64{}
		for _, i := range f.Inputs {
			in[i.Name] = i.Value
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
				if o.Team != g.Name || o.Pseudonym != p.Pseudonym {
					continue
				}
				if got := f["overloaded"]; (*got.Value == 1) != o.Overloaded || o.Overloaded && !strings.Contains(got.Verdict, o.Since.Format(time.DateOnly)) {
					t.Errorf("%s: %s, published %+v", x.Of, got.Verdict, o)
				}
				for _, one := range o.Signals {
					if !near(f[one.Name].Value, one.Value) || one.Value != nil && (f[one.Name].Verdict == "holds") != one.Holds {
						t.Errorf("%s: %s explained %s, published %s", x.Of, one.Name, orUndefined(f[one.Name].Value), orUndefined(one.Value))
					}
					if one.Value != nil {
						signals++
					}
				}
			}
		}
	}
	for _, a := range s.Areas[:min(most, len(s.Areas))] {
		x, err := e.Explain(ctx, ExplainQuery{AsOf: asOf, Area: a.Area, Tickets: 1_000_000})
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
	t.Logf("%d verdicts, %d signals, %d silo scores", verdicts, signals, silos)
	if verdicts == 0 || signals == 0 || silos == 0 {
		t.Error("too little was published")
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
