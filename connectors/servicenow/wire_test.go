package servicenow_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
)

type recorder struct {
	code   int
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(code int)        { r.code = code }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func (r *recorder) response(req *http.Request) *http.Response {
	return &http.Response{
		Status: fmt.Sprint(r.code, " ", http.StatusText(r.code)), StatusCode: r.code, Header: r.header, Request: req,
		Body: io.NopCloser(&r.body), ProtoMajor: 1, ProtoMinor: 1,
	}
}

// rewrite changes the bodies that come back, one at a time.
type rewrite struct {
	mu     sync.Mutex
	next   http.RoundTripper
	change func(r *http.Request, body string) string
}

func (w *rewrite) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	resp.Body = io.NopCloser(strings.NewReader(w.change(r, string(b))))
	return resp, nil
}

// bubble runs a test in which waiting costs nothing.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		fault servicenowtest.Fault
		is    error
		says  string
		times int // requests of the table
	}{
		"unauthorized":    {servicenowtest.Fault{Table: "incident", Status: 401}, source.ErrUnauthorized, "check the user name, the password", 1},
		"forbidden":       {servicenowtest.Fault{Table: "incident", Status: 403}, source.ErrForbidden, "give the account a role", 1},
		"down":            {servicenowtest.Fault{Table: "incident", Status: 503}, source.ErrUnreachable, "503", 1},
		"redirected":      {servicenowtest.Fault{Table: "incident", Status: 302}, source.ErrUnreachable, "check that url is the instance", 1},
		"dropped":         {servicenowtest.Fault{Table: "incident", Drop: true}, source.ErrUnreachable, "connection reset", 1},
		"a web page":      {servicenowtest.Fault{Table: "incident", Body: "<html>Your instance is hibernating</html>"}, source.ErrUnreadable, "is the instance asleep", 3},
		"no JSON":         {servicenowtest.Fault{Table: "incident", Truncate: 20}, source.ErrUnreadable, "not whole JSON", 3},
		"no result":       {servicenowtest.Fault{Table: "incident", Body: `{}`}, source.ErrUnreadable, "has no result", 3},
		"an error in 200": {servicenowtest.Fault{Table: "incident", Body: `{"result":[],"error":{"message":"boom"},"status":"failure"}`}, source.ErrUnreadable, "boom", 3},
		"the wrong shape": {servicenowtest.Fault{Table: "incident", Body: `{"result":[{"state":["x"]}]}`}, source.ErrUnreadable, "values of another kind", 3},
		"audit unread":    {servicenowtest.Fault{Table: "sys_audit", Truncate: 20}, source.ErrUnreadable, "/api/now/table/sys_audit the history of 4 tickets", 3},
		"audit, one time": {servicenowtest.Fault{Table: "sys_audit", Truncate: 20, Times: 2}, nil, "", 3},
		"names forbidden": {servicenowtest.Fault{Table: "sys_user", Status: 403}, nil, "", 1},
		"names down":      {servicenowtest.Fault{Table: "sys_user", Status: 500}, source.ErrUnreachable, "/api/now/table/sys_user", 1},
	} {
		bubble(t, name, func(t *testing.T) {
			in := newInstance(servicenowtest.Options{})
			in.fill(t, "incident", 4)
			in.Inject(c.fault)
			src := in.connect(t, func(cfg *servicenow.Config) { cfg.Batch = false })
			_, _, err := drain(src, source.StreamOpen, source.Cursor{Start: monday})
			if !errors.Is(err, c.is) || c.is != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v saying %q", err, c.is, c.says)
			}
			if err != nil && (strings.Contains(err.Error(), "fairlead:") || strings.Contains(err.Error(), "sysparm") || strings.Contains(err.Error(), "\n")) {
				t.Errorf("the error says too much: %v", err)
			}
			if n := in.Requests()["/api/now/table/"+c.fault.Table]; n != c.times {
				t.Errorf("%d requests, want %d", n, c.times)
			}
		})
	}
}

// TestCancelledRequestIsHalved answers as a transaction quota does: with 200,
// and an error behind a part of the result.
func TestCancelledRequestIsHalved(t *testing.T) {
	bubble(t, "", cancelledRequestIsHalved)
}

func cancelledRequestIsHalved(t *testing.T) {
	in := newInstance(servicenowtest.Options{})
	in.fill(t, "incident", 30)
	var limits []string
	transport := &rewrite{next: memory{in.Instance}, change: func(r *http.Request, body string) string {
		if !strings.HasSuffix(r.URL.Path, "/incident") {
			return body
		}
		limit := r.URL.Query().Get("sysparm_limit")
		limits = append(limits, limit)
		if limit == "20" || limit == "10" {
			return body[:len(body)/2] + `"error":{"message":"Transaction cancelled: maximum execution time exceeded","detail":""},"status":"failure"}`
		}
		return body
	}}
	cfg := servicenow.DefaultConfig()
	cfg.URL, cfg.Username, cfg.Password, cfg.PageSize = "https://acme.service-now.com", "fairlead", "fairlead", 20
	src, err := servicenow.New(cfg, servicenow.Options{Transport: transport, Clock: in.clock})
	if err != nil {
		t.Fatal(err)
	}
	tickets, _, err := drain(src, source.StreamOpen, source.Cursor{Start: monday})
	if err != nil || len(tickets) != 30 {
		t.Fatalf("%d tickets came, %v; asked for %v", len(tickets), err, limits)
	}
	if got := strings.Join(limits[:4], " "); got != "20 10 5 5" {
		t.Errorf("asked for %v", limits)
	}
}

func TestLongRequestsAreSplit(t *testing.T) {
	for name, limit := range map[string]struct{ ours, theirs int }{
		"by our limit": {2000, 8192}, "by the instance's": {8000, 1800},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(servicenowtest.Options{MaxURL: limit.theirs})
			in.fill(t, "incident", 100)
			longest := 0
			in.Observe(func(r *http.Request) {
				longest = max(longest, len(r.URL.String()))
			})
			tickets, _, err := drain(in.connect(t, func(c *servicenow.Config) { c.MaxURLBytes = limit.ours }), source.StreamOpen, source.Cursor{Start: monday})
			if err != nil || len(tickets) != 100 {
				t.Fatalf("%d tickets came, %v", len(tickets), err)
			}
			for _, tk := range tickets {
				if len(tk.Changes) != 2 || !tk.HistoryComplete {
					t.Fatalf("got %+v", tk)
				}
			}
			if longest > limit.ours {
				t.Errorf("a request was %d bytes long", longest)
			}
		})
	}
}

func TestOAuth(t *testing.T) {
	for name, change := range map[string]func(*servicenow.Config){
		"client credentials": func(c *servicenow.Config) { c.Username, c.Password = "", "" },
		"password":           func(*servicenow.Config) {},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(servicenowtest.Options{ClientID: "app", ClientSecret: "s3cret"})
			in.fill(t, "incident", 4)
			connect := func(secret string) *servicenow.Source {
				return in.connect(t, func(c *servicenow.Config) { c.ClientID, c.ClientSecret = "app", secret; change(c) })
			}
			src := connect("s3cret")
			tokens := func() int { return in.Requests()["/oauth_token.do"] }
			now := func(want int) {
				t.Helper()
				if _, err := src.Now(t.Context()); err != nil {
					t.Fatal(err)
				}
				if tokens() != want {
					t.Errorf("%d tokens were asked for, want %d", tokens(), want)
				}
			}
			now(1)
			now(1)
			in.RevokeTokens() // refused once, then renewed
			now(2)
			in.advance(29*time.Minute + 30*time.Second) // about to run out
			now(3)

			in.Inject(servicenowtest.Fault{Table: "incident", Status: 401})
			if _, err := src.Now(t.Context()); !errors.Is(err, source.ErrUnauthorized) || tokens() != 4 {
				t.Errorf("got %v after %d tokens", err, tokens())
			}
			_, err := connect("wrong").Now(t.Context())
			if !errors.Is(err, source.ErrUnauthorized) || !strings.Contains(err.Error(), "client_secret") || strings.Contains(err.Error(), "wrong") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	want := func(t *testing.T, r source.Report, what string, level source.Level, says string) {
		t.Helper()
		if f := fact(r, what); f.Level != level || !strings.Contains(f.Says, says) {
			t.Errorf("%s: got %+v, want %s saying %q", what, f, level, says)
		}
	}
	for name, c := range map[string]struct {
		change func(in *clocked)
		what   string
		level  source.Level
		says   string
	}{
		"account":     {func(*clocked) {}, "account", source.LevelOK, "fairlead is signed in"},
		"version":     {func(*clocked) {}, "version", source.LevelOK, "glide-zurich"},
		"tickets":     {func(*clocked) {}, "tickets visible in incident", source.LevelOK, "6"},
		"history":     {func(*clocked) {}, "history of incident", source.LevelOK, "readable"},
		"no limit":    {func(*clocked) {}, "rate limit", source.LevelOK, "no rule"},
		"estimate":    {func(*clocked) {}, "first collection", source.LevelOK, "at most 6 tickets"},
		"a while":     {func(in *clocked) { in.SetRateLimit(12, time.Hour) }, "first collection", source.LevelOK, "under the rate limit it takes"},
		"batches":     {func(*clocked) {}, "batches", source.LevelOK, "sent as one"},
		"no batches":  {func(in *clocked) { in.LimitBatches(-1) }, "batches", source.LevelOK, "takes none"},
		"no comments": {func(*clocked) {}, "comments", source.LevelWarning, "none are shown"},
		"comments": {func(in *clocked) {
			if err := in.Update("incident", "done", servicenowtest.Record{"comments": "there"}, "ann", monday); err != nil {
				panic(err)
			}
		}, "comments", source.LevelOK, "readable"},
		"comments refused": {func(in *clocked) { in.DenyTable("sys_journal_field") }, "comments", source.LevelWarning, "set comments: false"},
		"limit":            {func(in *clocked) { in.SetRateLimit(5000, time.Hour) }, "rate limit", source.LevelOK, "5000 requests an hour, counted anew at 2026-03-02T10:00:00Z"},
		"no version":       {func(in *clocked) { in.DenyTable("sys_properties") }, "version", source.LevelOK, "not needed"},
		"no names":         {func(in *clocked) { in.DenyTable("sys_user") }, "account", source.LevelWarning, "neither names nor"},
		"no group names":   {func(in *clocked) { in.HideTable("sys_user_group") }, "groups", source.LevelWarning, "no names"},
		"no table":         {func(in *clocked) { in.DenyTable("incident") }, "tickets visible in incident", source.LevelFailed, "sn_incident_read"},
		"no rows":          {func(in *clocked) { in.HideTable("incident") }, "tickets visible in incident", source.LevelWarning, "6 exist"},
		"no tickets":       {func(in *clocked) { in.RestrictRows("incident", func(servicenowtest.Record) bool { return true }) }, "tickets visible in incident", source.LevelWarning, "none"},
		"no column":        {func(in *clocked) { in.HideColumn("incident", "cmdb_ci") }, "tickets visible in incident", source.LevelWarning, "6, without cmdb_ci"},
		"no holder":        {func(in *clocked) { in.HideColumn("incident", "assigned_to") }, "tickets visible in incident", source.LevelFailed, "assigned_to"},
		"a person's login": {func(in *clocked) { in.AddUser(servicenowtest.User{UserName: "fairlead"}) }, "account", source.LevelWarning, "web service access only"},
		"audit is off":     {func(in *clocked) { in.RestrictRows("sys_audit", func(servicenowtest.Record) bool { return true }) }, "history of incident", source.LevelFailed, "audit_viewer"},
		"audit is refused": {func(in *clocked) { in.DenyTable("sys_audit") }, "history of incident", source.LevelFailed, "sys_audit is refused: give the account the role audit_viewer"},
		"no ticket changed": {func(in *clocked) {
			in.RestrictRows("incident", func(r servicenowtest.Record) bool { return r["active"] == "false" })
		}, "history of incident", source.LevelWarning, "not known"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(servicenowtest.Options{})
			in.fill(t, "incident", 5)
			in.Insert("incident", servicenowtest.Record{"sys_id": "done"}, "ann", monday.Add(-time.Hour))
			if err := in.Update("incident", "done", servicenowtest.Record{"state": "7"}, "ann", monday.Add(-time.Minute)); err != nil {
				t.Fatal(err)
			}
			c.change(in)
			r, err := in.connect(t, nil).Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want(t, r, c.what, c.level, c.says)
			if n := in.TotalRequests(); n > 11 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestCheckHistory: check says which histories are possible, and what to set.
func TestCheckHistory(t *testing.T) {
	metric := func(columns ...string) func(*clocked) {
		return func(in *clocked) {
			for _, c := range columns {
				in.AddMetric("incident", c, monday.AddDate(0, 0, -3))
			}
		}
	}
	both := func(some ...func(*clocked)) func(*clocked) {
		return func(in *clocked) {
			for _, f := range some {
				f(in)
			}
		}
	}
	denied := func(in *clocked) { in.DenyTable("sys_audit") }
	for name, c := range map[string]struct {
		mode   servicenow.HistoryMode
		change func(in *clocked)
		level  source.Level
		says   string
	}{
		"audit, and it is hidden":             {servicenow.HistoryAudit, func(in *clocked) { in.HideTable("sys_audit") }, source.LevelFailed, "set history: observed"},
		"audit, and only metrics are":         {servicenow.HistoryAudit, both(denied, metric("assigned_to", "state")), source.LevelFailed, "set history: metric, since metrics tell who held the tickets created since 2026-02-27, and not assignment_group"},
		"metric, and the audit is too":        {servicenow.HistoryMetric, metric("assigned_to"), source.LevelWarning, "set history: audit"},
		"metric":                              {servicenow.HistoryMetric, both(denied, metric("assigned_to", "state", "assignment_group")), source.LevelOK, "since 2026-02-27"},
		"metric, and there is none":           {servicenow.HistoryMetric, both(denied, metric("state")), source.LevelWarning, "no active metric"},
		"metric, and it is refused":           {servicenow.HistoryMetric, both(denied, metric("assigned_to"), func(in *clocked) { in.DenyTable("metric_definition") }), source.LevelWarning, "metric_definition is refused"},
		"metric, and its instances are":       {servicenow.HistoryMetric, both(denied, metric("assigned_to"), func(in *clocked) { in.HideTable("metric_instance") }), source.LevelWarning, "none of its instances is shown"},
		"observed, and the audit is readable": {servicenow.HistoryObserved, metric(), source.LevelWarning, "set history: audit"},
		"observed, and metrics are readable":  {servicenow.HistoryObserved, both(denied, metric("assigned_to")), source.LevelWarning, "set history: metric"},
		"observed":                            {servicenow.HistoryObserved, denied, source.LevelOK, "begins when Fairlead first sees"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(servicenowtest.Options{})
			c.change(in)
			in.fill(t, "incident", 5)
			in.Insert("incident", servicenowtest.Record{"sys_id": "done", "assigned_to": sysID("sys_user", "ann")}, "ann", monday.Add(-time.Hour))
			if err := in.Update("incident", "done", servicenowtest.Record{"state": "7"}, "ann", monday.Add(-time.Minute)); err != nil {
				t.Fatal(err)
			}
			r, err := in.connect(t, func(cfg *servicenow.Config) { cfg.History = c.mode }).Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f := fact(r, "history of incident"); f.Level != c.level || !strings.Contains(f.Says, c.says) {
				t.Errorf("got %+v, want %s saying %q", f, c.level, c.says)
			}
		})
	}
}

func TestSkippedRows(t *testing.T) {
	in := newInstance(servicenowtest.Options{})
	in.fill(t, "incident", 3)
	if err := in.Update("incident", sysID("incident", "1"), servicenowtest.Record{"sys_created_on": "yesterday"}, "ann", monday); err != nil {
		t.Fatal(err)
	}
	n := 0
	for page, err := range in.connect(t, nil).Pages(t.Context(), source.StreamOpen, source.Cursor{Start: monday}) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Tickets)
		if len(page.Skipped) != 1 || page.Skipped[0] != (source.Skipped{ID: sysID("incident", "1"), Reason: "unreadable"}) {
			t.Errorf("skipped %v", page.Skipped)
		}
	}
	if n != 2 {
		t.Errorf("%d tickets came", n)
	}

	in = newInstance(servicenowtest.Options{})
	in.fill(t, "incident", 20)
	in.HideColumn("incident", "assigned_to")
	_, _, err := drain(in.connect(t, nil), source.StreamOpen, source.Cursor{Start: monday})
	if !errors.Is(err, source.ErrForbidden) {
		t.Errorf("got %v for a table whose holders are hidden", err)
	}
}
