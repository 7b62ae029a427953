//go:build verify

// Package grafana asks a real Prometheus what the dashboards ask, as Grafana
// does.
package grafana

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/sandbox/shared"
	prom "fairlead/deploy/prometheus"
	"fairlead/deploy/prometheus/prometheustest"
)

type dashboard struct {
	name   string
	Time   struct{ From string }
	Panels []struct {
		Type, Title string
		FieldConfig struct {
			Defaults struct{ Mappings json.RawMessage }
		}
		Targets []struct {
			Expr    string
			Instant bool
		}
	}
	Templating struct {
		List []struct {
			Name, Type, Definition, AllValue string
			IncludeAll                       bool
			Current                          struct{ Value any }
		}
	}
}

// dashboards are the files that ask Prometheus.
func dashboards(t *testing.T) []dashboard {
	t.Helper()
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var all []dashboard
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := dashboard{name: strings.TrimSuffix(file, ".json")}
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatal(err)
		}
		if d.name != "drilldown" {
			all = append(all, d)
		}
	}
	return all
}

// view is a dashboard as somebody looks at it.
type view struct {
	server   *prometheustest.Prometheus
	from, to time.Time
	past     bool // no Fairlead was scraped, and somebody may not have been there yet
	excuses  []excuse
	source   string // the only one that is looked at; "" for all
}

// pixels are the width of half a row on a laptop: about as many points are asked
// for.
const pixels = 600

func (v view) step() time.Duration {
	return max(time.Minute, (v.to.Sub(v.from) / pixels).Truncate(time.Minute))
}

var reference = regexp.MustCompile(`\$\{?([a-z_]+)\}?`)

func fill(expr string, chosen map[string]string) string {
	return reference.ReplaceAllStringFunc(expr, func(found string) string {
		if value, ok := chosen[reference.FindStringSubmatch(found)[1]]; ok {
			return value
		}
		return found
	})
}

// choices are all that a reader can choose: for each variable of one its values,
// for each of several All. The values of one can depend on the others'.
func (v view) choices(t *testing.T, d dashboard) []map[string]string {
	t.Helper()
	step := v.step()
	all := []map[string]string{{"__interval": duration(step), "__rate_interval": duration(max(4*time.Second, step)), "__range": duration(v.to.Sub(v.from))}}
	for _, variable := range d.Templating.List {
		if variable.Type != "query" {
			continue
		}
		var more []map[string]string
		for _, chosen := range all {
			selector, label, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(variable.Definition, "label_values("), ")"), ", ")
			values := v.values(t, fill(selector, chosen), label)
			if len(values) == 0 {
				t.Errorf("%s: nothing to choose from for %s", d.name, variable.Name)
			}
			switch current, _ := variable.Current.Value.(string); {
			case variable.Name == "source" && v.source != "":
				values = []string{v.source}
			case variable.IncludeAll && variable.AllValue != "":
				values = []string{variable.AllValue}
			case variable.IncludeAll:
				for i := range values {
					values[i] = strings.ReplaceAll(regexp.QuoteMeta(values[i]), `\`, `\\`)
				}
				values = []string{"(" + strings.Join(values, "|") + ")"}
			case current != "":
				values = []string{current}
			}
			for _, value := range values {
				one := maps.Clone(chosen)
				one[variable.Name] = value
				more = append(more, one)
			}
		}
		all = more
	}
	return all
}

// values are those of a label that a series had in the range.
func (v view) values(t *testing.T, selector, label string) []string {
	t.Helper()
	samples, err := v.server.Query(t.Context(), fmt.Sprintf("count by (%s) (last_over_time(%s[%s]))", label, selector, duration(v.to.Sub(v.from))), v.to)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, s := range samples {
		values = append(values, s.Labels[label])
	}
	slices.Sort(values)
	return values
}

func duration(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// ask is what Grafana asks for a panel: at the end of the range, or over it, from
// and to round times.
func (v view) ask(ctx context.Context, expr string, instant bool) ([]prometheustest.Sample, error) {
	if instant {
		return v.server.Query(ctx, expr, v.to)
	}
	step := int64(v.step().Seconds())
	round := func(t time.Time) time.Time { return time.Unix(t.Unix()/step*step, 0) }
	return v.server.QueryRange(ctx, expr, round(v.from), round(v.to), v.step())
}

// excuse is what may be empty, and why: an expression that matches what, or for
// some choice the panel of a title.
type excuse struct{ what, title, why string }

// always holds for every demonstration.
var always = []excuse{
	{`last_sweep_timestamp`, "", "the first sweep comes after a day"},
	{"", "Unplanned", "a project of Jira without incidents"},
	{"", "People it rests on", "a team whose areas nobody knows well enough"},
	{"", "What they know", "somebody who is among the first five of no area"},
	{"", "Overloaded", "somebody with too few weeks of work to say"},
	{"", "Signs of overload", "somebody with too few weeks of work to say"},
}

// ofQueues holds without a roster.
var ofQueues = []excuse{
	{`after_?hours|short_rests|signal="rest"`, "", "nobody's hours are known"},
	{`signal="on_call"`, "", "nobody is known to be on call"},
}

// service is what a history does not tell.
var service = regexp.MustCompile(`fairlead_snapshot_|ALERTS`)

// allowed reports whether an expression need never be answered.
func (v view) allowed(expr string) bool {
	return v.past && service.MatchString(expr) ||
		slices.ContainsFunc(v.excuses, func(e excuse) bool { return e.what != "" && regexp.MustCompile(e.what).MatchString(expr) })
}

// wordless reports whether a panel may be empty for some choice, and says why
// there.
func (v view) wordless(title string) bool {
	return slices.ContainsFunc(v.excuses, func(e excuse) bool { return e.title != "" && e.title == title })
}

// checkAnswers asks every expression of every panel, with everything that can be
// chosen. Each gives numbers for some choice, each panel for every choice.
func (v view) checkAnswers(t *testing.T, d dashboard) (asked int) {
	t.Helper()
	answered := map[string]bool{}
	choices := v.choices(t, d)
	for _, chosen := range choices {
		for _, p := range d.Panels {
			if p.Type == "text" {
				continue
			}
			full, must := false, false
			for _, target := range p.Targets {
				samples, err := v.ask(t.Context(), fill(target.Expr, chosen), target.Instant)
				if err != nil {
					t.Fatalf("%s: %q: %v", d.name, p.Title, err)
				}
				asked++
				must = must || !v.allowed(target.Expr)
				if len(samples) > 0 {
					full, answered[target.Expr] = true, true
				}
				for _, s := range samples {
					if slices.ContainsFunc(s.Values, func(one prometheustest.Value) bool { return strings.Contains(one.V, "Inf") }) {
						t.Errorf("%s: %q is not finite: %v", d.name, p.Title, s)
					}
				}
			}
			if !full && must && (!v.past || chosen["engineer"] == "") && !v.wordless(p.Title) {
				t.Errorf("%s: %q is empty for %v", d.name, p.Title, chosen)
			}
		}
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			if !answered[target.Expr] && !v.allowed(target.Expr) {
				t.Errorf("%s: %q is never answered: %s", d.name, p.Title, target.Expr)
			}
			if answered[target.Expr] && v.allowed(target.Expr) {
				t.Errorf("%s: %q is answered, and need not be excused: %s", d.name, p.Title, target.Expr)
			}
		}
	}
	return asked
}

// The demonstration, scraped for some seconds: no panel is empty, whoever looks
// at which team, area or engineer.
func TestVerifyPanels(t *testing.T) {
	t.Setenv("FAIRLEAD_METRICS_PERSON_AFTER_HOURS", "true") // two columns of Team are there where that was agreed
	server := scraped(t)
	for _, d := range dashboards(t) {
		t.Run(d.name, func(t *testing.T) { checkNow(t, server, d, always) })
	}
}

// Without a roster it is the same, but for what only a roster tells; and Overview
// says that the rows are queues, of which source, and whose accounts match nobody.
func TestVerifyPanelsOfQueues(t *testing.T) {
	server := scraped(t, "--no-roster")
	for _, d := range dashboards(t) {
		t.Run(d.name, func(t *testing.T) {
			checkNow(t, server, d, slices.Concat(always, ofQueues))
			if d.name == "overview" {
				checkQueues(t, server, d)
			}
		})
	}
}

// scraped is a Prometheus that has seen a demonstration for some seconds.
func scraped(t *testing.T, args ...string) *prometheustest.Prometheus {
	t.Helper()
	demo := prometheustest.Demo(t, t.TempDir(), append([]string{"--now", time.Now().UTC().Format(time.DateOnly)}, args...)...)
	server := prometheustest.Start(t, prometheustest.Options{Scrape: demo.URL, Rules: prom.Rules(prom.Options{Fairlead: demo.URL})})
	server.Scraped(t)
	prometheustest.Eventually(t, "two scrapes", func(ctx context.Context) error {
		samples, err := server.Query(ctx, "increase(fairlead_source_requests_total[1m])", time.Time{})
		if err == nil && len(samples) == 0 {
			err = fmt.Errorf("there are no rates yet")
		}
		return err
	})
	return server
}

// checkNow looks at a dashboard as it opens.
func checkNow(t *testing.T, server *prometheustest.Prometheus, d dashboard, excuses []excuse) {
	t.Helper()
	back := map[string]time.Duration{"now-24h": 24 * time.Hour, "now-90d": 90 * 24 * time.Hour, "now-1y": 365 * 24 * time.Hour}[d.Time.From]
	if back == 0 {
		t.Fatalf("begins at %s", d.Time.From)
	}
	v := view{server: server, from: time.Now().Add(-back), to: time.Now(), excuses: excuses}
	if back == 24*time.Hour {
		// Rates are of what was before each step: at the next one.
		v.to = v.to.Add(v.step())
	}
	t.Logf("%d questions answered", v.checkAnswers(t, d))
}

// notTeams is what the value 0 is shown as.
var notTeams = regexp.MustCompile(`"0":\s*\{\s*"text":\s*"queues, not teams"`)

// checkQueues looks at Overview without a roster, of one source after the other.
func checkQueues(t *testing.T, server *prometheustest.Prometheus, d dashboard) {
	t.Helper()
	v := view{server: server, from: time.Now().Add(-time.Hour), to: time.Now()}
	// of is what a panel's question about a metric is answered by.
	of := func(kind, metric string, chosen map[string]string) []prometheustest.Sample {
		t.Helper()
		for _, p := range d.Panels {
			if p.Type != kind {
				continue
			}
			for _, target := range p.Targets {
				if !strings.Contains(target.Expr, metric) {
					continue
				}
				if kind == "stat" && metric == "fairlead_team_info" && !notTeams.Match(p.FieldConfig.Defaults.Mappings) {
					t.Errorf("%q does not say that queues are not teams: %s", p.Title, p.FieldConfig.Defaults.Mappings)
				}
				samples, err := server.Query(t.Context(), fill(target.Expr, chosen), time.Time{})
				if err != nil {
					t.Fatal(err)
				}
				return samples
			}
		}
		t.Fatalf("no %s asks for %s", kind, metric)
		return nil
	}
	only := func(metric string, chosen map[string]string) float64 {
		t.Helper()
		samples := of("stat", metric, chosen)
		if len(samples) != 1 {
			t.Fatalf("%s has %d values", metric, len(samples))
		}
		return samples[0].Values[0].Float()
	}
	accounts, queues := 0.0, map[string]bool{}
	sources := v.values(t, "fairlead_team_info", "source")
	for _, v.source = range sources {
		chosen := v.choices(t, d)[0]
		if kind := only("fairlead_team_info", chosen); kind != 0 {
			t.Errorf("%s: rows are %v, want 0", v.source, kind)
		}
		n := only("fairlead_unmatched_accounts", chosen)
		if accounts += n; n < 5 {
			t.Errorf("%s: %v accounts match nobody", v.source, n)
		}
		shown := of("table", "fairlead_team_info", chosen)
		if len(shown) == 0 {
			t.Errorf("%s has no row", v.source)
		}
		for _, s := range shown {
			queues[s.Labels["team"]] = true
		}
	}
	v.source = ""
	all := v.choices(t, d)[0]
	// An account that was deleted may be described by no source any more.
	deleted, err := server.Query(t.Context(), `fairlead_unmatched_accounts{source="(none)"}`, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range deleted {
		accounts += s.Values[0].Float()
	}
	if got := only("fairlead_unmatched_accounts", all); got != accounts || len(sources) != 3 {
		t.Errorf("%v accounts of all of %v match nobody, of each %v", got, sources, accounts)
	}
	if got := of("table", "fairlead_team_info", all); len(got) != len(queues) {
		t.Errorf("%d rows of all sources, of each %d", len(got), len(queues))
	}
}

// A year of one sample a day, and no Fairlead that is scraped: every panel of
// Quarter shows the past, and the other pages show a day of it.
func TestVerifyHistory(t *testing.T) {
	t.Setenv("FAIRLEAD_METRICS_PERSON_AFTER_HOURS", "true")
	organisation := time.Now().UTC().Truncate(24 * time.Hour)
	for _, c := range []struct {
		name  string
		log   string // a real one, to replay
		from  time.Time
		to    time.Time
		whole float64 // of the days, or weeks, that the fullest line has at least
		pages []string
		empty []excuse
	}{
		{"generated", "", organisation.AddDate(-1, 0, 0), organisation, 0.9, []string{"overview", "team", "knowledge", "engineer", "quarter"}, always},
		{
			// Its last months have few tickets, and many of its groups too few people.
			"incidents of 2016", "servicenow_incident_event_log.csv.gz",
			time.Date(2016, 3, 15, 0, 0, 0, 0, time.UTC), time.Date(2017, 2, 15, 0, 0, 0, 0, time.UTC), 0.5, []string{"quarter"}, slices.Concat(always, ofQueues),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := t.TempDir()
			fairlead := prometheustest.Fairlead(t)
			demo := []string{"demo", "--once", "--data", data, "--now", c.to.Format(time.DateOnly)}
			if c.log != "" {
				demo = []string{"demo", "--once", "--data", data, "--servicenow-log", shared.File(t, "data/"+c.log)}
			}
			prometheustest.Run(t, fairlead, demo...)
			history := []string{"--from", c.from.Format(time.DateOnly), "--to", c.to.Format(time.DateOnly), "--step", "1d"}
			if slices.Contains(c.pages, "engineer") {
				history = append(history, "--people")
			}
			file := prometheustest.History(t, data, history...)
			server := prometheustest.Start(t, prometheustest.Options{History: []string{file}})
			for _, d := range dashboards(t) {
				if !slices.Contains(c.pages, d.name) {
					continue
				}
				t.Run(d.name, func(t *testing.T) {
					// Thirty days ago in the afternoon, hours after the day's sample.
					v := view{server: server, from: c.from, to: c.to.AddDate(0, 0, -30).Add(15 * time.Hour), past: true, excuses: c.empty}
					if d.name == "quarter" {
						v.to = c.to
						v.checkYear(t, d, c.whole)
					}
					t.Logf("%d questions answered", v.checkAnswers(t, d))
				})
			}
		})
	}
}

// checkYear wants each panel's lines to have a point for as much of the days as
// is said.
func (v view) checkYear(t *testing.T, d dashboard, whole float64) {
	t.Helper()
	days := int(v.to.Sub(v.from).Hours() / 24)
	for _, chosen := range v.choices(t, d) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				samples, err := v.ask(t.Context(), fill(target.Expr, chosen), target.Instant)
				if err != nil {
					t.Fatal(err)
				}
				longest, lines := 0, len(samples)
				for _, s := range samples {
					longest = max(longest, len(s.Values))
				}
				want := days
				if strings.Contains(target.Expr, "fairlead_area_") {
					want = days / 7 // knowledge is told once a week
				}
				if float64(longest) < whole*float64(want) || longest > want*21/20 || lines > 10 {
					t.Errorf("%q: %d lines, of %d points at most in %d days", p.Title, lines, longest, days)
				}
			}
		}
	}
}
