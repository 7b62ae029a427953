package main

import "strings"

// Figures are aggregated by max: several Fairleads on one warehouse export the
// same ones.

// top is the figure of now, by the labels given.
func top(by, series string) string { return "max by (" + by + ") (" + series + ")" }

// lately is the same at any instant of a range. It looks back 26 hours, so that
// one sample a day shows as a line.
func lately(by, series string) string {
	return "max by (" + by + ") (last_over_time(" + series + "[26h]))"
}

// spread is a figure of the distribution of a team's open work.
func spread(metric, team string) string {
	return metric + `{team=` + team + `,basis="load",unit="tickets",window="$window"}`
}

// either is the expression, or 0 where it gives nothing although the series in
// known is there.
func either(expr, known string) string {
	return strings.Join([]string{expr, "or 0 *", known}, " ")
}

const (
	toTeam     = "/d/fairlead-team?${datasource:queryparam}&var-team=${__value.raw:percentencode}"
	toArea     = "/d/fairlead-knowledge?${datasource:queryparam}&var-area=${__value.raw:percentencode}"
	toEngineer = "/d/fairlead-engineer?${datasource:queryparam}&var-engineer=${__value.raw:percentencode}"
)
