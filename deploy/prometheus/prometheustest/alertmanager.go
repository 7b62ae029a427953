package prometheustest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Alertmanager is a running server whose receivers are all webhooks of the test.
type Alertmanager struct {
	*Process

	mu   sync.Mutex
	sent map[string][]Alert
}

// StartAlertmanager runs an Alertmanager until the end of the test, with a
// configuration whose receivers are replaced by webhooks, and whose waits are cut
// down to a second, at any hour. Routes and inhibition are as they are.
func StartAlertmanager(t testing.TB, config string) *Alertmanager {
	t.Helper()
	binary := Binary(t, "prometheus-alertmanager", "prometheus-alertmanager")
	a := &Alertmanager{sent: map[string][]Alert{}}
	hook := httptest.NewServer(http.HandlerFunc(a.receive))
	t.Cleanup(hook.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	write(t, file, hurry(t, config, hook.URL))
	a.Process = start(t, "/-/ready", binary, func(address string) []string {
		return []string{"--config.file=" + file, "--storage.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address, "--cluster.listen-address="}
	})
	return a
}

// hurry is the configuration for a test.
func hurry(t testing.TB, config, hook string) string {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(config), &doc); err != nil {
		t.Fatal(err)
	}
	var route func(map[string]any)
	route = func(r map[string]any) {
		delete(r, "active_time_intervals")
		r["group_wait"], r["group_interval"] = "1s", "1s"
		children, _ := r["routes"].([]any)
		for _, child := range children {
			route(child.(map[string]any))
		}
	}
	route(doc["route"].(map[string]any))
	for _, r := range doc["receivers"].([]any) {
		one := r.(map[string]any)
		name := one["name"].(string)
		clear(one)
		one["name"] = name
		one["webhook_configs"] = []any{map[string]any{"url": hook + "/" + url.PathEscape(name)}}
	}
	text, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (a *Alertmanager) receive(_ http.ResponseWriter, r *http.Request) {
	var message struct {
		Receiver string
		Alerts   []struct {
			Status              string
			Labels, Annotations map[string]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, one := range message.Alerts {
		a.sent[message.Receiver] = append(a.sent[message.Receiver], Alert{one.Status, one.Labels, one.Annotations})
	}
}

// Sent are the alerts that a receiver was told of, in order.
func (a *Alertmanager) Sent(receiver string) []Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Alert(nil), a.sent[receiver]...)
}

// Told are the alerts that each receiver was told of, in order.
func (a *Alertmanager) Told() map[string][]Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make(map[string][]Alert, len(a.sent))
	for receiver, list := range a.sent {
		all[receiver] = slices.Clone(list)
	}
	return all
}

// Receivers are those that were told of an alert with this name.
func (a *Alertmanager) Receivers(alertname string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var names []string
	for name, list := range a.sent {
		for _, one := range list {
			if one.Labels["alertname"] == alertname {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// Inhibited gives for each alert that is active now, by name, whether all of them
// are silenced by another.
func (a *Alertmanager) Inhibited(ctx context.Context) (map[string]bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/api/v2/alerts", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var list []struct {
		Labels map[string]string
		Status struct {
			InhibitedBy []string `json:"inhibitedBy"`
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return nil, fmt.Errorf("reading Alertmanager's answer: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("no alert is active")
	}
	states := map[string]bool{}
	for _, one := range list {
		name := one.Labels["alertname"]
		before, seen := states[name]
		states[name] = len(one.Status.InhibitedBy) > 0 && (before || !seen)
	}
	return states, nil
}
