// Package report makes the fairness report of a quarter: a document for one
// audience, and its forms as a page (HTML), as JSON and as CSV.
//
// New decides what the audience may see; whatever it leaves out is in no form,
// since the forms know the document only. Nothing in it depends on when it was
// made: the same quarter of the same history gives the same bytes.
package report

import (
	"fmt"
	"time"

	"fairlead/analysis"
)

// SchemaVersion names the form of the document. It changes whenever a reader of
// the JSON or the CSV would have to.
const SchemaVersion = "fairlead.report/1"

// Audience is for whom a report is made.
type Audience string

// The audiences.
const (
	// Group is anybody in the organisation: no single person is shown, and no
	// group of fewer people than the least.
	Group Audience = "group"
	// Lead is the lead of one team: its members are shown, and nobody else.
	Lead Audience = "lead"
	// Self is one engineer: their own figures, and those of groups.
	Self Audience = "self"
)

// MinPeople is the smallest group that is shown to others by default.
const MinPeople = analysis.MinPeople

// Options say for whom a report is made, and how.
type Options struct {
	Audience Audience
	Teams    []string // Group: only these; Lead: the one. Empty is all
	Engineer string   // Self: the pseudonym
	Names    bool     // Lead and Self: names beside pseudonyms
	// MinPeople is the smallest group shown to others; 0 is MinPeople.
	MinPeople int
	// Fairlead is the version of the program, and SeriesCap and SeriesCut what
	// the metrics of this quarter keep to: the report names them.
	Fairlead             string
	SeriesCap, SeriesCut int
	// Contact is to whom one objects; "" names nobody.
	Contact string
}

// Validate says which option is wrong.
func (o Options) Validate() error {
	switch {
	case o.Audience != Group && o.Audience != Lead && o.Audience != Self:
		return fmt.Errorf("audience %q is none: give group, lead or self", string(o.Audience))
	case o.Audience == Lead && len(o.Teams) != 1:
		return fmt.Errorf("a report for a lead is about one team: name it, and no other")
	case o.Audience == Self && o.Engineer == "":
		return fmt.Errorf("a report for an engineer is about one: give the pseudonym")
	case o.Audience == Self && len(o.Teams) > 0:
		return fmt.Errorf("a report for an engineer is about all of their teams: leave the team out")
	case o.Audience != Self && o.Engineer != "":
		return fmt.Errorf("a report for a %s is not about one engineer: leave the engineer out, or ask for the audience self", o.Audience)
	case o.Names && o.Audience == Group:
		return fmt.Errorf("a report for a group shows nobody: leave the names out")
	case o.MinPeople < 0:
		return fmt.Errorf("the smallest group is %d: give at least 1", o.MinPeople)
	}
	return nil
}

// Report is the document. Lists of teams and people are by name: nobody is
// ranked. A null is undefined, or withheld from this audience.
type Report struct {
	Schema   string    `json:"schema" doc:"Form of this document."`
	Quarter  string    `json:"quarter" doc:"Calendar quarter in UTC, as 2026Q3."`
	From     time.Time `json:"from" doc:"Its beginning."`
	To       time.Time `json:"to" doc:"The instant up to which it is told: nothing at or after it is used."`
	Over     bool      `json:"over" doc:"Whether the quarter had ended by then."`
	Audience Audience  `json:"audience" doc:"For whom it is made: group, lead or self."`
	Team     string    `json:"team" doc:"The team of a lead; else empty."`
	Engineer string    `json:"engineer" doc:"The pseudonym of an engineer (self); else empty."`
	Name     string    `json:"name" doc:"Their name, where names were asked for."`
	Teams    []string  `json:"teams" doc:"The teams that were asked for; empty is all."`
	Queues   bool      `json:"queues" doc:"Whether there is no roster, so that teams are queues and capacity is the same for everybody."`
	Least    int       `json:"smallest_group" doc:"The smallest group of people that is shown to others."`

	Contact string `json:"contact" doc:"To whom one objects; empty where the operator named nobody."`

	Version Version `json:"version" doc:"What it was made from, and by which rules."`

	Summary       []string      `json:"summary" doc:"The quarter in five sentences, made from the numbers."`
	Workload      Workload      `json:"workload" doc:"How the open work was spread."`
	Overload      Overload      `json:"overload" doc:"Who had more than they can be expected to carry, in numbers."`
	Knowledge     Knowledge     `json:"knowledge" doc:"With how few people the knowledge of areas sits."`
	Rebalancing   Rebalancing   `json:"rebalancing" doc:"What could have changed hands at the end. A suggestion; people decide."`
	Quality       Quality       `json:"quality" doc:"How far the data can be relied on, and what was left out."`
	Configuration Configuration `json:"configuration" doc:"The thresholds in force."`
}

// Version is what a report was made from.
type Version struct {
	Fairlead string    `json:"fairlead" doc:"Version of the program."`
	Method   string    `json:"method" doc:"Version of the measures, with a hash of their configuration."`
	Effort   string    `json:"effort" doc:"Version of the rule by which efforts are estimated."`
	Tickets  uint64    `json:"tickets" doc:"Tickets created before the end."`
	History  string    `json:"history" doc:"Hash of all that is stored of them before the end."`
	Roster   string    `json:"roster" doc:"Hash of the roster; empty without one."`
	Begin    time.Time `json:"begin" doc:"When the first ticket was created."`
	Last     time.Time `json:"last" doc:"The last change before the end."`
}

// Workload is section 2.
type Workload struct {
	All    *Everybody   `json:"all" doc:"All people together; null for a lead, and where there are too few."`
	Teams  []TeamLoad   `json:"teams" doc:"By name."`
	People []PersonLoad `json:"people" doc:"Lead: the members. Self: one entry a team. Group: none."`
	Weeks  []time.Time  `json:"weeks" doc:"The Mondays (UTC) of the whole weeks in the quarter."`
	// Withheld is how many teams are not shown.
	Withheld int `json:"withheld" doc:"Teams that are not shown: those under the smallest group, and as many more as keep them from being computed."`
	// Stored are quarters of the trends whose tickets are deleted.
	Stored []StoredQuarter `json:"stored_quarters" doc:"Quarters of the trends whose figures were stored before tickets of them were deleted for their age, the oldest first."`
}

// StoredQuarter is what stored figures were made from.
type StoredQuarter struct {
	Quarter string `json:"quarter" doc:"As 2026Q3."`
	Method  string `json:"method" doc:"Version of the measures, with a hash of their configuration."`
	History string `json:"history" doc:"Hash of all that was stored of tickets before its end."`
}

// Everybody is all people together.
type Everybody struct {
	People   int            `json:"people" doc:"Everybody who was there, each once."`
	Capacity float64        `json:"capacity" doc:"FTE that were present."`
	Total    float64        `json:"total" doc:"Open work in ticket-days."`
	Open     float64        `json:"open" doc:"Mean number of open tickets that somebody held."`
	Gini     *float64       `json:"gini" doc:"Inequality between people, 0 to 1."`
	Chance   *float64       `json:"gini_chance" doc:"What luck alone would give."`
	Between  *float64       `json:"between" doc:"Share of the inequality (Theil) that lies between teams, not within."`
	Lorenz   *Lorenz        `json:"lorenz" doc:"In steps of at least the smallest group."`
	Quarters []QuarterPoint `json:"quarters" doc:"Up to eight, the oldest first."`
	Trend    *Trend         `json:"trend" doc:"Of the excess over these quarters; null under five."`
}

// Lorenz is a curve with the band of chance.
type Lorenz struct {
	Capacity []float64 `json:"capacity" doc:"Share of the capacity, from whoever has least on them."`
	Work     []float64 `json:"work" doc:"Share of the work that lies with it."`
	Low      []float64 `json:"chance_low" doc:"Luck alone gives less 5 times in a hundred; empty where unknown."`
	High     []float64 `json:"chance_high" doc:"Luck alone gives more 5 times in a hundred; empty where unknown."`
}

// QuarterPoint is one quarter of a trend.
type QuarterPoint struct {
	Quarter string   `json:"quarter" doc:"As 2026Q3."`
	People  *int     `json:"people" doc:"Who was there."`
	Gini    *float64 `json:"gini" doc:"Inequality; null where data begin later, or are deleted with nothing stored."`
	Excess  *float64 `json:"excess" doc:"Gini less what luck alone gives."`
}

// Trend is a test for going up or down.
type Trend struct {
	Tau   float64 `json:"tau" doc:"Kendall's, with time."`
	Slope float64 `json:"slope" doc:"Sen's, a quarter."`
	P     float64 `json:"p" doc:"Two-sided, Mann–Kendall."`
}

// TeamLoad is one team's open work.
type TeamLoad struct {
	Team         string         `json:"team" doc:"Name."`
	Queue        bool           `json:"queue" doc:"Whether it is a queue and not a team of the roster."`
	People       int            `json:"people" doc:"Members who were there; of a queue, those with a ticket of it."`
	Capacity     float64        `json:"capacity" doc:"FTE that were present."`
	Total        float64        `json:"total" doc:"Open work in ticket-days."`
	PerFTE       *float64       `json:"open_per_fte" doc:"Mean number of open tickets per FTE."`
	Gini         *float64       `json:"gini" doc:"Inequality between its people."`
	GiniLow      *float64       `json:"gini_low" doc:"Lower end of its 95 % interval."`
	GiniHigh     *float64       `json:"gini_high" doc:"Upper end of its 95 % interval."`
	Chance       *float64       `json:"gini_chance" doc:"What luck alone would give; null under five tickets a head."`
	ChanceLow    *float64       `json:"gini_chance_low" doc:"Luck alone gives less 5 times in a hundred."`
	ChanceHigh   *float64       `json:"gini_chance_high" doc:"Luck alone gives more 5 times in a hundred."`
	Hoover       *float64       `json:"hoover" doc:"Share of the work that would have to move for it to be even."`
	HooverChance *float64       `json:"hoover_chance" doc:"The same by luck alone."`
	P            *float64       `json:"p" doc:"Probability that luck alone gives at least this, for this team by itself."`
	PAdjusted    *float64       `json:"p_adjusted" doc:"The same with false discoveries over all teams controlled."`
	Verdict      string         `json:"verdict" doc:"uneven, within_chance, levelled, or empty where nothing can be said."`
	Explained    *Explained     `json:"explained" doc:"What skills and absence explain."`
	GiniEffort   *float64       `json:"gini_effort" doc:"The same work weighed by effort."`
	EffortChance *float64       `json:"gini_effort_chance" doc:"What luck alone would give for it."`
	Lorenz       *Lorenz        `json:"lorenz" doc:"Lead: by person. Else in steps of at least the smallest group."`
	Weeks        []*float64     `json:"weeks" doc:"Mean number of open tickets per FTE, by week."`
	Quarters     []QuarterPoint `json:"quarters" doc:"Up to eight, the oldest first."`
	Trend        *Trend         `json:"trend" doc:"Of the excess over these quarters; null under five."`
	TrendQ       *float64       `json:"trend_q" doc:"Its p value with false discoveries over all teams controlled."`
	Says         string         `json:"says" doc:"The figures in one sentence."`
}

// Explained is what skills and absence account for.
type Explained struct {
	Gini  float64 `json:"gini" doc:"What a lot among those who were there and know the area gives."`
	Part  float64 `json:"part" doc:"Share of the excess over chance that this accounts for, 0 to 1."`
	P     float64 `json:"p" doc:"Probability that such a lot is at least as uneven."`
	Known float64 `json:"known" doc:"Share of the work for which it is known who could have taken it."`
}

// PersonLoad is what rested on one person in one team.
type PersonLoad struct {
	Engineer string     `json:"engineer" doc:"Pseudonym."`
	Name     string     `json:"name" doc:"Name, where asked for."`
	Team     string     `json:"team" doc:"Name of the team."`
	Tickets  uint64     `json:"tickets" doc:"Assignments that lay in the quarter."`
	Open     float64    `json:"open" doc:"Mean number of open tickets."`
	Capacity float64    `json:"capacity" doc:"FTE that were present."`
	Relative *float64   `json:"relative" doc:"Times an even share."`
	Z        *float64   `json:"z" doc:"Standard deviations above an even share, by chance."`
	Tail     *float64   `json:"tail" doc:"Probability of at least as much by chance."`
	Weeks    []*float64 `json:"weeks" doc:"Mean number of open tickets, by week."`
}

// Overload is section 3.
type Overload struct {
	Judged    *int           `json:"judged" doc:"People about whom enough is known; null where withheld."`
	Now       *int           `json:"overloaded" doc:"Of them, overloaded at the end."`
	Ever      *int           `json:"overloaded_ever" doc:"Of them, in at least one week of the quarter."`
	Durations []Count        `json:"durations" doc:"How long those at the end have been."`
	Reasons   []Count        `json:"reasons" doc:"Families of signals that hold for those at the end; one person can have several."`
	Teams     []TeamOverload `json:"teams" doc:"By name."`
	People    []PersonState  `json:"people" doc:"Lead: the members. Self: one entry a team. Group: none."`
	Withheld  int            `json:"withheld" doc:"Teams whose number is not shown."`
}

// Count is how many of something.
type Count struct {
	What string `json:"what" doc:"Of what."`
	N    int    `json:"n" doc:"How many people."`
}

// TeamOverload is one team.
type TeamOverload struct {
	Team       string   `json:"team" doc:"Name."`
	Judged     *int     `json:"judged" doc:"People about whom enough is known; null where withheld."`
	Now        *int     `json:"overloaded" doc:"Of them, overloaded at the end; null where withheld."`
	AfterHours *float64 `json:"after_hours" doc:"Share of the acts of the quarter outside own hours, on-call left out; null without a roster."`
	ShortRests *int     `json:"short_rests" doc:"Weeks of members with a daily rest under the configured one."`
	Unplanned  *float64 `json:"unplanned" doc:"Share of the work that came in that nobody planned."`
	OnCall     *float64 `json:"on_call" doc:"Incidents per twelve hours on call; null without a rota."`
}

// PersonState is one person in one team.
type PersonState struct {
	Engineer   string     `json:"engineer" doc:"Pseudonym."`
	Name       string     `json:"name" doc:"Name, where asked for."`
	Team       string     `json:"team" doc:"Name of the team."`
	Judged     bool       `json:"judged" doc:"Whether enough is known."`
	Overloaded bool       `json:"overloaded" doc:"At the end."`
	Since      *time.Time `json:"since" doc:"The Monday from which it holds."`
	Weeks      int        `json:"weeks" doc:"Weeks of the quarter in which it held."`
	Reasons    []string   `json:"reasons" doc:"Which signals hold, in words."`
	Signals    []Signal   `json:"signals" doc:"Self: each signal of the last week. Else none."`
}

// Signal is one signal of overload.
type Signal struct {
	Name      string   `json:"name" doc:"Which."`
	Family    string   `json:"family" doc:"demand, interruption or time."`
	Value     *float64 `json:"value" doc:"Null where there is too little to tell."`
	Threshold float64  `json:"threshold" doc:"Beyond which it holds."`
	Holds     bool     `json:"holds" doc:"Whether it does."`
}

// Knowledge is section 4.
type Knowledge struct {
	Teams    []TeamKnowledge `json:"teams" doc:"By name."`
	Areas    []Area          `json:"areas" doc:"By silo score, the greatest first, then by name."`
	Pairs    []Pair          `json:"pairs" doc:"Who could learn from whom. Group: areas only."`
	Own      []OwnEvidence   `json:"own" doc:"Self: what is counted as evidence. Else none."`
	Withheld int             `json:"withheld" doc:"Areas that are not shown, as their teams are not."`
}

// TeamKnowledge is what hangs on how few people.
type TeamKnowledge struct {
	Team      string   `json:"team" doc:"Name."`
	Areas     int      `json:"areas" doc:"That are the team's."`
	Sole      int      `json:"sole" doc:"That only one person knows well enough."`
	Silo      *float64 `json:"silo" doc:"Silo score weighted by demand."`
	BusFactor *int     `json:"bus_factor" doc:"Fewest people whose leaving leaves half of the demand without anybody who knows."`
	Exact     bool     `json:"exact" doc:"Whether that is by full search; else an upper bound."`
	Exposed   *WhatIf  `json:"what_if" doc:"What if the person on whom most hangs were not there."`
}

// WhatIf is what would be without anybody.
type WhatIf struct {
	Engineer string   `json:"engineer" doc:"Lead: pseudonym. Self: only if it is oneself. Group: empty."`
	Name     string   `json:"name" doc:"Name, where asked for."`
	Areas    []string `json:"areas" doc:"That nobody else knows well enough."`
	Share    float64  `json:"share" doc:"Of the team's recent demand."`
}

// Area is with how few people the knowledge of an area sits.
type Area struct {
	Area          string   `json:"area" doc:"Name."`
	Team          string   `json:"team" doc:"Whose tickets most of its recent ones are."`
	Tickets       float64  `json:"tickets" doc:"Created in the last 90 days, shared where a ticket has several areas."`
	People        int      `json:"people" doc:"Whom the score is about."`
	Effective     *float64 `json:"effective" doc:"Effective number of owners."`
	BusFactor     int      `json:"bus_factor" doc:"People who know it well enough."`
	Silo          *float64 `json:"silo" doc:"Score: 0.4 concentration + 0.3 missing backup + 0.3 touched by one; null with too little evidence."`
	Concentration *float64 `json:"concentration" doc:"Of evidence, shrunk toward even, 0 to 1."`
	Backup        *float64 `json:"missing_backup" doc:"0 where two can step in, 1 where only one can."`
	Demand        *float64 `json:"sole_demand" doc:"Share of the recent tickets that nobody but the top holder touched."`
}

// Pair is a holder of an area and who is nearest to it.
type Pair struct {
	Area     string   `json:"area" doc:"Known well enough by one person only."`
	Team     string   `json:"team" doc:"Its team."`
	Knows    string   `json:"knows" doc:"Pseudonym of that person; empty for a group."`
	KnowName string   `json:"knows_name" doc:"Name, where asked for."`
	Next     string   `json:"next" doc:"Pseudonym of who is nearest; empty for a group, and where nobody is."`
	NextName string   `json:"next_name" doc:"Name, where asked for."`
	Near     bool     `json:"near" doc:"Whether somebody else has any evidence."`
	Missing  *float64 `json:"missing" doc:"Evidence that they lack; null for a group."`
}

// OwnEvidence is what is counted of one engineer in an area.
type OwnEvidence struct {
	Area        string  `json:"area" doc:"Name."`
	Evidence    float64 `json:"evidence" doc:"Sum of weighted acts, fading over 90 days."`
	Resolutions uint64  `json:"resolutions" doc:"Tickets resolved."`
	Acts        uint64  `json:"acts" doc:"Others' tickets written on."`
	Transitions uint64  `json:"transitions" doc:"Changes of status."`
	First       bool    `json:"first" doc:"Made the first resolution that is known."`
	Covers      bool    `json:"covers" doc:"Whether that is enough to keep the area going."`
}

// Rebalancing is section 5.
type Rebalancing struct {
	Tolerance float64          `json:"tolerance" doc:"How far over an even share is within limits."`
	Teams     []TeamRebalanced `json:"teams" doc:"By name."`
	Moves     []Move           `json:"moves" doc:"Lead: all. Self: one's own. Group: none."`
}

// TeamRebalanced is what could have changed in a team.
type TeamRebalanced struct {
	Team         string   `json:"team" doc:"Name."`
	Tickets      int      `json:"tickets" doc:"Open tickets looked at."`
	Moves        int      `json:"moves" doc:"Fewest found that bring everybody within the limit, as far as it can be done."`
	Proven       bool     `json:"proven" doc:"Whether no plan has fewer."`
	Within       bool     `json:"within" doc:"Whether everybody would then be within it."`
	GiniBefore   *float64 `json:"gini_before" doc:"Inequality of open effort at the end."`
	GiniAfter    *float64 `json:"gini_after" doc:"And after these moves."`
	HooverBefore *float64 `json:"hoover_before" doc:"Share of it that would have to move to be even."`
	HooverAfter  *float64 `json:"hoover_after" doc:"And after these moves."`
	Unassigned   int      `json:"unassigned" doc:"Open tickets that nobody holds: left out."`
}

// Move is a ticket that might change hands.
type Move struct {
	Ticket     string  `json:"ticket" doc:"Key; never its text."`
	Source     string  `json:"source" doc:"Of the ticket."`
	Team       string  `json:"team" doc:"Name."`
	From       string  `json:"from" doc:"Pseudonym; self: oneself, or empty for a colleague."`
	FromName   string  `json:"from_name" doc:"Name, where asked for."`
	To         string  `json:"to" doc:"Pseudonym; self: oneself, or empty for a colleague."`
	ToName     string  `json:"to_name" doc:"Name, where asked for."`
	Why        string  `json:"why" doc:"Why they can."`
	Effort     float64 `json:"effort" doc:"In typical tickets."`
	InProgress bool    `json:"in_progress" doc:"Whether work on it is under way."`
}

// Quality is section 6.
type Quality struct {
	Sources         []Source `json:"sources" doc:"By name."`
	UnknownStatuses int      `json:"unknown_statuses" doc:"Statuses that no rule maps to a category: they count as open."`
	Ambiguous       int      `json:"ambiguous_addresses" doc:"E-mail addresses by which no accounts were joined, as a source has them twice."`
	Covered         bool     `json:"covered" doc:"Whether the data reach back to the quarter's beginning."`
	// Whole is nil where nothing of what is told is missing.
	Whole       *time.Time `json:"whole_from" doc:"Where something of the quarter or of the trends is missing: from when on nothing is."`
	Deleted     bool       `json:"deleted" doc:"Whether that is because tickets are deleted for their age; else those of before were not collected."`
	Bots        float64    `json:"bots" doc:"Ticket-days held by integration accounts: left out."`
	Visitors    *float64   `json:"visitors" doc:"Ticket-days of teams in the hands of people who are not of the team: left out of the team's figures. Null where these are too few to show."`
	Away        *float64   `json:"away" doc:"Ticket-days held by members without capacity: left out. Null where these are too few to show."`
	Provisional int        `json:"provisional" doc:"Groups that are queues."`
	SeriesCap   int        `json:"series_cap" doc:"Most series that each page of metrics may have."`
	SeriesCut   int        `json:"series_cut" doc:"Series of this quarter that the cap cuts; the report is not cut."`
}

// Source is one ticketing system.
type Source struct {
	Source     string    `json:"source" doc:"Its name."`
	Tickets    uint64    `json:"tickets" doc:"Tickets that were open or changed in the quarter."`
	Incomplete uint64    `json:"incomplete" doc:"Of them, those whose history the source withheld a part of."`
	Unrecorded uint64    `json:"unrecorded" doc:"Of them, those whose history contradicts itself."`
	NoArea     uint64    `json:"no_area" doc:"Of them, those without an area."`
	NoGroup    uint64    `json:"no_group" doc:"Of them, those without a group."`
	Deleted    uint64    `json:"deleted" doc:"Of them, those deleted since."`
	Estimated  uint64    `json:"estimated" doc:"Of them, those with story points of their own."`
	Unmatched  *int      `json:"unmatched" doc:"Accounts at work that match nobody in the roster; null without one."`
	First      time.Time `json:"first" doc:"When its first ticket was created."`
}

// Configuration is the thresholds in force.
type Configuration struct {
	Q              float64 `json:"q" doc:"Share of the teams called uneven that may be so by luck alone."`
	Hoover         float64 `json:"hoover" doc:"How much more of the work than by luck would have to move to matter."`
	OwnLoad        float64 `json:"own_load" doc:"Load against oneself, in robust deviations."`
	TeamLoad       float64 `json:"team_load" doc:"Load against the team, times an even share."`
	TeamLoadTail   float64 `json:"team_load_tail" doc:"And at most this probable by chance."`
	Flow           float64 `json:"flow" doc:"What came in against what was done, in standard deviations."`
	OnCall         float64 `json:"on_call" doc:"Incidents per shift."`
	ShiftHours     float64 `json:"shift_hours" doc:"Hours of a shift."`
	Unplanned      float64 `json:"unplanned" doc:"Share of work that nobody planned."`
	RestHours      float64 `json:"rest_hours" doc:"Least daily rest."`
	Families       int     `json:"families" doc:"Families of signals that make a hot week."`
	HotWeeks       int     `json:"hot_weeks" doc:"Hot weeks that turn the state on."`
	WindowWeeks    int     `json:"window_weeks" doc:"Of so many."`
	CoolWeeks      int     `json:"cool_weeks" doc:"Cool weeks in a row that turn it off."`
	Release        float64 `json:"release" doc:"Times the threshold, under which a week is cool."`
	BaselineWeeks  int     `json:"baseline_weeks" doc:"Weeks that tell what is usual."`
	DecayDays      float64 `json:"decay_days" doc:"Time in which evidence fades to 1/e."`
	MemoryDays     float64 `json:"memory_days" doc:"After which it counts for nothing."`
	DemandDays     float64 `json:"demand_days" doc:"Over which an area's demand is looked at."`
	Enough         float64 `json:"enough" doc:"Evidence at which somebody can step in."`
	Resolution     float64 `json:"weight_resolution" doc:"Evidence of a resolution."`
	Act            float64 `json:"weight_act" doc:"Evidence of writing on another's ticket."`
	Transition     float64 `json:"weight_transition" doc:"Evidence of a change of status."`
	First          float64 `json:"weight_first" doc:"Evidence of having been the first to resolve one."`
	UnplannedKinds string  `json:"unplanned_kinds" doc:"Kinds of ticket that nobody plans."`
}

// seed of what is drawn for a quarter.
func seed(q *analysis.Quarter) string { return q.Window.String() }
