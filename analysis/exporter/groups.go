package exporter

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead/analysis"
)

var (
	spread = []string{"team", "window", "basis", "unit"}

	teamGini       = newFamily("fairlead_team_load_gini", "Gini coefficient of the work of a team's engineers: 0 is even. Compare it with fairlead_team_load_gini_chance.", spread...)
	teamGiniChance = newFamily("fairlead_team_load_gini_chance", "Gini coefficient that luck alone would give with as many tickets and engineers. Absent under five tickets a head.", spread...)
	teamGiniExcess = newFamily("fairlead_team_load_gini_excess", "Gini coefficient beyond chance.", spread...)
	teamChanceLow  = newFamily("fairlead_team_load_gini_chance_low", "Gini coefficient that luck alone stays above 95 times in a hundred.", spread...)
	teamChanceHigh = newFamily("fairlead_team_load_gini_chance_high", "Gini coefficient that luck alone stays below 95 times in a hundred.", spread...)
	teamGiniLow    = newFamily("fairlead_team_load_gini_low", "Lower end of the 95 % interval of fairlead_team_load_gini (jackknife over people).", spread...)
	teamGiniHigh   = newFamily("fairlead_team_load_gini_high", "Upper end of the 95 % interval of fairlead_team_load_gini (jackknife over people).", spread...)
	teamExplained  = newFamily("fairlead_team_load_gini_explained", "Part of fairlead_team_load_gini_excess that skills and absence account for. Absent without a roster.", spread...)
	teamP          = newFamily("fairlead_team_load_fairness_p_value", "Probability that luck alone gives at least this unevenness, for this team by itself.", spread...)
	teamQ          = newFamily("fairlead_team_load_fairness_q_value", "The p value with false discoveries over all teams controlled; the verdict is made from it.", spread...)
	teamVerdict    = newFamily("fairlead_team_load_fairness_verdict", "1 for the verdict that holds: uneven (beyond chance and by enough to matter), within_chance or levelled, else 0. Absent under five tickets a head.", append(spread, "verdict")...)
	teamCapacity   = newFamily("fairlead_team_capacity_fte", "Full-time equivalents that were present in the window; without a roster, the people.", "team", "window", "basis")
	teamHoover     = newFamily("fairlead_team_load_hoover_ratio", "Share of a team's work that would have to move for it to be even (Hoover index).", spread...)
	teamHHI        = newFamily("fairlead_team_load_hhi", "Herfindahl-Hirschman index of the work of a team's engineers, from 1/n to 1.", spread...)
	teamEffective  = newFamily("fairlead_team_effective_engineers", "Number of engineers who, with equal work, would be as concentrated (1/HHI).", spread...)
	teamEngineers  = newFamily("fairlead_team_engineers", "Engineers with at least one ticket of the team in the window. Without a roster a team is a queue.", "team", "window", "basis")
	teamTickets    = newFamily("fairlead_team_tickets", "Tickets of a team that engineers were given (assigned, each receipt) or finished (resolved) in the window.", "team", "window", "basis")
	teamLoad       = newFamily("fairlead_team_load", "Average number of open assigned tickets of a team over the window, or their effort in typical tickets.", "team", "window", "unit")
	teamOpen       = newFamily("fairlead_team_open_tickets", "Open tickets of a team that engineers hold.", "team")
	teamUnassigned = newFamily("fairlead_team_unassigned_tickets", "Open tickets of a team that nobody holds.", "team")

	areaHHI       = newFamily("fairlead_area_ownership_hhi", "Herfindahl-Hirschman index of who knows an area, from 1/n to 1, of shares of evidence shrunk toward even.", "area")
	areaEffective = newFamily("fairlead_area_effective_owners", "Number of owners who, each with the same share, would be as concentrated (1/HHI).", "area")
	areaTop       = newFamily("fairlead_area_top_owner_ratio", "Greatest share of an area that one engineer has, of evidence shrunk toward even.", "area")
	areaSilo      = newFamily("fairlead_area_silo_score", "How far the knowledge of an area sits with one engineer, from 0 to 1.", "area")
	areaComponent = newFamily("fairlead_area_silo_component", "Parts of fairlead_area_silo_score before they are weighted, from 0 to 1.", "area", "component")

	groupFamilies = []*family{
		teamGini, teamGiniChance, teamGiniExcess, teamChanceLow, teamChanceHigh, teamGiniLow, teamGiniHigh, teamExplained, teamP, teamQ, teamVerdict, teamCapacity, teamHoover, teamHHI, teamEffective, teamEngineers, teamTickets, teamLoad, teamOpen, teamUnassigned,
		areaInfo, areaHHI, areaEffective, areaTop, areaSilo, areaComponent, areaBusFactor,
		teamInfo, teamOverloaded, teamJudged, teamHandovers, teamAfterHours, teamAfterHoursUsual, teamShortRests, teamUnplanned, teamGrowing, teamBusFactor, teamSilo, teamSoleAreas,
		unmatched,
	}

	snapshotTime = newFamily("fairlead_snapshot_timestamp_seconds", "When the published analysis was made, or was last found to be of unchanged data.")
	snapshotAsOf = newFamily("fairlead_snapshot_as_of_timestamp_seconds", "The instant that the published analysis is of. On a replayed log it lies in the past.")
	duration     = newFamily("fairlead_analysis_duration_seconds", "How long the published analysis took.")
	unknown      = newFamily("fairlead_analysis_unknown_statuses", "Statuses that no rule maps to a category; their tickets count as open.")
	dropped      = newFamily("fairlead_series_dropped_total", "Series that were not exported because of the cap, by collector.", "collector")

	serviceFamilies = []*family{snapshotTime, snapshotAsOf, duration, unknown, dropped}
)

// fillGroups makes the series about teams and areas, the most telling first, as
// the cap cuts at the end.
func (e *Exporter) fillGroups(b *batch, s *analysis.Snapshot) {
	people := teamSizes(s)
	open := map[string]analysis.TeamLoad{}
	for _, t := range s.Open.Teams {
		open[t.Team] = t
		people[t.Team] += 0
	}
	// A team with people and without an open ticket has none: 0 is known.
	for _, team := range slices.Sorted(maps.Keys(people)) {
		b.count(teamUnassigned, open[team].Unassigned, team)
		if people[team] >= e.config.MinPeople {
			b.count(teamOpen, open[team].Tickets, team)
		}
	}
	for _, window := range s.Windows {
		for _, basis := range analysis.Bases {
			for _, unit := range analysis.Units {
				for _, g := range s.Teams[analysis.TeamsKey{Window: window, Basis: basis, Unit: unit}] {
					if g.People >= e.config.MinPeople {
						b.team(g, s, window, basis, unit)
					}
				}
			}
		}
	}
	for _, a := range s.Areas {
		if a.People < e.config.MinPeople {
			continue
		}
		b.flag(areaInfo, true, a.Area, a.Team)
		b.add(areaHHI, a.HHI, a.Area)
		b.add(areaEffective, a.Effective, a.Area)
		b.add(areaTop, a.TopShare, a.Area)
		if a.Silo != nil {
			b.add(areaSilo, &a.Silo.Score, a.Area)
			b.add(areaComponent, &a.Silo.Concentration, a.Area, "concentration")
			b.add(areaComponent, &a.Silo.Backup, a.Area, "missing_backup")
			b.add(areaComponent, &a.Silo.Demand, a.Area, "sole_demand")
		}
		if a.HHI != nil {
			b.count(areaBusFactor, uint64(a.BusFactor), a.Area)
		}
	}
	e.fillStates(b, s)
}

// teamSizes is of how many people a team is, at most, in any window: whom a
// figure of this moment tells about, though few of them hold a ticket now.
func teamSizes(s *analysis.Snapshot) map[string]int {
	sizes := map[string]int{}
	for _, window := range s.Windows {
		for _, basis := range analysis.Bases {
			for _, g := range s.Teams[analysis.TeamsKey{Window: window, Basis: basis, Unit: analysis.Tickets}] {
				sizes[g.Name] = max(sizes[g.Name], g.People)
			}
		}
	}
	return sizes
}

func (b *batch) team(g analysis.Group, s *analysis.Snapshot, window analysis.Window, basis analysis.Basis, unit analysis.Unit) {
	labels := func() []string { return []string{g.Name, window.String(), string(basis), string(unit)} }
	b.add(teamGini, g.Gini, labels()...)
	b.add(teamGiniChance, g.GiniChance, labels()...)
	b.add(teamGiniExcess, g.GiniExcess, labels()...)
	b.add(teamChanceLow, g.ChanceLow, labels()...)
	b.add(teamChanceHigh, g.ChanceHigh, labels()...)
	b.add(teamGiniLow, g.GiniLow, labels()...)
	b.add(teamGiniHigh, g.GiniHigh, labels()...)
	if g.Explained != nil {
		b.add(teamExplained, &g.Explained.Part, labels()...)
	}
	b.add(teamP, g.P, labels()...)
	b.add(teamQ, g.PAdjusted, labels()...)
	if g.Verdict != analysis.NoVerdict {
		for _, v := range verdicts {
			b.flag(teamVerdict, g.Verdict == v, append(labels(), string(v))...)
		}
	}
	b.add(teamHoover, g.Hoover, labels()...)
	b.add(teamHHI, g.HHI, labels()...)
	b.add(teamEffective, g.Effective, labels()...)
	if unit == analysis.Tickets {
		b.count(teamEngineers, uint64(g.People), g.Name, window.String(), string(basis))
		b.add(teamCapacity, positive(g.Capacity), g.Name, window.String(), string(basis))
		if basis != analysis.Load {
			b.add(teamTickets, &g.Total, g.Name, window.String(), string(basis))
		}
	}
	if basis == analysis.Load {
		b.add(teamLoad, average(g.Total, s, window), g.Name, window.String(), string(unit))
	}
}

// positive is x, or nil where it is 0 for not known.
func positive(x float64) *float64 {
	if x > 0 {
		return &x
	}
	return nil
}

// average is ticket-days over the days of the window; nil for a window without
// beginning.
func average(total float64, s *analysis.Snapshot, window analysis.Window) *float64 {
	from, to := window.Bounds(s.AsOf)
	if from.IsZero() {
		return nil
	}
	x := total / (to.Sub(from).Hours() / 24)
	return &x
}

// serviceCollector is the groups with what is about the service, which stays
// when the Snapshot is too old.
type serviceCollector struct{ e *Exporter }

// Describe implements prometheus.Collector.
func (c serviceCollector) Describe(into chan<- *prometheus.Desc) {
	c.e.groups.Describe(into)
	for _, f := range serviceFamilies {
		into <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c serviceCollector) Collect(into chan<- prometheus.Metric) {
	c.e.groups.Collect(into)
	gauge := func(f *family, x float64) {
		into <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, x)
	}
	if s := c.e.latest(); s != nil {
		gauge(snapshotTime, seconds(s.Computed))
		gauge(snapshotAsOf, seconds(s.AsOf))
		gauge(duration, s.Took.Seconds())
		gauge(unknown, float64(s.UnknownStatuses))
	}
	for _, part := range []struct {
		name string
		of   *collector
	}{{"groups", c.e.groups}, {"people", c.e.people}} {
		into <- prometheus.MustNewConstMetric(dropped.desc, prometheus.CounterValue, part.of.droppedTotal(), part.name)
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
