package jiratest

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Fault is something that goes wrong with matching requests.
type Fault struct {
	Method string // "" is any
	Path   string // a part of the path; "" is any
	After  int    // so many matching requests pass before it strikes
	Times  int    // how often it strikes; 0 is for ever

	Status     int           // answer with this status and Jira's error body; or
	Garble     bool          // answer 200 with half of a JSON document; or
	Drop       bool          // close the connection without an answer
	RetryAfter time.Duration // with Status 429 or 503: the header, in whole seconds
	Messages   []string      // the errorMessages of the body
}

// traffic counts requests and holds the faults.
type traffic struct {
	mu       sync.Mutex
	requests map[string]int
	faults   []*Fault
	minute   time.Time
	inMinute int

	betweenMu sync.Mutex
	between   func(*http.Request)
}

// Inject adds a fault. Faults are tried in the order in which they came.
func (in *Instance) Inject(f Fault) {
	in.traffic.mu.Lock()
	defer in.traffic.mu.Unlock()
	in.traffic.faults = append(in.traffic.faults, &f)
}

// BeforeEach calls f before each request is answered, one at a time: the place
// for a test to edit issues during a collection.
func (in *Instance) BeforeEach(f func(*http.Request)) {
	in.traffic.betweenMu.Lock()
	defer in.traffic.betweenMu.Unlock()
	in.traffic.between = f
}

// Requests counts the requests since the last ResetRequests by method and
// path, ids in it written as {id}. Requests that a Fault or a rate limit
// answered count too.
func (in *Instance) Requests() map[string]int {
	in.traffic.mu.Lock()
	defer in.traffic.mu.Unlock()
	return maps.Clone(in.traffic.requests)
}

// TotalRequests is the sum of Requests.
func (in *Instance) TotalRequests() int {
	total := 0
	for _, n := range in.Requests() {
		total += n
	}
	return total
}

// ResetRequests sets the counts back to none.
func (in *Instance) ResetRequests() {
	in.traffic.mu.Lock()
	defer in.traffic.mu.Unlock()
	clear(in.traffic.requests)
}

// act lets a test act; what it does may end the goroutine.
func (t *traffic) act(r *http.Request) {
	t.betweenMu.Lock()
	defer t.betweenMu.Unlock()
	if t.between != nil {
		t.between(r)
	}
}

// admit counts a request and returns the fault that strikes it, if any.
func (t *traffic) admit(r *http.Request, now time.Time, perMinute int) (fault *Fault, limited time.Duration) {
	t.act(r)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests[r.Method+" "+template(r.URL.Path)]++
	for n, f := range t.faults {
		if f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.Path, f.Path) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				t.faults = append(t.faults[:n:n], t.faults[n+1:]...)
			}
		}
		return f, 0
	}
	if perMinute > 0 {
		if minute := now.Truncate(time.Minute); !minute.Equal(t.minute) {
			t.minute, t.inMinute = minute, 0
		}
		if t.inMinute++; t.inMinute > perMinute {
			return nil, t.minute.Add(time.Minute).Sub(now)
		}
	}
	return nil, 0
}

// template writes the ids in a path as {id}.
func template(path string) string {
	parts := strings.Split(path, "/")
	for n, part := range parts {
		if n > 0 && (parts[n-1] == "issue" && part != "bulkfetch" || parts[n-1] == "project" && part != "search") {
			parts[n] = "{id}"
		}
	}
	return strings.Join(parts, "/")
}
