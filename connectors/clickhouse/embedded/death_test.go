package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// hold is what the test binary does when it is another Fairlead to be killed.
func hold(dir string) {
	e, err := Start(context.Background(), Options{Dir: dir, MemoryLimit: 1 << 30})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(e.PID())
	select {}
}

// TestChildEndsWithItsParent: by whatever death.
func TestChildEndsWithItsParent(t *testing.T) {
	library, err := findLibrary("")
	needLibrary(t, err)
	if err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGABRT} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := t.TempDir()
			parent := exec.Command(os.Args[0])
			parent.Env = append(os.Environ(), holdFolder+"="+dir, "FAIRLEAD_LIBCHDB="+library, "GOTRACEBACK=none")
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			child, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			if !alive(child) {
				t.Fatal("there is no child: the test proves nothing")
			}
			if err := parent.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = parent.Wait()
			// The folder can be had again at once: its lock is inherited by the
			// child, and waited for.
			run(t, Options{Dir: dir})
			eventually(t, "the child is gone", func() bool { return !alive(child) })
		})
	}
}

// TestKilledEngineLosesNothing: every row that was acknowledged is there after
// kill -9, and the engine comes back by itself, at another port.
func TestKilledEngineLosesNothing(t *testing.T) {
	e := runWith(t, Options{}, quick, freePort)
	conn := connect(t, e)
	for _, q := range []string{
		"CREATE DATABASE kept",
		"CREATE TABLE kept.rows (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS fsync_after_insert = 1, fsync_part_directory = 1",
	} {
		if err := conn.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	var acknowledged, sent atomic.Uint64
	writing, stop := context.WithCancel(t.Context())
	defer stop()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for writing.Err() == nil {
			n := sent.Add(1)
			if conn.Exec(context.Background(), "INSERT INTO kept.rows VALUES ($1)", n) == nil {
				acknowledged.Add(1)
			}
		}
	}()
	for range 3 {
		pid, before := e.PID(), acknowledged.Load()
		eventually(t, "rows are written", func() bool { return acknowledged.Load() > before+20 })
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the engine runs again", func() bool { return e.PID() != pid && e.PID() != 0 })
	}
	before := acknowledged.Load()
	eventually(t, "rows are written again", func() bool { return acknowledged.Load() > before })
	stop()
	<-stopped
	var rows, distinct uint64
	if err := conn.QueryRow(t.Context(), "SELECT count(), uniqExact(n) FROM kept.rows").Scan(&rows, &distinct); err != nil {
		t.Fatal(err)
	}
	if rows < acknowledged.Load() || rows > sent.Load() || rows != distinct {
		t.Errorf("%d rows (%d distinct) are there, %d were acknowledged of %d sent", rows, distinct, acknowledged.Load(), sent.Load())
	}
}

// TestHangingEngineIsReplaced: it takes connections and does nothing.
func TestHangingEngineIsReplaced(t *testing.T) {
	e := runWith(t, Options{}, quick, freePort)
	pid := e.PID()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another engine runs", func() bool { return e.PID() != pid && e.PID() != 0 })
	if err := connect(t, e).Exec(t.Context(), "SELECT 1"); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsAHangingEngine(t *testing.T) {
	timing := quick
	timing.pingInterval = time.Hour
	timing.closeGrace = 100 * time.Millisecond
	e := runWith(t, Options{}, timing, freePort)
	pid := e.PID()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if alive(pid) {
		t.Error("the hanging engine is there after Close")
	}
}

// TestEngineThatCannotBeRestarted ends for good, and says so.
func TestEngineThatCannotBeRestarted(t *testing.T) {
	library, err := findLibrary("")
	needLibrary(t, err)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.Symlink(library, link); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	e := runWith(t, Options{Dir: dir, Library: link}, quick, freePort)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(e.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-e.Done():
	case <-time.After(patient):
		t.Fatal("the engine did not give up")
	}
	if err := e.Err(); !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "died 4 times") || !strings.Contains(err.Error(), link) {
		t.Errorf("it gave up with %v", err)
	}
	if _, err := e.Dial(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("dialling gives %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	run(t, Options{Dir: dir}) // the folder is free again
}

// TestTakenPortAtRestartEndsTheEngine: who has the port may have heard the
// password that clients keep.
func TestTakenPortAtRestartEndsTheEngine(t *testing.T) {
	var taken atomic.Int64
	e := runWith(t, Options{}, quick, func() (int, error) {
		if port := taken.Load(); port != 0 {
			return int(port), nil
		}
		return freePort()
	})
	other := run(t, Options{})
	_, port, _ := strings.Cut(other.Addr(), ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	taken.Store(int64(n))
	if err := syscall.Kill(e.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-e.Done():
	case <-time.After(patient):
		t.Fatal("the engine did not give up")
	}
	if !errors.Is(e.Err(), errPortTaken) {
		t.Errorf("it gave up with %v", e.Err())
	}
}

func TestExceptionLine(t *testing.T) {
	for name, c := range map[string]struct{ output, want string }{
		"an exception among stack and advice": {
			"engine ended: unexpectedly: \nCode: 76. DB::Exception: Cannot lock file /d/status. Another server instance in same directory is already running. (CANNOT_OPEN_FILE)\n\n0. ? @ 0x1\n",
			"Cannot lock file /d/status. Another server instance in same directory is already running. (CANNOT_OPEN_FILE)",
		},
		"a last line":     {"first\nloading /l: no such file\n\n", "loading /l: no such file"},
		"nothing":         {"", ""},
		"only our own":    {"engine ended: unexpectedly: \n", ""},
		"broken encoding": {"\xff\xfeabc\n", "abc"},
	} {
		if got := exceptionLine(c.output); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
