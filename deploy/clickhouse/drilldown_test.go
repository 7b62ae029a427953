// Package clickhouse tests the account that Grafana has in ClickHouse, and the
// SQL that the drill-down dashboard runs with it, in the real engine.
package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/clickhouse/embedded"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

const (
	account  = "fairlead_grafana"
	password = "a password of a test"
)

// present is where the generated year ends.
var present = time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)

// withUsers is an engine that has a file of users.d, with the password of these
// tests for the one that the server's environment gives, and what else is put in
// place of something that the file has once.
func withUsers(t *testing.T, name, variable string, changes ...[2]string) *embedded.Engine {
	t.Helper()
	dir := t.TempDir()
	users := filepath.Join(dir, "clickhouse", "users.d")
	if err := os.MkdirAll(users, 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("users.d", name))
	if err != nil {
		t.Fatal(err)
	}
	// The engine's process is given no environment but its own.
	sum := sha256.Sum256([]byte(password))
	changes = append(changes, [2]string{`<password_sha256_hex from_env="` + variable + `"/>`, "<password_sha256_hex>" + hex.EncodeToString(sum[:]) + "</password_sha256_hex>"})
	given := string(text)
	for _, one := range changes {
		if strings.Count(given, one[0]) != 1 {
			t.Fatalf("%q is not once in %s", one[0], name)
		}
		given = strings.Replace(given, one[0], one[1], 1)
	}
	if err := os.WriteFile(filepath.Join(users, name), []byte(given), 0o600); err != nil {
		t.Fatal(err)
	}
	engine, err := embedded.Start(t.Context(), embedded.Options{Dir: dir, MemoryLimit: 2 << 30})
	if errors.Is(err, embedded.ErrNoLibrary) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

// grafana is a connection as Grafana's plugin makes it, to an engine that has the
// file users.d/grafana.xml and a generated organisation.
func grafana(t *testing.T) driver.Conn {
	t.Helper()
	engine := withUsers(t, "grafana.xml", "FAIRLEAD_GRAFANA_SHA256")
	fill(t, engine)

	conn, err := driver.Open(&driver.Options{
		Addr:     []string{engine.Addr()},
		Auth:     driver.Auth{Database: "fairlead", Username: account, Password: password},
		Settings: driver.Settings{"max_execution_time": 60}, // as the plugin sets it
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func fill(t *testing.T, engine *embedded.Engine) {
	t.Helper()
	ctx := t.Context()
	db, err := clickhouse.Open(ctx, clickhouse.Options{Engine: engine, Surrogate: clickhousetest.Surrogate})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	for _, src := range sandboxtest.Sources(t, sandbox.Generate(1, present, sandbox.Options{Tickets: 3000})) {
		sandboxtest.Collect(t, db, src)
	}
}

// dashboard is what matters here of the file.
type dashboard struct {
	Panels []struct {
		Type, Title string
		Targets     []struct {
			Datasource struct{ Type, UID string }
			Format     int
			QueryType  string
			RawSQL     string `json:"rawSql"`
		}
		FieldConfig struct {
			Overrides []struct {
				Matcher    struct{ Options string }
				Properties []struct{ ID string }
			}
		}
	}
	Templating struct {
		List []struct {
			Name, Type string
			Query      any
		}
	}
}

var timeFilter = regexp.MustCompile(`\$__timeFilter\((\w+)\)`)

// written is SQL as the plugin sends it: its macro for the time range, and
// Grafana's format singlequote for what is chosen.
// https://github.com/grafana/clickhouse-datasource#macros
func written(sql string, chosen map[string][]string) string {
	sql = timeFilter.ReplaceAllString(sql, "$1 >= toDateTime("+seconds(present.AddDate(0, 0, -90))+") AND $1 <= toDateTime("+seconds(present)+")")
	for name, values := range chosen {
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = "'" + strings.ReplaceAll(v, "'", `\'`) + "'"
		}
		sql = strings.ReplaceAll(sql, "${"+name+":singlequote}", strings.Join(quoted, ","))
	}
	return sql
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// Every query of the dashboard is answered with rows, under the account that
// Grafana has; each column of numbers has a unit.
func TestDrilldown(t *testing.T) {
	content, err := os.ReadFile("../grafana/drilldown.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	conn := grafana(t)
	chosen := map[string][]string{}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		rows := ask(t, conn, written(v.Query.(string), chosen))
		for _, row := range rows.values {
			chosen[v.Name] = append(chosen[v.Name], row[0].(string))
		}
		t.Logf("%s: %d to choose from", v.Name, len(rows.values))
		if len(rows.values) < 2 {
			t.Errorf("variable %s has %v", v.Name, rows.values)
		}
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			sql := written(target.RawSQL, chosen)
			if strings.Contains(sql, "$") {
				t.Errorf("%s: not all is filled in: %s", p.Title, sql)
			}
			rows := ask(t, conn, sql)
			if len(rows.values) == 0 || len(rows.values) > 50 {
				t.Errorf("%s: %d rows", p.Title, len(rows.values))
			}
			if p.Type == "stat" && rows.number(t, 0) <= 0 {
				t.Errorf("%s: %v", p.Title, rows.values)
			}
			if p.Type == "timeseries" && (target.Format != 0 || rows.columns[0] != "time") || p.Type == "table" && target.Format != 1 {
				t.Errorf("%s: format %d, columns %v", p.Title, target.Format, rows.columns)
			}
			if p.Type != "table" {
				continue
			}
			with := map[string]bool{}
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					with[o.Matcher.Options] = with[o.Matcher.Options] || property.ID == "unit"
				}
			}
			for i, column := range rows.columns {
				if numeric := !strings.Contains(rows.types[i], "String"); numeric != with[column] {
					t.Errorf("%s: column %s is %s, with a unit: %t", p.Title, column, rows.types[i], with[column])
				}
			}
		}
	}
}

type answer struct {
	columns, types []string
	values         [][]any
}

func (a answer) number(t *testing.T, row int) float64 {
	t.Helper()
	switch v := a.values[row][0].(type) {
	case uint64:
		return float64(v)
	case int64:
		return float64(v)
	case float64:
		return v
	default:
		t.Fatalf("%T is no number", v)
		return 0
	}
}

func ask(t *testing.T, conn driver.Conn, sql string) answer {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	defer rows.Close()
	a := answer{columns: rows.Columns()}
	for _, c := range rows.ColumnTypes() {
		a.types = append(a.types, c.DatabaseTypeName())
	}
	for rows.Next() {
		into := make([]any, len(a.columns))
		for i, c := range rows.ColumnTypes() {
			into[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i := range into {
			into[i] = reflect.ValueOf(into[i]).Elem().Interface()
		}
		a.values = append(a.values, into)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return a
}

// What the account may not: people, anything but reading, more than its limits.
func TestAccountIsConfined(t *testing.T) {
	conn := grafana(t)
	refused := func(sql, why string) {
		t.Helper()
		rows, err := conn.Query(context.Background(), sql)
		if err == nil {
			for rows.Next() {
			}
			err = errors.Join(rows.Err(), rows.Close())
		}
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %s", sql, err, why)
		}
	}
	const privileges, readonly = "Not enough privileges", "readonly"
	for _, table := range []string{"actors", "roster", "checkpoints", "key_claims", "listed"} {
		refused("SELECT * FROM "+table+" LIMIT 1", privileges)
	}
	for _, column := range []string{"assignee", "`assignments.actor`", "`contributions.actor`", "`changes.actor`", "`changes.to`", "*"} {
		refused("SELECT "+column+" FROM tickets LIMIT 1", privileges)
	}
	refused("INSERT INTO terms (source) VALUES ('x')", privileges)
	refused("CREATE TABLE mine (x UInt8) ENGINE = Memory", privileges)
	refused("DROP TABLE tickets", privileges)
	refused("SELECT 1 SETTINGS max_result_rows = 0", readonly)
	refused("SELECT 1 SETTINGS max_memory_usage = 0", readonly)
	refused("SELECT 1 SETTINGS max_execution_time = 600", "max_execution_time")
	refused("SELECT number FROM numbers(20000)", "max rows")

	// No field that is told of a ticket's course is about who did it.
	fields := ask(t, conn, "SELECT DISTINCT arrayJoin(`spells.field`) AS field FROM tickets ORDER BY field")
	for _, row := range fields.values {
		if !slices.Contains([]string{"area", "effort", "group", "kind", "priority", "project", "status"}, row[0].(string)) {
			t.Errorf("the account reads the course of %v", row[0])
		}
	}
	if len(fields.values) == 0 {
		t.Error("the account reads nothing")
	}
}
