package analysis

import (
	"time"
)

// judgements gather the units of the instants that are judged, as a Distribution
// of each of them would: verdicts need every weight, not only sums.
type judgements struct {
	g       grid
	numbers []int // of the instants that are judged, in order
	place   map[int]int
	units   map[*collector][][]judgedUnit // by collector and judged instant
}

// judgedUnit is a unit with its texts as words.
type judgedUnit struct {
	source, key, parent word
	class               int32
	actor, ticket       uint64
	at, given, weight   int64
}

// newJudgements judges the first instant, and then the first in each week after.
func newJudgements(g grid) *judgements {
	j := &judgements{g: g, place: map[int]int{}, units: map[*collector][][]judgedUnit{}}
	week := (7 * 24 * time.Hour).Milliseconds()
	for k := 0; k < g.n; k = g.after(g.at(k) + week - 1) {
		j.place[k] = len(j.numbers)
		j.numbers = append(j.numbers, k)
	}
	return j
}

// at reports whether an instant is judged.
func (j *judgements) at(k int) bool {
	if j == nil {
		return false
	}
	_, ok := j.place[k]
	return ok
}

// forget lets go of what an instant needed.
func (j *judgements) forget(k int) {
	for _, units := range j.units {
		units[j.place[k]] = nil
	}
}

func (j *judgements) add(h *walker, c *collector, u *pastUnit, within instants, p *phase) {
	if j.units[c] == nil {
		j.units[c] = make([][]judgedUnit, len(j.numbers))
	}
	for n, k := range j.numbers {
		if k < within.from || k >= within.to {
			continue
		}
		one := judgedUnit{
			source: h.ticket.source, key: u.key, parent: p.parent, class: p.class,
			actor: u.actor, ticket: h.ticket.id, at: u.at, given: u.given, weight: u.weight,
		}
		if u.pieces != nil {
			at := j.g.at(k)
			if c.length > 0 {
				one.at = max(one.at, at-c.length)
			}
			if one.weight = int64(fraction(u.pieces, at, c.length)); one.weight == 0 {
				continue
			}
		}
		j.units[c][n] = append(j.units[c][n], one)
	}
}

// groups are those of the evaluator's instant, with their verdicts.
func (j *judgements) groups(e *Engine, v *evaluator, measure Unit, x *pastEfforts, people bool) ([]Group, error) {
	w := v.h.w
	var g *gathering
	if measure == Effort {
		g = w.gathering(v.basis, v.by, &x.model, 1)
	} else {
		g = w.gathering(v.basis, v.by, nil, 1)
	}
	if units := j.units[v.collector]; units != nil {
		list := units[j.place[v.k]]
		for i := range list {
			one, text := &list[i], v.h.text.list
			u := unit{
				source: text[one.source], key: text[one.key], parent: text[one.parent],
				actor: one.actor, ticket: one.ticket, at: one.at, given: one.given, weight: one.weight,
			}
			u.class, u.points = v.h.of(one.class)
			g.add(0, &u)
		}
	}
	from, to := v.window.Bounds(time.UnixMilli(v.g.at(v.k)))
	list, err := w.measureAll(g.finish()[0], v.by, from, to)
	if err != nil {
		return nil, err
	}
	if err := e.judge(list, v.window.String()); err != nil {
		return nil, err
	}
	for i := range list {
		if !people {
			list[i].Engineers = []Part{}
		}
	}
	return list, nil
}
