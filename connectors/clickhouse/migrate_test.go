package clickhouse_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestSchemaHistoryIsKept: what a release has run is never changed, only added to.
func TestSchemaHistoryIsKept(t *testing.T) {
	const golden = "testdata/schema.sql"
	if *update {
		if err := os.WriteFile(golden, []byte(clickhouse.SchemaText()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := clickhouse.SchemaText(); got != string(want) {
		t.Errorf("the statements differ from %s: a change of the schema is a new migration; after adding one run the test with -update", golden)
	}
}

// columns describes all tables, as the server has them.
func columns(t *testing.T, db *clickhouse.DB) []string {
	t.Helper()
	return scan[[]string](t, db, "SELECT groupArray(d) FROM (SELECT concat(table, '.', name, ' ', type, ' ', default_expression) AS d FROM system.columns WHERE database = $1 ORDER BY table, position)", db.Database())
}

func TestMigrateFromEmptyAndTwice(t *testing.T) {
	db := clickhousetest.Empty(t)
	applied, err := db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(applied) != clickhouse.Migrations() || applied[0] != "tickets" {
		t.Errorf("applied %v", applied)
	}
	before := columns(t, db)
	applied, err = db.Migrate(t.Context())
	if err != nil || len(applied) != 0 {
		t.Errorf("the second time applied %v, %v", applied, err)
	}
	if after := columns(t, db); !reflect.DeepEqual(before, after) {
		t.Errorf("the second time changed the tables from\n%v\nto\n%v", before, after)
	}
}

// TestMigrateFromEveryOlderState gives the same tables as from empty, and keeps
// what is in them.
func TestMigrateFromEveryOlderState(t *testing.T) {
	fresh := clickhousetest.New(t)
	want := columns(t, fresh)
	for n := range clickhouse.Migrations() {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			db := clickhousetest.Empty(t)
			if applied, err := db.MigrateTo(t.Context(), n); err != nil || len(applied) != n {
				t.Fatalf("applied %v, %v", applied, err)
			}
			if n > 0 {
				if err := db.Conn().Exec(t.Context(), "INSERT INTO "+db.Table("tickets")+" (source, ticket_id, version) VALUES ('old', '1', 1)"); err != nil {
					t.Fatal(err)
				}
			}
			if applied, err := db.Migrate(t.Context()); err != nil || len(applied) != clickhouse.Migrations()-n {
				t.Fatalf("applied %v, %v", applied, err)
			}
			if got := columns(t, db); !reflect.DeepEqual(got, want) {
				t.Errorf("the tables are\n%v\nwant\n%v", got, want)
			}
			if got := count(t, db); n > 0 && got != 1 {
				t.Errorf("%d of 1 ticket is left", got)
			}
			write(t, db, record("1", 1))
		})
	}
}

// TestMigrateAfterADeathBetweenStepAndRecord runs the step again.
func TestMigrateAfterADeathBetweenStepAndRecord(t *testing.T) {
	db := clickhousetest.New(t)
	write(t, db, record("1", 1))
	before := columns(t, db)
	if err := db.Conn().Exec(t.Context(), "TRUNCATE TABLE "+db.Table(clickhouse.MigrationsTable)); err != nil {
		t.Fatal(err)
	}
	applied, err := db.Migrate(t.Context())
	if err != nil || len(applied) != clickhouse.Migrations() {
		t.Errorf("applied %v, %v", applied, err)
	}
	if after := columns(t, db); !reflect.DeepEqual(before, after) {
		t.Error("the tables changed")
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d tickets are left of 1", n)
	}
}

func TestMigrateAtTheSameTime(t *testing.T) {
	db := clickhousetest.Empty(t)
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if applied, err := db.Migrate(t.Context()); err != nil || len(applied) != 0 {
		t.Errorf("afterwards applied %v, %v", applied, err)
	}
}

func TestMigrateRefusesANewerWarehouse(t *testing.T) {
	db := clickhousetest.New(t)
	if err := db.Conn().Exec(t.Context(), "INSERT INTO "+db.Table(clickhouse.MigrationsTable)+" (version, name) VALUES (9999, 'from the future')"); err != nil {
		t.Fatal(err)
	}
	_, err := db.Migrate(t.Context())
	if !errors.Is(err, clickhouse.ErrTooNew) || !strings.Contains(err.Error(), "from the future") || strings.Contains(err.Error(), "\n") {
		t.Errorf("it gives %v", err)
	}
}

// TestTablesAreDurable: an insert is on disk before it is acknowledged, and no
// partition can split a ticket whose creation is corrected.
func TestTablesAreDurable(t *testing.T) {
	db := clickhousetest.New(t)
	for _, table := range []string{"tickets", "actors", "terms", "checkpoints", "key_claims", clickhouse.MigrationsTable} {
		full := scan[string](t, db, "SELECT concat(engine_full, ' partition=', partition_key) FROM system.tables WHERE database = $1 AND name = $2", db.Database(), table)
		for _, want := range []string{"fsync_after_insert = 1", "fsync_part_directory = 1"} {
			if !strings.Contains(full, want) {
				t.Errorf("%s lacks %s: %s", table, want, full)
			}
		}
		if !strings.HasSuffix(full, "partition=") {
			t.Errorf("%s has a partition key: %s", table, full)
		}
	}
}

func TestUnmigratedWarehouseSaysWhatToDo(t *testing.T) {
	db := clickhousetest.Empty(t)
	_, err := db.Checkpoints(t.Context(), "jira")
	if !errors.Is(err, clickhouse.ErrNotMigrated) || !strings.Contains(err.Error(), "fairlead migrate") {
		t.Errorf("it gives %v", err)
	}
}
