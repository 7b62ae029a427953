package analysis

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"fairlead/analysis/effort"
	"fairlead/connectors/roster"
)

// modelHistory follows the statistics of package effort along a history: the
// medians of what finished tickets took, as effortSQL has them, instant by
// instant. A median is found by descending a Fenwick tree over the ranks of all
// values that it will ever see.
type modelHistory struct {
	config  effort.Config
	hours   pastHours
	stats   map[statKey]int32
	keys    []statKey
	entries []statEntry

	changes [][]statChange // by instant
	values  [][]float64    // sorted, by statistic
	trees   []ranks
	dirty   []int32
	list    []effort.Statistic
	k       int
}

type statKey struct {
	level   effort.Level
	measure effort.Measure
	class   effortClass
}

// statEntry is a value that a statistic has for some instants.
type statEntry struct {
	stat     int32
	from, to int32
	value    float64
}

type statChange struct {
	stat, rank int32
	by         int32
}

func newModelHistory(config effort.Config, c *crew, g grid) *modelHistory {
	hours := pastHours{crew: c, until: time.UnixMilli(g.at(g.n - 1)), calendars: map[string]*roster.Timetable{}, turns: map[string][]int64{}}
	return &modelHistory{config: config, hours: hours, stats: map[statKey]int32{}, changes: make([][]statChange, g.n), k: -1}
}

func (m *modelHistory) put(level effort.Level, measure effort.Measure, class effortClass, within instants, value float64) {
	key := statKey{level, measure, class}
	n, ok := m.stats[key]
	if !ok {
		n = int32(len(m.keys))
		m.stats[key] = n
		m.keys = append(m.keys, key)
	}
	m.entries = append(m.entries, statEntry{n, int32(within.from), int32(within.to), value})
}

// walkModel adds what the model learns from a ticket.
func (h *walker) walkModel(life instants) {
	t, m := h.ticket, h.model
	h.begin(life)
	h.bendSpells(life, t.spells[statusSpells], false)
	for _, p := range h.classed {
		if p.from > life.from {
			h.bends = append(h.bends, p.from)
		}
	}
	for _, a := range t.holdings {
		for _, at := range m.hours.turn(h.g, h.w, a.actor) {
			h.bend(life, at)
		}
	}
	phase := 0
	var known, next sampled
	var since instants
	flush := func() {
		known.tell(m, since)
	}
	betweenBends(h.bent(), life.to, func(r instants) {
		for h.classed[phase].to <= r.from {
			phase++
		}
		next = h.sampleAt(h.g.at(r.from), h.class[h.classed[phase].class])
		if next == known {
			since.to = r.to
			return
		}
		flush()
		known, since = next, r
	})
	flush()
}

// sampled is what a ticket tells the model: story points, and for how long
// somebody was at work on it, where it is finished.
type sampled struct {
	class    effortClass // without points
	finished bool
	points   float64
	days     float64
}

func (s sampled) tell(m *modelHistory, within instants) {
	if within.empty() {
		return
	}
	source := effortClass{source: s.class.source}
	kind := effortClass{source: s.class.source, kind: s.class.kind}
	if s.points > 0 {
		m.put(effort.LevelSource, effort.Scale, source, within, s.points)
	}
	if !s.finished {
		return
	}
	each := func(measure effort.Measure, value float64) {
		if value > 0 {
			m.put(effort.LevelSource, measure, source, within, value)
			m.put(effort.LevelKind, measure, kind, within, value)
			m.put(effort.LevelClass, measure, s.class, within, value)
		}
	}
	each(effort.Points, s.points)
	each(effort.Days, s.days)
}

func (h *walker) sampleAt(at int64, class effortClass) sampled {
	t := h.ticket
	s, worked := sampled{class: class}, 0.0
	if p := storyPoints(h.text.list[class.points]); p != nil && *p > 0 {
		s.points = *p
	}
	s.class.points = 0
	statuses := t.spells[statusSpells]
	if s.finished = h.status(valueBefore(statuses, at))&isDone != 0; !s.finished {
		return s
	}
	for _, spell := range statuses {
		if spell.from >= at || h.status(spell.value)&isProgress == 0 {
			continue
		}
		for _, a := range t.holdings {
			if from, to := max(a.from, spell.from), min(a.to, spell.to, at); from < to {
				worked += h.model.hours.between(h.w, a.actor, from, to, at)
			}
		}
	}
	s.days = worked / h.model.hours.day()
	return s
}

// pastHours is working time as Engine.model counts it.
type pastHours struct {
	crew      *crew
	until     time.Time
	calendars map[string]*roster.Timetable // by person
	turns     map[string][]int64           // by person
}

// between is the working time of an account in [from, to), as it is counted at
// an instant, in the unit of day.
func (p *pastHours) between(w *world, actor uint64, from, to, at int64) float64 {
	if p.crew == nil {
		return float64(weekdaysBefore(to) - weekdaysBefore(from))
	}
	var c effort.Calendar = effort.Weekdays{}
	if id := p.crew.persons[w.engineer(actor).Pseudonym]; id != "" && p.crew.roster.HoursKnown(id, time.UnixMilli(at)) {
		if p.calendars[id] == nil {
			p.calendars[id] = p.crew.roster.Timetable(id, p.crew.earliest, p.until)
		}
		c = p.calendars[id]
	}
	return float64(c.Working(time.UnixMilli(from), time.UnixMilli(to)))
}

// day is a working day in the unit of between: nanoseconds, or milliseconds of
// weekdays, of which eight hours of 24 are worked.
func (p *pastHours) day() float64 {
	if p.crew == nil {
		return float64((24 * time.Hour).Milliseconds())
	}
	return float64(effort.Day)
}

// weekdaysBefore is the milliseconds of weekdays before a time: see
// effort.Weekdays.
func weekdaysBefore(t int64) int64 {
	const day = 24 * 60 * 60 * 1000
	u := t + 3*day
	return u/(7*day)*5*day + min(u%(7*day), 5*day)
}

// turn are the instants at which a person's hours become known, or unknown.
func (p *pastHours) turn(g grid, w *world, actor uint64) []int64 {
	if p.crew == nil {
		return nil
	}
	id := p.crew.persons[w.engineer(actor).Pseudonym]
	turns, ok := p.turns[id]
	if !ok && id != "" {
		known := p.crew.roster.HoursKnown(id, time.UnixMilli(g.at(0)))
		for k := range g.n {
			if now := p.crew.roster.HoursKnown(id, time.UnixMilli(g.at(k))); now != known {
				// After the instant before: seen from this one on.
				turns, known = append(turns, g.at(k-1)), now
			}
		}
		p.turns[id] = turns
	}
	return turns
}

// prepare lays out the changes by instant.
func (m *modelHistory) prepare() {
	slices.SortFunc(m.entries, func(a, b statEntry) int {
		return cmp.Or(cmp.Compare(a.stat, b.stat), cmp.Compare(a.value, b.value), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	m.values, m.trees = make([][]float64, len(m.keys)), make([]ranks, len(m.keys))
	for from := 0; from < len(m.entries); {
		to, stat := from, m.entries[from].stat
		for to < len(m.entries) && m.entries[to].stat == stat {
			e := &m.entries[to]
			rank := int32(to - from)
			m.values[stat] = append(m.values[stat], e.value)
			m.changes[e.from] = append(m.changes[e.from], statChange{stat, rank, 1})
			if int(e.to) < len(m.changes) {
				m.changes[e.to] = append(m.changes[e.to], statChange{stat, rank, -1})
			}
			to++
		}
		m.trees[stat] = newRanks(to - from)
		from = to
	}
	m.entries = nil
	m.list = make([]effort.Statistic, len(m.keys))
}

// advance goes on to the next instant and fits its model.
func (m *modelHistory) advance(h *walker) effort.Model {
	if m.values == nil {
		m.prepare()
		for i, key := range m.keys {
			list := h.text.list
			m.list[i] = effort.Statistic{Level: key.level, Measure: key.measure, Class: effort.Class{
				Source: list[key.class.source], Kind: list[key.class.kind], Priority: list[key.class.priority], Areas: list[key.class.areas],
			}}
		}
	}
	m.k++
	m.dirty = m.dirty[:0]
	for _, c := range m.changes[m.k] {
		m.trees[c.stat].add(int(c.rank), c.by)
		m.dirty = append(m.dirty, c.stat)
	}
	m.changes[m.k] = nil
	slices.Sort(m.dirty)
	for _, stat := range slices.Compact(m.dirty) {
		tree, values := &m.trees[stat], m.values[stat]
		s := &m.list[stat]
		if s.N = uint64(tree.count); tree.count == 0 {
			continue
		}
		low, high := values[tree.find((tree.count-1)/2)], values[tree.find(tree.count/2)]
		s.Median = low + (high-low)/2
	}
	known := make([]effort.Statistic, 0, len(m.list))
	for _, s := range m.list {
		if s.N > 0 {
			known = append(known, s)
		}
	}
	return m.config.Fit(known)
}

// ranks is a Fenwick tree: which of some ranks are there.
type ranks struct {
	tree  []int32 // from 1
	count int
}

func newRanks(n int) ranks { return ranks{tree: make([]int32, n+1)} }

func (r *ranks) add(rank int, by int32) {
	r.count += int(by)
	for i := rank + 1; i < len(r.tree); i += i & -i {
		r.tree[i] += by
	}
}

// find is the rank of the nth that is there, from 0.
func (r *ranks) find(n int) int {
	place, left := 0, int32(n)
	for step := 1 << (bits.Len(uint(len(r.tree)-1)) - 1); step > 0; step >>= 1 {
		if next := place + step; next < len(r.tree) && r.tree[next] <= left {
			place = next
			left -= r.tree[next]
		}
	}
	return place
}
