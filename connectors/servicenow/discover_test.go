package servicenow_test

import (
	"reflect"
	"testing"

	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
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
