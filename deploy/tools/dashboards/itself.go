package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
)

var ages = []level{{0, green}, {900, yellow}, {1800, red}}

func itself() *page {
	p := newPage("fairlead-itself", "Fairlead itself", "Whether Fairlead collects and computes as it should.", "now-24h", "Collection", "/collection").
		choice("source", "Source", "fairlead_source_tickets", true)
	p.Refresh("1m")
	by := func(metric string) string { return "max by (source) (" + metric + `{source=~"$source"})` }
	each := func(metric, more, window string) string {
		return "sum by (source) (increase(" + metric + `{source=~"$source"` + more + "}[" + window + "]))"
	}

	p.number(4, "Age of the figures", "Time since an analysis was published, or found that nothing had changed. After metrics.max_age, an hour by default, figures are no longer shown.", seconds, "time() - max(fairlead_snapshot_timestamp_seconds)", nil, ages...)
	p.number(4, "Last success", "Time since the last analysis that succeeded. Far above its interval, the warehouse or the memory is the place to look; the log says why.", seconds, "time() - max(fairlead_analysis_last_success_timestamp_seconds > 0)", nil, ages...)
	p.number(4, "An analysis takes", "How long the published analysis took. Near analysis.interval it falls behind.", seconds, "max(fairlead_analysis_duration_seconds)", nil, level{0, green}, level{60, yellow}, level{240, red}).Decimals(1)
	p.number(4, "Failed analyses, last day", "Analyses that failed in the last 24 hours; the log says why.", number, "round(sum(increase(fairlead_analysis_failures_total[24h])))", nil, badFromOne...)
	p.number(4, "Series left out, last day", "Series that were cut because of metrics.max_series.", number, "round(sum(increase(fairlead_series_dropped_total[24h])))", nil, badFromOne...)
	p.number(4, "Running", "Fairleads that are scraped now.", number, "count(count by (instance) (fairlead_build_info))", nil, level{0, red}, level{1, green})

	p.rows(24, 8, "Sources", "One row a source: how current it is, and what it withheld. Backfilled: how much of the first collection is stored. Incomplete: tickets of whose history a part was withheld. Refused: tickets that could not be read or stored. Unstored: seen by the last sweep and still not there. Unrecorded: changes that a history lacks or contradicts. Refetched: tickets that a search showed older than they were. Sweep: how long ago the last look for deleted tickets was. Held here: whether this process has the right to collect the source.",
		[]column{{name: "Source", expr: "source"}},
		column{name: "Behind by", expr: "time() - (" + by("fairlead_source_last_success_timestamp_seconds") + " > 0)", unit: seconds, levels: ages},
		column{name: "Backfilled", expr: `min by (source) (fairlead_source_backfill_ratio{source=~"$source"})`, unit: ratio, levels: []level{{0, yellow}, {1, green}}},
		column{name: "Tickets", expr: by("fairlead_source_tickets"), unit: number},
		column{name: "Deleted", expr: by("fairlead_source_deleted_tickets"), unit: number},
		column{name: "Incomplete", expr: by("fairlead_source_incomplete_histories"), unit: number, levels: badFromOne},
		column{name: "Refused", expr: by("fairlead_source_quarantined_tickets"), unit: number, levels: badFromOne},
		column{name: "Unstored", expr: by("fairlead_source_unstored_tickets"), unit: number},
		column{name: "Unrecorded", expr: by("fairlead_source_unrecorded_changes_total"), unit: number},
		column{name: "Refetched", expr: by("fairlead_source_refetched_tickets_total"), unit: number},
		column{name: "Sweep", expr: "time() - (" + by("fairlead_source_last_sweep_timestamp_seconds") + " > 0)", unit: seconds},
		column{name: "Held here", expr: by("fairlead_source_lease_held"), unit: number, words: yes, levels: []level{{0, red}, {1, green}}})

	p.lines(12, 9, "Requests, by answer", "Requests a second to each source by the status of the answer. 429: the source finds that there are too many; error: none came whole.", "reqps",
		query{`sum by (source, code) (rate(fairlead_source_requests_total{source=~"$source"}[$__rate_interval]))`, "{{source}} {{code}}"})
	p.lines(12, 9, "How long the sources take", "95 of a hundred requests were answered within this time.", seconds,
		query{`histogram_quantile(0.95, sum by (source, le) (rate(fairlead_source_request_duration_seconds_bucket{source=~"$source"}[$__rate_interval]))) or histogram_quantile(0.95, sum by (source) (rate(fairlead_source_request_duration_seconds{source=~"$source"}[$__rate_interval])))`, "{{source}}"})
	p.lines(12, 9, "Tickets written in an hour", "Tickets written to the warehouse; one that changes twice is written twice.", number,
		query{each("fairlead_source_written_tickets_total", "", "1h"), "{{source}}"})
	p.lines(12, 9, "Last change that is known", "Time since the last ticket that a source brought was changed. Nights and weekends show.", seconds,
		query{`time() - ` + by("fairlead_source_cursor_timestamp_seconds"), "{{source}}"})
	p.lines(12, 9, "Refused and failed in an hour", "Requests that the source refused as too many, collections that ended with an error, sweeps that were refused because too much seemed gone.", number,
		query{each("fairlead_source_rate_limited_total", "", "1h"), "{{source}}: too many requests"},
		query{each("fairlead_source_collection_failures_total", "", "1h"), "{{source}}: collections failed"},
		query{each("fairlead_source_sweeps_total", `,outcome="refused"`, "1h"), "{{source}}: sweeps refused"})
	p.lines(12, 9, "Duration of an analysis", "How long each analysis took. Near its interval it will fall behind.", seconds, query{"max(fairlead_analysis_duration_seconds)", "duration"})
	p.lines(24, 8, "What the analysis waits for", "The mean time of each of its queries over the last hour, or since the start where there was none. One that grows with the tickets is the one to look for in the server's query log, by its log_comment.", seconds,
		query{meanByQuery("fairlead_analysis_query_duration_seconds"), "{{query}}"})
	p.number(8, "Statuses without a category", "Statuses that no rule maps to a category: their tickets count as open until one does. Set them in statuses of the source.", number, "max(fairlead_analysis_unknown_statuses)", nil, badFromOne...)
	p.number(8, "Figures are of", "The instant that the published figures describe. On a replayed log it lies in the past.", "dateTimeAsIso", "max(fairlead_snapshot_as_of_timestamp_seconds) * 1000", nil, level0...)
	p.number(8, "Version", "The version of Fairlead that runs.", number, "count by (version) (fairlead_build_info)", nil, level0...).
		TextMode(common.BigValueTextModeName).Targets([]cog.Builder[variants.Dataquery]{now(0, query{"count by (version) (fairlead_build_info)", "{{version}}"})})
	return p
}

// meanByQuery is the mean of a histogram, classic or native, over an hour, and
// over all time where nothing was observed in that.
func meanByQuery(metric string) string {
	mean := func(sum, count string) string {
		return "sum by (query) (" + sum + ") / (sum by (query) (" + count + ") > 0)"
	}
	return mean("increase("+metric+"_sum[1h])", "increase("+metric+"_count[1h])") +
		" or " + mean("histogram_sum(increase("+metric+"[1h]))", "histogram_count(increase("+metric+"[1h]))") +
		" or " + mean(metric+"_sum", metric+"_count") +
		" or " + mean("histogram_sum("+metric+")", "histogram_count("+metric+")")
}
