//go:build verify

package jira_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/source"
)

// startPrism runs Prism over a description and returns its address. Prism serves
// the paths as they are, without the server's, so the description has to have them
// whole.
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
	must(t, err)
	file := filepath.Join(t.TempDir(), "description.json")
	must(t, os.WriteFile(file, content, 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	must(t, listener.Close())
	_, port, err := net.SplitHostPort(address)
	must(t, err)

	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, slices.Concat([]string{mode, "--host", "127.0.0.1", "--port", port, "--multiprocess=false", file}, args)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	must(t, cmd.Start())
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

// described is Atlassian's description, with whole paths. Data Center's knows
// passwords only, and personal access tokens came with 8.14: it is served to anybody.
// https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html
func described(t *testing.T, flavour jiratest.Flavour) *openapi3.T {
	t.Helper()
	doc := newDescription(t, flavour)
	whole := openapi3.NewPaths()
	for path, item := range doc.Paths.Map() {
		if flavour == jiratest.DataCenter {
			for _, operation := range item.Operations() {
				operation.Security = nil
			}
		}
		whole.Set(contracts[flavour].prefix+path, item)
	}
	doc.Paths = whole
	if flavour == jiratest.DataCenter {
		doc.Security = nil
	}
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

func throughPrism(t *testing.T, url string, flavour jiratest.Flavour, transport http.RoundTripper) *jira.Source {
	t.Helper()
	cfg := jira.DefaultConfig()
	cfg.URL, cfg.Flavour, cfg.Token = url, jira.Flavour(flavour), testToken
	if flavour == jiratest.Cloud {
		cfg.Email = testEmail
	}
	src, err := jira.New(cfg, jira.Options{Name: "jira", Transport: transport})
	must(t, err)
	return src
}

// useAll makes every sort of request that the connector makes, and returns the
// tickets that came and the errors.
func useAll(t *testing.T, src *jira.Source, ids []string) (tickets int, errs []error) {
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
	for _, err := range src.ByAge(t.Context(), start.AddDate(-1, 0, 0)) {
		fail(err)
	}
	_, err = src.ByID(t.Context(), ids)
	fail(err)
	_, err = src.Discover(t.Context())
	fail(err)
	return tickets, errs
}

// TestVerifyPrism lets the connector read what Prism serves of Atlassian's
// descriptions: examples, and answers that it makes up. It keeps no state and ends no
// page. No request may be one that the description does not know, and every reading
// has an end. As a proxy, Prism holds requests and the fake's answers to the
// description, beside TestVerifyContract's validator.
func TestVerifyPrism(t *testing.T) {
	for flavour := range contracts {
		for _, mode := range []string{"examples", "made up"} {
			t.Run(string(flavour)+"/"+mode, func(t *testing.T) {
				t.Parallel()
				var args []string
				if mode == "made up" {
					args = []string{"--dynamic"}
				}
				url := startPrism(t, described(t, flavour), "mock", args...)
				w := &watched{faults: map[string]int{}}
				src := throughPrism(t, url, flavour, w)
				_, errs := useAll(t, src, []string{"10000", "10002"})
				for _, err := range errs {
					if !errors.Is(err, source.ErrUnreadable) {
						t.Error(err)
					}
				}
				w.report(t)
				if flavour == jiratest.Cloud && mode == "examples" {
					report, err := src.Check(t.Context())
					must(t, err)
					if len(report.Facts) < 5 || !strings.Contains(report.Facts[0].Says, "Mia Krystof") {
						t.Errorf("check says %v", report.Facts)
					}
					var listed []string
					for ids, err := range src.IDs(t.Context()) {
						must(t, err)
						listed = append(listed, ids...)
					}
					if !slices.Equal(listed, []string{"10002"}) {
						t.Errorf("listed are %v", listed)
					}
				}
			})
		}
		t.Run(string(flavour)+"/proxy", func(t *testing.T) {
			t.Parallel()
			now := time.Now().UTC().Truncate(24 * time.Hour)
			options := jiratest.Options{Flavour: flavour, Token: testToken}
			if flavour == jiratest.Cloud {
				options.Email = testEmail
			}
			site, err := sandbox.Generate(1, now, sandbox.Options{Tickets: 1500}).Jira(options)
			must(t, err)
			server := httptest.NewServer(site)
			defer server.Close()
			url := startPrism(t, described(t, flavour), "proxy", server.URL)
			w := &watched{answers: true, faults: map[string]int{}}
			tickets, errs := useAll(t, throughPrism(t, url, flavour, w), site.IDs()[:3])
			for _, err := range errs {
				t.Error(err)
			}
			if tickets < 100 {
				t.Errorf("%d tickets", tickets)
			}
			w.report(t)
		})
	}
}
