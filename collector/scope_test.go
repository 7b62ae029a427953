package collector_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/source"
)

// scoped is a scripted source of a scope.
type scoped struct {
	*scripted
	scope string
}

func (s scoped) Scope() string { return s.scope }

// TestAWiderScopeIsCollectedAnew by a process that was started with it, and the
// same one again is not.
func TestAWiderScopeIsCollectedAnew(t *testing.T) {
	store := newMemoryStore()
	collect := func(src *scripted, scope string, at time.Duration) {
		t.Helper()
		src.now = func() (time.Time, error) { return epoch.Add(at), nil }
		if err := collector.New(collector.DefaultConfig(), scoped{src, scope}, store, nil, nil, nil).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	src := small()
	collect(src, "NET", 0)
	src.pages[source.StreamOlder] = []source.Page{page(0, one("7", -5000))} // of another project
	src.asked = nil
	collect(src, "NET", time.Hour)
	if want := []string{"pages incremental from "}; !slices.Equal(src.asked, want) {
		t.Errorf("a restart asks for %q, want %q", src.asked, want)
	}
	src.asked = nil
	collect(src, "NET and DB", 2*time.Hour)
	want := []string{"now", "pages open from ", "pages recent from ", "pages older from ", "pages incremental from "}
	if !slices.Equal(src.asked, want) {
		t.Errorf("a wider scope asks for %q, want %q", src.asked, want)
	}
	if _, ok := store.records["7"]; !ok {
		t.Error("the ticket of the other project is not stored")
	}
	src.asked = nil
	collect(src, "NET and DB", 3*time.Hour)
	if want := want[4:]; !slices.Equal(src.asked, want) {
		t.Errorf("then a restart asks for %q, want %q", src.asked, want)
	}
	if c := store.checkpoints["scope"]; strings.Contains(c.Cursor, "NET") {
		t.Errorf("the configuration is kept among the checkpoints: %q", c.Cursor)
	}
}

// TestAScopeThatIsNotKnownIsNoOther: it was first told by this release.
func TestAScopeThatIsNotKnownIsNoOther(t *testing.T) {
	src, store := small(), newMemoryStore()
	if err := collect(t, src, store); err != nil {
		t.Fatal(err)
	}
	src.asked = nil
	if err := collect(t, scoped{src, "NET"}, store); err != nil {
		t.Fatal(err)
	}
	if want := []string{"pages incremental from "}; !slices.Equal(src.asked, want) {
		t.Errorf("asked for %q, want %q", src.asked, want)
	}
}

// TestADeathWhileTheScopeChanges repeats the change.
func TestADeathWhileTheScopeChanges(t *testing.T) {
	src, store := small(), newMemoryStore()
	if err := collect(t, scoped{src, "NET"}, store); err != nil {
		t.Fatal(err)
	}
	src.asked = nil
	src.now = func() (time.Time, error) { return time.Time{}, errors.New("down") }
	if err := collect(t, scoped{src, "NET and DB"}, store); err == nil {
		t.Fatal("without a clock a new collection begins")
	}
	src.now = nil
	src.asked = nil
	if err := collect(t, scoped{src, "NET and DB"}, store); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(src.asked, "pages older from ") {
		t.Errorf("asked for %q", src.asked)
	}
}
