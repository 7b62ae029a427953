package jiratest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object under construction.
type object = map[string]any

// timeLayout is how Jira writes times: with an offset that has no colon.
const timeLayout = "2006-01-02T15:04:05.000-0700"

type statusCategory struct {
	key    Category
	id     int
	name   string
	colour string
}

var categories = []statusCategory{
	{ToDo, 2, "To Do", "blue-gray"},
	{InProgress, 4, "In Progress", "yellow"},
	{Done, 3, "Done", "green"},
}

// renderer writes the store's things as the flavour's JSON. It lives for one
// answer, under the Instance's read lock.
type renderer struct {
	in    *Instance
	base  string // of self links, up to and with /rest/api/3
	users map[*User]json.RawMessage
}

func (in *Instance) renderer(base string) *renderer {
	return &renderer{in: in, base: base, users: map[*User]json.RawMessage{}}
}

func (rd *renderer) time(t time.Time) string { return t.In(rd.in.zone).Format(timeLayout) }

// user is a person inside an issue; nil is null. Each is encoded once.
func (rd *renderer) user(u *User) json.RawMessage {
	if u == nil {
		return json.RawMessage("null")
	}
	if raw, ok := rd.users[u]; ok {
		return raw
	}
	raw, _ := json.Marshal(rd.userObject(u))
	rd.users[u] = raw
	return raw
}

func (rd *renderer) userObject(u *User) object {
	o := object{"displayName": u.DisplayName, "active": !u.Inactive && !u.Deleted, "timeZone": u.TimeZone}
	if u.Email != "" && !rd.in.opts.HideEmails && !u.Deleted {
		o["emailAddress"] = u.Email
		if rd.in.opts.MaskEmails {
			o["emailAddress"] = strings.NewReplacer("@", " at ", ".", " dot ").Replace(u.Email)
		}
	}
	if rd.in.opts.Flavour == Cloud {
		o["self"] = rd.base + "/user?accountId=" + u.AccountID
		o["accountId"] = u.AccountID
		o["accountType"] = "atlassian"
		if u.App {
			o["accountType"] = "app"
		}
		if u.Deleted {
			o["displayName"] = "Former user"
		}
		return o
	}
	o["self"] = rd.base + "/user?username=" + u.Name
	o["name"] = u.Name
	if u.Key != "" {
		o["key"] = u.Key
	}
	return o
}

func (rd *renderer) named(name string) json.RawMessage {
	return rd.user(rd.in.users[strings.ToLower(name)])
}

func (rd *renderer) category(c Category) object {
	n := slices.IndexFunc(categories, func(s statusCategory) bool { return s.key == c })
	s := categories[n]
	return object{"self": rd.base + "/statuscategory/" + strconv.Itoa(s.id), "id": s.id, "key": s.key, "colorName": s.colour, "name": s.name}
}

func (rd *renderer) status(s *Status) object {
	return object{
		"self": rd.base + "/status/" + s.ID, "id": s.ID, "name": s.Name, "description": "",
		"iconUrl": rd.base + "/images/icons/status.png", "statusCategory": rd.category(s.Category),
	}
}

func (rd *renderer) issueType(t *IssueType) object {
	o := object{
		"self": rd.base + "/issuetype/" + t.ID, "id": t.ID, "name": t.Name, "description": "",
		"iconUrl": rd.base + "/images/icons/type.png", "subtask": t.Subtask,
	}
	if rd.in.opts.Flavour == Cloud {
		level := 0
		if t.Subtask {
			level = -1
		}
		o["hierarchyLevel"] = level
	}
	return o
}

func (rd *renderer) project(p *Project) object {
	return object{"self": rd.base + "/project/" + p.ID, "id": p.ID, "key": p.Key, "name": p.Name, "projectTypeKey": "software"}
}

func (rd *renderer) priority(p *Priority) any {
	if p == nil {
		return nil
	}
	return object{"self": rd.base + "/priority/" + p.ID, "id": p.ID, "name": p.Name, "iconUrl": rd.base + "/images/icons/priority.png"}
}

// allFields are the fields of an issue, those of Extra aside. What is navigable
// leaves out the lists of comments and worklogs.
var allFields = []string{
	"summary", "issuetype", "project", "status", "priority", "assignee", "reporter", "creator", "created", "updated",
	"components", "parent", PointsField, "resolution", "resolutiondate", "labels", "duedate", "comment", "worklog",
}

// fieldSet reads a list of wanted fields as Jira does.
func fieldSet(fields []string, byDefault string) (wanted func(string) bool) {
	include, exclude := map[string]bool{}, map[string]bool{}
	for _, list := range fields {
		for f := range strings.SplitSeq(list, ",") {
			switch f = strings.TrimSpace(f); {
			case f == "":
			case strings.HasPrefix(f, "-"):
				exclude[f[1:]] = true
			default:
				include[f] = true
			}
		}
	}
	if len(include) == 0 {
		include[byDefault] = true
	}
	return func(f string) bool {
		listed := f == "comment" || f == "worklog"
		return !exclude[f] && (include[f] || include["*all"] || include["*navigable"] && !listed)
	}
}

// issue renders a record. The lists of comments and worklogs are cut at a
// number; negative is whole.
func (rd *renderer) issue(r *record, wanted func(string) bool, comments, worklogs int) object {
	fields := object{}
	for _, f := range allFields {
		if wanted(f) {
			rd.field(fields, r, f, comments, worklogs)
		}
	}
	for f, raw := range r.Extra {
		if wanted(f) {
			fields[f] = json.RawMessage(raw)
		}
	}
	o := object{"expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations", "id": r.ID, "self": rd.base + "/issue/" + r.ID, "key": r.Key}
	if rd.in.opts.Flavour == DataCenter {
		delete(o, "expand")
	}
	if len(fields) > 0 {
		o["fields"] = fields
	}
	return o
}

func (rd *renderer) field(fields object, r *record, f string, comments, worklogs int) {
	in := rd.in
	switch f {
	case "summary":
		fields[f] = r.Summary
	case "issuetype":
		fields[f] = rd.issueType(in.types[r.Type])
	case "project":
		fields[f] = rd.project(in.projects[r.Project])
	case "status":
		fields[f] = rd.status(in.statuses[r.Status])
	case "priority":
		fields[f] = rd.priority(in.priorities[r.Priority])
	case "assignee":
		fields[f] = rd.user(r.assignee)
	case "reporter":
		fields[f] = rd.named(r.Reporter)
	case "creator":
		fields[f] = rd.named(r.Creator)
	case "created":
		fields[f] = rd.time(r.Created)
	case "updated":
		fields[f] = rd.time(r.Updated)
	case "components":
		list := []object{}
		for _, id := range r.Components {
			list = append(list, object{"self": rd.base + "/component/" + id, "id": id, "name": in.components[id].Name})
		}
		fields[f] = list
	case "parent":
		if id, err := strconv.ParseInt(r.Parent, 10, 64); err == nil && in.issues[id] != nil {
			p := in.issues[id].now
			fields[f] = object{"id": p.ID, "key": p.Key, "self": rd.base + "/issue/" + p.ID, "fields": object{
				"summary": p.Summary, "status": rd.status(in.statuses[p.Status]), "issuetype": rd.issueType(in.types[p.Type]),
			}}
		}
	case PointsField:
		fields[f] = r.Points
	case "resolution", "resolutiondate", "duedate":
		fields[f] = nil
	case "labels":
		fields[f] = []string{}
	case "comment":
		fields[f] = rd.comments(r, 0, comments)
	case "worklog":
		fields[f] = rd.worklogs(r, 0, worklogs)
	}
}

// text is a comment's or worklog's text: a document on Cloud, plain before.
func (rd *renderer) text(s string) any {
	if rd.in.opts.Flavour == DataCenter {
		return s
	}
	content := []object{}
	if s != "" {
		content = append(content, object{"type": "text", "text": s})
	}
	return object{"type": "doc", "version": 1, "content": []object{{"type": "paragraph", "content": content}}}
}

// window cuts n items from startAt; at most limit, negative is all.
func window(n, startAt, limit int) (from, to int) {
	from = min(max(startAt, 0), n)
	if limit < 0 {
		return from, n
	}
	return from, min(from+limit, n)
}

func (rd *renderer) comments(r *record, startAt, limit int) object {
	from, to := window(len(r.Comments), startAt, limit)
	list := make([]object, 0, to-from)
	for _, c := range r.Comments[from:to] {
		o := object{
			"self": rd.base + "/issue/" + r.ID + "/comment/" + c.ID, "id": c.ID, "body": rd.text(c.Body),
			"created": rd.time(c.Created), "updated": rd.time(c.Created),
		}
		if c.Author != "" {
			o["author"], o["updateAuthor"] = rd.named(c.Author), rd.named(c.Author)
		}
		list = append(list, o)
	}
	if limit < 0 {
		limit = len(r.Comments)
	}
	return object{"comments": list, "startAt": startAt, "maxResults": limit, "total": len(r.Comments)}
}

func (rd *renderer) worklogs(r *record, startAt, limit int) object {
	from, to := window(len(r.Worklogs), startAt, limit)
	list := make([]object, 0, to-from)
	for _, w := range r.Worklogs[from:to] {
		o := object{
			"self": rd.base + "/issue/" + r.ID + "/worklog/" + w.ID, "id": w.ID, "issueId": r.ID, "comment": rd.text(w.Body),
			"created": rd.time(w.Created), "updated": rd.time(w.Created), "started": rd.time(w.Started),
			"timeSpent": strconv.Itoa(w.Seconds/60) + "m", "timeSpentSeconds": w.Seconds,
		}
		if w.Author != "" {
			o["author"], o["updateAuthor"] = rd.named(w.Author), rd.named(w.Author)
		}
		list = append(list, o)
	}
	if limit < 0 {
		limit = len(r.Worklogs)
	}
	return object{"worklogs": list, "startAt": startAt, "maxResults": limit, "total": len(r.Worklogs)}
}

// changelog is the changelog inside an issue: on Cloud the newest entry first,
// on Data Center the oldest. Where it is cut, the newest remain.
func (rd *renderer) changelog(r *record, limit int) object {
	all := r.Histories
	if limit > 0 && len(all) > limit {
		all = all[len(all)-limit:]
	}
	list := make([]object, 0, len(all))
	for _, h := range all {
		list = append(list, rd.history(h, nil, false))
	}
	if rd.in.opts.Flavour == Cloud {
		slices.Reverse(list)
	}
	return object{"startAt": 0, "maxResults": len(list), "total": len(r.Histories), "histories": list}
}

// history renders an entry with the items of the wanted fields; nil is all.
func (rd *renderer) history(h History, fieldIDs map[string]bool, epoch bool) object {
	items := make([]object, 0, len(h.Items))
	for _, item := range h.Items {
		if fieldIDs == nil || fieldIDs[rd.in.fieldID(item)] {
			items = append(items, rd.item(item))
		}
	}
	o := object{"id": h.ID, "items": items}
	if epoch {
		o["created"] = h.Created.UnixMilli()
	} else {
		o["created"] = rd.time(h.Created)
	}
	if h.Author != "" {
		o["author"] = rd.named(h.Author)
	}
	return o
}

func (rd *renderer) item(item Item) object {
	fieldType := item.FieldType
	if fieldType == "" {
		fieldType = "jira"
	}
	o := object{
		"field": item.Field, "fieldtype": fieldType,
		"from": item.From, "fromString": item.FromString, "to": item.To, "toString": item.ToString,
	}
	if rd.in.opts.Flavour == Cloud {
		if id := rd.in.fieldID(item); id != "" {
			o["fieldId"] = id
		}
		if strings.EqualFold(item.Field, "assignee") {
			o["from"], o["to"] = rd.accountID(item.From), rd.accountID(item.To)
		}
	}
	return o
}

// accountID translates what a changelog holds of a user.
func (rd *renderer) accountID(ref *string) *string {
	if ref == nil || *ref == "" {
		return nil
	}
	if u := rd.in.byAlias[strings.ToLower(*ref)]; u != nil {
		return &u.AccountID
	}
	return new(AccountID(*ref))
}

// fieldIDs are the ids of fields whose name in a changelog differs from them,
// by lower-case name.
var fieldIDs = map[string]string{
	"component": "components", "fix version": "fixVersions", "version": "versions",
	"type": "issuetype", "issue type": "issuetype", "parent": "parent",
	strings.ToLower(PointsName): PointsField,
}

// fieldID is the id of the field that an item is about. Links, workflow
// migrations and the like are of no field.
func (in *Instance) fieldID(item Item) string {
	if item.FieldID != "" {
		return item.FieldID
	}
	name := strings.ToLower(item.Field)
	if id, ok := fieldIDs[name]; ok {
		return id
	}
	switch name {
	case "key", "workflow", "link", "remoteissuelink", "projectimport", "worklogid", "worklogtimespent":
		return ""
	}
	if item.FieldType == "custom" {
		return ""
	}
	return name
}
