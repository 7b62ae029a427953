package privacy

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/web"
)

// store is a warehouse that notes what it is asked to do.
type store struct {
	did    []string
	aged   uint64
	unkept error
	keeps  []analysis.ToKeep
	before time.Time
	over   time.Time
}

func (s *store) Aged(context.Context, time.Time) (uint64, error) { return s.aged, nil }
func (s *store) Prune(_ context.Context, before time.Time) (uint64, error) {
	s.did, s.before = append(s.did, "delete"), before
	return s.aged, nil
}
func (s *store) PruneReports(context.Context, time.Time, bool) (uint64, error) { return 3, nil }
func (s *store) Scrub(context.Context) error                                   { return nil }
func (s *store) KeepQuarters(_ context.Context, over, before time.Time, dry bool) ([]analysis.ToKeep, error) {
	s.over, s.before = over, before
	if !dry {
		s.did = append(s.did, "keep")
	}
	return s.keeps, s.unkept
}

// TestFiguresAreKeptBeforeTicketsGo: no ticket is deleted before the figures that
// are made of it are stored, and nothing else waits for that.
func TestFiguresAreKeptBeforeTicketsGo(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	broken := errors.New("the disk is full")
	lost := []analysis.ToKeep{{Quarter: "2025Q2", Lost: true}, {Quarter: "2026Q3"}}
	for _, test := range []struct {
		says       string
		store      store
		dry        bool
		unfinished []string
		did        string
		quarters   int
		wrong      string
	}{
		{says: "first the figures, then the tickets", store: store{aged: 7, keeps: lost}, did: "keep delete", quarters: 2},
		{says: "said only", store: store{aged: 7, keeps: lost}, dry: true, quarters: 2},
		{says: "not stored", store: store{aged: 7, unkept: broken}, did: "keep", wrong: "no ticket is deleted for its age, as the figures of its quarter were not stored: the disk is full"},
		{says: "not all is collected", store: store{aged: 7, keeps: lost}, unfinished: []string{"jira"}, wrong: "the figures of 2025Q2 are not stored, and they cannot be before the first collection of jira is complete"},
		{says: "not all is collected, and nothing is too old", store: store{keeps: lost}, unfinished: []string{"jira"}, did: "delete"},
		{says: "not all is collected, and all that goes is stored", store: store{aged: 7, keeps: lost[1:]}, unfinished: []string{"jira"}, did: "delete"},
	} {
		s := test.store
		p := Pruner{
			Retention: Retention{Tickets: 547 * day, Reports: 800 * day}, Archive: &s, Keeper: &s, Settled: 72 * time.Hour,
			Journal: web.NewJournal(filepath.Join(t.TempDir(), "access.log")), Now: func() time.Time { return now },
			Unfinished: func(context.Context) ([]string, error) { return test.unfinished, nil },
		}
		told, err := p.Prune(t.Context(), test.dry)
		if (test.wrong == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), test.wrong) || !errors.Is(err, ErrUnkept)) {
			t.Errorf("%s: %v", test.says, err)
		}
		if got := strings.Join(s.did, " "); got != test.did || len(told.Quarters) != test.quarters || told.Reports != 3 {
			t.Errorf("%s: did %q, and told %+v", test.says, got, told)
		}
		if test.wrong != "" && told.Tickets != 0 {
			t.Errorf("%s: tells of %d deleted tickets", test.says, told.Tickets)
		}
		if want := time.Date(2025, 5, 25, 0, 0, 0, 0, time.UTC); !s.before.Equal(want) || !s.over.Equal(now.Add(-72*time.Hour)) {
			t.Errorf("%s: up to %s, of quarters that were over at %s", test.says, s.before, s.over)
		}
	}
	forever := store{aged: 7}
	p := Pruner{Archive: &forever, Keeper: &forever, Journal: web.NewJournal(filepath.Join(t.TempDir(), "access.log")), Now: func() time.Time { return now }}
	if _, err := p.Prune(t.Context(), false); err != nil || !slices.Equal(forever.did, nil) {
		t.Errorf("where tickets are kept for ever %q is done, %v", forever.did, err)
	}
}
