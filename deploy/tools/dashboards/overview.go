package main

const uneven = `fairlead_team_load_fairness_verdict{team=~"$teams",basis="load",unit="tickets",window="$window",verdict="uneven"}`

func overview() *page {
	p := newPage("fairlead-overview", "Fairlead: overview for a manager", "The teams at a glance, and what needs a conversation.", "now-90d", "All teams", "/").
		choice("source", "Source", "fairlead_team_info", true).
		listed("teams", "team", "Teams or queues", `fairlead_team_info{source=~"$source"}`).
		choice("window", "Window", "fairlead_team_engineers", false)
	team := func(metric string) string { return metric + `{team=~"$teams"}` }

	p.number(4, "Overloaded engineers", "Engineers with signs of overload of two kinds in three of the last four weeks. It is about what rests on them, not about them. Each deserves a conversation.", number,
		"sum("+top("team", team("fairlead_team_overloaded_engineers"))+")", nil, badFromOne...)
	p.number(4, "Uneven beyond chance", "Teams whose open work was spread more unevenly than luck explains, and by enough to matter. There may be good reasons.", number,
		"sum("+top("team", uneven)+")", nil, badFromOne...)
	p.number(4, "Piles that grow", "Teams whose tickets that nobody holds have been piling up over weeks.", number,
		"sum("+top("team", team("fairlead_team_unassigned_growing"))+")", nil, badFromOne...)
	p.number(4, "Strong silos", "Areas, of all teams, whose knowledge, backup and demand together point at one person: a silo score of 0.5 and more.", number,
		either("count("+top("area", "fairlead_area_silo_score")+" >= 0.5)", "count("+top("area", "fairlead_area_silo_score")+")"), nil, badFromOne...)
	p.number(4, "Teams that rest on one", "Teams where one person's leaving would leave at least half of what is asked for without anybody who knows it.", number,
		either("count("+top("team", team("fairlead_team_bus_factor"))+" == 1)", "count("+top("team", team("fairlead_team_bus_factor"))+")"), nil, badFromOne...)
	p.number(4, "Alerts that fire", "Alerts of Fairlead that fire now, by the rules in this Prometheus; 0 also where the rules are not there.", number,
		either(`sum(ALERTS{alertname=~"Fairlead.+",alertstate="firing"})`, "count(count(fairlead_build_info))"), nil, badFromOne...).NoValue("from the history")

	p.rows(24, 12, "Teams at a glance", "One row a team, or a queue where there is no roster for it: then everybody who works on it counts as present. To move: the share of the open work that would have to go to others for all to have the same. Uneven: beyond what luck explains, by enough to matter. Not held: open tickets that nobody holds. Rests on: the fewest people whose leaving leaves half of what is asked for without anybody who knows it. Silo: how far knowledge sits with single people, from 0 to 1. Click a name for the team. Empty is not known: too few people or tickets to say, or no roster.",
		[]column{{name: "Team", expr: "team", link: p.toTeam(cell)}, {name: "Is a", expr: "kind", words: kinds}},
		column{name: "Overloaded", expr: top("team", team("fairlead_team_overloaded_engineers")), unit: number, levels: badFromOne},
		column{name: "To move", expr: top("team", spread("fairlead_team_load_hoover_ratio", `=~"$teams"`)), unit: ratio},
		column{name: "Uneven", expr: top("team", uneven), unit: number, words: yes, levels: badFromOne},
		column{name: "People", expr: top("team", `fairlead_team_engineers{team=~"$teams",basis="load",window="$window"}`), unit: number},
		column{name: "Open", expr: top("team", team("fairlead_team_open_tickets")), unit: number},
		column{name: "Not held", expr: top("team", team("fairlead_team_unassigned_tickets")), unit: number},
		column{name: "Growing", expr: top("team", team("fairlead_team_unassigned_growing")), unit: number, words: yes, levels: badFromOne},
		column{name: "Rests on", expr: top("team", team("fairlead_team_bus_factor")), unit: number, levels: bus},
		column{name: "Silo", expr: top("team", team("fairlead_team_silo_score")), unit: number, decimals: 2, levels: silo},
		column{name: "Unplanned", expr: top("team", team("fairlead_team_unplanned_ratio")), unit: ratio},
		column{name: "After hours", expr: top("team", team("fairlead_team_afterhours_ratio")), unit: ratio, levels: hours},
		column{name: "kind", expr: top("team, kind", team("fairlead_team_info")), unit: number, hidden: true})

	p.number(4, "Rows are", "Whether the rows are teams of the roster, or what Jira, ServiceNow and Asana call projects, groups and teams. Queues are not teams: uneven there may only mean that somebody works elsewhere too.", number,
		"(count("+top("team", `fairlead_team_info{team=~"$teams",kind="roster"}`)+") or 0 * "+"count("+top("team", team("fairlead_team_info"))+")) / count("+top("team", team("fairlead_team_info"))+")",
		map[string]string{"0": "queues, not teams", "1": "teams", between: "teams and queues"}, level0...)
	p.number(4, "Unmatched accounts", "Accounts of the chosen sources that work on tickets and are nobody in the roster; without a roster, all of them. Their work counts in queues, not in teams.", number,
		"sum("+top("source", `fairlead_unmatched_accounts{source=~"$source"}`)+")", nil, level0...)
	p.number(4, "Open tickets", "Open tickets that somebody in these teams holds.", number,
		"sum("+top("team", team("fairlead_team_open_tickets"))+")", nil, level0...)
	p.number(4, "Held by nobody", "Open tickets of these teams that nobody holds. Some are normal; a growing pile is not.", number,
		"sum("+top("team", team("fairlead_team_unassigned_tickets"))+")", nil, level0...)
	p.number(4, "Figures are of", "The instant that all of this describes. On a replayed log it lies in the past.", "dateTimeAsIso",
		"max(fairlead_snapshot_as_of_timestamp_seconds) * 1000", nil, level0...).NoValue("from the history")
	p.number(4, "Made", "How long ago these figures were made, or found unchanged. After metrics.max_age, an hour by default, they are no longer shown.", seconds,
		"time() - max(fairlead_snapshot_timestamp_seconds)", nil, ages...).NoValue("from the history")

	p.lines(12, 9, "Open tickets", "Open tickets that people of a team hold; the ten teams that had most. A line that rises for weeks says that more comes in than is finished.", number,
		query{most("team", team("fairlead_team_open_tickets")), "{{team}}"}).OverrideByFieldType("number", leads("Open the team", p.toTeam(label("team"))))
	p.lines(12, 9, "Held by nobody", "Open tickets that nobody holds; the ten teams that had most.", number,
		query{most("team", team("fairlead_team_unassigned_tickets")), "{{team}}"}).OverrideByFieldType("number", leads("Open the team", p.toTeam(label("team"))))
	p.lines(12, 9, "Unevenness beyond chance", "How much more unevenly the open work was spread than luck gives: Gini beyond chance, the ten that were greatest. 0 and below is luck.", number,
		query{most("team", spread("fairlead_team_load_gini_excess", `=~"$teams"`)), "{{team}}"}).OverrideByFieldType("number", leads("Open the team", p.toTeam(label("team"))))
	p.lines(12, 9, "Knowledge with single people", "How far the knowledge of a team's areas sits with single people, from 0 (shared) to 1; the ten that were greatest.", number,
		query{most("team", team("fairlead_team_silo_score")), "{{team}}"}).Max(1).OverrideByFieldType("number", leads("Open the team", p.toTeam(label("team"))))
	return p
}
