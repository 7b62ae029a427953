package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

var (
	// ErrLeaseHeld: another process collects the source.
	ErrLeaseHeld = errors.New("source is collected by another fairlead")
	// ErrLeaseLost: we no longer have the lease of the source, and must not write.
	ErrLeaseLost = errors.New("lease of the source lost")
)

// leaseTTL is how long a lease outlives its holder's last sign of life.
const leaseTTL = time.Minute

// ClickHouse's error codes of the contest for a lease.
const codeTableExists = 57

// Lease is the right to collect a source, which one process has at a time.
//
// ClickHouse has no compare-and-set, but of those who create a table of one name
// exactly one succeeds: each epoch of a source is such a table, and its rows are
// its holder's signs of life, in the server's time. Who finds the latest epoch
// released or silent for longer than leaseTTL contends for the next one. On an
// engine that Open started the folder's lock has settled who is alone: the latest
// epoch is not waited for, and signs of life are needless.
//
// A nil Lease is held for ever: that of a store which nobody shares.
type Lease struct {
	Epoch uint64 // greater than that of every earlier holder

	db     *DB
	prefix string // of the names of the source's epochs
	table  string
	ttl    time.Duration
	stop   context.CancelFunc
	ended  chan struct{} // closed when the heart stands still
	lost   chan struct{}
	once   sync.Once
}

// AcquireLease takes the lease of a source, or fails with ErrLeaseHeld, saying who
// has it. Cancelling ctx ends only the attempt; Release gives the lease back.
func (d *DB) AcquireLease(ctx context.Context, source string) (*Lease, error) {
	return d.acquireLease(ctx, source, leaseTTL)
}

func (d *DB) acquireLease(ctx context.Context, source string, ttl time.Duration) (*Lease, error) {
	ctx = writing(ctx, "lease")
	prefix := leasePrefix(source)
	latest, err := d.latestEpoch(ctx, prefix)
	if err != nil {
		return nil, err
	}
	if latest > 0 && !d.owned {
		if err := d.checkVacant(ctx, prefix, latest, ttl); err != nil {
			return nil, err
		}
	}
	l := &Lease{
		Epoch:  latest + 1,
		db:     d,
		prefix: prefix,
		table:  d.Table(prefix + strconv.FormatUint(latest+1, 10)),
		ttl:    ttl,
		ended:  make(chan struct{}),
		lost:   make(chan struct{}),
	}
	// Without IF NOT EXISTS: this statement is the contest.
	err = d.conn.Exec(ctx, "CREATE TABLE "+l.table+" (holder String, at DateTime64(3, 'UTC'), released Bool) ENGINE = MergeTree ORDER BY at SETTINGS "+durable)
	if isCode(err, codeTableExists) {
		return nil, fmt.Errorf("%w: it has just taken the lease", ErrLeaseHeld)
	}
	if err != nil {
		return nil, d.explain("taking the lease", err)
	}
	if err := l.beat(ctx, false); err != nil {
		return nil, errors.Join(d.explain("taking the lease", err), l.drop(ctx))
	}
	// Who was slow may have created an epoch that was over and cleared away.
	if now, err := d.latestEpoch(ctx, prefix); err != nil || now != l.Epoch {
		if err == nil {
			err = fmt.Errorf("%w: it has just taken the lease", ErrLeaseHeld)
		}
		return nil, errors.Join(err, l.drop(ctx))
	}
	d.dropEpochsBefore(ctx, prefix, l.Epoch)

	beating, stop := context.WithCancel(writing(context.Background(), "lease"))
	l.stop = stop
	if d.owned {
		close(l.ended)
	} else {
		go l.keep(beating)
	}
	return l, nil
}

// Lost is closed when the lease is no longer held: another took it over, or no
// sign of life could be given for so long that another may.
func (l *Lease) Lost() <-chan struct{} {
	if l == nil {
		return nil
	}
	return l.lost
}

// Held asks the warehouse itself, and fails with ErrLeaseLost when a later epoch
// has begun. A holder that was stopped for a while, as a suspended machine is, may
// learn of its loss only when it goes on: so it asks before what it wrote is
// acknowledged.
func (l *Lease) Held(ctx context.Context) error {
	if l == nil {
		return nil
	}
	select {
	case <-l.lost:
		return ErrLeaseLost
	default:
	}
	if l.db.owned {
		return nil // the folder's lock
	}
	latest, err := l.db.latestEpoch(writing(ctx, "lease"), l.prefix)
	if err != nil {
		return err
	}
	if latest != l.Epoch {
		l.lose()
		return fmt.Errorf("%w: another fairlead has taken it over", ErrLeaseLost)
	}
	return nil
}

func (l *Lease) lose() { l.once.Do(func() { close(l.lost) }) }

// Release gives the lease back, so that the next one need not wait. Its holder
// must have stopped writing.
func (l *Lease) Release(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.stop()
	<-l.ended
	select {
	case <-l.lost:
		return nil
	default:
	}
	l.lose()
	return l.db.explain("releasing the lease", l.beat(writing(ctx, "lease"), true))
}

// keep gives signs of life until ctx ends or the lease is lost.
func (l *Lease) keep(ctx context.Context) {
	defer close(l.ended)
	alive := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.ttl / 6):
		}
		began := time.Now()
		attempt, cancel := context.WithDeadline(ctx, alive.Add(l.ttl*2/3))
		err := l.beat(attempt, false)
		var latest uint64
		if err == nil {
			latest, err = l.db.latestEpoch(attempt, l.prefix)
		}
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && latest == l.Epoch:
			alive = began
		// Given up well before another may take over, by that other's clock.
		case err == nil, time.Since(alive) >= l.ttl*2/3:
			l.lose()
			return
		}
	}
}

// beat is a sign of life, or the last word.
func (l *Lease) beat(ctx context.Context, released bool) error {
	host, _ := os.Hostname()
	return l.db.conn.Exec(ctx, "INSERT INTO "+l.table+" (holder, at, released) SELECT $1, now64(3), $2", fmt.Sprintf("process %d on %s", os.Getpid(), host), released)
}

func (l *Lease) drop(ctx context.Context) error {
	return l.db.explain("giving up the lease", l.db.conn.Exec(ctx, "DROP TABLE IF EXISTS "+l.table))
}

// leasePrefix begins the names of a source's epochs. A source may be called
// anything, a table not.
func leasePrefix(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "lease_" + hex.EncodeToString(sum[:8]) + "_"
}

// latestEpoch is 0 when the source was never leased.
func (d *DB) latestEpoch(ctx context.Context, prefix string) (uint64, error) {
	var epoch uint64
	err := d.conn.QueryRow(ctx, "SELECT max(toUInt64OrZero(substring(name, length($2) + 1))) FROM system.tables WHERE database = $1 AND startsWith(name, $2)", d.schema.database, prefix).Scan(&epoch)
	return epoch, d.explain("looking for the lease", err)
}

// checkVacant fails with ErrLeaseHeld unless the epoch was released or its holder
// has been silent for longer than ttl. An epoch without a row was created by a
// contender that may be about to write one.
func (d *DB) checkVacant(ctx context.Context, prefix string, epoch uint64, ttl time.Duration) error {
	var (
		holder   string
		silent   int64
		released bool
		name     = prefix + strconv.FormatUint(epoch, 10)
	)
	err := d.conn.QueryRow(ctx, strings.ReplaceAll(`
		SELECT argMax(holder, at), argMax(released, at), dateDiff('millisecond', if(count() = 0,
			(SELECT toDateTime64(max(metadata_modification_time), 3, 'UTC') FROM system.tables WHERE database = $1 AND name = $2), max(at)), now64(3, 'UTC'))
		FROM {lease}`, "{lease}", d.Table(name)), d.schema.database, name).Scan(&holder, &released, &silent)
	if isCode(err, codeUnknownTable) {
		return fmt.Errorf("%w: it has just taken the lease", ErrLeaseHeld)
	}
	if err != nil {
		return d.explain("reading the lease", err)
	}
	if released || silent > ttl.Milliseconds() {
		return nil
	}
	if holder == "" {
		holder = "one that is just starting"
	}
	return fmt.Errorf("%w: %s: stop that one, or wait %s after it has died", ErrLeaseHeld, holder, ttl)
}

// dropEpochsBefore clears away what is over. What it leaves does no harm.
func (d *DB) dropEpochsBefore(ctx context.Context, prefix string, epoch uint64) {
	rows, err := d.conn.Query(ctx, "SELECT name FROM system.tables WHERE database = $1 AND startsWith(name, $2) AND toUInt64OrZero(substring(name, length($2) + 1)) < $3", d.schema.database, prefix, epoch)
	if err != nil {
		return
	}
	var names []string
	for rows.Next() {
		var name string
		if rows.Scan(&name) == nil {
			names = append(names, name)
		}
	}
	_ = rows.Close()
	for _, name := range names {
		_ = d.conn.Exec(ctx, "DROP TABLE IF EXISTS "+d.Table(name))
	}
}

func isCode(err error, code int32) bool {
	var server *clickhouse.Exception
	return errors.As(err, &server) && server.Code == code
}
