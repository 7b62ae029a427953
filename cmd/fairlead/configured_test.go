package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/connectors/clickhouse/embedded"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/servicenow/servicenowtest"
)

// patient is how long a test waits for what must happen: long enough for a machine
// that has ten other things to do.
const patient = 5 * time.Minute

// needEngine skips where the embedded engine was not fetched.
func needEngine(t *testing.T) {
	t.Helper()
	path, err := embedded.LibraryPath()
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no embedded engine (%v): run make embedded", err)
		}
		t.Skipf("no embedded engine (%v): run make embedded", err)
	}
}

// transcript is what a command says, to be read while it runs.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// The way of a user with a Jira and a ServiceNow of their own, from a file of
// configuration to a scrape.
func TestConfiguredSources(t *testing.T) {
	needEngine(t)
	now := time.Now().UTC().Truncate(24 * time.Hour)
	organisation := sandbox.Generate(3, now, sandbox.Options{Tickets: 1500})
	site, err := organisation.Jira(jiratest.Options{Flavour: jiratest.DataCenter, Token: "site-secret"})
	if err != nil {
		t.Fatal(err)
	}
	snow := organisation.ServiceNow(servicenowtest.Options{Username: "reader", Password: "snow-secret"})
	dir := t.TempDir()
	url := func(h http.Handler) string {
		s, err := sandbox.Serve(h)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s.URL
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := write("fairlead.yaml", fmt.Sprintf(`
metrics: {people: true}
data_dir: %s
sources:
  issues:
    jira: {url: %q, flavour: datacenter, token_file: %s}
  desk:
    servicenow:
      url: %q
      username: reader
      password_file: %s
      tables: [{table: incident}, {table: sc_task}, {table: problem}, {table: change_request}]
`, filepath.Join(dir, "data"), url(site), write("token", "site-secret\n"), url(snow.Handler()), write("password", "snow-secret\n")))

	var environ []string
	heard := func(ctx context.Context, stderr *transcript, args ...string) (out, errs string, code int) {
		var stdout bytes.Buffer
		code = run(ctx, append([]string{"--config", config}, args...), environ, strings.NewReader(""), &stdout, stderr)
		for _, secret := range []string{"site-secret", "snow-secret"} {
			if strings.Contains(stdout.String()+stderr.String(), secret) {
				t.Errorf("fairlead %v prints a secret", args)
			}
		}
		return stdout.String(), stderr.String(), code
	}
	fairlead := func(ctx context.Context, args ...string) (out, errs string, code int) {
		return heard(ctx, &transcript{}, args...)
	}
	succeed := func(args ...string) string {
		t.Helper()
		out, errs, code := fairlead(t.Context(), args...)
		if code != 0 {
			t.Fatalf("fairlead %v: status %d\n%s%s", args, code, out, errs)
		}
		return out
	}

	if out := succeed("check"); !strings.Contains(out, "source desk:") || !strings.Contains(out, "source issues:") || strings.Contains(out, "failed") {
		t.Errorf("check:\n%s", out)
	} else if back := now.AddDate(0, 0, -547).Format(time.DateOnly); strings.Count(out, "tickets that were closed before "+back+" are not collected, as privacy.retention.tickets keeps them for 547 days") != 2 &&
		!strings.Contains(out, now.AddDate(0, 0, -546).Format(time.DateOnly)) { // midnight
		t.Errorf("check does not say how far back it goes:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("check made the data folder")
	}

	succeed("collect")
	count := func() (total float64) {
		t.Helper()
		var groups []struct{ Total, Unassigned, Bots float64 }
		if err := json.Unmarshal([]byte(succeed("analyze", "--by", "source", "--basis", "resolved", "--window", "all", "--format", "json")), &groups); err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			total += g.Total + g.Unassigned + g.Bots
		}
		return total
	}
	first := count()
	if first < 1000 {
		t.Errorf("only %v resolved tickets of about 1,500", first)
	}
	succeed("collect") // again changes nothing
	if again := count(); again != first {
		t.Errorf("%v resolved tickets after a second collection, %v after the first", again, first)
	}

	answers(t, filepath.Join(dir, "data"), now, fairlead)
	reports(t, dir, now, fairlead)
	environ = []string{"FAIRLEAD_PRIVACY_SIMULATION=true"}
	simulated(t, fairlead)
	environ = nil

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var said transcript
	done := make(chan string, 1)
	go func() {
		// At one instant: the windows of now move on while the test looks.
		out, errs, code := heard(ctx, &said, "serve", "--listen", "127.0.0.1:0", "--as-of", now.Format(time.DateOnly))
		done <- fmt.Sprintf("status %d\n%s%s", code, out, errs)
	}()
	serving := regexp.MustCompile(`"msg":"serving","address":"([^"]+)"`)
	address := ""
	get := func(path string) (string, int) {
		response, err := http.Get("http://" + address + path)
		if err != nil {
			return err.Error(), 0
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return err.Error(), 0
		}
		return string(body), response.StatusCode
	}
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if m := serving.FindStringSubmatch(said.String()); m != nil {
			address = m[1]
			if _, code := get("/readyz"); code == http.StatusOK {
				break
			}
		}
		select {
		case text := <-done:
			t.Fatalf("serve ended: %s", text)
		default:
		}
		if time.Since(begun) > patient {
			t.Fatalf("not ready within %s:\n%s", patient, said.String())
		}
	}
	served(t, now, get, fairlead)
	if body, _ := get("/collection"); !strings.Contains(body, "are not collected, as privacy.retention.tickets keeps them for 547 days (sources.desk.since is 24mo)") {
		t.Errorf("the page on collection does not say how far back it goes:\n%s", body)
	}
	if !strings.Contains(said.String(), "closed tickets are collected no further back than they are kept") {
		t.Errorf("the log does not say how far back it goes:\n%s", said.String())
	}
	groups, _ := get("/metrics")
	for _, want := range []string{"fairlead_team_load_gini{", `fairlead_source_last_success_timestamp_seconds{source="desk"}`, `fairlead_analysis_query_duration_seconds_count{query="weeks"}`, "fairlead_build_info{"} {
		if !strings.Contains(groups, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	// All was collected before: the sources have nothing new, and nothing is
	// analysed again.
	unchanged := regexp.MustCompile(`(?m)^fairlead_analysis_unchanged_total [1-9]`)
	for begun := time.Now(); !unchanged.MatchString(groups); time.Sleep(50 * time.Millisecond) {
		if groups, _ = get("/metrics"); time.Since(begun) > patient {
			t.Fatal("what had not changed was analysed again")
		}
	}
	people, _ := get("/metrics/people")
	pseudonym := regexp.MustCompile(`fairlead_engineer_load\{.*engineer="([^"]+)"`).FindStringSubmatch(people)
	if pseudonym == nil {
		t.Fatalf("/metrics/people names no engineer:\n%.2000s", people)
	}
	if strings.Contains(groups, pseudonym[1]) {
		t.Error("/metrics tells of a single engineer")
	}
	for _, p := range organisation.People {
		if strings.Contains(groups+people, p.Name) {
			t.Errorf("a name is in the metrics: %s", p.Name)
		}
	}
	whois := succeed("whois", pseudonym[1]) // while the service holds the warehouse
	if out := succeed("check"); !strings.Contains(out, "runs with another fairlead") || strings.Contains(out, "failed") {
		t.Errorf("check while the service runs, as every runbook advises:\n%s", out)
	}
	if !regexp.MustCompile(`(?s)name .*e-mail .*@.*account +(desk|issues) `).MatchString(whois) {
		t.Errorf("whois:\n%s", whois)
	}
	if _, errs, code := fairlead(t.Context(), "whois", "nobody-at-all"); code == 0 || !strings.Contains(errs, "nobody has that pseudonym") {
		t.Errorf("whois of nobody: status %d, %s", code, errs)
	}
	if _, errs, code := fairlead(t.Context(), "collect"); code == 0 || !strings.Contains(errs, "held by another fairlead") {
		t.Errorf("a second fairlead on the folder: status %d, %s", code, errs)
	}
	gone, traces := somebody(t, people, fairlead, pseudonym[1])
	forgotten(t, dir, gone, traces, get, fairlead)
	stop()
	select {
	case text := <-done:
		if !strings.HasPrefix(text, "status 0") {
			t.Errorf("serve ended with %s", text)
		}
	case <-time.After(patient):
		t.Error("serve does not end")
	}
	if _, err := os.Stat(controlFile(filepath.Join(dir, "data"))); err == nil {
		t.Error("the control file is left behind")
	}
	succeed("whois", pseudonym[1]) // and after it
	log, err := os.ReadFile(accessLog(filepath.Join(dir, "data")))
	looked := regexp.MustCompile(`"action":"whois","pseudonym":"` + pseudonym[1])
	if err != nil || len(looked.FindAllString(string(log), -1)) != 2 {
		t.Errorf("access log: %v\n%s", err, log)
	}
	environ = []string{"FAIRLEAD_SOURCES_DESK_SERVICENOW_COMMENTS=false", "FAIRLEAD_SOURCES_ISSUES_JIRA_JQL=created > '2001-01-01'"} // what changes the scope is collected anew
	stayForgotten(t, dir, traces, fairlead)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	write("fairlead.yaml", string(text)+`
analysis: {windows: [90d], ownership: {memory: 5040h}}
privacy: {retention: {tickets: 5040h}}
`)
	pruned(t, dir, now, fairlead)
}
