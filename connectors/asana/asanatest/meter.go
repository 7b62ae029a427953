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
	found   int // searches
	refused int
}

func newMeter() meter {
	return meter{mu: &sync.Mutex{}, byPath: map[string]int{}, sent: map[string]int{}}
}

var number = regexp.MustCompile(`\d{6,}`)

// enter is the beginning of requests, a single one or the actions of a batch;
// more than zero is how long to wait. All of them are refused where a limit
// allows but some. Otherwise leave is their end.
func (m *meter) enter(paths []string, o Options, at time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total++
	m.calls += len(paths)
	if at.Sub(m.window) >= time.Minute || at.Before(m.window) {
		m.window, m.used, m.cost, m.found = at, 0, 0, 0
	}
	searches := 0
	for i, path := range paths {
		kind := number.ReplaceAllString(path, "{gid}")
		m.byPath[kind]++
		if i == 0 {
			m.sent[kind]++
		}
		if kind == searchPath {
			searches++
		}
	}
	over := func(limit, n int) bool { return limit > 0 && n > limit }
	switch {
	case over(o.PerMinute, m.used+len(paths)), over(o.Cost, m.cost), over(o.Searches, m.found+searches):
		m.refused++
		return m.window.Add(time.Minute).Sub(at)
	case over(o.AtOnce, m.now+len(paths)):
		m.refused++
		return time.Second
	}
	m.used += len(paths)
	m.found += searches
	m.now += len(paths)
	return 0
}

func (m *meter) leave(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now -= n
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
