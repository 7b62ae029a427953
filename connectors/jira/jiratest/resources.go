package jiratest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// api is the root of self links.
func (in *Instance) api(r *http.Request) string {
	if in.opts.Flavour == Cloud {
		return baseURL(r) + "/rest/api/3"
	}
	return baseURL(r) + "/rest/api/2"
}

func (in *Instance) myself(w http.ResponseWriter, r *http.Request) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	o := in.renderer(in.api(r)).userObject(in.users[serviceAccount])
	o["emailAddress"] = in.users[serviceAccount].Email // one's own is always shown
	o["locale"] = "en_US"
	if in.opts.HideTimeZone {
		delete(o, "timeZone")
	}
	reply(w, o)
}

// permissions that the Instance knows, with the kind that Jira says they are of.
var permissions = map[string]string{
	"BROWSE_PROJECTS": "PROJECT", "CREATE_ISSUES": "PROJECT", "EDIT_ISSUES": "PROJECT", "DELETE_ISSUES": "PROJECT",
	"ADMINISTER_PROJECTS": "PROJECT", "ADMINISTER": "GLOBAL", "SYSTEM_ADMIN": "GLOBAL",
}

// myPermissions answers which permissions the account has: on Cloud those that are
// asked for, and it is an error to ask for none; on Data Center all.
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-permissions/#api-rest-api-3-mypermissions-get
func (in *Instance) myPermissions(w http.ResponseWriter, r *http.Request) {
	wanted := slices.Collect(maps.Keys(permissions))
	if in.opts.Flavour == Cloud {
		if r.URL.Query().Get("permissions") == "" {
			fail(w, http.StatusBadRequest, "The 'permissions' query parameter is required.")
			return
		}
		wanted = strings.Split(r.URL.Query().Get("permissions"), ",")
	}
	answer := object{}
	for n, key := range slices.Sorted(slices.Values(wanted)) {
		kind, ok := permissions[key]
		if !ok {
			fail(w, http.StatusBadRequest, "Unrecognized permission: "+key)
			return
		}
		have := slices.Contains(in.opts.Permissions, key) || key == "BROWSE_PROJECTS" && !slices.Contains(in.opts.Permissions, "-"+key)
		answer[key] = object{"id": strconv.Itoa(n + 1), "key": key, "name": key, "type": kind, "description": "", "havePermission": have}
	}
	reply(w, object{"permissions": answer})
}

func (in *Instance) serverInfo(w http.ResponseWriter, r *http.Request) {
	numbers := []int{}
	for part := range strings.SplitSeq(in.opts.Version, ".") {
		if n, err := strconv.Atoi(strings.TrimSuffix(part, "-SNAPSHOT")); err == nil {
			numbers = append(numbers, n)
		}
	}
	deployment := "Server"
	if in.opts.Flavour == Cloud {
		deployment = "Cloud"
	}
	reply(w, object{
		"baseUrl": baseURL(r), "version": in.opts.Version, "versionNumbers": numbers, "deploymentType": deployment,
		"buildNumber": 100300, "buildDate": "2026-01-12T00:00:00.000+0000", "serverTitle": "Jira",
		"serverTime": in.opts.Clock().In(in.zone).Format(timeLayout),
	})
}

func (in *Instance) fieldList(w http.ResponseWriter, r *http.Request) {
	var list []object
	for _, id := range allFields {
		schema := object{"type": "string", "system": id}
		o := object{"id": id, "name": fieldNames[id], "custom": false, "orderable": true, "navigable": true, "searchable": true, "clauseNames": []string{id}}
		if id == PointsField {
			schema = object{"type": "number", "custom": "com.atlassian.jira.plugin.system.customfieldtypes:float", "customId": 10016}
			if in.opts.Flavour == Cloud {
				schema["custom"] = "com.pyxis.greenhopper.jira:jsw-story-points"
			}
			o["custom"], o["clauseNames"] = true, []string{"cf[10016]", PointsName}
		}
		if in.opts.Flavour == Cloud {
			o["key"] = id
		}
		o["schema"] = schema
		list = append(list, o)
	}
	reply(w, list)
}

// fieldNames are the names of the fields of allFields.
var fieldNames = map[string]string{
	"summary": "Summary", "issuetype": "Issue Type", "project": "Project", "status": "Status", "priority": "Priority",
	"assignee": "Assignee", "reporter": "Reporter", "creator": "Creator", "created": "Created", "updated": "Updated",
	"components": "Component/s", "parent": "Parent", PointsField: PointsName, "resolution": "Resolution",
	"resolutiondate": "Resolved", "labels": "Labels", "duedate": "Due Date", "comment": "Comment", "worklog": "Log Work",
}

// list answers with the rendered values of a catalogue, by id.
func list[T any, R any](in *Instance, w http.ResponseWriter, catalogue map[string]*T, render func(*T) R) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	out := make([]R, 0, len(catalogue))
	for _, id := range slices.SortedFunc(maps.Keys(catalogue), compareIDs) {
		out = append(out, render(catalogue[id]))
	}
	reply(w, out)
}

func (in *Instance) statusList(w http.ResponseWriter, r *http.Request) {
	list(in, w, in.statuses, in.renderer(in.api(r)).status)
}

func (in *Instance) issueTypeList(w http.ResponseWriter, r *http.Request) {
	list(in, w, in.types, in.renderer(in.api(r)).issueType)
}

func (in *Instance) priorityList(w http.ResponseWriter, r *http.Request) {
	list(in, w, in.priorities, in.renderer(in.api(r)).priority)
}

func (in *Instance) projectList(w http.ResponseWriter, r *http.Request) {
	list(in, w, in.projects, in.renderer(in.api(r)).project)
}

func (in *Instance) projectGet(w http.ResponseWriter, r *http.Request) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	id := r.PathValue("id")
	for _, p := range in.projects {
		if p.ID == id || strings.EqualFold(p.Key, id) {
			reply(w, in.renderer(in.api(r)).project(p))
			return
		}
	}
	fail(w, http.StatusNotFound, "No project could be found with key '"+id+"'.")
}

// projectSearch pages through the projects, 50 at a time at most.
func (in *Instance) projectSearch(w http.ResponseWriter, r *http.Request) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	v := r.URL.Query()
	var projects []*Project
	for _, id := range slices.SortedFunc(maps.Keys(in.projects), compareIDs) {
		p := in.projects[id]
		keys := strings.Split(strings.Join(v["keys"], ","), ",")
		if len(v["keys"]) == 0 || slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, p.Key) }) {
			projects = append(projects, p)
		}
	}
	startAt, limit := number(v.Get("startAt"), 0), min(number(v.Get("maxResults"), 50), 50)
	from, to := window(len(projects), startAt, limit)
	rd := in.renderer(in.api(r))
	values := make([]object, 0, to-from)
	for _, p := range projects[from:to] {
		values = append(values, rd.project(p))
	}
	reply(w, page(values, startAt, limit, len(projects)))
}

// page is a list in Jira's paged form.
func page(values []object, startAt, limit, total int) object {
	return object{"startAt": startAt, "maxResults": limit, "total": total, "isLast": startAt+len(values) >= total, "values": values}
}

func number(s string, byDefault int) int {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		return n
	}
	return byDefault
}

func (in *Instance) userGet(w http.ResponseWriter, r *http.Request) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	v := r.URL.Query()
	var u *User
	if in.opts.Flavour == Cloud {
		u = in.byAccount[v.Get("accountId")]
	} else if key := v.Get("key"); key != "" {
		if u = in.byAlias[strings.ToLower(key)]; u != nil && !strings.EqualFold(cmp.Or(u.Key, u.Name), key) {
			u = nil
		}
	} else {
		u = in.users[strings.ToLower(v.Get("username"))]
	}
	if u == nil || u.Deleted {
		fail(w, http.StatusNotFound, "The user does not exist.")
		return
	}
	reply(w, in.renderer(in.api(r)).userObject(u))
}

// userBulk gives the users that exist among those asked for.
func (in *Instance) userBulk(w http.ResponseWriter, r *http.Request) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	v := r.URL.Query()
	ids := v["accountId"]
	if len(ids) == 0 {
		fail(w, http.StatusBadRequest, "accountId is required.")
		return
	}
	startAt, limit := number(v.Get("startAt"), 0), min(number(v.Get("maxResults"), 10), 200)
	rd := in.renderer(in.api(r))
	values := []object{}
	for _, id := range ids {
		if u := in.byAccount[id]; u != nil && !u.Deleted {
			values = append(values, rd.userObject(u))
		}
	}
	from, to := window(len(values), startAt, limit)
	reply(w, page(values[from:to], startAt, limit, len(values)))
}

func (in *Instance) approximateCount(w http.ResponseWriter, r *http.Request) {
	var req struct {
		JQL string `json:"jql"`
	}
	if !readBody(w, r, &req) {
		return
	}
	now := in.opts.Clock()
	in.prepare(now)
	in.mu.RLock()
	defer in.mu.RUnlock()
	if q, ok := in.query(w, req.JQL, now, true); ok {
		reply(w, object{"count": len(in.search(q, nil, nil, -1, now))})
	}
}

// visible finds an issue that the account may see, or answers that there is
// none: Jira does not tell which.
func (in *Instance) visible(w http.ResponseWriter, r *http.Request) *record {
	is := in.find(r.PathValue("id"))
	if is == nil || is.denied {
		fail(w, http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
		return nil
	}
	return is.now
}

func (in *Instance) issueGet(w http.ResponseWriter, r *http.Request) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	rec := in.visible(w, r)
	if rec == nil {
		return
	}
	v := r.URL.Query()
	rd := in.renderer(in.api(r))
	o := rd.issue(rec, fieldSet(v["fields"], "*all"), -1, in.opts.EmbeddedWorklogs)
	if strings.Contains(strings.Join(v["expand"], ","), "changelog") {
		limit := 0
		if in.opts.Flavour == Cloud {
			limit = 100
		} else if in.opts.CutIssues {
			limit = in.opts.EmbeddedHistories
		}
		o["changelog"] = rd.changelog(rec, limit)
	}
	reply(w, o)
}

func (in *Instance) issueChangelog(w http.ResponseWriter, r *http.Request) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	rec := in.visible(w, r)
	if rec == nil {
		return
	}
	v := r.URL.Query()
	startAt, limit := number(v.Get("startAt"), 0), min(number(v.Get("maxResults"), 100), 100)
	from, to := window(len(rec.Histories), startAt, limit)
	rd := in.renderer(in.api(r))
	values := make([]object, 0, to-from)
	for _, h := range rec.Histories[from:to] {
		values = append(values, rd.history(h, nil, false))
	}
	reply(w, page(values, startAt, limit, len(rec.Histories)))
}

// issueComments pages through the comments. Data Center gives all unless asked
// for fewer; Cloud 100, at most 5,000.
func (in *Instance) issueComments(w http.ResponseWriter, r *http.Request) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	rec := in.visible(w, r)
	if rec == nil {
		return
	}
	v := r.URL.Query()
	limit := -1
	if in.opts.Flavour == Cloud {
		limit = min(number(v.Get("maxResults"), 100), 5000)
	} else if v.Get("maxResults") != "" {
		limit = number(v.Get("maxResults"), 50)
	}
	limit = atMost(limit, in.opts.ListCap)
	reply(w, in.renderer(in.api(r)).comments(rec, number(v.Get("startAt"), 0), limit))
}

// issueWorklogs gives the worklogs: Data Center all, Cloud 5,000 at most.
func (in *Instance) issueWorklogs(w http.ResponseWriter, r *http.Request) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	rec := in.visible(w, r)
	if rec == nil {
		return
	}
	v := r.URL.Query()
	startAt, limit := 0, -1
	if in.opts.Flavour == Cloud {
		startAt, limit = number(v.Get("startAt"), 0), atMost(min(number(v.Get("maxResults"), 5000), 5000), in.opts.ListCap)
	}
	reply(w, in.renderer(in.api(r)).worklogs(rec, startAt, limit))
}

// atMost lowers a limit to most, where that is not 0.
func atMost(limit, most int) int {
	if most > 0 && (limit < 0 || limit > most) {
		return most
	}
	return limit
}
