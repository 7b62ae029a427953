package report

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/analysis"
)

// builder holds what is decided once for a report.
type builder struct {
	o     Options
	q     *analysis.Quarter
	names *names

	load     map[string]bool // teams whose figures may be shown
	overload map[string]bool // teams whose number of overloaded people may be
	mine     map[string]bool // Self: the engineer's teams
}

// New makes the report of a quarter for an audience.
func New(q *analysis.Quarter, o Options) (*Report, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.MinPeople == 0 {
		o.MinPeople = MinPeople
	}
	b := &builder{o: o, q: q, names: newNames(), mine: map[string]bool{}}
	if err := b.decide(); err != nil {
		return nil, err
	}
	s := q.Snapshot
	r := &Report{
		Schema: SchemaVersion, Quarter: q.Window.String(), From: q.From, To: q.To, Over: q.Over,
		Audience: o.Audience, Teams: []string{}, Queues: !s.Rostered, Least: o.MinPeople, Contact: o.Contact,
		Version: Version{
			Fairlead: o.Fairlead, Method: q.Method, Effort: s.EffortVersion,
			Tickets: q.Data.Tickets, History: q.Data.History, Roster: q.Data.Roster, Begin: q.Data.Begin, Last: q.Data.Last,
		},
		Configuration: configuration(q.Config),
	}
	switch o.Audience {
	case Lead:
		r.Team = b.names.clean(o.Teams[0])
	case Self:
		r.Engineer = o.Engineer
		r.Name = b.nameOf(o.Engineer)
	case Group:
		for _, t := range o.Teams {
			r.Teams = append(r.Teams, b.names.clean(t))
		}
	}
	var err error
	if r.Workload, err = b.workload(); err != nil {
		return nil, err
	}
	r.Overload = b.overloads()
	r.Knowledge = b.knowledge()
	r.Rebalancing = b.rebalancing()
	r.Quality = b.quality()
	rounded(reflect.ValueOf(r).Elem())
	for i := range r.Workload.Teams {
		r.Workload.Teams[i].Says = teamSays(r.Workload.Teams[i])
	}
	r.Summary = summary(r)
	return r, nil
}

// digits are those of every number in a report: what lies beyond them is noise
// of the machine that added up.
const digits = 9

// rounded rounds all numbers of a document.
func rounded(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			// A figure of the quarter is not the report's to change.
			if v.Elem().Kind() == reflect.Float64 {
				x := v.Elem().Float()
				v.Set(reflect.ValueOf(&x))
			}
			rounded(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			rounded(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			rounded(v.Index(i))
		}
	case reflect.Float64:
		x, err := strconv.ParseFloat(strconv.FormatFloat(v.Float(), 'g', digits, 64), 64)
		if err == nil {
			v.SetFloat(x)
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func (b *builder) groups(unit analysis.Unit) []analysis.Group {
	return b.q.Snapshot.Teams[analysis.TeamsKey{Window: b.q.Window, Basis: analysis.Load, Unit: unit}]
}

// decide says once what may be shown, and refuses what nobody is or has.
func (b *builder) decide() error {
	groups := b.groups(analysis.Tickets)
	states := map[string]analysis.TeamState{}
	for _, t := range b.q.Snapshot.States {
		states[t.Team] = t
	}
	var teams, judged []analysis.Crowd
	known := map[string]bool{}
	for _, g := range groups {
		known[g.Name] = true
		c := analysis.Crowd{Name: g.Name, People: map[string]bool{}, Size: states[g.Name].People}
		for _, p := range g.Engineers {
			c.People[p.Pseudonym] = true
			if p.Pseudonym == b.o.Engineer {
				b.mine[g.Name] = true
			}
		}
		teams = append(teams, c)
	}
	b.load = analysis.Publish(teams, b.o.MinPeople)
	of := map[string]map[string]bool{}
	for _, o := range b.q.Snapshot.Overload {
		if o.Judged {
			if of[o.Team] == nil {
				of[o.Team] = map[string]bool{}
			}
			of[o.Team][o.Pseudonym] = true
		}
		if o.Pseudonym == b.o.Engineer {
			b.mine[o.Team] = true
		}
		known[o.Team] = true
	}
	for _, team := range sorted(of) {
		// A team that is not shown at all is not shown here either.
		judged = append(judged, analysis.Crowd{Name: team, People: of[team], Closed: !b.load[team]})
	}
	b.overload = analysis.Publish(judged, b.o.MinPeople)
	for _, t := range b.o.Teams {
		if !known[t] {
			return fmt.Errorf("there is no team %q with people or work in %s%s", t, b.q.Window, likely(t, known))
		}
	}
	if b.o.Audience == Self {
		held := slices.ContainsFunc(b.q.Snapshot.Areas, func(a analysis.AreaOwnership) bool {
			return slices.ContainsFunc(a.Holders, func(h analysis.Holder) bool { return h.Pseudonym == b.o.Engineer })
		})
		if len(b.mine) == 0 && !held {
			return fmt.Errorf("nothing is known of an engineer %q in %s: give a pseudonym as it stands in the metrics", b.o.Engineer, b.q.Window)
		}
	}
	return nil
}

// likely names what may have been meant.
func likely(team string, known map[string]bool) string {
	var list []string
	for _, name := range sorted(known) {
		if strings.Contains(strings.ToLower(name), strings.ToLower(team)) || len(list) < 5 {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ": there is " + strings.Join(list[:min(8, len(list))], ", ")
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// wanted is whether the report is about a team, and may show its figures.
func (b *builder) wanted(team string) bool {
	switch b.o.Audience {
	case Lead:
		return team == b.o.Teams[0]
	case Self:
		return b.mine[team] && b.load[team]
	}
	return b.load[team] && (len(b.o.Teams) == 0 || slices.Contains(b.o.Teams, team))
}

// counted is whether the number of overloaded people of a team may be shown.
func (b *builder) counted(team string) bool {
	return b.o.Audience == Lead || b.overload[team]
}

// shownPerson is whether the report shows single figures of somebody in a team.
func (b *builder) shownPerson(team, pseudonym string) bool {
	if analysis.IsFormer(pseudonym) {
		return false
	}
	switch b.o.Audience {
	case Lead:
		return team == b.o.Teams[0]
	case Self:
		return pseudonym == b.o.Engineer
	}
	return false
}

// who is a pseudonym, if the report may tell it, in a matter of a team.
func (b *builder) who(team, pseudonym string) string {
	if pseudonym != "" && b.shownPerson(team, pseudonym) {
		return pseudonym
	}
	return ""
}

func (b *builder) name(team, pseudonym, name string) string {
	if !b.o.Names || b.who(team, pseudonym) == "" || name == "" {
		return ""
	}
	return clean(name)
}

func (b *builder) nameOf(pseudonym string) string {
	if !b.o.Names {
		return ""
	}
	for _, p := range b.q.All.Parts {
		if p.Pseudonym == pseudonym && p.Name != "" {
			return clean(p.Name)
		}
	}
	return ""
}

func (b *builder) days() float64 { return b.q.To.Sub(b.q.From).Hours() / 24 }

func (b *builder) workload() (Workload, error) {
	w := Workload{Teams: []TeamLoad{}, People: []PersonLoad{}, Weeks: b.q.Weeks, Stored: []StoredQuarter{}}
	for _, k := range b.q.Kept {
		w.Stored = append(w.Stored, StoredQuarter{Quarter: k.Window.String(), Method: k.Method, History: k.History})
	}
	if w.Weeks == nil {
		w.Weeks = []time.Time{}
	}
	if b.o.Audience != Lead && b.q.All.People >= b.o.MinPeople {
		all, err := b.everybody()
		if err != nil {
			return w, err
		}
		w.All = all
	}
	quarters := map[string]analysis.TeamQuarter{}
	for _, t := range b.q.Teams {
		quarters[t.Team] = t
	}
	efforts := map[string]analysis.Group{}
	for _, g := range b.groups(analysis.Effort) {
		efforts[g.Name] = g
	}
	groups := slices.Clone(b.groups(analysis.Tickets))
	slices.SortFunc(groups, func(x, y analysis.Group) int { return strings.Compare(x.Name, y.Name) })
	adjusted, err := b.q.TrendDiscoveries()
	if err != nil {
		return Workload{}, err
	}
	for _, g := range groups {
		if !b.load[g.Name] {
			w.Withheld++
		}
		if b.wanted(g.Name) {
			var trendQ *float64
			if x, ok := adjusted[g.Name]; ok {
				trendQ = &x
			}
			t, err := b.team(g, efforts[g.Name], quarters[g.Name], trendQ)
			if err != nil {
				return w, err
			}
			w.Teams = append(w.Teams, t)
		}
		for _, p := range g.Engineers {
			if b.shownPerson(g.Name, p.Pseudonym) {
				w.People = append(w.People, b.person(g, p))
			}
		}
	}
	if b.o.Audience != Group {
		w.Withheld = 0
	}
	slices.SortFunc(w.People, func(x, y PersonLoad) int {
		return cmp.Or(strings.Compare(x.Team, y.Team), strings.Compare(x.Name, y.Name), strings.Compare(x.Engineer, y.Engineer))
	})
	return w, nil
}

func (b *builder) everybody() (*Everybody, error) {
	a := b.q.All
	e := &Everybody{
		People: a.People, Capacity: a.Capacity, Total: a.Total, Open: a.Total / b.days(),
		Gini: a.Gini, Chance: a.Chance, Quarters: points(a.Quarters, b.o.MinPeople, true), Trend: trendOf(a.Trend),
	}
	if a.Between != nil {
		// Over memberships, as the parts are.
		total := *a.Between
		for _, g := range b.groups(analysis.Tickets) {
			if g.Theil != nil {
				total += g.Total / max(a.Total, 1e-12) * *g.Theil
			}
		}
		if total > 0 {
			share := min(1, max(0, *a.Between/total))
			e.Between = &share
		}
	}
	var err error
	e.Lorenz, err = curve(a.Lorenz(seed(b.q), b.steps(a.People)))
	return e, err
}

// steps is how many parts a curve may have, so that each is of at least the
// smallest group; 0 is none at all.
func (b *builder) steps(people int) int { return min(10, people/b.o.MinPeople) }

func curve(l analysis.Lorenz, err error) (*Lorenz, error) {
	if err != nil || len(l.Places) == 0 {
		return nil, err
	}
	c := &Lorenz{Capacity: l.Places, Work: l.Shares, Low: l.Low, High: l.High}
	if c.Low == nil {
		c.Low, c.High = []float64{}, []float64{}
	}
	return c, nil
}

// points are those of a trend; to others, of quarters in which the group may be shown.
func points(list []analysis.QuarterPoint, least int, others bool) []QuarterPoint {
	out := []QuarterPoint{}
	for _, p := range list {
		one := QuarterPoint{Quarter: p.Window.String()}
		if p.People > 0 && p.People >= least && (p.Shown || !others) {
			people := p.People
			one.People, one.Gini, one.Excess = &people, p.Gini, p.Excess
		}
		out = append(out, one)
	}
	return out
}

func trendOf(t *analysis.Trend) *Trend {
	if t == nil {
		return nil
	}
	return &Trend{Tau: t.Tau, Slope: t.Slope, P: t.P}
}

func (b *builder) team(g, effort analysis.Group, quarter analysis.TeamQuarter, trendQ *float64) (TeamLoad, error) {
	least := b.o.MinPeople
	if b.o.Audience == Lead {
		least = 0
	}
	t := TeamLoad{
		Team: b.names.clean(g.Name), Queue: g.Provisional, People: g.People, Capacity: g.Capacity, Total: g.Total,
		Gini: g.Gini, GiniLow: g.GiniLow, GiniHigh: g.GiniHigh, Chance: g.GiniChance, ChanceLow: g.ChanceLow, ChanceHigh: g.ChanceHigh,
		Hoover: g.Hoover, HooverChance: g.HooverChance, P: g.P, PAdjusted: g.PAdjusted, Verdict: string(g.Verdict),
		GiniEffort: effort.Gini, EffortChance: effort.GiniChance,
		Quarters: points(quarter.Quarters, least, b.o.Audience != Lead), Trend: trendOf(quarter.Trend), TrendQ: trendQ, Weeks: []*float64{},
	}
	if g.Capacity > 0 {
		per := g.Total / b.days() / g.Capacity
		t.PerFTE = &per
	}
	if g.Explained != nil && g.GiniExcess != nil && *g.GiniExcess > 0 {
		t.Explained = &Explained{Gini: g.Explained.Gini, Part: min(1, max(0, g.Explained.Part / *g.GiniExcess)), P: g.Explained.P, Known: g.Explained.Known}
	}
	for _, w := range quarter.Weeks {
		var per *float64
		if w.Capacity > 0 {
			x := w.Load / w.Capacity
			per = &x
		}
		t.Weeks = append(t.Weeks, per)
	}
	var err error
	switch steps := b.steps(g.People); {
	case b.o.Audience == Lead:
		t.Lorenz, err = curve(g.Lorenz(seed(b.q), 0))
	case steps > 1:
		t.Lorenz, err = curve(g.Lorenz(seed(b.q), steps))
	}
	return t, err
}

func (b *builder) person(g analysis.Group, p analysis.Part) PersonLoad {
	one := PersonLoad{
		Engineer: p.Pseudonym, Name: b.name(g.Name, p.Pseudonym, p.Name), Team: b.names.clean(g.Name), Tickets: p.Items,
		Open: p.Value / b.days(), Capacity: p.Capacity, Relative: p.Relative, Z: p.Z, Tail: p.Tail, Weeks: make([]*float64, len(b.q.Weeks)),
	}
	for _, o := range b.q.Snapshot.Overload {
		if o.Team != g.Name || o.Pseudonym != p.Pseudonym {
			continue
		}
		for _, w := range o.Weeks {
			if i := slices.Index(b.q.Weeks, w.Week); i >= 0 {
				load := w.Load
				one.Weeks[i] = &load
			}
		}
	}
	return one
}
