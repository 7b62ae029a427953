package servicenow_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
)

// TestStaff: members who work there, the manager of a group or else of most of its
// members, and where they are.
func TestStaff(t *testing.T) {
	prepare := func() *clocked {
		in := newInstance(servicenowtest.Options{})
		boss := in.AddUser(servicenowtest.User{UserName: "boss", Name: "Boss", Email: "boss@example.test"})
		for name, zone := range map[string]string{"ann": "Europe/Berlin", "bob": "", "cyd": "Mars/Olympus"} {
			in.AddUser(servicenowtest.User{UserName: name, Name: name, Email: name + "@example.test", Fields: servicenowtest.Record{"manager": boss, "time_zone": zone}})
		}
		in.AddUser(servicenowtest.User{UserName: "gone", Inactive: true})
		in.AddGroup(servicenowtest.Group{Name: "db", Manager: sysID("sys_user", "ann")})
		for _, m := range [][2]string{{"net", "ann"}, {"net", "bob"}, {"net", "gone"}, {"db", "cyd"}, {"elsewhere", "bob"}} {
			in.AddMember(sysID("sys_user_group", m[0]), sysID("sys_user", m[1]))
		}
		return in
	}
	net, db := sysID("sys_user_group", "net"), sysID("sys_user_group", "db")
	user := func(name string) string { return sysID("sys_user", name) }
	sorted := func(s ...string) []string { slices.Sort(s); return s }

	in := prepare()
	in.ResetRequests()
	got, err := in.connect(t, nil).Staff(t.Context(), []string{net, db, "00000000000000000000000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Group{
		{ID: net, Name: "net", Manager: user("boss"), Members: sorted(user("ann"), user("bob"))},
		{ID: db, Name: "db", Manager: user("ann"), Members: []string{user("cyd")}},
	}
	slices.SortFunc(want, func(a, b source.Group) int { return strings.Compare(a.ID, b.ID) })
	if !reflect.DeepEqual(got.Groups, want) {
		t.Errorf("the groups are\n%+v, want\n%+v", got.Groups, want)
	}
	if want := map[string]string{user("ann"): "Europe/Berlin"}; !reflect.DeepEqual(got.Zones, want) {
		t.Errorf("zones are %v, want %v", got.Zones, want)
	}
	names := map[string]bool{}
	for _, a := range got.Accounts {
		names[a.Name+" "+a.Email] = a.Active
	}
	for _, name := range []string{"ann", "bob", "cyd"} {
		if !names[name+" "+name+"@example.test"] {
			t.Errorf("the accounts are %v", names)
		}
	}
	if !names["Boss boss@example.test"] || in.TotalRequests() > 4 {
		t.Errorf("the accounts are %v, by %d requests", names, in.TotalRequests())
	}
	if bad := in.InvalidQueries(); len(bad) > 0 {
		t.Errorf("queries were ignored in part: %q", bad)
	}

	for table, members := range map[string]int{"sys_user_grmember": 0, "sys_user_group": 0, "sys_user": 0} {
		in := prepare()
		in.DenyTable(table)
		got, err := in.connect(t, nil).Staff(t.Context(), []string{net, db})
		n := 0
		for _, g := range got.Groups {
			n += len(g.Members)
		}
		if err != nil || n != members {
			t.Errorf("without %s: %d members, %v", table, n, err)
		}
	}
}
