package clickhouse

import (
	"fmt"
	"strings"
)

// schema makes the names and engines of the tables. All SQL asks it, so that a
// cluster's form (Replicated engines behind Distributed tables) has one place.
type schema struct {
	database string
}

// table is the quoted, qualified name by which a table is read and written.
func (s schema) table(name string) string {
	return quote(s.database) + "." + quote(name)
}

// durable syncs an insert's part and its folder before it is acknowledged: a
// checkpoint must not outlive its tickets at power loss.
const durable = "fsync_after_insert = 1, fsync_part_directory = 1"

// place says under which name a table is made, and by which engine it is kept.
// Rows of the same order key replace each other by the greatest value of the
// version column; without one, all stay.
func (s schema) place(name, version string) (table, engine string) {
	if version == "" {
		return s.table(name), "MergeTree"
	}
	return s.table(name), "ReplacingMergeTree(" + version + ")"
}

// create is the statement that makes a table unless it is there.
func (s schema) create(name, columns, version, orderBy string) string {
	table, engine := s.place(name, version)
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s\n(\n%s\n)\nENGINE = %s\nORDER BY (%s)\nSETTINGS %s", table, columns, engine, orderBy, durable)
}

// quote makes an identifier of SQL.
func quote(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}

// migration is one step of the schema's history: a single statement that may be
// run again, for a run can die between a step and its record. Steps are only
// ever added: what is in a release never changes.
type migration struct {
	version   uint32
	name      string
	statement func(s schema) string
}

// The columns with a dot are the arrays of what ClickHouse calls Nested: within
// a row all of one prefix have the same length.
var migrations = []migration{
	{1, "tickets", func(s schema) string {
		return s.create("tickets", strings.Join([]string{
			"    source LowCardinality(String)",
			"    ticket_id String",
			"    key String",
			"    created DateTime64(3, 'UTC')",
			"    updated DateTime64(3, 'UTC')",
			"    assignee UInt64",
			"    status LowCardinality(String)",
			"    `group` LowCardinality(String)",
			"    kind LowCardinality(String)",
			"    priority LowCardinality(String)",
			"    project LowCardinality(String)",
			"    parent String",
			"    areas Array(String)",
			"    effort Nullable(Float64)",
			"    history_complete Bool",
			"    incomplete_reason LowCardinality(String)",
			"    unrecorded UInt32",
			"    deleted Nullable(DateTime64(3, 'UTC'))",
			"    version UInt64",
			"    `changes.at` Array(DateTime64(3, 'UTC'))",
			"    `changes.seq` Array(UInt32)",
			"    `changes.field` Array(LowCardinality(String))",
			"    `changes.from` Array(String)",
			"    `changes.to` Array(String)",
			"    `changes.actor` Array(UInt64)",
			"    `contributions.at` Array(DateTime64(3, 'UTC'))",
			"    `contributions.actor` Array(UInt64)",
			"    `contributions.act` Array(LowCardinality(String))",
			"    `assignments.actor` Array(UInt64)",
			"    `assignments.group` Array(LowCardinality(String))",
			"    `assignments.from` Array(DateTime64(3, 'UTC'))",
			"    `assignments.to` Array(Nullable(DateTime64(3, 'UTC')))",
			"    `spells.field` Array(LowCardinality(String))",
			"    `spells.value` Array(String)",
			"    `spells.from` Array(DateTime64(3, 'UTC'))",
			"    `spells.to` Array(Nullable(DateTime64(3, 'UTC')))",
		}, ",\n"), "version", "source, ticket_id")
	}},
	{2, "actors", func(s schema) string {
		return s.create("actors", strings.Join([]string{
			"    source LowCardinality(String)",
			"    account String",
			"    id UInt64",
			"    name String",
			"    email String",
			"    active Bool",
			"    bot Bool",
			"    version UInt64",
		}, ",\n"), "version", "source, account")
	}},
	{3, "terms", func(s schema) string {
		return s.create("terms", strings.Join([]string{
			"    source LowCardinality(String)",
			"    field LowCardinality(String)",
			"    id String",
			"    name String",
			"    value LowCardinality(String)",
			"    version UInt64",
		}, ",\n"), "version", "source, field, id")
	}},
	{4, "checkpoints", func(s schema) string {
		return s.create("checkpoints", strings.Join([]string{
			"    source LowCardinality(String)",
			"    stream LowCardinality(String)",
			"    cursor String",
			"    updated DateTime64(3, 'UTC')",
			"    done Bool",
			"    tickets UInt64",
			"    version UInt64",
		}, ",\n"), "version", "source, stream")
	}},
	{5, "key_claims", func(s schema) string {
		return s.create("key_claims", strings.Join([]string{
			"    fingerprint String",
			"    claimed DateTime64(3, 'UTC')",
		}, ",\n"), "", "claimed")
	}},
	{6, "listed", func(s schema) string {
		return s.create("listed", strings.Join([]string{
			"    source LowCardinality(String)",
			"    ticket_id String",
			"    sweep UInt64",
		}, ",\n"), "sweep", "source, ticket_id")
	}},
	{7, "roster", rosterTable},
	{8, "reports", reportsTable},
	{9, "ticket marks", func(s schema) string {
		return "ALTER TABLE " + s.table("tickets") + " ADD COLUMN IF NOT EXISTS marks Array(LowCardinality(String))"
	}},
	{10, "erased", erasedTable},
	{11, "pruning", pruningTable},
	{12, "horizon", horizonTable},
	{13, "old areas", oldAreasTable},
	{14, "old handovers", oldHandoversTable},
	{15, "quarters", quartersTable},
}
