package overload

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mathext"

	"fairlead/analysis/distribution"
)

// Family is what kind of strain a signal speaks of.
type Family string

// The families.
const (
	FamilyDemand       Family = "demand"
	FamilyInterruption Family = "interruption"
	FamilyTime         Family = "time"
)

// Families lists all of them, in the order in which they are told.
var Families = []Family{FamilyDemand, FamilyInterruption, FamilyTime}

// Signal names a signal.
type Signal string

// The signals; see the package's words for what each is.
const (
	SignalOwnLoad    Signal = "own_load"
	SignalTeamLoad   Signal = "team_load"
	SignalFlow       Signal = "flow"
	SignalOnCall     Signal = "on_call"
	SignalUnplanned  Signal = "unplanned"
	SignalAfterHours Signal = "after_hours"
	SignalRest       Signal = "rest"
)

// Signals lists all of them, in the order in which they are told.
var Signals = []Signal{SignalOwnLoad, SignalTeamLoad, SignalFlow, SignalOnCall, SignalUnplanned, SignalAfterHours, SignalRest}

// Family is the family of the signal.
func (s Signal) Family() Family {
	switch s {
	case SignalOwnLoad, SignalTeamLoad, SignalFlow:
		return FamilyDemand
	case SignalOnCall, SignalUnplanned:
		return FamilyInterruption
	default:
		return FamilyTime
	}
}

// Status is how much is known of a signal.
type Status uint8

// The statuses.
const (
	Absent       Status = iota // what it needs is not known
	Insufficient               // it is known, and too little to judge by
	Measured
)

// Reading is one signal of one engineer in one week.
type Reading struct {
	Signal Signal
	Status Status

	// Value is the number that is published: robust deviations, times the team's
	// load per FTE, standard deviations, incidents per shift, shares, hours.
	// Threshold is what it is compared with (for SignalRest it must not be under it).
	// All three are NaN unless Status is Measured.
	Value, Threshold float64

	// Level is how near the signal is to holding, at least 0: over 1 it holds.
	// For SignalTeamLoad it is the lesser of that of the load and that of the tail.
	Level float64
}

// Holds reports whether the signal holds.
func (r Reading) Holds() bool { return r.Level > 1 }

// Parts are the numbers that the readings of a week were made of; NaN where a
// signal is not measured.
type Parts struct {
	Load              float64 // the week's own load
	UsualLoad, Spread float64 // median before, and the denominator of SignalOwnLoad
	BaselineWeeks     int     // that are known

	LoadShare, CapacityShare float64 // s and p in the team
	TeamTickets              float64 // 1/h, effective
	TeamZ, TeamTail          float64 // of s under chance
	TeamPeople               int

	Arrivals, Completions uint64 // over the weeks of SignalFlow

	Incidents, Shifts float64 // on call; a shift may be a fraction

	Received, Unplanned float64

	Acts, OffActs      uint64
	OffLower, OffUsual float64       // Wilson's bound of this week, and the share before
	ShortestRest       time.Duration // 0 where unknown

	Contexts float64 // effective number of areas worked in
}

// week is a record with what its signals need besides.
type week struct {
	record   Record
	history  []Record // of the member, before the week, by week
	aside    []bool   // of history: more rested on them than on the team
	team     team
	config   *Config
	tailZ    float64 // normal quantile of 1 − TeamLoadTail
	wilsonZ  float64
	readings []Reading
	parts    Parts
}

// team is what the members who were there had together in a week.
type team struct {
	weights  distribution.Weights
	capacity float64
	people   int
}

func newParts() Parts {
	nan := math.NaN()
	return Parts{
		Load: nan, UsualLoad: nan, Spread: nan, LoadShare: nan, CapacityShare: nan, TeamTickets: nan, TeamZ: nan, TeamTail: nan,
		Incidents: nan, Shifts: nan, Received: nan, Unplanned: nan, OffLower: nan, OffUsual: nan, Contexts: nan,
	}
}

func (w *week) add(signal Signal, status Status, value, threshold, level float64) {
	if status != Measured {
		value, threshold, level = math.NaN(), math.NaN(), math.NaN()
	} else {
		level = max(0, level)
	}
	w.readings = append(w.readings, Reading{signal, status, value, threshold, level})
}

// read makes the readings, in the order of Signals.
func (w *week) read() {
	w.parts = newParts()
	w.parts.Contexts = contexts(w.record.Areas)
	w.readOwnLoad()
	w.readTeamLoad()
	w.readFlow()
	w.readOnCall()
	w.readUnplanned()
	w.readAfterHours()
	w.readRest()
}

// since is the part of the history from a number of weeks before this one on.
func (w *week) since(weeks int) []Record {
	first := int64(w.record.Week) - int64(weeks)
	i, _ := slices.BinarySearchFunc(w.history, first, func(r Record, first int64) int {
		if int64(r.Week) < first {
			return -1
		}
		return 1
	})
	return w.history[i:]
}

// usual is the part of the history that the week is compared with: that of the
// baseline's weeks, each week that was set aside giving way to one before.
func (w *week) usual() []Record {
	var list []Record
	reach := int64(w.record.Week) - int64(w.config.BaselineWeeks)
	for i := len(w.history) - 1; i >= 0 && int64(w.history[i].Week) >= reach; i-- {
		if w.aside[i] {
			reach--
			continue
		}
		list = append(list, w.history[i])
	}
	return list
}

func (w *week) readOwnLoad() {
	x := w.record.Load.Sum
	w.parts.Load = x
	var usual []float64
	var weights distribution.Weights
	for _, r := range w.usual() {
		if r.Capacity > 0 {
			usual = append(usual, r.Load.Sum)
			weights = weights.Plus(r.Load)
		}
	}
	w.parts.BaselineWeeks = len(usual)
	if len(usual) < w.config.LeastBaseline {
		w.add(SignalOwnLoad, Insufficient, 0, 0, 0)
		return
	}
	middle := median(usual)
	off := make([]float64, len(usual))
	for i, u := range usual {
		off[i] = math.Abs(u - middle)
	}
	spread := max(madToSigma*median(off), 1)
	if weights.Sum > 0 {
		spread = max(spread, math.Sqrt(middle*(weights.Squares/weights.Sum)))
	}
	w.parts.UsualLoad, w.parts.Spread = middle, spread
	z := (x - middle) / spread
	w.add(SignalOwnLoad, Measured, z, w.config.OwnLoad, z/w.config.OwnLoad)
}

// madToSigma makes the median absolute deviation of a normal distribution its
// standard deviation.
const madToSigma = 1.4826

// median sorts values and gives the middle one, the mean of two when their
// number is even.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	low, high := values[(n-1)/2], values[n/2]
	return low + (high-low)/2
}

func (w *week) readTeamLoad() {
	t := w.team
	w.parts.TeamPeople = t.people
	if t.people < 2 {
		w.add(SignalTeamLoad, Absent, 0, 0, 0)
		return
	}
	h := min(1, t.weights.H())
	p := w.record.Capacity / t.capacity
	if !(h > 0) || !(p > 0 && p < 1) {
		w.add(SignalTeamLoad, Insufficient, 0, 0, 0)
		return
	}
	s := min(1, w.record.Load.Sum/t.weights.Sum)
	tail := distribution.BinomialUpperTail(min(s/h, 1/h), 1/h, p)
	w.parts.LoadShare, w.parts.CapacityShare, w.parts.TeamTickets = s, p, 1/h
	w.parts.TeamZ, w.parts.TeamTail = distribution.ShareZ(s, p, h), tail
	relative := s / p
	w.add(SignalTeamLoad, Measured, relative, w.config.TeamLoad, min(relative/w.config.TeamLoad, normalScore(tail)/w.tailZ))
}

// normalScore is the standard normal deviate with an upper tail: what z would
// be if the distribution were normal. It is bounded where the tail is 0 or 1.
func normalScore(tail float64) float64 {
	const most = 38 // where the tail of the normal leaves float64
	switch {
	case !(tail > 0):
		return most
	case tail >= 1:
		return -most
	}
	return -mathext.NormalQuantile(tail)
}

func (w *week) readFlow() {
	before := w.since(w.config.FlowWeeks - 1)
	a, b := w.record.Arrivals, w.record.Completions
	for _, r := range before {
		a, b = a+r.Arrivals, b+r.Completions
	}
	if len(before) < w.config.FlowWeeks-1 || a+b == 0 {
		w.add(SignalFlow, Insufficient, 0, 0, 0)
		return
	}
	w.parts.Arrivals, w.parts.Completions = a, b
	z := (float64(a) - float64(b)) / math.Sqrt(float64(a)+float64(b))
	w.add(SignalFlow, Measured, z, w.config.Flow, z/w.config.Flow)
}

func (w *week) readOnCall() {
	o := w.record.OnCall
	switch {
	case o == nil:
		w.add(SignalOnCall, Absent, 0, 0, 0)
	case o.Duration < w.config.Shift:
		w.add(SignalOnCall, Insufficient, 0, 0, 0)
	default:
		w.parts.Incidents, w.parts.Shifts = float64(o.Incidents), float64(o.Duration)/float64(w.config.Shift)
		rate := w.parts.Incidents / w.parts.Shifts
		w.add(SignalOnCall, Measured, rate, w.config.OnCall, rate/w.config.OnCall)
	}
}

func (w *week) readUnplanned() {
	r := w.record.Received
	switch {
	case r == nil:
		w.add(SignalUnplanned, Absent, 0, 0, 0)
	case r.Items < w.config.UnplannedLeast || r.All == 0:
		w.add(SignalUnplanned, Insufficient, 0, 0, 0)
	default:
		w.parts.Received, w.parts.Unplanned = r.All, r.Unplanned
		share := min(1, r.Unplanned/r.All)
		w.add(SignalUnplanned, Measured, share, w.config.Unplanned, share/w.config.Unplanned)
	}
}

func (w *week) readAfterHours() {
	acts := w.record.Acts
	if acts == nil {
		w.add(SignalAfterHours, Absent, 0, 0, 0)
		return
	}
	w.parts.Acts, w.parts.OffActs = acts.N, acts.Off
	var n, off uint64
	weeks := 0
	for _, r := range w.usual() {
		if r.Capacity > 0 && r.Acts != nil {
			weeks, n, off = weeks+1, n+r.Acts.N, off+r.Acts.Off
		}
	}
	if weeks < w.config.LeastBaseline || n == 0 || acts.N == 0 || acts.OnCall > acts.N {
		w.add(SignalAfterHours, Insufficient, 0, 0, 0)
		return
	}
	lower := wilsonLower(float64(acts.Off), float64(acts.N), w.wilsonZ)
	w.parts.OffLower, w.parts.OffUsual = lower, float64(off)/float64(n)
	usual := max(w.parts.OffUsual, w.config.AfterHoursFloor) * w.config.AfterHours
	// The share is published and must exceed what makes its bound exceed the
	// usual: the level is that of the bound.
	w.add(SignalAfterHours, Measured, float64(acts.Off)/float64(acts.N), usual, lower/usual)
}

// wilsonLower is the lower end of Wilson's score interval (1927) for k of n.
func wilsonLower(k, n, z float64) float64 {
	p, zz := k/n, z*z
	return max(0, (p+zz/(2*n)-z*math.Sqrt(p*(1-p)/n+zz/(4*n*n)))/(1+zz/n))
}

func (w *week) readRest() {
	acts := w.record.Acts
	switch {
	case acts == nil:
		w.add(SignalRest, Absent, 0, 0, 0)
	case acts.ShortestRest == 0 || acts.OnCall > acts.N:
		w.add(SignalRest, Insufficient, 0, 0, 0)
	default:
		w.parts.ShortestRest = acts.ShortestRest
		w.add(SignalRest, Measured, acts.ShortestRest.Hours(), w.config.Rest.Hours(), float64(w.config.Rest)/float64(acts.ShortestRest))
	}
}
