// Package collector brings the tickets of a source into the warehouse and
// keeps them up to date: page, timeline, write, checkpoint, in that order and
// no other. A crash at any moment can repeat a page, and can neither skip a
// ticket nor count it twice.
package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// Store is what the collector needs of the warehouse. A write that returns no
// error is durable.
type Store interface {
	WriteAccounts(ctx context.Context, accounts []ticket.Account) error
	WriteTerms(ctx context.Context, terms []ticket.Term) error
	WriteTickets(ctx context.Context, records []ticket.Record) error
	SaveCheckpoint(ctx context.Context, checkpoint clickhouse.Checkpoint) error
	Checkpoints(ctx context.Context, source string) (map[string]clickhouse.Checkpoint, error)
	StoredUpdates(ctx context.Context, source string, ids []string) (map[string]time.Time, error)
	// Histories are stored tickets, with References for accounts, which
	// WriteTickets takes in place of them.
	Histories(ctx context.Context, source string, ids []string) (map[string]ticket.Ticket, error)
	Reference(source, account string) string
	Terms(ctx context.Context) ([]ticket.Term, error)
	MaxVersion(ctx context.Context, source string) (uint64, error)
	Tally(ctx context.Context, source string) (clickhouse.Tally, error)

	// AcquireLease fails with clickhouse.ErrLeaseHeld where another collects the
	// source. A nil lease is held for ever.
	AcquireLease(ctx context.Context, source string) (*clickhouse.Lease, error)

	// What a sweep needs; the version at which it began is its name.
	NoteListed(ctx context.Context, source string, sweep uint64, ids []string) error
	CompareListed(ctx context.Context, source string, sweep uint64) (clickhouse.Listing, error)
	MissingIDs(ctx context.Context, source string, sweep uint64, after string, limit int) ([]string, error)
	ReturnedIDs(ctx context.Context, source string, sweep uint64, after string, limit int) ([]string, error)
	MarkDeleted(ctx context.Context, source string, ids []string, sweep uint64, at time.Time) error
}

// Progress is told how a collection gets on. Its methods are called by the
// goroutine that collects the source, and must return at once.
type Progress interface {
	// Page: so many tickets of a page were stored, and so many of the stream
	// are estimated to follow; negative when the source does not tell.
	Page(source, stream string, tickets, remaining int)
	// Done: the source has caught up. A later poll that brings nothing new
	// does not say so again.
	Done(source string)
}

const (
	// startMargin is how long before the source's clock at the first request
	// the incremental stream begins.
	startMargin = time.Minute
	// grace is how long the page that is being stored may take once the context
	// has ended.
	grace = 5 * time.Second
	// pollMeanwhile is how often, at most, a first collection is interrupted
	// for what changed since it began.
	pollMeanwhile = 5 * time.Minute
	// tallyEvery is how often, at most, the stored tickets are counted.
	tallyEvery = 5 * time.Minute
)

// Collector collects one source, under the source's lease: of several processes
// on one warehouse one collects, and another takes over when that one has died.
// It is not safe for concurrent use; several sources are several Collectors, side
// by side.
type Collector struct {
	cfg      Config
	src      source.Source
	store    Store
	meter    meter
	progress Progress
	log      *slog.Logger

	lease    *clickhouse.Lease
	leased   bool
	epoch    uint64 // of the last lease
	standing bool   // by, while another collects

	places   map[source.Stream]place // nil until they were read from the store
	version  uint64                  // the last one given
	polled   time.Time               // when the incremental stream was last read
	caughtUp bool                    // since the start
	fresh    int                     // tickets written since Done

	swept      time.Time // when the last sweep that came to its end began
	sweepTried time.Time
	tallied    time.Time
	untallied  bool // something was written since

	accounts map[string]ticket.Account
	terms    map[termKey]ticket.Term
	memory   memory
	again    map[string]time.Time // when tickets of the stream that is read were asked for by id
	lack     lack
}

// place is how far a stream was read.
type place struct {
	cursor  source.Cursor
	done    bool
	tickets uint64
}

type termKey struct {
	field ticket.Field
	id    string
}

// New makes a collector of src, which must be the only one. metrics, progress
// and log may be nil. It does nothing until Once or Run.
func New(cfg Config, src source.Source, store Store, metrics *Metrics, progress Progress, log *slog.Logger) *Collector {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if progress == nil {
		progress = noProgress{}
	}
	return &Collector{
		cfg: cfg, src: src, store: store, meter: metrics.of(src.Name()), progress: progress, log: log,
		accounts: map[string]ticket.Account{}, terms: map[termKey]ticket.Term{}, memory: newMemory(), lack: lack{},
	}
}

type noProgress struct{}

func (noProgress) Page(string, string, int, int) {}
func (noProgress) Done(string)                   {}

// Run collects until ctx ends, and then returns nil: first all that is missing,
// then what changed, every interval, and at times it sweeps for deleted tickets.
// While another process has the lease it stands by. A fault is logged and
// counted, and the next turn goes on where it stopped; only a refused credential
// or a missing right ends Run, since trying again would not help.
func (c *Collector) Run(ctx context.Context) error {
	defer c.release(ctx)
	for {
		err, sweepErr := c.turn(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, source.ErrUnauthorized), errors.Is(err, source.ErrForbidden):
			return err
		case errors.Is(err, clickhouse.ErrLeaseHeld):
			if !c.standing {
				c.log.WarnContext(ctx, "standing by", "source", c.src.Name(), "reason", err)
			}
		case err != nil:
			c.log.ErrorContext(ctx, "collection failed, trying again later", "source", c.src.Name(), "wait", c.cfg.Interval, "error", err)
		}
		c.standing = errors.Is(err, clickhouse.ErrLeaseHeld)
		if sweepErr != nil {
			c.log.ErrorContext(ctx, "sweep for deleted tickets failed, trying again later", "source", c.src.Name(), "error", sweepErr)
		}
		timer := time.NewTimer(c.cfg.Interval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// Once reads the backfill streams that are not complete, in order, and then the
// incremental one until it has caught up; and sweeps for deleted tickets if it is
// time. What was read before it failed stays read. A page that is being stored
// when ctx ends is finished within seconds. It fails with
// clickhouse.ErrLeaseHeld where another process collects the source.
func (c *Collector) Once(ctx context.Context) error {
	defer c.release(ctx)
	return errors.Join(c.turn(ctx))
}

// turn collects, and then sweeps if it is time.
func (c *Collector) turn(ctx context.Context) (err, sweepErr error) {
	if err := c.acquire(ctx); err != nil {
		if ctx.Err() == nil && !errors.Is(err, clickhouse.ErrLeaseHeld) {
			c.meter.failed()
		}
		return err, nil
	}
	ctx, stop := c.leaseContext(ctx)
	defer stop()
	if err = c.collect(ctx); err == nil && c.sweepDue(time.Now()) {
		if sweepErr = c.sweep(ctx); sweepErr == nil && c.backfilling() {
			err = c.collect(ctx)
		}
	}
	c.tally(ctx)
	switch {
	case lostLease(ctx):
		c.meter.failed()
		return fmt.Errorf("collecting %s: %w", c.src.Name(), context.Cause(ctx)), nil
	case err != nil && (ctx.Err() == nil || errors.Is(err, clickhouse.ErrLeaseLost)):
		c.meter.failed()
	}
	return err, sweepErr
}

func (c *Collector) collect(ctx context.Context) error {
	if err := c.prepare(ctx); err != nil {
		return fmt.Errorf("collecting %s: %w", c.src.Name(), err)
	}
	c.polled = time.Now()
	for _, stream := range source.Backfill {
		for !c.places[stream].done {
			if err := c.read(ctx, stream); err != nil {
				return err
			}
			if c.pollDue() {
				if err := c.read(ctx, source.StreamIncremental); err != nil {
					return err
				}
				c.tally(ctx)
			}
		}
	}
	if err := c.read(ctx, source.StreamIncremental); err != nil {
		return err
	}
	c.meter.succeeded(time.Now())
	if !c.caughtUp {
		c.tallied = time.Time{}
	}
	if c.fresh > 0 || !c.caughtUp {
		c.fresh, c.caughtUp = 0, true
		c.progress.Done(c.src.Name())
	}
	return nil
}

// tally counts what is stored, if that may have changed and was not just done.
// It is for the metrics: a failure is only logged.
func (c *Collector) tally(ctx context.Context) {
	now := time.Now()
	if c.places == nil || !c.tallied.IsZero() && (!c.untallied || now.Sub(c.tallied) < tallyEvery) || ctx.Err() != nil {
		return
	}
	tally, err := c.store.Tally(ctx, c.src.Name())
	if err != nil {
		c.log.WarnContext(ctx, "stored tickets could not be counted", "source", c.src.Name(), "error", err)
		return
	}
	c.tallied, c.untallied = now, false
	c.meter.stored(tally)
}

// prepare finds out, once, where each stream stands and which version was given
// last. Before anything is collected it stores the source's clock, which parts
// the backfill streams from the incremental one.
func (c *Collector) prepare(ctx context.Context) error {
	if c.places != nil {
		return nil
	}
	stored, err := c.store.Checkpoints(ctx, c.src.Name())
	if err != nil {
		return fmt.Errorf("reading checkpoints: %w", err)
	}
	version, err := c.store.MaxVersion(ctx, c.src.Name())
	if err != nil {
		return fmt.Errorf("reading the last version: %w", err)
	}
	places, err := placesOf(stored)
	if err != nil {
		return err
	}
	_, begun := places[source.StreamIncremental]
	if !begun {
		now, err := c.src.Now(ctx)
		if err != nil {
			return fmt.Errorf("asking for the source's clock: %w", err)
		}
		now = now.UTC().Truncate(time.Millisecond)
		incremental := place{cursor: source.Cursor{Start: now, Updated: now.Add(-startMargin)}}
		// Without it nothing that another stream has stored can be trusted to
		// meet the incremental one.
		places = map[source.Stream]place{source.StreamIncremental: incremental}
		if err := c.save(ctx, source.StreamIncremental, incremental); err != nil {
			return err
		}
	}
	if err := c.rescope(ctx, stored, begun, places); err != nil {
		return err
	}
	begin(places)
	c.places, c.version = places, version
	if last, ok := stored[string(streamSweep)]; ok {
		c.swept = last.Updated
		c.meter.swept(c.swept)
	}
	for stream, p := range places {
		c.meter.at(stream, p, -1)
	}
	return nil
}

// placesOf are the places that are stored.
func placesOf(stored map[string]clickhouse.Checkpoint) (map[source.Stream]place, error) {
	places := map[source.Stream]place{}
	for _, stream := range slices.Concat(source.Backfill, []source.Stream{source.StreamIncremental}) {
		checkpoint, ok := stored[string(stream)]
		if !ok {
			continue
		}
		p := place{done: checkpoint.Done, tickets: checkpoint.Tickets}
		if err := json.Unmarshal([]byte(checkpoint.Cursor), &p.cursor); err != nil {
			return nil, fmt.Errorf("reading the checkpoint of stream %s: %w", stream, err)
		}
		places[stream] = p
	}
	return places, nil
}

// Unfinished are those of the named sources whose first collection is not complete.
func Unfinished(ctx context.Context, store Checkpoints, names []string) ([]string, error) {
	var list []string
	for _, name := range names {
		stored, err := store.Checkpoints(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("reading checkpoints: %w", err)
		}
		places, err := placesOf(stored)
		if err != nil {
			return nil, err
		}
		begin(places) // what was read from another start counts for nothing
		if slices.ContainsFunc(source.Backfill, func(s source.Stream) bool { return !places[s].done }) {
			list = append(list, name)
		}
	}
	return list, nil
}

// Checkpoints is who knows how far sources were collected.
type Checkpoints interface {
	Checkpoints(ctx context.Context, source string) (map[string]clickhouse.Checkpoint, error)
}

// begin puts the backfill streams that were not begun at their beginning, and those
// that were read from another start than the present one.
func begin(places map[source.Stream]place) {
	start := places[source.StreamIncremental].cursor.Start
	for _, stream := range source.Backfill {
		if p, ok := places[stream]; !ok || !p.cursor.Start.Equal(start) {
			places[stream] = place{cursor: source.Cursor{Start: start}}
		}
	}
}

// backfilling says that a backfill stream is not complete.
func (c *Collector) backfilling() bool {
	return slices.ContainsFunc(source.Backfill, func(s source.Stream) bool { return !c.places[s].done })
}

// pollDue says that a long backfill must not keep waiting what happens now.
func (c *Collector) pollDue() bool {
	return time.Since(c.polled) >= max(c.cfg.Interval, pollMeanwhile)
}

// read reads a stream from its place to its end. A backfill stream it leaves
// after a page when a poll is due; the page that was fetched meanwhile is
// dropped then, since the poll asks later and may not be overwritten by it.
func (c *Collector) read(ctx context.Context, stream source.Stream) error {
	incremental := stream == source.StreamIncremental
	if incremental {
		c.polled = time.Now()
		c.memory.turn()
	}
	c.again = map[string]time.Time{}
	for page, err := range ahead(ctx, pagesOf(c.src, stream, c.places[stream].cursor)) {
		if err == nil {
			err = c.keep(ctx, stream, page)
		}
		if err != nil {
			return c.failure(stream, err)
		}
		if !incremental && c.pollDue() {
			return nil
		}
	}
	if incremental {
		return nil
	}
	p := c.places[stream]
	p.done = true
	if err := c.save(ctx, stream, p); err != nil {
		return c.failure(stream, err)
	}
	c.places[stream] = p
	c.meter.at(stream, p, 0)
	c.log.InfoContext(ctx, "stream of the first collection is complete", "source", c.src.Name(), "stream", stream, "tickets", p.tickets)
	return nil
}

// failure says where a stream stood when it failed.
func (c *Collector) failure(stream source.Stream, err error) error {
	at := c.places[stream].cursor
	if at.Updated.IsZero() {
		return fmt.Errorf("collecting %s, stream %s, from its beginning: %w", c.src.Name(), stream, err)
	}
	return fmt.Errorf("collecting %s, stream %s, after cursor %s %s: %w", c.src.Name(), stream, at.Updated.UTC().Format(time.RFC3339Nano), at.ID, err)
}

// keep stores a page and then the place after it.
func (c *Collector) keep(ctx context.Context, stream source.Stream, page source.Page) error {
	ctx, cancel := withGrace(ctx)
	defer cancel()
	// Before the write, so that what a later epoch has written is not overwritten;
	// after it, so that the page of a holder that was overtaken meanwhile is not
	// acknowledged.
	if err := c.lease.Held(ctx); err != nil {
		return err
	}
	written, err := c.write(ctx, stream, page)
	if err != nil {
		return err
	}
	p := c.places[stream]
	p.tickets += uint64(written)
	// A poll begins an overlap before its cursor; a page of that is no progress.
	moved := !page.Next.Updated.Before(p.cursor.Updated) && !same(page.Next, p.cursor)
	if moved {
		p.cursor.Updated, p.cursor.ID = page.Next.Updated, page.Next.ID
	}
	if moved || written > 0 {
		if err := c.save(ctx, stream, p); err != nil {
			return err
		}
	}
	c.places[stream] = p
	c.fresh += written
	c.meter.at(stream, p, page.Remaining)
	c.progress.Page(c.src.Name(), string(stream), written, page.Remaining)
	return nil
}

func same(a, b source.Cursor) bool { return a.Updated.Equal(b.Updated) && a.ID == b.ID }

func (c *Collector) save(ctx context.Context, stream source.Stream, p place) error {
	if err := c.lease.Held(ctx); err != nil {
		return err
	}
	cursor, err := json.Marshal(p.cursor)
	if err != nil {
		return fmt.Errorf("writing checkpoint: %w", err)
	}
	updated := p.cursor.Updated
	if updated.IsZero() {
		updated = p.cursor.Start
	}
	err = c.store.SaveCheckpoint(ctx, clickhouse.Checkpoint{
		Source: c.src.Name(), Stream: string(stream), Cursor: string(cursor), Updated: updated, Done: p.done, Tickets: p.tickets})
	if err != nil {
		return fmt.Errorf("writing checkpoint: %w", err)
	}
	return nil
}

// withGrace ends some time after ctx does; at once where the lease was lost.
func withGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if lostLease(ctx) {
			cancel()
			return
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-late.Done():
		}
	})
	return late, func() { stop(); cancel() }
}
