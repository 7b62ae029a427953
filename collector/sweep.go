package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/source"
)

// streamSweep is under which name the last sweep is kept among the checkpoints.
const streamSweep source.Stream = "sweep"

const (
	// notedAtOnce is how many listed ids are written to the warehouse together.
	notedAtOnce = 20_000
	// confirmedAtOnce is how many tickets are asked for by id together: on Jira
	// Data Center that is a request for each, and a poll may be due.
	confirmedAtOnce = 200
	// fewMissing may always be gone, whatever share of the tickets they are.
	fewMissing = 50
	// sweepAgain is how long after a sweep that failed the next one begins, if
	// the interval is not shorter.
	sweepAgain = time.Hour
)

// errRefused: a sweep found more tickets gone than it may.
var errRefused = errors.New("refused to mark tickets as deleted")

// sweepDue says whether a sweep is to begin.
func (c *Collector) sweepDue(now time.Time) bool {
	if _, able := c.src.(source.Lister); !able || c.cfg.SweepInterval == 0 {
		return false
	}
	last := c.places[source.StreamIncremental].cursor.Start
	if c.swept.After(last) {
		last = c.swept
	}
	return now.Sub(last) >= c.cfg.SweepInterval && now.Sub(c.sweepTried) >= min(sweepAgain, c.cfg.SweepInterval)
}

// sweep lists the ids of all tickets that the source shows, and marks as deleted
// those that are stored, were not listed, and are not there either when asked for
// by id. Those that are marked and were listed are collected again. A sweep that
// fails before its list is whole concludes nothing; after that, what was marked
// stays marked, and the next one goes on.
func (c *Collector) sweep(ctx context.Context) error {
	c.sweepTried = time.Now()
	found, err := c.sweepOnce(ctx, c.src.(source.Lister))
	switch {
	case errors.Is(err, errRefused):
		c.meter.sweep(sweepRefused)
	case err != nil && ctx.Err() == nil:
		c.meter.sweep(sweepFailed)
	case err == nil:
		c.meter.sweep(sweepCompleted)
		c.log.InfoContext(ctx, "sweep for deleted tickets is complete", "source", c.src.Name(),
			"listed", found.listed, "stored", found.Stored, "not_stored", found.Unknown, "deleted", found.deleted, "returned", found.returned, "appeared", found.appeared, "unsettled", found.unsettled)
	}
	if err != nil {
		return fmt.Errorf("sweeping %s for deleted tickets: %w", c.src.Name(), err)
	}
	return nil
}

// findings are what a sweep found.
type findings struct {
	clickhouse.Listing
	listed    int // ids, some perhaps twice
	deleted   int // marked
	returned  int // collected again, not listed or marked as they were
	appeared  int // collected for the first time
	unsettled int // of which the source says neither that they are there nor that they are gone
}

func (c *Collector) sweepOnce(ctx context.Context, src source.Lister) (found findings, err error) {
	name := src.Name()
	at, err := src.Now(ctx)
	if err != nil {
		return found, fmt.Errorf("asking for the source's clock: %w", err)
	}
	// Whatever is asked for from now on has a later version, and wins.
	began, version := time.Now(), c.nextVersion(time.Now())
	c.again = map[string]time.Time{}
	var strange strangers
	if found.listed, err = c.list(ctx, src, version, &strange); err != nil {
		return found, err
	}
	if found.Listing, err = c.store.CompareListed(ctx, name, version); err != nil {
		return found, err
	}
	if strange.told {
		found.Unknown = strange.count
	}
	c.meter.unstored(found.Unknown)
	if err := c.plausible(found); err != nil {
		return found, err
	}
	err = c.each(ctx, c.store.MissingIDs, version, func(ids []string) error {
		gone, written, err := c.confirm(ctx, ids)
		if err != nil {
			return err
		}
		found.deleted, found.returned = found.deleted+len(gone), found.returned+written
		found.unsettled += max(len(ids)-len(gone)-written, 0)
		if len(gone) == 0 {
			return nil
		}
		// One that comes back as it was must not be taken for known.
		c.memory = newMemory()
		c.untallied = true
		return c.store.MarkDeleted(ctx, name, gone, version, at)
	})
	if err != nil {
		return found, err
	}
	err = c.each(ctx, c.store.ReturnedIDs, version, func(ids []string) error {
		_, written, err := c.confirm(ctx, ids)
		found.returned += written
		return err
	})
	if err != nil {
		return found, err
	}
	if found.appeared, err = c.welcome(ctx, strange, found.Stored); err != nil {
		return found, err
	}
	found.Unknown -= min(uint64(found.appeared), found.Unknown)
	c.meter.unstored(found.Unknown)
	if err := c.saveSweep(ctx, began, found.listed); err != nil {
		return found, err
	}
	c.swept, c.tallied = began, time.Time{}
	c.meter.swept(began)
	return found, nil
}

// list notes every id that the source shows, and meets those that are not stored.
// Polls that are due are not kept waiting.
func (c *Collector) list(ctx context.Context, src source.Lister, version uint64, strange *strangers) (listed int, err error) {
	batch := make([]string, 0, notedAtOnce)
	old := false
	note := func() error {
		defer func() { batch = batch[:0] }()
		if err := c.store.NoteListed(ctx, src.Name(), version, batch); err != nil {
			return fmt.Errorf("noting listed tickets: %w", err)
		}
		if old {
			return nil
		}
		return c.meet(ctx, batch, strange)
	}
	for page, err := range c.byAge(ctx, src, strange) {
		if err != nil {
			return listed, fmt.Errorf("listing the ids of all tickets: %w", err)
		}
		listed += len(page.IDs)
		for part := range slices.Chunk(page.IDs, notedAtOnce) {
			if len(batch)+len(part) > notedAtOnce || page.Old != old && len(batch) > 0 {
				if err := note(); err != nil {
					return listed, err
				}
			}
			old = page.Old
			batch = append(batch, part...)
		}
		if c.pollDue() {
			if err := c.read(ctx, source.StreamIncremental); err != nil {
				return listed, err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return listed, err // a list that was cut short
	}
	return listed, note()
}

// plausible fails with errRefused where too much is gone for it to be true.
func (c *Collector) plausible(found findings) error {
	const advice = "if they were really deleted, set collector.sweep_max_share to 1 for one sweep; else see that the account may still see them, and that the configuration still includes them"
	switch share := float64(found.Missing) / float64(max(found.Stored, 1)); {
	case c.cfg.SweepMaxShare >= 1 || found.Missing == 0:
		return nil
	case found.listed == 0:
		return fmt.Errorf("%w: the source shows no ticket at all, and %d are stored: %s", errRefused, found.Stored, advice)
	case found.Missing > fewMissing && share > c.cfg.SweepMaxShare:
		return fmt.Errorf("%w: the source no longer shows %d of %d stored tickets, %.0f %%, and collector.sweep_max_share is %v: %s",
			errRefused, found.Missing, found.Stored, 100*share, c.cfg.SweepMaxShare, advice)
	}
	return nil
}

// each hands on what the sweep found, some ids at a time.
func (c *Collector) each(ctx context.Context, read func(ctx context.Context, name string, version uint64, after string, limit int) ([]string, error),
	version uint64, do func(ids []string) error) error {
	for after := ""; ; {
		ids, err := read(ctx, c.src.Name(), version, after, confirmedAtOnce)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := do(ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
		if c.pollDue() {
			if err := c.read(ctx, source.StreamIncremental); err != nil {
				return err
			}
		}
	}
}

// confirm asks for tickets by id, writes those that are there, and returns those
// that are not.
func (c *Collector) confirm(ctx context.Context, ids []string) (gone []string, written int, err error) {
	page, err := c.src.ByID(ctx, ids)
	if err != nil {
		return nil, 0, fmt.Errorf("asking for missing tickets by id: %w", err)
	}
	page.Skipped = slices.DeleteFunc(page.Skipped, func(s source.Skipped) bool {
		is := isGone(s.Reason)
		if is && slices.Contains(ids, s.ID) {
			gone = append(gone, s.ID)
		}
		return is
	})
	if err := c.lease.Held(ctx); err != nil {
		return nil, 0, err
	}
	written, err = c.write(ctx, streamSweep, page)
	return gone, written, err
}

// isGone reads the constant words of a source.Skipped. A ticket that cannot be
// read is there.
func isGone(reason string) bool {
	return strings.Contains(reason, "deleted") || strings.Contains(reason, "gone") || strings.Contains(reason, "permission")
}

func (c *Collector) saveSweep(ctx context.Context, began time.Time, listed int) error {
	if err := c.lease.Held(ctx); err != nil {
		return err
	}
	cursor, err := json.Marshal(source.Cursor{Start: began.UTC().Truncate(time.Millisecond)})
	if err != nil {
		return fmt.Errorf("writing checkpoint: %w", err)
	}
	err = c.store.SaveCheckpoint(ctx, clickhouse.Checkpoint{
		Source: c.src.Name(), Stream: string(streamSweep), Cursor: string(cursor), Updated: began, Done: true, Tickets: uint64(listed)})
	if err != nil {
		return fmt.Errorf("writing checkpoint: %w", err)
	}
	return nil
}
