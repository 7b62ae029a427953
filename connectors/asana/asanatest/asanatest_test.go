package asanatest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// desk is a workspace to ask.
type desk struct {
	*Workspace
	t       *testing.T
	now     time.Time
	project string
	ann     string
}

func newDesk(t *testing.T, o Options) *desk {
	d := &desk{t: t, now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Clock = func() time.Time { return d.now }
	d.Workspace = New(o)
	d.ann = d.AddUser(User{Name: "Ann", Email: "ann@example.test"})
	d.project = d.AddProject("Work", d.AddTeam("Desk"))
	return d
}

func (d *desk) create(parent string) string {
	d.t.Helper()
	d.now = d.now.Add(time.Second)
	t := Task{At: d.now, By: d.ann, Parent: parent}
	if parent == "" {
		t.Changes = []Change{AddTo(d.project, "")}
	}
	gid, err := d.Create(t)
	if err != nil {
		d.t.Fatal(err)
	}
	return gid
}

// ask sends a request below the prefix and gives code, answer and headers.
func (d *desk) ask(method, path, body string) (int, map[string]any, http.Header) {
	d.t.Helper()
	r := httptest.NewRequest(method, Prefix+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token")
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		d.t.Fatal(err)
	}
	return w.Code, answer, w.Header()
}

func (d *desk) get(path string, q url.Values) (int, map[string]any) {
	code, answer, _ := d.ask(http.MethodGet, path+"?"+q.Encode(), "")
	return code, answer
}

func gids(answer map[string]any) (list []string) {
	data, _ := answer["data"].([]any)
	for _, one := range data {
		list = append(list, one.(map[string]any)["gid"].(string))
	}
	return list
}

// What Asana refuses ("Authentication", "Pagination", "Events") is refused.
func TestRefusals(t *testing.T) {
	d := newDesk(t, Options{})
	for range 3 {
		d.create("")
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Prefix+"/users/me", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", w.Code)
	}
	tasks := func(more ...string) (int, map[string]any) {
		q := url.Values{"project": {d.project}}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return d.get("/tasks", q)
	}
	for _, limit := range []string{"0", "101", "many"} {
		if code, _ := tasks("limit", limit); code != http.StatusBadRequest {
			t.Errorf("limit %s: %d", limit, code)
		}
	}
	_, first := tasks("limit", "2")
	next, _ := first["next_page"].(map[string]any)
	if next == nil || len(gids(first)) != 2 {
		t.Fatalf("a first page: %v", first)
	}
	offset := next["offset"].(string)
	if code, second := tasks("limit", "2", "offset", offset); code != http.StatusOK || len(gids(second)) != 1 || second["next_page"] != nil {
		t.Errorf("a second page: %d %v", code, second)
	}
	for what, more := range map[string][]string{"another limit": {"limit", "1", "offset", offset}, "made up": {"limit", "2", "offset", "2"}} {
		if code, answer := tasks(more...); code != http.StatusBadRequest || !strings.Contains(fmt.Sprint(answer), "pagination token is invalid") {
			t.Errorf("an offset, %s: %d %v", what, code, answer)
		}
	}
	d.now = d.now.Add(time.Hour)
	if code, answer := tasks("limit", "2", "offset", offset); code != http.StatusBadRequest || !strings.Contains(fmt.Sprint(answer), "expired") {
		t.Errorf("an old offset: %d %v", code, answer)
	}
	if code, answer := d.get("/events", url.Values{"resource": {d.project}}); code != http.StatusPreconditionFailed || answer["sync"] == nil {
		t.Errorf("events without a token: %d %v", code, answer)
	}
	if code, _ := d.get("/tasks", url.Values{}); code != http.StatusBadRequest {
		t.Errorf("tasks of nothing: %d", code)
	}
}

// A list has names and kinds, or what opt_fields asks for ("Input/output options").
func TestFields(t *testing.T) {
	d := newDesk(t, Options{})
	gid := d.create("")
	q := url.Values{"project": {d.project}}
	_, answer := d.get("/tasks", q)
	if one := answer["data"].([]any)[0].(map[string]any); one["name"] == nil || one["modified_at"] != nil || one["num_subtasks"] != nil {
		t.Errorf("a compact task is %v", one)
	}
	q.Set("opt_fields", "num_subtasks,memberships.section")
	_, answer = d.get("/tasks", q)
	one := answer["data"].([]any)[0].(map[string]any)
	in := one["memberships"].([]any)[0].(map[string]any)
	if len(one) != 3 || one["gid"] != gid || one["num_subtasks"] != 0.0 || in["project"] != nil || in["section"].(map[string]any)["name"] != nil {
		t.Errorf("what was asked for is %v", one)
	}
}

// A batch that would exceed a limit fails whole, and all that is in it counts
// ("Batch requests").
func TestBatchesAndLimits(t *testing.T) {
	d := newDesk(t, Options{PerMinute: 25, AtOnce: 9})
	gid := d.create("")
	batch := func(n int) (int, string) {
		actions := strings.Repeat(fmt.Sprintf(`,{"relative_path":"/tasks/%s","method":"get"}`, gid), n)
		code, answer, header := d.ask(http.MethodPost, "/batch", `{"data":{"actions":[`+strings.TrimPrefix(actions, ",")+`]}}`)
		if list, _ := answer["data"].([]any); code == http.StatusOK && len(list) != n {
			t.Errorf("%d actions have %d answers", n, len(list))
		}
		return code, header.Get("Retry-After")
	}
	for _, test := range []struct{ n, code int }{{0, 400}, {11, 400}, {10, 429}, {9, 200}, {9, 200}, {8, 429}, {7, 200}, {1, 429}} {
		if code, wait := batch(test.n); code != test.code || code == 429 && wait == "" {
			t.Errorf("a batch of %d: %d, wait %q", test.n, code, wait)
		}
	}
	d.now = d.now.Add(time.Minute)
	if code, _ := batch(1); code != http.StatusOK {
		t.Errorf("a minute later: %d", code)
	}
	if d.Calls() != 10+9+9+8+7+1+1 || d.TotalRequests() != 9 || d.Refused() != 3 {
		t.Errorf("%d calls, %d requests, %d refused", d.Calls(), d.TotalRequests(), d.Refused())
	}
}

// The search is for those who pay, sixty times a minute; it lags, and has no
// offsets ("Search tasks in a workspace", "Rate limits").
func TestSearch(t *testing.T) {
	path := func(d *desk) string { return "/workspaces/" + d.GID() + "/tasks/search" }
	free := newDesk(t, Options{Free: true})
	if code, _ := free.get(path(free), url.Values{}); code != http.StatusPaymentRequired {
		t.Errorf("a free workspace: %d", code)
	}
	d := newDesk(t, Options{SearchLag: time.Minute, Searches: 60})
	whole := d.create("")
	parts := []string{d.create(whole), d.create(whole), d.create(whole)}
	subtasks := url.Values{"is_subtask": {"true"}, "sort_by": {"created_at"}, "sort_ascending": {"true"}, "opt_fields": {"parent"}}
	find := func(more ...string) []string {
		q := url.Values{}
		for name, v := range subtasks {
			q[name] = v
		}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		code, answer := d.get(path(d), q)
		if code != http.StatusOK || answer["next_page"] != nil {
			t.Fatalf("%d %v", code, answer)
		}
		return gids(answer)
	}
	if got := find(); len(got) != 0 {
		t.Errorf("at once it finds %v", got)
	}
	d.now = d.now.Add(time.Minute)
	if got := find(); !slices.Equal(got, parts) {
		t.Errorf("a minute later it finds %v", got)
	}
	edited := d.now
	if err := d.Edit(parts[1], d.ann, edited, Assign(d.ann)); err != nil {
		t.Fatal(err)
	}
	since := edited.Add(-time.Second).Format(time.RFC3339)
	if got := find("modified_at.after", since); len(got) != 0 {
		t.Errorf("it knows at once of %v", got)
	}
	d.now = d.now.Add(time.Minute)
	if got := find("modified_at.after", since); !slices.Equal(got, parts[1:2]) {
		t.Errorf("it finds %v", got)
	}
	if got := find("is_subtask", "false"); !slices.Equal(got, []string{whole}) {
		t.Errorf("of tasks it finds %v", got)
	}
	if got := find("limit", "2"); !slices.Equal(got, parts[:2]) {
		t.Errorf("the first two are %v", got)
	}
	d.HideProject(d.project, true)
	if got := find(); len(got) != 0 {
		t.Errorf("it shows %v, which may not be seen", got)
	}
	for name, value := range map[string]string{"offset": "x", "limit": "101", "sort_by": "gid", "modified_at.after": "yesterday"} {
		if code, _ := d.get(path(d), url.Values{name: {value}}); code != http.StatusBadRequest {
			t.Errorf("%s=%s: %d", name, value, code)
		}
	}
	d.now = d.now.Add(time.Hour)
	for range 60 {
		find()
	}
	if code, _ := d.get(path(d), subtasks); code != http.StatusTooManyRequests {
		t.Errorf("the 61st search of a minute: %d", code)
	}
	if code, _ := d.get("/users/me", nil); code != http.StatusOK {
		t.Errorf("another request meanwhile: %d", code)
	}
}
