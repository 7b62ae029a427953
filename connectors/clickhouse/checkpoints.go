package clickhouse

import (
	"context"
	"errors"
	"time"
)

// Checkpoint is the durable place in a stream: every ticket up to it is stored.
type Checkpoint struct {
	Source  string
	Stream  string
	Cursor  string    // what the collector needs to go on; opaque here
	Updated time.Time // the source's time that the cursor has reached; zero at the beginning
	Done    bool      // the stream has ended
	Tickets uint64    // delivered so far
}

// SaveCheckpoint stores the place in a stream, to be called when the page it
// closes was written. The one saved last wins, whatever the clock does.
func (d *DB) SaveCheckpoint(ctx context.Context, c Checkpoint) error {
	const doing = "saving checkpoint"
	if c.Source == "" || c.Stream == "" {
		return errors.New(doing + ": it has no source or no stream")
	}
	updated := int64(0)
	if !c.Updated.IsZero() {
		if c.Updated.Before(earliest) || !c.Updated.Before(latest) {
			return errors.New(doing + ": its time is out of range")
		}
		updated = c.Updated.UnixMilli()
	}
	table := d.Table("checkpoints")
	return d.explain(doing, d.conn.Exec(writing(ctx, "save checkpoint"),
		"INSERT INTO "+table+" (source, stream, cursor, updated, done, tickets, version) "+
			"SELECT $1, $2, $3, fromUnixTimestamp64Milli($4::Int64, 'UTC'), $5, $6, max(version) + 1 FROM "+table+" WHERE source = $1 AND stream = $2",
		c.Source, c.Stream, c.Cursor, updated, c.Done, c.Tickets))
}

// Checkpoints returns the places in a source's streams, by stream.
func (d *DB) Checkpoints(ctx context.Context, source string) (map[string]Checkpoint, error) {
	const doing = "reading checkpoints"
	rows, err := d.conn.Query(Comment(ctx, "checkpoints"), "SELECT source, stream, cursor, updated, done, tickets FROM "+d.Table("checkpoints")+" FINAL WHERE source = $1", source)
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	found := make(map[string]Checkpoint)
	for rows.Next() {
		var c Checkpoint
		if err := rows.Scan(&c.Source, &c.Stream, &c.Cursor, &c.Updated, &c.Done, &c.Tickets); err != nil {
			return nil, d.explain(doing, err)
		}
		if c.Updated.UnixMilli() == 0 {
			c.Updated = time.Time{}
		}
		found[c.Stream] = c
	}
	return found, d.explain(doing, rows.Err())
}
