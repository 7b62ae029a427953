//go:build verify

package contracttest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// Prism runs Prism over a description and returns its URL, which serves until the
// test ends. Its mode is "mock", or "proxy" with the URL of what it stands before.
// Prism serves the paths as they are, without the server's: prefix is put before
// them.
func Prism(t *testing.T, doc *openapi3.T, prefix, mode string, args ...string) string {
	t.Helper()
	program := os.Getenv("FAIRLEAD_PRISM")
	if program == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("FAIRLEAD_PRISM is not set: make verify installs Prism and sets it")
		}
		t.Skip("FAIRLEAD_PRISM is not set: make verify installs Prism and sets it")
	}
	whole := openapi3.NewPaths()
	for path, item := range doc.Paths.Map() {
		whole.Set(prefix+path, item)
	}
	served := *doc
	served.Paths = whole
	content, err := served.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "description.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	// It finds a free port by itself, and says which.
	cmd := exec.CommandContext(t.Context(), program, slices.Concat([]string{mode, "--host", "127.0.0.1", "--port", "0", "--multiprocess=false", file}, args)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, ended := make(chan string, 1), make(chan struct{})
	var log strings.Builder // until it listens
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if found := listening.FindStringSubmatch(lines.Text()); found != nil {
				address <- found[1]
				break
			}
			fmt.Fprintln(&log, lines.Text())
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Cancel()
		<-ended
	})
	select {
	case url := <-address:
		return url
	case <-ended:
		t.Fatalf("prism ended: %s", log.String())
	case <-time.After(3 * time.Minute):
		t.Fatal("prism does not listen")
	}
	return ""
}

var listening = regexp.MustCompile(`Prism is listening on (http://[\d.]+:\d+)`)

// Watched is an http.RoundTripper that notes what Prism finds wrong, and stops a
// reading that has no end.
type Watched struct {
	answers bool

	mu       sync.Mutex
	requests int
	faults   map[string]int
}

// mostRequests is more than any reading here needs.
const mostRequests = 3000

// Watch makes a Watched. With answers, these are not Prism's own, and what is wrong
// with them is noted, too.
func Watch(answers bool) *Watched {
	return &Watched{answers: answers, faults: map[string]int{}}
}

// RoundTrip passes a request on.
func (w *Watched) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.requests++; w.requests > mostRequests {
		return nil, errors.New("too many requests")
	}
	resp, content, err := answered(r)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(content, []byte("stoplight.io/prism/errors")) {
		w.faults[fmt.Sprintf("%s %s: %d %.600s", r.Method, r.URL.Path, resp.StatusCode, content)]++
	}
	if v := resp.Header.Get("sl-violations"); v != "" && (w.answers || strings.Contains(v, `"location":["request"`)) {
		w.faults[fmt.Sprintf("%s %s: %.600s", r.Method, r.URL.Path, v)]++
	}
	return resp, nil
}

// Report fails the test for every fault, for a reading without end, and if nothing
// was asked.
func (w *Watched) Report(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.requests == 0 || w.requests > mostRequests {
		t.Errorf("%d requests: a reading does not begin, or does not end", w.requests)
	}
	for fault, times := range w.faults {
		t.Errorf("%d times: %s", times, fault)
	}
	t.Logf("%d requests", w.requests)
}
