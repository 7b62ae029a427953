package collector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// kept are the tickets without those that would be deleted for their age as soon as
// they were stored: an edit of all old tickets at the source, or a sweep, would
// bring them back each time. One that is stored is written nevertheless, so that
// what is stored of it is true until it is deleted.
func (c *Collector) kept(ctx context.Context, page source.Page, tickets []fetched, stored map[string]time.Time) ([]fetched, error) {
	if c.cfg.Keep == 0 {
		return tickets, nil
	}
	before := c.cfg.keptFrom(time.Now())
	old := func(t fetched) bool {
		_, known := stored[t.ID]
		return !known && lastEvent(&t.Ticket).Before(before)
	}
	if !slices.ContainsFunc(tickets, old) {
		return tickets, nil
	}
	done, err := c.done(ctx, page)
	if err != nil {
		return nil, err
	}
	came := len(tickets)
	tickets = slices.DeleteFunc(tickets, func(t fetched) bool { return done[t.Status] && old(t) })
	if dropped := came - len(tickets); dropped > 0 {
		c.log.DebugContext(ctx, "tickets older than is kept were not stored", "source", c.src.Name(), "tickets", dropped)
	}
	return tickets, nil
}

// done are the source's statuses of closed tickets.
func (c *Collector) done(ctx context.Context, page source.Page) (map[string]bool, error) {
	stored, err := c.store.Terms(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading statuses: %w", err)
	}
	done := map[string]bool{}
	for _, list := range [][]ticket.Term{stored, page.Terms} {
		for _, t := range list {
			if t.Source == c.src.Name() && t.Field == ticket.FieldStatus {
				done[t.ID] = ticket.Category(t.Value) == ticket.CategoryDone
			}
		}
	}
	return done, nil
}

// lastEvent is when the last of all that is known of a ticket happened: what the
// warehouse goes by when it deletes old ones.
func lastEvent(t *ticket.Ticket) time.Time {
	last := t.Created
	for i := range t.Changes {
		if t.Changes[i].At.After(last) {
			last = t.Changes[i].At
		}
	}
	for i := range t.Contributions {
		if t.Contributions[i].At.After(last) {
			last = t.Contributions[i].At
		}
	}
	return last
}
