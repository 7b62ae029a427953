package exporter

import (
	"maps"
	"slices"

	"fairlead/analysis"
)

// What is true of a team, an area or an engineer at the instant of the
// Snapshot, whatever the window.
var (
	teamInfo            = newFamily("fairlead_team_info", "1 for each source whose tickets a team had in its hands in one of the windows. kind is queue for what a source calls a group or a project, and roster for a team of the roster.", "team", "source", "kind")
	teamOverloaded      = newFamily("fairlead_team_overloaded_engineers", "Engineers of a team who are overloaded: signals of two families in three of the last four weeks.", "team")
	teamJudged          = newFamily("fairlead_team_judged_engineers", "Engineers of a team about whose overload enough is known.", "team")
	teamHandovers       = newFamily("fairlead_team_handovers_total", "Times that a ticket in the team's hands went from one engineer to another.", "team")
	teamAfterHours      = newFamily("fairlead_team_afterhours_ratio", "Share of the acts of the last four weeks outside own working hours, on-call left out. Absent without a roster.", "team")
	teamAfterHoursUsual = newFamily("fairlead_team_afterhours_usual_ratio", "The same over the twelve weeks before.", "team")
	teamShortRests      = newFamily("fairlead_team_short_rests", "Daily rests of the last four weeks that were shorter than the configured rest.", "team")
	teamUnplanned       = newFamily("fairlead_team_unplanned_ratio", "Share of the work received in the last four weeks that was unplanned.", "team")
	teamGrowing         = newFamily("fairlead_team_unassigned_growing", "1 while open tickets that nobody holds have been piling up over weeks, else 0.", "team")
	teamBusFactor       = newFamily("fairlead_team_bus_factor", "Fewest people whose leaving leaves at least half of the demand for a team's areas without anybody who knows them.", "team")
	teamSilo            = newFamily("fairlead_team_silo_score", "How far the knowledge of a team's areas sits with single engineers, from 0 to 1, weighted by demand.", "team")
	teamSoleAreas       = newFamily("fairlead_team_sole_holder_areas", "Areas of a team that only one person knows well enough.", "team")

	areaInfo      = newFamily("fairlead_area_info", "1 for the team whose tickets most of the area's recent ones are.", "area", "team")
	areaBusFactor = newFamily("fairlead_area_bus_factor", "People who know an area well enough to keep it going.", "area")

	unmatched = newFamily("fairlead_unmatched_accounts", "Accounts that work on tickets and match nobody in the roster. Without one, all of them.", "source")

	engineerOverloaded = newFamily("fairlead_engineer_overloaded", "1 for an engineer who is overloaded (signals of two families in three of the last four weeks), else 0. Absent where too little is known.", "engineer", "team", "evidence")
	engineerSignal     = newFamily("fairlead_engineer_overload_signal", "How strong a signal of overload was in the last week: 1 is at its threshold. Absent where there is too little to tell.", "engineer", "team", "family", "signal")
	engineerUnplanned  = newFamily("fairlead_engineer_unplanned_ratio", "Share of the work that an engineer received in the last four weeks that was unplanned.", "engineer", "team")
	engineerAfterHours = newFamily("fairlead_engineer_after_hours_ratio", "Share of an engineer's acts of the last four weeks outside own working hours. Only where metrics.person_after_hours is set.", "engineer", "team")
	engineerEvidence   = newFamily("fairlead_engineer_area_evidence_ratio", "Share of the evidence of an area that an engineer has, for the five who have most.", "engineer", "area")
	engineerOrphaned   = newFamily("fairlead_engineer_orphaned_demand_ratio", "Share of the recent tickets in a team's areas that would be left without anybody who knows them if this engineer were not there. Absent for who leaves none.", "engineer", "team")
	engineerUncovered  = newFamily("fairlead_engineer_uncovered_areas", "Areas of a team that only this engineer knows well enough. Absent for none.", "engineer", "team")
	areaAbsent         = newFamily("fairlead_area_sole_holder_absent", "1 for an area whose only holder is away, leaving or gone, by the roster.", "area", "engineer", "absence")
)

// shownHolders is how many holders of an area are told: enough to see who could
// step in, and few enough that areas times people stay bearable.
const shownHolders = 5

var verdicts = []analysis.Verdict{analysis.Uneven, analysis.WithinChance, analysis.Levelled}

// timeFamilies tell when somebody worked. They are for that person and, summed
// up, for the team, unless it was agreed otherwise.
var timeFamilies = []string{"time"}

func (b *batch) flag(f *family, on bool, labels ...string) {
	value := 0.0
	if on {
		value = 1
	}
	b.add(f, &value, labels...)
}

// fillStates makes the series about teams whatever the window.
func (e *Exporter) fillStates(b *batch, s *analysis.Snapshot) {
	for _, t := range s.States {
		kind := "roster"
		if t.Provisional {
			kind = "queue"
		}
		for _, source := range t.Sources {
			b.flag(teamInfo, true, t.Team, source, kind)
		}
		b.flag(teamGrowing, t.Unassigned.Growing, t.Team)
		judged := t.Judged
		t, enough := t.OfAtLeast(e.config.MinPeople)
		if !enough {
			continue
		}
		if t.Judged > 0 {
			b.count(teamOverloaded, uint64(t.Overloaded), t.Team)
		}
		if t.Judged == judged { // else it is withheld, and not 0
			b.count(teamJudged, uint64(judged), t.Team)
		}
		b.total(teamHandovers, t.Handovers, t.Team)
		b.add(teamAfterHours, t.AfterHours, t.Team)
		b.add(teamAfterHoursUsual, t.AfterHoursUsual, t.Team)
		if t.ShortRests != nil {
			b.count(teamShortRests, uint64(*t.ShortRests), t.Team)
		}
		b.add(teamUnplanned, t.Unplanned, t.Team)
		if t.Knowledge.Bus != nil {
			b.count(teamBusFactor, uint64(t.Knowledge.Bus.People), t.Team)
		}
		b.add(teamSilo, t.Knowledge.Silo, t.Team)
		if t.Knowledge.Areas > 0 {
			b.count(teamSoleAreas, uint64(t.Knowledge.Sole), t.Team)
		}
	}
	for _, source := range slices.Sorted(maps.Keys(s.Unmatched)) {
		b.count(unmatched, uint64(s.Unmatched[source]), source)
	}
}

// fillOverload makes the series about how single engineers fare.
func (e *Exporter) fillOverload(b *batch, s *analysis.Snapshot, label func(pseudonym, name string) string) {
	for _, o := range s.Overload {
		who := label(o.Pseudonym, o.Name)
		if o.Judged {
			b.flag(engineerOverloaded, o.Overloaded, who, o.Team, o.Evidence)
		}
		for _, signal := range o.Signals {
			if e.config.PersonAfterHours || !slices.Contains(timeFamilies, signal.Family) {
				b.add(engineerSignal, signal.Level, who, o.Team, signal.Family, signal.Name)
			}
		}
		b.add(engineerUnplanned, o.Unplanned, who, o.Team)
		if e.config.PersonAfterHours {
			b.add(engineerAfterHours, o.AfterHours, who, o.Team)
		}
	}
	for _, t := range s.States {
		for _, w := range t.Knowledge.WhatIf {
			if len(w.Uncovered) > 0 {
				who := label(w.Pseudonym, w.Name)
				b.add(engineerOrphaned, &w.Share, who, t.Team)
				b.count(engineerUncovered, uint64(len(w.Uncovered)), who, t.Team)
			}
		}
	}
	for _, a := range s.Areas {
		for _, h := range a.Holders[:min(len(a.Holders), shownHolders)] {
			b.add(engineerEvidence, &h.Share, label(h.Pseudonym, h.Name), a.Area)
		}
		if a.Sole != nil && a.Sole.Absence != analysis.Present {
			b.flag(areaAbsent, true, a.Area, label(a.Sole.Pseudonym, a.Sole.Name), string(a.Sole.Absence))
		}
	}
}
