package servicenow

import (
	"slices"
	"strings"
	"testing"

	"fairlead/connectors/ticket"
)

func TestCategoryOf(t *testing.T) {
	custom := Table{Name: "incident", Statuses: map[string]ticket.Category{"3": ticket.CategoryTodo, "99": ticket.CategoryDone}}.filled()
	plain := func(name string) Table { return Table{Name: name}.filled() }
	for _, c := range []struct {
		table        Table
		state, label string
		want         ticket.Category
	}{
		{plain("incident"), "1", "New", ticket.CategoryTodo},
		{plain("incident"), "2", "In Progress", ticket.CategoryInProgress},
		{plain("incident"), "3", "On Hold", ticket.CategoryInProgress},
		{plain("incident"), "5", "Awaiting Evidence", ticket.CategoryInProgress},
		{plain("incident"), "6", "Resolved", ticket.CategoryDone},
		{plain("incident"), "7", "Closed", ticket.CategoryDone},
		{plain("incident"), "8", "Canceled", ticket.CategoryDone},
		{plain("incident"), "9", "Awaiting Vendor", ticket.CategoryInProgress},
		{plain("incident"), "10", "Cancelled by caller", ticket.CategoryDone},
		{plain("incident"), "-100", "", ticket.CategoryOther},
		{plain("incident"), "", "", ticket.CategoryOther},
		{custom, "3", "On Hold", ticket.CategoryTodo},
		{custom, "99", "Gone", ticket.CategoryDone},
		{plain("problem"), "101", "New", ticket.CategoryTodo},
		{plain("problem"), "104", "Fix in Progress", ticket.CategoryInProgress},
		{plain("problem"), "107", "Closed", ticket.CategoryDone},
		{plain("change_request"), "-5", "New", ticket.CategoryTodo},
		{plain("change_request"), "0", "Review", ticket.CategoryInProgress},
		{plain("change_request"), "3", "Closed", ticket.CategoryDone},
		{plain("sc_task"), "1", "Open", ticket.CategoryTodo},
		{plain("sc_task"), "3", "Closed Complete", ticket.CategoryDone},
		{plain("u_facilities"), "2", "Work in Progress", ticket.CategoryInProgress},
	} {
		if got := categoryOf(c.table, c.table.Name, c.state, c.label); got != c.want {
			t.Errorf("%s %s %q: got %s, want %s", c.table.Name, c.state, c.label, got, c.want)
		}
	}
}

func TestMarks(t *testing.T) {
	table := Table{
		Name: "change_request", Unplanned: Rule{"type": {"emergency"}, "contact_type": {"monitoring", "event"}},
		Planned: Rule{"type": {"standard"}, "u_code": {""}}, OnCall: Rule{"risk": {"1", "2"}},
	}.filled()
	for _, c := range []struct {
		rec  record
		want []ticket.Mark
	}{
		{record{"type": "normal", "contact_type": "phone", "risk": "3", "u_code": "x"}, nil},
		{record{"type": "normal", "contact_type": "event", "risk": "2"}, []ticket.Mark{ticket.MarkOnCall, ticket.MarkUnplanned}},
		{record{"type": "standard"}, []ticket.Mark{ticket.MarkPlanned}},
		{record{"type": "standard", "contact_type": "event"}, []ticket.Mark{ticket.MarkUnplanned}},
		{record{"type": "normal", "u_code": ""}, []ticket.Mark{ticket.MarkPlanned}},
		{record{"type": "normal"}, nil}, // a column that is hidden says nothing
	} {
		if got := table.marks(c.rec); !slices.Equal(got, c.want) {
			t.Errorf("%v is marked %v, want %v", c.rec, got, c.want)
		}
	}
	for _, column := range []string{"type", "contact_type", "risk", "u_code"} {
		if !slices.Contains(table.columns(), column) {
			t.Errorf("%s is not asked for", column)
		}
	}
	for name, r := range map[string]Rule{"is not a column's name": {"No Column": {"1"}}, "at least one value": {"type": nil}} {
		err := Table{Name: "incident", OnCall: r}.validate()
		if err == nil || !strings.Contains(err.Error(), "on_call: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v", err)
		}
	}
}

func TestParseEffort(t *testing.T) {
	for v, want := range map[string]float64{"3": 3, "2.5": 2.5, "0": 0, "1970-01-01 02:30:00": 2.5, "1970-01-03 00:00:00": 48} {
		if got, ok := parseEffort(v); !ok || got != want {
			t.Errorf("%q: got %v, %v", v, got, ok)
		}
	}
	for _, v := range []string{"", "-1", "many", "NaN", "1969-01-01 00:00:00", "+Inf"} {
		if got, ok := parseEffort(v); ok {
			t.Errorf("%q: got %v", v, got)
		}
	}
}

func TestJoined(t *testing.T) {
	for _, c := range []struct {
		query      string
		conditions []string
		want       string
	}{
		{"", nil, ""},
		{"a=1", nil, "a=1"},
		{"", []string{"b=2", "", "c=3"}, "b=2^c=3"},
		{"a=1^ORa=2", []string{"b=2"}, "a=1^ORa=2^b=2"},
		{"a=1^NQa=2^c=3", []string{"b=2"}, "a=1^b=2^NQa=2^c=3^b=2"},
	} {
		if got := joined(c.query, c.conditions...); got != c.want {
			t.Errorf("%q with %q: got %q, want %q", c.query, c.conditions, got, c.want)
		}
	}
}
