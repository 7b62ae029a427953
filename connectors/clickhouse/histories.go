package clickhouse

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"fairlead/connectors/ticket"
)

// referenceMark begins a reference; no account of a source begins with it.
const referenceMark = "\x00"

// Reference stands for an account of a source wherever a ticket that is written
// names one, as the tickets do that Histories returns: no table leads back from
// what is stored to the account. "" stays "".
func (d *DB) Reference(source, account string) string {
	if account == "" || strings.HasPrefix(account, referenceMark) {
		return account
	}
	return reference(d.surrogate(source, account))
}

func reference(surrogate uint64) string {
	if surrogate == 0 {
		return ""
	}
	return referenceMark + strconv.FormatUint(surrogate, 10)
}

// dereference gives the surrogate that a reference stands for.
func dereference(account string) (surrogate uint64, ok bool) {
	digits, ok := strings.CutPrefix(account, referenceMark)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}

// Histories returns the stored tickets among the ids of a source, by id: their
// present state and changes, without contributions. Accounts are References.
func (d *DB) Histories(ctx context.Context, source string, ids []string) (map[string]ticket.Ticket, error) {
	const doing = "reading stored histories"
	found := make(map[string]ticket.Ticket, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	asked, err := idTable(ids)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	ctx = clickhouse.Context(Comment(ctx, "stored histories"), clickhouse.WithExternalTable(asked))
	rows, err := d.conn.Query(ctx, "SELECT ticket_id, key, created, updated, assignee, status, `group`, kind, priority, project, parent, areas, effort, "+
		"`changes.at`, `changes.seq`, `changes.field`, `changes.from`, `changes.to`, `changes.actor` FROM "+
		d.Table("tickets")+" FINAL WHERE source = $1 AND ticket_id IN (SELECT id FROM asked)", source)
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	for rows.Next() {
		t := ticket.Ticket{Source: source}
		var assignee uint64
		var at []time.Time
		var seq []uint32
		var field, from, to []string
		var actor []uint64
		if err := rows.Scan(&t.ID, &t.Key, &t.Created, &t.Updated, &assignee, &t.Status, &t.Group, &t.Kind, &t.Priority, &t.Project, &t.Parent, &t.Areas, &t.Effort,
			&at, &seq, &field, &from, &to, &actor); err != nil {
			return nil, d.explain(doing, err)
		}
		t.Assignee = reference(assignee)
		t.Changes = make([]ticket.Change, len(at))
		for i := range at {
			c := ticket.Change{At: at[i].UTC(), Seq: seq[i], Field: ticket.Field(field[i]), From: from[i], To: to[i], Actor: reference(actor[i])}
			if c.Field == ticket.FieldAssignee {
				c.From, c.To = storedText(c.From), storedText(c.To)
			}
			t.Changes[i] = c
		}
		found[t.ID] = t
	}
	return found, d.explain(doing, rows.Err())
}

// storedText is the reference for an account as a change of the assignee holds it.
func storedText(surrogate string) string {
	if surrogate == "" {
		return ""
	}
	return referenceMark + surrogate
}
