//go:build verify

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/connectors/clickhouse/embedded"
	"fairlead/connectors/sandbox/shared"
)

// binary is the program as a user has it, built without cgo.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("FAIRLEAD_BINARY")
	if path == "" {
		t.Fatal("FAIRLEAD_BINARY is not set: run make verify")
	}
	return path
}

func fairlead(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("fairlead %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

type row struct {
	Team, Source, Area                                string
	People                                            int
	Total, Gini, Hoover, Theil, HHI, Effective, Share float64
}

func analyzed(t *testing.T, args ...string) map[string]row {
	t.Helper()
	var rows []map[string]any
	out := fairlead(t, append([]string{"analyze", "--format", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	groups := map[string]row{}
	for _, r := range rows {
		number := func(key string) float64 {
			v, ok := r[key].(float64)
			if !ok {
				return math.NaN()
			}
			return v
		}
		name := ""
		for _, by := range []string{"team", "source", "area"} {
			if s, ok := r[by].(string); ok {
				name = s
			}
		}
		groups[name] = row{
			People: int(number("people")), Total: number("total"), Gini: number("gini"), Hoover: number("hoover"),
			Theil: number("theil"), HHI: number("hhi"), Effective: number("effective"), Share: number("top_share"),
		}
	}
	return groups
}

// figure is what a group must come out as; zero figures are not compared.
type figure struct {
	group  string
	people int
	total  float64
	gini   float64
	hhi    float64
	share  float64
}

func (f figure) check(t *testing.T, groups map[string]row) {
	t.Helper()
	got, ok := groups[f.group]
	if !ok {
		t.Errorf("no group %q", f.group)
		return
	}
	if got.People != f.people {
		t.Errorf("%s: %d people, want %d", f.group, got.People, f.people)
	}
	for _, c := range []struct {
		what      string
		got, want float64
		relative  float64
	}{
		{"total", got.Total, f.total, 1e-6}, {"gini", got.Gini, f.gini, 1e-6}, {"hhi", got.HHI, f.hhi, 1e-4}, {"top share", got.Share, f.share, 1e-4},
	} {
		if math.IsNaN(c.want) && math.IsNaN(c.got) {
			continue
		}
		if c.want != 0 && !(math.Abs(c.got-c.want) <= c.relative*math.Abs(c.want)) {
			t.Errorf("%s: %s %v, want %v", f.group, c.what, c.got, c.want)
		}
	}
}

// The figures of the incident log were computed from the file itself by a
// separate program that knows nothing of Fairlead.
func TestVerifyIncidentLog(t *testing.T) {
	data := t.TempDir()
	fairlead(t, "demo", "--once", "--data", data, "--servicenow-log", shared.File(t, "data/servicenow_incident_event_log.csv.gz"))
	asOf := func(day, window, basis, by string) map[string]row {
		return analyzed(t, "--data", data, "--as-of", day, "--window", window, "--basis", basis, "--by", by)
	}
	resolved := asOf("2017-03-01", "all", "resolved", "team")
	figure{"Group 70", 48, 9111, 0.7579688471810632, 0.129417, 0.302052}.check(t, resolved)
	figure{"Group 25", 8, 1231, 0.5334077985377742, 0.24359937994972813, 0.3371242891957758}.check(t, resolved)
	if len(resolved) != 71 { // 70 groups, and what has a holder but no group
		t.Errorf("%d groups, want 71", len(resolved))
	}
	figure{"servicenow", 220, 24193, 0.724005628976075, 0.033507229026945064, 0.1232587938659943}.check(t, asOf("2017-03-01", "all", "resolved", "source"))
	figure{"servicenow", 234, 29459, 0.7096568807930361, 0.027731888331594186, 0.10865949285447571}.check(t, asOf("2017-03-01", "all", "assigned", "source"))
	figure{"servicenow", 229, 138948.8104166666, 0.7250850877186735, 0.019191212636005792, 0.0585923712003312}.check(t, asOf("2017-03-01", "all", "load", "source"))

	// The past, as it was then.
	figure{"servicenow", 184, 22559, 0.6949099173760785, 0.036976210266772905, 0.13130014628307993}.check(t, asOf("2016-06-01", "90d", "resolved", "source"))
	figure{"servicenow", 207, 27640, 0.6872945461663765, 0.029987598982996185, 0.11476121562952243}.check(t, asOf("2016-06-01", "90d", "assigned", "source"))
	load := asOf("2016-06-01", "90d", "load", "team")
	figure{"Group 70", 147, 3553.306249999992, 0.7953565735430357, 0.06529310255527948, 0.1630212941350971}.check(t, load)
	figure{"Group 25", 47, 5906.2624999999925, 0.8830282135868295, 0.21689145730588094, 0.3294539764642473}.check(t, load)
}

func TestVerifyIssueLog(t *testing.T) {
	for _, flavour := range []string{"cloud", "datacenter"} {
		t.Run(flavour, func(t *testing.T) {
			data := t.TempDir()
			fairlead(t, "demo", "--once", "--data", data, "--jira-flavour", flavour, "--jira-log", shared.File(t, "data/jira_duraspace.jsonl.gz"))
			asOf := func(day, window, basis, by string) map[string]row {
				return analyzed(t, "--data", data, "--as-of", day, "--window", window, "--basis", basis, "--by", by)
			}
			figure{"jira", 107, 1934, 0.7363558167180508, 0.045006411154446264, 0.08531540847983454}.check(t, asOf("2015-02-01", "all", "resolved", "source"))
			figure{"FCREPO", 23, 589, 0.6630250239905514, 0.13592431706353897, 0.24448217317487267}.check(t, asOf("2015-02-01", "all", "resolved", "team"))
			figure{"jira", 120, 2731, 0.7323904552666911, 0.03840025978898045, 0.09007689491028927}.check(t, asOf("2015-02-01", "all", "assigned", "source"))
			figure{"jira", 118, 363144.79830973386, 0.7369046687292566, 0.041874089312005446, 0.11550114328067308}.check(t, asOf("2015-02-01", "all", "load", "source"))
			figure{"jira", 48, 465, 0.6374103942652329, 0.06354954329980345, 0.13548387096774195}.check(t, asOf("2013-01-01", "365d", "resolved", "source"))
			figure{"FCREPO", 16, 33007.92412961806, 0.5514078816949379, 0.13303167459296905, 0.2267074428845168}.check(t, asOf("2013-01-01", "365d", "load", "team"))
		})
	}
}

// running is a fairlead that says where it serves.
type running struct {
	cmd  *exec.Cmd
	url  string
	text *bytes.Buffer
	done chan error
}

func startDemo(t *testing.T, args ...string) *running {
	t.Helper()
	s := &running{cmd: exec.Command(binary(t), append([]string{"demo", "--listen", "127.0.0.1:0"}, args...)...), text: &bytes.Buffer{}, done: make(chan error, 1)}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	s.cmd.Stderr = &errs
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	url := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(s.text, lines.Text())
			if m := regexp.MustCompile(`Serving (http://[^/]+)/metrics`).FindStringSubmatch(lines.Text()); m != nil {
				url <- m[1]
			}
		}
		close(url)
		s.done <- s.cmd.Wait()
	}()
	select {
	case s.url = <-url:
	case <-time.After(patient):
	}
	if s.url == "" {
		t.Fatalf("the demonstration did not come to serve:\n%s%s", s.text, &errs)
	}
	return s
}

func (s *running) get(t *testing.T, path string) string {
	t.Helper()
	response, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", path, response.Status, err)
	}
	return string(body)
}

func TestVerifyDemo(t *testing.T) {
	data := t.TempDir()
	s := startDemo(t, "--data", data, "--seed", "7", "--now", "2026-09-30")
	t.Log("\n" + s.text.String())
	for _, path := range []string{"/healthz", "/readyz", "/"} {
		s.get(t, path)
	}
	groups, people := s.get(t, "/metrics"), s.get(t, "/metrics/people")
	for name, text := range map[string]string{"/metrics": groups, "/metrics/people": people} {
		check := exec.Command("promtool", "check", "metrics")
		check.Stdin = strings.NewReader(text)
		if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("promtool check metrics of %s: %v\n%s", name, err, out)
		}
	}
	if strings.Contains(groups, "engineer=\"") {
		t.Error("/metrics has series about single engineers")
	}
	pseudonym := regexp.MustCompile(`engineer="([^"]+)"`).FindStringSubmatch(people)
	if pseudonym == nil {
		t.Fatal("/metrics/people has no engineer")
	}
	// The service holds the warehouse, and still answers who that is.
	if out := fairlead(t, "whois", "--data", data, pseudonym[1]); !strings.Contains(out, "@") {
		t.Errorf("whois: %s", out)
	}
	if log, err := os.ReadFile(filepath.Join(data, "access.log")); err != nil || !strings.Contains(string(log), pseudonym[1]) {
		t.Errorf("access log: %v %s", err, log)
	}
	// Another one on the same folder is refused.
	second := exec.Command(binary(t), "demo", "--once", "--data", data, "--seed", "7", "--now", "2026-09-30")
	if out, err := second.CombinedOutput(); err == nil || !strings.Contains(string(out), data) {
		t.Errorf("a second fairlead on the folder: %v\n%s", err, out)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.done:
		if err != nil {
			t.Errorf("ended by SIGTERM: %v", err)
		}
	case <-time.After(patient):
		t.Error("does not end on SIGTERM")
	}

	// Teams are those of the roster that it brings, in which everybody is.
	for _, want := range []string{`fairlead_team_info{kind="roster",source="asana",`, `fairlead_team_afterhours_ratio{`, `fairlead_unmatched_accounts{source="servicenow"} 0`} {
		if !strings.Contains(groups, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	roster := filepath.Join(data, "roster.yaml")
	if _, err := os.Stat(roster); err != nil || !strings.Contains(s.text.String(), "8 teams ("+roster+")") {
		t.Errorf("the roster: %v\n%s", err, s.text)
	}
	// Without it they are queues, of the same tickets.
	out := fairlead(t, "demo", "--once", "--no-roster", "--data", data, "--seed", "7", "--now", "2026-09-30")
	if _, err := os.Stat(roster); err == nil || !strings.Contains(out, "these are queues, not teams") || strings.Contains(out, "in 8 teams") {
		t.Errorf("without a roster (%v):\n%s", err, out)
	}
}

// Killed at any moment of the collection and started again, it ends with what
// an undisturbed run has.
func TestVerifyKill(t *testing.T) {
	log := shared.File(t, "data/jira_duraspace.jsonl.gz")
	args := func(data string) []string {
		return []string{"demo", "--once", "--data", data, "--jira-log", log}
	}
	undisturbed, disturbed := t.TempDir(), t.TempDir()
	begun := time.Now()
	fairlead(t, args(undisturbed)...)
	takes := time.Since(begun)

	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 12 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Float64()*float64(takes)))
		cmd := exec.CommandContext(ctx, binary(t), args(disturbed)...) // killed with SIGKILL
		_ = cmd.Run()
		cancel()
	}
	fairlead(t, args(disturbed)...)
	for _, basis := range []string{"load", "assigned", "resolved"} {
		for _, by := range []string{"team", "area", "source"} {
			query := []string{"--as-of", "2015-02-01", "--window", "all", "--basis", basis, "--by", by, "--data"}
			want, got := analyzed(t, append(query, undisturbed)...), analyzed(t, append(query, disturbed)...)
			if len(got) != len(want) {
				t.Errorf("%s by %s: %d groups after kills, want %d", basis, by, len(got), len(want))
			}
			for name, w := range want {
				// The two folders have two keys, so sums run in two orders.
				figure{name, w.People, w.Total, w.Gini, w.HHI, w.Share}.check(t, got)
			}
		}
	}
}

// The whole way against a server reached by its address. Another embedded
// engine is one.
func TestVerifyServer(t *testing.T) {
	engine, err := embedded.Start(t.Context(), embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(engine.Password()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAIRLEAD_CLICKHOUSE_DSN", "clickhouse://"+engine.Addr()+"/elsewhere")
	t.Setenv("FAIRLEAD_CLICKHOUSE_USER", engine.User())
	t.Setenv("FAIRLEAD_CLICKHOUSE_PASSWORD_FILE", password)

	data := t.TempDir()
	fairlead(t, "demo", "--once", "--data", data, "--jira-log", shared.File(t, "data/jira_duraspace.jsonl.gz"))
	groups := analyzed(t, "--data", data, "--as-of", "2015-02-01", "--window", "all", "--basis", "resolved", "--by", "source")
	figure{"jira", 107, 1934, 0.7363558167180508, 0.045006411154446264, 0.08531540847983454}.check(t, groups)
	if out := fairlead(t, "migrate", "--data", data); out != "the tables are up to date\n" {
		t.Errorf("migrate says %q", out)
	}
	entries, err := os.ReadDir(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			t.Errorf("the data folder has %s, though the warehouse is elsewhere", e.Name())
		}
	}

	// A folder with another key would split every person in two: refused.
	cmd := exec.Command(binary(t), "migrate", "--data", t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("migrate: %v\n%s", err, out)
	}
	stranger := t.TempDir()
	cmd = exec.Command(binary(t), "demo", "--once", "--data", stranger, "--jira-log", shared.File(t, "data/jira_duraspace.jsonl.gz"))
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "belongs to another key") {
		t.Errorf("with another key: %v\n%s", err, out)
	}
}
