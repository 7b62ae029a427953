package clickhouse

import (
	"context"
	"time"
)

// Activity is what an account held of a group's tickets in a window.
type Activity struct {
	Source  string
	Actor   uint64 // surrogate
	Group   string // id
	Tickets uint64
	Last    time.Time // until when it last held one; the window's end if it still does
}

// Activity returns who held tickets of which group in [from, to), by source, group
// and actor. What was held for no time at all is left out, and so are deleted
// tickets and people who are erased.
func (d *DB) Activity(ctx context.Context, from, to time.Time) ([]Activity, error) {
	const doing = "reading activity"
	rows, err := d.conn.Query(Comment(ctx, "activity"),
		"SELECT source, actor, gr, count(), fromUnixTimestamp64Milli(max(least(until, $2::Int64)), 'UTC') FROM ("+
			"SELECT source, ticket_id, a.actor AS actor, a.group AS gr, "+
			"max(if(isNull(a.to), $2::Int64, toUnixTimestamp64Milli(assumeNotNull(a.to)))) AS until "+
			"FROM "+d.Table("tickets")+" FINAL ARRAY JOIN assignments AS a "+
			"WHERE a.actor != 0 AND a.actor NOT IN (SELECT id FROM "+d.Table("erased")+") AND isNull(deleted) AND toUnixTimestamp64Milli(a.from) < $2::Int64 "+
			"AND (isNull(a.to) OR (a.to > a.from AND toUnixTimestamp64Milli(assumeNotNull(a.to)) > $1::Int64)) "+
			"GROUP BY source, ticket_id, actor, gr) GROUP BY source, actor, gr ORDER BY source, gr, actor",
		from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	var list []Activity
	for rows.Next() {
		var a Activity
		if err := rows.Scan(&a.Source, &a.Actor, &a.Group, &a.Tickets, &a.Last); err != nil {
			return nil, d.explain(doing, err)
		}
		list = append(list, a)
	}
	return list, d.explain(doing, rows.Err())
}
