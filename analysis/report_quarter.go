package analysis

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/distribution"
	"fairlead/analysis/overload"
)

// MethodVersion names the rules by which a Quarter is made. It changes whenever
// the same data could give another.
const MethodVersion = "quarter/3"

// trendQuarters is over how many quarters a team is followed.
const trendQuarters = 8

// Quarter is all that a report of a quarter is made of. Like a Snapshot it
// names single engineers: who may see them is for the report to decide.
type Quarter struct {
	Window Window
	From   time.Time
	To     time.Time // the quarter's end, or the instant up to which it is told
	Over   bool      // the quarter has ended by To

	Method string // version of the rules with the configuration
	Config Config
	Data   DataVersion

	Snapshot *Snapshot   // as of To, with the quarter as its only window
	Weeks    []time.Time // the Mondays of the whole weeks in it
	Teams    []TeamQuarter
	All      Everybody

	Rebalancings []Rebalancing // by team
	Sources      []SourceQuality

	// Whole is from when on nothing is missing: closed tickets of the time before
	// were not collected, or, up to Deleted, are deleted for their age. Zero where
	// there is no bound. Kept are the quarters of the trends whose figures were
	// stored before that, the oldest first.
	Whole, Deleted time.Time
	Kept           []KeptQuarter
}

// DataVersion names the history that a Quarter was computed from: what lies
// before its end, so that it stays as long as that history does.
type DataVersion struct {
	Tickets uint64 // created before the end
	History string // a hash of all that is stored of them before the end
	Roster  string // a hash of the roster; "" for none
	// Begin is when the first ticket was created, Last the last change before
	// the end; both zero without tickets.
	Begin time.Time
	Last  time.Time
}

// TeamQuarter is what was true of a team in the weeks of a quarter.
type TeamQuarter struct {
	Team        string
	Provisional bool

	Weeks []TeamWeek // as Quarter.Weeks

	// Received is what came in the whole weeks; Unplanned of it was. Nil where
	// no source tells.
	Received, Unplanned *float64
	WorkPeople          int // of whose work it is told
	// Acts of people whose hours are known, and those outside them. Nil where
	// none are. ShortRests is weeks of members with a daily rest under the
	// configured one.
	Acts, Off  *uint64
	ShortRests *int
	ActPeople  int // whose hours are known
	// OnCall is the time on call, and the incidents during it; nil without a rota.
	OnCall          *time.Duration
	OnCallIncidents uint64

	// Quarters is the last eight, the oldest first; Trend of their excess Gini,
	// nil under five. A quarter of which only a remainder is known has no Gini.
	// Where the last may be shown to others, so may those that Trend is of.
	Quarters []QuarterPoint
	Trend    *Trend
}

// TeamWeek is the mean number of open tickets of a team in a week, and its
// capacity in FTE.
type TeamWeek struct {
	Load     float64
	Capacity float64
}

// QuarterPoint is how even a team's open work was in a quarter. Gini and Excess
// are nil where there is too little, or where the data begin later; of a quarter
// of which nothing is known all is zero.
type QuarterPoint struct {
	Window Window
	People int
	Total  float64
	Gini   *float64
	Excess *float64 // Gini less what luck alone gives
	Shown  bool     // may be shown to others
	Stored bool     // as it was stored before tickets of the quarter were deleted
}

// Everybody is the open work of all people together, each once.
type Everybody struct {
	People   int
	Capacity float64
	Total    float64
	Gini     *float64
	Chance   *float64
	Theil    *float64
	Between  *float64 // part of Theil's index that lies between teams, over memberships
	Parts    []Part   // by value, greatest first
	Quarters []QuarterPoint
	Trend    *Trend

	h     float64
	teams []string // of any of the quarters
}

// SourceQuality is how much of what a source tells can be relied on, of the
// tickets that were open or changed in the quarter.
type SourceQuality struct {
	Source      string
	Tickets     uint64
	Incomplete  uint64 // whose history the source withheld a part of
	Unrecorded  uint64 // whose changes contradict each other
	NoArea      uint64
	NoGroup     uint64
	Deleted     uint64
	Estimated   uint64 // with story points of their own
	FirstTicket time.Time
}

// Quarter computes what a report of a calendar quarter is made of, as of its
// end, or of asOf where that comes first. Nothing at or after it is used.
func (e *Engine) Quarter(ctx context.Context, window Window, asOf time.Time) (*Quarter, error) {
	if window.quarter == 0 {
		return nil, fmt.Errorf("window %s is no quarter: give one as 2026Q3", window)
	}
	from, to := window.Bounds(asOf)
	if !from.Before(to) {
		return nil, fmt.Errorf("the quarter %s has not begun at %s", window, asOf.UTC().Format(time.DateOnly))
	}
	q := &Quarter{Window: window, From: from, To: to, Over: !to.Before(from.AddDate(0, 3, 0)), Config: e.config}
	own := *e
	own.config.Windows = []Window{window}
	own.now = func() time.Time { return to } // nothing of when it was made is in it
	q.Config.Windows = own.config.Windows
	s, squads, err := own.snapshot(ctx, to)
	if err != nil {
		return nil, err
	}
	s.dropKnowledge(isFormer) // the curves of work are made with everybody
	q.Snapshot, q.Method = s, methodOf(own.config, s.EffortVersion)

	for week := overload.WeekOf(from.Add(7*24*time.Hour - time.Millisecond)); !(week + 1).Start().After(to); week++ {
		q.Weeks = append(q.Weeks, week.Start())
	}
	teams := map[string]*TeamQuarter{}
	of := func(team string) *TeamQuarter {
		if teams[team] == nil {
			teams[team] = &TeamQuarter{Team: team, Weeks: make([]TeamWeek, len(q.Weeks))}
		}
		return teams[team]
	}
	for _, t := range s.States {
		of(t.Team).Provisional = t.Provisional
	}
	for _, c := range squads {
		of(c.team).sum(c, q.Weeks, e.config.Overload.Rest)
	}
	groups := s.Teams[TeamsKey{window, Load, Tickets}]
	for _, g := range groups {
		of(g.Name).Provisional = g.Provisional
	}
	if q.All, err = everybody(groups); err != nil {
		return nil, err
	}
	if err := own.quarters(ctx, q, of); err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(teams) {
		q.Teams = append(q.Teams, *teams[name])
	}

	var names []string
	for _, g := range groups {
		if g.Name != NoName {
			names = append(names, g.Name)
		}
	}
	slices.Sort(names)
	if q.Rebalancings, err = own.Rebalancings(ctx, names, to, RebalanceOptions{}); err != nil {
		return nil, err
	}
	if err := own.quality(ctx, q); err != nil {
		return nil, err
	}
	return q, nil
}

// methodOf names the rules and the configuration.
func methodOf(c Config, effort string) string {
	c.MaxThreads, c.MaxMemory, c.Concurrency, c.Windows = 0, 0, 0, nil // change nothing
	text, err := json.Marshal(c)
	if err != nil {
		text = []byte(err.Error()) // only for a number that Validate refuses
	}
	sum := fnv.New32a()
	_, _ = sum.Write(text) // never fails
	if effort == "" {      // of figures that no effort is in
		return fmt.Sprintf("%s+%08x", MethodVersion, sum.Sum32())
	}
	return fmt.Sprintf("%s+%s+%08x", MethodVersion, effort, sum.Sum32())
}

// sum adds up what is known of a team's members in the weeks.
func (t *TeamQuarter) sum(c squad, weeks []time.Time, rest time.Duration) {
	first := overload.Week(0)
	if len(weeks) > 0 {
		first = overload.WeekOf(weeks[0])
	}
	loads, capacities := make([][]float64, len(weeks)), make([][]float64, len(weeks))
	var received, unplanned float64
	var knownWork, knownActs, knownCall bool
	var acts, off uint64
	var onCall time.Duration
	short := 0
	for _, m := range c.members {
		acting, working := false, false
		for _, r := range m.Records {
			i := int(r.Week - first)
			if i < 0 || i >= len(weeks) {
				continue
			}
			loads[i], capacities[i] = append(loads[i], r.Load.Sum), append(capacities[i], r.Capacity)
			if r.Received != nil {
				knownWork, working = true, true
				received += r.Received.All // whole numbers
				unplanned += r.Received.Unplanned
			}
			if r.Acts != nil {
				knownActs, acting = true, true
				acts += r.Acts.N
				off += r.Acts.Off
				if r.Acts.ShortestRest > 0 && r.Acts.ShortestRest < rest {
					short++
				}
			}
			if r.OnCall != nil {
				knownCall = true
				onCall += r.OnCall.Duration
				t.OnCallIncidents += r.OnCall.Incidents
			}
		}
		if acting {
			t.ActPeople++
		}
		if working {
			t.WorkPeople++
		}
	}
	for i := range weeks {
		t.Weeks[i] = TeamWeek{Load: sumOf(loads[i]), Capacity: sumOf(capacities[i])}
	}
	if knownWork {
		t.Received, t.Unplanned = &received, &unplanned
	}
	if knownActs {
		t.Acts, t.Off, t.ShortRests = &acts, &off, &short
	}
	if knownCall {
		t.OnCall = &onCall
	}
}

// everybody puts the people of all groups together.
func everybody(groups []Group) (Everybody, error) {
	var all Everybody
	parts := map[string]*Part{}
	provisional := true
	var squares, totals []float64
	for _, g := range groups {
		provisional = provisional && g.Provisional
		squares, totals = append(squares, g.h*g.Total*g.Total), append(totals, g.Total)
		for _, p := range g.Engineers {
			one := parts[p.Pseudonym]
			if one == nil {
				one = &Part{Pseudonym: p.Pseudonym, Name: p.Name}
				parts[p.Pseudonym] = one
			}
			one.Items += p.Items
			one.Value += p.Value
			if g.Provisional {
				one.Capacity = max(one.Capacity, p.Capacity)
			} else {
				one.Capacity += p.Capacity
			}
		}
	}
	var values, capacity []float64
	for _, name := range sortedKeys(parts) {
		all.Parts = append(all.Parts, *parts[name])
	}
	slices.SortStableFunc(all.Parts, func(a, b Part) int {
		switch {
		case a.Value > b.Value:
			return -1
		case a.Value < b.Value:
			return 1
		}
		return 0
	})
	for _, p := range all.Parts {
		values, capacity = append(values, p.Value), append(capacity, p.Capacity)
	}
	s, err := distribution.Weighted(values, capacity)
	if err != nil {
		return all, fmt.Errorf("measuring everybody: %w", err)
	}
	all.People, all.Capacity, all.Total = len(all.Parts), s.Capacity(), s.Total()
	all.Gini, all.Theil = defined(s.Gini()), defined(s.TheilT())
	if total := sumOf(totals); total > 0 {
		all.h = sumOf(squares) / total / total
		null, err := s.Null(all.h)
		if err != nil {
			return all, err
		}
		if null.Enough() {
			all.Chance = defined(null.Gini())
		}
	}
	for i := range all.Parts {
		p := &all.Parts[i]
		if all.Total > 0 && p.Capacity > 0 {
			p.Share, p.Relative = defined(p.Value/all.Total), defined(p.Value/all.Total*(all.Capacity/p.Capacity))
		}
	}
	all.Between = between(groups)
	return all, nil
}

// between is Σ S_g ln(S_g/P_g) over teams.
func between(groups []Group) *float64 {
	var totals, capacities, terms []float64
	for _, g := range groups {
		totals, capacities = append(totals, g.Total), append(capacities, g.Capacity)
	}
	total, capacity := sumOf(slices.Clone(totals)), sumOf(slices.Clone(capacities))
	if total == 0 || capacity == 0 {
		return nil
	}
	for i := range groups {
		if share := totals[i] / total; share > 0 && capacities[i] > 0 {
			terms = append(terms, share*math.Log(share/(capacities[i]/capacity)))
		}
	}
	return defined(sumOf(terms))
}

// quarters are the last eight, with the work of each team and of everybody, and
// their trends.
func (e *Engine) quarters(ctx context.Context, q *Quarter, of func(string) *TeamQuarter) error {
	w, err := e.world(ctx)
	if err != nil {
		return err
	}
	past, err := e.past(ctx)
	if err != nil {
		return err
	}
	begin := past.begin
	q.Whole, q.Deleted = past.whole, past.deleted
	for back := trendQuarters - 1; back >= 0; back-- {
		window := q.Window.earlier(back)
		from, to := window.Bounds(q.To)
		if begin.IsZero() || !begin.Before(to) {
			continue
		}
		all, teams := QuarterPoint{Window: window}, []namedPoint(nil)
		stored, known := past.stored[window]
		switch {
		case !from.Before(past.whole):
			sizes := map[string]int{}
			if back == 0 && q.Snapshot != nil {
				for _, t := range q.Snapshot.States {
					sizes[t.Team] = t.People // as the report goes by
				}
			}
			if all, teams, err = e.livePoints(ctx, w, window, q.To, sizes); err != nil {
				return err
			}
		case known:
			all, teams = storedPoints(window, stored)
			q.Kept = append(q.Kept, KeptQuarter{Window: window, Method: stored.Method, History: stored.History})
		}
		q.All.Quarters = append(q.All.Quarters, all)
		for _, one := range teams {
			t := of(one.team)
			t.Quarters = append(t.Quarters, one.point)
			if !slices.Contains(q.All.teams, one.team) {
				q.All.teams = append(q.All.teams, one.team)
			}
		}
	}
	// Of the time before the data begin only what lasted is known: a quarter in
	// which that is all cannot be compared.
	greatest := 0.0
	for _, p := range q.All.Quarters {
		greatest = max(greatest, p.Total)
	}
	for i, p := range q.All.Quarters {
		from, _ := p.Window.Bounds(q.To)
		if p.Total >= greatest/wholeQuarter && !begin.After(from.AddDate(0, 0, 14)) {
			continue
		}
		q.All.Quarters[i].Gini, q.All.Quarters[i].Excess = nil, nil
		for _, team := range q.All.teams {
			points := of(team).Quarters
			for k := range points {
				if points[k].Window == p.Window {
					points[k].Gini, points[k].Excess = nil, nil
				}
			}
		}
	}
	for _, team := range q.All.teams {
		of(team).Trend = trendOf(of(team).Quarters)
	}
	q.All.Trend = trendOf(q.All.Quarters)
	return nil
}

// wholeQuarter is the part of the busiest quarter's work from which a quarter is
// taken to be known.
const wholeQuarter = 4

// earlier is the quarter so many before.
func (w Window) earlier(n int) Window {
	at := w.year*4 + w.quarter - 1 - n
	return Window{year: at / 4, quarter: at%4 + 1}
}

// begin is when a quarter begins.
func (w Window) begin() time.Time {
	return time.Date(w.year, time.Month(3*w.quarter-2), 1, 0, 0, 0, 0, time.UTC)
}

// QuarterOf is the quarter that an instant lies in.
func QuarterOf(at time.Time) Window {
	at = at.UTC()
	return Window{year: at.Year(), quarter: (int(at.Month())-1)/3 + 1}
}

// LastQuarter is the last quarter that has ended at an instant.
func LastQuarter(at time.Time) Window { return QuarterOf(at).earlier(1) }

// trendOf tests the excess of quarters, of those that may be shown if the last may
// be; nil under five that are known.
func trendOf(points []QuarterPoint) *Trend {
	var series []float64
	for _, p := range points {
		if p.Excess != nil && (p.Shown || !points[len(points)-1].Shown) {
			series = append(series, *p.Excess)
		}
	}
	if len(series) < leastTrend {
		return nil
	}
	t := distribution.TrendOf(series)
	if !distribution.Defined(t.TauB) {
		return nil // all alike
	}
	return &Trend{Weeks: series, Tau: t.TauB, Slope: t.Slope, P: t.P}
}

// TrendDiscoveries are the p values of the teams' trends over quarters, by team,
// adjusted over all of them: as those of verdicts are, by whether teams have people
// in common.
func (q *Quarter) TrendDiscoveries() (map[string]float64, error) {
	trends := map[string]float64{}
	var names []string
	var p []float64
	for _, t := range q.Teams {
		if t.Trend != nil {
			trends[t.Team] = t.Trend.P
			names, p = append(names, t.Team), append(p, t.Trend.P)
		}
	}
	groups := q.Snapshot.Teams[TeamsKey{q.Window, Load, Tickets}]
	adjusted, err := adjustmentOf(groups, func(g Group) bool { _, ok := trends[g.Name]; return ok }).of(p)
	if err != nil {
		return nil, fmt.Errorf("adjusting trends: %w", err)
	}
	for i, name := range names {
		trends[name] = adjusted[i]
	}
	return trends, nil
}

// quality fills in what the data are, and how good.
func (e *Engine) quality(ctx context.Context, q *Quarter) error {
	w, err := e.world(ctx)
	if err != nil {
		return err
	}
	parameters := w.parameters(millis(q.To))
	parameters["from"] = numberParameter(millis(q.From))
	q.Sources = []SourceQuality{}
	var first, last int64
	err = e.each(ctx, "quality", qualitySQL(e.db.Table("tickets")), parameters, func(rows driver.Rows) error {
		var s SourceQuality
		var begin, end int64
		var tickets uint64
		var history uint64
		if err := rows.Scan(&s.Source, &tickets, &history, &begin, &end, &s.Tickets, &s.Incomplete, &s.Unrecorded, &s.NoArea, &s.NoGroup, &s.Deleted, &s.Estimated); err != nil {
			return err
		}
		s.FirstTicket = time.UnixMilli(begin).UTC()
		if len(q.Sources) == 0 || begin < first {
			first = begin
		}
		last = max(last, end)
		q.Data.Tickets += tickets
		q.Data.History += fmt.Sprintf("%016x", history)
		q.Sources = append(q.Sources, s)
		return nil
	})
	if err != nil {
		return err
	}
	if len(q.Sources) > 0 {
		q.Data.Begin, q.Data.Last = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(q.Data.History)) // never fails
	q.Data.History = fmt.Sprintf("%016x", sum.Sum64())
	q.Data.Roster, err = e.db.RosterHash(ctx)
	return err
}

// Lorenz is a curve of the work of people in a quarter, with the band that luck
// leaves it in; the band's ends are nil where there is too little to say.
type Lorenz struct {
	Places, Shares, Low, High []float64
}

// Lorenz is the curve at steps equal parts of the capacity; with 0, at each
// person's.
func (g Group) Lorenz(seed string, steps int) (Lorenz, error) {
	return lorenz(g.Name+separator+seed, g.Engineers, g.h, steps, g.GiniChance != nil)
}

// Lorenz is that of everybody.
func (a Everybody) Lorenz(seed string, steps int) (Lorenz, error) {
	return lorenz(seed, a.Parts, a.h, steps, a.Chance != nil)
}

func lorenz(seed string, parts []Part, h float64, steps int, chance bool) (Lorenz, error) {
	var values, capacity []float64
	for _, p := range parts {
		if p.Capacity > 0 {
			values, capacity = append(values, p.Value), append(capacity, p.Capacity)
		}
	}
	s, err := distribution.Weighted(values, capacity)
	if err != nil || s.Total() == 0 || len(values) < 2 {
		return Lorenz{}, err
	}
	l := Lorenz{Places: []float64{0}}
	if steps > 0 {
		for i := 1; i < steps; i++ {
			l.Places = append(l.Places, float64(i)/float64(steps))
		}
	} else {
		order := make([]int, len(values))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int {
			ra, rb := values[a]/capacity[a], values[b]/capacity[b]
			switch {
			case ra < rb:
				return -1
			case ra > rb:
				return 1
			}
			return 0
		})
		at := 0.0
		for _, i := range order[:len(order)-1] {
			at += capacity[i]
			l.Places = append(l.Places, min(1, at/s.Capacity()))
		}
	}
	l.Places = append(l.Places, 1)
	for _, x := range l.Places {
		l.Shares = append(l.Shares, s.Lorenz(x))
	}
	if chance {
		l.Low, l.High, err = distribution.LorenzBand(seed, capacity, h, l.Places)
	}
	return l, err
}
