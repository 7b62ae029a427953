// Package prometheustest runs a real Prometheus, a real Alertmanager and the
// built program for tests. What is not installed fails a test in CI and skips it
// elsewhere, with the Debian package that has it.
package prometheustest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is for what takes a second on an idle machine; a busy one may take
// its time.
const patience = 3 * time.Minute

// Binary finds a program.
func Binary(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing: install the Debian package %s", name, debian)
	default:
		t.Skipf("%s is missing: install the Debian package %s", name, debian)
	}
	return ""
}

// Fairlead is the built program.
func Fairlead(t testing.TB) string {
	t.Helper()
	path := os.Getenv("FAIRLEAD_BINARY")
	if path == "" {
		t.Fatal("FAIRLEAD_BINARY is not set: run make verify")
	}
	return path
}

// Run runs a command to its end and gives what it printed to standard output.
func Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", filepath.Base(name), args, err, out.String(), errs.String())
	}
	return out.String()
}

// Process is a server under test. It is ended with the test.
type Process struct {
	URL string

	t    testing.TB
	name string
	cmd  *exec.Cmd
	log  *output
	done chan struct{}
	once sync.Once
}

// output keeps what a process says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs a server on a free port of the loopback interface, and waits until
// it answers with 200 at the path ready. The port may be taken by somebody else
// in the meantime; another is tried then.
func start(t testing.TB, ready, name string, args func(address string) []string) *Process {
	t.Helper()
	var last string
	for range 3 {
		address := freeAddress(t)
		p := &Process{URL: "http://" + address, t: t, name: filepath.Base(name), log: &output{}, done: make(chan struct{})}
		p.cmd = exec.Command(name, args(address)...)
		p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() {
			_ = p.cmd.Wait()
			close(p.done)
		}()
		t.Cleanup(p.Stop)
		if p.waitReady(ready) {
			return p
		}
		last = p.log.String()
	}
	t.Fatalf("%s did not start:\n%s", filepath.Base(name), last)
	return nil
}

// waitReady reports whether the server answers before it ends.
func (p *Process) waitReady(path string) bool {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		select {
		case <-p.done:
			return false
		case <-time.After(100 * time.Millisecond):
		}
		if resp, err := http.Get(p.URL + path); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return true
			}
		}
	}
	p.Stop()
	return false
}

// Stop ends the process in order, and waits for its end.
func (p *Process) Stop() {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(patience):
			_ = p.cmd.Process.Kill()
			<-p.done
		}
		if p.t.Failed() {
			p.t.Logf("%s said:\n%s", p.name, tail(p.log.String()))
		}
	})
}

func tail(text string) string {
	const most = 4000
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Eventually tries until try returns nil, and fails the test with its last error
// after minutes.
func Eventually(t testing.TB, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := errors.New("it was not tried")
	for ctx.Err() == nil {
		if err = try(ctx); err == nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	t.Fatalf("%s: %v", what, err)
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(fmt.Errorf("writing a file of the test: %w", err))
	}
}
