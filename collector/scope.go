package collector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/source"
)

// Scoped is a source that can tell when its configuration includes other tickets,
// or makes something else of them, than it did.
type Scoped interface {
	source.Source

	// Scope changes with whatever decides which tickets are collected and what
	// their fields are, and with nothing else.
	Scope() string
}

// streamScope is under which name a hash of the scope is kept among the
// checkpoints.
const streamScope source.Stream = "scope"

// rescope begins the backfill streams again where the source's scope is not the one
// that they were read with: a project that is added later would else bring only
// what changes from then on. Nothing that is stored goes away.
func (c *Collector) rescope(ctx context.Context, stored map[string]clickhouse.Checkpoint, begun bool, incremental *place) error {
	src, ok := c.src.(Scoped)
	if !ok {
		return nil
	}
	sum := sha256.Sum256([]byte(src.Scope()))
	scope := hex.EncodeToString(sum[:16])
	before, known := stored[string(streamScope)]
	if known && before.Cursor == scope {
		return nil
	}
	if known && begun {
		now, err := c.src.Now(ctx)
		if err != nil {
			return fmt.Errorf("asking for the source's clock: %w", err)
		}
		c.log.InfoContext(ctx, "the configuration includes other tickets than before; all are collected again", "source", c.src.Name())
		// Another start than that of the streams that were read.
		start := now.UTC().Truncate(time.Millisecond)
		if last := incremental.cursor.Start; !start.After(last) {
			start = last.Add(time.Millisecond)
		}
		incremental.cursor.Start = start
		if err := c.save(ctx, source.StreamIncremental, *incremental); err != nil {
			return err
		}
	}
	err := c.store.SaveCheckpoint(ctx, clickhouse.Checkpoint{Source: c.src.Name(), Stream: string(streamScope), Cursor: scope, Done: true})
	if err != nil {
		return fmt.Errorf("writing checkpoint: %w", err)
	}
	return nil
}
