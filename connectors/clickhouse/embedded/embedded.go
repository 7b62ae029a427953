// Package embedded runs ClickHouse, as the library libchdb, in a child process
// of the same binary.
//
// The engine listens on 127.0.0.1 alone, on a port that is free at the time, and
// answers one account alone, whose random password this process made and keeps. It
// dies with the process that started it, by whatever death, and is started
// again when it dies before. Its files, its logs among them, are in the data
// folder and readable by the running user only.
//
// It runs on Linux with glibc and on macOS, x86-64 and ARM64, without cgo.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Version is the release of the library, as deploy/embedded pins it.
const Version = "26.7.3-stable.1"

// Errors that a caller may branch on.
var (
	// ErrInUse: another process has the data folder.
	ErrInUse = errors.New("data folder in use")
	// ErrNoLibrary: the engine's library is not on this machine.
	ErrNoLibrary = errors.New("embedded engine not installed")
	// ErrClosed: the engine was closed, or died and could not be started again.
	ErrClosed = errors.New("embedded engine has ended")
)

const (
	startTimeout = 2 * time.Minute // until ready; a big folder is loaded first
	portAttempts = 5               // somebody may take the port that was free
)

// timing is how the engine is watched.
type timing struct {
	pingInterval  time.Duration
	pingTimeout   time.Duration
	pingFailures  int           // in a row, then the engine hangs and is killed
	closeGrace    time.Duration // from SIGTERM to SIGKILL
	restartWindow time.Duration
	restartLimit  int           // more deaths than this within restartWindow end the engine for good
	restartDelay  time.Duration // before the second restart within the window; then doubled
}

var defaultTiming = timing{
	pingInterval:  5 * time.Second,
	pingTimeout:   10 * time.Second,
	pingFailures:  3,
	closeGrace:    10 * time.Second,
	restartWindow: 10 * time.Minute,
	restartLimit:  5,
	restartDelay:  time.Second,
}

// Options say how to run the engine.
type Options struct {
	Dir         string       // data folder; made if missing
	Library     string       // libchdb; "" is Library()
	MemoryLimit uint64       // bytes that the engine may use; 0 derives it from the machine
	Logger      *slog.Logger // nil logs nothing
}

// Engine is a running engine. It is safe for concurrent use.
type Engine struct {
	options Options
	layout  layout
	log     *slog.Logger
	lock    *os.File
	secrets secrets
	timing  timing
	port    func() (int, error) // gives a port that is free

	stop context.CancelFunc // ends supervise
	done chan struct{}      // closed when supervise has ended

	mu      sync.Mutex
	current *process      // nil while there is none
	changed chan struct{} // closed and replaced when current or err changes
	err     error         // set once it has ended for good
}

// LibraryPath says where the library is expected: what FAIRLEAD_LIBCHDB names, else
// the place in the user's cache folder where `make` puts it.
func LibraryPath() (string, error) {
	if path := os.Getenv("FAIRLEAD_LIBCHDB"); path != "" {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the user's cache folder: %w", err)
	}
	return filepath.Join(cache, "fairlead", "embedded", Version, "libchdb.so"), nil
}

// findLibrary returns path or, if that is empty, the expected place, once
// there is a file.
func findLibrary(path string) (string, error) {
	if path == "" {
		var err error
		if path, err = LibraryPath(); err != nil {
			return "", err
		}
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%w: no library at %s: run `make embedded`, name it in FAIRLEAD_LIBCHDB, or use a ClickHouse server (clickhouse.dsn)", ErrNoLibrary, path)
	}
	return filepath.Abs(path)
}

// Start starts the engine on the data folder and returns when it answers an
// authenticated query. It fails with ErrInUse when another process has the
// folder, ErrNoLibrary when the library is missing, and else with what the
// engine said. Cancelling ctx ends only the start.
func Start(ctx context.Context, o Options) (*Engine, error) {
	return start(ctx, o, defaultTiming, freePort)
}

func start(ctx context.Context, o Options, timing timing, port func() (int, error)) (*Engine, error) {
	if !hooked.Load() {
		return nil, errors.New("embedded.RunChildIfAsked is not called first in this binary's main")
	}
	var err error
	if o.Library, err = findLibrary(o.Library); err != nil {
		return nil, err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, fmt.Errorf("finding data folder: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MemoryLimit == 0 {
		o.MemoryLimit = DefaultMemoryLimit()
	}
	e := &Engine{
		options: o,
		layout:  layout{root: o.Dir},
		log:     o.Logger,
		timing:  timing,
		port:    port,
		done:    make(chan struct{}),
		changed: make(chan struct{}),
	}
	if e.lock, err = lockFolder(ctx, e.layout); err != nil {
		return nil, err
	}
	if err := e.startFirst(ctx); err != nil {
		_ = e.lock.Close()
		return nil, err
	}
	var supervised context.Context
	supervised, e.stop = context.WithCancel(context.Background())
	go e.supervise(supervised)
	return e, nil
}

// startFirst starts the engine, and again on another port, with other secrets,
// when somebody took the first: who that was has seen a password that opens
// nothing.
func (e *Engine) startFirst(ctx context.Context) error {
	if err := e.layout.prepare(); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		e.secrets = newSecrets()
		p, err := e.launch(ctx)
		if err == nil {
			e.set(p, nil)
			return nil
		}
		if !errors.Is(err, errPortTaken) || attempt == portAttempts {
			return fmt.Errorf("starting embedded engine: %w", err)
		}
		e.log.Debug("port of the embedded engine was taken, trying another", "attempt", attempt)
	}
}

// User is the account that may enter the engine.
func (e *Engine) User() string { return user }

// Password is the account's password. It lasts as long as the Engine.
func (e *Engine) Password() string { return e.secrets.password }

// Addr is where the engine listens now; "" while it does not run. It changes
// when the engine is started again: Dial always finds it.
func (e *Engine) Addr() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return ""
	}
	return e.current.addr()
}

// PID is the engine's process id; 0 while it does not run.
func (e *Engine) PID() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return 0
	}
	return e.current.cmd.Process.Pid
}

// Dial connects to the engine, waiting while it is being started again. The
// error is ErrClosed, with the reason, once it has ended for good.
func (e *Engine) Dial(ctx context.Context) (net.Conn, error) {
	for {
		e.mu.Lock()
		p, changed, err := e.current, e.changed, e.err
		e.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if p != nil {
			return p.dial(ctx)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the embedded engine to start again: %w", ctx.Err())
		}
	}
}

// Done is closed when the engine has ended for good; Err then says why.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err is nil until the engine has ended for good.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Close ends the engine and frees the data folder. It returns when the child
// is gone, which takes closeGrace at most. What was acknowledged is on disk.
func (e *Engine) Close() error {
	e.stop()
	<-e.done
	return nil
}

func (e *Engine) set(p *process, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current, e.err = p, err
	close(e.changed)
	e.changed = make(chan struct{})
}

// supervise owns the child until ctx ends or it cannot be kept running.
func (e *Engine) supervise(ctx context.Context) {
	defer close(e.done)
	defer e.lock.Close()
	var deaths []time.Time
	for {
		e.mu.Lock()
		p := e.current
		e.mu.Unlock()
		if e.watch(ctx, p) {
			e.set(nil, ErrClosed)
			return
		}
		e.set(nil, nil)
		e.log.Error("embedded engine died, starting it again", "reason", e.layout.lastWords(p.waitErr))
		next, err := e.restart(ctx, &deaths)
		if err != nil {
			if ctx.Err() == nil {
				e.log.Error("embedded engine could not be started again", "error", err)
			}
			e.set(nil, fmt.Errorf("%w: %w", ErrClosed, err))
			return
		}
		e.set(next, nil)
		e.log.Info("embedded engine runs again", "pid", next.cmd.Process.Pid)
	}
}

// watch returns when the child is gone: true when it was asked to end, false
// when it died or had to be killed.
func (e *Engine) watch(ctx context.Context, p *process) (closed bool) {
	pinging, stop := context.WithCancel(ctx)
	hangs := make(chan struct{})
	go func() {
		defer close(hangs)
		p.ping(pinging, e.timing, e.log)
	}()
	defer func() {
		stop()
		<-hangs
		_ = p.conn.Close()
		_ = p.life.Close()
	}()
	select {
	case <-p.exited:
		return ctx.Err() != nil
	case <-hangs:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		p.end(e.timing.closeGrace)
		return true
	}
	e.log.Error("embedded engine does not answer, killing it", "pid", p.cmd.Process.Pid)
	p.kill()
	return false
}

// restart starts the engine after a death, later each time, until deaths of late
// are too many. A port that is taken ends it for good: who took it may have seen
// the password, which our clients keep.
func (e *Engine) restart(ctx context.Context, deaths *[]time.Time) (*process, error) {
	var last error
	for {
		now := time.Now()
		*deaths = append(*deaths, now)
		for now.Sub((*deaths)[0]) > e.timing.restartWindow {
			*deaths = (*deaths)[1:]
		}
		n := len(*deaths)
		if n > e.timing.restartLimit {
			if last == nil {
				last = fmt.Errorf("see %s", e.layout.log())
			}
			return nil, fmt.Errorf("it died %d times within %s: %w", n, e.timing.restartWindow, last)
		}
		if n > 1 {
			select {
			case <-time.After(e.timing.restartDelay << (n - 2)):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		var p *process
		if p, last = e.launch(ctx); last == nil || ctx.Err() != nil || errors.Is(last, errPortTaken) {
			return p, last
		}
		e.log.Error("embedded engine could not be started, trying again", "error", last)
	}
}

// freePort asks the system for a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
