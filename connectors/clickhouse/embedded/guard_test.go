package embedded

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// intrusions are what somebody without the password would try.
var intrusions = []string{
	"SELECT 1",
	"1",
	"SELECT * FROM secret.rows",
	"SELECT * FROM system.tables",
	"SELECT getMacro('fairlead_proof')",
	"SHOW TABLES",
	"SHOW PROCESSLIST",
	"EXPLAIN SELECT 1",
	"EXISTS TABLE secret.rows",
	"SELECT file('/etc/passwd')",
	"file('/etc/passwd')",
	"SELECT * FROM file('/etc/passwd', 'LineAsString')",
	"SELECT * FROM `/etc/passwd`",
	"SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
	"SELECT * FROM executable('id', 'LineAsString', 's String')",
	"INSERT INTO FUNCTION file('/tmp/fairlead-intrusion', 'LineAsString', 's String') SELECT 'x'",
	"CREATE TABLE intrusion (n UInt8) ENGINE = Memory",
	"DROP DATABASE secret",
	"SET readonly = 0",
	"SET max_query_size = 100000",
	"SYSTEM STOP LISTEN TCP",
	"SYSTEM START LISTEN HTTP",
	"SYSTEM SHUTDOWN",
	"KILL QUERY WHERE 1",
	"CREATE USER intruder",
	"GRANT ALL ON *.* TO default",
}

// TestNobodyElseGetsIn: without the password nothing can be read through the
// port, neither tables nor files nor addresses.
func TestNobodyElseGetsIn(t *testing.T) {

	e := run(t, Options{})
	owner := connect(t, e)
	for _, q := range []string{
		"CREATE DATABASE secret",
		"CREATE TABLE secret.rows (s String) ENGINE = MergeTree ORDER BY s",
		"INSERT INTO secret.rows VALUES ('secret')",
	} {
		if err := owner.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	accounts := []clickhouse.Auth{
		{Username: "default"},
		{Username: "default", Database: "secret"},
		{Username: "default", Password: "default"},
		{Username: e.User()},
		{Username: e.User(), Password: "wrong"},
		{Username: "nobody"},
		{Username: "clickhouse-local"},
	}
	settings := []clickhouse.Settings{
		nil,
		{"readonly": 0, "max_query_size": 262144, "max_ast_elements": 50000, "max_ast_depth": 1000},
		{"readonly": 2},
		{"max_query_size": 262144},
		{"dialect": "prql"},
		{"profile": "default"},
		{"profile": "service"},
	}
	for _, account := range accounts {
		for _, s := range settings {
			conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{e.Addr()}, Auth: account, Settings: s})
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range intrusions {
				err := conn.Exec(t.Context(), q)
				var refusal *clickhouse.Exception
				if !errors.As(err, &refusal) {
					t.Errorf("%s with %v: %s gives %v, want a refusal", account.Username, s, q, err)
				}
			}
			_ = conn.Close()
		}
	}
	var n uint64
	if err := owner.QueryRow(t.Context(), "SELECT count() FROM secret.rows").Scan(&n); err != nil || n != 1 {
		t.Errorf("the owner finds %d rows and %v", n, err)
	}
}

// TestStrangersDoNotEndIt: whatever comes in at the port, the engine goes on.
func TestStrangersDoNotEndIt(t *testing.T) {
	e := run(t, Options{})
	conn := connect(t, e)
	pid := e.PID()
	garbage := make([]byte, 100_000)
	for i := range garbage {
		garbage[i] = byte(i * 7)
	}
	for name, data := range map[string][]byte{
		"nothing":      nil,
		"HTTP":         []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"a TLS hello":  append([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), make([]byte, 200)...),
		"zeros":        make([]byte, 1000),
		"garbage":      garbage,
		"half a hello": []byte("\x00\x0aclick"),
	} {
		for range 3 {
			c, err := net.Dial("tcp", e.Addr())
			if err != nil {
				t.Fatalf("after %s: %v", name, err)
			}
			_, _ = c.Write(data)
			_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			_, _ = c.Read(make([]byte, 100))
			_ = c.Close()
		}
		if err := conn.Exec(t.Context(), "SELECT 1"); err != nil || e.PID() != pid {
			t.Fatalf("after %s the engine %d is %d: %v", name, pid, e.PID(), err)
		}
	}
	// A client of ours that goes away in the middle.
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := conn.Exec(ctx, "SELECT sum(sipHash64(number)) FROM numbers(100000000000)"); err == nil {
			t.Error("a query of hours ended at once")
		}
		cancel()
	}
	if err := conn.Exec(t.Context(), "SELECT 1"); err != nil || e.PID() != pid {
		t.Fatalf("after cancelled queries the engine %d is %d: %v", pid, e.PID(), err)
	}
}

// TestServiceAccountCannotReadFiles: what the service does not need it may not.
// (The scalar function file() is beyond grants.)
func TestServiceAccountCannotReadFiles(t *testing.T) {
	conn := connect(t, run(t, Options{}))
	for _, q := range []string{
		"SELECT * FROM file('/etc/passwd', 'LineAsString')",
		"SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
		"SELECT * FROM `/etc/passwd`",
		"CREATE USER intruder",
		"SYSTEM STOP LISTEN TCP",
	} {
		var refusal *clickhouse.Exception
		if err := conn.Exec(t.Context(), q); !errors.As(err, &refusal) {
			t.Errorf("%s gives %v, want a refusal", q, err)
		}
	}
}

func TestListensOnLoopbackOnly(t *testing.T) {
	e := run(t, Options{})
	_, port, err := net.SplitHostPort(e.Addr())
	if err != nil {
		t.Fatal(err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		ip := a.(*net.IPNet).IP
		if ip.Equal(net.IPv4(127, 0, 0, 1)) || ip.IsLinkLocalUnicast() {
			continue
		}
		if c, err := net.Dial("tcp", net.JoinHostPort(ip.String(), port)); err == nil {
			_ = c.Close()
			t.Errorf("the engine listens on %s", ip)
		}
	}
}

// TestNothingLeaks: no file, argument or variable of the child holds a secret, and
// other users of the machine cannot read the folder.
func TestNothingLeaks(t *testing.T) {
	t.Setenv("FAIRLEAD_SOURCE_TOKEN", "a-token-of-the-parent")
	dir := t.TempDir()
	e := run(t, Options{Dir: dir})
	if err := connect(t, e).Exec(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	password := []byte(e.Password())
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, password) {
			t.Errorf("%s holds the password", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{
		e.layout.base():   fs.ModeDir | 0o700,
		e.layout.config(): 0o600,
		e.layout.users():  0o600,
		e.layout.lock():   0o600,
		e.layout.output(): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has the mode %s, want %s", path, info.Mode(), want)
		}
	}
	if runtime.GOOS == "linux" {
		for _, what := range []string{"cmdline", "environ"} {
			b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(e.PID()), what))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, password) || bytes.Contains(b, []byte("a-token-of-the-parent")) {
				t.Errorf("the child's %s holds a secret", what)
			}
		}
	}
}

func TestConfigKeepsItsModeOverAnOlderFile(t *testing.T) {
	l := layout{root: t.TempDir()}
	if err := os.MkdirAll(l.base(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.users(), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := writeConfig(l, newSecrets(), 9000, 1<<30); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(l.users()); err != nil || info.Mode() != 0o600 {
		t.Errorf("the users' file has the mode %v, %v", info.Mode(), err)
	}
}

// TestOwnProcessGroup: Ctrl-C on the terminal must not reach the engine before it
// reached us.
func TestOwnProcessGroup(t *testing.T) {
	e := run(t, Options{})
	group, err := syscall.Getpgid(e.PID())
	if err != nil {
		t.Fatal(err)
	}
	if group != e.PID() {
		t.Errorf("the engine, %d, is in the process group %d", e.PID(), group)
	}
}

// codeMemoryLimit is ClickHouse's MEMORY_LIMIT_EXCEEDED.
const codeMemoryLimit = 241

// TestMemoryIsCapped: a query over the cap fails and the engine goes on.
func TestMemoryIsCapped(t *testing.T) {
	e := run(t, Options{MemoryLimit: MinMemoryLimit})
	conn := connect(t, e)
	pid := e.PID()
	for name, settings := range map[string]string{
		"the query's own limit": "",
		"the engine's limit":    " SETTINGS max_memory_usage = 0, max_bytes_before_external_group_by = 0",
	} {
		err := conn.Exec(t.Context(), "SELECT length(groupArray(repeat('x', 1000) || toString(number))) FROM numbers(5000000)"+settings)
		var refusal *clickhouse.Exception
		if !errors.As(err, &refusal) || refusal.Code != codeMemoryLimit {
			t.Errorf("%s: five gigabytes give %v, want code %d", name, err, codeMemoryLimit)
		}
	}
	if err := conn.Exec(t.Context(), "SELECT 1"); err != nil || e.PID() != pid {
		t.Errorf("the engine did not go on: %v", err)
	}
	if runtime.GOOS == "linux" {
		if peak := peakMemory(t, pid); peak > MinMemoryLimit*5/2 {
			t.Errorf("the engine's memory peaked at %d MiB under a cap of %d MiB", peak>>20, MinMemoryLimit>>20)
		}
	}
}

// peakMemory is the most that a process had of anonymous and file memory, in bytes.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("peak memory: %d MiB", kb>>10)
			return kb << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

func TestDefaultMemoryLimit(t *testing.T) {
	if n := DefaultMemoryLimit(); n < MinMemoryLimit || n > maxMemoryLimit {
		t.Errorf("the derived cap is %d", n)
	}
}
