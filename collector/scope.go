package collector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/source"
)

// streamScope is under which name what the backfill streams were read with is kept
// among the checkpoints.
const streamScope source.Stream = "scope"

// scope is what the backfill streams were read with.
type scope struct {
	Sum   string    `json:"sum"`            // a hash: the configuration is no business of the warehouse's readers
	Since time.Time `json:"since,omitzero"` // zero is without bound
}

// reaches says whether closed tickets were collected back to since. "24mo" is
// later every day, and asks for nothing new.
func (s scope) reaches(since time.Time) bool {
	const slack = 48 * time.Hour // days of different zones, months of different length
	return s.Since.IsZero() || !since.IsZero() && !since.Before(s.Since.Add(-slack))
}

// rescope begins backfill streams again where the source's scope is not the one
// that they were read with: a project that is added later, or a field that is
// mapped otherwise, would else count only from its next change on. Where only
// older tickets are wanted than before, the stream of those is begun again.
// Nothing that is stored goes away.
func (c *Collector) rescope(ctx context.Context, stored map[string]clickhouse.Checkpoint, begun bool, places map[source.Stream]place) error {
	src, ok := c.src.(source.Scoped)
	if !ok {
		return nil
	}
	sum := sha256.Sum256([]byte(src.Scope()))
	now := scope{Sum: hex.EncodeToString(sum[:16]), Since: src.Since().UTC().Truncate(time.Millisecond)}
	var before scope
	checkpoint, known := stored[string(streamScope)]
	if known {
		if err := json.Unmarshal([]byte(checkpoint.Cursor), &before); err != nil {
			return fmt.Errorf("reading the checkpoint of stream %s: %w", streamScope, err)
		}
	}
	same, reaches := before.Sum == now.Sum, before.reaches(now.Since)
	switch {
	case known && same && reaches:
		return nil
	case !known || !begun:
	case same:
		c.log.InfoContext(ctx, "older tickets are wanted than before; those are collected again", "source", c.src.Name())
		older := place{cursor: source.Cursor{Start: places[source.StreamIncremental].cursor.Start}}
		if err := c.save(ctx, source.StreamOlder, older); err != nil {
			return err
		}
		places[source.StreamOlder] = older
	default:
		c.log.InfoContext(ctx, "the configuration includes other tickets than before or maps them otherwise; all are collected again", "source", c.src.Name())
		if err := c.restart(ctx, places); err != nil {
			return err
		}
	}
	cursor, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("writing checkpoint: %w", err)
	}
	// Since stands beside it as well, for the analysis.
	err = c.store.SaveCheckpoint(ctx, clickhouse.Checkpoint{Source: c.src.Name(), Stream: string(streamScope), Cursor: string(cursor), Updated: now.Since, Done: true})
	if err != nil {
		return fmt.Errorf("writing checkpoint: %w", err)
	}
	return nil
}

// restart gives the source another start than that which its backfill streams were
// read with: they are then read anew.
func (c *Collector) restart(ctx context.Context, places map[source.Stream]place) error {
	now, err := c.src.Now(ctx)
	if err != nil {
		return fmt.Errorf("asking for the source's clock: %w", err)
	}
	incremental := places[source.StreamIncremental]
	start := now.UTC().Truncate(time.Millisecond)
	if last := incremental.cursor.Start; !start.After(last) {
		start = last.Add(time.Millisecond)
	}
	incremental.cursor.Start = start
	if err := c.save(ctx, source.StreamIncremental, incremental); err != nil {
		return err
	}
	places[source.StreamIncremental] = incremental
	begin(places)
	return nil
}
