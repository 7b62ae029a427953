package servicenowtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func instance(o Options) *Instance {
	if o.Clock == nil {
		o.Clock = func() time.Time { return noon }
	}
	in := New(o)
	ann := in.AddUser(User{UserName: "ann", Name: "Ann Lee"})
	for i := range 5 {
		in.Insert("incident", Record{"sys_id": fmt.Sprint("i", i), "number": fmt.Sprint("INC", i), "assigned_to": ann, "category": "network"}, "ann", noon.Add(time.Duration(i)*time.Minute))
	}
	return in
}

// ask sends a GET with the right credential unless header says otherwise.
func ask(in *Instance, target string, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.SetBasicAuth("fairlead", "fairlead")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	in.Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestAnswers(t *testing.T) {
	const list = "/api/now/table/incident?sysparm_fields=number,assigned_to,category,nonsense&sysparm_query=sys_id=i1"
	ann := SysID("sys_user", "ann")
	for name, c := range map[string]struct {
		target string
		header []string
		status int
		body   string
	}{
		"values": {
			target: list + "&sysparm_exclude_reference_link=true&sysparm_display_value=false", status: 200,
			body: `{"result":[{"number":"INC1","assigned_to":"` + ann + `","category":"network"}]}`,
		},
		"links": {
			target: list, status: 200,
			body: `{"result":[{"number":"INC1","assigned_to":{"link":"/api/now/table/sys_user/` + ann + `","value":"` + ann + `"},"category":"network"}]}`,
		},
		"display values": {
			target: list + "&sysparm_display_value=true&sysparm_exclude_reference_link=true", status: 200,
			body: `{"result":[{"number":"INC1","assigned_to":"Ann Lee","category":"Network"}]}`,
		},
		"both": {
			target: list + "&sysparm_display_value=all&sysparm_exclude_reference_link=true", status: 200,
			body: `{"result":[{"number":{"display_value":"INC1","value":"INC1"},"assigned_to":{"display_value":"Ann Lee","value":"` + ann + `"},"category":{"display_value":"Network","value":"network"}}]}`,
		},
		"one record":    {target: "/api/now/v2/table/incident/i2?sysparm_fields=number", status: 200, body: `{"result":{"number":"INC2"}}`},
		"of its parent": {target: "/api/now/table/task/i2?sysparm_fields=sys_class_name", status: 200, body: `{"result":{"sys_class_name":"incident"}}`},
		"no record": {
			target: "/api/now/table/incident/none", status: 404,
			body: `{"error":{"detail":"Record doesn't exist or ACL restricts the record retrieval","message":"No Record found"},"status":"failure"}`,
		},
		"no table": {
			target: "/api/now/table/incidents", status: 400,
			body: `{"error":{"detail":null,"message":"Invalid table incidents"},"status":"failure"}`,
		},
		"wrong password": {
			target: list, header: []string{"Authorization", "Basic eDp5"}, status: 401,
			body: `{"error":{"detail":"Required to provide Auth information","message":"User Not Authenticated"},"status":"failure"}`,
		},
		"denied": {
			target: "/api/now/table/problem", status: 403,
			body: `{"error":{"detail":"Failed API level ACL Validation","message":"User Not Authorized"},"status":"failure"}`,
		},
		"a long request": {target: list + strings.Repeat(",x", 5000), status: 414, body: `{"error":{"detail":null,"message":"Request-URI Too Long"},"status":"failure"}`},
	} {
		t.Run(name, func(t *testing.T) {
			in := instance(Options{})
			in.DenyTable("problem")
			got := ask(in, c.target, c.header...)
			if b := body(t, got); got.StatusCode != c.status || b != c.body {
				t.Errorf("got %d %s\nwant %d %s", got.StatusCode, b, c.status, c.body)
			}
			if d := got.Header.Get("Date"); d != noon.Format(http.TimeFormat) {
				t.Errorf("dated %s", d)
			}
		})
	}
}

func TestPages(t *testing.T) {
	in := instance(Options{})
	in.HideRows("incident", func(r Record) bool { return r["sys_id"] == "i2" || r["sys_id"] == "i3" })
	page := func(offset int, more string) (*http.Response, int) {
		r := ask(in, fmt.Sprintf("/api/now/table/incident?sysparm_fields=sys_id&sysparm_query=ORDERBYsys_updated_on&sysparm_limit=2&sysparm_offset=%d%s", offset, more))
		var b struct{ Result []any }
		if err := json.Unmarshal([]byte(body(t, r)), &b); err != nil {
			t.Fatal(err)
		}
		return r, len(b.Result)
	}
	for offset, want := range map[int]struct {
		rows int
		rels string
	}{0: {2, "first next last"}, 2: {0, "first prev next last"}, 4: {1, "first prev last"}, 6: {0, "first prev last"}} {
		r, n := page(offset, "")
		var rels []string
		for _, rel := range []string{"first", "prev", "next", "last"} {
			if strings.Contains(r.Header.Get("Link"), fmt.Sprintf("rel=%q", rel)) {
				rels = append(rels, rel)
			}
		}
		if n != want.rows || r.Header.Get("X-Total-Count") != "5" || strings.Join(rels, " ") != want.rels {
			t.Errorf("at %d: %d rows of %s, links %v", offset, n, r.Header.Get("X-Total-Count"), rels)
		}
	}
	if r, _ := page(0, "&sysparm_no_count=true"); r.Header.Get("X-Total-Count") != "" || r.Header.Get("Link") != "" {
		t.Errorf("counted in spite of sysparm_no_count: %v", r.Header)
	}
	in.RestrictRows("incident", func(r Record) bool { return r["sys_id"] == "i4" })
	if r, _ := page(0, ""); r.Header.Get("X-Total-Count") != "4" {
		t.Errorf("a before-query rule left %s", r.Header.Get("X-Total-Count"))
	}
}

func TestUpdateWritesTheAudit(t *testing.T) {
	in := instance(Options{})
	groups := []string{in.AddGroup(Group{Name: "net"}), in.AddGroup(Group{Name: "db"})}
	update := func(fields Record, at time.Time) {
		t.Helper()
		if err := in.Update("task", "i0", fields, "ann", at); err != nil {
			t.Fatal(err)
		}
	}
	update(Record{"assignment_group": groups[0]}, noon.Add(time.Hour))
	update(Record{"assignment_group": groups[0]}, noon.Add(2*time.Hour)) // nothing changes
	update(Record{"assignment_group": groups[1], "state": "7"}, noon.Add(3*time.Hour))

	rec := in.Get("incident", "i0")
	for column, want := range map[string]string{
		"sys_mod_count": "2", "sys_updated_on": "2026-03-02 15:00:00", "sys_updated_by": "ann", "sys_created_on": "2026-03-02 12:00:00",
		"incident_state": "7", "active": "false", "reassignment_count": "1",
	} {
		if rec[column] != want {
			t.Errorf("%s: got %q, want %q", column, rec[column], want)
		}
	}
	got := map[string]string{}
	for _, a := range in.Records("sys_audit") {
		got[a["fieldname"]+"@"+a["record_checkpoint"]] = strings.Join([]string{a["tablename"], a["documentkey"], a["oldvalue"], a["newvalue"], a["user"], a["sys_created_on"]}, " ")
	}
	want := map[string]string{
		"assignment_group@1":   "incident i0  " + groups[0] + " ann 2026-03-02 13:00:00",
		"assignment_group@2":   "incident i0 " + groups[0] + " " + groups[1] + " ann 2026-03-02 15:00:00",
		"state@2":              "incident i0 1 7 ann 2026-03-02 15:00:00",
		"incident_state@2":     "incident i0 1 7 ann 2026-03-02 15:00:00",
		"active@2":             "incident i0 true false ann 2026-03-02 15:00:00",
		"reassignment_count@2": "incident i0 0 1 ann 2026-03-02 15:00:00",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if err := in.Update("incident", "none", nil, "ann", noon); err == nil {
		t.Error("a record that does not exist was updated")
	}
}

func TestToken(t *testing.T) {
	now := noon
	in := instance(Options{ClientID: "app", ClientSecret: "s3cret", Clock: func() time.Time { return now }})
	token := func(form url.Values) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/oauth_token.do", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		in.Handler().ServeHTTP(w, r)
		var b struct {
			Token   string `json:"access_token"`
			Expires int    `json:"expires_in"`
		}
		_ = json.Unmarshal(w.Body.Bytes(), &b)
		if b.Token != "" && b.Expires != 1799 {
			t.Errorf("expires in %d", b.Expires)
		}
		return w.Code, b.Token
	}
	app := url.Values{"client_id": {"app"}, "client_secret": {"s3cret"}, "grant_type": {"client_credentials"}}
	person := url.Values{"client_id": {"app"}, "client_secret": {"s3cret"}, "grant_type": {"password"}, "username": {"fairlead"}, "password": {"fairlead"}}
	wrong := url.Values{"client_id": {"app"}, "client_secret": {"x"}, "grant_type": {"client_credentials"}}
	wrongPerson := url.Values{"client_id": {"app"}, "client_secret": {"s3cret"}, "grant_type": {"password"}, "username": {"fairlead"}, "password": {"x"}}
	for _, form := range []url.Values{wrong, wrongPerson, {}} {
		if code, tok := token(form); code != 401 || tok != "" {
			t.Errorf("%v: got %d", form, code)
		}
	}
	for _, form := range []url.Values{app, person} {
		code, tok := token(form)
		if code != 200 || tok == "" {
			t.Fatalf("%v: got %d", form, code)
		}
		bearer := func() int {
			return ask(in, "/api/now/table/incident", "Authorization", "Bearer "+tok).StatusCode
		}
		if got := bearer(); got != 200 {
			t.Errorf("a token is refused: %d", got)
		}
		now = now.Add(31 * time.Minute)
		if got := bearer(); got != 401 {
			t.Errorf("a token that has run out is taken: %d", got)
		}
	}
}

func TestRateLimit(t *testing.T) {
	now := noon.Add(40 * time.Minute)
	in := instance(Options{Clock: func() time.Time { return now }})
	in.SetRateLimit(2, time.Hour)
	for i, want := range []int{200, 200, 429} {
		r := ask(in, "/api/now/table/incident?sysparm_limit=1")
		if r.StatusCode != want || r.Header.Get("X-RateLimit-Limit") != "2" || r.Header.Get("X-RateLimit-Reset") != fmt.Sprint(noon.Add(time.Hour).Unix()) {
			t.Errorf("request %d: %d %v", i, r.StatusCode, r.Header)
		}
		if want == 429 && r.Header.Get("Retry-After") != "1200" {
			t.Errorf("retry after %s", r.Header.Get("Retry-After"))
		}
	}
	now = now.Add(20 * time.Minute)
	if r := ask(in, "/api/now/table/incident?sysparm_limit=1"); r.StatusCode != 200 {
		t.Errorf("still limited in the next hour: %d", r.StatusCode)
	}
	if n := in.Requests()["/api/now/table/incident"]; n != 4 {
		t.Errorf("%d requests counted", n)
	}
}

func TestFaults(t *testing.T) {
	in := instance(Options{})
	url, err := in.Start()
	if err != nil {
		t.Fatal(err)
	}
	get := func() (int, int, error) {
		req, err := http.NewRequest(http.MethodGet, url+"/api/now/table/incident?sysparm_fields=sys_id", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("fairlead", "fairlead")
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, 0, err
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		return r.StatusCode, len(b), err
	}
	_, whole, err := get()
	if err != nil {
		t.Fatal(err)
	}
	in.Inject(Fault{Table: "sys_audit", Status: 500})
	in.Inject(Fault{Table: "incident", After: 1, Times: 1, Status: 503, RetryAfter: "7"})
	for i, want := range []int{200, 503, 200} {
		if got, _, _ := get(); got != want {
			t.Errorf("request %d: got %d, want %d", i, got, want)
		}
	}
	in.Inject(Fault{Times: 1, Truncate: 10})
	if _, n, err := get(); n != 10 || err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
	in.Inject(Fault{Drop: true}) // every one: net/http sends a GET again by itself
	if _, _, err := get(); err == nil {
		t.Error("the connection was not broken")
	}
	in.ClearFaults()
	in.Inject(Fault{Times: 1, Body: "<html>"})
	if code, n, err := get(); code != 200 || n != 6 || err != nil {
		t.Errorf("got %d, %d bytes, %v", code, n, err)
	}
	in.Inject(Fault{Times: 1, Repeat: true})
	if _, n, _ := get(); n <= whole {
		t.Errorf("no row came again: %d bytes of %d", n, whole)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := get(); err == nil {
		t.Error("still served after Close")
	}
}
