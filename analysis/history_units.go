package analysis

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fairlead/analysis/effort"
)

// pastUnit is a unit (see unitsSQL) as it counts at the instants within: with a
// weight, or with what of its pieces lies in the window.
type pastUnit struct {
	within    instants
	key       word
	actor     uint64
	given, at int64 // at is that of the unit without a window
	weight    int64
	pieces    []piece
}

// phase is a range of instants in which a ticket's class and parent stay.
type phase struct {
	instants
	class  int32
	parent word
}

// walker turns histories of tickets into units, and those into the sums of its
// collectors.
type walker struct {
	w     *world
	g     grid
	text  *words
	shops []*collector
	// Nil unless asked for.
	open       *openCollector
	model      *modelHistory
	judgements *judgements

	statuses map[[2]word]uint8
	kinds    map[[2]word]word
	joined   map[word][]word // areas by their joined list
	classes  map[effortClass]int32
	class    []effortClass

	// Scratch.
	ticket   *pastTicket
	bends    []int
	plain    []phase // without classes
	classed  []phase
	needed   bool // that classes are
	openRuns []lasting
	units    []pastUnit
	areas    []string
}

// effortClass is effort.Class with the story points.
type effortClass struct{ source, kind, priority, areas, points word }

const (
	isDone uint8 = 1 << iota
	isProgress
	isKnown
)

func newWalker(w *world, g grid) *walker {
	h := &walker{
		w: w, g: g, text: newWords(), statuses: map[[2]word]uint8{}, kinds: map[[2]word]word{},
		joined: map[word][]word{}, classes: map[effortClass]int32{{}: 0}, class: []effortClass{{}},
	}
	for i, key := range w.kinds {
		source, id, _ := strings.Cut(key, separator)
		h.kinds[[2]word{h.text.ofString(source), h.text.ofString(id)}] = h.text.ofString(w.kindValues[i])
	}
	for flag, keys := range map[uint8][]string{isDone: w.done, isProgress: w.progress} {
		for _, key := range keys {
			source, id, _ := strings.Cut(key, separator)
			h.statuses[[2]word{h.text.ofString(source), h.text.ofString(id)}] |= flag | isKnown
		}
	}
	return h
}

func (h *walker) status(value word) uint8 { return h.statuses[[2]word{h.ticket.source, value}] }

// read goes through all tickets that the last instant can know.
func (h *walker) read(ctx context.Context, e *Engine) error {
	for _, c := range h.shops {
		h.needed = h.needed || c.classes
	}
	h.needed = h.needed || h.model != nil
	err := e.eachTicket(ctx, h.w, h.g.at(h.g.n-1), h.text, h.walk)
	for _, c := range h.shops {
		c.families()
	}
	return err
}

func (h *walker) walk(t *pastTicket) {
	h.ticket = t
	life := instants{h.g.after(t.created), h.g.n}
	if life.empty() {
		return
	}
	h.plain = h.phases(h.plain[:0], life, false)
	if h.needed {
		h.classed = h.phases(h.classed[:0], life, true)
	}
	h.openRuns = h.openRuns[:0]
	for _, s := range t.spells[statusSpells] {
		if h.status(s.value)&isDone == 0 {
			if s.to = min(s.to, t.deleted); s.to > s.from {
				h.openRuns = append(h.openRuns, s)
			}
		}
	}
	for _, c := range h.shops {
		phases := h.plain
		if c.classes {
			phases = h.classed
		}
		switch c.basis {
		case Load:
			h.load(c, phases)
		case Assigned:
			h.assigned(c, phases)
		default:
			h.resolved(c, phases, life)
		}
		c.endTicket()
	}
	if h.open != nil {
		h.walkOpen(life)
	}
	if h.model != nil {
		h.walkModel(life)
	}
}

// begin, bend and bent make the instants of a life from which something may be
// another, its beginning first: what begins at a time is seen from the instant
// after it.
func (h *walker) begin(life instants) { h.bends = append(h.bends[:0], life.from) }

func (h *walker) bend(life instants, at int64) {
	if k := h.g.after(at); k > life.from && k < life.to {
		h.bends = append(h.bends, k)
	}
}

func (h *walker) bendSpells(life instants, spells []lasting, ends bool) {
	for i, s := range spells {
		if i > 0 || s.from > h.ticket.created {
			h.bend(life, s.from)
		}
		if ends {
			h.bend(life, s.to)
		}
	}
}

func (h *walker) bent() []int {
	if len(h.bends) > 2 {
		slices.Sort(h.bends)
		h.bends = slices.Compact(h.bends)
	}
	return h.bends
}

// betweenBends calls each with the ranges between bends.
func betweenBends(bends []int, end int, each func(instants)) {
	for i, k := range bends {
		to := end
		if i+1 < len(bends) {
			to = bends[i+1]
		}
		if k < to {
			each(instants{k, to})
		}
	}
}

func (h *walker) phases(into []phase, life instants, classes bool) []phase {
	t := h.ticket
	h.begin(life)
	for _, p := range t.parents {
		h.bend(life, p.at)
	}
	if classes {
		for _, field := range []int{kindSpells, prioritySpells, effortSpells} {
			h.bendSpells(life, t.spells[field], false)
		}
		h.bendSpells(life, t.spells[areaSpells], true)
	}
	betweenBends(h.bent(), life.to, func(r instants) {
		at := h.g.at(r.from)
		p := phase{instants: r, parent: t.parentAt(at)}
		if classes {
			p.class = h.classAt(at)
		}
		if n := len(into); n > 0 && into[n-1].class == p.class && into[n-1].parent == p.parent {
			into[n-1].to = r.to
			return
		}
		into = append(into, p)
	})
	return into
}

func (h *walker) classAt(at int64) int32 {
	t := h.ticket
	kind, ok := h.kinds[[2]word{t.source, valueBefore(t.spells[kindSpells], at)}]
	if !ok {
		kind = h.text.ofString("other")
	}
	c := effortClass{t.source, kind, valueBefore(t.spells[prioritySpells], at), h.areasAt(at), valueBefore(t.spells[effortSpells], at)}
	n, ok := h.classes[c]
	if !ok {
		n = int32(len(h.class))
		h.classes[c] = n
		h.class = append(h.class, c)
	}
	return n
}

// of is the class and the story points by their names.
func (h *walker) of(class int32) (effort.Class, string) {
	c := h.class[class]
	list := h.text.list
	return effort.Class{Source: list[c.source], Kind: list[c.kind], Priority: list[c.priority], Areas: list[c.areas]}, list[c.points]
}

// areasAt are the areas that a ticket was in just before an instant, joined.
func (h *walker) areasAt(at int64) word {
	return h.join(func(s lasting) bool { return s.from < at && s.to >= at })
}

// areasFrom are those that it was in from an instant on.
func (h *walker) areasFrom(at int64) word {
	return h.join(func(s lasting) bool { return s.from <= at && s.to > at })
}

func (h *walker) join(in func(lasting) bool) word {
	h.areas = h.areas[:0]
	var one word
	for _, s := range h.ticket.spells[areaSpells] {
		if in(s) {
			h.areas, one = append(h.areas, h.text.list[s.value]), s.value
		}
	}
	if len(h.areas) < 2 {
		return one
	}
	slices.Sort(h.areas)
	h.areas = slices.Compact(h.areas)
	return h.text.ofString(strings.Join(h.areas, effort.AreaSeparator))
}

// split is the areas of a joined list; of none, the one that is none.
func (h *walker) split(areas word) []word {
	list, ok := h.joined[areas]
	if !ok {
		for _, a := range strings.Split(h.text.list[areas], effort.AreaSeparator) {
			list = append(list, h.text.ofString(a))
		}
		h.joined[areas] = list
	}
	return list
}

func (h *walker) assigned(c *collector, phases []phase) {
	for i := range h.ticket.holdings {
		a := &h.ticket.holdings[i]
		within := instants{h.g.after(a.from), h.g.n}
		if c.length > 0 {
			within.to = h.g.after(a.from + c.length)
		}
		if a.actor == 0 || within.empty() {
			continue
		}
		u := pastUnit{within: within, actor: a.actor, given: a.from, at: a.from, weight: shares}
		switch c.by {
		case Team:
			u.key = a.group
			c.add(h, &u, phases)
		case Source:
			c.add(h, &u, phases)
		default:
			areas := h.split(h.areasFrom(a.from))
			u.weight /= int64(len(areas))
			for _, u.key = range areas {
				c.add(h, &u, phases)
			}
		}
	}
}

func (h *walker) resolved(c *collector, phases []phase, life instants) {
	t := h.ticket
	done := false
	for _, s := range t.spells[statusSpells] {
		done = done || h.status(s.value)&isDone != 0
	}
	if !done {
		return
	}
	h.begin(life)
	h.bendSpells(life, t.spells[statusSpells], false)
	for _, a := range t.holdings {
		h.bend(life, a.from)
		h.bend(life, a.to)
	}
	switch c.by {
	case Team:
		h.bendSpells(life, t.spells[groupSpells], false)
	case Area:
		h.bendSpells(life, t.spells[areaSpells], true)
	}
	var u pastUnit
	areas := word(0)
	flush := func() {
		if c.by != Area {
			c.add(h, &u, phases)
			return
		}
		list := h.split(areas)
		u.weight /= int64(len(list))
		for _, u.key = range list {
			c.add(h, &u, phases)
		}
	}
	betweenBends(h.bent(), life.to, func(r instants) {
		at := h.g.at(r.from)
		since, ok := h.doneSince(at)
		if c.length > 0 {
			r.to = min(r.to, h.g.after(since+c.length))
		}
		if !ok || r.empty() {
			return
		}
		next := pastUnit{within: r, at: since, weight: shares}
		for i := len(t.holdings) - 1; i >= 0; i-- {
			if a := &t.holdings[i]; a.from < at {
				next.given = a.from
				if a.to >= at {
					next.actor = a.actor
				}
				break
			}
		}
		nextAreas := word(0)
		switch c.by {
		case Team:
			next.key = valueBefore(t.spells[groupSpells], at)
		case Area:
			nextAreas = h.areasAt(at)
		}
		if u.within.to == r.from && u.weight == next.weight && u.at == next.at && u.given == next.given && u.actor == next.actor && u.key == next.key && areas == nextAreas {
			u.within.to = r.to
			return
		}
		if u.weight > 0 {
			flush()
		}
		u, areas = next, nextAreas
	})
	if u.weight > 0 {
		flush()
	}
}

// doneSince is from when a ticket that is done just before an instant has been.
func (h *walker) doneSince(at int64) (since int64, ok bool) {
	spells := h.ticket.spells[statusSpells]
	i := lastBefore(spells, at)
	for ; i >= 0 && h.status(spells[i].value)&isDone != 0; i-- {
		since, ok = spells[i].from, true
	}
	return since, ok
}

func (h *walker) load(c *collector, phases []phase) {
	t := h.ticket
	if len(h.openRuns) == 0 {
		return
	}
	for i := range t.holdings {
		a := &t.holdings[i]
		if a.actor == 0 || a.to <= a.from || h.g.after(a.from) == h.g.n || c.length > 0 && h.g.after(a.to+c.length-1) == 0 {
			continue
		}
		from := a.from
		for _, cut := range c.cuts(h, a) {
			h.loadPart(c, phases, a, from, cut)
			from = cut
		}
		h.loadPart(c, phases, a, from, a.to)
	}
}

// loadPart is the part of an assignment in which its holder stays in the same
// teams.
func (h *walker) loadPart(c *collector, phases []phase, a *holding, from, to int64) {
	t := h.ticket
	h.units = h.units[:0]
	put := func(key word, p piece) {
		i := 0
		for i < len(h.units) && h.units[i].key != key {
			i++
		}
		if i == len(h.units) {
			h.units = append(h.units, pastUnit{within: instants{0, h.g.n}, key: key, actor: a.actor, given: a.from, at: from})
		}
		h.units[i].pieces = append(h.units[i].pieces, p)
	}
	for _, o := range h.openRuns {
		begin, end := max(from, o.from), min(to, o.to)
		if begin >= end {
			continue
		}
		switch c.by {
		case Source:
			put(0, piece{begin, end, shares, 1})
		case Team:
			for _, s := range t.spells[groupSpells] {
				if b, e := max(begin, s.from), min(end, s.to); b < e {
					put(s.value, piece{b, e, shares, 1})
				}
			}
		default:
			h.areaSlices(begin, end, put)
		}
	}
	for i := range h.units {
		c.add(h, &h.units[i], phases)
	}
}

// areaSlices divides open work between the areas that the ticket was in at each
// moment of it.
func (h *walker) areaSlices(begin, end int64, put func(word, piece)) {
	bounds := []int64{begin, end}
	for _, s := range h.ticket.spells[areaSpells] {
		for _, at := range [2]int64{s.from, s.to} {
			if at > begin && at < end {
				bounds = append(bounds, at)
			}
		}
	}
	slices.Sort(bounds)
	bounds = slices.Compact(bounds)
	for i := range bounds[1:] {
		areas := h.split(h.areasFrom(bounds[i]))
		n := int64(len(areas))
		p := piece{bounds[i], bounds[i+1], shares / n, 1}
		if shares%n != 0 {
			p.rate, p.of = shares, n
		}
		for _, a := range areas {
			put(a, p)
		}
	}
}

// holderKind is what a cell is about.
type holderKind uint8

const (
	byPerson holderKind = iota
	byNobody
	byRobot
	byVisitor
)

// slotKey is one person, or nobody, in one group.
type slotKey struct {
	group, who word
	kind       holderKind
}

// cellKey is what adds up: of one slot and class, and one part of the time.
type cellKey struct {
	slot  int32
	class int32
	part  float64
}

// collector makes the sums of one basis, grouping and window.
type collector struct {
	basis   Basis
	by      By
	window  Window
	length  int64 // of the window; 0 for all
	classes bool

	w      *world
	g      grid
	events *events

	slots   map[slotKey]int32
	slot    []slotKey
	names   []string // of slots' people
	cells   map[cellKey]int32
	cell    []cellKey
	queues  []int64 // when queues changed hands
	targets map[targetKey][]target

	kin   map[kinKey][]kinsman
	local []kinsman
	slow  []cluster

	scratch []int
	cutting []int64
}

func newCollector(w *world, g grid, basis Basis, by By, window Window) *collector {
	c := &collector{
		basis: basis, by: by, window: window, length: int64(window.days) * (24 * time.Hour).Milliseconds(), w: w, g: g,
		events: newEvents(g.n), slots: map[slotKey]int32{}, cells: map[cellKey]int32{}, targets: map[targetKey][]target{}, kin: map[kinKey][]kinsman{},
	}
	if c.rostered() {
		for _, q := range w.crew.roster.Data().Queues {
			for _, day := range []time.Time{q.From.UTC(), q.To.UTC()} {
				c.queues = append(c.queues, day.UnixMilli())
			}
		}
		slices.Sort(c.queues)
		c.queues = slices.Compact(c.queues)
	}
	return c
}

// rostered reports whether the groups are teams of a roster.
func (c *collector) rostered() bool { return c.by == Team && c.w.crew != nil }

// cut is whether an assignment can come in several pieces.
func (c *collector) cut() bool { return c.rostered() && c.basis == Load }

// cuts are when a holder changed teams while they had the assignment.
func (c *collector) cuts(h *walker, a *holding) []int64 {
	c.cutting = c.cutting[:0]
	if !c.cut() {
		return nil
	}
	stays := c.w.crew.stays[c.w.crew.persons[c.w.engineer(a.actor).Pseudonym]]
	for _, s := range stays {
		if s.from > a.from && s.from < a.to {
			c.cutting = append(c.cutting, s.from)
		}
	}
	return c.cutting
}

type targetKey struct {
	source, key word
	actor       uint64
}

type target struct {
	slot int32
	part float64
}

func (c *collector) slotOf(h *walker, group string, kind holderKind, pseudonym, name string) int32 {
	key := slotKey{h.text.ofString(group), h.text.ofString(pseudonym), kind}
	n, ok := c.slots[key]
	if !ok {
		n = int32(len(c.slot))
		c.slots[key] = n
		c.slot = append(c.slot, key)
		c.names = append(c.names, name)
	}
	return n
}

func (c *collector) cellOf(slot, class int32, part float64) int32 {
	key := cellKey{slot, class, part}
	n, ok := c.cells[key]
	if !ok {
		n = int32(len(c.cell))
		c.cells[key] = n
		c.cell = append(c.cell, key)
	}
	return n
}

// into is whose a unit is, as gathering.add has it.
func (c *collector) into(h *walker, source, key word, actor uint64, at int64) []target {
	place := targetKey{source, key, actor}
	if list, ok := c.targets[place]; ok {
		return list
	}
	var list []target
	sourceName, id := h.text.list[source], h.text.list[key]
	var group string
	switch c.by {
	case Source:
		group = sourceName
	case Area:
		group = c.w.areaName(sourceName, id)
	default:
		group = c.w.ownTeam(sourceName, id, at)
	}
	switch {
	case actor == 0:
		list = []target{{c.slotOf(h, group, byNobody, "", ""), 1}}
	case c.w.engineer(actor).Bot:
		list = []target{{c.slotOf(h, group, byRobot, "", ""), 1}}
	default:
		p := c.w.engineer(actor)
		if !c.rostered() {
			list = []target{{c.slotOf(h, group, byPerson, p.Pseudonym, p.Name), 1}}
			break
		}
		teams := c.w.crew.at(p.Pseudonym, at)
		visits := true
		for _, s := range teams {
			list = append(list, target{c.slotOf(h, s.team, byPerson, p.Pseudonym, p.Name), s.part})
			visits = visits && s.team != group
		}
		if _, ok := c.w.crew.roster.Team(group); visits && ok {
			list = append(list, target{c.slotOf(h, group, byVisitor, p.Pseudonym, p.Name), 1})
		} else if visits && len(teams) == 0 {
			list = append(list, target{c.slotOf(h, group, byPerson, p.Pseudonym, p.Name), 1})
		}
	}
	if !c.rostered() {
		c.targets[place] = list
	}
	return list
}

// add takes a unit of the walker's ticket through its phases.
func (c *collector) add(h *walker, u *pastUnit, phases []phase) {
	for i := range phases {
		p := &phases[i]
		within := u.within.and(p.instants)
		if within.empty() {
			continue
		}
		if h.judgements != nil {
			h.judgements.add(h, c, u, within, p)
		}
		from := u.at
		if u.pieces != nil && c.length > 0 {
			// The queue is whose it is when the unit begins to count.
			for _, cut := range c.queues {
				if cut <= u.at {
					continue
				}
				k := c.g.after(cut + c.length - 1)
				c.place(h, u, instants{within.from, min(within.to, k)}, p, from)
				within.from, from = max(within.from, k), cut
			}
		}
		c.place(h, u, within, p, from)
	}
}

func (c *collector) place(h *walker, u *pastUnit, within instants, p *phase, at int64) {
	if within.empty() {
		return
	}
	t := h.ticket
	odd := slices.ContainsFunc(u.pieces, func(p piece) bool { return p.of != 1 })
	for _, to := range c.into(h, t.source, u.key, u.actor, at) {
		k := kinsman{cell: c.cellOf(to.slot, p.class, to.part), within: within, ticket: t.id, given: u.given, weight: u.weight, pieces: u.pieces}
		switch {
		case c.slot[to.slot].kind == byVisitor:
			c.put(&k, odd)
		case p.parent != 0:
			k.pieces = slices.Clone(u.pieces)
			key := kinKey{to.slot, t.source, p.parent}
			c.kin[key] = append(c.kin[key], k)
		case c.cut():
			k.pieces = slices.Clone(u.pieces)
			c.local = append(c.local, k)
		default:
			c.put(&k, odd)
		}
	}
}

// put adds a unit that is one by itself.
func (c *collector) put(k *kinsman, odd bool) {
	if odd {
		one := *k
		one.pieces = slices.Clone(k.pieces)
		c.slow = append(c.slow, cluster{c.cell[k.cell].slot, k.within, []kinsman{one}, 0})
		return
	}
	c.emit(k)
}

func (c *collector) emit(k *kinsman) {
	if k.pieces == nil {
		c.events.line(k.within, k.cell, k.weight, 0)
		return
	}
	c.scratch = c.events.lines(c.g, k.cell, k.within, k.pieces, c.length, c.scratch)
}

// kinsman is a unit that may be one with others: another piece of the same
// assignment, or another child of the same parent.
type kinsman struct {
	cell   int32
	within instants
	ticket uint64
	given  int64
	weight int64
	pieces []piece
}

type kinKey struct {
	slot           int32
	source, parent word
}

// cluster is units of one slot that may be one at some instants, so that the
// squares of their sums are no sum of lines.
type cluster struct {
	slot    int32
	within  instants
	members []kinsman
	pause   int64
}

// endTicket puts the pieces of the ticket's assignments together.
func (c *collector) endTicket() {
	if len(c.local) == 0 {
		return
	}
	slices.SortStableFunc(c.local, func(a, b kinsman) int { return cmp.Compare(c.cell[a.cell].slot, c.cell[b.cell].slot) })
	for from := 0; from < len(c.local); {
		to := from
		slot := c.cell[c.local[from].cell].slot
		for to < len(c.local) && c.cell[c.local[to].cell].slot == slot {
			to++
		}
		c.reunite(slot, c.local[from:to], 0)
		from = to
	}
	c.local = c.local[:0]
}

// families puts children of one parent together.
func (c *collector) families() {
	for key, list := range c.kin {
		c.reunite(key.slot, list, inOneGo.Milliseconds())
	}
	c.kin = nil
}

// reunite finds which units of one slot and family can be one with another, and
// adds the rest as they are.
func (c *collector) reunite(slot int32, list []kinsman, pause int64) {
	slices.SortFunc(list, func(a, b kinsman) int {
		return cmp.Or(cmp.Compare(a.given, b.given), cmp.Compare(a.ticket, b.ticket), cmp.Compare(a.within.from, b.within.from), cmp.Compare(a.cell, b.cell))
	})
	for from := 0; from < len(list); {
		to := from + 1
		for to < len(list) && list[to].given-list[to-1].given <= pause {
			to++
		}
		c.settle(slot, list[from:to], pause)
		from = to
	}
}

// settle adds units that follow each other closely: as single ones where no two
// of them count at one instant, as one where they are pieces of one assignment
// that count alike, else as a cluster.
func (c *collector) settle(slot int32, list []kinsman, pause int64) {
	merged := list[:1:1]
	simple := true
	for _, k := range list[1:] {
		before := &merged[len(merged)-1]
		switch {
		case before.within == k.within && before.cell == k.cell && before.ticket == k.ticket && before.given == k.given && k.pieces != nil:
			before.pieces = append(before.pieces, k.pieces...)
		default:
			simple = simple && before.within.to <= k.within.from
			merged = append(merged, k)
		}
	}
	for _, k := range merged {
		simple = simple && !slices.ContainsFunc(k.pieces, func(p piece) bool { return p.of != 1 })
	}
	if simple {
		for i := range merged {
			c.emit(&merged[i])
		}
		return
	}
	one := cluster{slot, merged[0].within, slices.Clone(merged), pause}
	for _, k := range merged {
		one.within = instants{min(one.within.from, k.within.from), max(one.within.to, k.within.to)}
	}
	c.slow = append(c.slow, one)
}
