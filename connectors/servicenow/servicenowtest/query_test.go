package servicenowtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestQuery(t *testing.T) {
	in := New(Options{})
	ann := in.AddUser(User{UserName: "ann", Name: "Ann"})
	for id, rec := range map[string]Record{
		"a": {"state": "1", "priority": "10", "assigned_to": ann, "sys_updated_on": "2026-01-01 00:00:01", "active": "true", "category": "Net^work"},
		"b": {"state": "2", "priority": "9", "sys_updated_on": "2026-01-01 00:00:01", "active": "true", "category": "network"},
		"c": {"state": "7", "priority": "3", "sys_updated_on": "2026-01-01 00:00:02", "active": "false"},
		"d": {"state": "-5", "sys_updated_on": "2026-01-01 00:00:03"},
	} {
		rec["sys_id"] = id
		in.Put("incident", rec)
	}
	for query, want := range map[string]string{
		"":                                    "abcd",
		"state=1":                             "a",
		"state!=1":                            "bcd",
		"state=1^ORstate=2":                   "ab",
		"active=true^state=2^ORstate=7":       "b", // active and (2 or 7)
		"state=7^ORstate=2^active=true":       "b", // (7 or 2) and active
		"active=true^state=2^NQstate=7":       "bc",
		"priority>9":                          "a", // as a number
		"priority<=9":                         "bc",
		"state<0":                             "d",
		"priorityISEMPTY":                     "d",
		"priorityISNOTEMPTY":                  "abc",
		"category=":                           "cd",
		"stateIN1,7":                          "ac",
		"stateNOT IN1,7":                      "bd",
		"categorySTARTSWITHNET":               "ab",
		"categoryLIKEWORK":                    "ab",
		"category=Net^^work":                  "a",
		"assigned_to.user_name=ann":           "a",
		"active=false^ORactiveISEMPTY":        "cd",
		"sys_idINc,a,zzz":                     "ac",
		"nonsense=1":                          "abcd", // ignored
		"nonsense=1^state=2":                  "b",
		"nonsense=1^ORstate=2":                "b",
		"state=2^EQ":                          "b",
		"ORDERBYDESCpriority^state>0":         "abc",
		"ORDERBYpriority^priorityISNOTEMPTY":  "cba",
		"ORDERBYactive^ORDERBYDESCsys_id":     "dcba",
		"sys_class_nameINSTANCEOFtask":        "abcd",
		"stateBETWEEN1@2":                     "ab",
		"sys_updated_on>2026-01-01 00:00:01":  "cd",
		"sys_updated_on>=2026-01-01 00:00:02": "cd",
		"sys_updated_on<2026-01-01 00:00:02":  "ab",
		"sys_updated_on<=2026-01-01 00:00:02": "abc",
		// The place after (00:00:01, a), said so that precedence keeps it whole.
		"sys_updated_on>=2026-01-01 00:00:01^sys_updated_on>2026-01-01 00:00:01^ORsys_id>a^ORDERBYsys_updated_on^ORDERBYsys_id": "bcd",
		// Said as it is often written, it asks all rows for a greater id.
		"sys_updated_on>2026-01-01 00:00:01^ORsys_updated_on=2026-01-01 00:00:01^sys_id>c^ORDERBYsys_updated_on^ORDERBYsys_id": "d",
	} {
		t.Run(query, func(t *testing.T) {
			q, _, err := parseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			in.mu.Lock()
			defer in.mu.Unlock()
			tables := in.family("incident")
			q, _ = q.valid(func(f string) bool { return in.known(tables, f) })
			got := ""
			for _, h := range in.run(tables, q) {
				got += h.r.id
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestQueryReportsWhatItIgnores(t *testing.T) {
	in := New(Options{})
	if _, err := in.query(in.family("incident"), "incident", url.Values{"sysparm_query": {"stat=1^state~2^state=3"}}); err != nil {
		t.Fatal(err)
	}
	if got := in.InvalidQueries(); !slices.Equal(got, []string{"state~2", "stat=1"}) {
		t.Errorf("got %q", got)
	}
	if _, err := in.query(in.family("incident"), "incident", url.Values{"sysparm_query": {"caller_id=javascript:gs.getUserID()"}}); err == nil {
		t.Error("a script was evaluated")
	}
}

// TestQueryPlan holds the indexes to what reading every row gives.
func TestQueryPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := New(Options{})
		second := func() string { return fmt.Sprintf("2026-01-01 00:00:%02d", rapid.IntRange(0, 6).Draw(t, "second")) }
		for range rapid.IntRange(0, 30).Draw(t, "operations") {
			id := fmt.Sprint(rapid.IntRange(0, 12).Draw(t, "id"))
			if rapid.IntRange(0, 9).Draw(t, "delete") == 0 {
				in.Delete("incident", id)
				continue
			}
			in.Put("incident", Record{"sys_id": id, "sys_updated_on": second(), "active": fmt.Sprint(rapid.Bool().Draw(t, "active"))})
		}
		term := func() string {
			return rapid.SampledFrom([]string{
				"sys_updated_on>=" + second(), "sys_updated_on>" + second(), "sys_updated_on<" + second(), "sys_updated_on<=" + second(),
				"sys_idIN1,3,5,7,99", "sys_id=4", "sys_id>5", "active=true", "active=false",
			}).Draw(t, "term")
		}
		query := term()
		for range rapid.IntRange(0, 4).Draw(t, "terms") {
			query += rapid.SampledFrom([]string{"^", "^", "^OR", "^NQ"}).Draw(t, "join") + term()
		}
		q, invalid, err := parseQuery(query + "^ORDERBYsys_updated_on^ORDERBYsys_id")
		if err != nil || len(invalid) > 0 {
			t.Fatalf("%s: %v, %q", query, err, invalid)
		}
		tables := in.family("incident")
		var got, want []string
		for _, h := range in.run(tables, q) {
			got = append(got, h.r.id)
		}
		for _, r := range tables[0].ordered {
			if q.matches(func(f string) string { return in.walk(tables[0], r, f) }) {
				want = append(want, r.id)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s: got %v, want %v", query, got, want)
		}
		if !slices.IsSortedFunc(tables[0].ordered, tables[0].compare) || len(tables[0].ordered) != len(tables[0].rows) {
			t.Fatal("the rows are not in order, or not all there")
		}
	})
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{
		"", "^", "^^", "^OR", "^NQ", "ORDERBY", "active=true^ORactive=false^NQstateIN1,2^ORDERBYDESCnumber", "a^^b=c", "stateBETWEEN1@", "=x", "NQNQ", "OROR",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, invalid, err := parseQuery(s)
		if err != nil {
			if !strings.Contains(s, "javascript:") {
				t.Fatal(err)
			}
			return
		}
		if len(q.groups) == 0 {
			t.Fatal("no group")
		}
		terms := len(invalid) + len(q.order)
		for _, g := range q.groups {
			for _, cl := range g {
				if len(cl) == 0 {
					t.Fatal("an empty clause")
				}
				terms += len(cl)
			}
		}
		if most := strings.Count(s, "^") + 1; terms > most {
			t.Fatalf("%d conditions of %d terms", terms, most)
		}
		q.matches(func(string) string { return "" })
	})
}
