package collector

import (
	"errors"
	"fmt"
	"time"
)

// Config says how a source is collected.
type Config struct {
	// Interval lies between the end of one poll and the beginning of the next.
	Interval time.Duration `yaml:"interval"`

	// SweepInterval lies between the beginnings of two sweeps for deleted
	// tickets; the first is so long after the first collection began. 0 is
	// never.
	SweepInterval time.Duration `yaml:"sweep_interval"`

	// SweepMaxShare is the greatest share of the stored tickets that a sweep may
	// find gone. Where it finds more, and more than a few, something is likelier
	// to hide them than to have deleted them, and nothing is marked. 1 lets
	// everything pass.
	SweepMaxShare float64 `yaml:"sweep_max_share"`

	// Keep is how long a closed ticket is kept after the last that happened to
	// it; one that is not stored and is older is not stored again. 0 is for ever.
	Keep time.Duration `yaml:"-"`
}

// keptFrom is from when on closed tickets are kept, a whole day; zero for ever.
func (c Config) keptFrom(now time.Time) time.Time {
	if c.Keep == 0 {
		return time.Time{}
	}
	return now.UTC().Add(-c.Keep).Truncate(24 * time.Hour)
}

// DefaultConfig returns a poll every minute, and a sweep every day that may
// find a fifth of the tickets gone.
func DefaultConfig() Config {
	return Config{Interval: time.Minute, SweepInterval: 24 * time.Hour, SweepMaxShare: 0.2}
}

// Validate names every value that cannot be used.
func (c Config) Validate() error {
	var errs []error
	if c.Interval < time.Second || c.Interval > 24*time.Hour {
		errs = append(errs, fmt.Errorf("interval: %s is not between 1s and 24h", c.Interval))
	}
	if c.SweepInterval != 0 && (c.SweepInterval < time.Minute || c.SweepInterval > 90*24*time.Hour) {
		errs = append(errs, fmt.Errorf("sweep_interval: %s is not between 1m and 2160h; give 0 for no sweeps", c.SweepInterval))
	}
	if !(c.SweepMaxShare > 0 && c.SweepMaxShare <= 1) {
		errs = append(errs, fmt.Errorf("sweep_max_share: %v is no share of the tickets; give one above 0, and 1 for no limit", c.SweepMaxShare))
	}
	return errors.Join(errs...)
}
