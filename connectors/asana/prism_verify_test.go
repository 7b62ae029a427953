//go:build verify

package asana_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/source"
)

// startPrism runs Prism over the description and returns its address. Prism
// serves the paths without the server's, so the description has to have them whole.
func startPrism(t *testing.T, doc *openapi3.T, mode string, args ...string) string {
	t.Helper()
	program := os.Getenv("FAIRLEAD_PRISM")
	if program == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("FAIRLEAD_PRISM is not set: make verify installs Prism and sets it")
		}
		t.Skip("FAIRLEAD_PRISM is not set: make verify installs Prism and sets it")
	}
	content, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "description.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(address)

	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, slices.Concat([]string{mode, "--host", "127.0.0.1", "--port", port, "--multiprocess=false", file}, args)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Cancel()
		<-ended
	})
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return "http://" + address
		}
		select {
		case <-ended:
			t.Fatalf("prism ended: %s", log.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("prism does not listen")
		}
	}
}

// described is Asana's description, with whole paths. With mended, what it says
// and Asana does not do is corrected, for answers that are not made from it.
func described(t *testing.T, mended bool) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(description(t))
	if err != nil {
		t.Fatal(err)
	}
	if mended {
		mend(doc)
	}
	whole := openapi3.NewPaths()
	for path, item := range doc.Paths.Map() {
		whole.Set(asanatest.Prefix+path, item)
	}
	doc.Paths = whole
	return doc
}

// watched is an http.RoundTripper that notes what Prism finds wrong, and stops a
// reading that has no end.
type watched struct {
	answers bool // the answers are the fake's, not Prism's own

	mu       sync.Mutex
	requests int
	faults   map[string]int
}

const mostRequests = 3000

func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.requests++; w.requests > mostRequests {
		return nil, errors.New("too many requests")
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(content))
	if bytes.Contains(content, []byte("stoplight.io/prism/errors")) {
		w.faults[fmt.Sprintf("%s %s: %d %.600s", r.Method, r.URL.Path, resp.StatusCode, content)]++
	}
	if v := resp.Header.Get("sl-violations"); v != "" && (w.answers || strings.Contains(v, `"location":["request"`)) {
		w.faults[fmt.Sprintf("%s %s: %.600s", r.Method, r.URL.Path, v)]++
	}
	return resp, nil
}

func (w *watched) report(t *testing.T) {
	t.Helper()
	if w.requests > mostRequests {
		t.Error("a reading does not end")
	}
	for fault, times := range w.faults {
		t.Errorf("%d times: %s", times, fault)
	}
	t.Logf("%d requests", w.requests)
}

// useAll makes every sort of request that the connector makes.
func useAll(t *testing.T, src *asana.Source, ids []string) (tickets int, errs []error) {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	_, err := src.Check(t.Context())
	fail(err)
	start, err := src.Now(t.Context())
	fail(err)
	for _, stream := range append(slices.Clone(source.Backfill), source.StreamIncremental) {
		for page, err := range src.Pages(t.Context(), stream, source.Cursor{Start: start, Updated: start.AddDate(0, -1, 0)}) {
			fail(err)
			tickets += len(page.Tickets)
		}
	}
	for _, err := range src.IDs(t.Context()) {
		fail(err)
	}
	_, err = src.ByID(t.Context(), ids)
	fail(err)
	_, err = src.Discover(t.Context())
	fail(err)
	return tickets, errs
}

// TestVerifyPrism lets the connector read what Prism serves of Asana's
// description: examples, and answers that it makes up. It keeps no state and
// ends no page. No request may be one that the description does not know, and
// every reading has an end. As a proxy, Prism holds requests and the fake's
// answers to the description, beside TestVerifyContract's validator.
func TestVerifyPrism(t *testing.T) {
	for _, mode := range []string{"examples", "made up"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			var args []string
			if mode == "made up" {
				args = []string{"--dynamic"}
			}
			w := &watched{faults: map[string]int{}}
			cfg := asana.DefaultConfig()
			cfg.URL, cfg.Token, cfg.Projects, cfg.Sections = startPrism(t, described(t, false), "mock", args...), "token", []string{"12345"}, asana.SectionsAreas
			src, err := asana.New(cfg, asana.Options{Transport: w})
			if err != nil {
				t.Fatal(err)
			}
			_, errs := useAll(t, src, []string{"12345"})
			for _, err := range errs {
				if !errors.Is(err, source.ErrUnreadable) {
					t.Error(err)
				}
			}
			w.report(t)
		})
	}
	t.Run("proxy", func(t *testing.T) {
		t.Parallel()
		f := newOffice(t, asanatest.Options{})
		var gids []string
		for range 120 {
			gid := f.create("", asanatest.AddTo(f.migration, ""), asanatest.Assign(f.ann))
			f.edit(gid, f.bob, asanatest.Assign(f.bob), asanatest.SetEnum(f.phase, "In progress"), asanatest.MoveTo(f.doing))
			gids = append(gids, gid)
		}
		f.create(gids[0], asanatest.Assign(f.bob))
		f.wait(time.Hour)
		w := &watched{answers: true, faults: map[string]int{}}
		url := startPrism(t, described(t, true), "proxy", f.server.URL)
		src := f.connect(func(c *asana.Config) { c.URL, c.Sections = url, asana.SectionsAreas }, w)
		tickets, errs := useAll(t, src, gids[:3])
		for _, err := range errs {
			t.Error(err)
		}
		if tickets < 121 {
			t.Errorf("%d tickets", tickets)
		}
		w.report(t)
	})
}
