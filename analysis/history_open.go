package analysis

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// openCollector counts open tickets by whose hands they are in, as openSQL does.
type openCollector struct {
	classes bool
	cells   map[openKey]int32
	cell    []openKey
	events  *events
	tracks  []track
	order   []int32
	k       int
}

type openKey struct {
	source, group word
	actor         uint64
	class         int32
}

func newOpenCollector(g grid, classes bool) *openCollector {
	return &openCollector{classes: classes, cells: map[openKey]int32{}, events: newEvents(g.n), k: -1}
}

func (h *walker) walkOpen(life instants) {
	t, c := h.ticket, h.open
	if len(h.openRuns) == 0 && len(t.spells[statusSpells]) > 0 {
		return
	}
	h.begin(life)
	h.bend(life, t.deleted)
	h.bendSpells(life, t.spells[statusSpells], false)
	h.bendSpells(life, t.spells[groupSpells], false)
	for _, a := range t.holdings {
		h.bend(life, a.from)
		h.bend(life, a.to)
	}
	phases := h.plain
	if c.classes {
		phases = h.classed
		for _, p := range phases {
			if p.from > life.from {
				h.bends = append(h.bends, p.from)
			}
		}
	}
	var before openKey
	since, open := 0, false
	put := func(k int, is bool, key openKey) {
		if is == open && (!is || key == before) {
			return
		}
		if open {
			c.count(before, instants{since, k})
		}
		since, open, before = k, is, key
	}
	phase := 0
	betweenBends(h.bent(), life.to, func(r instants) {
		at := h.g.at(r.from)
		for phases[phase].to <= r.from {
			phase++
		}
		if t.deleted < at || h.status(valueBefore(t.spells[statusSpells], at))&isDone != 0 {
			put(r.from, false, openKey{})
			return
		}
		put(r.from, true, openKey{t.source, valueBefore(t.spells[groupSpells], at), t.holderBefore(at), phases[phase].class})
	})
	put(life.to, false, openKey{})
}

// holderBefore is who held the ticket just before an instant; 0 for nobody.
func (t *pastTicket) holderBefore(at int64) uint64 {
	for i := len(t.holdings) - 1; i >= 0; i-- {
		if a := &t.holdings[i]; a.from < at {
			if a.to >= at {
				return a.actor
			}
			return 0
		}
	}
	return 0
}

func (c *openCollector) count(key openKey, within instants) {
	n, ok := c.cells[key]
	if !ok {
		n = int32(len(c.cell))
		c.cells[key] = n
		c.cell = append(c.cell, key)
	}
	c.events.add(within.from, event{cell: n, items: 1})
	c.events.add(within.to, event{cell: n, items: -1})
}

// advance goes on to the next instant.
func (c *openCollector) advance(h *walker) {
	if c.order == nil {
		c.tracks, c.order = make([]track, len(c.cell)), make([]int32, len(c.cell))
		for i := range c.order {
			c.order[i] = int32(i)
		}
		slices.SortFunc(c.order, func(a, b int32) int {
			x, y := &c.cell[a], &c.cell[b]
			return cmp.Or(h.compare(x.source, y.source), h.compare(x.group, y.group), cmp.Compare(x.actor, y.actor), h.compareClasses(x.class, y.class))
		})
	}
	c.k++
	for i := range c.events.at[c.k] {
		e := &c.events.at[c.k][i]
		c.tracks[e.cell].items += e.items
	}
	c.events.at[c.k] = nil
}

// load is what openLoad answers at the instant.
func (c *openCollector) load(h *walker, x *pastEfforts, efforts bool) *OpenLoad {
	to := h.g.at(c.k)
	type place struct{ team, pseudonym string }
	teams, engineers := map[string]*TeamLoad{}, map[place]*EngineerLoad{}
	var key openKey
	name := ""
	for n, i := range c.order {
		items := c.tracks[i].items
		if items == 0 {
			continue
		}
		cell := &c.cell[i]
		same := key
		if same.class = cell.class; same != *cell || n == 0 {
			key = *cell
			source, group := h.text.list[key.source], h.text.list[key.group]
			if key.actor != 0 && !h.w.engineer(key.actor).Bot {
				name = h.w.holderTeam(source, group, h.w.engineer(key.actor).Pseudonym, to-1)
			} else {
				name = h.w.ownTeam(source, group, to-1)
			}
		}
		t := teams[name]
		if t == nil {
			t = &TeamLoad{Team: name}
			teams[name] = t
		}
		work := 0.0
		if efforts {
			work = x.of(cell.class) * float64(items)
		}
		if cell.actor == 0 {
			t.Unassigned += uint64(items)
			t.UnassignedEffort += work
			continue
		}
		p := h.w.engineer(cell.actor)
		if p.Bot {
			t.Bots += uint64(items)
			continue
		}
		t.Tickets += uint64(items)
		t.Effort += work
		at := place{name, p.Pseudonym}
		one := engineers[at]
		if one == nil {
			t.Engineers++
			one = &EngineerLoad{Team: name, Pseudonym: p.Pseudonym, Name: p.Name}
			engineers[at] = one
		}
		one.Tickets += uint64(items)
		one.Effort += work
	}
	load := &OpenLoad{At: time.UnixMilli(to).UTC()}
	for _, team := range sortedKeys(teams) {
		load.Teams = append(load.Teams, *teams[team])
	}
	for _, one := range engineers {
		load.Engineers = append(load.Engineers, *one)
	}
	slices.SortFunc(load.Engineers, func(a, b EngineerLoad) int {
		return cmp.Or(cmp.Compare(a.Team, b.Team), cmp.Compare(a.Pseudonym, b.Pseudonym))
	})
	return load
}

// compare orders words by what they say.
func (h *walker) compare(a, b word) int { return strings.Compare(h.text.list[a], h.text.list[b]) }

func (h *walker) compareClasses(a, b int32) int {
	if a == b {
		return 0
	}
	x, y := &h.class[a], &h.class[b]
	return cmp.Or(h.compare(x.source, y.source), h.compare(x.kind, y.kind), h.compare(x.priority, y.priority), h.compare(x.areas, y.areas), h.compare(x.points, y.points))
}
