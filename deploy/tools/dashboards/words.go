package main

// What the colours and words of figures mean, wherever they are shown.

var (
	badFromOne = []level{{0, green}, {1, orange}}
	relative   = []level{{0, green}, {1.25, yellow}, {1.5, orange}, {2, red}}
	sign       = []level{{0, green}, {0.8, yellow}, {1, orange}}
	silo       = []level{{0, green}, {0.3, yellow}, {0.5, orange}, {0.7, red}}
	bus        = []level{{0, red}, {2, yellow}, {3, green}}
	hours      = []level{{0, green}, {0.1, yellow}, {0.2, orange}}
	yes        = map[string]string{"0": "no", "1": "yes"}
	kinds      = map[string]string{"queue": "queue", "roster": "team"}
)

// Units. A score has none; a share of work over an even share is so many times.
const (
	number  = "none"
	ratio   = "percentunit"
	seconds = "s"
	times   = "suffix: ×"
)

// signals are the signs of overload as the exporter calls them, as people do, and
// in the head of a table.
var signals = []struct{ name, words, short string }{
	{"own_load", "Demand: more than usual for them", "Own usual"},
	{"team_load", "Demand: more than the team has", "The team's"},
	{"flow", "Demand: more comes than goes", "Inflow"},
	{"unplanned", "Interruption: unplanned work", "Unplanned"},
	{"on_call", "Interruption: incidents on call", "On call"},
	{"after_hours", "Time: after hours", "After hours"},
	{"rest", "Time: short rests", "Rest"},
}
