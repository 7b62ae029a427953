package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func team() *page {
	p := newPage("fairlead-team", "Fairlead: team", "How the work of one team is spread over its people, beside what luck would give.", "now-90d", "This team", "/team?team=${team:percentencode}").
		choice("team", "Team or queue", "fairlead_team_unassigned_tickets", false).
		choice("window", "Window", "fairlead_team_engineers", false)
	of := func(metric string) string { return metric + `{team="$team"}` }
	windowed := func(metric, basis string) string {
		return fmt.Sprintf(`%s{team="$team",basis="%s",window="$window"}`, metric, basis)
	}
	verdict := func(v string) string {
		return top("team", `fairlead_team_load_fairness_verdict{team="$team",basis="load",unit="tickets",window="$window",verdict="`+v+`"}`)
	}

	p.number(4, "Spread of open work", "Whether the open work is spread more unevenly than luck explains, by enough to matter. Levelled: more even than luck, as where tickets are handed out in turn. Not known under five tickets a head.", number,
		"2 * "+verdict("uneven")+" + "+verdict("levelled"),
		map[string]string{"0": "as by chance", "1": "levelled", "2": "uneven"}, level{0, green}, level{2, orange})
	p.number(4, "Would have to move", "The share of the open work that would have to go to others for all to have the same. Zero is not the aim: luck alone gives some.", ratio,
		top("team", spread("fairlead_team_load_hoover_ratio", `="$team"`)), nil, level0...)
	p.number(4, "That is, tickets", "About how many open tickets that share is. Fewer do where the heaviest are moved, or where some cannot be.", number,
		"ceil("+top("team", spread("fairlead_team_load_hoover_ratio", `="$team"`))+" * "+top("team", of("fairlead_team_open_tickets"))+")", nil, level0...)
	p.number(4, "Overloaded engineers", "Engineers with signs of overload of two kinds in three of the last four weeks. Below are the signs of each.", number,
		top("team", of("fairlead_team_overloaded_engineers")), nil, badFromOne...)
	p.number(4, "People it rests on", "The fewest people whose leaving leaves at least half of what is asked for without anybody who knows it. 1 is fragile.", number,
		top("team", of("fairlead_team_bus_factor")), nil, bus...)
	p.number(4, "Held by nobody", "Open tickets of the team that nobody holds.", number, top("team", of("fairlead_team_unassigned_tickets")), nil, level0...)

	p.lines(12, 10, "How uneven, beside what luck gives", "The Gini of the open work (0 is even) and the band in which luck alone keeps it nine times in ten. Only what is above the band is worth a question.", number,
		query{lately("team", spread("fairlead_team_load_gini", `="$team"`)), "measured"},
		query{lately("team", spread("fairlead_team_load_gini_chance_high", `="$team"`)), "luck, at most"},
		query{lately("team", spread("fairlead_team_load_gini_chance_low", `="$team"`)), "luck, at least"},
		query{lately("team", spread("fairlead_team_load_gini_chance", `="$team"`)), "luck, on average"}).
		OverrideByName("luck, on average", []dashboard.DynamicConfigValue{{Id: "custom.lineWidth", Value: 1}, {Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": blue}}}).
		OverrideByName("luck, at most", append(faint(), dashboard.DynamicConfigValue{Id: "custom.fillBelowTo", Value: "luck, at least"}, dashboard.DynamicConfigValue{Id: "custom.fillOpacity", Value: 20})).
		OverrideByName("luck, at least", faint())
	p.bars(12, 10, "Who carries how much", "Each one's share of the open work over an even share: 1 is even, 2 is twice as much. A specialist, a lead or someone new may rightly be far from 1. Click a bar for the engineer.", times,
		query{top("engineer", `fairlead_engineer_relative_load_ratio{team="$team",unit="tickets",window="$window"}`), "{{engineer}}"}, relative...).
		Decimals(1).OverrideByFieldType("number", leads("Open the engineer", p.toEngineer(label("engineer"))))

	columns := []column{
		{name: "Even share", expr: top("engineer", `fairlead_engineer_relative_load_ratio{team="$team",unit="tickets",window="$window"}`), unit: times, decimals: 1, levels: relative},
		{name: "Overloaded", expr: top("engineer", of("fairlead_engineer_overloaded")), unit: number, words: yes, levels: badFromOne},
		{name: "Open", expr: top("engineer", of("fairlead_engineer_open_tickets")), unit: number},
		{name: "On average", expr: top("engineer", `fairlead_engineer_load{team="$team",unit="tickets",window="$window"}`), unit: number, decimals: 1},
	}
	for _, s := range signals {
		columns = append(columns, column{name: s.short, expr: top("engineer", fmt.Sprintf(`fairlead_engineer_overload_signal{team="$team",signal=%q}`, s.name)), unit: number, decimals: 2, levels: sign})
	}
	p.rows(24, 10, "People, and signs of overload", "What rests on each: their share of the open work over an even share, what is open now, and what was on average over the window. Then how strong each sign of overload was in the last week, 1 being its threshold. Demand: more than their own usual, than the team's load a head, more coming in than going out. Interruption: unplanned work, incidents on call. Time: after hours, short rests. One sign is no overload; signs of two kinds for weeks are. Empty is not known. Click a name for the engineer.",
		[]column{{name: "Engineer", expr: "engineer", link: p.toEngineer(cell)}}, columns...)

	p.balance(12, 9, "Where work could go", "Open tickets, on average over the window, above an even share (they could give) and below it (they could take): a hint to talk about, not an order. Who knows the area, and who is away, is for you to say. Who held nothing at all is not shown.", number,
		query{top("engineer", `fairlead_engineer_load{team="$team",unit="tickets",window="$window"}`) + " * (1 - 1 / (" + top("engineer", `fairlead_engineer_relative_load_ratio{team="$team",unit="tickets",window="$window"}`) + " > 0))", "{{engineer}}"},
		level{0, blue}, level{0, green}, level{2, yellow}, level{5, orange}).Decimals(1)
	p.lines(12, 9, "Open tickets", "What the team holds, and what nobody holds.", number,
		query{lately("team", of("fairlead_team_open_tickets")), "held by people"},
		query{lately("team", of("fairlead_team_unassigned_tickets")), "held by nobody"})
	p.lines(12, 9, "Received and finished", "Tickets that people of the team were given, and those that became done, over the window. Received above finished for long means a growing pile.", number,
		query{lately("team", windowed("fairlead_team_tickets", "assigned")), "received"},
		query{lately("team", windowed("fairlead_team_tickets", "resolved")), "finished"})
	p.lines(12, 9, "People and effective people", "How many had work, and how many would, with equal work, be as concentrated. Far apart means that few carry most.", number,
		query{lately("team", windowed("fairlead_team_engineers", "load")), "people"},
		query{lately("team", spread("fairlead_team_effective_engineers", `="$team"`)), "effective"})
	p.lines(12, 9, "Overloaded, of those who can be judged", "How many are overloaded, and of how many enough is known to say so.", number,
		query{lately("team", of("fairlead_team_overloaded_engineers")), "overloaded"},
		query{lately("team", of("fairlead_team_judged_engineers")), "judged"})
	p.lines(12, 9, "Handovers in a week", "Times that a ticket went from one person of the team to another. Many may mean that work reaches the wrong person first.", number,
		query{handovers(`{team="$team"}`), "handovers"})
	p.number(6, "Unplanned", "Share of the work received in the last four weeks that was unplanned: incidents, unless configured otherwise.", ratio,
		top("team", of("fairlead_team_unplanned_ratio")), nil, level{0, green}, level{0.5, yellow}).NoValue("no incidents here")
	p.number(6, "After hours", "Share of the acts of the last four weeks outside people's own hours, on-call left out. Needs a roster.", ratio,
		top("team", of("fairlead_team_afterhours_ratio")), nil, hours...).NoValue("needs a roster")
	p.number(6, "After hours, usually", "The same share over the twelve weeks before. Needs a roster.", ratio,
		top("team", of("fairlead_team_afterhours_usual_ratio")), nil, level0...).NoValue("needs a roster")
	p.number(6, "Short rests", "Daily rests of the last four weeks under eleven hours, unless configured otherwise. Needs a roster.", number,
		top("team", of("fairlead_team_short_rests")), nil, badFromOne...).NoValue("needs a roster")
	return p
}

// handovers are those of the seven days before each instant. The counter is of
// all tickets that are stored, whichever process tells it: so that history and
// scrapes are one series, it is the difference that counts, and the increase
// only where there are no seven days yet.
func handovers(labels string) string {
	const metric = "fairlead_team_handovers_total"
	return "clamp_min(max by (team) (last_over_time(" + metric + labels + within + ")) - max by (team) (last_over_time(" + metric + labels + "[" + reach(metric) + "] offset 1w)), 0)" +
		" or max by (team) (increase(" + metric + labels + "[1w] offset -$__interval))"
}

// faint is the look of the edge of a band.
func faint() []dashboard.DynamicConfigValue {
	return []dashboard.DynamicConfigValue{{Id: "custom.lineWidth", Value: 0}, {Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": blue}}}
}

func engineer() *page {
	p := newPage("fairlead-engineer", "Fairlead: engineer", "What rests on one engineer, as they may see it of themselves. Never a measure of how well somebody works.", "now-90d", "Their own page", "/engineer?who=${engineer:percentencode}").
		choice("team", "Of team or queue", "fairlead_engineer_open_tickets", true).
		choice("engineer", "Engineer", `fairlead_engineer_open_tickets{team=~"$team"}`, false).
		choice("window", "Window", "fairlead_engineer_load", false)
	p.lonely = true // All teams here are no team there
	of := func(metric string) string { return metric + `{engineer="$engineer"}` }
	windowed := func(metric string) string {
		return metric + `{engineer="$engineer",unit="tickets",window="$window"}`
	}

	p.note(24, 3, "What rests on **$engineer**, not how well they work: nothing here counts finished work, and nothing is compared with anybody by name. "+
		"It is a pseudonym; `fairlead whois $engineer` says who it is, and notes who asked. If it is you, [your page](${fairlead}/me) shows every figure that is held on you, where it comes from, who looked, and how to object.")
	p.number(6, "Overloaded", "Signs of overload of two kinds in three of the last four weeks. It goes out when they have been gone for two.", number,
		top("engineer", of("fairlead_engineer_overloaded")), yes, badFromOne...).NoValue("too little known")
	p.number(6, "Open tickets", "Open tickets that they hold, in all teams.", number, `sum(`+top("engineer, team", of("fairlead_engineer_open_tickets"))+`)`, nil, level0...)
	p.number(6, "Over an even share", "Their share of a team's open work over an even share, the greatest of their teams: 1 is even.", times,
		top("engineer", windowed("fairlead_engineer_relative_load_ratio")), nil, relative...).Decimals(1)
	p.number(6, "Unplanned", "Share of the work received in the last four weeks that was unplanned: incidents, unless configured otherwise.", ratio,
		top("engineer", of("fairlead_engineer_unplanned_ratio")), nil, level{0, green}, level{0.5, yellow}).NoValue("no incidents")
	signs := p.bars(12, 9, "Signs of overload", "How strong each sign was in the last week: 1 is at its threshold. When somebody worked is not shown of single people unless that was agreed.", number,
		query{top("family, signal", of("fairlead_engineer_overload_signal")), "{{signal}}"}, sign...).Decimals(2).NoValue("too little is known of the last weeks")
	for _, s := range signals {
		signs.OverrideByName(s.name, []dashboard.DynamicConfigValue{{Id: "displayName", Value: s.words}})
	}
	p.lines(12, 9, "Over an even share", "By team: 1 is even, and the line to compare with.", times,
		query{lately("team", windowed("fairlead_engineer_relative_load_ratio")), "{{team}}"}).OverrideByFieldType("number", leads("Open the team", p.toTeam(label("team"))))
	p.lines(12, 9, "Open tickets", "What they held, by team.", number, query{lately("team", of("fairlead_engineer_open_tickets")), "{{team}}"})
	p.lines(12, 9, "Average open tickets over the window", "By team: smoother than the count of the day.", number,
		query{lately("team", windowed("fairlead_engineer_load")), "{{team}}"})
	p.bars(12, 10, "What they know", "Their share of the evidence of an area, where they are among the five who have most. Close to 100 % means that others ask them, and that their holidays are felt.", ratio,
		query{top("area", of("fairlead_engineer_area_evidence_ratio")), "{{area}}"}, level{0, green}, level{0.5, yellow}, level{0.75, orange}).Max(1).Decimals(0).
		NoValue("no area where they are among the first five")
	p.bars(12, 10, "What would be left if they were away", "Share of a team's recent tickets that are in areas which nobody else knows well enough. Something to share, not a merit.", ratio,
		query{either(top("team", of("fairlead_engineer_orphaned_demand_ratio")), top("team", of("fairlead_engineer_open_tickets"))), "{{team}}"}, level{0, green}, level{0.25, yellow}, level{0.5, orange}).Max(1).Decimals(0)
	return p
}
