package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/prometheus/promql/parser"
)

const committed = "../../grafana"

func TestCommittedFilesAreGenerated(t *testing.T) {
	if err := run(committed, home, true); err != nil {
		t.Error(err)
	}
}

// A file that was changed by hand, is missing, or belongs to nothing must be
// found.
func TestDifferencesAreFound(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, home, false); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, home, true); err != nil {
		t.Fatalf("just written: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "team.json"), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "quarter.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other.json"), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(dir, home, true)
	for _, name := range []string{"team.json", "quarter.json", "other.json"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Another address takes the place of this host's in every file.
func TestAddress(t *testing.T) {
	contents, err := generate("https://fairlead.example.org/")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range contents {
		if strings.Count(string(content), `"https://fairlead.example.org"`) != 1 || strings.Contains(string(content), home) {
			t.Errorf("%s does not have the address", name)
		}
	}
}

// panel is what a test looks at.
type panel struct {
	Type, Title, Description string
	ID                       int
	PluginVersion            string
	GridPos                  struct{ H, W, X, Y int }
	Targets                  []struct{ RefID, Expr, RawSQL string }
	FieldConfig              struct {
		Defaults  struct{ Unit string }
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []property
		}
	}
	Transformations []struct {
		ID      string
		Options struct{ RenameByName map[string]string }
	}
}

type property struct {
	ID    string
	Value any
}

type file struct {
	UID           string
	SchemaVersion int
	Links         []struct {
		Title, Type, URL, Placement string
		IncludeVars                 bool
	}
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Type, Definition string
			Multi                  bool
		}
	}
}

func files(t *testing.T) map[string]file {
	t.Helper()
	contents, err := generate(home)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]file{}
	for name, content := range contents {
		var f file
		if err := json.Unmarshal(content, &f); err != nil {
			t.Fatal(err)
		}
		all[name] = f
	}
	return all
}

// The SDK must read each file again without anything it does not know.
func TestStrictDecoding(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	contents, err := generate(home)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range contents {
		var d dashboard.Dashboard
		// A success of the SDK is an empty list of errors, and no nil.
		var errs cog.BuildErrors
		if err := d.UnmarshalJSONStrict(content); !errors.As(err, &errs) || len(errs) > 0 {
			t.Errorf("%s: %v", name, err)
		}
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Panels that every version from 9.3 on has, each with words, a place of its
// own within 24 columns and an id of its own.
func TestPanels(t *testing.T) {
	known := []string{"stat", "bargauge", "timeseries", "table", "text"}
	uids := map[string]string{}
	for name, f := range files(t) {
		if f.SchemaVersion != schemaVersion || f.UID == "" || uids[f.UID] != "" {
			t.Errorf("%s: schema %d, uid %q (also of %q)", name, f.SchemaVersion, f.UID, uids[f.UID])
		}
		uids[f.UID] = name
		taken, ids := map[[2]int]string{}, map[int]bool{}
		for _, p := range f.Panels {
			if !slices.Contains(known, p.Type) || p.PluginVersion != pluginVersion {
				t.Errorf("%s: %q is a %s of %s", name, p.Title, p.Type, p.PluginVersion)
			}
			if ids[p.ID] {
				t.Errorf("%s: two panels are %d", name, p.ID)
			}
			ids[p.ID] = true
			if p.Type != "text" && (p.Title == "" || !strings.HasSuffix(p.Description, ".") || len(p.Targets) == 0) {
				t.Errorf("%s: panel %q lacks words or a query", name, p.Title)
			}
			if g := p.GridPos; g.X+g.W > 24 {
				t.Errorf("%s: %q ends at column %d", name, p.Title, g.X+g.W)
			}
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: %q lies over %q", name, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

// columns are those of a table that hold numbers, by their names.
func (p panel) columns() map[string]bool {
	columns := map[string]bool{}
	for _, t := range p.Transformations {
		for field, name := range t.Options.RenameByName {
			if strings.HasPrefix(field, "Value") {
				columns[name] = true
			}
		}
	}
	return columns
}

// Each number says what it is counted in: a panel's, or a column's of a table.
func TestUnits(t *testing.T) {
	for name, f := range files(t) {
		for _, p := range f.Panels {
			columns := p.columns()
			switch {
			case p.Type == "text":
				continue
			case p.Type != "table":
				if p.FieldConfig.Defaults.Unit == "" {
					t.Errorf("%s: %q has no unit", name, p.Title)
				}
				continue
			case p.Targets[0].RawSQL != "":
				continue // a test of deploy/clickhouse sees which are numbers
			case len(columns) == 0:
				t.Errorf("%s: the table %q has no columns of numbers", name, p.Title)
			}
			for _, o := range p.FieldConfig.Overrides {
				if slices.ContainsFunc(o.Properties, func(one property) bool { return one.ID == "unit" && one.Value != "" }) {
					delete(columns, o.Matcher.Options)
				}
			}
			if len(columns) > 0 {
				t.Errorf("%s: %q: no unit of %v", name, p.Title, slices.Sorted(maps.Keys(columns)))
			}
		}
	}
}

var (
	address = regexp.MustCompile(`/d/([a-z-]+)(\?[^"'\s]*)?`)
	given   = regexp.MustCompile(`var-([a-z]+)=`)
)

// A link leads to a dashboard that there is, and sets variables that it has:
// those of the dashboards, and those of the alerts.
func TestLinks(t *testing.T) {
	variables := map[string][]string{}
	for _, f := range files(t) {
		for _, v := range f.Templating.List {
			variables[f.UID] = append(variables[f.UID], v.Name)
		}
	}
	contents, err := generate(home)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("../../prometheus/fairlead.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	contents["fairlead.rules.yml"] = rules
	for name, content := range contents {
		found := address.FindAllStringSubmatch(strings.ReplaceAll(string(content), `\u0026`, "&"), -1)
		if len(found) == 0 && name != "itself.json" && name != "drilldown.json" {
			t.Errorf("%s leads nowhere", name)
		}
		for _, m := range found {
			known, is := variables[m[1]]
			if !is {
				t.Errorf("%s leads to %s, which there is not", name, m[1])
			}
			for _, v := range given.FindAllStringSubmatch(m[2], -1) {
				if is && !slices.Contains(known, v[1]) {
					t.Errorf("%s leads to %s with %s, which it has not", name, m[1], v[1])
				}
			}
		}
	}
	pages, err := os.ReadFile("../../../analysis/web/web.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range contents {
		for _, m := range regexp.MustCompile(`\$\{fairlead\}(/[a-z]*)`).FindAllStringSubmatch(string(content), -1) {
			if path := strings.Replace(m[1]+"$", "/$", "/{$}", 1); !strings.Contains(string(pages), `page("`+strings.TrimSuffix(path, "$")+`"`) {
				t.Errorf("%s leads to the page %s, which there is not", name, m[1])
			}
		}
	}
	// From each dashboard to the others and to the pages, in sight in every
	// version.
	for name, f := range files(t) {
		kinds := map[string]bool{}
		for _, l := range f.Links {
			kinds[l.Type] = true
			if l.Placement != "" {
				t.Errorf("%s: the link %q is out of sight", name, l.Title)
			}
			if l.IncludeVars {
				carries(t, name, f)
			}
		}
		if !kinds["dashboards"] || !kinds["link"] {
			t.Errorf("%s lacks links: it has %v", name, f.Links)
		}
	}
}

var (
	documented = regexp.MustCompile("(?m)^\\| `(fairlead_[a-z_]+)` \\|([^|]*)\\|")
	variable   = regexp.MustCompile(`\$\{?([a-z_]+)`)
	// Suffixes of the parts of a histogram.
	part = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// carries checks that what a dashboard hands on is understood by the others:
// several, or All, is nothing to a variable of one.
func carries(t *testing.T, name string, from file) {
	t.Helper()
	for other, to := range files(t) {
		for _, v := range from.Templating.List {
			for _, w := range to.Templating.List {
				if v.Name == w.Name && v.Multi && !w.Multi {
					t.Errorf("%s hands several of %s to %s, which knows one", name, v.Name, other)
				}
			}
		}
	}
}

// choices are what a reader may choose: one, several, or All.
var choices = map[string][]string{
	"team": {"T"}, "teams": {"T", `(T|Service\\.Desk)`, ".*"}, "area": {"A", "(A|B)", ".*"}, "source": {"S", "(S|R)", ".*"},
	"engineer": {"amber-otter-4k7q"}, "window": {"90d", "28d"}, "__interval": {"1m", "6h"}, "__range": {"90d"}, "__rate_interval": {"4m"},
}

// concrete are an expression as Grafana sends it, by choice.
func concrete(expr string) []string {
	var all []string
	for i := range 3 {
		all = append(all, variable.ReplaceAllStringFunc(expr, func(v string) string {
			list := choices[variable.FindStringSubmatch(v)[1]]
			if len(list) == 0 {
				return v
			}
			return list[min(i, len(list)-1)]
		}))
	}
	return slices.Compact(all)
}

// metrics of the README's table, with their labels.
func documentedMetrics(t *testing.T) map[string]string {
	t.Helper()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	metrics := map[string]string{}
	for _, m := range documented.FindAllStringSubmatch(string(readme), -1) {
		metrics[m[1]] = m[2]
	}
	return metrics
}

// Each expression must parse whatever is chosen, read only what the README's
// table lists (a test of the program holds that table to what is exported) by
// the labels that are listed there, and use only variables of its dashboard.
func TestExpressions(t *testing.T) {
	metrics := documentedMetrics(t)
	all := files(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		variables := map[string]bool{"__rate_interval": true, "__interval": true, "__range": true}
		for _, v := range f.Templating.List {
			variables[v.Name] = true
			if selector, is := strings.CutPrefix(v.Definition, "label_values("); is {
				selector, label, _ := strings.Cut(strings.TrimSuffix(selector, ")"), ", ")
				if label != strings.TrimSuffix(v.Name, "s") {
					t.Errorf("%s: variable %s is of the label %s", name, v.Name, label)
				}
				checkExpression(t, name, "the variable "+v.Name, `count by (`+label+`) (`+selector+`)`, variables, metrics)
			}
		}
		for _, p := range f.Panels {
			for _, target := range p.Targets {
				if target.Expr != "" {
					checkExpression(t, name, p.Title, target.Expr, variables, metrics)
				}
			}
		}
	}
}

func checkExpression(t *testing.T, name, title, expr string, variables map[string]bool, metrics map[string]string) {
	t.Helper()
	for _, m := range variable.FindAllStringSubmatch(expr, -1) {
		if !variables[m[1]] {
			t.Errorf("%s: %q uses $%s, which the dashboard lacks", name, title, m[1])
		}
	}
	for _, one := range concrete(expr) {
		parsed, err := parser.NewParser(parser.Options{}).ParseExpr(one)
		if err != nil {
			t.Errorf("%s: %q: %s: %v", name, title, one, err)
			return
		}
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			v, is := node.(*parser.VectorSelector)
			if !is || v.Name == "ALERTS" { // Prometheus's own
				return nil
			}
			metric := v.Name
			if _, known := metrics[metric]; !known {
				metric = part.ReplaceAllString(metric, "")
			}
			labels, known := metrics[metric]
			if !known {
				t.Errorf("%s: %q reads %s, which is not in the README's table", name, title, v.Name)
			}
			for _, m := range v.LabelMatchers {
				if m.Name != "__name__" && !strings.Contains(labels, "`"+m.Name+"`") {
					t.Errorf("%s: %q chooses %s by %s, which it has not", name, title, metric, m.Name)
				}
			}
			return nil
		})
	}
}

// What is exported is shown somewhere, or is known not to be.
func TestEveryMetricIsShown(t *testing.T) {
	unshown := []string{
		"fairlead_team_load_gini_low", "fairlead_team_load_gini_high", // the interval: in the report
		"fairlead_team_load_gini_explained", "fairlead_team_load_fairness_p_value", "fairlead_team_load_fairness_q_value", // behind the verdict
		"fairlead_team_load_hhi", "fairlead_team_capacity_fte", // behind the effective engineers
		"fairlead_analysis_unchanged_total",   // nothing to see to
		"fairlead_engineer_after_hours_ratio", // only where it was agreed: the sign says it
	}
	contents, err := generate(home)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, content := range contents {
		text.Write(content)
	}
	for metric := range documentedMetrics(t) {
		shown := regexp.MustCompile(`\b` + metric + `(_bucket|_sum|_count)?\b`).MatchString(text.String())
		if shown == slices.Contains(unshown, metric) {
			t.Errorf("%s is shown: %t", metric, shown)
		}
	}
}
