package jira_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// otherwise is a server whose answers are those of a site, written otherwise: as a
// gateway before it, an older release, or somebody else's server may. Rewrite gets
// every answer of 200 with its path below the API's root, and returns false for one
// that is to be 404.
func otherwise(site http.Handler, request func(*http.Request) int, rewrite func(path string, answer any) (any, bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if request != nil {
			if code := request(r); code != 0 {
				w.WriteHeader(code)
				return
			}
		}
		rec := httptest.NewRecorder()
		site.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		content := rec.Body.Bytes()
		if rec.Code == http.StatusOK && rewrite != nil {
			d := json.NewDecoder(rec.Body)
			d.UseNumber()
			var answer any
			if err := d.Decode(&answer); err != nil {
				panic(err)
			}
			_, path, _ := strings.Cut(r.URL.Path, "/rest/api/")
			_, path, _ = strings.Cut(path, "/")
			answer, ok := rewrite(path, answer)
			if !ok {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			content, _ = json.Marshal(answer)
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(rec.Code)
		_, _ = w.Write(content)
	})
}

// each calls do for every object in an answer.
func each(answer any, do func(object map[string]any)) any {
	switch v := answer.(type) {
	case map[string]any:
		for _, inner := range v {
			each(inner, do)
		}
		do(v)
	case []any:
		for _, inner := range v {
			each(inner, do)
		}
	}
	return answer
}

// without leaves properties out wherever they are.
func without(names ...string) func(string, any) (any, bool) {
	return func(_ string, answer any) (any, bool) {
		return each(answer, func(o map[string]any) {
			for _, name := range names {
				delete(o, name)
			}
		}), true
	}
}

// missing has no such resources.
func missing(prefixes ...string) func(string, any) (any, bool) {
	return func(path string, answer any) (any, bool) {
		return answer, !slices.ContainsFunc(prefixes, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
	}
}

// times writes every time in another layout.
func times(layout string) func(string, any) (any, bool) {
	return func(_ string, answer any) (any, bool) {
		return each(answer, func(o map[string]any) {
			for name, value := range o {
				if text, ok := value.(string); ok {
					if at, err := time.Parse("2006-01-02T15:04:05.000-0700", text); err == nil {
						o[name] = at.UTC().Format(layout)
					}
				}
			}
		}), true
	}
}

// reversed turns all lists but that of issues around.
func reversed(_ string, answer any) (any, bool) {
	return each(answer, func(o map[string]any) {
		for name, value := range o {
			if list, ok := value.([]any); ok && name != "issues" {
				slices.Reverse(list)
			}
		}
	}), true
}

func nothing(_ string, answer any) (any, bool) { return answer, true }

// busySite has issues with histories, comments and worklogs, some of them many in
// one minute.
func busySite(t *testing.T, o jiratest.Options) *jiratest.Instance {
	in := newSite(t, o)
	for n := range 40 {
		at := serverNow.Add(-time.Duration(100+n*n) * time.Hour)
		if n >= 20 {
			at = serverNow.Add(-90 * time.Hour).Truncate(time.Minute).Add(time.Duration(n) * time.Second)
		}
		id, err := in.AddIssue(jiratest.Issue{Project: "10001", Type: "10", Status: "3", Reporter: "ann", Assignee: "ann", Priority: "2", Components: []string{"100", "101"}, Created: at})
		must(t, err)
		for k := range n % 5 {
			at := at.Add(time.Duration(k) * time.Second)
			must(t, in.Edit(id, "bob", at, jiratest.Assign([]string{"bob", "cyd", "", "ann", "gone"}[k])))
			must(t, in.Comment(id, "cyd", at, "looked at it"))
		}
		if n%7 == 0 {
			must(t, in.Log(id, "ann", at.Add(time.Second), at))
		}
	}
	return in
}

// What differs only in how it is written is read as the same tickets.
func TestServersThatAreWrittenOtherwise(t *testing.T) {
	type variant struct {
		name    string
		request func(*http.Request) int
		rewrite func(string, any) (any, bool)
		only    jiratest.Flavour
		uncut   bool // it says nothing by which a list that was cut is known
	}
	variants := []variant{
		{name: "no totals", rewrite: without("total")},
		{name: "totals that are null", rewrite: func(_ string, a any) (any, bool) {
			return each(a, func(o map[string]any) {
				if _, ok := o["total"]; ok {
					o["total"] = nil
				}
			}), true
		}},
		{name: "totals of -1", rewrite: func(_ string, a any) (any, bool) {
			return each(a, func(o map[string]any) {
				if _, ok := o["total"]; ok {
					o["total"] = -1
				}
			}), true
		}},
		{name: "an account that shows no time zone", rewrite: func(path string, a any) (any, bool) {
			if path == "myself" {
				return without("timeZone", "locale")(path, a)
			}
			return a, true
		}},
		{name: "a time zone that nobody knows", rewrite: func(path string, a any) (any, bool) {
			if path == "myself" {
				a.(map[string]any)["timeZone"] = "Middle-earth/Shire"
			}
			return a, true
		}},
		{name: "people by their key only", rewrite: func(_ string, a any) (any, bool) {
			return each(a, func(o map[string]any) {
				if _, ok := o["displayName"]; ok {
					delete(o, "name")
					delete(o, "emailAddress")
					delete(o, "active")
				}
			}), true
		}},
		{name: "lists that say nothing of themselves", rewrite: without("total", "maxResults", "startAt", "isLast", "self", "expand"), uncut: true},
		{name: "times with Z", rewrite: times("2006-01-02T15:04:05.000Z")},
		{name: "times with a colon in the offset", rewrite: times("2006-01-02T15:04:05.000-07:00")},
		{name: "times without decimals", rewrite: times("2006-01-02T15:04:05+0000")},
		{name: "lists the other way round", rewrite: reversed},
		{name: "no account", rewrite: missing("myself")},
		{name: "no server, fields or statuses to ask for", rewrite: missing("serverInfo", "field", "status", "project", "user")},
		{name: "lists of one that stand alone", rewrite: func(path string, a any) (any, bool) {
			if list, ok := a.([]any); ok && len(list) > 0 && (path == "status" || path == "field") {
				return list[0], true
			}
			return a, true
		}},
		{name: "a gateway that lets no POST through", request: func(r *http.Request) int {
			if r.Method == http.MethodPost {
				return http.StatusMethodNotAllowed
			}
			return 0
		}, only: jiratest.DataCenter},
		{name: "a search that ignores expand", rewrite: func(path string, a any) (any, bool) {
			if path == "search" {
				return without("changelog")(path, a)
			}
			return a, true
		}, only: jiratest.DataCenter},
		{name: "more than is documented", rewrite: func(_ string, a any) (any, bool) {
			return each(a, func(o map[string]any) { o["x"], o["Key "], o["_links"] = map[string]any{"id": 1}, 7, []any{} }), true
		}},
	}
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		for _, size := range []int{0, 7} {
			site := busySite(t, jiratest.Options{Flavour: flavour, PageCap: size, EmbeddedHistories: 3})
			uncut := busySite(t, jiratest.Options{Flavour: flavour, PageCap: size})
			collect := func(h http.Handler) map[string]string {
				src := connect(t, h, flavour, nil)
				_, tickets := read(t, src, source.StreamOpen, begin)
				written := map[string]string{}
				for id, tk := range tickets {
					slices.SortFunc(tk.Contributions, func(a, b ticket.Contribution) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
					content, err := json.Marshal(tk)
					must(t, err)
					written[id] = string(content)
				}
				return written
			}
			want := collect(site)
			if len(want) != 40 {
				t.Fatalf("%d issues", len(want))
			}
			for _, v := range variants {
				if v.only != "" && v.only != flavour {
					continue
				}
				if v.rewrite == nil {
					v.rewrite = nothing
				}
				from := site
				if v.uncut {
					from = uncut
				}
				got := collect(otherwise(from, v.request, v.rewrite))
				if len(got) != len(want) {
					t.Errorf("%s, %d at once: %d issues, want %d", v.name, size, len(got), len(want))
				}
				shown := 0
				for id := range want {
					if got[id] != want[id] && shown < 2 {
						shown++
						t.Errorf("%s, %d at once:\n got %s\nwant %s", v.name, size, got[id], want[id])
					}
				}
			}
		}
	})
}

// A gateway that lets only GET through is enough for all that is asked of Data
// Center, whichever way it refuses the rest.
func TestReadingIsEnoughForDataCenter(t *testing.T) {
	for _, refusal := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed} {
		in := busySite(t, jiratest.Options{Flavour: jiratest.DataCenter})
		var posts atomic.Int64
		src := connect(t, otherwise(in, func(r *http.Request) int {
			if r.Method != http.MethodGet {
				posts.Add(1)
				return refusal
			}
			return 0
		}, nil), jiratest.DataCenter, func(c *jira.Config, _ *jira.Options) { c.JQL = "project = NET" })
		report, err := src.Check(t.Context())
		must(t, err)
		for _, f := range report.Facts {
			if f.Level == source.LevelFailed {
				t.Errorf("%d: %s: %s", refusal, f.What, f.Says)
			}
		}
		if _, tickets := read(t, src, source.StreamOpen, begin); len(tickets) != 40 {
			t.Errorf("%d: %d tickets", refusal, len(tickets))
		}
		listed := 0
		for ids, err := range src.IDs(t.Context()) {
			must(t, err)
			listed += len(ids)
		}
		page, err := src.ByID(t.Context(), in.IDs()[:3])
		if must(t, err); len(page.Tickets) != 3 || listed != 40 {
			t.Errorf("%d: %d by id, %d listed", refusal, len(page.Tickets), listed)
		}
		if n := posts.Load(); n != 1 {
			t.Errorf("%d: %d requests by POST: one shows that they are refused", refusal, n)
		}
	}
}

// Fields that an issue need not have, and that a server may leave out where they
// are empty.
func TestFieldsThatAreLeftOut(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		id := add(t, in, serverNow.Add(-time.Hour))
		src := connect(t, otherwise(in, nil, without("assignee", "priority", "parent", "components", "comment", "worklog", "reporter", "subtask", "self", "avatarUrls", "active", "timeZone", "statusCategory", "schema")), flavour, nil)
		_, tickets := read(t, src, source.StreamOpen, begin)
		if tk, ok := tickets[id]; !ok || tk.Status != "3" || tk.Assignee != "" || !tk.HistoryComplete {
			t.Errorf("got %+v", tk)
		}
	})
}

// limited fails a test whose source is asked without end.
func limited(t *testing.T, h http.Handler, most int64) http.Handler {
	var requests atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		if n == most {
			t.Errorf("more than %d requests: %s %s", most, r.Method, r.URL.Path)
		}
		if n >= most {
			w.WriteHeader(http.StatusGone)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// A server that knows no conditions gives everything, page by page, whatever is
// searched for. What it has is read, and the reading ends and says what is wrong.
func TestConditionsThatArePassedOver(t *testing.T) {
	site := busySite(t, jiratest.Options{Flavour: jiratest.DataCenter, PageCap: 7})
	unconditional := func(r *http.Request) int {
		if r.Method == http.MethodPost {
			var body map[string]any
			must(t, json.NewDecoder(r.Body).Decode(&body))
			body["jql"] = "ORDER BY key ASC"
			content, err := json.Marshal(body)
			must(t, err)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
		}
		return 0
	}
	src := connect(t, limited(t, otherwise(site, unconditional, nil), 500), jiratest.DataCenter, nil)
	read := map[string]bool{}
	var failed error
	for page, err := range src.Pages(t.Context(), source.StreamOpen, begin) {
		failed = errors.Join(failed, err)
		for _, tk := range page.Tickets {
			read[tk.ID] = true
		}
	}
	if !errors.Is(failed, source.ErrUnreadable) || !strings.Contains(failed.Error(), "passes over the condition on updated") {
		t.Errorf("reading ends with %v", failed)
	}
	if len(read) != 40 {
		t.Errorf("%d of 40 issues were read", len(read))
	}
}

// A server that keeps no state gives the same page for ever, whatever it is asked
// for. Every reading comes to an end, by an error or by having read what there is,
// and never with a ticket that is short of what the server counts and says it is
// whole.
func TestPagesThatNeverEnd(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		site := busySite(t, jiratest.Options{Flavour: flavour, PageCap: 7, EmbeddedComments: 2, EmbeddedHistories: 2, ChangelogCap: 5})
		var tokens atomic.Int64
		first := func(r *http.Request) int {
			query := r.URL.Query()
			query.Del("startAt")
			query.Del("nextPageToken")
			r.URL.RawQuery = query.Encode()
			if r.Method == http.MethodPost {
				var body map[string]any
				must(t, json.NewDecoder(r.Body).Decode(&body))
				delete(body, "nextPageToken")
				delete(body, "startAt")
				content, err := json.Marshal(body)
				must(t, err)
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
			}
			return 0
		}
		promising := func(path string, a any) (any, bool) {
			if o, ok := a.(map[string]any); ok {
				if strings.HasPrefix(path, "search") || strings.HasSuffix(path, "bulkfetch") {
					o["nextPageToken"] = fmt.Sprint("another ", tokens.Add(1))
				}
				o["isLast"] = false
				if _, ok := o["total"]; ok {
					o["total"] = 1_000_000
				}
			}
			return a, true
		}
		src := connect(t, limited(t, otherwise(site, first, promising), 2000), flavour, nil)
		var failed error
		for page, err := range src.Pages(t.Context(), source.StreamOpen, begin) {
			failed = errors.Join(failed, err)
			for _, tk := range page.Tickets {
				if issue, ok := site.Issue(tk.ID); ok && tk.HistoryComplete && len(tk.Contributions) != len(issue.Comments)+len(issue.Worklogs) {
					t.Errorf("%s has %d contributions of %d and comments, and is called whole", tk.Key, len(tk.Contributions), len(issue.Comments))
				}
			}
		}
		if !errors.Is(failed, source.ErrUnreadable) {
			t.Errorf("reading ends with %v", failed)
		}
		failed = nil
		for _, err := range src.IDs(t.Context()) {
			failed = errors.Join(failed, err)
		}
		if !errors.Is(failed, source.ErrUnreadable) {
			t.Errorf("listing ends with %v", failed)
		}
		if projects, err := src.Discover(t.Context()); err != nil || len(projects) != 2 {
			t.Errorf("discovering finds %v, %v", projects, err)
		}
		if _, err := src.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
