package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"fairlead/analysis"
	"fairlead/analysis/exporter"
	"fairlead/analysis/privacy"
	"fairlead/analysis/web"
	"fairlead/collector"
	"fairlead/connectors/asana"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/jira"
	"fairlead/connectors/rest"
	"fairlead/connectors/servicenow"
	"fairlead/deploy/alertmanager"
)

// Config is the whole configuration: one strict YAML file, with every key also
// in the environment.
type Config struct {
	DataDir    string             `yaml:"data_dir"`
	ClickHouse clickhouse.Config  `yaml:"clickhouse"`
	Sources    map[string]*Source `yaml:"sources"`
	// Roster is files and folders that say who works in which team.
	Roster    []string         `yaml:"roster"`
	Collector collector.Config `yaml:"collector"`
	Analysis  AnalysisConfig   `yaml:"analysis"`
	Metrics   exporter.Config  `yaml:"metrics"`
	Web       WebConfig        `yaml:"web"`
	Report    ReportConfig     `yaml:"report"`
	Privacy   PrivacyConfig    `yaml:"privacy"`
	// Alerts is how alerts are sent, for fairlead rules.
	Alerts alertmanager.Config `yaml:"alerts"`
	Log    LogConfig           `yaml:"log"`
}

// AnalysisConfig says what is computed, and how often.
type AnalysisConfig struct {
	// Interval is the longest time between two analyses of a service; a source
	// that has caught up causes one besides.
	Interval        time.Duration `yaml:"interval"`
	analysis.Config `yaml:",inline"`
}

// Source is one ticketing system. Exactly one of Jira, ServiceNow and Asana is
// set.
type Source struct {
	// Since is how far back the first collection goes: a day (2024-01-01), or
	// a number of months before now (24mo).
	Since string      `yaml:"since"`
	HTTP  rest.Config `yaml:"http"`

	Jira       *jira.Config       `yaml:"jira"`
	ServiceNow *servicenow.Config `yaml:"servicenow"`
	Asana      *asana.Config      `yaml:"asana"`
}

// WebConfig says where and how metrics are served.
type WebConfig struct {
	Listen string `yaml:"listen"`
	// People shows single engineers on the pages, to those who may see them.
	People bool `yaml:"people"`
	// ConfigFile names a Prometheus web configuration file (TLS and basic
	// authentication). Without one, only loopback addresses are served.
	ConfigFile string `yaml:"config_file"`
	// Access says who sees what on the pages.
	Access web.AccessConfig `yaml:"access"`
}

// LogConfig says what is logged and how. Format is text, json or auto: text on
// a terminal, JSON elsewhere.
type LogConfig struct {
	Level  slog.Level `yaml:"level"`
	Format string     `yaml:"format"`
}

const defaultSince = "24mo"

func defaultConfig() *Config {
	return &Config{
		ClickHouse: clickhouse.DefaultConfig(),
		Collector:  collector.DefaultConfig(),
		Analysis:   AnalysisConfig{Interval: 5 * time.Minute, Config: analysis.DefaultConfig()},
		Metrics:    exporter.DefaultConfig(),
		Web:        WebConfig{Listen: "127.0.0.1:9464", People: true, Access: web.DefaultAccessConfig()},
		Report:     ReportConfig{After: 72 * time.Hour},
		Privacy:    PrivacyConfig{Retention: privacy.DefaultRetention()},
		Alerts:     alertmanager.DefaultConfig(),
		Log:        LogConfig{Format: "auto"},
	}
}

// UnmarshalYAML puts the defaults under what the file says.
func (s *Source) UnmarshalYAML(node *yaml.Node) error {
	for key := range mappingPairs(node) {
		s.setDefaults(key.Value)
	}
	s.setDefaults("")
	type plain Source
	return node.Decode((*plain)(s))
}

func (s *Source) setDefaults(key string) {
	switch key {
	case "jira":
		if s.Jira == nil {
			cfg := jira.DefaultConfig()
			s.Jira = &cfg
		}
	case "servicenow":
		if s.ServiceNow == nil {
			cfg := servicenow.DefaultConfig()
			s.ServiceNow = &cfg
		}
	case "asana":
		if s.Asana == nil {
			cfg := asana.DefaultConfig()
			s.Asana = &cfg
		}
	default:
		if s.Since == "" {
			s.Since = defaultSince
		}
		if s.HTTP == (rest.Config{}) {
			s.HTTP = rest.DefaultConfig()
		}
	}
}

var configPaths = []string{"fairlead.yaml", "/etc/fairlead/fairlead.yaml"}

// loadConfig reads path, else the first of the usual places that exists, else
// nothing, and puts the environment over it. It returns the file that was read.
func loadConfig(path string, environ []string) (cfg *Config, read string, unknown []string, err error) {
	cfg = defaultConfig()
	cfg.Privacy.Retention.Tickets = unsaid
	paths := configPaths
	if path != "" {
		paths = []string{path}
	}
	for _, candidate := range paths {
		text, err := os.ReadFile(candidate)
		if errors.Is(err, fs.ErrNotExist) && path == "" {
			continue
		}
		if err != nil {
			return nil, "", nil, fmt.Errorf("reading the configuration: %w", err)
		}
		if err := parseConfig(text, cfg); err != nil {
			return nil, "", nil, fmt.Errorf("configuration %s: %w", candidate, err)
		}
		read = candidate
		break
	}
	unknown, err = overlay(cfg, environ)
	if err != nil {
		return nil, "", nil, err
	}
	cfg.settleRetention(time.Now())
	if err := cfg.validate(); err != nil {
		where := read
		if where == "" {
			where = "from the environment"
		}
		return nil, "", nil, fmt.Errorf("configuration %s: %w", where, err)
	}
	return cfg, read, unknown, nil
}

func parseConfig(text []byte, cfg *Config) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return oneLine(err)
	}
	if len(doc.Content) == 0 {
		return nil // empty, or comments only
	}
	if err := checkKeys(doc.Content[0], reflect.TypeFor[Config](), ""); err != nil {
		return err
	}
	return oneLine(doc.Decode(cfg))
}

// validate checks what can be checked without reaching anything.
func (c *Config) validate() error {
	for _, name := range keysOf(c.Sources) {
		s := c.Sources[name]
		at := "sources." + name
		if s == nil {
			return fmt.Errorf("%s is empty: give it a jira, a servicenow or an asana section", at)
		}
		s.setDefaults("")
		if _, err := s.since(time.Now()); err != nil {
			return fmt.Errorf("%s.since: %w", at, err)
		}
		if err := s.HTTP.Validate(); err != nil {
			return fmt.Errorf("%s.http: %w", at, err)
		}
		switch kinds := s.kinds(); {
		case len(kinds) > 1:
			return fmt.Errorf("%s has a %s section: make a source of each", at, strings.Join(kinds, " and a "))
		case s.Jira != nil:
			if err := s.Jira.Validate(); err != nil {
				return fmt.Errorf("%s.jira: %w", at, err)
			}
		case s.ServiceNow != nil:
			if err := s.ServiceNow.Validate(); err != nil {
				return fmt.Errorf("%s.servicenow: %w", at, err)
			}
		case s.Asana != nil:
			if err := s.Asana.Validate(); err != nil {
				return fmt.Errorf("%s.asana: %w", at, err)
			}
		default:
			return fmt.Errorf("%s has neither a jira nor a servicenow nor an asana section: give it one", at)
		}
	}
	if err := c.ClickHouse.Validate(); err != nil {
		return err
	}
	if err := c.Collector.Validate(); err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	if c.Analysis.Interval < time.Second {
		return fmt.Errorf("analysis.interval is %s: use a second or more", c.Analysis.Interval)
	}
	if err := c.Analysis.Validate(); err != nil {
		return fmt.Errorf("analysis: %w", err)
	}
	if err := c.Metrics.Validate(); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	if err := c.Web.Access.Validate(); err != nil {
		return fmt.Errorf("web.access.%w", err)
	}
	if err := c.Report.Validate(); err != nil {
		return fmt.Errorf("report.%w", err)
	}
	if err := c.Privacy.Retention.Validate(c.Analysis.Ownership.Memory); err != nil {
		return fmt.Errorf("privacy.retention.%w", err)
	}
	if keep := c.Privacy.Retention.Tickets; keep > 0 {
		now := time.Now()
		for _, w := range c.Analysis.Windows {
			if from, _ := w.Bounds(now); from.Before(now.Add(-keep)) {
				return fmt.Errorf("analysis.windows has %s, which reaches further back than tickets are kept: make it shorter, or privacy.retention.tickets longer (0 keeps them for ever)", w)
			}
		}
	}
	if err := c.Alerts.Validate(); err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	if !slices.Contains([]string{"auto", "text", "json"}, c.Log.Format) {
		return fmt.Errorf("log.format is %q: use auto, text or json", c.Log.Format)
	}
	if err := checkListen(c.Web); err != nil {
		return err
	}
	return c.checkScrapers()
}

// kinds are the systems that a source has a section for.
func (s *Source) kinds() []string {
	var kinds []string
	for _, one := range []struct {
		name string
		set  bool
	}{{"jira", s.Jira != nil}, {"servicenow", s.ServiceNow != nil}, {"asana", s.Asana != nil}} {
		if one.set {
			kinds = append(kinds, one.name)
		}
	}
	return kinds
}

// unsaid stands for a privacy.retention.tickets that nobody gave.
const unsaid = time.Duration(math.MinInt64)

// settleRetention says how long closed tickets are kept where nobody did: as long as
// by default, but no shorter than a since or a memory that somebody wrote asks for.
// A default does not undo what was asked for.
func (c *Config) settleRetention(now time.Time) {
	if c.Privacy.Retention.Tickets != unsaid {
		return
	}
	keep := max(privacy.DefaultRetention().Tickets, c.Analysis.Ownership.Memory)
	for _, s := range c.Sources {
		if s == nil || s.Since == defaultSince {
			continue
		}
		since, err := s.since(now)
		if err != nil || !since.Before(now.Add(-keep)) {
			continue // validate says what is wrong with it
		}
		if n, ok := s.months(); ok {
			keep = time.Duration(n) * 31 * 24 * time.Hour
		} else {
			keep = 0 // whatever came after that day, for ever
			break
		}
	}
	c.Privacy.Retention.Tickets = keep
}

// months is how many Source.Since goes back; false where it is a day.
func (s *Source) months() (n int, ok bool) {
	months, ok := strings.CutSuffix(s.Since, "mo")
	if !ok {
		return 0, false
	}
	_, err := fmt.Sscanf(months, "%d", &n)
	return n, err == nil && n > 0 && fmt.Sprint(n) == months
}

// since is the instant that Source.Since means.
func (s *Source) since(now time.Time) (time.Time, error) {
	if n, ok := s.months(); ok {
		return now.UTC().Truncate(24*time.Hour).AddDate(0, -n, 0), nil
	} else if day, err := time.Parse(time.DateOnly, s.Since); err == nil {
		return day, nil
	}
	return time.Time{}, fmt.Errorf("%q is neither a day (2024-01-01) nor a number of months (24mo)", s.Since)
}

// checkKeys refuses keys that t does not have, with their line and the nearest
// key that it has. (The library's strict mode does not reach through
// UnmarshalYAML, which the defaults of a source need.) A duration of 0 it lets stand
// without a unit, which the library does not.
func checkKeys(node *yaml.Node, t reflect.Type, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if t == reflect.TypeFor[time.Duration]() && node.Kind == yaml.ScalarNode && node.Value == "0" {
		node.Tag = "!!str"
	}
	if node.Kind != yaml.MappingNode {
		return nil
	}
	switch t.Kind() {
	case reflect.Map:
		for key, value := range mappingPairs(node) {
			if err := checkKeys(value, t.Elem(), joinKey(path, key.Value)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		fields := yamlFields(t)
		for key, value := range mappingPairs(node) {
			field, ok := fields[key.Value]
			if !ok {
				hint := "the keys here are " + strings.Join(keysOf(fields), ", ")
				if near := nearest(key.Value, keysOf(fields)); near != "" {
					hint = "did you mean " + near + "?"
				}
				return fmt.Errorf("line %d: unknown key %s: %s", key.Line, joinKey(path, key.Value), hint)
			}
			if err := checkKeys(value, field, joinKey(path, key.Value)); err != nil {
				return err
			}
		}
	}
	return nil
}

func joinKey(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func mappingPairs(node *yaml.Node) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if node.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !yield(node.Content[i], node.Content[i+1]) {
				return
			}
		}
	}
}

func yamlFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() || tag == "-":
		case strings.Contains(options, "inline"):
			for k, v := range yamlFields(f.Type) {
				fields[k] = v
			}
		case tag == "":
			fields[strings.ToLower(f.Name)] = f.Type
		default:
			fields[tag] = f.Type
		}
	}
	return fields
}

// nearest is the one of candidates that word most likely means, or "".
func nearest(word string, candidates []string) string {
	best, distance := "", len(word)/2+1
	for _, c := range candidates {
		if d := editDistance(word, c); d < distance {
			best, distance = c, d
		}
	}
	return best
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// oneLine folds a message of several lines, as joined errors and the YAML
// library give, into one.
func oneLine(err error) error {
	if err == nil {
		return nil
	}
	var parts []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "yaml: ")
		if line != "" && line != "unmarshal errors:" {
			parts = append(parts, line)
		}
	}
	return errors.New(strings.Join(parts, "; "))
}

// dataDir is where the embedded warehouse and the key live.
func (c *Config) dataDir(flag string) (string, error) {
	switch {
	case flag != "":
		return flag, nil
	case c.DataDir != "":
		return c.DataDir, nil
	}
	return userDataDir("data")
}

// userDataDir is a folder of ours where a user's programs keep their data.
func userDataDir(name string) (string, error) {
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding a data folder: %w: give one with --data", err)
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "fairlead", name), nil
}
