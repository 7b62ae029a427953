package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
)

func acquire(t *testing.T, db *clickhouse.DB, source string, ttl time.Duration) *clickhouse.Lease {
	t.Helper()
	l, err := db.AcquireLeaseFor(t.Context(), source, ttl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Abandon)
	return l
}

func isLost(l *clickhouse.Lease) bool {
	select {
	case <-l.Lost():
		return true
	default:
		return false
	}
}

func TestLeaseHasOneWinner(t *testing.T) {
	db := clickhousetest.New(t)
	for contest := range 5 {
		var (
			group   sync.WaitGroup
			mu      sync.Mutex
			winners []*clickhouse.Lease
		)
		for range 8 {
			group.Go(func() {
				l, err := db.AcquireLeaseFor(t.Context(), "jira", time.Minute)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					winners = append(winners, l)
				case !errors.Is(err, clickhouse.ErrLeaseHeld):
					t.Error(err)
				}
			})
		}
		group.Wait()
		if len(winners) != 1 {
			t.Fatalf("contest %d has %d winners", contest, len(winners))
		}
		if isLost(winners[0]) {
			t.Error("the winner has lost")
		}
		if err := winners[0].Release(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHeldLeaseIsRefused(t *testing.T) {
	db := clickhousetest.New(t)
	first := acquire(t, db, "jira", time.Minute)
	_, err := db.AcquireLeaseFor(t.Context(), "jira", time.Minute)
	if !errors.Is(err, clickhouse.ErrLeaseHeld) || !strings.Contains(err.Error(), "process ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a second holder gives %v", err)
	}
	other := acquire(t, db, "it's another; DROP TABLE `x`", time.Minute)
	if first.Epoch != 1 || other.Epoch != 1 {
		t.Errorf("epochs are %d and %d", first.Epoch, other.Epoch)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !isLost(first) {
		t.Error("a released lease is held")
	}
	if next := acquire(t, db, "jira", time.Minute); next.Epoch != 2 {
		t.Errorf("the next epoch is %d, want 2", next.Epoch)
	}
	if n := scan[uint64](t, db, "SELECT count() FROM system.tables WHERE database = $1 AND startsWith(name, 'lease_')", db.Database()); n != 2 {
		t.Errorf("%d tables of leases are left, want one a source", n)
	}
}

// TestSilentHolderIsReplaced, and if it lives after all, notices.
func TestSilentHolderIsReplaced(t *testing.T) {
	db := clickhousetest.New(t)
	const ttl = time.Second
	dead := acquire(t, db, "jira", ttl)
	dead.Abandon()
	var next *clickhouse.Lease
	for deadline := time.Now().Add(time.Minute); next == nil; time.Sleep(20 * time.Millisecond) {
		l, err := db.AcquireLeaseFor(t.Context(), "jira", ttl)
		switch {
		case err == nil:
			next = l
			t.Cleanup(l.Abandon)
		case !errors.Is(err, clickhouse.ErrLeaseHeld) || time.Now().After(deadline):
			t.Fatal(err)
		}
	}
	if next.Epoch != 2 {
		t.Errorf("the next epoch is %d, want 2", next.Epoch)
	}
}

// TestOvertakenHolderLoses: somebody, by a clock of theirs, thought it dead.
func TestOvertakenHolderLoses(t *testing.T) {
	db := clickhousetest.New(t)
	holder := acquire(t, db, "jira", 600*time.Millisecond)
	overtaker, err := db.AcquireLeaseFor(t.Context(), "jira", -time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(overtaker.Abandon)
	select {
	case <-holder.Lost():
	case <-time.After(time.Minute):
		t.Error("the overtaken holder does not notice")
	}
	if err := holder.Release(t.Context()); err != nil {
		t.Errorf("releasing what is lost gives %v", err)
	}
}

// TestLivingHolderKeepsIts: it outlives its term by giving signs of life. A machine
// may be so busy that one of them takes most of a short term; a longer one is then
// to be kept.
func TestLivingHolderKeepsIts(t *testing.T) {
	db := clickhousetest.New(t)
	var err error
	for ttl := 2 * time.Second; ttl <= 16*time.Second; ttl *= 2 {
		if err = outlives(t, db, fmt.Sprint("jira ", ttl), ttl); err == nil {
			return
		}
		t.Logf("with a term of %s: %v", ttl, err)
	}
	t.Error(err)
}

func outlives(t *testing.T, db *clickhouse.DB, source string, term time.Duration) error {
	holder := acquire(t, db, source, term)
	for end := time.Now().Add(2 * term); time.Now().Before(end); time.Sleep(term / 10) {
		if other, err := db.AcquireLeaseFor(t.Context(), source, term); err == nil {
			other.Abandon()
			return errors.New("while the holder lives, another gets the lease")
		} else if !errors.Is(err, clickhouse.ErrLeaseHeld) {
			t.Fatal(err)
		}
	}
	if isLost(holder) {
		return errors.New("the holder has lost")
	}
	return nil
}

// TestFolderLockIsTheLease of an engine that Open started: who died there is not
// waited for.
func TestFolderLockIsTheLease(t *testing.T) {
	dir := t.TempDir()
	db := clickhousetest.NewFolder(t, dir)
	first := acquire(t, db, "jira", time.Hour)
	first.Abandon()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := acquire(t, clickhousetest.NewFolder(t, dir), "jira", time.Hour)
	if again.Epoch != 2 {
		t.Errorf("the epoch is %d, want 2", again.Epoch)
	}
	if err := again.Held(t.Context()); err != nil || isLost(again) {
		t.Errorf("whoever has the folder is told %v", err)
	}
	if err := again.Release(t.Context()); err != nil || !isLost(again) {
		t.Errorf("releasing it gives %v", err)
	}
}

// TestFencedHolderIsTold when it asks, though no sign of life has failed yet.
func TestFencedHolderIsTold(t *testing.T) {
	db := clickhousetest.New(t)
	holder := acquire(t, db, "jira", time.Hour)
	if err := holder.Held(t.Context()); err != nil {
		t.Errorf("it holds, and is told %v", err)
	}
	overtaker, err := db.AcquireLeaseFor(t.Context(), "jira", -time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(overtaker.Abandon)
	for range 2 {
		if err := holder.Held(t.Context()); !errors.Is(err, clickhouse.ErrLeaseLost) {
			t.Errorf("the overtaken holder is told %v", err)
		}
	}
	if !isLost(holder) {
		t.Error("the overtaken holder goes on")
	}
}

func TestNoLeaseIsHeldForEver(t *testing.T) {
	var l *clickhouse.Lease
	if l.Lost() != nil || l.Held(t.Context()) != nil || l.Release(t.Context()) != nil {
		t.Error("it is not")
	}
}
