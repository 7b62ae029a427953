package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// errPortTaken: between choosing the port and opening it, somebody else did.
var errPortTaken = errors.New("port taken by another program")

// handshakeTimeout bounds one attempt to enter: whoever holds the port may never
// answer.
const handshakeTimeout = 5 * time.Second

// process is one run of the engine.
type process struct {
	cmd  *exec.Cmd
	port int
	life *os.File    // closing it tells the child to end
	conn driver.Conn // for readiness and pings

	exited  chan struct{} // closed when the child is gone
	waitErr error         // how it went; valid once exited is closed
}

// launch starts a child and returns when it has proved who it is.
func (e *Engine) launch(ctx context.Context) (*process, error) {
	port, err := e.port()
	if err != nil {
		return nil, err
	}
	if err := writeConfig(e.layout, e.secrets, port, e.options.MemoryLimit); err != nil {
		return nil, err
	}
	p, err := e.spawn(port)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := p.awaitReady(ctx, e.secrets.proof, e.layout); err != nil {
		p.end(e.timing.closeGrace)
		if !errors.Is(err, errNotReady) {
			return nil, err
		}
		words := e.layout.lastWords(p.waitErr)
		if strings.Contains(words, "Address already in use") {
			return nil, errPortTaken
		}
		return nil, fmt.Errorf("%w: %s", err, words)
	}
	return p, nil
}

// errNotReady: the engine ended, or said why it cannot work, before it answered.
var errNotReady = errors.New("the engine did not become ready")

// spawn starts the child process.
func (e *Engine) spawn(port int) (*process, error) {
	output, err := e.layout.openOutput()
	if err != nil {
		return nil, err
	}
	defer output.Close()
	ending, life, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making the child's pipe: %w", err)
	}
	defer ending.Close()
	self, err := executable()
	if err != nil {
		_ = life.Close()
		return nil, fmt.Errorf("finding this binary: %w", err)
	}
	p := &process{port: port, life: life, exited: make(chan struct{})}
	p.cmd = &exec.Cmd{
		Path: self,
		Args: append([]string{
			"fairlead-warehouse",
			"-C", e.layout.config(),
			"--path", e.layout.store(),
			"--interactive", "--disable_suggestion", "--progress=off",
			// The last query only blocks: a second a row, for thirty years.
			"--query", "SYSTEM START LISTEN TCP; SELECT sleepEachRow(1) FROM numbers(1000000000) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null",
		}, liftLock...),
		Env:         childEnv(e.options.Library),
		Dir:         e.layout.base(),
		Stdout:      output,
		Stderr:      output,
		ExtraFiles:  []*os.File{lockFile - 3: e.lock, lifeFile - 3: ending},
		SysProcAttr: childAttributes(),
	}
	p.conn, err = clickhouse.Open(&clickhouse.Options{
		Addr:         []string{p.addr()},
		Auth:         clickhouse.Auth{Username: user, Password: e.secrets.password},
		DialTimeout:  handshakeTimeout,
		MaxOpenConns: 1,
		MaxIdleConns: 1,
		DialContext:  func(ctx context.Context, _ string) (net.Conn, error) { return p.dial(ctx) },
	})
	if err != nil {
		_ = life.Close()
		return nil, fmt.Errorf("configuring the engine's client: %w", err)
	}
	started := make(chan error)
	go func() {
		// The parent-death signal is bound to the thread that starts the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.waitErr = p.cmd.Wait()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		_ = life.Close()
		_ = p.conn.Close()
		return nil, fmt.Errorf("starting child process: %w", err)
	}
	return p, nil
}

// childEnv is all that the child sees of our environment: no secret is in it.
func childEnv(library string) []string {
	env := []string{
		childMark + "=" + library,
		"TZ=UTC",
		"LC_ALL=C",
		// No signal of Go's scheduler interrupts the engine's threads.
		"GODEBUG=asyncpreemptoff=1",
	}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func (p *process) addr() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))
}

func (p *process) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp4", p.addr())
}

// awaitReady waits until an authenticated query is answered by this engine: an
// open port may be anybody's.
func (p *process) awaitReady(ctx context.Context, proof string, l layout) error {
	for {
		var answer string
		err := p.conn.QueryRow(ctx, "SELECT getMacro('fairlead_proof')").Scan(&answer)
		if err == nil && answer == proof {
			return nil
		}
		if err == nil {
			return errPortTaken
		}
		// In an interactive run a failure is printed, and the engine goes on.
		if strings.Contains(l.readOutput(), "Exception: ") {
			return errNotReady
		}
		select {
		case <-p.exited:
			return errNotReady
		case <-ctx.Done():
			return fmt.Errorf("waiting for the engine to answer: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ping returns when the engine has stopped answering, or ctx ends.
func (p *process) ping(ctx context.Context, timing timing, log *slog.Logger) {
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(timing.pingInterval):
		}
		attempt, cancel := context.WithTimeout(ctx, timing.pingTimeout)
		err := p.conn.Ping(attempt)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			failures = 0
			continue
		}
		failures++
		log.Warn("embedded engine did not answer a ping", "failures", failures, "error", err)
		if failures == timing.pingFailures {
			return
		}
	}
}

// end stops the child: SIGTERM, a bounded wait, SIGKILL.
func (p *process) end(grace time.Duration) {
	_ = p.conn.Close()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(grace):
		p.kill()
	}
	_ = p.life.Close()
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}
