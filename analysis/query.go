package analysis

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Basis is what of a ticket counts, and for whom.
type Basis string

// The bases.
const (
	// Load is open work integrated over the window: an assignment counts for as
	// long as it lasted within the window while the ticket was not done and not
	// deleted, in ticket-days or effort-days.
	Load Basis = "load"
	// Assigned counts assignments that began in the window, each receipt of a
	// ticket again, those of no length among them.
	Assigned Basis = "assigned"
	// Resolved counts tickets that are done at the window's end and became so
	// in it, that is, whose unbroken run of done statuses began there, for
	// whoever holds them at the window's end.
	Resolved Basis = "resolved"
)

// Unit is what a ticket weighs.
type Unit string

// The units.
const (
	Tickets Unit = "tickets" // each 1
	Effort  Unit = "effort"  // as package effort estimates it: 1 is the source's typical ticket
)

// By is into which groups the people are put.
type By string

// The groupings. A team is a group of the source with its name (without a
// roster: a queue), the same name in two sources being one; the group at the
// start of the assignment for Assigned, at the window's end for Resolved, and
// whichever it was at each moment for Load. Areas likewise; a ticket in n areas
// weighs 1/n in each. What has no group or area is in NoName.
const (
	Team   By = "team"
	Area   By = "area"
	Source By = "source"
)

// NoName is the name of the group of what is in no group.
const NoName = "(none)"

// Query is what Distribution answers.
type Query struct {
	AsOf   time.Time // nothing at or after it is used
	Window Window
	Basis  Basis
	Unit   Unit
	By     By
}

// Validate says which part of the query is wrong.
func (q Query) Validate() error {
	if q.AsOf.Year() < 1970 || q.AsOf.Year() > 2261 {
		return fmt.Errorf("as_of %s is outside the years 1970 to 2261", q.AsOf.Format(time.DateOnly))
	}
	if err := oneOf("basis", q.Basis, Load, Assigned, Resolved); err != nil {
		return err
	}
	if err := oneOf("unit", q.Unit, Tickets, Effort); err != nil {
		return err
	}
	return oneOf("grouping", q.By, Team, Area, Source)
}

func oneOf[T ~string](what string, x T, known ...T) error {
	if slices.Contains(known, x) {
		return nil
	}
	return fmt.Errorf("%s %q is none: give %s", what, string(x), listed(known))
}

func listed[T ~string](known []T) string {
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// Group is how work is spread over the people of one team, area or source.
// Without a roster its people are those who had at least one ticket on the
// basis, each with the same capacity, and Provisional is true.
//
// A nil index is undefined: there is no sample, or (chance) too few tickets.
type Group struct {
	By   By     `json:"-"`
	Name string `json:"-"` // written under the key team, area or source

	People      int     `json:"people"`
	Items       uint64  `json:"items"` // assignments (load, assigned) or tickets (resolved) of these people
	Total       float64 `json:"total"` // ticket-days or tickets, or of effort
	Provisional bool    `json:"provisional"`

	Gini          *float64 `json:"gini"`
	GiniCorrected *float64 `json:"gini_corrected"`
	GiniLow       *float64 `json:"gini_low"` // 95 % interval, jackknife over people
	GiniHigh      *float64 `json:"gini_high"`
	GiniChance    *float64 `json:"gini_chance"` // what luck alone gives; nil under five tickets a head
	GiniExcess    *float64 `json:"gini_excess"`
	ChanceLow     *float64 `json:"gini_chance_low"`  // luck alone gives less 5 times in a hundred, and more than
	ChanceHigh    *float64 `json:"gini_chance_high"` // this as often
	Hoover        *float64 `json:"hoover"`
	HooverChance  *float64 `json:"hoover_chance"`
	Theil         *float64 `json:"theil"`
	HHI           *float64 `json:"hhi"`
	HHIChance     *float64 `json:"hhi_chance"`
	Effective     *float64 `json:"effective"`
	CV2           *float64 `json:"cv2"`
	Jain          *float64 `json:"jain"`
	TopShare      *float64 `json:"top_share"`

	// P is the probability that luck alone gives at least this CV², PAdjusted
	// the same with false discoveries over all groups of the answer controlled:
	// by the procedure of Benjamini and Yekutieli where two of the groups that
	// have a P share somebody, else by that of Benjamini and Hochberg.
	// PLevelled is the other tail. All are nil where there is no verdict.
	P         *float64   `json:"p"`
	PAdjusted *float64   `json:"p_adjusted"`
	PLevelled *float64   `json:"p_levelled"`
	Verdict   Verdict    `json:"verdict"`
	Explained *Explained `json:"explained"` // load in tickets by team only; nil without a verdict
	Trend     *Trend     `json:"trend"`     // load in tickets by team only; nil under five weeks

	// Capacity is the FTE that was present: without a roster, the people.
	Capacity float64 `json:"capacity"`

	// Unassigned is what is credited to nobody (Resolved only), and Bots what
	// integration accounts hold; neither is part of Total, nor is what lies
	// outside.
	Unassigned float64 `json:"unassigned"`
	Bots       float64 `json:"bots"`
	Outside    Outside `json:"outside"`

	Engineers []Part `json:"engineers"` // by value, greatest first

	judged *judged // what a verdict is made of; nil where there is none to be made
	h      float64 // of its weights: 1/h effective tickets; 0 where not kept
}

// Part is one engineer's part of a group's work. It says what rests on them,
// not how much they do.
type Part struct {
	Pseudonym string  `json:"engineer"`
	Name      string  `json:"name,omitempty"`
	Items     uint64  `json:"items"`
	Value     float64 `json:"value"`
	Capacity  float64 `json:"capacity"` // FTE that was present; 1 without a roster

	// Share is of the group's work, Relative the share over the share of
	// capacity: 1 is even. Z and Tail say how surprising that is under chance:
	// standard deviations above the expected share, and the probability of at
	// least as much. All are nil where there is no work, the last two also for
	// the only person of a group.
	Share    *float64 `json:"share"`
	Relative *float64 `json:"relative"`
	Z        *float64 `json:"z"`
	Tail     *float64 `json:"tail"`
}

// MarshalJSON writes the group with its name under the key team, area or
// source.
func (g Group) MarshalJSON() ([]byte, error) {
	type plain Group
	name, err := json.Marshal(map[By]string{g.By: g.Name})
	if err != nil {
		return nil, err
	}
	rest, err := json.Marshal(plain(g))
	if err != nil {
		return nil, err
	}
	return append(append(name[:len(name)-1], ','), rest[1:]...), nil
}
