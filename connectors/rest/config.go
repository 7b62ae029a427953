package rest

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Config limits what one source is asked for.
type Config struct {
	// RequestsPerSecond is a ceiling of one's own, below what the source
	// allows; 0 is none. What the source says of its limits is obeyed anyway.
	RequestsPerSecond float64 `yaml:"requests_per_second"`
	// Concurrency is how many requests may be under way at once.
	Concurrency int `yaml:"concurrency"`
	// MaxAttempts is how often one request is sent before its failure is
	// returned.
	MaxAttempts int `yaml:"max_attempts"`
	// Timeout bounds one attempt, from sending it to the end of its answer.
	Timeout time.Duration `yaml:"timeout"`
}

// DefaultConfig returns what suits a shared cloud instance.
func DefaultConfig() Config {
	return Config{Concurrency: 4, MaxAttempts: 6, Timeout: time.Minute}
}

// Validate names every value that cannot be used.
func (c Config) Validate() error {
	var errs []error
	if c.RequestsPerSecond < 0 || math.IsNaN(c.RequestsPerSecond) || math.IsInf(c.RequestsPerSecond, 0) {
		errs = append(errs, fmt.Errorf("requests_per_second: %v is no rate; give a positive number, or 0 for no ceiling", c.RequestsPerSecond))
	}
	if c.Concurrency < 1 || c.Concurrency > 64 {
		errs = append(errs, fmt.Errorf("concurrency: %d is not between 1 and 64", c.Concurrency))
	}
	if c.MaxAttempts < 1 || c.MaxAttempts > 20 {
		errs = append(errs, fmt.Errorf("max_attempts: %d is not between 1 and 20", c.MaxAttempts))
	}
	if c.Timeout < time.Second || c.Timeout > time.Hour {
		errs = append(errs, fmt.Errorf("timeout: %s is not between 1s and 1h", c.Timeout))
	}
	return errors.Join(errs...)
}
