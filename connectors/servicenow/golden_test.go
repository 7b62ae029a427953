package servicenow

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// script answers each table with a file of testdata, written by hand after the
// platform's answers, and keeps the queries.
type script struct {
	t       *testing.T
	mu      sync.Mutex // requests of a page come at once
	queries map[string][]string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	table := strings.TrimPrefix(r.URL.Path, "/api/now/table/")
	s.mu.Lock()
	s.queries[table] = append(s.queries[table], r.URL.RawQuery)
	s.mu.Unlock()
	b, err := os.ReadFile("testdata/" + table + ".json")
	if err != nil {
		s.t.Errorf("%s was asked for", table)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Date", "Mon, 02 Mar 2026 12:00:00 GMT")
	if !strings.Contains(r.URL.RawQuery, "sysparm_no_count=true") {
		w.Header().Set("X-Total-Count", "3")
		if table == "sys_choice" {
			w.Header().Set("X-Total-Count", "6")
		}
		if table == "sys_journal_field" {
			w.Header().Set("X-Total-Count", "5")
		}
		if table == "sys_audit" {
			w.Header().Set("X-Total-Count", "12")
		}
	}
	_, _ = w.Write(b)
}

func TestWireToDomain(t *testing.T) {
	sc := &script{t: t, queries: map[string][]string{}}
	server := httptest.NewServer(sc)
	defer server.Close()
	cfg := valid()
	cfg.URL = server.URL
	// The address is as long as its port is; a page is as many tickets as it leaves room for.
	cfg.PageSize = 100
	cfg.Batch = false
	cfg.Tables = []Table{{Name: "incident", Query: "company=acme", EffortField: "u_points"}}
	now := time.Date(2026, 3, 2, 12, 0, 1, 0, time.UTC)
	s, err := New(cfg, Options{Name: "acme", Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var pages []source.Page
	for page, err := range s.Pages(context.Background(), source.StreamOpen, source.Cursor{Start: start}) {
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	if len(pages) != 1 {
		t.Fatalf("%d pages", len(pages))
	}

	const (
		one, two, three = "9d385017c611228701d22104cc95c371", "e8caedcbc0a80164017df472f39eaed1", "d71f7935c0a8016700802b64c67c11c6"
		beth, don       = "46d44a5dc0a8010e0000ab9ccb5f4c1c", "9ee1b13dc6112271007f9d0efdb69cd0"
		network         = "287ebd7da9fe198100f92cc8d1d2154e"
		mail, router    = "26da329f0a0a0bb400f69d8159bc753d", "109562a3c611227500a7b7ff98cc0dc7"
	)
	at := func(s string) time.Time {
		tm, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	points := 3.0
	want := source.Page{
		Sent: now,
		Next: source.Cursor{Start: start, Updated: at("2026-02-20 10:00:00"), ID: three},
		Tickets: []ticket.Ticket{
			{
				Source: "acme", ID: one, Key: "INC0000015", Created: at("2026-02-01 08:00:00"), Updated: at("2026-02-03 16:00:05"),
				Assignee: beth, Status: "incident:3", Group: network, Kind: "incident", Priority: "2", Parent: two,
				Areas: []string{"cmdb_ci:" + mail}, Effort: &points, HistoryComplete: true,
				Changes: []ticket.Change{
					{At: at("2026-02-01 08:05:00"), Seq: 1, Field: ticket.FieldAssignee, From: "", To: don, Actor: don},
					{At: at("2026-02-01 08:05:00"), Seq: 1, Field: ticket.FieldStatus, From: "incident:1", To: "incident:2", Actor: don},
					{At: at("2026-02-01 08:05:00"), Seq: 1, Field: ticket.FieldArea, From: "category:hardware", To: "business_service:" + router, Actor: don},
					{At: at("2026-02-03 16:00:05"), Seq: 2, Field: ticket.FieldAssignee, From: don, To: beth, Actor: "user_name:gone.person"},
					{At: at("2026-02-03 16:00:05"), Seq: 2, Field: ticket.FieldArea, From: "business_service:" + router, To: "cmdb_ci:" + mail, Actor: "user_name:gone.person"},
					{At: at("2026-02-03 16:00:05"), Seq: 3, Field: ticket.FieldStatus, From: "incident:2", To: "incident:3", Actor: "user_name:system"},
					{At: at("2026-02-03 16:00:05"), Seq: 3, Field: ticket.FieldEffort, From: "2.5", To: "3", Actor: "user_name:system"},
				},
				// Beth is whom it is for: what she says of it is no help.
				Contributions: []ticket.Contribution{
					{At: at("2026-02-01 08:30:00"), Actor: "user_name:gone.person", Act: ticket.ActComment},
					{At: at("2026-02-01 09:00:00"), Actor: don, Act: ticket.ActComment},
				},
			},
			{
				Source: "acme", ID: two, Key: "INC0000016", Created: at("2026-02-10 09:00:00"), Updated: at("2026-02-10 09:00:00"),
				Status: "incident:1", Kind: "incident", Priority: "4", Areas: []string{"category:inquiry"}, HistoryComplete: true,
			},
			{
				Source: "acme", ID: three, Key: "INC0000017", Created: at("2026-02-11 09:00:00"), Updated: at("2026-02-20 10:00:00"),
				Assignee: don, Status: "incident:-100", Group: network, Kind: "incident",
				HistoryComplete: false, IncompleteReason: "audit withheld", Observed: observable,
				Contributions: []ticket.Contribution{{At: at("2026-02-20 10:00:00"), Actor: beth, Act: ticket.ActComment}},
			},
		},
		Accounts: []ticket.Account{
			{Source: "acme", ID: beth, Name: "Beth Anglin", Email: "beth.anglin@example.com", Active: true},
			{Source: "acme", ID: don, Name: "Don Goodliffe", Active: false, Bot: true},
			{Source: "acme", ID: "user_name:gone.person", Name: "gone.person"},
			{Source: "acme", ID: "user_name:system", Name: "system", Bot: true},
		},
		Terms: []ticket.Term{
			{Source: "acme", Field: ticket.FieldStatus, ID: "incident:3", Name: "On Hold", Value: "in_progress"},
			{Source: "acme", Field: ticket.FieldGroup, ID: network, Name: "Network"},
			{Source: "acme", Field: ticket.FieldKind, ID: "incident", Name: "incident", Value: "incident"},
			{Source: "acme", Field: ticket.FieldPriority, ID: "2", Name: "2 - High"},
			{Source: "acme", Field: ticket.FieldArea, ID: "cmdb_ci:" + mail, Name: "MailServerUS"},
			{Source: "acme", Field: ticket.FieldStatus, ID: "incident:1", Name: "New", Value: "todo"},
			{Source: "acme", Field: ticket.FieldStatus, ID: "incident:2", Name: "In Progress", Value: "in_progress"},
			{Source: "acme", Field: ticket.FieldArea, ID: "category:hardware", Name: "Hardware"},
			{Source: "acme", Field: ticket.FieldArea, ID: "business_service:" + router, Name: "IT Services"},
			{Source: "acme", Field: ticket.FieldPriority, ID: "4", Name: "4"},
			{Source: "acme", Field: ticket.FieldArea, ID: "category:inquiry", Name: "inquiry"},
			{Source: "acme", Field: ticket.FieldStatus, ID: "incident:-100", Name: "-100", Value: "other"},
		},
	}
	got := pages[0]
	for i := range max(len(got.Tickets), len(want.Tickets)) {
		if i >= len(got.Tickets) || i >= len(want.Tickets) || !reflect.DeepEqual(got.Tickets[i], want.Tickets[i]) {
			t.Errorf("ticket %d\n got %+v\nwant %+v", i, got.Tickets, want.Tickets)
			break
		}
	}
	if !reflect.DeepEqual(got.Accounts, want.Accounts) {
		t.Errorf("accounts\n got %+v\nwant %+v", got.Accounts, want.Accounts)
	}
	if !reflect.DeepEqual(got.Terms, want.Terms) {
		t.Errorf("terms\n got %+v\nwant %+v", got.Terms, want.Terms)
	}
	if got.Next != want.Next || !got.Sent.Equal(want.Sent) || got.Remaining != 0 || len(got.Skipped) != 0 {
		t.Errorf("got %+v, %v, %d, %v", got.Next, got.Sent, got.Remaining, got.Skipped)
	}

	for table, query := range map[string]string{
		"incident": "sysparm_display_value=false&sysparm_exclude_reference_link=true&sysparm_limit=100&sysparm_fields=active,assigned_to,assignment_group,business_service,caller_id,category,closed_at,cmdb_ci,number,parent,priority,reassignment_count,state,sys_class_name,sys_created_on,sys_id,sys_mod_count,sys_updated_on,u_points" +
			"&sysparm_query=company%3Dacme%5Eactive%3Dtrue%5Esys_updated_on%3C%3D2026-03-01+00%3A00%3A00%5EORDERBYsys_updated_on%5EORDERBYsys_id",
		"sys_audit": "sysparm_display_value=false&sysparm_exclude_reference_link=true&sysparm_limit=5000&sysparm_fields=sys_id,documentkey,fieldname,oldvalue,newvalue,user,sys_created_on,record_checkpoint" +
			"&sysparm_query=tablenameINincident%5EfieldnameINassigned_to,assignment_group,business_service,category,cmdb_ci,parent,priority,state,sys_class_name,u_points" +
			"%5EdocumentkeyIN" + one + "," + three + "%5EORDERBYsys_created_on%5EORDERBYsys_id",
		"sys_user": "sysparm_display_value=false&sysparm_exclude_reference_link=true&sysparm_limit=7&sysparm_no_count=true&sysparm_fields=sys_id,user_name,name,email,active,web_service_access_only,internal_integration_user" +
			"&sysparm_query=sys_idIN" + beth + "," + don + "%5EORuser_nameINbeth.anglin,don.goodliffe,gone.person,system",
		"sys_journal_field": "sysparm_display_value=false&sysparm_exclude_reference_link=true&sysparm_limit=5000&sysparm_fields=sys_id,element_id,sys_created_on,sys_created_by" +
			"&sysparm_query=nameINincident,task%5EelementINcomments,work_notes%5Eelement_idIN" + one + "," + three + "%5EORDERBYsys_created_on%5EORDERBYsys_id",
		"sys_user_group": "sysparm_display_value=false&sysparm_exclude_reference_link=true&sysparm_limit=2&sysparm_no_count=true&sysparm_fields=sys_id,name&sysparm_query=sys_idIN" + network,
		"cmdb_ci":        "sysparm_display_value=false&sysparm_exclude_reference_link=true&sysparm_limit=3&sysparm_no_count=true&sysparm_fields=sys_id,name&sysparm_query=sys_idIN" + router + "," + mail,
		"sys_choice": "sysparm_display_value=false&sysparm_exclude_reference_link=true&sysparm_limit=10000&sysparm_fields=sys_id,sys_updated_on,name,element,value,label,language" +
			"&sysparm_query=nameINincident,task%5EelementINcategory,priority,state%5Elanguage%3Den%5EORDERBYsys_updated_on%5EORDERBYsys_id",
	} {
		if q := sc.queries[table]; len(q) != 1 || q[0] != query {
			t.Errorf("%s\n got %q\nwant %q", table, q, query)
		}
	}
}
