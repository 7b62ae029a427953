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
	if err := run(committed, true); err != nil {
		t.Error(err)
	}
}

// A file that was changed by hand, is missing, or belongs to nothing must be
// found.
func TestDifferencesAreFound(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, false); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, true); err != nil {
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
	err := run(dir, true)
	for _, name := range []string{"team.json", "quarter.json", "other.json"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// panel is what a test looks at.
type panel struct {
	Type, Title, Description string
	ID                       int
	PluginVersion            string
	GridPos                  struct{ H, W, X, Y int }
	Targets                  []struct{ RefID, Expr string }
}

type file struct {
	UID           string
	SchemaVersion int
	Panels        []panel
	Templating    struct {
		List []struct{ Name, Type, Definition string }
	}
}

func files(t *testing.T) map[string]file {
	t.Helper()
	contents, err := generate()
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
	contents, err := generate()
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

var (
	documented = regexp.MustCompile("(?m)^\\| `(fairlead_[a-z_]+)` \\|([^|]*)\\|")
	variable   = regexp.MustCompile(`\$\{?([a-z_]+)`)
	// Suffixes of the parts of a histogram.
	part = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// concrete is an expression as Grafana sends it.
func concrete(expr string) string {
	return strings.NewReplacer("$__rate_interval", "5m", "$window", "90d", "$team", "T", "$area", "A", "$engineer", "E", "$source", "S").Replace(expr)
}

// Each expression must parse, read only what the README's table lists by the
// labels that are listed there, and use only variables of its dashboard.
func TestExpressions(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	labels := map[string]string{}
	for _, m := range documented.FindAllStringSubmatch(string(readme), -1) {
		known[m[1]], labels[m[1]] = true, m[2]
	}
	all := files(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		variables := map[string]bool{"__rate_interval": true}
		for _, v := range f.Templating.List {
			variables[v.Name] = true
			if v.Type == "query" {
				metric, _, _ := strings.Cut(strings.TrimPrefix(v.Definition, "label_values("), ",")
				if !known[metric] {
					t.Errorf("%s: variable %s is of %s", name, v.Name, metric)
				}
			}
		}
		for _, p := range f.Panels {
			for _, target := range p.Targets {
				for _, m := range variable.FindAllStringSubmatch(target.Expr, -1) {
					if !variables[m[1]] {
						t.Errorf("%s: %q uses $%s, which the dashboard lacks", name, p.Title, m[1])
					}
				}
				expr, err := parser.NewParser(parser.Options{}).ParseExpr(concrete(target.Expr))
				if err != nil {
					t.Errorf("%s: %q: %s: %v", name, p.Title, target.Expr, err)
					continue
				}
				parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
					v, is := node.(*parser.VectorSelector)
					if !is {
						return nil
					}
					metric := v.Name
					if !known[metric] {
						metric = part.ReplaceAllString(metric, "")
					}
					if !known[metric] {
						t.Errorf("%s: %q reads %s, which is not in the README's table", name, p.Title, v.Name)
					}
					for _, m := range v.LabelMatchers {
						if m.Name != "__name__" && !strings.Contains(labels[metric], "`"+m.Name+"`") {
							t.Errorf("%s: %q chooses %s by %s, which it has not", name, p.Title, metric, m.Name)
						}
					}
					return nil
				})
			}
		}
	}
}
