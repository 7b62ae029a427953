package jira

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"fairlead/connectors/ticket"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func decode[T any](t *testing.T, s string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// wholeOf makes an issue of JSON as Data Center sends it: all in one.
func wholeOf(t *testing.T, s string) whole {
	t.Helper()
	w := whole{wireIssue: decode[wireIssue](t, s)}
	if w.Changelog != nil {
		w.histories = w.Changelog.Histories
	}
	order(w.histories)
	w.comments, w.worklogs = w.list("comment"), w.list("worklog")
	return w
}

const cloudIssue = `{
 "id": "10042", "key": "NEW-7",
 "fields": {
  "issuetype": {"id": "10004", "name": "Bug", "subtask": false},
  "project": {"id": "10002", "key": "NEW", "name": "New project"},
  "status": {"id": "10011", "name": "Shipped", "statusCategory": {"id": 3, "key": "done", "name": "Done"}},
  "priority": {"id": "2", "name": "High"},
  "assignee": {"accountId": "557058:bob", "accountType": "atlassian", "displayName": "Bob", "emailAddress": "bob@example.invalid", "active": true},
  "parent": {"id": "10001", "key": "NEW-1"},
  "components": [],
  "created": "2026-03-02T10:00:00.123+1030", "updated": "2026-03-05T12:00:00.000Z",
  "customfield_10016": 5,
  "comment": {"total": 1, "comments": [{"id": "1", "author": {"accountId": "557058:ann", "displayName": "Ann", "active": true},
   "body": {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "secret"}]}]},
   "created": "2026-03-03T00:00:00.000+0000"}]},
  "worklog": {"total": 1, "worklogs": [{"author": {"accountId": "app:1", "accountType": "app", "displayName": "Timer", "active": true},
   "comment": {"type": "doc"}, "created": "2026-03-04T00:00:00.000+0000", "started": "2026-03-02T00:00:00.000+0000"}]}
 },
 "changelog": {"total": 3, "histories": [
  {"id": "9", "created": 1772712000000, "items": [
   {"field": "status", "fieldId": "status", "from": "3", "fromString": "Doing", "to": "10011", "toString": "Shipped"},
   {"field": "Story point estimate", "fieldtype": "custom", "fieldId": "customfield_10016", "from": null, "fromString": "3.0", "to": null, "toString": "5"}]},
  {"id": "10", "author": {"accountId": "557058:ann", "displayName": "Ann", "active": true}, "created": "2026-03-03T08:00:00.000+0000", "items": [
   {"field": "project", "fieldId": "project", "from": "10001", "fromString": "Old", "to": "10002", "toString": "New project"},
   {"field": "Key", "from": null, "fromString": "OLD-3", "to": null, "toString": "NEW-7"},
   {"field": "Component", "fieldId": "components", "from": "200", "fromString": "Core", "to": null, "toString": null}]},
  {"id": "8", "author": {"accountId": "557058:ann", "displayName": "Ann", "active": true}, "created": "2026-03-02T08:00:00.000+0000", "items": [
   {"field": "assignee", "fieldId": "assignee", "from": "557058:eve", "fromString": "Eve", "to": "557058:bob", "toString": "Bob"},
   {"field": "Component", "fieldId": "components", "from": null, "fromString": null, "to": "200", "toString": "Core"},
   {"field": "labels", "fieldId": "labels", "from": "", "fromString": "", "to": "", "toString": "x"}]}]}
}`

func TestCloudIssueBecomesATicket(t *testing.T) {
	p := newPeople(Cloud)
	m := newMapper("jira", p, []wireField{{ID: "customfield_10016", Name: "Story point estimate"}}, newRules(Config{}))
	w := wholeOf(t, cloudIssue)
	m.learn([]whole{w})
	got, err := m.ticket(w)
	if err != nil {
		t.Fatal(err)
	}
	five := 5.0
	ann := "557058:ann"
	first, second, third := at("2026-03-02T08:00:00Z"), at("2026-03-03T08:00:00Z"), at("2026-03-05T12:00:00Z")
	want := ticket.Ticket{
		Source: "jira", ID: "10042", Key: "NEW-7", Created: at("2026-03-01T23:30:00.123Z"), Updated: third,
		Assignee: "557058:bob", Status: "10011", Group: "10002", Kind: "10004", Priority: "2", Project: "10002", Parent: "10001",
		Areas: []string{"project:10002"}, Effort: &five, HistoryComplete: true,
		Changes: []ticket.Change{
			{At: first, Seq: 1, Field: ticket.FieldAssignee, From: "557058:eve", To: "557058:bob", Actor: ann},
			{At: first, Seq: 1, Field: ticket.FieldArea, To: "component:200", Actor: ann},
			{At: first, Seq: 1, Field: ticket.FieldArea, From: "project:10001", Actor: ann},
			{At: second, Seq: 2, Field: ticket.FieldProject, From: "10001", To: "10002", Actor: ann},
			{At: second, Seq: 2, Field: ticket.FieldGroup, From: "10001", To: "10002", Actor: ann},
			{At: second, Seq: 2, Field: ticket.FieldArea, From: "component:200", Actor: ann},
			{At: second, Seq: 2, Field: ticket.FieldArea, To: "project:10002", Actor: ann},
			{At: third, Seq: 3, Field: ticket.FieldStatus, From: "3", To: "10011"},
			{At: third, Seq: 3, Field: ticket.FieldEffort, From: "3", To: "5"},
		},
		Contributions: []ticket.Contribution{
			{At: at("2026-03-02T00:00:00Z"), Actor: "app:1", Act: ticket.ActWorklog},
			{At: at("2026-03-03T00:00:00Z"), Actor: ann, Act: ticket.ActComment},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if a := p.named("jira", "app:1"); !a.Bot || a.Name != "Timer" {
		t.Errorf("the app is %+v", a)
	}
	if a := p.named("jira", "557058:eve"); a.Name != "Eve" {
		t.Errorf("an account met in a changelog only is %+v", a)
	}
	if _, ok := p.pending["557058:eve"]; !ok || len(p.pending) != 1 {
		t.Errorf("to be looked up: %v", p.pending)
	}
	for id, want := range map[string]string{"3": "Doing", "10011": "Shipped"} {
		if term := m.term[termKey{ticket.FieldStatus, id}]; term.Name != want {
			t.Errorf("status %s is %+v", id, term)
		}
	}
	if term := m.term[termKey{ticket.FieldGroup, "10002"}]; term.Name != "NEW" {
		t.Errorf("group is %+v", term)
	}
	if !m.projects["10001"] {
		t.Error("the project it came from is not to be described")
	}
}

// One person under all the spellings that occur: a key in another case, a name
// from before keys, a name from before a rename.
func TestDataCenterPeopleAreOneAccount(t *testing.T) {
	const issue = `{"id": "1", "key": "A-1", "fields": {
	  "issuetype": {"id": "1", "name": "Incident"}, "project": {"id": "1", "key": "A"}, "status": {"id": "1", "name": "Open", "statusCategory": {"key": "new"}},
	  "assignee": {"key": "JIRAUSER10100", "name": "Robert", "displayName": "Robert", "active": true},
	  "created": "2020-01-01T00:00:00.000+0000", "updated": "2020-01-02T00:00:00.000+0000"},
	 "changelog": {"total": 4, "histories": [
	  {"id": "1", "author": {"key": "amy", "name": "bob", "active": true}, "created": "2020-01-01T01:00:00.000+0000", "items": [{"field": "assignee", "fieldtype": "jira", "from": null, "fromString": null, "to": "jirauser10100", "toString": "Bob"}]},
	  {"id": "2", "author": null, "created": "2020-01-01T02:00:00.000+0000", "items": [{"field": "assignee", "fieldtype": "jira", "from": "JiraUser10100", "fromString": "Bob", "to": "AMY", "toString": "Amy"}]},
	  {"id": "3", "created": "2020-01-01T03:00:00.000+0000", "items": [{"field": "assignee", "fieldtype": "jira", "from": "amy", "fromString": "Amy", "to": "ROBERT", "toString": "Robert"}]},
	  {"id": "4", "created": "2020-01-01T04:00:00.000+0000", "items": [
	    {"field": "project", "fieldtype": "jira", "from": "x", "fromString": "x", "to": "x", "toString": "x"},
	    {"field": "Key", "fieldtype": "jira", "from": null, "fromString": "x", "to": null, "toString": "x"},
	    {"field": "Issue Type", "fieldtype": "jira", "from": "x", "fromString": "x", "to": "x", "toString": "x"},
	    {"field": "status", "fieldtype": "custom", "from": "7", "fromString": "a", "to": "8", "toString": "b"}]}]}}`
	p := newPeople(DataCenter)
	m := newMapper("jira", p, nil, newRules(Config{}))
	w := wholeOf(t, issue)
	m.learn([]whole{w})
	got, err := m.ticket(w)
	if err != nil {
		t.Fatal(err)
	}
	type step struct{ from, to, actor string }
	var steps []step
	for _, c := range got.Changes {
		if c.Field != ticket.FieldAssignee {
			t.Errorf("an unusable change came through: %+v", c)
		}
		steps = append(steps, step{c.From, c.To, c.Actor})
	}
	want := []step{{"", "jirauser10100", "amy"}, {"jirauser10100", "amy", ""}, {"amy", "jirauser10100", ""}}
	if !reflect.DeepEqual(steps, want) || got.Assignee != "jirauser10100" {
		t.Errorf("got %v, now with %s; want %v", steps, got.Assignee, want)
	}
}

func TestOldServersNamePeopleByName(t *testing.T) {
	p := newPeople(DataCenter)
	p.learn("jira", &wireUser{Name: "U-Upper", DisplayName: "U"})
	if got := p.resolve(new("u-upper"), nil); got != "u-upper" || p.id(&wireUser{Name: "U-Upper"}) != got {
		t.Errorf("got %q", got)
	}
	if len(p.pending) != 0 {
		t.Errorf("to be looked up: %v", p.pending)
	}
}

func TestCloudAccountsThatJiraLostAreNobody(t *testing.T) {
	p := newPeople(Cloud)
	if got := p.id(&wireUser{AccountID: "unknown"}) + p.resolve(new("unknown"), new("x")) + p.id(nil) + p.resolve(nil, nil); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestAreaIsTheProjectWhileThereIsNoComponent(t *testing.T) {
	history := func(items string) wireHistory {
		return decode[wireHistory](t, `{"id": "1", "created": "2020-01-01T00:00:00.000+0000", "items": [`+items+`]}`)
	}
	add := func(id string) string { return `{"field": "Component", "from": null, "to": "` + id + `"}` }
	remove := func(id string) string { return `{"field": "Component", "from": "` + id + `", "to": null}` }
	move := func(from, to string) string {
		return `{"field": "project", "from": "` + from + `", "to": "` + to + `"}`
	}
	for name, test := range map[string]struct {
		histories []wireHistory
		now       []string
		want      []string // "seq -left +came"
	}{
		"never changed":               {nil, []string{"1"}, nil},
		"first component":             {[]wireHistory{history(add("1"))}, []string{"1"}, []string{"1 -  +component:1", "1 - project:9 + "}},
		"second component":            {[]wireHistory{history(add("2"))}, []string{"1", "2"}, []string{"1 -  +component:2"}},
		"last component removed":      {[]wireHistory{history(remove("1"))}, nil, []string{"1 - component:1 + ", "1 -  +project:9"}},
		"one for another":             {[]wireHistory{history(remove("1") + "," + add("2"))}, []string{"2"}, []string{"1 - component:1 + ", "1 -  +component:2"}},
		"moved without components":    {[]wireHistory{history(move("8", "9"))}, nil, []string{"1 - project:8 +project:9"}},
		"moved with a component":      {[]wireHistory{history(move("8", "9"))}, []string{"1"}, nil},
		"there and back":              {[]wireHistory{history(add("1")), history(remove("1"))}, nil, []string{"1 -  +component:1", "1 - project:9 + ", "2 - component:1 + ", "2 -  +project:9"}},
		"removed without a record":    {[]wireHistory{history(add("1"))}, nil, []string{"1 -  +component:1", "1 - project:9 + "}},
		"unusable ids are left alone": {[]wireHistory{history(move("x", "x"))}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range areaChanges(test.histories, test.now, "9") {
				got = append(got, string('0'+rune(c.Seq))+" - "+c.From+" +"+c.To)
			}
			for n := range got {
				got[n] = normal(got[n])
			}
			for n := range test.want {
				test.want[n] = normal(test.want[n])
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func normal(s string) string {
	var out []rune
	for _, r := range s {
		if r != ' ' {
			out = append(out, r)
		}
	}
	return string(out)
}

func TestKindsByName(t *testing.T) {
	r := newRules(Config{Kinds: map[string]ticket.Kind{"Outage drill": ticket.KindTask, "77": ticket.KindProblem}})
	for want, names := range map[ticket.Kind][]string{
		ticket.KindIncident: {"Incident", "[System] Incident", "Major incidents"},
		ticket.KindProblem:  {"Problem", "[System] Problem"},
		ticket.KindChange:   {"Change", "[System] Change", "Change Request", "RFC"},
		ticket.KindRequest:  {"Service Request", "[System] Service request with approvals", "Support Request", "IT Help", "Question"},
		ticket.KindBug:      {"Bug", "Defect", "BUG"},
		ticket.KindTask:     {"Story", "Task", "Sub-task", "Technical task", "Epic", "Improvement", "New Feature", "Feature Request", "Documentation", "User Stories", "Outage drill"},
		ticket.KindOther:    {"Vulnerability", "", "Candidate", "Debugging"},
	} {
		for _, name := range names {
			if got := r.kind(wireType{Name: name}); got != want {
				t.Errorf("%q is %s, want %s", name, got, want)
			}
		}
	}
	if got := r.kind(wireType{ID: "77", Name: "Bug"}); got != ticket.KindProblem {
		t.Errorf("configured by id: %s", got)
	}
	if got := r.kind(wireType{Name: "Onderdeel", Subtask: true}); got != ticket.KindTask {
		t.Errorf("an unknown type of sub-tasks is %s", got)
	}
}

func TestStatusCategories(t *testing.T) {
	r := newRules(Config{Statuses: map[string]ticket.Category{"Waiting for release": ticket.CategoryDone}})
	for key, want := range map[string]ticket.Category{
		"new": ticket.CategoryTodo, "indeterminate": ticket.CategoryInProgress, "done": ticket.CategoryDone, "undefined": ticket.CategoryOther, "": ticket.CategoryOther,
	} {
		s := wireStatus{ID: "1", Name: "x"}
		s.StatusCategory.Key = key
		if got := r.category(s); got != want {
			t.Errorf("%q is %s, want %s", key, got, want)
		}
	}
	if got := r.category(wireStatus{Name: "waiting for Release"}); got != ticket.CategoryDone {
		t.Errorf("configured: %s", got)
	}
}

func TestEffortFieldIsFoundBySchemaBeforeName(t *testing.T) {
	field := func(id, name, custom string) wireField {
		f := wireField{ID: id, Name: name, Custom: true}
		f.Schema.Custom = custom
		return f
	}
	fields := []wireField{
		field("customfield_1", "Story Points", floatSchema), field("customfield_2", "Estimate", pointsSchema),
		field("customfield_3", "story points", "com.atlassian.jira.plugin.system.customfieldtypes:textfield"), field("customfield_4", "Budget", floatSchema),
	}
	got, err := chooseEffort(fields, "")
	if err != nil || len(got) != 2 || got[0].ID != "customfield_2" || got[1].ID != "customfield_1" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err = chooseEffort(fields, "customfield_4"); err != nil || len(got) != 1 || got[0].ID != "customfield_4" {
		t.Errorf("configured: %v, %v", got, err)
	}
	if _, err = chooseEffort(fields, "customfield_9"); err == nil {
		t.Error("a configured field that does not exist is no error")
	}
	m := newMapper("jira", newPeople(Cloud), []wireField{fields[1], fields[0]}, rules{})
	three := 3.0
	if n := m.effortField(present{effort: []*float64{nil, &three}}, nil); n != 1 {
		t.Errorf("the field that is set is %d", n)
	}
	changed := []wireHistory{{Items: []wireItem{{FieldID: "customfield_1"}}}}
	if n := m.effortField(present{effort: []*float64{nil, nil}}, changed); n != 1 {
		t.Errorf("the field that was set is %d", n)
	}
}

// The examples in Atlassian's specification have issues without status and
// times, and lists of comments as arrays.
func TestWhatIsNoIssueIsRefused(t *testing.T) {
	m := newMapper("jira", newPeople(Cloud), nil, rules{})
	for name, s := range map[string]string{
		"nothing":       `{"id": "1", "fields": {}}`,
		"the example":   `{"id": "10002", "key": "ED-1", "fields": {"project": {"id": "10000", "key": "EX"}, "updated": 1, "comment": [{"author": {"accountId": "a"}, "created": "2021-01-17T12:34:00.000+0000"}]}}`,
		"another shape": `{"id": "1", "fields": {"status": "Open"}}`,
	} {
		w := wholeOf(t, s)
		m.learn([]whole{w})
		if _, err := m.ticket(w); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
