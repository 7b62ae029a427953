package servicenow_test

import (
	"errors"
	"reflect"
	"testing"

	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
)

func TestDiscoverNamesWhatCanBeRead(t *testing.T) {
	in := newInstance(servicenowtest.Options{})
	in.fill(t, "incident", 7)
	in.fill(t, "problem", 3)
	in.fill(t, "sc_task", 5)
	in.HideTable("problem")
	got, err := in.connect(t, func(*servicenow.Config) {}).Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []servicenow.TaskTable{{Name: "incident", Tickets: 7}, {Name: "sc_task", Tickets: 5}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
}

func TestGroupsThatCanBeSeen(t *testing.T) {
	in := newInstance(servicenowtest.Options{}) // with db and net
	in.AddGroup(servicenowtest.Group{Name: "apps"})
	in.AddGroup(servicenowtest.Group{Name: "abandoned", Inactive: true})
	src := in.connect(t, nil)
	names, all, err := src.Groups(t.Context(), 2)
	if err != nil || all != 3 || !reflect.DeepEqual(names, []string{"apps", "db"}) {
		t.Errorf("found %q of %d, %v", names, all, err)
	}
	in.DenyTable("sys_user_group")
	if _, _, err := src.Groups(t.Context(), 2); !errors.Is(err, source.ErrForbidden) {
		t.Errorf("got %v", err)
	}
	if bad := in.InvalidQueries(); len(bad) > 0 {
		t.Errorf("queries were ignored in part: %q", bad)
	}
}
