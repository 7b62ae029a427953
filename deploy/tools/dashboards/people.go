package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

var (
	badFromOne = []level{{0, green}, {1, orange}}
	relative   = []level{{0, green}, {1.25, yellow}, {1.5, orange}, {2, red}}
	silo       = []level{{0, green}, {0.3, yellow}, {0.5, orange}, {0.7, red}}
	bus        = []level{{0, red}, {2, yellow}, {3, green}}
	hours      = []level{{0, green}, {0.1, yellow}, {0.2, orange}}
	yes        = map[string]string{"0": "no", "1": "yes"}
)

const uneven = `fairlead_team_load_fairness_verdict{team=~"$team",basis="load",unit="tickets",window="$window",verdict="uneven"}`

func overview() *page {
	p := newPage("fairlead-overview", "Fairlead: overview for a manager", "The teams at a glance, and what needs a conversation.", "now-90d").
		choice("team", "Team", "fairlead_team_unassigned_tickets", true).
		choice("window", "Window", "fairlead_team_engineers", false)
	p.number(4, "Overloaded engineers", "Engineers with signs of overload of two kinds in three of the last four weeks. It is about what rests on them, not about them. Each deserves a conversation.", "none",
		"sum("+top("team", `fairlead_team_overloaded_engineers{team=~"$team"}`)+")", nil, badFromOne...)
	p.number(4, "Teams uneven beyond chance", "Teams whose open work was spread more unevenly than luck explains, and by enough to matter. There may be good reasons.", "none",
		"sum("+top("team", uneven)+")", nil, badFromOne...)
	p.number(4, "Strong silos", "Areas of all teams whose knowledge, backup and demand together point at one person (silo score of 0.5 and more).", "none",
		either("count("+top("area", "fairlead_area_silo_score")+" >= 0.5)", "count("+top("area", "fairlead_area_silo_score")+")"), nil, badFromOne...)
	p.number(4, "Open tickets", "Open tickets that somebody in these teams holds.", "none",
		"sum("+top("team", `fairlead_team_open_tickets{team=~"$team"}`)+")", nil, level{0, plain})
	p.number(4, "Held by nobody", "Open tickets of these teams that nobody holds. Some are normal; a growing pile is not.", "none",
		"sum("+top("team", `fairlead_team_unassigned_tickets{team=~"$team"}`)+")", nil, level{0, plain})
	p.number(4, "Figures are of", "The instant that all of this describes. On a replayed log it lies in the past.", "dateTimeAsIso",
		"max(fairlead_snapshot_as_of_timestamp_seconds) * 1000", nil, level{0, plain})
	p.rows(24, 12, "Teams at a glance", "One row a team; without a roster these are queues, not teams, and everybody counts as present. Click a name for the team. Empty is not known: too few people or tickets to say.",
		[]column{{name: "Team", expr: "team", link: toTeam}},
		column{name: "People", expr: top("team", `fairlead_team_engineers{team=~"$team",basis="load",window="$window"}`), unit: "none"},
		column{name: "Open", expr: top("team", `fairlead_team_open_tickets{team=~"$team"}`), unit: "none"},
		column{name: "Held by nobody", expr: top("team", `fairlead_team_unassigned_tickets{team=~"$team"}`), unit: "none"},
		column{name: "That grows", expr: top("team", `fairlead_team_unassigned_growing{team=~"$team"}`), unit: "none", words: yes, levels: badFromOne},
		column{name: "Overloaded", expr: top("team", `fairlead_team_overloaded_engineers{team=~"$team"}`), unit: "none", levels: badFromOne},
		column{name: "Uneven beyond chance", expr: top("team", uneven), unit: "none", words: yes, levels: badFromOne},
		column{name: "Would have to move", expr: top("team", spread("fairlead_team_load_hoover_ratio", `~"$team"`)), unit: "percentunit"},
		column{name: "People it rests on", expr: top("team", `fairlead_team_bus_factor{team=~"$team"}`), unit: "none", levels: bus},
		column{name: "Silo", expr: top("team", `fairlead_team_silo_score{team=~"$team"}`), unit: "none", levels: silo},
		column{name: "Unplanned", expr: top("team", `fairlead_team_unplanned_ratio{team=~"$team"}`), unit: "percentunit"},
		column{name: "After hours", expr: top("team", `fairlead_team_after_hours_ratio{team=~"$team"}`), unit: "percentunit", levels: hours})
	p.lines(12, 9, "Open tickets", "Open tickets that people of each team hold. A line that rises for weeks says that more comes in than is finished.", "none",
		query{lately("team", `fairlead_team_open_tickets{team=~"$team"}`), "{{team}}"})
	p.lines(12, 9, "Held by nobody", "Open tickets of each team that nobody holds.", "none",
		query{lately("team", `fairlead_team_unassigned_tickets{team=~"$team"}`), "{{team}}"})
	p.lines(12, 9, "Unevenness beyond chance", "How much more unevenly the open work was spread than luck gives (Gini beyond chance). 0 and below is luck.", "none",
		query{lately("team", spread("fairlead_team_load_gini_excess", `~"$team"`)), "{{team}}"})
	p.lines(12, 9, "Knowledge with single people", "How far the knowledge of a team's areas sits with single people, from 0 (shared) to 1.", "none",
		query{lately("team", `fairlead_team_silo_score{team=~"$team"}`), "{{team}}"}).Max(1)
	return p
}

func team() *page {
	p := newPage("fairlead-team", "Fairlead: team", "How the work of one team is spread over its people, beside what luck would give.", "now-90d").
		choice("team", "Team", "fairlead_team_unassigned_tickets", false).
		choice("window", "Window", "fairlead_team_engineers", false)
	p.number(4, "Spread of open work", "Whether the open work is spread more unevenly than luck explains, by enough to matter. Levelled: more even than luck, as where tickets are handed out in turn.", "none",
		`max(fairlead_team_load_fairness_verdict{team="$team",basis="load",unit="tickets",window="$window",verdict="uneven"} * 2 or fairlead_team_load_fairness_verdict{team="$team",basis="load",unit="tickets",window="$window",verdict="levelled"})`,
		map[string]string{"0": "as by chance", "1": "levelled", "2": "uneven"}, level{0, green}, level{2, orange})
	p.number(4, "Would have to move", "The share of the open work that would have to go to others for all to have the same: a hint of how much there is to rebalance. Zero is not the aim.", "percentunit",
		top("team", spread("fairlead_team_load_hoover_ratio", `"$team"`)), nil, level{0, plain})
	p.number(4, "Overloaded engineers", "Engineers with signs of overload of two kinds in three of the last four weeks.", "none",
		top("team", `fairlead_team_overloaded_engineers{team="$team"}`), nil, badFromOne...)
	p.number(4, "People it rests on", "The fewest people whose leaving leaves at least half of what is asked for without anybody who knows it. 1 is fragile.", "none",
		top("team", `fairlead_team_bus_factor{team="$team"}`), nil, bus...)
	p.number(4, "Open tickets", "Open tickets that people of the team hold.", "none", top("team", `fairlead_team_open_tickets{team="$team"}`), nil, level{0, plain})
	p.number(4, "Held by nobody", "Open tickets of the team that nobody holds.", "none", top("team", `fairlead_team_unassigned_tickets{team="$team"}`), nil, level{0, plain})
	p.lines(12, 10, "How uneven, beside what luck gives", "The Gini of the open work (0 is even) and the band in which luck alone keeps it 95 times in a hundred. Only what is above the band is worth a question.", "none",
		query{lately("team", spread("fairlead_team_load_gini", `"$team"`)), "measured"},
		query{lately("team", spread("fairlead_team_load_gini_chance_high", `"$team"`)), "luck, at most"},
		query{lately("team", spread("fairlead_team_load_gini_chance_low", `"$team"`)), "luck, at least"}).
		OverrideByName("luck, at most", []dashboard.DynamicConfigValue{{Id: "custom.fillBelowTo", Value: "luck, at least"}, {Id: "custom.fillOpacity", Value: 20}, {Id: "custom.lineWidth", Value: 0}, {Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": blue}}}).
		OverrideByName("luck, at least", []dashboard.DynamicConfigValue{{Id: "custom.lineWidth", Value: 0}, {Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": blue}}})
	p.bars(12, 10, "Who carries how much", "Each one's share of the open work over an even share: 1 is even, 2 is twice as much. A specialist, a lead or someone new may rightly be far from 1.", "none",
		query{top("engineer", `fairlead_engineer_relative_load_ratio{team="$team",unit="tickets",window="$window"}`), "{{engineer}}"}, relative...)
	p.rows(24, 10, "Signs of overload", "How strong each sign was in the last week: 1 is at its threshold. One sign is no overload; signs of two kinds for weeks are. Click a name for the engineer.",
		[]column{{name: "Engineer", expr: "engineer", link: toEngineer}, {name: "Kind", expr: "family"}, {name: "Sign", expr: "signal"}},
		column{name: "Strength", expr: "sort_desc(" + top("engineer, family, signal", `fairlead_engineer_overload_signal{team="$team"}`) + ")", unit: "none", levels: []level{{0, green}, {0.8, yellow}, {1, orange}}})
	p.lines(12, 9, "Open tickets", "What the team holds, and what nobody holds.", "none",
		query{lately("team", `fairlead_team_open_tickets{team="$team"}`), "held by people"},
		query{lately("team", `fairlead_team_unassigned_tickets{team="$team"}`), "held by nobody"})
	p.lines(12, 9, "Received and finished", "Tickets that people of the team were given, and those that became done, over the window. Received above finished for long means a growing pile.", "none",
		query{lately("team", `fairlead_team_tickets{team="$team",basis="assigned",window="$window"}`), "received"},
		query{lately("team", `fairlead_team_tickets{team="$team",basis="resolved",window="$window"}`), "finished"})
	p.lines(8, 8, "Unplanned and after hours", "Share of what was received that was unplanned, by the team's people, and of the acts outside people's own hours (on-call left out; needs a roster), with what is usual.", "percentunit",
		query{`avg by (team) (` + lately("team, engineer", `fairlead_engineer_unplanned_ratio{team="$team"}`) + `)`, "unplanned, mean of the people"},
		query{lately("team", `fairlead_team_unplanned_ratio{team="$team"}`), "unplanned"},
		query{lately("team", `fairlead_team_after_hours_ratio{team="$team"}`), "after hours"},
		query{lately("team", `fairlead_team_after_hours_usual_ratio{team="$team"}`), "after hours, usual"})
	p.lines(8, 8, "Handovers in a week", "Times that a ticket went from one person of the team to another. Many may mean that work reaches the wrong person first.", "none",
		query{top("team", `increase(fairlead_team_handovers_total{team="$team"}[7d])`), "handovers"})
	p.lines(8, 8, "People and effective people", "How many had work, and how many would, with equal work, be as concentrated. Far apart means that few carry most.", "none",
		query{lately("team", `fairlead_team_engineers{team="$team",basis="load",window="$window"}`), "people"},
		query{lately("team", spread("fairlead_team_effective_engineers", `"$team"`)), "effective"})
	return p
}

func engineer() *page {
	p := newPage("fairlead-engineer", "Fairlead: engineer", "What rests on one engineer, as they may see it of themselves. Never a measure of how well somebody works.", "now-90d").
		choice("engineer", "Engineer", "fairlead_engineer_open_tickets", false).
		choice("window", "Window", "fairlead_engineer_load", false)
	p.note(3, "", "What rests on **$engineer**, not how well they work. A pseudonym: `fairlead whois $engineer` says who it is, and notes who asked. Nothing here counts finished work.")
	p.number(6, "Overloaded", "Signs of overload of two kinds in three of the last four weeks. It goes out when they have been gone for two.", "none",
		top("engineer", `fairlead_engineer_overloaded{engineer="$engineer"}`), yes, badFromOne...)
	p.number(6, "Open tickets", "Open tickets that they hold, in all teams.", "none", `sum(`+top("engineer, team", `fairlead_engineer_open_tickets{engineer="$engineer"}`)+`)`, nil, level{0, plain})
	p.number(6, "Share over an even share", "Their share of a team's open work over an even share, the greatest of their teams: 1 is even.", "none",
		top("engineer", `fairlead_engineer_relative_load_ratio{engineer="$engineer",unit="tickets",window="$window"}`), nil, relative...)
	p.number(6, "Unplanned", "Share of the work received in the last four weeks that was unplanned.", "percentunit",
		top("engineer", `fairlead_engineer_unplanned_ratio{engineer="$engineer"}`), nil, level{0, plain})
	p.bars(12, 9, "Signs of overload", "How strong each sign was in the last week: 1 is at its threshold. When somebody worked is not shown of single people unless that was agreed.", "none",
		query{top("family, signal", `fairlead_engineer_overload_signal{engineer="$engineer"}`), "{{family}}: {{signal}}"}, level{0, green}, level{0.8, yellow}, level{1, orange})
	p.lines(12, 9, "Share over an even share", "By team: 1 is even, and the line to compare with.", "none",
		query{lately("team", `fairlead_engineer_relative_load_ratio{engineer="$engineer",unit="tickets",window="$window"}`), "{{team}}"})
	p.lines(12, 9, "Open tickets", "What they held, by team.", "none", query{lately("team", `fairlead_engineer_open_tickets{engineer="$engineer"}`), "{{team}}"})
	p.lines(12, 9, "Average open tickets over the window", "By team: smoother than the count of the day.", "none",
		query{lately("team", `fairlead_engineer_load{engineer="$engineer",unit="tickets",window="$window"}`), "{{team}}"})
	return p
}
