package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fairlead/connectors/clickhouse/embedded"
)

// MigrateTo runs the first n migrations only: the state that an older binary left.
func (d *DB) MigrateTo(ctx context.Context, n int) ([]string, error) {
	return d.migrate(ctx, migrations[:n])
}

// Migrations is how many there are.
func Migrations() int { return len(migrations) }

// MigrationsTable is where they are recorded.
const MigrationsTable = migrationsTable

// SchemaText is every statement of the schema's history, for a golden file.
func SchemaText() string {
	var b strings.Builder
	for _, m := range migrations {
		fmt.Fprintf(&b, "-- %d %s\n%s;\n\n", m.version, m.name, m.statement(schema{database: "fairlead"}))
	}
	return b.String()
}

// Explain and CheckRights are what every query's error and every Open go through.
func (d *DB) Explain(doing string, err error) error { return d.explain(doing, err) }

func (d *DB) CheckRights(ctx context.Context, rights ...string) error {
	return d.checkRights(ctx, rights...)
}

// EngineOf is the engine that Open started.
func EngineOf(d *DB) *embedded.Engine { return d.engine }

// AcquireLeaseFor is AcquireLease with a lifetime that tests can wait for.
func (d *DB) AcquireLeaseFor(ctx context.Context, source string, ttl time.Duration) (*Lease, error) {
	return d.acquireLease(ctx, source, ttl)
}

// Abandon stops the signs of life, as a death would.
func (l *Lease) Abandon() {
	l.stop()
	<-l.ended
}
