package servicenowtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault makes requests go wrong. The zero value of each part leaves that part
// of the answer alone.
type Fault struct {
	Table string // only requests of this table; all when empty; "oauth" is the token endpoint, "batch" the Batch API
	After int    // let this many requests pass first
	Times int    // then this many go wrong; every one when 0

	Status     int           // answer with this status and ServiceNow's error body
	RetryAfter string        // with this header
	Body       string        // answer with this body, status 200 unless Status is set
	Truncate   int           // send only so many bytes of the right body, as if it were whole
	Drop       bool          // break the connection before the answer
	Delay      time.Duration // wait before the answer
	Repeat     bool          // prepend the last record of the answer before, a duplicate
}

type faults struct {
	list     []*Fault
	limit    int
	window   time.Duration
	used     int
	resets   time.Time
	counts   map[string]int
	total    int
	observer func(*http.Request)
	last     map[string][]byte // last record given, by table and columns
}

func (f *faults) init() {
	f.counts = map[string]int{}
	f.last = map[string][]byte{}
}

// Inject adds a fault.
func (in *Instance) Inject(f Fault) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.faults.list = append(in.faults.list, &f)
}

// ClearFaults removes all faults.
func (in *Instance) ClearFaults() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.faults.list = nil
}

// SetRateLimit lets so many requests through in each window; 0 lifts the limit.
// The platform's windows are an hour long and begin on the hour (product
// documentation, "Inbound REST API rate limiting").
func (in *Instance) SetRateLimit(requests int, window time.Duration) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.faults.limit, in.faults.window, in.faults.used, in.faults.resets = requests, window, 0, time.Time{}
}

// Observe calls f before each answered request, one at a time, so that f may change
// the instance between two requests of a client. nil ends it.
func (in *Instance) Observe(f func(*http.Request)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.faults.observer = nil
	if f != nil {
		var mu sync.Mutex
		in.faults.observer = func(r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			f(r)
		}
	}
}

// Requests says how many requests came, by path; those that were refused or
// went wrong are counted too.
func (in *Instance) Requests() map[string]int {
	in.mu.Lock()
	defer in.mu.Unlock()
	out := map[string]int{}
	for k, v := range in.faults.counts {
		out[k] = v
	}
	return out
}

// TotalRequests is the sum of Requests.
func (in *Instance) TotalRequests() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.faults.total
}

// ResetRequests begins counting anew.
func (in *Instance) ResetRequests() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.faults.counts, in.faults.total = map[string]int{}, 0
}

// InvalidQueries lists the parts of queries that were ignored since they could
// not be read or name a column that does not exist. The platform says nothing;
// a test should.
func (in *Instance) InvalidQueries() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.invalid)
}

// count books a request and gives the fault that it meets, and the observer.
func (in *Instance) count(r *http.Request, table string) (*Fault, func(*http.Request)) {
	in.mu.Lock()
	in.faults.counts[r.URL.Path]++
	in.faults.total++
	in.mu.Unlock()
	return in.meet(table)
}

// meet gives the fault that a request of a table meets, and the observer.
func (in *Instance) meet(table string) (*Fault, func(*http.Request)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, f := range in.faults.list {
		if f.Table != "" && f.Table != table {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		hit := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				in.faults.list = slices.Delete(in.faults.list, i, i+1)
			}
		}
		return &hit, in.faults.observer
	}
	return nil, in.faults.observer
}

// limited counts a request against the rate limit, sets the headers that a
// request under a rule gets, and answers it when it is one too many.
func (in *Instance) limited(w http.ResponseWriter) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	f := &in.faults
	if f.limit == 0 {
		return false
	}
	now := in.opts.Clock()
	if !now.Before(f.resets) {
		f.used, f.resets = 0, now.Truncate(f.window).Add(f.window)
	}
	f.used++
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(f.limit))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(f.resets.Unix(), 10))
	h.Set("X-RateLimit-Rule", SysID("sys_rate_limit_rules", "fairlead"))
	if f.used <= f.limit {
		return false
	}
	wait := f.resets.Sub(now)
	h.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	writeError(w, http.StatusTooManyRequests, "Rate limit exceeded",
		"Rate limit of "+strconv.Itoa(f.limit)+" requests exceeded. Try again later.")
	return true
}

// access is what the calling account may not see.
type access struct {
	denied     map[string]bool
	hidden     map[string]func(Record) bool
	restricted map[string]func(Record) bool
	columns    map[string]bool // "table.column"
}

func (a *access) init() {
	a.denied, a.columns = map[string]bool{}, map[string]bool{}
	a.hidden, a.restricted = map[string]func(Record) bool{}, map[string]func(Record) bool{}
}

// DenyTable makes the table answer 403: no access at the level of the API.
func (in *Instance) DenyTable(table string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.access.denied[table] = true
}

// HideRows drops the rows for which hide is true after the query was limited,
// so that a page is shorter than asked: "ACLs filter rows after the query
// runs" (KB3047115, "Inbound Web Services — Empty or Incomplete Results").
func (in *Instance) HideRows(table string, hide func(Record) bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.access.hidden[table] = hide
}

// HideTable drops every row of the table after the query, as a missing read
// ACL does: the answer is an empty 200.
func (in *Instance) HideTable(table string) {
	in.HideRows(table, func(Record) bool { return true })
}

// RestrictRows takes the rows for which hide is true out of every query, as a
// before-query business rule does: no total counts them.
func (in *Instance) RestrictRows(table string, hide func(Record) bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.access.restricted[table] = hide
}

// HideColumn leaves a column out of every answer, as a field ACL does.
func (in *Instance) HideColumn(table, column string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.access.columns[table+"."+column] = true
}

// AllowAll takes back all that was denied or hidden.
func (in *Instance) AllowAll() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.access.init()
}

func pathTable(path string) (table, id string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/api/now/")
	if !ok {
		return "", "", false
	}
	if v, after, found := strings.Cut(rest, "/"); found && (v == "v1" || v == "v2") {
		rest = after
	}
	rest, ok = strings.CutPrefix(rest, "table/")
	if !ok {
		return "", "", false
	}
	table, id, _ = strings.Cut(rest, "/")
	return table, id, table != ""
}
