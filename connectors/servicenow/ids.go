package servicenow

import (
	"context"
	"fmt"
	"iter"

	"fairlead/connectors/source"
)

var _ source.Lister = (*Source)(nil)

// listed is a ticket as a list of ids has it. Its creation time does not change
// with the ticket, so nothing moves while the list is read.
type listed struct {
	ID      text `json:"sys_id"`
	Created text `json:"sys_created_on"`
}

func (l listed) key() (at, id string) { return string(l.Created), string(l.ID) }

// IDs implements source.Lister: a page at a time, table after table. Rows
// that access rules withhold from the account are not among them; the stream
// that collects does not see those either.
func (s *Source) IDs(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for _, t := range s.tables {
			w := &walk[listed]{
				c: s.client, table: t.Name, order: "sys_created_on", fields: []string{"sys_id", "sys_created_on"}, limit: s.cfg.PageSize,
				left: -1, name: "the ids",
				where: func(more ...string) string { return joined(t.Query, more...) },
			}
			for {
				ans, err := w.next(ctx)
				if err != nil {
					yield(nil, fmt.Errorf("listing the tickets of %s: %w", s.name, err))
					return
				}
				if len(ans.rows) == 0 {
					break
				}
				ids := make([]string, len(ans.rows))
				for i, row := range ans.rows {
					ids[i] = string(row.ID)
				}
				if !yield(ids, nil) {
					return
				}
			}
		}
	}
}
