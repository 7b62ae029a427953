package jiratest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// bulkChangelog answers /rest/api/3/changelog/bulkfetch: all entries of up to
// 1,000 issues that touch one of up to 10 fields, by time, then by issue. A
// page may end within an issue's history.
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-changelog-bulkfetch-post
func (in *Instance) bulkChangelog(w http.ResponseWriter, r *http.Request) {
	var req struct {
		IssueIDsOrKeys []string `json:"issueIdsOrKeys"`
		FieldIDs       []string `json:"fieldIds"`
		MaxResults     *int     `json:"maxResults"`
		NextPageToken  string   `json:"nextPageToken"`
	}
	if !readBody(w, r, &req) {
		return
	}
	limit := 1000
	if req.MaxResults != nil {
		limit = *req.MaxResults
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(req.FieldIDs)))
	switch {
	case len(req.IssueIDsOrKeys) == 0 || len(req.IssueIDsOrKeys) > 1000:
		fail(w, http.StatusBadRequest, "The number of issue IDs or keys must be between 1 and 1000.")
		return
	case len(req.FieldIDs) > 10 || len(distinct) != len(req.FieldIDs):
		fail(w, http.StatusBadRequest, "At most 10 distinct field IDs are accepted.")
		return
	case limit < 1 || limit > 10000:
		fail(w, http.StatusBadRequest, "maxResults must be between 1 and 10000.")
		return
	}
	limit = min(limit, cmp.Or(in.opts.ChangelogCap, limit))
	var fields map[string]bool
	if len(req.FieldIDs) > 0 {
		fields = map[string]bool{}
		for _, id := range req.FieldIDs {
			fields[id] = true
		}
	}
	now := in.opts.Clock()
	in.mu.RLock()
	defer in.mu.RUnlock()
	type entry struct {
		issue   int64
		history History
	}
	var entries []entry
	seen := map[int64]bool{}
	for _, id := range req.IssueIDsOrKeys {
		is := in.find(id)
		if is == nil || is.denied || seen[is.id] {
			continue
		}
		seen[is.id] = true
		for _, h := range is.now.Histories {
			if fields == nil || slices.ContainsFunc(h.Items, func(i Item) bool { return fields[in.fieldID(i)] }) {
				entries = append(entries, entry{is.id, h})
			}
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(a.history.Created.Compare(b.history.Created), cmp.Compare(a.issue, b.issue), compareIDs(a.history.ID, b.history.ID))
	})
	// The place is the last entry given, not a number of entries: an edit
	// meanwhile adds to the end.
	type changelogToken struct {
		Query  string
		Issued int64
		At     int64
		Issue  int64
		Entry  string
	}
	hash := queryHash(append(slices.Clone(req.IssueIDsOrKeys), distinct...)...)
	if req.NextPageToken != "" {
		var t changelogToken
		if !decodeToken(req.NextPageToken, &t) || t.Query != hash || now.UnixMilli()-t.Issued > in.opts.TokenLife.Milliseconds() {
			fail(w, http.StatusBadRequest, "The provided next page token is invalid or has expired.")
			return
		}
		entries = slices.DeleteFunc(entries, func(e entry) bool {
			return cmp.Or(cmp.Compare(e.history.Created.UnixMilli(), t.At), cmp.Compare(e.issue, t.Issue), compareIDs(e.history.ID, t.Entry)) <= 0
		})
	}
	answer := object{}
	if len(entries) > limit {
		entries = entries[:limit]
		last := entries[limit-1]
		answer["nextPageToken"] = encodeToken(changelogToken{hash, now.UnixMilli(), last.history.Created.UnixMilli(), last.issue, last.history.ID})
	}
	rd := in.renderer(baseURL(r) + "/rest/api/3")
	place := map[int64]int{}
	logs := []object{}
	for _, e := range entries {
		n, ok := place[e.issue]
		if !ok {
			n = len(logs)
			place[e.issue] = n
			logs = append(logs, object{"issueId": strconv.FormatInt(e.issue, 10), "changeHistories": []object{}})
		}
		logs[n]["changeHistories"] = append(logs[n]["changeHistories"].([]object), rd.history(e.history, fields, in.opts.EpochTimes))
	}
	answer["issueChangeLogs"] = logs
	reply(w, answer)
}

// bulkIssues answers /rest/api/3/issue/bulkfetch: up to 100 issues as they are,
// past the search index. Issues that are gone or hidden are left out.
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-bulkfetch-post
func (in *Instance) bulkIssues(w http.ResponseWriter, r *http.Request) {
	var req struct {
		IssueIDsOrKeys []string `json:"issueIdsOrKeys"`
		Fields         []string `json:"fields"`
		Expand         []string `json:"expand"`
		FieldsByKeys   bool     `json:"fieldsByKeys"`
		Properties     []string `json:"properties"`
	}
	if !readBody(w, r, &req) {
		return
	}
	if len(req.IssueIDsOrKeys) == 0 || len(req.IssueIDsOrKeys) > 100 {
		fail(w, http.StatusBadRequest, "The number of issue IDs or keys must be between 1 and 100.")
		return
	}
	in.mu.RLock()
	defer in.mu.RUnlock()
	found := map[int64]*record{}
	for _, id := range req.IssueIDsOrKeys {
		if is := in.find(id); is != nil && !is.denied {
			found[is.id] = is.now
		}
	}
	records := make([]*record, 0, len(found))
	for _, rec := range found {
		records = append(records, rec)
	}
	slices.SortFunc(records, func(a, b *record) int { return cmp.Compare(a.id, b.id) })
	rd := in.renderer(baseURL(r) + "/rest/api/3")
	wanted := fieldSet(req.Fields, "*navigable")
	issues := make([]object, 0, len(records))
	for _, rec := range records {
		o := rd.issue(rec, wanted, in.opts.EmbeddedComments, in.opts.EmbeddedWorklogs)
		if strings.Contains(strings.Join(req.Expand, ","), "changelog") {
			o["changelog"] = rd.changelog(rec, in.opts.EmbeddedHistories)
		}
		issues = append(issues, o)
	}
	reply(w, object{"issues": issues, "issueErrors": []object{}})
}
