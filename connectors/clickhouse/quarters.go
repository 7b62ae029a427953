package clickhouse

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// What is kept of a quarter once its tickets are deleted for their age: one row,
// replaced whole, of groups and never of a person. Which groups that may be is for
// the analysis to decide before it is stored: what is not here cannot be told
// later, nor be computed from what is.

// StoredQuarter is the figures of a quarter, and what they were made from.
type StoredQuarter struct {
	Quarter string    // as 2026Q3
	Begin   time.Time // when the first ticket that was there was created
	Method  string    // version of the rules
	Tickets uint64    // created before its end
	History string    // a hash of all that was stored of them before its end
	Roster  string    // a hash of the roster; "" for none
	Groups  []StoredGroup
}

// StoredGroup is the open work of a group in a quarter. A nil figure is undefined.
type StoredGroup struct {
	Name        string // of a team; "" for all people together
	People      uint32
	Provisional bool // a queue, not a team of the roster
	Capacity    float64
	Total       float64 // ticket-days

	Gini, GiniLow, GiniHigh          *float64
	Chance, ChanceLow, ChanceHigh    *float64
	Excess                           *float64
	Hoover, HooverChance, Theil, HHI *float64
	Effective, P, PAdjusted          *float64
	Verdict                          string
}

// quarterFigures are the columns of a StoredGroup that may be undefined.
var quarterFigures = []struct {
	name string
	of   func(g *StoredGroup) **float64
}{
	{"gini", func(g *StoredGroup) **float64 { return &g.Gini }},
	{"gini_low", func(g *StoredGroup) **float64 { return &g.GiniLow }},
	{"gini_high", func(g *StoredGroup) **float64 { return &g.GiniHigh }},
	{"gini_chance", func(g *StoredGroup) **float64 { return &g.Chance }},
	{"gini_chance_low", func(g *StoredGroup) **float64 { return &g.ChanceLow }},
	{"gini_chance_high", func(g *StoredGroup) **float64 { return &g.ChanceHigh }},
	{"gini_excess", func(g *StoredGroup) **float64 { return &g.Excess }},
	{"hoover", func(g *StoredGroup) **float64 { return &g.Hoover }},
	{"hoover_chance", func(g *StoredGroup) **float64 { return &g.HooverChance }},
	{"theil", func(g *StoredGroup) **float64 { return &g.Theil }},
	{"hhi", func(g *StoredGroup) **float64 { return &g.HHI }},
	{"effective", func(g *StoredGroup) **float64 { return &g.Effective }},
	{"p", func(g *StoredGroup) **float64 { return &g.P }},
	{"p_adjusted", func(g *StoredGroup) **float64 { return &g.PAdjusted }},
}

func quartersTable(s schema) string {
	columns := []string{
		"    quarter String",
		"    begin DateTime64(3, 'UTC')",
		"    method String",
		"    tickets UInt64",
		"    history String",
		"    roster String",
		"    version UInt64",
		"    `groups.name` Array(String)",
		"    `groups.people` Array(UInt32)",
		"    `groups.provisional` Array(Bool)",
		"    `groups.capacity` Array(Float64)",
		"    `groups.total` Array(Float64)",
		"    `groups.verdict` Array(LowCardinality(String))",
	}
	for _, f := range quarterFigures {
		columns = append(columns, "    "+quote("groups."+f.name)+" Array(Nullable(Float64))")
	}
	return s.create("quarters", strings.Join(columns, ",\n"), "version", "quarter")
}

// SaveQuarter stores the figures of a quarter, in place of those that were.
func (d *DB) SaveQuarter(ctx context.Context, q StoredQuarter) error {
	const doing = "storing the figures of a quarter"
	if q.Quarter == "" || q.Method == "" {
		return errors.New(doing + ": it has no name or no method")
	}
	if q.Begin.Before(earliest) || !q.Begin.Before(latest) {
		return errors.New(doing + ": its time is out of range")
	}
	version, err := d.nextVersion(ctx, "quarters")
	if err != nil {
		return err
	}
	n := len(q.Groups)
	names, verdicts, provisional := make([]string, n), make([]string, n), make([]bool, n)
	people, capacity, total := make([]uint32, n), make([]float64, n), make([]float64, n)
	figures := make([][]*float64, len(quarterFigures))
	for k := range figures {
		figures[k] = make([]*float64, n)
	}
	for i := range q.Groups {
		g := &q.Groups[i]
		names[i], verdicts[i], provisional[i], people[i], capacity[i], total[i] = g.Name, g.Verdict, g.Provisional, g.People, g.Capacity, g.Total
		for k, f := range quarterFigures {
			figures[k][i] = *f.of(g)
		}
	}
	columns := []string{"quarter", "begin", "method", "tickets", "history", "roster", "version",
		"groups.name", "groups.people", "groups.provisional", "groups.capacity", "groups.total", "groups.verdict"}
	values := []any{q.Quarter, stored(q.Begin), q.Method, q.Tickets, q.History, q.Roster, version, names, people, provisional, capacity, total, verdicts}
	for k, f := range quarterFigures {
		columns, values = append(columns, "groups."+f.name), append(values, figures[k])
	}
	return d.insert(writing(ctx, "save quarter"), "quarters", columns, [][]any{values})
}

// Quarters are the stored figures, the earliest quarter first.
func (d *DB) Quarters(ctx context.Context) ([]StoredQuarter, error) {
	const doing = "reading the figures of quarters"
	var names []string
	for _, f := range quarterFigures {
		names = append(names, quote("groups."+f.name))
	}
	rows, err := d.conn.Query(Comment(ctx, "quarters"), "SELECT quarter, begin, method, tickets, history, roster, `groups.name`, `groups.people`, `groups.provisional`, "+
		"`groups.capacity`, `groups.total`, `groups.verdict`, "+strings.Join(names, ", ")+" FROM "+d.Table("quarters")+" FINAL ORDER BY quarter")
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	var list []StoredQuarter
	for rows.Next() {
		var q StoredQuarter
		var groups, verdicts []string
		var people []uint32
		var provisional []bool
		var capacity, total []float64
		figures := make([][]*float64, len(quarterFigures))
		into := []any{&q.Quarter, &q.Begin, &q.Method, &q.Tickets, &q.History, &q.Roster, &groups, &people, &provisional, &capacity, &total, &verdicts}
		for k := range figures {
			into = append(into, &figures[k])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, d.explain(doing, err)
		}
		q.Begin = q.Begin.UTC()
		for i := range groups {
			g := StoredGroup{Name: groups[i], People: people[i], Provisional: provisional[i], Capacity: capacity[i], Total: total[i], Verdict: verdicts[i]}
			for k, f := range quarterFigures {
				*f.of(&g) = figures[k][i]
			}
			q.Groups = append(q.Groups, g)
		}
		list = append(list, q)
	}
	return slices.Clip(list), d.explain(doing, rows.Err())
}

// streamScope is under which stream the collector notes back to when it has
// collected closed tickets.
const streamScope = "scope"

// CollectedFrom is back to when the closed tickets of all sources were collected:
// the latest of what each says. The zero time is without bound.
func (d *DB) CollectedFrom(ctx context.Context) (time.Time, error) {
	var milli int64
	err := d.conn.QueryRow(Comment(ctx, "collected from"), "SELECT toUnixTimestamp64Milli(max(updated)) FROM "+d.Table("checkpoints")+" FINAL WHERE stream = '"+streamScope+"'").Scan(&milli)
	if err != nil || milli == 0 {
		return time.Time{}, d.explain("reading back to when tickets were collected", err)
	}
	return time.UnixMilli(milli).UTC(), nil
}
