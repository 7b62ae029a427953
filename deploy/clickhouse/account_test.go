package clickhouse

import (
	"net/url"
	"testing"

	"fairlead/analysis"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

// least is the account of users.d/fairlead.xml in an engine, under another name
// than the engine's own.
func least(t *testing.T) clickhouse.Config {
	t.Helper()
	engine := withUsers(t, "fairlead.xml", "FAIRLEAD_SHA256",
		[2]string{"  <users>\n    <fairlead>", "  <users>\n    <least>"},
		[2]string{"    </fairlead>\n  </users>", "    </least>\n  </users>"})
	return clickhouse.Config{DSN: (&url.URL{Scheme: "clickhouse", Host: engine.Addr(), Path: "/fairlead"}).String(), User: "least", Password: password, Database: "fairlead"}
}

// TestLeastRights: what the account may do is enough for all that Fairlead does,
// and reaches no further.
func TestLeastRights(t *testing.T) {
	ctx := t.Context()
	db, err := clickhouse.Open(ctx, clickhouse.Options{Config: least(t), Surrogate: clickhousetest.Surrogate})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	for range 3 { // each does away with those before
		lease, err := db.AcquireLease(ctx, "servicenow")
		if err != nil {
			t.Fatal(err)
		}
		if err := lease.Release(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var leases uint64
	if err := db.Conn().QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = 'fairlead' AND startsWith(name, 'lease_')").Scan(&leases); err != nil || leases > 1 {
		t.Errorf("%d tables of leases that are over (%v)", leases, err)
	}
	for _, src := range sandboxtest.Sources(t, sandbox.Generate(1, present, sandbox.Options{Tickets: 1000})) {
		sandboxtest.Collect(t, db, src)
	}
	engine := analysis.New(db, analysis.Options{Config: analysis.DefaultConfig(), Key: []byte("a key that is of a test")})
	s, err := engine.Snapshot(ctx, present)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.States) == 0 {
		t.Error("the analysis found no team")
	}
	if _, err := engine.Rebalance(ctx, "PAY", present, analysis.DefaultRebalanceOptions()); err != nil {
		t.Error(err)
	}
	accounts, err := db.Accounts(ctx)
	if err != nil || len(accounts) == 0 {
		t.Fatalf("there are %d accounts (%v)", len(accounts), err)
	}
	if told, err := db.Forget(ctx, []roster.AccountRef{{Source: accounts[0].Source, ID: accounts[0].Account.ID}}, nil); err != nil || told.Accounts == 0 {
		t.Errorf("of somebody %+v was erased (%v)", told, err)
	}
	if n, err := db.Prune(ctx, present.AddDate(0, -6, 0)); err != nil || n == 0 {
		t.Errorf("%d old tickets were deleted (%v)", n, err)
	}
	for _, statement := range []string{
		"CREATE DATABASE another", "CREATE TABLE default.t (x UInt8) ENGINE = Memory", "SELECT * FROM file('/etc/passwd', 'LineAsString')",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", "CREATE USER another", "SELECT 1 SETTINGS max_threads = 64", "SELECT 1 SETTINGS max_memory_usage = 0",
		"DROP DATABASE fairlead",
	} {
		if err := db.Conn().Exec(ctx, statement); err == nil {
			t.Errorf("it may %s", statement)
		}
	}
}
