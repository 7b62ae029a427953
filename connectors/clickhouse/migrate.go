package clickhouse

import (
	"context"
	"errors"
	"fmt"
)

// The runner is our own: a step is a single idempotent statement, so that all
// it takes is a table of what was done. goose would bring its own store, dialects
// and down-migrations to switch off, and takes no statement whose text depends on
// the schema's form.

// migrationsTable records the steps that were run.
const migrationsTable = "schema_migrations"

// ErrTooNew: the tables were made by a newer fairlead.
var ErrTooNew = errors.New("warehouse newer than this fairlead")

// Migrate brings the tables to this binary's schema, making the database if need
// be, and returns the names of the steps it ran, in order. It may be run again,
// and after a run that died. It changes nothing and fails with ErrTooNew when the
// tables were made by a newer binary.
func (d *DB) Migrate(ctx context.Context) (applied []string, err error) {
	return d.migrate(ctx, migrations)
}

func (d *DB) migrate(ctx context.Context, steps []migration) (applied []string, err error) {
	ctx = writing(ctx, "migrate")
	if err := d.makeDatabase(ctx); err != nil {
		return nil, err
	}
	if err := d.checkRights(ctx, "CREATE TABLE", "ALTER TABLE", "DROP TABLE"); err != nil {
		return nil, err
	}
	if err := d.conn.Exec(ctx, d.schema.create(migrationsTable, "    version UInt32,\n    name String,\n    applied DateTime64(3, 'UTC') DEFAULT now64(3)", "", "version")); err != nil {
		return nil, d.explain("making the table of migrations", err)
	}
	done, err := d.doneMigrations(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[uint32]bool, len(steps))
	for _, m := range steps {
		known[m.version] = true
	}
	for version, name := range done {
		if !known[version] {
			return nil, fmt.Errorf("%w: it has migration %d (%s), which this binary does not know: use the newer fairlead", ErrTooNew, version, name)
		}
	}
	for _, m := range steps {
		if _, ok := done[m.version]; ok {
			continue
		}
		if err := d.conn.Exec(ctx, m.statement(d.schema)); err != nil {
			return applied, d.explain(fmt.Sprintf("running migration %d (%s)", m.version, m.name), err)
		}
		if err := d.conn.Exec(ctx, "INSERT INTO "+d.Table(migrationsTable)+" (version, name) SELECT $1, $2", m.version, m.name); err != nil {
			return applied, d.explain(fmt.Sprintf("recording migration %d (%s)", m.version, m.name), err)
		}
		applied = append(applied, m.name)
	}
	return applied, nil
}

func (d *DB) makeDatabase(ctx context.Context) error {
	var there uint64
	if err := d.conn.QueryRow(ctx, "SELECT count() FROM system.databases WHERE name = $1", d.schema.database).Scan(&there); err != nil {
		return d.explain("looking for the database", err)
	}
	if there > 0 {
		return nil
	}
	return d.explain("making the database", d.conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+quote(d.schema.database)))
}

func (d *DB) doneMigrations(ctx context.Context) (map[uint32]string, error) {
	const doing = "reading migrations"
	rows, err := d.conn.Query(ctx, "SELECT version, any(name) FROM "+d.Table(migrationsTable)+" GROUP BY version")
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	done := make(map[uint32]string)
	for rows.Next() {
		var version uint32
		var name string
		if err := rows.Scan(&version, &name); err != nil {
			return nil, d.explain(doing, err)
		}
		done[version] = name
	}
	return done, d.explain(doing, rows.Err())
}
