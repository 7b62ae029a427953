package asanatest

import (
	"maps"
	"regexp"
	"sync"
	"time"
)

// meter counts requests and holds them to the limits, which are windows of a
// minute ("Rate limits").
type meter struct {
	mu      *sync.Mutex
	total   int            // HTTP requests
	calls   int            // the same, with a batch as its actions
	byPath  map[string]int // calls, by path
	sent    map[string]int // HTTP requests, by path; a batch by that of its first action
	now     int            // under way
	window  time.Time
	used    int
	cost    int
	refused int
}

func newMeter() meter {
	return meter{mu: &sync.Mutex{}, byPath: map[string]int{}, sent: map[string]int{}}
}

var number = regexp.MustCompile(`\d{6,}`)

// enter is the beginning of a request; more than zero is how long to wait.
func (m *meter) enter(path string, o Options, at time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total++
	if path != Prefix+"/batch" {
		m.sent[number.ReplaceAllString(path, "{gid}")]++
		if wait := m.count(path, o, at); wait > 0 {
			return wait
		}
	}
	if o.AtOnce > 0 && m.now >= o.AtOnce {
		m.refused++
		return time.Second
	}
	m.now++
	return 0
}

func (m *meter) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now--
}

func (m *meter) batch(first string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent[number.ReplaceAllString(first, "{gid}")]++
}

// act is an action of a batch.
func (m *meter) act(path string, o Options, at time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count(path, o, at)
}

func (m *meter) count(path string, o Options, at time.Time) time.Duration {
	m.calls++
	m.byPath[number.ReplaceAllString(path, "{gid}")]++
	if at.Sub(m.window) >= time.Minute || at.Before(m.window) {
		m.window, m.used, m.cost = at, 0, 0
	}
	m.used++
	if o.PerMinute > 0 && m.used > o.PerMinute || o.Cost > 0 && m.cost > o.Cost {
		m.refused++
		return m.window.Add(time.Minute).Sub(at)
	}
	return 0
}

func (m *meter) spend(objects int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cost += objects
}

// Requests are the calls so far by path, gids left out; an action of a batch is
// a call, the batch itself is not.
func (w *Workspace) Requests() map[string]int {
	w.meter.mu.Lock()
	defer w.meter.mu.Unlock()
	return maps.Clone(w.meter.byPath)
}

// TotalRequests are the HTTP requests so far, a batch being one.
func (w *Workspace) TotalRequests() int {
	w.meter.mu.Lock()
	defer w.meter.mu.Unlock()
	return w.meter.total
}

// Sent are the HTTP requests so far by path, a batch by that of its first action.
func (w *Workspace) Sent() map[string]int {
	w.meter.mu.Lock()
	defer w.meter.mu.Unlock()
	return maps.Clone(w.meter.sent)
}

// Calls are the requests so far, with the actions of a batch in its place.
func (w *Workspace) Calls() int {
	w.meter.mu.Lock()
	defer w.meter.mu.Unlock()
	return w.meter.calls
}

// Refused is how many requests a rate limit has refused.
func (w *Workspace) Refused() int {
	w.meter.mu.Lock()
	defer w.meter.mu.Unlock()
	return w.meter.refused
}

// ResetRequests counts from zero again.
func (w *Workspace) ResetRequests() {
	w.meter.mu.Lock()
	defer w.meter.mu.Unlock()
	w.meter.total, w.meter.calls, w.meter.refused = 0, 0, 0
	clear(w.meter.byPath)
	clear(w.meter.sent)
}
