package main

func knowledge() *page {
	p := newPage("fairlead-knowledge", "Fairlead: knowledge and ownership", "Which areas rest on one person, and how that changes.", "now-90d", "Areas", "/areas").
		choice("area", "Area", "fairlead_area_ownership_hhi", true).
		choiceOf("teams", "team", "Teams or queues", "fairlead_team_silo_score", true)
	of := func(metric string) string { return metric + `{area=~"$area"}` }
	part := func(name string) string {
		return top("area", `fairlead_area_silo_component{area=~"$area",component="`+name+`"}`)
	}
	counted := func(condition, metric string) string {
		return either("count("+top("area", of(metric))+condition+")", "count("+top("area", of(metric))+")")
	}

	p.number(6, "Areas looked at", "Areas with enough evidence, and enough people, to say who knows them.", number, "count("+top("area", of("fairlead_area_ownership_hhi"))+")", nil, level0...)
	p.number(6, "Areas with one holder", "Areas that exactly one person knows well enough to keep them going.", number, counted(" == 1", "fairlead_area_bus_factor"), nil, badFromOne...)
	p.number(6, "Strong silos", "Areas with a silo score of 0.5 and more: knowledge, backup and demand together point at one person.", number, counted(" >= 0.5", "fairlead_area_silo_score"), nil, badFromOne...)
	p.number(6, "Holder away or leaving", "Areas whose only holder is away, leaving or gone, by the roster. 0 also where there is no roster.", number,
		either("count("+top("area", of("fairlead_area_sole_holder_absent"))+")", "count("+top("area", of("fairlead_area_ownership_hhi"))+")"), nil, badFromOne...)

	p.rows(24, 12, "Areas", "One row an area. Knowledge is evidence from tickets, fading with time; what leaves no trace there is not seen. The score is made of three parts: knowledge that is gathered with one (0.4), backup that is missing (0.3), and work that only one was asked for (0.3).",
		[]column{{name: "Area", expr: "area", link: p.toArea(cell)}, {name: "Mostly asked of", expr: "team", link: p.toTeam(cell)}},
		column{name: "Silo", expr: top("area", of("fairlead_area_silo_score")), unit: number, decimals: 2, levels: silo},
		column{name: "Share of the first", expr: top("area", of("fairlead_area_top_owner_ratio")), unit: ratio, levels: []level{{0, green}, {0.5, yellow}, {0.75, orange}}},
		column{name: "People who know it", expr: top("area", of("fairlead_area_bus_factor")), unit: number, levels: bus},
		column{name: "Effective owners", expr: top("area", of("fairlead_area_effective_owners")), unit: number, decimals: 1},
		column{name: "Gathered with one", expr: part("concentration"), unit: ratio},
		column{name: "Backup missing", expr: part("missing_backup"), unit: ratio},
		column{name: "Asked of one only", expr: part("sole_demand"), unit: ratio},
		column{name: "info", expr: top("area, team", of("fairlead_area_info")), unit: number, hidden: true})

	p.rows(12, 12, "Who holds what", "The five who know most of each area, by pseudonym, with their share of the evidence: who could step in, or learn it next. Choose an area above to see one alone. Click a name for the engineer.",
		[]column{{name: "Area", expr: "area", link: p.toArea(cell)}, {name: "Engineer", expr: "engineer", link: p.to("fairlead-engineer", "engineer", cell)}},
		column{name: "Share", expr: "sort_desc(" + top("area, engineer", of("fairlead_engineer_area_evidence_ratio")) + ")", unit: ratio, levels: []level{{0, green}, {0.5, yellow}, {0.75, orange}}})
	p.rows(12, 12, "What if somebody were away", "Whose absence would leave areas without anybody who knows them: how many, and which share of the team's recent tickets they are. A reason to share, not to keep.",
		[]column{{name: "Team", expr: "team", link: p.toTeam(cell)}, {name: "Engineer", expr: "engineer", link: p.toEngineer(cell)}},
		column{name: "Tickets left alone", expr: top("team, engineer", `fairlead_engineer_orphaned_demand_ratio{team=~"$teams"}`), unit: ratio, levels: []level{{0, green}, {0.25, yellow}, {0.5, orange}}},
		column{name: "Areas", expr: top("team, engineer", `fairlead_engineer_uncovered_areas{team=~"$teams"}`), unit: number})

	p.rows(12, 10, "Teams", "How few people a team's areas rest on, and how many areas on one alone.",
		[]column{{name: "Team", expr: "team", link: p.toTeam(cell)}},
		column{name: "Silo", expr: top("team", `fairlead_team_silo_score{team=~"$teams"}`), unit: number, decimals: 2, levels: silo},
		column{name: "Areas of one holder", expr: top("team", `fairlead_team_sole_holder_areas{team=~"$teams"}`), unit: number, levels: badFromOne},
		column{name: "People it rests on", expr: top("team", `fairlead_team_bus_factor{team=~"$teams"}`), unit: number, levels: bus})
	p.bars(12, 10, "Grew most in four weeks", "Change of the silo score against four weeks ago; 0 where there are no figures of then. From 0.1 it is worth a look.", number,
		query{`topk(10, ` + top("area", of("fairlead_area_silo_score")) + ` - max by (area) (last_over_time(` + of("fairlead_area_silo_score") + `[8d] offset 4w)) or 0 * ` + top("area", of("fairlead_area_silo_score")) + `)`, "{{area}}"},
		level{0, green}, level{0.05, yellow}, level{0.1, orange}).Max(1).Decimals(2)
	p.lines(12, 10, "Silo score", "How far the knowledge of an area sits with one person, from 0 (shared) to 1. The ten that were greatest in the time shown.", number,
		query{most("area", of("fairlead_area_silo_score")), "{{area}}"}).Max(1)
	p.lines(12, 10, "Effective owners", "The number of owners who, with equal evidence, would be as concentrated. The ten that were least in the time shown.", number,
		query{least("area", of("fairlead_area_effective_owners")), "{{area}}"})
	return p
}

func quarter() *page {
	p := newPage("fairlead-quarter", "Fairlead: quarter", "How teams and knowledge went over the past year, to look back on a quarter.", "now-1y", "All teams", "/").
		choiceOf("teams", "team", "Teams or queues", "fairlead_team_unassigned_tickets", true).
		choice("window", "Window", "fairlead_team_engineers", false)
	p.note(24, 3, "Each point looks back over the window **$window**; of each figure the ten teams are drawn that had most in the time shown. With the history that `fairlead history` writes, the past year is here from the first day on. The [reports](${fairlead}/reports) say the same in words and with intervals.")
	lines := func(title, about, unit, series string) {
		p.lines(12, 9, title, about, unit, query{most("team", series), "{{team}}"}).OverrideByFieldType("number", leads("Open the team", p.toTeam(label("team"))))
	}
	team := func(metric, more string) string { return metric + `{team=~"$teams"` + more + `}` }
	lines("Unevenness beyond chance", "Gini of the open work beyond what luck gives: at 0 and below it is luck.", number, spread("fairlead_team_load_gini_excess", `=~"$teams"`))
	lines("Would have to move", "Share of the open work that would have to go to others for all to have the same.", ratio, spread("fairlead_team_load_hoover_ratio", `=~"$teams"`))
	lines("Received", "Tickets that people of the team were given in the window.", number, team("fairlead_team_tickets", `,basis="assigned",window="$window"`))
	lines("Finished", "Tickets that became done in the window. To see whether a team's work changed, never to compare teams.", number, team("fairlead_team_tickets", `,basis="resolved",window="$window"`))
	lines("Open work", "Average number of open tickets that people of a team held over the window.", number, team("fairlead_team_load", `,unit="tickets",window="$window"`))
	lines("Held by nobody", "Open tickets that nobody holds. A line that rises through a quarter is a decision that was not made.", number, team("fairlead_team_unassigned_tickets", ""))
	lines("People", "Engineers with at least one ticket of the team in the window; with a roster, its members who were there.", number, team("fairlead_team_engineers", `,basis="load",window="$window"`))
	lines("Effective people", "How many people would, with equal work, be as concentrated. A fall without people leaving says that work gathers.", number, spread("fairlead_team_effective_engineers", `=~"$teams"`))
	p.lines(24, 9, "Areas that gather with one person", "Silo score of the ten areas where it was greatest in the time shown, from 0 (shared) to 1.", number,
		query{most("area", `fairlead_area_silo_score`), "{{area}}"}).Max(1)
	return p
}
