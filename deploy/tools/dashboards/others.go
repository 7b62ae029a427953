package main

func knowledge() *page {
	p := newPage("fairlead-knowledge", "Fairlead: knowledge and ownership", "Which areas rest on one person, and how that changes.", "now-90d").
		choice("area", "Area", "fairlead_area_ownership_hhi", true).
		choice("team", "Team", "fairlead_team_silo_score", true)
	p.number(6, "Areas looked at", "Areas with enough evidence, and enough people, to say who knows them.", "none", "count("+top("area", `fairlead_area_ownership_hhi{area=~"$area"}`)+")", nil, level{0, plain})
	p.number(6, "Areas with one holder", "Areas that exactly one person knows well enough to keep them going.", "none",
		either("count("+top("area", `fairlead_area_bus_factor{area=~"$area"}`)+" == 1)", "count("+top("area", `fairlead_area_bus_factor{area=~"$area"}`)+")"), nil, badFromOne...)
	p.number(6, "Strong silos", "Areas with a silo score of 0.5 and more: knowledge, backup and demand together point at one person.", "none",
		either("count("+top("area", `fairlead_area_silo_score{area=~"$area"}`)+" >= 0.5)", "count("+top("area", `fairlead_area_silo_score{area=~"$area"}`)+")"), nil, badFromOne...)
	p.number(6, "Of them, holder away or leaving", "Areas whose only holder is away, leaving or gone, by the roster. 0 also where there is no roster.", "none",
		either("count("+top("area", `fairlead_area_sole_holder_absent{area=~"$area"}`)+")", "count(count(fairlead_build_info))"), nil, badFromOne...)
	p.rows(24, 12, "Areas", "One row an area. Knowledge is evidence from tickets, fading with time; what leaves no trace there is not seen.",
		[]column{{name: "Area", expr: "area", link: toArea}},
		column{name: "Silo", expr: top("area", `fairlead_area_silo_score{area=~"$area"}`), unit: "none", levels: silo},
		column{name: "Share of the first", expr: top("area", `fairlead_area_top_owner_ratio{area=~"$area"}`), unit: "percentunit"},
		column{name: "People who know it", expr: top("area", `fairlead_area_bus_factor{area=~"$area"}`), unit: "none", levels: bus},
		column{name: "Gathered with one", expr: top("area", `fairlead_area_silo_component{area=~"$area",component="concentration"}`), unit: "percentunit"},
		column{name: "No backup", expr: top("area", `fairlead_area_silo_component{area=~"$area",component="missing_backup"}`), unit: "percentunit"},
		column{name: "Asked of one only", expr: top("area", `fairlead_area_silo_component{area=~"$area",component="sole_demand"}`), unit: "percentunit"})
	p.lines(12, 10, "Silo score", "How far the knowledge of each area sits with one person, from 0 (shared) to 1. The ten greatest.", "none",
		query{`topk(10, ` + lately("area", `fairlead_area_silo_score{area=~"$area"}`) + `)`, "{{area}}"}).Max(1)
	p.lines(12, 10, "Effective owners", "The number of owners who, with equal evidence, would be as concentrated. The ten least.", "none",
		query{`bottomk(10, ` + lately("area", `fairlead_area_effective_owners{area=~"$area"}`) + `)`, "{{area}}"})
	p.bars(12, 10, "Grew most in four weeks", "Change of the silo score against four weeks ago, or since there are figures. From 0.1 it is worth a look.", "none",
		query{`topk(10, ` + top("area", `fairlead_area_silo_score{area=~"$area"}`) + ` - ` + top("area", `last_over_time(fairlead_area_silo_score{area=~"$area"}[26h] offset 4w)`) + ` or ` + top("area", `fairlead_area_silo_score{area=~"$area"} * 0`) + `)`, "{{area}}"}, level{0, green}, level{0.05, yellow}, level{0.1, orange})
	p.rows(12, 10, "Teams", "What if somebody left: how few people a team's areas rest on, and how many areas on one alone.",
		[]column{{name: "Team", expr: "team", link: toTeam}},
		column{name: "People it rests on", expr: top("team", `fairlead_team_bus_factor{team=~"$team"}`), unit: "none", levels: bus},
		column{name: "Areas of one holder", expr: top("team", `fairlead_team_sole_holder_areas{team=~"$team"}`), unit: "none", levels: badFromOne},
		column{name: "Silo", expr: top("team", `fairlead_team_silo_score{team=~"$team"}`), unit: "none", levels: silo})
	return p
}

func quarter() *page {
	p := newPage("fairlead-quarter", "Fairlead: quarter", "How teams and knowledge went over the past year, to look back on a quarter.", "now-1y").
		choice("team", "Team", "fairlead_team_unassigned_tickets", true).
		choice("window", "Window", "fairlead_team_engineers", false)
	p.note(3, "", "Each point looks back over the window **$window**. With `fairlead history` the past year is here from the first day on.")
	p.lines(12, 9, "Unevenness beyond chance", "Gini of the open work beyond what luck gives: at 0 and below it is luck.", "none",
		query{lately("team", spread("fairlead_team_load_gini_excess", `~"$team"`)), "{{team}}"})
	p.lines(12, 9, "Would have to move", "Share of the open work that would have to go to others for all to have the same.", "percentunit",
		query{lately("team", spread("fairlead_team_load_hoover_ratio", `~"$team"`)), "{{team}}"})
	p.lines(12, 9, "Finished", "Tickets that became done in the window. To see whether a team's work changed, never to compare teams.", "none",
		query{lately("team", `fairlead_team_tickets{team=~"$team",basis="resolved",window="$window"}`), "{{team}}"})
	p.lines(12, 9, "Received", "Tickets that people of the team were given in the window.", "none",
		query{lately("team", `fairlead_team_tickets{team=~"$team",basis="assigned",window="$window"}`), "{{team}}"})
	p.lines(12, 9, "Open work", "Average number of open tickets that people of a team held over the window.", "none",
		query{lately("team", `fairlead_team_load{team=~"$team",unit="tickets",window="$window"}`), "{{team}}"})
	p.lines(12, 9, "Effective people", "How many people would, with equal work, be as concentrated. A fall without people leaving says that work gathers.", "none",
		query{lately("team", spread("fairlead_team_effective_engineers", `~"$team"`)), "{{team}}"})
	p.lines(24, 9, "Areas that gather with one person", "Silo score of the ten areas where it is greatest, from 0 (shared) to 1.", "none",
		query{`topk(10, ` + lately("area", `fairlead_area_silo_score`) + `)`, "{{area}}"}).Max(1)
	return p
}

func itself() *page {
	p := newPage("fairlead-itself", "Fairlead itself", "Whether Fairlead collects and computes as it should.", "now-24h").
		choice("source", "Source", "fairlead_source_stored_tickets", true)
	age := []level{{0, green}, {900, yellow}, {1800, red}}
	p.number(4, "Age of the figures", "Time since an analysis was published. After metrics.max_age (an hour) figures are no longer shown.", "s", "time() - max(fairlead_snapshot_timestamp_seconds)", nil, age...)
	p.number(4, "An analysis takes", "How long the published analysis took.", "s", "max(fairlead_analysis_duration_seconds)", nil, level{0, green}, level{60, yellow}, level{240, red})
	p.number(4, "Failed analyses, last day", "Analyses that failed in the last 24 hours; the log says why.", "none", "round(sum(increase(fairlead_analysis_failures_total[24h])))", nil, badFromOne...)
	p.number(4, "Series left out, last day", "Series that were cut because of metrics.max_series.", "none", "round(sum(increase(fairlead_series_dropped_total[24h])))", nil, badFromOne...)
	p.number(4, "Unknown statuses", "Statuses that no rule maps to a category: their tickets count as open until one does.", "none", "max(fairlead_analysis_unknown_statuses)", nil, badFromOne...)
	p.number(4, "Running", "Fairleads that are scraped now.", "none", "count(count by (instance) (fairlead_build_info))", nil, level{0, red}, level{1, green})
	by := func(metric string) string { return top("source", metric+`{source=~"$source"}`) }
	p.rows(24, 8, "Sources", "One row a source: how current it is, and what it withheld.",
		[]column{{name: "Source", expr: "source"}},
		column{name: "Behind by", expr: "time() - (" + by("fairlead_source_last_success_timestamp_seconds") + " > 0)", unit: "s", levels: age},
		column{name: "First collection", expr: `min by (source) (fairlead_source_backfill_ratio{source=~"$source"})`, unit: "percentunit"},
		column{name: "Tickets", expr: by("fairlead_source_stored_tickets"), unit: "none"},
		column{name: "Deleted", expr: by("fairlead_source_deleted_tickets"), unit: "none"},
		column{name: "Histories incomplete", expr: by("fairlead_source_incomplete_histories"), unit: "none", levels: badFromOne},
		column{name: "Could not be stored", expr: by("fairlead_source_quarantined_tickets"), unit: "none", levels: badFromOne},
		column{name: "Collected by one", expr: by("fairlead_source_lease_held"), unit: "none", words: yes, levels: []level{{0, red}, {1, green}}},
		column{name: "Seen, not stored", expr: by("fairlead_source_unstored_tickets"), unit: "none"})
	p.lines(12, 9, "Requests, by answer", "Requests a second to each source by the status of the answer. 429: the source finds that there are too many; error: none came whole.", "reqps",
		query{`sum by (source, code) (rate(fairlead_source_requests_total{source=~"$source"}[$__rate_interval]))`, "{{source}} {{code}}"})
	p.lines(12, 9, "How long the sources take", "95 of a hundred requests were answered within this time.", "s",
		query{`histogram_quantile(0.95, sum by (source, le) (rate(fairlead_source_request_duration_seconds_bucket{source=~"$source"}[$__rate_interval])))`, "{{source}}"})
	p.lines(12, 9, "Tickets written", "Tickets written to the warehouse a second; one that changes twice is written twice.", "none",
		query{`sum by (source) (rate(fairlead_source_written_tickets_total{source=~"$source"}[$__rate_interval]))`, "{{source}}"})
	p.lines(12, 9, "Last change that is known", "Time since the last ticket that a source brought was changed. Nights and weekends show.", "s",
		query{`time() - ` + by("fairlead_source_cursor_timestamp_seconds"), "{{source}}"})
	p.lines(12, 9, "Refused and failed", "In an hour: requests that the source refused as too many, collections that ended with an error, sweeps that were refused.", "none",
		query{`sum by (source) (increase(fairlead_source_rate_limited_total{source=~"$source"}[1h]))`, "{{source}}: too many requests"},
		query{`sum by (source) (increase(fairlead_source_collection_failures_total{source=~"$source"}[1h]))`, "{{source}}: collections failed"},
		query{`sum by (source) (increase(fairlead_source_sweeps_total{source=~"$source",outcome="refused"}[1h]))`, "{{source}}: sweeps refused"})
	p.lines(12, 9, "Duration of an analysis", "How long each analysis took. Near its interval it will fall behind.", "s", query{"max(fairlead_analysis_duration_seconds)", "duration"})
	return p
}
