package collector

import (
	"fmt"
	"time"
)

// Config says how a source is collected.
type Config struct {
	// Interval lies between the end of one poll and the beginning of the next.
	Interval time.Duration `yaml:"interval"`
}

// DefaultConfig returns a poll every minute.
func DefaultConfig() Config { return Config{Interval: time.Minute} }

// Validate names a value that cannot be used.
func (c Config) Validate() error {
	if c.Interval < time.Second || c.Interval > 24*time.Hour {
		return fmt.Errorf("interval: %s is not between 1s and 24h", c.Interval)
	}
	return nil
}
