package collector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/rest"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// instance is a ServiceNow instance with some hundred incidents in all streams,
// whose clock stands still at the epoch.
type instance struct {
	fake *servicenowtest.Instance
	url  string

	mu     sync.Mutex
	before func() // each request
}

var (
	people = []string{"ann", "bob", "cyd", "dee", "eve"}
	queues = []string{"net", "db"}
)

func newInstance(t *testing.T, incidents int) *instance {
	in := &instance{fake: servicenowtest.New(servicenowtest.Options{Clock: func() time.Time { return epoch }})}
	for _, name := range people {
		in.fake.AddUser(servicenowtest.User{UserName: name, Name: strings.ToUpper(name), Email: name + "@example.test"})
	}
	for _, name := range queues {
		in.fake.AddGroup(servicenowtest.Group{Name: name})
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range incidents {
		// A third each: open, closed lately, closed before; every tenth touched
		// at the last moment, many in the same second.
		created := epoch.Add(-time.Duration(24+random.IntN(24*60)) * time.Hour)
		if i%3 == 2 {
			created = created.AddDate(0, -6, 0)
		}
		id := in.fake.Insert("incident", servicenowtest.Record{"sys_id": incident(i), "state": "1", "assignment_group": queue(random)}, "ann", created)
		at := created
		for range random.IntN(4) {
			at = at.Add(time.Duration(random.IntN(300)) * time.Minute)
			in.edit(t, id, at, random)
		}
		if i%3 != 0 {
			in.update(t, id, at.Add(time.Minute), servicenowtest.Record{"state": "7"})
		}
		if i%10 == 0 {
			in.edit(t, id, epoch, random)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.mu.Lock()
		if in.before != nil {
			in.before()
		}
		in.mu.Unlock()
		in.fake.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

// asked is closed when the instance has been asked for so much more.
func (in *instance) asked(requests int) <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	reached := make(chan struct{})
	in.before = func() {
		if requests--; requests == 0 {
			close(reached)
		}
	}
	return reached
}

func incident(i int) string { return servicenowtest.SysID("incident", fmt.Sprint(i)) }

func queue(random *rand.Rand) string {
	return servicenowtest.SysID("sys_user_group", queues[random.IntN(len(queues))])
}

func (in *instance) update(t *testing.T, id string, at time.Time, fields servicenowtest.Record) {
	if err := in.fake.Update("incident", id, fields, "bob", at); err != nil {
		t.Error(err)
	}
}

func (in *instance) edit(t *testing.T, id string, at time.Time, random *rand.Rand) {
	fields := servicenowtest.Record{"assigned_to": servicenowtest.SysID("sys_user", people[random.IntN(len(people))])}
	if random.IntN(3) == 0 {
		fields["assignment_group"] = queue(random)
	}
	if random.IntN(3) == 0 {
		fields["state"] = []string{"1", "2", "7"}[random.IntN(3)]
	}
	in.update(t, id, at, fields)
}

// connect makes a connector with pages small enough for many of them.
func connect(url string) (source.Source, error) {
	cfg := servicenow.DefaultConfig()
	cfg.URL, cfg.Username, cfg.Password = url, "fairlead", "fairlead"
	cfg.PageSize = 8
	return servicenow.New(cfg, servicenow.Options{
		Name:      "snow",
		Transport: rest.New("snow", rest.Config{}, nil, nil, nil),
		Logger:    slog.New(slog.DiscardHandler),
	})
}

// house is all that a warehouse holds, but for what tells one writing of a
// ticket from another.
func house(t *testing.T, db *clickhouse.DB) []string {
	t.Helper()
	return append(stored(t, db), places(t, db)...)
}

// stored is what of it came from the source.
func stored(t *testing.T, db *clickhouse.DB) []string {
	t.Helper()
	var lines []string
	for _, table := range []string{"tickets", "terms", "actors"} {
		rows, err := db.Conn().Query(context.Background(), "SELECT toString(tuple(* EXCEPT version)) AS line FROM "+db.Table(table)+" FINAL ORDER BY line")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; rows.Next(); n++ {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%d %s", n, table))
	}
	return lines
}

// places are the checkpoints.
func places(t *testing.T, db *clickhouse.DB) []string {
	t.Helper()
	var lines []string
	checkpoints, err := db.Checkpoints(context.Background(), "snow")
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range append(slices.Clone(source.Backfill), source.StreamIncremental) {
		c := checkpoints[string(stream)]
		var cursor source.Cursor
		if err := json.Unmarshal([]byte(c.Cursor), &cursor); err != nil {
			t.Fatalf("cursor of %s: %v", stream, err)
		}
		if stream == source.StreamIncremental {
			c.Tickets = 0 // an overlap that is read again after a restart counts again
		}
		lines = append(lines, fmt.Sprintf("%s %v %s %s %s %v %d", stream, cursor.Start.UTC(), cursor.Updated.UTC(), cursor.ID, c.Updated.UTC(), c.Done, c.Tickets))
	}
	return lines
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	shown := 0
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] && shown < 3 {
			shown++
			t.Errorf("line %d\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

// undisturbed collects an instance into a warehouse of its own.
func undisturbed(t *testing.T, in *instance, incidents int) []string {
	t.Helper()
	db := clickhousetest.New(t)
	src, err := connect(in.url)
	if err != nil {
		t.Fatal(err)
	}
	if err := collector.New(collector.DefaultConfig(), src, db, nil, nil, nil).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := house(t, db)
	if !slices.Contains(lines, fmt.Sprintf("%d tickets", incidents)) {
		t.Fatalf("an undisturbed collection of %d incidents does not have them all", incidents)
	}
	return lines
}

// faulty is a warehouse whose calls fail now and then, before or after they
// have had their effect.
type faulty struct {
	collector.Store
	random *rand.Rand
}

var errFault = errors.New("connection to the warehouse lost")

func (f *faulty) do(call func() error) error {
	switch f.random.IntN(12) {
	case 0:
		return errFault
	case 1:
		if err := call(); err != nil {
			return err
		}
		return errFault
	}
	return call()
}

func (f *faulty) WriteAccounts(ctx context.Context, a []ticket.Account) error {
	return f.do(func() error { return f.Store.WriteAccounts(ctx, a) })
}

func (f *faulty) WriteTerms(ctx context.Context, terms []ticket.Term) error {
	return f.do(func() error { return f.Store.WriteTerms(ctx, terms) })
}

func (f *faulty) WriteTickets(ctx context.Context, r []ticket.Record) error {
	return f.do(func() error { return f.Store.WriteTickets(ctx, r) })
}

func (f *faulty) SaveCheckpoint(ctx context.Context, c clickhouse.Checkpoint) error {
	return f.do(func() error { return f.Store.SaveCheckpoint(ctx, c) })
}

func TestAFaultyWarehouseEndsUpTheSame(t *testing.T) {
	const incidents = 150
	in := newInstance(t, incidents)
	want := undisturbed(t, in, incidents)
	for seed := range uint64(2) {
		random := rand.New(rand.NewPCG(seed, 3))
		db := clickhousetest.New(t)
		src, err := connect(in.url)
		if err != nil {
			t.Fatal(err)
		}
		c := collector.New(collector.DefaultConfig(), src, &faulty{db, random}, nil, nil, nil)
		faults := 0
		for ; ; faults++ {
			err := c.Once(t.Context())
			if err == nil {
				break
			}
			if !errors.Is(err, errFault) {
				t.Fatal(err)
			}
			if random.IntN(3) == 0 { // a new process, which remembers nothing
				c = collector.New(collector.DefaultConfig(), src, &faulty{db, random}, nil, nil, nil)
			}
		}
		if faults == 0 {
			t.Fatalf("seed %d: nothing failed", seed)
		}
		compare(t, house(t, db), want)
	}
}

// TestEditsWhileCollecting edits incidents between requests, and expects the
// warehouse to be as the source is once it is quiet.
func TestEditsWhileCollecting(t *testing.T) {
	const incidents = 150
	in := newInstance(t, incidents)
	db := clickhousetest.New(t)
	src, err := connect(in.url)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 5))
	at, edits := epoch, 0
	in.before = func() {
		if edits < 200 {
			edits++
			at = at.Add(time.Duration(random.IntN(2)) * time.Second)
			in.edit(t, incident(random.IntN(incidents)), at, random)
		}
	}
	c := collector.New(collector.DefaultConfig(), src, db, nil, nil, nil)
	if err := c.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.mu.Lock()
	in.before = nil
	in.mu.Unlock()
	if edits < 30 {
		t.Fatalf("only %d edits", edits)
	}
	if err := c.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The places in the streams are others than a later first collection has.
	want := undisturbed(t, in, incidents)
	compare(t, stored(t, db), want[:len(want)-len(places(t, db))])
}
