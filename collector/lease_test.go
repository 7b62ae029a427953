package collector_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"fairlead/collector"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
)

// shared opens the warehouse of a server that several processes share.
func shared(t *testing.T, cfg clickhouse.Config) *clickhouse.DB {
	t.Helper()
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{Config: cfg, Surrogate: clickhousetest.Surrogate})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// silence makes all leases look as if their holders had said nothing for two
// minutes.
func silence(t *testing.T, db *clickhouse.DB) {
	t.Helper()
	ctx := context.Background()
	rows, err := db.Conn().Query(ctx, "SELECT name FROM system.tables WHERE database = $1 AND startsWith(name, 'lease_')", db.Database())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(names) == 0 {
		t.Fatalf("leases are %v, %v", names, err)
	}
	for _, name := range names {
		for _, q := range []string{"TRUNCATE TABLE %s", "INSERT INTO %s (holder, at, released) SELECT 'the one before', now64(3) - 120, false"} {
			if err := db.Conn().Exec(ctx, fmt.Sprintf(q, db.Table(name))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// hooked is a warehouse that calls a function before it writes tickets, and another
// after it has stored a checkpoint.
type hooked struct {
	collector.Store
	before, saved func(ctx context.Context)
}

func (h *hooked) WriteTickets(ctx context.Context, r []ticket.Record) error {
	if h.before != nil {
		h.before(ctx)
	}
	return h.Store.WriteTickets(ctx, r)
}

func (h *hooked) SaveCheckpoint(ctx context.Context, c clickhouse.Checkpoint) error {
	err := h.Store.SaveCheckpoint(ctx, c)
	if err == nil && h.saved != nil {
		h.saved(ctx)
	}
	return err
}

// TestOfTwoCollectorsOneWins, and the other says who does.
func TestOfTwoCollectorsOneWins(t *testing.T) {
	const incidents = 60
	cfg := clickhousetest.Server(t, "collector_two")
	in := newInstance(t, incidents)
	first, second := shared(t, cfg), shared(t, cfg)
	src, err := connect(in.url)
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	other := collector.New(collector.DefaultConfig(), src, second, collector.NewMetrics(reg), nil, nil)
	tried := 0
	c := collector.New(collector.DefaultConfig(), src, &hooked{Store: first, before: func(ctx context.Context) {
		if tried++; tried > 3 {
			return
		}
		host, _ := os.Hostname()
		err := other.Once(ctx)
		if !errors.Is(err, clickhouse.ErrLeaseHeld) || !strings.Contains(err.Error(), fmt.Sprintf("collecting snow: source is collected by another fairlead: process %d on %s", os.Getpid(), host)) {
			t.Errorf("the other gets %v", err)
		}
	}}, nil, nil, nil)
	if err := c.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tried < 3 {
		t.Fatal("the other hardly tried")
	}
	if n := testutil.ToFloat64(gauge(t, reg, "fairlead_source_lease_held")); n != 0 {
		t.Errorf("the other's metric of the lease is %v", n)
	}
	// The lease was given back.
	if err := other.Once(t.Context()); err != nil {
		t.Errorf("afterwards the other gets %v", err)
	}
	compare(t, house(t, second), undisturbed(t, in, incidents))
}

// TestAnOvertakenHoldersPageIsNotAcknowledged: it was held up for so long that
// another took over. Between two pages it finds out before it writes over what the
// other has written, and between reading a page and writing it before its checkpoint
// would say that it is stored.
func TestAnOvertakenHoldersPageIsNotAcknowledged(t *testing.T) {
	for name, written := range map[string]int{"between two pages": 2, "while it writes": 3} {
		t.Run(name, func(t *testing.T) { overtaken(t, written) })
	}
}

// overtaken takes over from a collector after its second page was stored, or while
// its third is written.
func overtaken(t *testing.T, written int) {
	const incidents = 60
	cfg := clickhousetest.Server(t, fmt.Sprint("collector_overtaken_", written))
	in := newInstance(t, incidents)
	first, second := shared(t, cfg), shared(t, cfg)
	src, err := connect(in.url)
	if err != nil {
		t.Fatal(err)
	}
	var before map[string]clickhouse.Checkpoint
	takeOver := func(ctx context.Context) {
		if before != nil {
			return
		}
		silence(t, second)
		lease, err := second.AcquireLease(ctx, "snow")
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { _ = lease.Release(context.Background()) })
		if before, err = second.Checkpoints(ctx, "snow"); err != nil {
			t.Error(err)
		}
	}
	pages := 0
	held := &hooked{Store: first}
	held.before = func(ctx context.Context) {
		if pages++; pages == 3 {
			takeOver(ctx)
		}
	}
	held.saved = func(ctx context.Context) {
		if pages == 2 && written == 2 {
			takeOver(ctx)
		}
	}
	var log bytes.Buffer
	c := collector.New(collector.DefaultConfig(), src, held, nil, nil, slog.New(slog.NewTextHandler(&log, nil)))
	err = c.Once(t.Context())
	if !errors.Is(err, clickhouse.ErrLeaseLost) || !strings.Contains(err.Error(), "collecting snow") {
		t.Errorf("it gets %v", err)
	}
	if pages != written {
		t.Errorf("it wrote %d pages, want %d", pages, written)
	}
	after, err := second.Checkpoints(t.Context(), "snow")
	if err != nil || len(after) == 0 || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the checkpoints went from\n%v to\n%v, %v", before, after, err)
	}
	// And is refused while the other holds it.
	if err := c.Once(t.Context()); !errors.Is(err, clickhouse.ErrLeaseHeld) {
		t.Errorf("then it gets %v", err)
	}
	if pages != written {
		t.Error("it writes without the lease")
	}
}

// TestAFormerHolderReadsAnewWhatAnotherDid when the lease comes back to it.
func TestAFormerHolderReadsAnewWhatAnotherDid(t *testing.T) {
	const incidents = 60
	cfg := clickhousetest.Server(t, "collector_former")
	in := newInstance(t, incidents)
	db := shared(t, cfg)
	src, err := connect(in.url)
	if err != nil {
		t.Fatal(err)
	}
	fail := errors.New("down")
	pages := 0
	held := &hooked{Store: db}
	former := collector.New(collector.DefaultConfig(), src, &failing{held, func() error {
		if pages++; pages > 2 {
			return fail
		}
		return nil
	}}, nil, nil, nil)
	if err := former.Once(t.Context()); !errors.Is(err, fail) {
		t.Fatal(err)
	}
	if err := collector.New(collector.DefaultConfig(), src, db, nil, nil, nil).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	pages = -1000
	written := 0
	held.before = func(context.Context) { written++ }
	if err := former.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The overlap of a poll, and not the backfill that the other completed.
	if written > 3 {
		t.Errorf("it writes %d pages of what another stored", written)
	}
	compare(t, house(t, db), undisturbed(t, in, incidents))
}

// failing is a warehouse whose writing of tickets may fail.
type failing struct {
	collector.Store
	err func() error
}

func (f *failing) WriteTickets(ctx context.Context, r []ticket.Record) error {
	if err := f.err(); err != nil {
		return err
	}
	return f.Store.WriteTickets(ctx, r)
}

// TestAKilledHolderIsTakenOver by one that stood by, which ends up with all.
func TestAKilledHolderIsTakenOver(t *testing.T) {
	const incidents = 200
	cfg := clickhousetest.Server(t, "collector_killed")
	in := newInstance(t, incidents)
	want := undisturbed(t, in, incidents)
	db := shared(t, cfg)

	// It gets an eighth of what it asks for, so that it has stored something and
	// not all, however long the others here take.
	dead, answered := make(chan struct{}), 0
	in.mu.Lock()
	in.before = func() {
		if answered++; answered > 30 {
			<-dead
		}
	}
	in.mu.Unlock()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashURL+"="+in.url, crashDSN+"="+cfg.DSN, crashUser+"="+cfg.User, crashPassword+"="+cfg.Password)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	kill := sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-exited
		close(dead)
	})
	t.Cleanup(kill)
	for {
		places, err := db.Checkpoints(t.Context(), "snow")
		if err != nil {
			t.Fatal(err)
		}
		if places["open"].Tickets > 0 {
			break
		}
		select {
		case <-exited:
			t.Fatalf("the first one ended: %s", said.String())
		case <-time.After(time.Millisecond):
		}
	}

	src, err := connect(in.url)
	if err != nil {
		t.Fatal(err)
	}
	c := collector.New(collector.DefaultConfig(), src, db, nil, nil, nil)
	if err := c.Once(t.Context()); !errors.Is(err, clickhouse.ErrLeaseHeld) || !strings.Contains(err.Error(), fmt.Sprintf("process %d ", cmd.Process.Pid)) {
		t.Errorf("beside the first one it gets %v", err)
	}
	kill()
	if err := c.Once(t.Context()); !errors.Is(err, clickhouse.ErrLeaseHeld) {
		t.Errorf("just after the first one's death it gets %v", err)
	}
	silence(t, db)
	if err := c.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	compare(t, house(t, db), want)
}

// TestStandingBy: Run waits for the lease, says so once, and goes on when it gets
// it.
func TestStandingBy(t *testing.T) {
	const incidents = 30
	cfg := clickhousetest.Server(t, "collector_standing")
	in := newInstance(t, incidents)
	first, second := shared(t, cfg), shared(t, cfg)
	lease, err := first.AcquireLease(t.Context(), "snow")
	if err != nil {
		t.Fatal(err)
	}
	src, err := connect(in.url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config := collector.DefaultConfig()
	config.Interval = time.Millisecond
	tries := make(chan struct{}, 1)
	done := make(chan struct{})
	var log bytes.Buffer
	c := collector.New(config, src, &trying{second, tries}, nil, doneProgress(done), slog.New(slog.NewTextHandler(&log, nil)))
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	for range 3 {
		<-tries
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	for waiting := true; waiting; {
		select {
		case <-tries:
		case <-done:
			waiting = false
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, log.String())
		}
	}
	cancel()
	for waiting := true; waiting; {
		select {
		case <-tries:
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			waiting = false
		}
	}
	if n := strings.Count(log.String(), "standing by"); n != 1 || strings.Contains(log.String(), "failed") {
		t.Errorf("it says %d times that it stands by:\n%s", n, log.String())
	}
	// Run gave the lease back.
	again, err := first.AcquireLease(t.Context(), "snow")
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Release(t.Context())
}

// trying tells of every attempt to get the lease.
type trying struct {
	collector.Store
	tries chan struct{}
}

func (s *trying) AcquireLease(ctx context.Context, source string) (*clickhouse.Lease, error) {
	s.tries <- struct{}{}
	return s.Store.AcquireLease(ctx, source)
}

type doneProgress chan struct{}

func (doneProgress) Page(string, string, int, int) {}
func (d doneProgress) Done(string)                 { close(d) }
