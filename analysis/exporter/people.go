package exporter

import (
	"fairlead/analysis"
)

var (
	engineerOpen     = newFamily("fairlead_engineer_open_tickets", "Open tickets of a team that an engineer holds.", "engineer", "team")
	engineerLoad     = newFamily("fairlead_engineer_load", "Average number of open tickets of a team that an engineer held over the window, or their effort in typical tickets.", "engineer", "team", "window", "unit")
	engineerRelative = newFamily("fairlead_engineer_relative_load_ratio", "Share of a team's open work over the window that rests on an engineer, over an even share: 1 is even.", "engineer", "team", "window", "unit")

	peopleFamilies = []*family{
		engineerOverloaded, areaAbsent, engineerSignal, engineerOpen, engineerLoad, engineerRelative, engineerUnplanned, engineerAfterHours,
		engineerEvidence, engineerOrphaned, engineerUncovered,
	}
)

// fillPeople makes the series about single engineers.
func (e *Exporter) fillPeople(b *batch, s *analysis.Snapshot) {
	if e.config.Engineer == LabelNone {
		return
	}
	label := e.labels(s)
	e.fillOverload(b, s, label)
	type place struct{ engineer, team string }
	shown := map[place]bool{}
	for _, one := range s.Open.Engineers {
		shown[place{one.Pseudonym, one.Team}] = true
		b.count(engineerOpen, one.Tickets, label(one.Pseudonym, one.Name), one.Team)
	}
	// Who had tickets of the team in a window and holds none now has 0.
	for _, window := range s.Windows {
		for _, g := range s.Teams[analysis.TeamsKey{Window: window, Basis: analysis.Load, Unit: analysis.Tickets}] {
			for _, p := range g.Engineers {
				if at := (place{p.Pseudonym, g.Name}); !shown[at] {
					shown[at] = true
					b.count(engineerOpen, 0, label(p.Pseudonym, p.Name), g.Name)
				}
			}
		}
	}
	for _, window := range s.Windows {
		for _, unit := range analysis.Units {
			for _, g := range s.Teams[analysis.TeamsKey{Window: window, Basis: analysis.Load, Unit: unit}] {
				for _, p := range g.Engineers {
					who := label(p.Pseudonym, p.Name)
					b.add(engineerLoad, average(p.Value, s, window), who, g.Name, window.String(), string(unit))
					b.add(engineerRelative, p.Relative, who, g.Name, window.String(), string(unit))
				}
			}
		}
	}
}

// labels is how an engineer is called. A name that two share gets the pseudonym
// beside it, for both.
func (e *Exporter) labels(s *analysis.Snapshot) func(pseudonym, name string) string {
	if e.config.Engineer != LabelName {
		return func(pseudonym, _ string) string { return pseudonym }
	}
	who := map[string]string{}
	shared := map[string]bool{}
	note := func(pseudonym, name string) {
		if other, known := who[name]; known && other != pseudonym {
			shared[name] = true
		}
		who[name] = pseudonym
	}
	for _, one := range s.Open.Engineers {
		note(one.Pseudonym, one.Name)
	}
	for _, t := range s.States {
		for _, w := range t.Knowledge.WhatIf {
			note(w.Pseudonym, w.Name)
		}
	}
	for _, o := range s.Overload {
		note(o.Pseudonym, o.Name)
	}
	for _, a := range s.Areas {
		if a.Sole != nil {
			note(a.Sole.Pseudonym, a.Sole.Name)
		}
		for _, h := range a.Holders {
			note(h.Pseudonym, h.Name)
		}
	}
	for _, window := range s.Windows {
		for _, g := range s.Teams[analysis.TeamsKey{Window: window, Basis: analysis.Load, Unit: analysis.Tickets}] {
			for _, p := range g.Engineers {
				note(p.Pseudonym, p.Name)
			}
		}
	}
	return func(pseudonym, name string) string {
		switch {
		case name == "":
			return pseudonym
		case shared[name]:
			return name + " (" + pseudonym + ")"
		default:
			return name
		}
	}
}
