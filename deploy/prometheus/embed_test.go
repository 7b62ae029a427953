package prometheus

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

type rule struct {
	Record        string
	Alert         string
	Expr          string
	For           string
	KeepFiringFor string `yaml:"keep_firing_for"`
	Labels        map[string]string
	Annotations   map[string]string
}

// parsed is all rules of the file.
func parsed(t *testing.T, text string) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Name, Interval string
			Rules          []rule
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) < 20 {
		t.Fatalf("%d rules", len(all))
	}
	return all
}

func mux() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /runbooks/{alert}", Runbook)
	return m
}

func get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	mux().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// ownPage is of what an alert is about, among the pages of serve.
var ownPage = regexp.MustCompile(`^/(engineer\?who=\{\{ urlquery \$labels\.engineer }}|area\?area=\{\{ urlquery \$labels\.area }}|team\?team=\{\{ urlquery \$labels\.team }}|collection)$`)

// Each alert must be whole: how long it waits, whom it is for, what it says,
// and a runbook that is there.
func TestAlertsAreWhole(t *testing.T) {
	used := map[string]bool{}
	for _, r := range parsed(t, Rules(Options{})) {
		if r.Alert == "" {
			if strings.Count(r.Record, ":") != 2 {
				t.Errorf("%s: a recorded series is named level:metric:operations", r.Record)
			}
			continue
		}
		used[r.Alert+".md"] = true
		if !slices.Contains([]string{"5m", "10m", "15m"}, r.For) || r.KeepFiringFor == "" {
			t.Errorf("%s: for %q, keep_firing_for %q", r.Alert, r.For, r.KeepFiringFor)
		}
		if !slices.Contains([]string{"info", "warning", "critical"}, r.Labels["severity"]) ||
			!slices.Contains([]string{"lead", "operations"}, r.Labels["owner"]) ||
			!slices.Contains([]string{"person", "team", "area", "service"}, r.Labels["about"]) {
			t.Errorf("%s: labels %v", r.Alert, r.Labels)
		}
		for _, name := range []string{"summary", "description", "page_url", "dashboard_url", "runbook_url"} {
			if r.Annotations[name] == "" {
				t.Errorf("%s: no %s", r.Alert, name)
			}
		}
		if path := strings.TrimPrefix(r.Annotations["page_url"], PlaceholderFairlead); !ownPage.MatchString(path) {
			t.Errorf("%s: leads to the page %s", r.Alert, path)
		}
		if person := strings.Contains(r.Expr, "engineer"); person != (r.Labels["about"] == "person") {
			t.Errorf("%s: about %s", r.Alert, r.Labels["about"])
		} else if person && !strings.Contains(r.Annotations["description"], "fairlead whois {{ $labels.engineer }}") {
			t.Errorf("%s: says not how to learn who it is", r.Alert)
		}
		path := strings.TrimPrefix(r.Annotations["runbook_url"], PlaceholderFairlead)
		if w := get(path); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "# "+r.Alert+"\n") {
			t.Errorf("%s: runbook %s: %d", r.Alert, path, w.Code)
		}
	}
	entries, err := runbooks.ReadDir("runbooks")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !used[e.Name()] {
			t.Errorf("runbook %s is of no alert", e.Name())
		}
	}
}

func TestUnknownRunbook(t *testing.T) {
	for _, path := range []string{"/runbooks/None", "/runbooks/..%2fembed", "/runbooks/FairleadDown.md"} {
		if w := get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestAddresses(t *testing.T) {
	text := Rules(Options{Fairlead: "https://fairlead.example.org/", Grafana: "https://grafana.example.org/g"})
	if strings.Contains(text, "'"+PlaceholderFairlead) || strings.Contains(text, "'"+PlaceholderGrafana) {
		t.Error("a placeholder is left in a link")
	}
	for _, want := range []string{"'https://fairlead.example.org/collection'", "'https://fairlead.example.org/runbooks/FairleadDown'", "'https://grafana.example.org/g/d/fairlead-itself'"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	parsed(t, text)
}

func TestOptions(t *testing.T) {
	uneven := func(rules []rule) string {
		for _, r := range rules {
			if r.Alert == "FairleadTeamUneven" {
				return r.Expr + r.Annotations["description"]
			}
		}
		return ""
	}
	usual := parsed(t, Rules(Options{}))
	if got := uneven(usual); !strings.Contains(got, `window="90d"`) || !strings.Contains(got, "Over the last 90 days") {
		t.Error(got)
	}
	text := Rules(Options{Window: "28d", Patience: 2 * time.Hour, WithoutPeople: true})
	changed := parsed(t, text)
	if got := uneven(changed); !strings.Contains(got, `window="28d"`) || !strings.Contains(got, "Over the last 28 days") || strings.Contains(got, "90") {
		t.Error(got)
	}
	people := 0
	for _, r := range usual {
		if r.Labels["about"] == "person" {
			people++
		}
	}
	if people == 0 || len(changed) != len(usual)-people || strings.Contains(text, "$labels.engineer") {
		t.Errorf("%d rules of %d are left without the %d about people", len(changed), len(usual), people)
	}
	if strings.Contains(text, "1800") || strings.Count(text, "> 7200") != 2 || !strings.Contains(text, "more than 2h0m0s") {
		t.Error("the patience is not everywhere")
	}
}

var (
	metric     = regexp.MustCompile(`\bfairlead_[a-z_]+[a-z]\b`)
	documented = regexp.MustCompile("(?m)^\\| `(fairlead_[a-z_]+)` \\|")
	// The level and the operations of a recorded series around its metric.
	recorded = regexp.MustCompile(`\b[a-z]+:fairlead_[a-z_]+:[a-z0-9_]+`)
)

// What a rule reads must be exported, and so be in the README's table.
func TestMetricsAreDocumented(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range documented.FindAllStringSubmatch(string(readme), -1) {
		known[m[1]] = true
	}
	rules := parsed(t, Rules(Options{}))
	records := map[string]bool{}
	for _, r := range rules {
		if r.Record != "" {
			records[r.Record] = true
		}
	}
	for _, r := range rules {
		for _, name := range recorded.FindAllString(r.Expr, -1) {
			if !records[name] {
				t.Errorf("%s%s: %s is recorded nowhere", r.Alert, r.Record, name)
			}
		}
		for _, name := range metric.FindAllString(recorded.ReplaceAllString(r.Expr, ""), -1) {
			if !known[name] {
				t.Errorf("%s%s: %s is not in the README's table", r.Alert, r.Record, name)
			}
		}
	}
}
