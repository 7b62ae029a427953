package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead/analysis"
	"fairlead/analysis/exporter"
	"fairlead/collector"
	"fairlead/connectors/rest"
)

// settings lists every key of a configuration: a.b.c, <name> for a map's keys,
// [] for a list's entries.
func settings(t reflect.Type, path string, into *[]string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Pointer:
		settings(t.Elem(), path+".<name>", into)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && len(yamlFields(t.Elem())) > 0 && exported(t.Elem()):
		settings(t.Elem(), path+"[]", into)
	case t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() && exported(t):
		fields := yamlFields(t)
		for _, key := range keysOf(fields) {
			settings(fields[key], joinKey(path, key), into)
		}
	default:
		*into = append(*into, path)
	}
}

func exported(t reflect.Type) bool {
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			return true
		}
	}
	return false
}

// section is the text of the README between a heading and the next.
func section(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("the README has no section %q", heading)
	}
	before, _, _ := strings.Cut(after, "\n## ")
	return before
}

var tableRow = regexp.MustCompile("(?m)^\\| `([^`]+)`")

func rows(text string) []string {
	var found []string
	for _, m := range tableRow.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

func same(t *testing.T, what string, documented, real []string) {
	t.Helper()
	for _, name := range real {
		if !slices.Contains(documented, name) {
			t.Errorf("the README lacks the %s %s", what, name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(real, name) {
			t.Errorf("the README has a %s that does not exist: %s", what, name)
		}
	}
}

func TestReadmeHasEverySetting(t *testing.T) {
	var keys []string
	settings(reflect.TypeFor[Config](), "", &keys)
	same(t, "setting", rows(section(t, "Settings")), keys)
}

func TestReadmeHasEveryMetric(t *testing.T) {
	reg := prometheus.NewRegistry()
	rest.NewMetrics(reg)
	collector.NewMetrics(reg)
	newAnalysisMetrics(reg)
	e := exporter.New(func() *analysis.Snapshot { return nil })
	reg.MustRegister(e.Groups(), e.People())
	described := make(chan *prometheus.Desc, 1000)
	reg.Describe(described)
	close(described)
	name := regexp.MustCompile(`fqName: "(fairlead_[a-z_]+)"`)
	metrics := []string{"fairlead_build_info"}
	for d := range described {
		metrics = append(metrics, name.FindStringSubmatch(d.String())[1])
	}
	slices.Sort(metrics)
	same(t, "metric", rows(section(t, "Metrics")), slices.Compact(metrics))
}
