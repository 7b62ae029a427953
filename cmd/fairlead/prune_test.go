package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/privacy"
	"fairlead/analysis/web"
)

// shelf is an archive that counts how often it was pruned.
type shelf struct{ pruned int }

func (s *shelf) Aged(context.Context, time.Time) (uint64, error)               { return 7, nil }
func (s *shelf) Prune(context.Context, time.Time) (uint64, error)              { s.pruned++; return 7, nil }
func (s *shelf) PruneReports(context.Context, time.Time, bool) (uint64, error) { return 0, nil }
func (s *shelf) Scrub(context.Context) error                                   { return nil }

func (s *shelf) KeepQuarters(context.Context, time.Time, time.Time, bool) ([]analysis.ToKeep, error) {
	return nil, nil
}

// TestPruneByService: it is done by who analyses, between two analyses, and who
// asked waits for it.
func TestPruneByService(t *testing.T) {
	a := &shelf{}
	s := &service{
		house: &house{}, renewals: make(chan renewal),
		pruner: &privacy.Pruner{Retention: privacy.Retention{Tickets: 547 * 24 * time.Hour}, Archive: a, Keeper: a, Journal: web.NewJournal(filepath.Join(t.TempDir(), "access.log")), Now: time.Now},
	}
	if told, err := s.pruneNow(t.Context(), pruning{DryRun: true}, ""); err != nil || told.Tickets != 7 || a.pruned != 0 {
		t.Errorf("a dry run: %+v, %v, pruned %d times", told, err, a.pruned)
	}
	failed := errors.New("no analysis")
	for _, want := range []error{nil, failed} {
		go func() {
			r := <-s.renewals
			r.before(context.Background())
			r.done <- want
		}()
		if told, err := s.pruneNow(t.Context(), pruning{}, ""); !errors.Is(err, want) || told.Tickets != 7 {
			t.Errorf("%+v, %v, want %v", told, err, want)
		}
	}
	if a.pruned != 2 {
		t.Errorf("pruned %d times", a.pruned)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.pruneNow(gone, pruning{}, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone is answered %v", err)
	}
}
