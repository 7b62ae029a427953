package main

import (
	"fmt"
	"regexp"
)

// Figures are aggregated by max: several Fairleads on one warehouse export the
// same ones, and history has no instance.

// weekly are the figures of which `fairlead history` writes one sample a week; of
// the others it is one a day.
var weekly = regexp.MustCompile(`fairlead_(area_|engineer_(area_|orphaned_|uncovered_)|team_(bus_factor|silo_score|sole_holder_areas|load_fairness_|load_gini_chance_(low|high)))`)

// reach is how far back a sample of the history is looked for.
func reach(series string) string {
	if weekly.MatchString(series) {
		return "8d"
	}
	return "26h"
}

// at is the series at the end of the dashboard's range. Of a time when no
// Fairlead was scraped, the last sample of the history holds; of any other only
// what is fresh: a figure that has stopped must not look as if it were of now.
func at(series string) string {
	return fmt.Sprintf("%s or last_over_time(%[1]s[%s]) unless on () last_over_time(fairlead_build_info[%[2]s])", series, reach(series))
}

// top is the figure at the end of the range, by the labels given.
func top(by, series string) string { return "max by (" + by + ") (" + at(series) + ")" }

// within is what lies in the step that begins at each instant. Grafana's steps
// end at round times, hours ago where a year is shown: so the newest figure is in
// the last one, one sample a day is found, and none is shown for longer than it
// holds.
const within = "[$__interval] offset -$__interval"

// lately is the figure over the range.
func lately(by, series string) string {
	return "max by (" + by + ") (last_over_time(" + series + within + "))"
}

// most is lately, of the ten that were greatest in the range: a line is there from
// end to end, or not at all.
func most(by, series string) string { return ofTen("topk", "max", by, series) }

// least is most for the ten that were least.
func least(by, series string) string { return ofTen("bottomk", "min", by, series) }

func ofTen(choose, extreme, by, series string) string {
	// The steps of the range are those of the clock; what is newest may not have
	// come to one yet.
	whole := fmt.Sprintf("%s_over_time(last_over_time(%s[$__interval])[$__range:$__interval] @ end() offset -$__interval)", extreme, series)
	newest := fmt.Sprintf("last_over_time(%s[%s] @ end() offset -$__interval)", series, reach(series))
	return fmt.Sprintf("%s and on (%s) %s(10, %s by (%s) (%s or %s))", lately(by, series), by, choose, extreme, by, whole, newest)
}

// spread is a figure of the distribution of a team's open work.
func spread(metric, team string) string {
	return metric + `{team` + team + `,basis="load",unit="tickets",window="$window"}`
}

// either is the expression, or 0 where it gives nothing although the series in
// known is there.
func either(expr, known string) string { return expr + " or 0 * " + known }
