package sourcetest

import (
	"sync"
	"time"
)

// Clock is the clock of a fake outside of a bubble: it stands still until a test
// moves it. It is safe for concurrent use, since a connector asks side by side.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a Clock that shows now.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now is what it shows.
func (c *Clock) Now() time.Time { return c.Advance(0) }

// Advance lets time pass and returns what it shows then.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}
