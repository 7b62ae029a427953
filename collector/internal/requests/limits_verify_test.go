//go:build verify

package main

import (
	"slices"
	"testing"
)

// TestVerifyLimits holds each flavour to its requests per 1,000 tickets, and a first
// collection to bringing what is useful first: the open tickets, from which the
// open load can be told, within a tenth of its requests.
func TestVerifyLimits(t *testing.T) {
	for _, flavour := range append(slices.Clone(flavours), serviceNowSingly) {
		t.Run(flavour, func(t *testing.T) {
			c, err := measure(t.Context(), flavour, 20_000)
			if err != nil {
				t.Fatal(err)
			}
			if c.full.tickets < 20_000 {
				t.Errorf("only %d tickets", c.full.tickets)
			}
			if err := c.full.within(flavour, 0); err != nil {
				t.Errorf("full: %v", err)
			}
			if err := c.incremental.within(flavour, 6); err != nil {
				t.Errorf("incremental: %v", err)
			}
			if c.full.useful == 0 || c.full.useful > c.full.requests/10 {
				t.Errorf("all open tickets are stored after %d of %d requests", c.full.useful, c.full.requests)
			}
			if c.quiet.tickets != 0 || c.quiet.requests > 6 {
				t.Errorf("a poll that finds nothing new brings %d tickets and costs %d requests", c.quiet.tickets, c.quiet.requests)
			}
		})
	}
}
