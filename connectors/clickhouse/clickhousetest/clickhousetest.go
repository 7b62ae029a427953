// Package clickhousetest gives tests a real warehouse: one embedded engine for a
// test binary, a database of its own for every test.
package clickhousetest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/embedded"
)

// Main runs a package's tests and then ends the engine. Every test binary that
// uses this package calls it:
//
//	func TestMain(m *testing.M) { clickhousetest.Main(m) }
func Main(m *testing.M) {
	embedded.RunChildIfAsked()
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "ending the engine:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

var shared struct {
	sync.Mutex
	engine *embedded.Engine
	dir    string
	err    error
}

var databases atomic.Uint64

// Engine is the test binary's engine, started at first use. Without the library
// the test is skipped, and fails where CI=true.
func Engine(t testing.TB) *embedded.Engine {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.engine == nil && shared.err == nil {
		shared.dir, shared.err = os.MkdirTemp("", "fairlead-clickhousetest-")
		if shared.err == nil {
			shared.engine, shared.err = embedded.Start(context.Background(), embedded.Options{Dir: shared.dir, MemoryLimit: 2 << 30})
		}
	}
	skipWithoutLibrary(t, shared.err)
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.engine
}

func stop() error {
	shared.Lock()
	defer shared.Unlock()
	var err error
	if shared.engine != nil {
		err = shared.engine.Close()
	}
	if shared.dir != "" {
		err = errors.Join(err, os.RemoveAll(shared.dir))
	}
	return err
}

// New gives a migrated warehouse with nothing in it. It is closed, and dropped,
// when the test ends.
func New(t testing.TB) *clickhouse.DB {
	t.Helper()
	db := Empty(t)
	if _, err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}

// Empty is New without the migrations: the database does not exist yet.
func Empty(t testing.TB) *clickhouse.DB {
	t.Helper()
	db := Open(t, clickhouse.Config{Database: fmt.Sprintf("test_%d", databases.Add(1))})
	t.Cleanup(func() {
		if err := db.Conn().Exec(context.Background(), "DROP DATABASE IF EXISTS "+db.Database()+" SYNC"); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Open opens a database of the test binary's engine, by its name in c, so that a
// test can open the same one again. It does not migrate. It is closed when the
// test ends.
func Open(t testing.TB, c clickhouse.Config) *clickhouse.DB {
	t.Helper()
	db, err := clickhouse.Open(context.Background(), clickhouse.Options{Config: c, Engine: Engine(t), Surrogate: Surrogate})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Server is the configuration that reaches the test binary's engine by DSN, as it
// would any ClickHouse server. The database is made by Migrate, and dropped when
// the test ends.
func Server(t testing.TB, database string) clickhouse.Config {
	t.Helper()
	engine := Engine(t)
	t.Cleanup(func() {
		db, err := clickhouse.Open(context.Background(), clickhouse.Options{Engine: engine})
		if err != nil {
			t.Error(err)
			return
		}
		err = db.Conn().Exec(context.Background(), "DROP DATABASE IF EXISTS `"+database+"` SYNC")
		if err := errors.Join(err, db.Close()); err != nil {
			t.Error(err)
		}
	})
	return clickhouse.Config{DSN: "clickhouse://" + engine.Addr() + "/" + database, User: engine.User(), Password: engine.Password()}
}

// NewFolder gives a migrated warehouse whose engine runs on a folder of its own:
// for tests of what happens to engine or folder. Close it to open the folder
// again; it is closed when the test ends at the latest.
func NewFolder(t testing.TB, dir string) *clickhouse.DB {
	t.Helper()
	db, err := clickhouse.Open(context.Background(), clickhouse.Options{DataDir: dir, Surrogate: Surrogate})
	skipWithoutLibrary(t, err)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}

// Surrogate is the surrogate function of these warehouses: a plain hash, the same
// in every run.
func Surrogate(source, account string) uint64 {
	sum := sha256.Sum256([]byte(source + "\x00" + account))
	return binary.LittleEndian.Uint64(sum[:]) | 1
}

func skipWithoutLibrary(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, embedded.ErrNoLibrary) && os.Getenv("CI") != "true" {
		t.Skipf("run `make embedded` first: %v", err)
	}
}

// Dump is every row of every table as text, those among them that a later version
// replaces: to look for what must not be there.
func Dump(t testing.TB, db *clickhouse.DB) string {
	t.Helper()
	ctx := context.Background()
	var tables []string
	if err := db.Conn().QueryRow(ctx, "SELECT groupArray(name) FROM system.tables WHERE database = $1", db.Database()).Scan(&tables); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, table := range tables {
		var rows []string
		if err := db.Conn().QueryRow(ctx, "SELECT groupArray(toString(tuple(*))) FROM "+db.Table(table)).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			fmt.Fprintf(&all, "%s %s\n", table, row)
		}
	}
	return all.String()
}
