package jiratest

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// indexed is what the search index shows of an issue at a time; nil is nothing.
func (is *issue) indexed(now time.Time) *record {
	for _, l := range is.earlier {
		if l.until.After(now) {
			return l.record
		}
	}
	return is.now
}

// prepare brings the list by update time up to date.
func (in *Instance) prepare(now time.Time) {
	in.mu.RLock()
	ready := in.sorted != nil && len(in.lagging) == 0
	in.mu.RUnlock()
	if ready {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for id, is := range in.lagging {
		is.earlier = slices.DeleteFunc(is.earlier, func(l *lagged) bool { return !l.until.After(now) })
		if len(is.earlier) == 0 {
			delete(in.lagging, id)
		}
	}
	if in.sorted != nil {
		return
	}
	in.sorted = make([]*issue, 0, len(in.issues))
	for _, is := range in.issues {
		in.sorted = append(in.sorted, is)
	}
	slices.SortFunc(in.sorted, func(a, b *issue) int {
		return cmp.Or(a.now.Updated.Compare(b.now.Updated), compareKeys(a.now, b.now))
	})
}

// search lists the records that match, in order, after a place in that order
// (nil is the start), at most limit and one more; negative is all. Issues in
// fresh are seen past the lag.
func (in *Instance) search(q *query, fresh map[int64]bool, after *record, limit int, now time.Time) []*record {
	var found []*record
	if len(in.lagging) == 0 && q.byUpdated() {
		start := sort.Search(len(in.sorted), func(n int) bool {
			r := in.sorted[n].now
			if after != nil {
				return q.compare(r, after) > 0
			}
			return !r.Updated.Before(q.since)
		})
		for _, is := range in.sorted[start:] {
			if limit >= 0 && len(found) > limit {
				break
			}
			if !is.denied && q.match(is.now) {
				found = append(found, is.now)
			}
		}
		return found
	}
	for _, is := range in.sorted {
		r := is.indexed(now)
		if fresh[is.id] {
			r = is.now
		}
		if r != nil && !is.denied && q.match(r) && (after == nil || q.compare(r, after) > 0) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, q.compare)
	if limit >= 0 && len(found) > limit+1 {
		found = found[:limit+1]
	}
	return found
}

// pageToken is a place in the order of a search: the sort values of the last
// issue given, so that edits meanwhile shift nothing. To the client it is
// opaque.
type pageToken struct {
	Query    string // hash of the request that it continues
	Issued   int64
	Updated  int64
	Created  int64
	Project  string
	Number   int64
	Status   string
	Priority string
	Type     string
	Assignee string
}

func queryHash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func encodeToken(v any) string {
	raw, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeToken(s string, v any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && json.Unmarshal(raw, v) == nil
}

// jqlRequest is a search on Cloud.
type jqlRequest struct {
	JQL             string   `json:"jql"`
	NextPageToken   string   `json:"nextPageToken"`
	MaxResults      *int     `json:"maxResults"`
	Fields          []string `json:"fields"`
	Expand          string   `json:"expand"`
	FieldsByKeys    bool     `json:"fieldsByKeys"`
	Properties      []string `json:"properties"`
	ReconcileIssues []int64  `json:"reconcileIssues"`
}

// cloudSearch answers /rest/api/3/search/jql.
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/#api-rest-api-3-search-jql-post
func (in *Instance) cloudSearch(w http.ResponseWriter, r *http.Request) {
	var req jqlRequest
	if r.Method == http.MethodGet {
		v := r.URL.Query()
		req = jqlRequest{JQL: v.Get("jql"), NextPageToken: v.Get("nextPageToken"), Fields: v["fields"], Expand: v.Get("expand")}
		if s := v.Get("maxResults"); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil {
				fail(w, http.StatusBadRequest, "maxResults is not a number.")
				return
			}
			req.MaxResults = &n
		}
		for _, list := range v["reconcileIssues"] {
			for s := range strings.SplitSeq(list, ",") {
				id, err := strconv.ParseInt(s, 10, 64)
				if err != nil {
					fail(w, http.StatusBadRequest, "reconcileIssues is not a list of numbers.")
					return
				}
				req.ReconcileIssues = append(req.ReconcileIssues, id)
			}
		}
	} else if !readBody(w, r, &req) {
		return
	}
	limit := 50
	if req.MaxResults != nil {
		limit = *req.MaxResults
	}
	idsOnly := len(req.Fields) == 0
	for _, f := range req.Fields {
		idsOnly = idsOnly || f == "id" || f == "key"
	}
	pageCap := in.opts.PageCap
	if idsOnly && pageCap == 100 {
		pageCap = 5000
	}
	if limit < 1 || limit > 5000 {
		fail(w, http.StatusBadRequest, "The value of maxResults must be between 1 and 5000.")
		return
	}
	limit = min(limit, pageCap)
	if len(req.ReconcileIssues) > 50 {
		fail(w, http.StatusBadRequest, "reconcileIssues accepts at most 50 issue ids.")
		return
	}
	now := in.opts.Clock()
	in.prepare(now)
	in.mu.RLock()
	defer in.mu.RUnlock()
	q, ok := in.query(w, req.JQL, now, true)
	if !ok {
		return
	}
	hash := queryHash(req.JQL)
	var after *record
	if req.NextPageToken != "" {
		var t pageToken
		if !decodeToken(req.NextPageToken, &t) || t.Query != hash {
			fail(w, http.StatusBadRequest, "The provided next page token is invalid.")
			return
		}
		if now.Sub(time.UnixMilli(t.Issued)) > in.opts.TokenLife {
			fail(w, http.StatusBadRequest, "The provided next page token has expired.")
			return
		}
		after = &record{number: t.Number, projectKey: t.Project, Issue: Issue{
			Updated: time.UnixMilli(t.Updated), Created: time.UnixMilli(t.Created),
			Status: t.Status, Priority: t.Priority, Type: t.Type, Assignee: t.Assignee,
		}}
	}
	fresh := map[int64]bool{}
	for _, id := range req.ReconcileIssues {
		fresh[id] = true
	}
	found := in.search(q, fresh, after, limit, now)
	answer := object{"isLast": len(found) <= limit}
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		answer["nextPageToken"] = encodeToken(pageToken{
			Query: hash, Issued: now.UnixMilli(), Updated: last.Updated.UnixMilli(), Created: last.Created.UnixMilli(),
			Project: last.projectKey, Number: last.number, Status: last.Status, Priority: last.Priority, Type: last.Type, Assignee: last.Assignee,
		})
	}
	rd := in.renderer(baseURL(r) + "/rest/api/3")
	wanted := fieldSet(req.Fields, "id")
	issues := make([]object, 0, len(found))
	for _, rec := range found {
		o := rd.issue(rec, wanted, in.opts.EmbeddedComments, in.opts.EmbeddedWorklogs)
		if strings.Contains(req.Expand, "changelog") {
			o["changelog"] = rd.changelog(rec, in.opts.EmbeddedHistories)
		}
		issues = append(issues, o)
	}
	answer["issues"] = issues
	reply(w, answer)
}

// query compiles JQL, or answers what is wrong with it.
func (in *Instance) query(w http.ResponseWriter, jql string, now time.Time, bounded bool) (*query, bool) {
	q, err := in.compile(jql, now)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return nil, false
	}
	if bounded && !q.bounded {
		fail(w, http.StatusBadRequest, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
		return nil, false
	}
	return q, true
}

// dcRequest is a search on Data Center.
type dcRequest struct {
	JQL           string   `json:"jql"`
	StartAt       int      `json:"startAt"`
	MaxResults    *int     `json:"maxResults"`
	Fields        []string `json:"fields"`
	Expand        []string `json:"expand"`
	ValidateQuery *bool    `json:"validateQuery"`
}

// dcSearch answers /rest/api/2/search on Data Center. An offset counts in what
// matches at this moment: rows that move shift the rest.
// https://docs.atlassian.com/software/jira/docs/api/REST/9.17.0/#api/2/search
func (in *Instance) dcSearch(w http.ResponseWriter, r *http.Request) {
	var req dcRequest
	if r.Method == http.MethodGet {
		v := r.URL.Query()
		req = dcRequest{JQL: v.Get("jql"), Fields: v["fields"], Expand: v["expand"]}
		for name, into := range map[string]func(int){
			"startAt":    func(n int) { req.StartAt = n },
			"maxResults": func(n int) { req.MaxResults = &n },
		} {
			if s := v.Get(name); s != "" {
				n, err := strconv.Atoi(s)
				if err != nil {
					fail(w, http.StatusNotFound, name+" is not a number.")
					return
				}
				into(n)
			}
		}
	} else if !readBody(w, r, &req) {
		return
	}
	limit := 50
	if req.MaxResults != nil && *req.MaxResults >= 0 {
		limit = *req.MaxResults
	}
	limit = min(limit, in.opts.PageCap)
	now := in.opts.Clock()
	in.prepare(now)
	in.mu.RLock()
	defer in.mu.RUnlock()
	q, ok := in.query(w, req.JQL, now, false)
	if !ok {
		return
	}
	found := in.search(q, nil, nil, -1, now)
	from, to := window(len(found), req.StartAt, limit)
	rd := in.renderer(baseURL(r) + "/rest/api/2")
	wanted := fieldSet(req.Fields, "*navigable")
	comments := -1
	if in.opts.EmbeddedComments > 0 {
		comments = in.opts.EmbeddedComments
	}
	issues := make([]object, 0, to-from)
	for _, rec := range found[from:to] {
		// Data Center finds issues in its index and reads them from its database.
		rec = in.issues[rec.id].now
		o := rd.issue(rec, wanted, comments, in.opts.EmbeddedWorklogs)
		if strings.Contains(strings.Join(req.Expand, ","), "changelog") {
			o["changelog"] = rd.changelog(rec, in.opts.EmbeddedHistories)
		}
		issues = append(issues, o)
	}
	reply(w, object{"expand": "schema,names", "startAt": req.StartAt, "maxResults": limit, "total": len(found), "issues": issues})
}
