package analysis

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// weighing is a gathering by team, with the efforts of an instant if asked for.
func (e *Engine) weighing(ctx context.Context, w *world, basis Basis, unit Unit, to time.Time) (*gathering, error) {
	if unit != Effort {
		return w.gathering(basis, Team, nil, 1), nil
	}
	model, err := e.model(ctx, w, millis(to))
	if err != nil {
		return nil, err
	}
	return w.gathering(basis, Team, &model, 1), nil
}

// eachUnit reads the units of one window by team.
func (e *Engine) eachUnit(ctx context.Context, w *world, basis Basis, from, to int64, each func(*unit)) error {
	parameters := w.parameters(to)
	parameters["froms"] = numbersParameter([]int64{from})
	parameters["cut_actors"], parameters["cut_at"] = w.cuts()
	return e.each(ctx, string(basis)+" unit by unit", unitsSQL(e.db.Table("tickets"), basis, Team), parameters, func(rows driver.Rows) error {
		var u unit
		var number uint32
		if err := rows.Scan(&number, &u.source, &u.key, &u.actor, &u.class.Kind, &u.class.Priority, &u.class.Areas, &u.points,
			&u.ticket, &u.parent, &u.at, &u.given, &u.weight); err != nil {
			return err
		}
		u.class.Source = u.source
		each(&u)
		return nil
	})
}

// listed is the heaviest tickets, without their keys, and what the others weigh.
func (w *world) listed(list []workTicket, most int) ExplainedList {
	x := ExplainedList{Tickets: []ExplainedTicket{}}
	slices.SortFunc(list, func(a, b workTicket) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.source, b.source), cmp.Compare(a.ticket, b.ticket), cmp.Compare(a.pseudonym, b.pseudonym), cmp.Compare(a.what, b.what))
	})
	most = min(most, len(list))
	for _, t := range list[:most] {
		p, _ := w.people.Find(t.pseudonym)
		x.Tickets = append(x.Tickets, ExplainedTicket{Source: t.source, Pseudonym: t.pseudonym, Name: p.Name, Weight: t.weight, What: t.what, ticket: t.ticket})
	}
	var rest []float64
	for _, t := range list[most:] {
		rest = append(rest, t.weight)
	}
	x.More, x.MoreWeight = len(rest), sumOf(rest)
	return x
}

// keys are the keys of tickets, by the hash under which units know them.
func (e *Engine) keys(ctx context.Context, tickets []uint64) (map[uint64]string, error) {
	keys := map[uint64]string{}
	if len(tickets) == 0 {
		return keys, nil
	}
	slices.Sort(tickets)
	sql := `SELECT cityHash64(ticket_id) AS ticket, ticket_id, key FROM ` + e.db.Table("tickets") + ` FINAL WHERE has({ids:Array(UInt64)}, cityHash64(ticket_id))`
	err := e.each(ctx, "keys", sql, map[string]string{"ids": surrogates(slices.Compact(tickets))}, func(rows driver.Rows) error {
		var ticket uint64
		var id, key string
		if err := rows.Scan(&ticket, &id, &key); err != nil {
			return err
		}
		keys[ticket] = cmp.Or(key, id)
		return nil
	})
	return keys, err
}
