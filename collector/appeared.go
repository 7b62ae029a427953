package collector

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"fairlead/connectors/source"
)

// strangers are tickets that a sweep listed, that are not too old to be collected,
// and that are not stored: the account may see them only since they were last
// changed, so no poll ever brought them.
type strangers struct {
	told  bool                // the source tells old tickets from others
	ids   map[string]struct{} // not all of them if there are many
	count uint64
}

const (
	// maxStrangers bounds the ids that are kept. Of so many the backfill is begun
	// again, whatever there is besides.
	maxStrangers = 20_000
	// fetchedFor is up to what share of the stored tickets strangers are fetched by
	// id; more are cheaper to have from the backfill streams. Up to
	// confirmedAtOnce they always are.
	fetchedFor = 0.01
)

// byAge lists by age where the source can. What another lists is all taken for old.
func (c *Collector) byAge(ctx context.Context, src source.Lister, strange *strangers) iter.Seq2[source.Listed, error] {
	aged, ok := src.(source.AgedLister)
	if ok {
		strange.told = true
		var since time.Time
		if scoped, ok := c.src.(source.Scoped); ok {
			since = scoped.Since()
		}
		if kept := c.cfg.keptFrom(time.Now()); kept.After(since) {
			since = kept
		}
		return aged.ByAge(ctx, since)
	}
	return func(yield func(source.Listed, error) bool) {
		for ids, err := range src.IDs(ctx) {
			if !yield(source.Listed{IDs: ids, Old: true}, err) {
				return
			}
		}
	}
}

// meet adds those of the ids that are not stored.
func (c *Collector) meet(ctx context.Context, ids []string, strange *strangers) error {
	unknown, err := c.unknown(ctx, ids)
	if err != nil {
		return err
	}
	if strange.ids == nil {
		strange.ids = map[string]struct{}{}
	}
	for _, id := range unknown {
		if _, met := strange.ids[id]; met {
			continue
		}
		strange.count++
		if len(strange.ids) < maxStrangers {
			strange.ids[id] = struct{}{}
		}
	}
	return nil
}

// unknown are those of the ids that are not stored.
func (c *Collector) unknown(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	stored, err := c.store.StoredUpdates(ctx, c.src.Name(), ids)
	if err != nil {
		return nil, fmt.Errorf("reading which listed tickets are stored: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		_, ok := stored[id]
		return ok
	}), nil
}

// welcome collects strangers: a few by id; where there are many, it begins the
// backfill streams again, once the first ones have shown that they can be stored.
// It returns how many were written.
func (c *Collector) welcome(ctx context.Context, strange strangers, stored uint64) (written int, err error) {
	few := max(confirmedAtOnce, int(fetchedFor*float64(stored)))
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(strange.ids)), confirmedAtOnce) {
		// A poll may have brought them meanwhile.
		if ids, err = c.unknown(ctx, ids); err != nil {
			return written, err
		}
		if len(ids) == 0 {
			continue
		}
		_, n, err := c.confirm(ctx, ids)
		if err != nil {
			return written, err
		}
		written += n
		if strange.count > uint64(few) {
			if 2*n < len(ids) {
				c.log.WarnContext(ctx, "the source lists tickets that are not stored and mostly cannot be", "source", c.src.Name(), "tickets", strange.count)
				return written, nil
			}
			c.log.InfoContext(ctx, "the source lists many tickets that were never collected; all are collected again", "source", c.src.Name(), "tickets", strange.count)
			return written, c.restart(ctx, c.places)
		}
		if c.pollDue() {
			if err := c.read(ctx, source.StreamIncremental); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}
