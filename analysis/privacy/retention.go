package privacy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/web"
)

// Retention is how long what is kept. 0 is for ever.
type Retention struct {
	// Tickets: closed ones, from the last that happened to them.
	Tickets time.Duration `yaml:"tickets"`
	// People: for how long figures of single people can be computed, from the
	// instant that they are of. None are stored.
	People time.Duration `yaml:"people"`
	// AccessLog: its entries.
	AccessLog time.Duration `yaml:"access_log"`
	// Reports: those for everybody, which show no single person.
	Reports time.Duration `yaml:"reports"`
}

const day = 24 * time.Hour

// DefaultRetention keeps closed tickets for the 547 days after which acts count as
// evidence of nothing, computes figures of people for a quarter, and keeps the access
// log for two years. Trends of eight quarters are read from the figures of groups that
// a Keeper has stored of the time before.
func DefaultRetention() Retention {
	return Retention{Tickets: 547 * day, People: 90 * day, AccessLog: 731 * day}
}

// leastTickets is the longest that the figures of an instant look back for tickets
// that are closed: a quarter's window, with the weeks before that overload is
// compared with.
const leastTickets = 30 * 7 * day

// Validate names the key that is wrong. memory is how far back evidence of knowing
// an area counts.
func (r Retention) Validate(memory time.Duration) error {
	for _, one := range []struct {
		key   string
		value time.Duration
		least time.Duration
		why   string
	}{
		{"tickets", r.Tickets, max(memory, leastTickets), "analysis.ownership.memory counts acts of that time, and overload compares weeks of it"},
		{"people", r.People, 7 * day, "a week is the least that is told of anybody"},
		{"access_log", r.AccessLog, 30 * day, "who is looked at must have time to read it"},
		{"reports", r.Reports, 731 * day, "trends are read from reports of eight quarters"},
	} {
		if one.value != 0 && one.value < one.least {
			return fmt.Errorf("%s is %s: give at least %s, since %s; 0 is for ever", one.key, one.value, one.least, one.why)
		}
	}
	return nil
}

// TooOld is the error for figures of single people of an instant that lies too far
// back; nil where it does not.
func (r Retention) TooOld(at, now time.Time) error {
	if r.People == 0 || !at.Before(now.Add(-r.People)) {
		return nil
	}
	return fmt.Errorf("figures of single people are told of the last %.0f days only, and %s lies before: choose a later day, or set privacy.retention.people longer (0 is for ever)", r.People.Hours()/24, at.UTC().Format(time.DateOnly))
}

// Archive is what pruning needs of the warehouse.
type Archive interface {
	Aged(ctx context.Context, before time.Time) (uint64, error)
	Prune(ctx context.Context, before time.Time) (uint64, error)
	PruneReports(ctx context.Context, before time.Time, dry bool) (uint64, error)
	Scrub(ctx context.Context) error
}

// Keeper stores the figures of groups in quarters, which stay when the tickets that
// they were made from go.
type Keeper interface {
	KeepQuarters(ctx context.Context, over, before time.Time, dry bool) ([]analysis.ToKeep, error)
}

// ErrUnkept: tickets would be deleted before the figures of their quarter are stored.
var ErrUnkept = errors.New("no ticket is deleted for its age")

// Pruner deletes what is older than it is kept.
type Pruner struct {
	Retention Retention
	Archive   Archive
	Keeper    Keeper
	Journal   *web.Journal
	Now       func() time.Time
	// Settled is how long after a quarter's end its figures are stored, so that
	// what is recorded late is in them.
	Settled time.Duration
	// Unfinished are the sources whose first collection is not complete: figures
	// are stored of what is there as a whole. Nil is none.
	Unfinished func(ctx context.Context) ([]string, error)
}

// Pruned is what was deleted, or would be.
type Pruned struct {
	DryRun  bool      `json:"dry_run"`
	Before  time.Time `json:"before"`  // of tickets; zero where they are kept for ever
	Tickets uint64    `json:"tickets"` // with all their history
	// Quarters are those of which figures of groups were stored, or would be.
	Quarters []string `json:"quarters"`
	Entries  int      `json:"entries"` // of the access log
	Reports  uint64   `json:"reports"`
}

// keep stores the figures of quarters, before the first of their tickets goes. It
// fails with ErrUnkept where that cannot be done and tickets would go nevertheless.
func (p *Pruner) keep(ctx context.Context, now, before time.Time, dry bool) ([]string, error) {
	over := now.Add(-p.Settled)
	var unfinished []string
	if p.Unfinished != nil {
		var err error
		if unfinished, err = p.Unfinished(ctx); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnkept, err)
		}
	}
	list, err := p.Keeper.KeepQuarters(ctx, over, before, dry || len(unfinished) > 0)
	if err != nil {
		return nil, fmt.Errorf("%w, as the figures of its quarter were not stored: %w", ErrUnkept, err)
	}
	var quarters, lost []string
	for _, q := range list {
		quarters = append(quarters, q.Quarter)
		if q.Lost {
			lost = append(lost, q.Quarter)
		}
	}
	if dry || len(unfinished) == 0 {
		return quarters, nil
	}
	// They are stored once all is there; until then only what they need stays.
	if len(lost) == 0 {
		return nil, nil
	}
	n, err := p.Archive.Aged(ctx, before)
	if err != nil || n == 0 {
		return nil, err
	}
	return nil, fmt.Errorf("%w: the figures of %s are not stored, and they cannot be before the first collection of %s is complete: let fairlead collect finish it", ErrUnkept, strings.Join(lost, ", "), strings.Join(unfinished, ", "))
}

// Prune deletes what is too old; with dry it only says what that is. Besides, it
// takes away what may have been left of people who were erased. It may be called
// at any time and again: what one that died has begun, the next one ends.
func (p *Pruner) Prune(ctx context.Context, dry bool) (Pruned, error) {
	now := p.Now().UTC()
	told := Pruned{DryRun: dry}
	if !dry {
		if err := p.Archive.Scrub(ctx); err != nil {
			return told, err
		}
	}
	var err, unkept error
	if r := p.Retention.Tickets; r > 0 {
		told.Before = now.Add(-r).Truncate(day)
		if told.Quarters, unkept = p.keep(ctx, now, told.Before, dry); unkept == nil {
			count := p.Archive.Prune
			if dry {
				count = p.Archive.Aged
			}
			if told.Tickets, err = count(ctx, told.Before); err != nil {
				return told, err
			}
		}
	}
	if r := p.Retention.AccessLog; r > 0 {
		before := now.Add(-r)
		if told.Entries, err = p.Journal.Rewrite(dry, func(a *web.Access) bool { return !a.Time.Before(before) }); err != nil {
			return told, err
		}
	}
	if r := p.Retention.Reports; r > 0 {
		if told.Reports, err = p.Archive.PruneReports(ctx, now.Add(-r), dry); err != nil {
			return told, err
		}
	}
	return told, unkept
}
