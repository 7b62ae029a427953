package collector_test

import (
	"context"
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
	since time.Time
}

func (s scoped) Scope() string    { return s.scope }
func (s scoped) Since() time.Time { return s.since }

// TestAWiderScopeIsCollectedAnew by a process that was started with it, and the
// same one again is not.
func TestAWiderScopeIsCollectedAnew(t *testing.T) {
	store := newMemoryStore()
	collect := func(src *scripted, scope string, at time.Duration) {
		t.Helper()
		src.now = func() (time.Time, error) { return epoch.Add(at), nil }
		if err := collector.New(collector.DefaultConfig(), scoped{src, scope, time.Time{}}, store, nil, nil, nil).Once(t.Context()); err != nil {
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
	if err := collect(t, scoped{src, "NET", time.Time{}}, store); err != nil {
		t.Fatal(err)
	}
	if want := []string{"pages incremental from "}; !slices.Equal(src.asked, want) {
		t.Errorf("asked for %q, want %q", src.asked, want)
	}
}

// TestADeathWhileTheScopeChanges repeats the change.
func TestADeathWhileTheScopeChanges(t *testing.T) {
	src, store := small(), newMemoryStore()
	if err := collect(t, scoped{src, "NET", time.Time{}}, store); err != nil {
		t.Fatal(err)
	}
	src.asked = nil
	src.now = func() (time.Time, error) { return time.Time{}, errors.New("down") }
	if err := collect(t, scoped{src, "NET and DB", time.Time{}}, store); err == nil {
		t.Fatal("without a clock a new collection begins")
	}
	src.now = nil
	src.asked = nil
	if err := collect(t, scoped{src, "NET and DB", time.Time{}}, store); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(src.asked, "pages older from ") {
		t.Errorf("asked for %q", src.asked)
	}
}

// TestOlderTicketsThatAreWantedLaterAreCollected, and only those: "24mo" moves on
// with the time, and a lesser reach asks for nothing.
func TestOlderTicketsThatAreWantedLaterAreCollected(t *testing.T) {
	src, store := small(), newMemoryStore()
	day := func(n int) time.Time { return epoch.AddDate(0, 0, n) }
	again, rest := []string{"pages older from ", "pages incremental from "}, []string{"pages incremental from "}
	for _, step := range []struct {
		name  string
		since time.Time
		want  []string
		noted time.Time // back to when all is collected, for the analysis
	}{
		{"a first collection", day(-100), []string{"now", "pages open from ", "pages recent from ", "pages older from ", "pages incremental from "}, day(-100)},
		{"a restart", day(-100), rest, day(-100)},
		{"a month later", day(-70), rest, day(-100)},
		{"back to the first", day(-100), rest, day(-100)},
		{"a day more, for a zone or a short month", day(-101), rest, day(-100)},
		{"twice as far", day(-200), again, day(-200)},
		{"a restart after that", day(-200), rest, day(-200)},
		{"without bound", time.Time{}, again, time.Time{}},
		{"with one again", day(-900), rest, time.Time{}},
	} {
		src.asked = nil
		if err := collect(t, scoped{src, "NET", step.since}, store); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(src.asked, step.want) {
			t.Errorf("%s asks for %q, want %q", step.name, src.asked, step.want)
		}
		if at := store.checkpoints["scope"].Updated; !at.Equal(step.noted) {
			t.Errorf("%s: collected back to %s is noted, want %s", step.name, at, step.noted)
		}
	}
}

// TestADeathWhileOlderTicketsAreCollected goes on with them.
func TestADeathWhileOlderTicketsAreCollected(t *testing.T) {
	src, store := small(), newMemoryStore()
	if err := collect(t, scoped{src, "NET", epoch.AddDate(-1, 0, 0)}, store); err != nil {
		t.Fatal(err)
	}
	src.pages[source.StreamOlder] = []source.Page{page(0, one("7", -5000))}
	src.before = func(_ context.Context, stream source.Stream, _ int) error {
		if stream == source.StreamOlder {
			return errors.New("down")
		}
		return nil
	}
	if err := collect(t, scoped{src, "NET", epoch.AddDate(-2, 0, 0)}, store); err == nil {
		t.Fatal("a stream that fails is complete")
	}
	src.before, src.asked = nil, nil
	if err := collect(t, scoped{src, "NET", epoch.AddDate(-2, 0, 0)}, store); err != nil {
		t.Fatal(err)
	}
	if want := []string{"pages older from ", "pages incremental from "}; !slices.Equal(src.asked, want) {
		t.Errorf("then it asks for %q, want %q", src.asked, want)
	}
}
