package analysis

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Mark names the content of all that an analysis reads: it is another one when
// tickets, accounts, who is erased, terms or the roster changed, and the same when
// they were written again as they were, as each poll does with what its overlap
// brings. It costs one scan, a fraction of an analysis.
func (e *Engine) Mark(ctx context.Context) (string, error) {
	var mark strings.Builder
	for _, table := range []string{"tickets", "actors", "erased", "terms"} {
		err := e.each(ctx, "mark", markSQL(e.db.Table(table)), nil, func(rows driver.Rows) error {
			var n, hash uint64
			if err := rows.Scan(&n, &hash); err != nil {
				return err
			}
			fmt.Fprintf(&mark, "%s %d %x\n", table, n, hash)
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	staff, err := e.db.Roster(ctx)
	if err != nil {
		return "", err
	}
	if staff.Roster != nil {
		mark.WriteString(staff.Hash())
	}
	return mark.String(), nil
}

// markSQL adds up the hashes of all rows, so that their order does not matter. A
// tuple of all columns is hashed, as a null by itself would make the sum null.
func markSQL(table string) string {
	return `SELECT count(), sum(cityHash64(tuple(* EXCEPT (version)))) FROM ` + table + ` FINAL`
}
