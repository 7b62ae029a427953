package analysis

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/effort"
)

// OpenLoad is the open tickets of an instant, and in whose hands they are.
type OpenLoad struct {
	At        time.Time
	Engineers []EngineerLoad // by team and pseudonym; one for each team that somebody has tickets of
	Teams     []TeamLoad     // by name
}

// EngineerLoad is what one engineer holds of one team's tickets.
type EngineerLoad struct {
	Team      string
	Pseudonym string
	Name      string
	Tickets   uint64
	Effort    float64 // in typical tickets
}

// TeamLoad is the open tickets of a team: those that people hold, those that
// nobody does, and those of integration accounts.
type TeamLoad struct {
	Team             string
	Engineers        int
	Tickets          uint64
	Effort           float64
	Unassigned       uint64
	UnassignedEffort float64
	Bots             uint64
}

// LoadAt is the open load at an instant: of the tickets that exist then, are not
// done and not deleted, by the half-open intervals that hold it.
func (e *Engine) LoadAt(ctx context.Context, at time.Time) (OpenLoad, error) {
	w, err := e.world(ctx)
	if err != nil {
		return OpenLoad{}, err
	}
	// What began at the instant itself holds then: the state just before the
	// next millisecond.
	to := millis(at) + 1
	model, err := e.model(ctx, w, to)
	if err != nil {
		return OpenLoad{}, err
	}
	load, err := e.openLoad(ctx, w, &model, at, to)
	load.drop(isFormer)
	return load, err
}

// openTeam is the team in which an open ticket of a queue counts, in the hands of
// an account or of nobody (0).
func (w *world) openTeam(source, key string, actor uint64, at int64) string {
	if actor != 0 && !w.engineer(actor).Bot {
		return w.holderTeam(source, key, w.engineer(actor).Pseudonym, at)
	}
	return w.ownTeam(source, key, at)
}

func (e *Engine) openLoad(ctx context.Context, w *world, model *effort.Model, at time.Time, to int64) (OpenLoad, error) {
	var facts []fact
	err := e.each(ctx, "open tickets", openSQL(e.db.Table("tickets"), addedUp), w.parameters(to), func(rows driver.Rows) error {
		var f fact
		if err := rows.Scan(&f.source, &f.key, &f.actor, &f.class.Kind, &f.class.Priority, &f.class.Areas, &f.points, &f.items); err != nil {
			return err
		}
		f.class.Source = f.source
		facts = append(facts, f)
		return nil
	})
	if err != nil {
		return OpenLoad{}, err
	}
	slices.SortFunc(facts, compareFacts)

	type place struct{ team, pseudonym string }
	// Efforts are added up in an order of their own: that of rows depends on the
	// surrogates.
	efforts, unassigned, held := map[string][]float64{}, map[string][]float64{}, map[place][]float64{}
	teams, engineers := map[string]*TeamLoad{}, map[place]*EngineerLoad{}
	for _, f := range facts {
		name := w.openTeam(f.source, f.key, f.actor, to-1)
		t := teams[name]
		if t == nil {
			t = &TeamLoad{Team: name}
			teams[name] = t
		}
		each, _ := model.Of(f.class, storyPoints(f.points))
		work := each * float64(f.items)
		if f.actor == 0 {
			t.Unassigned += f.items
			unassigned[name] = append(unassigned[name], work)
			continue
		}
		p := w.engineer(f.actor)
		if p.Bot {
			t.Bots += f.items
			continue
		}
		t.Tickets += f.items
		efforts[name] = append(efforts[name], work)
		at := place{name, p.Pseudonym}
		one := engineers[at]
		if one == nil {
			t.Engineers++
			one = &EngineerLoad{Team: name, Pseudonym: p.Pseudonym, Name: p.Name}
			engineers[at] = one
		}
		one.Tickets += f.items
		held[at] = append(held[at], work)
	}
	load := OpenLoad{At: at.UTC()}
	for name, t := range teams {
		t.Effort, t.UnassignedEffort = sumOf(efforts[name]), sumOf(unassigned[name])
		load.Teams = append(load.Teams, *t)
	}
	for at, one := range engineers {
		one.Effort = sumOf(held[at])
		load.Engineers = append(load.Engineers, *one)
	}
	slices.SortFunc(load.Teams, func(a, b TeamLoad) int { return cmp.Compare(a.Team, b.Team) })
	slices.SortFunc(load.Engineers, func(a, b EngineerLoad) int {
		return cmp.Or(cmp.Compare(a.Team, b.Team), cmp.Compare(a.Pseudonym, b.Pseudonym))
	})
	return load, nil
}
