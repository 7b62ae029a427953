package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// holdFolder in the environment makes the test binary open that data folder,
// print the engine's process id, and wait to be killed.
const holdFolder = "FAIRLEAD_TEST_HOLD_FOLDER"

func TestMain(m *testing.M) {
	RunChildIfAsked()
	if dir := os.Getenv(holdFolder); dir != "" {
		hold(dir)
	}
	os.Exit(m.Run())
}

// patient is how long a test waits for what must happen soon.
const patient = 5 * time.Minute

// quick watches an engine as tests need it.
var quick = timing{
	pingInterval:  50 * time.Millisecond,
	pingTimeout:   3 * time.Second, // a busy machine may take one
	pingFailures:  2,
	closeGrace:    2 * time.Second,
	restartWindow: time.Hour,
	restartLimit:  3,
	restartDelay:  10 * time.Millisecond,
}

// run starts an engine for the test. Without the library the test is skipped,
// and fails where CI=true.
func run(t *testing.T, o Options) *Engine {
	t.Helper()
	return runWith(t, o, defaultTiming, freePort)
}

func runWith(t *testing.T, o Options, timing timing, port func() (int, error)) *Engine {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 1 << 30
	}
	e, err := start(t.Context(), o, timing, port)
	needLibrary(t, err)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func needLibrary(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, ErrNoLibrary) && os.Getenv("CI") != "true" {
		t.Skipf("run `make embedded` first: %v", err)
	}
}

// connect enters the engine as the service does.
func connect(t *testing.T, e *Engine) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Auth:        clickhouse.Auth{Username: e.User(), Password: e.Password()},
		DialContext: func(ctx context.Context, _ string) (net.Conn, error) { return e.Dial(ctx) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain until %s", patient, what)
		}
	}
}

func TestStartAndClose(t *testing.T) {
	e := run(t, Options{})
	if e.PID() == 0 || e.Addr() == "" || e.Err() != nil {
		t.Errorf("a started engine has pid %d, address %q, error %v", e.PID(), e.Addr(), e.Err())
	}
	pid := e.PID()
	for range 2 {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if alive(pid) {
		t.Error("the child is there after Close")
	}
	if !errors.Is(e.Err(), ErrClosed) {
		t.Errorf("a closed engine has the error %v, want ErrClosed", e.Err())
	}
	if _, err := e.Dial(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("dialling a closed engine gives %v, want ErrClosed", err)
	}
	select {
	case <-e.Done():
	default:
		t.Error("Done is open after Close")
	}
}

func TestDataSurvivesRestarts(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		e := run(t, Options{Dir: dir})
		conn := connect(t, e)
		for _, q := range []string{
			"CREATE DATABASE IF NOT EXISTS kept",
			"CREATE TABLE IF NOT EXISTS kept.rows (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS fsync_after_insert = 1",
			"INSERT INTO kept.rows SELECT number FROM numbers(1000)",
		} {
			if err := conn.Exec(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		var n uint64
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM kept.rows").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if want := uint64(i+1) * 1000; n != want {
			t.Errorf("run %d finds %d rows, want %d", i, n, want)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	e := run(t, Options{Dir: dir})
	_, err := Start(t.Context(), Options{Dir: dir})
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("a second engine on the folder gives %v, want ErrInUse", err)
	}
	if msg := err.Error(); !strings.Contains(msg, dir) || !strings.Contains(msg, "--data") || strings.Contains(msg, "\n") {
		t.Errorf("the message does not name the folder and what to do in one line: %q", msg)
	}
	if err := connect(t, e).Exec(t.Context(), "SELECT 1"); err != nil {
		t.Errorf("the first engine suffered: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, Options{Dir: dir})
}

func TestTakenPortIsTriedElsewhere(t *testing.T) {
	// Whoever has the port takes connections and never answers.
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan []byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		heard <- b[:n]
		<-t.Context().Done()
	}()
	taken := l.Addr().(*net.TCPAddr).Port
	asked := 0
	e := runWith(t, Options{}, defaultTiming, func() (int, error) {
		if asked++; asked == 1 {
			return taken, nil
		}
		return freePort()
	})
	if asked != 2 || strings.HasSuffix(e.Addr(), l.Addr().String()) {
		t.Errorf("asked for %d ports and runs on %s", asked, e.Addr())
	}
	if err := connect(t, e).Exec(t.Context(), "SELECT 1"); err != nil {
		t.Error(err)
	}
	select {
	case b := <-heard:
		if strings.Contains(string(b), e.Password()) {
			t.Error("who had the port heard the password that opens the engine")
		}
	case <-time.After(patient):
		t.Error("nobody knocked at the taken port: the test proves nothing")
	}
}

func TestWrongFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		_, err := Start(t.Context(), Options{Dir: dir})
		needLibrary(t, err)
		if err == nil || !strings.Contains(err.Error(), dir+" is not a folder") || strings.Contains(err.Error(), "\n") {
			t.Errorf("data folder %s gives %v", dir, err)
		}
	}
}

func TestFolderErrors(t *testing.T) {
	for _, c := range []struct {
		cause error
		want  string
	}{
		{syscall.EACCES, "data folder /d cannot be written by this user"},
		{syscall.EROFS, "data folder /d is read-only"},
		{syscall.ENOSPC, "data folder /d is on a full disk"},
		{syscall.ENOTDIR, "data folder /d is not a folder"},
		{syscall.EIO, "data folder /d cannot be used"},
	} {
		err := folderError("/d", &fs.PathError{Op: "mkdir", Path: "/d/clickhouse", Err: c.cause})
		if !strings.HasPrefix(err.Error(), c.want) || !strings.Contains(err.Error(), "--data") || !errors.Is(err, c.cause) {
			t.Errorf("%v gives %q, want %q and what to do", c.cause, err, c.want)
		}
	}
}

func TestUnwritableFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		// Root may write anywhere: /proc is what it cannot.
		_, err := Start(t.Context(), Options{Dir: "/proc/fairlead"})
		needLibrary(t, err)
		if err == nil || !strings.Contains(err.Error(), "data folder /proc/fairlead") || !strings.Contains(err.Error(), "--data") {
			t.Errorf("a folder that cannot be made gives %v", err)
		}
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	needLibrary(t, err)
	if err == nil || !strings.Contains(err.Error(), dir+" cannot be written by this user") {
		t.Errorf("a read-only folder gives %v", err)
	}
}

func TestMissingLibrary(t *testing.T) {
	t.Setenv("FAIRLEAD_LIBCHDB", filepath.Join(t.TempDir(), "libchdb.so"))
	_, err := Start(t.Context(), Options{Dir: t.TempDir()})
	if !errors.Is(err, ErrNoLibrary) || !strings.Contains(err.Error(), "make embedded") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a missing library gives %v", err)
	}
}

func TestWrongLibrary(t *testing.T) {
	junk := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(junk, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: t.TempDir(), Library: junk})
	if err == nil || !strings.Contains(err.Error(), "loading "+junk) || strings.Contains(err.Error(), "\n") {
		t.Errorf("a file that is no library gives %v", err)
	}
}

func TestStartCanBeCancelled(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(ctx, Options{Dir: dir})
	needLibrary(t, err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled start gives %v", err)
	}
	run(t, Options{Dir: dir})
}

// TestVersionIsPinned: what the code looks for is what deploy/embedded fetches.
func TestVersionIsPinned(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "deploy", "embedded")
	var wanted struct {
		OptionalDependencies map[string]string `json:"optionalDependencies"`
	}
	var lock struct {
		Packages map[string]struct {
			Version, Integrity, Resolved string
		} `json:"packages"`
	}
	for name, into := range map[string]any{"package.json": &wanted, "package-lock.json": &lock} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
	if wanted.OptionalDependencies["@chdb/lib-linux-x64-gnu"] == "" {
		t.Error("package.json does not name the library for linux x64")
	}
	for name, version := range wanted.OptionalDependencies {
		if !strings.HasPrefix(name, "@chdb/lib-") || version != Version {
			t.Errorf("package.json wants %s %s, the code %s", name, version, Version)
		}
		p := lock.Packages["node_modules/"+name]
		if p.Version != Version || !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("package-lock.json pins %s at %q with the hash %q", name, p.Version, p.Integrity)
		}
	}
	for name, p := range lock.Packages {
		if p.Resolved != "" {
			t.Errorf("package-lock.json names a host for %s", name)
		}
	}
}
