package analysis

import "time"

// Verdict is what may be said about the unevenness of a team's work.
type Verdict string

// The verdicts. NoVerdict is given under five tickets a head, and where there is
// nobody to compare with.
const (
	NoVerdict    Verdict = ""
	Uneven       Verdict = "uneven"        // beyond chance, over all teams, and by enough to matter
	WithinChance Verdict = "within_chance" // no more than luck alone gives
	Levelled     Verdict = "levelled"      // less than luck alone gives: somebody sees to it
)

// Explained is what skills and absence account for: the same tickets dealt out
// by lot among those who were there that week and know the area. Without a roster
// everybody is taken to have been there.
type Explained struct {
	Gini float64 `json:"gini"` // what that lot gives on average
	Part float64 `json:"part"` // Gini less what the lot among everybody gives: inequality that is nobody's choice
	P    float64 `json:"p"`    // of at least the CV² seen, under that lot
	// Known is the share of the work for which the second lot knew who could
	// have taken it; the rest was dealt among everybody who was there.
	Known float64 `json:"known"`
}

// Trend is whether a team's excess Gini went up or down over whole weeks
// (Monday to Monday, UTC) within the window.
type Trend struct {
	Weeks []float64 `json:"weeks"` // G − E0[G] of each week with work, oldest first
	Tau   float64   `json:"tau"`   // Kendall's, with time
	Slope float64   `json:"slope"` // Sen's, a week
	P     float64   `json:"p"`     // two-sided, Mann–Kendall

	// Gini is that of these weeks together, by who was there in each, which is not
	// that of the window where people came or left. GiniLow and GiniHigh are its
	// 95 % interval, had the weeks come out otherwise for the same people: weeks
	// are resampled. nil under eight weeks.
	Gini     *float64 `json:"gini"`
	GiniLow  *float64 `json:"gini_low"`
	GiniHigh *float64 `json:"gini_high"`
}

// Outside is work that is not part of a Group's figures though it touches the
// team: reported apart, never dropped.
type Outside struct {
	// Visitors are people who are not of the team and hold work of its queues.
	Visitors     int     `json:"visitors"`
	VisitorsWork float64 `json:"visitors_work"`
	// Away are members who had no capacity in the window, and what they hold.
	Away     int     `json:"away"`
	AwayWork float64 `json:"away_work"`
}

// TeamState is what is true of a team at as_of, whatever the window.
type TeamState struct {
	Team        string
	People      int  // members; without a roster, the regulars of the queue
	Provisional bool // there is no roster
	// Sources are those whose tickets were in its hands in one of the windows.
	Sources []string

	// Overloaded of Judged engineers are; the others could not be judged.
	Overloaded int
	Judged     int

	Unassigned Backlog
	Handovers  uint64 // of tickets in the team's hands to somebody else, ever; see the package's words on retention

	// Of all acts of the last four whole weeks: the share that lay outside own
	// hours, that of the twelve weeks before, and how many daily rests of
	// members were shorter than the configured rest. Nil without known hours.
	AfterHours      *float64
	AfterHoursUsual *float64
	ShortRests      *int     // member-weeks of the last four
	Unplanned       *float64 // share of the work received in the last four whole weeks

	// Of how many members they are: those whose hours were known in the last four
	// weeks and in the twelve before, and those of whose work it is known which of
	// it was unplanned.
	ActPeople, UsualPeople, WorkPeople int

	Knowledge TeamKnowledge
}

// OfAtLeast is the state without what is about fewer people than the least, since
// it would tell of single ones; false where all of it is. A team may have enough
// people, and little be known of most.
func (t TeamState) OfAtLeast(least int) (TeamState, bool) {
	if t.Judged < least {
		t.Judged, t.Overloaded = 0, 0
	}
	if t.ActPeople < least {
		t.AfterHours, t.ShortRests = nil, nil
	}
	if t.UsualPeople < least {
		t.AfterHoursUsual = nil
	}
	if t.WorkPeople < least {
		t.Unplanned = nil
	}
	return t, t.People >= least
}

// Backlog is how the open tickets that nobody holds have grown.
type Backlog struct {
	Now      uint64
	WeeksAgo []uint64 // at the end of each of the last whole weeks, oldest first
	Tau, P   float64  // Mann–Kendall over these
	Growing  bool     // significant, up, and by enough to matter
}

// TeamKnowledge is how much of a team's areas hangs on how few people.
type TeamKnowledge struct {
	Areas  int     // that are the team's
	Demand float64 // recent tickets in them

	Bus    *BusFactor // nil where nobody covers anything, or nothing is demanded
	Silo   *float64   // demand-weighted over the areas that have a score
	Sole   int        // areas that only one person covers
	WhatIf []WhatIf   // by orphaned demand, greatest first: what if this person were not there
}

// BusFactor is the fewest people whose leaving uncovers at least half of the
// demand.
type BusFactor struct {
	People    int
	Exact     bool     // by full search; else by greedy, an upper bound
	Who       []string // pseudonyms: one smallest set
	Uncovered []string // the areas that would be without anybody
	Demand    float64  // their share of the demand
}

// WhatIf is what would be without anybody if one person left or were away.
type WhatIf struct {
	Pseudonym string
	Name      string
	Uncovered []string // areas, by demand
	Demand    float64  // recent tickets in these areas
	Share     float64  // of the team's
	Next      []Successor
}

// Successor is who is nearest to an area, if its holder were not there.
type Successor struct {
	Area      string
	Pseudonym string // "" for nobody with any evidence
	Name      string
	Evidence  float64
	Missing   float64 // evidence up to where they could keep the area going
	Spare     float64 // their relative load under 1; 0 for none, and where it is not known
}

// Absence is why a person will not, or does not, answer for an area.
type Absence string

// The absences, as the roster tells them.
const (
	Present Absence = ""
	Away    Absence = "away"    // on leave at as_of
	Leaving Absence = "leaving" // has a last day
	Gone    Absence = "gone"    // works here no more
)

// SoleHolder is the only person who covers an area.
type SoleHolder struct {
	Pseudonym string    `json:"engineer"`
	Name      string    `json:"name,omitempty"`
	Absence   Absence   `json:"absence"`
	When      time.Time `json:"when"` // back from leave, or the first day without them; zero where not known
}

// EngineerOverload is the state of one engineer in one team after the last whole
// week before as_of. Reasons and values are for that engineer first.
type EngineerOverload struct {
	Team      string
	Pseudonym string
	Name      string

	Week       time.Time // the Monday that the last week judged began
	Judged     bool      // enough is known for a state
	Overloaded bool
	Since      time.Time // the Monday from which the state holds; zero unless overloaded
	Evidence   string    // demand_only where fewer than two families can be computed
	Reasons    []string  // "demand: 2.1 × the team's load per FTE"
	Signals    []OverloadSignal

	AfterHours *float64 // share of the acts of the last four weeks outside own hours
	Unplanned  *float64 // share of the work received in the last four weeks
	Weeks      []OverloadWeek
}

// OverloadSignal is one signal in the last week. Value is nil where it is absent
// or there is too little to tell.
type OverloadSignal struct {
	Name      string
	Family    string
	Value     *float64
	Threshold float64
	Holds     bool
	Level     *float64 // 1 is at the threshold
}

// OverloadWeek is one week of the past, with the load of that engineer.
type OverloadWeek struct {
	Week       time.Time
	Load       float64 // mean number of open tickets
	Hot        bool
	Overloaded bool
}
