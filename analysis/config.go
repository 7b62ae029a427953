package analysis

import (
	"fmt"
	"slices"

	"fairlead/analysis/effort"
	"fairlead/analysis/overload"
	"fairlead/analysis/ownership"
	"fairlead/connectors/ticket"
)

var kinds = []ticket.Kind{
	ticket.KindIncident, ticket.KindProblem, ticket.KindChange, ticket.KindRequest, ticket.KindTask, ticket.KindBug, ticket.KindOther,
}

// Config is how the engine analyses, and what it may use of ClickHouse.
type Config struct {
	// Windows are those of a Snapshot; findings speak of the longest.
	Windows []Window `yaml:"windows"`
	// MaxThreads and MaxMemory cap each query, so that an analysis is a good
	// neighbour on a server that others use. MaxMemory is in bytes, 0 for the
	// server's own limit.
	MaxThreads int    `yaml:"max_threads"`
	MaxMemory  uint64 `yaml:"max_memory_bytes"`
	// Concurrency is how many queries are under way at once.
	Concurrency int              `yaml:"concurrency"`
	Ownership   ownership.Config `yaml:"ownership"`
	Overload    overload.Config  `yaml:"overload"`
	Effort      effort.Config    `yaml:"effort"`
	Verdict     VerdictConfig    `yaml:"verdict"`
	// Unplanned are the kinds that nobody plans.
	Unplanned []ticket.Kind  `yaml:"unplanned_kinds"`
	Findings  FindingsConfig `yaml:"findings"`
}

// DefaultConfig is four weeks and a quarter of a year, on two threads and at
// most 2 GiB a query.
func DefaultConfig() Config {
	return Config{
		Windows:     []Window{Days(28), Days(90)},
		MaxThreads:  2,
		MaxMemory:   2 << 30,
		Concurrency: 2,
		Ownership:   ownership.DefaultConfig(),
		Overload:    overload.DefaultConfig(),
		Effort:      effort.DefaultConfig(),
		Verdict:     DefaultVerdictConfig(),
		Unplanned:   []ticket.Kind{ticket.KindIncident},
		Findings:    DefaultFindingsConfig(),
	}
}

// Validate names the key that is wrong and says what to do.
func (c Config) Validate() error {
	switch {
	case len(c.Windows) == 0:
		return fmt.Errorf("windows is empty: give at least one, such as 90d")
	case len(c.Windows) > 12:
		return fmt.Errorf("windows has %d entries: give at most 12", len(c.Windows))
	case c.MaxThreads < 1 || c.MaxThreads > 1024:
		return fmt.Errorf("max_threads is %d: give a number from 1 to 1024", c.MaxThreads)
	case c.MaxMemory != 0 && c.MaxMemory < 64<<20:
		return fmt.Errorf("max_memory_bytes is %d: give 0 or at least %d (64 MiB)", c.MaxMemory, 64<<20)
	case c.Concurrency < 1 || c.Concurrency > 64:
		return fmt.Errorf("concurrency is %d: give a number from 1 to 64", c.Concurrency)
	}
	for i, w := range c.Windows {
		if slices.Contains(c.Windows[:i], w) {
			return fmt.Errorf("windows has %s twice", w)
		}
		if w.quarter != 0 {
			return fmt.Errorf("windows has %s: give days, weeks or all, as a quarter does not move on", w)
		}
	}
	if err := c.Ownership.Validate(); err != nil {
		return fmt.Errorf("ownership.%w", err)
	}
	if err := c.Overload.Validate(); err != nil {
		return fmt.Errorf("overload.%w", err)
	}
	if err := c.Effort.Validate(); err != nil {
		return fmt.Errorf("effort.%w", err)
	}
	if err := c.Verdict.Validate(); err != nil {
		return fmt.Errorf("verdict.%w", err)
	}
	if len(c.Unplanned) == 0 {
		return fmt.Errorf("unplanned_kinds is empty: give at least one, such as incident")
	}
	for _, k := range c.Unplanned {
		if !slices.Contains(kinds, k) {
			return fmt.Errorf("unplanned_kinds has %q, which is no kind: give %s", k, listed(kinds))
		}
	}
	if err := c.Findings.Validate(); err != nil {
		return fmt.Errorf("findings.%w", err)
	}
	return nil
}
