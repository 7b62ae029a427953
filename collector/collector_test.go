package collector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"fairlead/collector"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

func small() *scripted {
	return &scripted{pages: map[source.Stream][]source.Page{
		source.StreamOpen:   {page(3, one("1", -900), one("2", -800)), page(1, one("3", -700))},
		source.StreamRecent: {page(0, one("4", -950))},
	}}
}

func collect(t *testing.T, src source.Source, store collector.Store) error {
	t.Helper()
	return collector.New(collector.DefaultConfig(), src, store, nil, nil, nil).Once(t.Context())
}

func TestACheckpointFollowsTheRows(t *testing.T) {
	store := newMemoryStore()
	if err := collect(t, small(), store); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"checkpoints?", "version?",
		"checkpoint incremental 08:59:00 false", // the start is durable before the first page
		"updates? [1 2]", "accounts 1", "terms 1", "tickets [1 2]", "checkpoint open 08:46:40 false",
		"updates? [3]", "tickets [3]", "checkpoint open 08:48:20 false",
		"checkpoint open 08:48:20 true",
		"updates? [4]", "tickets [4]", "checkpoint recent 08:44:10 false",
		"checkpoint recent 08:44:10 true",
		"checkpoint older 09:00:00 true",
	}
	if got := store.forget(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if r := store.records["1"]; len(r.Assignments) != 1 || len(r.Spells) == 0 || r.Version == 0 {
		t.Errorf("a ticket was stored without its timeline or version: %+v", r)
	}
}

func TestARestartGoesOnFromTheCheckpoint(t *testing.T) {
	src, store := small(), newMemoryStore()
	stop := errors.New("gone")
	src.before = func(_ context.Context, stream source.Stream, n int) error {
		if stream == source.StreamOpen && n == 1 {
			return stop
		}
		return nil
	}
	err := collect(t, src, store)
	if !errors.Is(err, stop) || !strings.Contains(err.Error(), "snow, stream open, after cursor 2026-03-02T08:46:40Z 2") {
		t.Fatalf("got %v", err)
	}
	src.before, src.asked = nil, nil
	src.now = func() (time.Time, error) { return epoch.Add(time.Hour), nil } // not to be asked again
	if err := collect(t, src, store); err != nil {
		t.Fatal(err)
	}
	want := []string{"pages open from 2", "pages recent from ", "pages older from ", "pages incremental from "}
	if !slices.Equal(src.asked, want) {
		t.Errorf("asked %q, want %q", src.asked, want)
	}
	var cursor source.Cursor
	if err := json.Unmarshal([]byte(store.checkpoints["open"].Cursor), &cursor); err != nil || !cursor.Start.Equal(epoch) || cursor.ID != "3" {
		t.Errorf("open ends at %+v, %v", cursor, err)
	}
	if n := store.checkpoints["open"].Tickets; n != 3 {
		t.Errorf("%d tickets counted in open, want 3", n)
	}
	// A third one has only changes to ask for.
	src.asked = nil
	if err := collect(t, src, store); err != nil {
		t.Fatal(err)
	}
	if want := []string{"pages incremental from "}; !slices.Equal(src.asked, want) {
		t.Errorf("asked %q, want %q", src.asked, want)
	}
}

func TestAnyFailureOfTheStoreRepeatsThePage(t *testing.T) {
	clean := newMemoryStore()
	if err := collect(t, small(), clean); err != nil {
		t.Fatal(err)
	}
	steps := len(clean.told)
	for _, lost := range []bool{true, false} { // or stored, and the answer lost
		for n := range steps {
			store := newMemoryStore()
			down := errors.New("warehouse down")
			count := 0
			store.fail = func(_ context.Context, what string) error {
				if count++; count-1 != n {
					return nil
				}
				if !lost {
					store.mu.Lock()
					defer store.mu.Unlock()
					store.told = append(store.told, what+" answer lost")
				}
				return down
			}
			src := small()
			if err := collect(t, src, store); !errors.Is(err, down) {
				t.Fatalf("step %d: got %v", n, err)
			}
			failed := clean.told[n]
			for stream, c := range store.checkpoints {
				if strings.HasPrefix(failed, "tickets [3]") && stream == "open" && c.Updated.After(epoch.Add(-800*time.Second)) {
					t.Errorf("step %d: the cursor of %s went on to %v without its rows", n, stream, c.Updated)
				}
			}
			store.fail = nil
			if err := collect(t, src, store); err != nil {
				t.Fatalf("step %d: going on: %v", n, err)
			}
			for id, want := range clean.records {
				got := store.records[id]
				got.Version, want.Version = 0, 0
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("step %d (%s): ticket %s is %v, want %v", n, failed, id, got, want)
				}
			}
			for stream, want := range clean.checkpoints {
				if got := store.checkpoints[stream]; got != want {
					t.Errorf("step %d (%s): checkpoint %+v, want %+v", n, failed, got, want)
				}
			}
		}
	}
}

func TestOneCollectorGoesOnWhereTheStoreFailed(t *testing.T) {
	src, store := small(), newMemoryStore()
	c := collector.New(collector.DefaultConfig(), src, store, nil, nil, nil)
	for n := 0; ; n++ {
		count := 0
		store.fail = func(_ context.Context, what string) error {
			if count++; count > 3 {
				return errors.New("warehouse down")
			}
			return nil
		}
		if err := c.Once(t.Context()); err == nil {
			break
		}
		if n > 50 {
			t.Fatal("no progress, three steps at a time")
		}
	}
	if len(store.records) != 4 || !store.checkpoints["older"].Done {
		t.Errorf("%d tickets, %v", len(store.records), store.checkpoints)
	}
}

func TestVersionsOnlyGrow(t *testing.T) {
	src, store := small(), newMemoryStore()
	future := uint64(epoch.AddDate(50, 0, 0).UnixMicro())
	store.versions = []uint64{future} // our clock was ahead, once
	if err := collect(t, src, store); err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(store.versions) || len(slices.Compact(slices.Clone(store.versions))) != len(store.versions) {
		t.Errorf("versions %v", store.versions)
	}

	store = newMemoryStore()
	src = small()
	for stream, pages := range src.pages {
		for n := range pages {
			src.pages[stream][n].Sent = epoch.Add(time.Duration(-n) * time.Minute) // back
		}
	}
	if err := collect(t, src, store); err != nil {
		t.Fatal(err)
	}
	base := uint64(epoch.UnixMicro())
	if want := []uint64{base, base + 1, base + 2, base + 3}; !slices.Equal(store.versions, want) {
		t.Errorf("versions %v, want %v", store.versions, want)
	}
}

func TestWhatTheIndexShowsAsItWasIsAskedForAgain(t *testing.T) {
	store := newMemoryStore()
	src := &scripted{
		pages: map[source.Stream][]source.Page{
			source.StreamIncremental: {page(0, one("1", 10), one("2", 10), one("3", 10), one("4", 10))},
		},
		live: map[string]ticket.Ticket{"2": one("2", 70), "3": one("3", 12)},
	}
	store.records["2"] = ticket.Record{Ticket: one("2", 60), Version: 1}
	store.records["3"] = ticket.Record{Ticket: one("3", 60), Version: 1} // the source was set back
	store.records["4"] = ticket.Record{Ticket: one("4", 60), Version: 1} // deleted there
	if err := collect(t, src, store); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(src.asked, "by id [2 3 4]") {
		t.Errorf("asked %q", src.asked)
	}
	for id, updated := range map[string]int{"1": 10, "2": 70, "3": 12, "4": 60} {
		if got := store.records[id].Updated; !got.Equal(epoch.Add(time.Duration(updated) * time.Second)) {
			t.Errorf("ticket %s is stored as of %v, want %d s", id, got, updated)
		}
	}
}

func TestAPageAskedForEarlierDoesNotUndoAFetchById(t *testing.T) {
	store := newMemoryStore()
	store.records["1"] = ticket.Record{Ticket: one("1", 60), Version: 1}
	fresh := one("1", 60)
	fresh.Status = "2"
	src := &scripted{
		pages: map[source.Stream][]source.Page{source.StreamIncremental: {
			page(0, one("1", 10)),
			page(0, one("1", 60), one("2", 61)), // fetched before the first was stored
		}},
		live: map[string]ticket.Ticket{"1": fresh},
	}
	for n := range 2 {
		src.pages[source.StreamIncremental][n].Sent = epoch
	}
	if err := collect(t, src, store); err != nil {
		t.Fatal(err)
	}
	if got := store.records["1"].Status; got != "2" {
		t.Errorf("status %q, want that of the fetch by id", got)
	}
	if _, ok := store.records["2"]; !ok {
		t.Error("the rest of the page is missing")
	}
}

func TestATicketTwiceInAPageIsStoredOnce(t *testing.T) {
	store := newMemoryStore()
	src := &scripted{pages: map[source.Stream][]source.Page{
		source.StreamOpen: {page(0, one("1", 20), one("2", 15), one("1", 10), one("2", 16))},
	}}
	if err := collect(t, src, store); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(store.told, "tickets [1 2]") {
		t.Errorf("told %q", store.told)
	}
	if a, b := store.records["1"].Updated, store.records["2"].Updated; !a.Equal(epoch.Add(20*time.Second)) || !b.Equal(epoch.Add(16*time.Second)) {
		t.Errorf("stored as of %v and %v", a, b)
	}
}

func TestTheOverlapOfAPollIsNotWrittenAgain(t *testing.T) {
	store, said := newMemoryStore(), &progress{}
	src := small()
	src.overlap = true
	src.pages[source.StreamIncremental] = []source.Page{page(0, one("5", 10), one("6", 10))}
	c := collector.New(collector.DefaultConfig(), src, store, nil, said, nil)
	for range 3 {
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"snow open 2 3", "snow open 1 1", "snow recent 1 0", "snow incremental 2 0", "done snow", "snow incremental 0 0", "snow incremental 0 0"}
	if !slices.Equal(said.said, want) {
		t.Errorf("progress\n got %q\nwant %q", said.said, want)
	}
	if n := strings.Count(strings.Join(store.told, "\n"), "tickets [5 6]"); n != 1 {
		t.Errorf("the overlap was written %d times", n)
	}

	// What changed within the same second is written, and only that.
	changed := one("5", 10)
	changed.Status = "2"
	src.pages[source.StreamIncremental] = []source.Page{page(0, changed, one("6", 10), one("7", 11))}
	store.forget()
	if err := c.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantTold := []string{"updates? [5 7]", "tickets [5 7]", "checkpoint incremental 09:00:11 false"}
	if got := store.forget(); !slices.Equal(got, wantTold) {
		t.Errorf("told %q, want %q", got, wantTold)
	}
	if said.said[len(said.said)-1] != "done snow" {
		t.Errorf("progress %q", said.said)
	}
}

func TestNamesAreWrittenWhenTheyChange(t *testing.T) {
	store, src := newMemoryStore(), small()
	src.pages[source.StreamOpen][1].Accounts[0].Name = "Ann B."
	src.pages[source.StreamOpen][1].Terms = append(src.pages[source.StreamOpen][1].Terms,
		ticket.Term{Source: "snow", Field: ticket.FieldGroup, ID: "1", Name: "Network"})
	down := true
	store.fail = func(_ context.Context, what string) error {
		if what == "terms 1" && down {
			down = false
			return errors.New("warehouse down")
		}
		return nil
	}
	c := collector.New(collector.DefaultConfig(), src, store, nil, nil, nil)
	if err := c.Once(t.Context()); err == nil {
		t.Fatal("no error")
	}
	if err := c.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, what := range store.told {
		if strings.HasPrefix(what, "accounts") || strings.HasPrefix(what, "terms") {
			names = append(names, what)
		}
	}
	// first page twice; the second brings a new name and a new term; the third
	// brings the old name again.
	if want := []string{"accounts 1", "accounts 1", "terms 1", "accounts 1", "terms 1", "accounts 1"}; !slices.Equal(names, want) {
		t.Errorf("told %q, want %q", names, want)
	}
}

func TestWhatCannotBeStoredIsSetAsideByName(t *testing.T) {
	store, src := newMemoryStore(), small()
	store.unfit = map[string]bool{"2": true, "4": true}
	nan := one("8", -600)
	effort := math.NaN()
	nan.Effort = &effort
	src.pages[source.StreamOpen] = append(src.pages[source.StreamOpen], page(0, nan, one("9", -500)))
	src.pages[source.StreamOpen][0].Skipped = []source.Skipped{{ID: "77", Reason: "no permission"}}
	incomplete := one("3", -700)
	incomplete.HistoryComplete, incomplete.IncompleteReason = false, "cut"
	src.pages[source.StreamOpen][1].Tickets[0] = incomplete

	reg := prometheus.NewPedanticRegistry()
	var log bytes.Buffer
	c := collector.New(collector.DefaultConfig(), src, store, collector.NewMetrics(reg), nil, slog.New(slog.NewTextHandler(&log, nil)))
	if err := c.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for id := range store.records {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if want := []string{"1", "3", "9"}; !slices.Equal(ids, want) {
		t.Errorf("stored %v, want %v", ids, want)
	}
	for _, want := range []string{"key=INC2 ticket=2 reason=\"it is odd\"", "key=INC4 ", "key=INC8 ticket=8 reason=\"its effort is not a number\"", "ticket=77 reason=\"no permission\""} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, log.String())
		}
	}
	if !store.checkpoints["open"].Done || !store.checkpoints["recent"].Done {
		t.Error("a ticket that cannot be stored stopped its stream")
	}
	want := `
# HELP fairlead_source_incomplete_histories Tickets in the warehouse of whose history the source withheld a part.
# TYPE fairlead_source_incomplete_histories gauge
fairlead_source_incomplete_histories{source="snow"} 1
# HELP fairlead_source_quarantined_tickets Tickets seen since the start that the source refused or that could not be stored; the log names them.
# TYPE fairlead_source_quarantined_tickets gauge
fairlead_source_quarantined_tickets{source="snow"} 4
# HELP fairlead_source_written_tickets_total Tickets written to the warehouse; one that changes twice is written twice.
# TYPE fairlead_source_written_tickets_total counter
fairlead_source_written_tickets_total{source="snow"} 3
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "fairlead_source_incomplete_histories", "fairlead_source_quarantined_tickets", "fairlead_source_written_tickets_total"); err != nil {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	src, store := small(), newMemoryStore()
	src.pages[source.StreamIncremental] = []source.Page{page(0, one("5", 10, ticket.Change{At: epoch, Seq: 1, Field: ticket.FieldStatus, From: "2", To: "3"}))}
	stop := errors.New("gone")
	src.before = func(_ context.Context, stream source.Stream, n int) error {
		if stream == source.StreamOpen && n == 1 {
			return stop
		}
		return nil
	}
	reg := prometheus.NewPedanticRegistry()
	c := collector.New(collector.DefaultConfig(), src, store, collector.NewMetrics(reg), nil, nil)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}

	const help = `
# HELP fairlead_source_backfill_ratio How much of a stream of the first collection is stored; 0 until it is complete where the source does not say how much there is.
# TYPE fairlead_source_backfill_ratio gauge
fairlead_source_backfill_ratio{source="snow",stream="older"} %v
fairlead_source_backfill_ratio{source="snow",stream="open"} %v
fairlead_source_backfill_ratio{source="snow",stream="recent"} %v
# HELP fairlead_source_collection_failures_total Collections that ended with an error.
# TYPE fairlead_source_collection_failures_total counter
fairlead_source_collection_failures_total{source="snow"} %v
# HELP fairlead_source_cursor_timestamp_seconds When the last ticket that the incremental stream brought was changed, by the source's clock.
# TYPE fairlead_source_cursor_timestamp_seconds gauge
fairlead_source_cursor_timestamp_seconds{source="snow"} %v
# HELP fairlead_source_unrecorded_changes_total Changes that a written ticket's history contradicts or lacks.
# TYPE fairlead_source_unrecorded_changes_total counter
fairlead_source_unrecorded_changes_total{source="snow"} %v
`
	names := []string{"fairlead_source_backfill_ratio", "fairlead_source_collection_failures_total", "fairlead_source_cursor_timestamp_seconds", "fairlead_source_unrecorded_changes_total"}
	if err := c.Once(t.Context()); !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(fmt.Sprintf(help, 0, 0.4, 0, 1, epoch.Add(-time.Minute).Unix(), 0)), names...); err != nil {
		t.Error(err)
	}
	src.before = nil
	if err := c.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(fmt.Sprintf(help, 1, 1, 1, 1, epoch.Add(10*time.Second).Unix(), 1)), names...); err != nil {
		t.Error(err)
	}
}

func TestADamagedCheckpointIsNamed(t *testing.T) {
	src, store := small(), newMemoryStore()
	if err := collect(t, src, store); err != nil {
		t.Fatal(err)
	}
	c := store.checkpoints["recent"]
	c.Cursor = "{"
	store.checkpoints["recent"] = c
	if err := collect(t, src, store); err == nil || !strings.Contains(err.Error(), "collecting snow: reading the checkpoint of stream recent") {
		t.Errorf("got %v", err)
	}
}

func TestValidate(t *testing.T) {
	if err := collector.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, interval := range []time.Duration{0, -time.Minute, time.Millisecond, 25 * time.Hour} {
		cfg := collector.DefaultConfig()
		cfg.Interval = interval
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), "interval: ") {
			t.Errorf("%s: got %v", interval, err)
		}
	}
}

func TestRunPollsEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, store := small(), newMemoryStore()
		var polls []time.Duration
		start := time.Now()
		src.pages[source.StreamIncremental] = []source.Page{page(0, one("5", 10))}
		src.overlap = true
		src.before = func(ctx context.Context, stream source.Stream, _ int) error {
			if stream != source.StreamIncremental {
				return nil
			}
			polls = append(polls, time.Since(start))
			if len(polls) == 3 {
				return errors.New("a fault that passes")
			}
			return nil
		}
		var log bytes.Buffer
		c := collector.New(collector.Config{Interval: 10 * time.Minute}, src, store, nil, nil, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Minute)
		defer cancel()
		if err := c.Run(ctx); err != nil {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != 45*time.Minute {
			t.Errorf("ended after %v", took)
		}
		want := []time.Duration{0, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, 40 * time.Minute}
		if !slices.Equal(polls, want) {
			t.Errorf("polled after %v, want %v", polls, want)
		}
		if n := strings.Count(log.String(), "a fault that passes"); n != 1 {
			t.Errorf("a fault that passes was logged %d times:\n%s", n, log.String())
		}
	})
}

func TestRunEndsWhereTryingAgainWouldNotHelp(t *testing.T) {
	for _, fatal := range []error{source.ErrUnauthorized, source.ErrForbidden} {
		synctest.Test(t, func(t *testing.T) {
			src := small()
			src.now = func() (time.Time, error) { return time.Time{}, fmt.Errorf("asking: %w", fatal) }
			start := time.Now()
			err := collector.New(collector.DefaultConfig(), src, newMemoryStore(), nil, nil, nil).Run(t.Context())
			if !errors.Is(err, fatal) || time.Since(start) != 0 {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
		})
	}
}

func TestALongBackfillLetsPollsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		src := &scripted{overlap: true, pages: map[source.Stream][]source.Page{
			source.StreamIncremental: {page(0, one("x", 10))},
		}}
		for n := range 10 {
			src.pages[source.StreamOlder] = append(src.pages[source.StreamOlder], page(9-n, one(fmt.Sprint(n), n-9000)))
		}
		src.before = func(ctx context.Context, stream source.Stream, _ int) error {
			if stream == source.StreamOlder {
				time.Sleep(2 * time.Minute)
			}
			return ctx.Err()
		}
		if err := collect(t, src, store); err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, what := range store.told {
			if id, ok := strings.CutPrefix(what, "tickets "); ok {
				order = append(order, id)
			}
		}
		if len(order) != 11 || order[3] != "[x]" {
			t.Errorf("stored %q, want what changed after three slow pages", order)
		}
		if polls := strings.Count(strings.Join(src.asked, "\n"), "pages incremental"); polls != 4 {
			t.Errorf("%d polls in 20 minutes and one at the end, want 4: %q", polls, src.asked)
		}
		if len(store.records) != 11 || !store.checkpoints["older"].Done {
			t.Errorf("%d tickets", len(store.records))
		}
	})
}

func TestAtMostOnePageIsFetchedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		src := &scripted{pages: map[source.Stream][]source.Page{}}
		for n := range 20 {
			src.pages[source.StreamOpen] = append(src.pages[source.StreamOpen], page(19-n, one(fmt.Sprint(n), n-9000)))
		}
		stored, most := 0, 0
		store.fail = func(_ context.Context, what string) error {
			if strings.HasPrefix(what, "tickets ") {
				time.Sleep(time.Second) // all that can be fetched meanwhile is
				synctest.Wait()
				src.mu.Lock()
				most = max(most, src.delivered-stored)
				src.mu.Unlock()
				stored++
			}
			return nil
		}
		if err := collect(t, src, store); err != nil {
			t.Fatal(err)
		}
		if stored != 20 || most != 2 {
			t.Errorf("%d pages stored, at most %d in memory, want 20 and 2", stored, most)
		}
	})
}

func TestCancellingFinishesThePageUnderWay(t *testing.T) {
	for _, test := range []struct {
		name    string
		takes   time.Duration
		stored  int
		elapsed time.Duration
	}{
		{"which takes a moment", 2 * time.Second, 2, 2 * time.Second},
		{"unless it takes too long", time.Hour, 0, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src, store := small(), newMemoryStore()
				ctx, cancel := context.WithCancel(t.Context())
				var at time.Time
				store.fail = func(ctx context.Context, what string) error {
					if what != "tickets [1 2]" {
						return nil
					}
					cancel()
					at = time.Now()
					select {
					case <-time.After(test.takes):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				err := collector.New(collector.DefaultConfig(), src, store, nil, nil, nil).Once(ctx)
				if !errors.Is(err, context.Canceled) || time.Since(at) != test.elapsed {
					t.Errorf("got %v after %v, want to be cancelled after %v", err, time.Since(at), test.elapsed)
				}
				if len(store.records) != test.stored {
					t.Errorf("%d tickets stored, want %d", len(store.records), test.stored)
				}
				if c, ok := store.checkpoints["open"]; ok != (test.stored > 0) {
					t.Errorf("checkpoint %+v with %d tickets stored", c, test.stored)
				}
			})
		})
	}
}

func TestCancellingEndsAtOnceWhileASourceIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, store := small(), newMemoryStore()
		src.before = func(ctx context.Context, _ source.Stream, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := collector.New(collector.DefaultConfig(), src, store, nil, nil, nil).Run(ctx); err != nil || time.Since(start) != time.Minute {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}
