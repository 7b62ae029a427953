package clickhouse_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
)

// organisation makes tickets of the sort that a service desk has: two or three
// assignments, half a dozen changes, a few comments.
type organisation struct {
	rand    *rand.Rand
	now     time.Time
	tickets int
}

func (o *organisation) account() string { return fmt.Sprintf("account-%04d", o.rand.IntN(400)) }

func (o *organisation) ticket(version uint64) ticket.Record {
	o.tickets++
	created := o.now.Add(-time.Duration(o.rand.Int64N(int64(2 * 365 * 24 * time.Hour))))
	r := ticket.Record{Version: version}
	r.Source, r.ID, r.Key = "servicenow", fmt.Sprintf("%032x", o.tickets), fmt.Sprintf("INC%07d", o.tickets)
	r.Created, r.Status, r.Kind, r.Priority = created, "6", "incident", fmt.Sprint(1+o.rand.IntN(4))
	r.Group, r.Project = fmt.Sprintf("group-%02d", o.rand.IntN(30)), "incident"
	r.Areas = []string{fmt.Sprintf("service-%03d", o.rand.IntN(200))}
	r.HistoryComplete = true
	holder, status, since, statusSince, moment := o.account(), "1", created, created, created
	for seq := range uint32(3 + o.rand.IntN(6)) {
		moment = moment.Add(time.Duration(o.rand.Int64N(int64(12 * time.Hour))))
		if seq%3 == 1 {
			next := o.account()
			r.Changes = append(r.Changes, ticket.Change{At: moment, Seq: seq + 1, Field: ticket.FieldAssignee, From: holder, To: next, Actor: holder})
			r.Assignments = append(r.Assignments, ticket.Assignment{Actor: holder, Group: r.Group, From: since, To: moment})
			holder, since = next, moment
			continue
		}
		next := fmt.Sprint(1 + o.rand.IntN(6))
		r.Changes = append(r.Changes, ticket.Change{At: moment, Seq: seq + 1, Field: ticket.FieldStatus, From: status, To: next, Actor: holder})
		r.Spells = append(r.Spells, ticket.Spell{Field: ticket.FieldStatus, Value: status, From: statusSince, To: moment})
		status, statusSince = next, moment
		r.Contributions = append(r.Contributions, ticket.Contribution{At: moment, Actor: holder, Act: ticket.ActComment})
	}
	r.Assignee, r.Updated = holder, moment
	r.Assignments = append(r.Assignments, ticket.Assignment{Actor: holder, Group: r.Group, From: since})
	for field, value := range map[ticket.Field]string{ticket.FieldStatus: status, ticket.FieldGroup: r.Group, ticket.FieldArea: r.Areas[0], ticket.FieldKind: r.Kind, ticket.FieldPriority: r.Priority, ticket.FieldProject: r.Project} {
		from := created
		if field == ticket.FieldStatus {
			from = statusSince
		}
		r.Spells = append(r.Spells, ticket.Spell{Field: field, Value: value, From: from})
	}
	return r
}

// BenchmarkWriteTickets writes pages as a collector does, each synced to disk.
func BenchmarkWriteTickets(b *testing.B) {
	for _, size := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("page=%d", size), func(b *testing.B) {
			db := clickhousetest.New(b)
			o := &organisation{rand: rand.New(rand.NewPCG(1, 2)), now: at("2026-01-01 00:00:00.000")}
			pages := make([][]ticket.Record, 4)
			for i := range pages {
				for range size {
					pages[i] = append(pages[i], o.ticket(1))
				}
			}
			b.ReportAllocs()
			written := 0
			for b.Loop() {
				write(b, db, pages[written%len(pages)]...)
				written++
			}
			b.ReportMetric(float64(written*size)/b.Elapsed().Seconds(), "tickets/s")
		})
	}
}
