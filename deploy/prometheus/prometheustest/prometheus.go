package prometheustest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Options are what a Prometheus is started with.
type Options struct {
	// Scrape is the base address of a running Fairlead; empty scrapes nothing.
	Scrape string
	// Rules is the text of a rule file; empty is none.
	Rules string
	// Alertmanager is the address of one, empty for none.
	Alertmanager string
	// History is files of OpenMetrics that are in the storage from the start.
	History []string
	// Every is how often is scraped and evaluated; 0 is a second.
	Every time.Duration
}

// Prometheus is a running server.
type Prometheus struct{ *Process }

// Start runs a Prometheus until the end of the test.
func Start(t testing.TB, o Options) *Prometheus {
	t.Helper()
	binary := Binary(t, "prometheus", "prometheus")
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	for _, file := range o.History {
		Backfill(t, file, data)
	}
	every := o.Every
	if every == 0 {
		every = time.Second
	}
	var config strings.Builder
	fmt.Fprintf(&config, "global: {scrape_interval: %s, scrape_timeout: %[1]s, evaluation_interval: %[1]s}\n", every)
	if o.Rules != "" {
		write(t, filepath.Join(dir, "fairlead.rules.yml"), o.Rules)
		config.WriteString("rule_files: [fairlead.rules.yml]\n")
	}
	if o.Alertmanager != "" {
		fmt.Fprintf(&config, "alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}\n", strings.TrimPrefix(o.Alertmanager, "http://"))
	}
	if o.Scrape != "" {
		target := strings.TrimPrefix(o.Scrape, "http://")
		fmt.Fprintf(&config, "scrape_configs:\n")
		fmt.Fprintf(&config, "  - {job_name: fairlead, static_configs: [{targets: [%q]}]}\n", target)
		fmt.Fprintf(&config, "  - {job_name: fairlead-people, metrics_path: /metrics/people, static_configs: [{targets: [%q]}]}\n", target)
	}
	file := filepath.Join(dir, "prometheus.yml")
	write(t, file, config.String())
	return &Prometheus{start(t, "/-/ready", binary, func(address string) []string {
		return []string{
			"--config.file=" + file, "--storage.tsdb.path=" + data, "--storage.tsdb.retention.time=100y",
			"--web.listen-address=" + address, "--log.level=warn",
		}
	})}
}

// Backfill makes blocks of a file of OpenMetrics in the storage of a Prometheus
// that does not run.
func Backfill(t testing.TB, file, data string) {
	t.Helper()
	Run(t, Binary(t, "promtool", "prometheus"), "tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=744h", file, data)
}

// Sample is one series of an answer. Values are in order; an instant has one.
type Sample struct {
	Labels map[string]string
	Values []Value
}

// Value is a sample's time and value, as text.
type Value struct {
	At time.Time
	V  string
}

// Float is the value as a number.
func (v Value) Float() float64 {
	f, err := strconv.ParseFloat(v.V, 64)
	if err != nil {
		panic(err) // Prometheus writes numbers
	}
	return f
}

// Query evaluates an expression at an instant; the zero time is now.
func (p *Prometheus) Query(ctx context.Context, expr string, at time.Time) ([]Sample, error) {
	form := url.Values{"query": {expr}}
	if !at.IsZero() {
		form.Set("time", at.Format(time.RFC3339Nano))
	}
	return p.query(ctx, "query", form)
}

// QueryRange evaluates an expression from an instant to another.
func (p *Prometheus) QueryRange(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Sample, error) {
	return p.query(ctx, "query_range", url.Values{
		"query": {expr}, "start": {from.Format(time.RFC3339Nano)}, "end": {to.Format(time.RFC3339Nano)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

func (p *Prometheus) query(ctx context.Context, how string, form url.Values) ([]Sample, error) {
	var answer struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	}
	if err := p.get(ctx, "/api/v1/"+how, form, &answer); err != nil {
		return nil, fmt.Errorf("querying %s: %w", form.Get("query"), err)
	}
	if answer.ResultType == "scalar" {
		var one pair
		if err := json.Unmarshal(answer.Result, &one); err != nil {
			return nil, err
		}
		return []Sample{{Values: []Value{one.value()}}}, nil
	}
	var list []struct {
		Metric map[string]string
		Value  *pair
		Values []pair
	}
	if err := json.Unmarshal(answer.Result, &list); err != nil {
		return nil, err
	}
	samples := make([]Sample, len(list))
	for i, one := range list {
		samples[i].Labels = one.Metric
		if one.Value != nil {
			one.Values = append(one.Values, *one.Value)
		}
		for _, v := range one.Values {
			samples[i].Values = append(samples[i].Values, v.value())
		}
	}
	return samples, nil
}

// pair is a time in seconds and a value, as the API writes them.
type pair struct {
	at float64
	v  string
}

func (p *pair) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&p.at, &p.v})
}

func (p pair) value() Value { return Value{time.UnixMilli(int64(p.at * 1000)).UTC(), p.v} }

// Rule is a rule as Prometheus evaluates it.
type Rule struct {
	Name, Query, Type, Health, LastError string
	LastEvaluation                       time.Time
	Alerts                               []Alert
}

// Alert is an alert that is pending or fires.
type Alert struct {
	State               string
	Labels, Annotations map[string]string
}

// Rules are all rules with their state.
func (p *Prometheus) Rules(ctx context.Context) ([]Rule, error) {
	var answer struct {
		Groups []struct{ Rules []Rule }
	}
	if err := p.get(ctx, "/api/v1/rules", nil, &answer); err != nil {
		return nil, err
	}
	var all []Rule
	for _, g := range answer.Groups {
		all = append(all, g.Rules...)
	}
	return all, nil
}

func (p *Prometheus) get(ctx context.Context, path string, form url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if form == nil {
		request.Method, request.Body = http.MethodGet, nil
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(bufio.NewReader(resp.Body)).Decode(&answer); err != nil {
		return fmt.Errorf("reading the answer (%s): %w", resp.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("prometheus refuses: %s", answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}
