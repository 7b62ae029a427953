package collector

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

func pagesOf(src source.Source, stream source.Stream, from source.Cursor) func(context.Context) iter.Seq2[source.Page, error] {
	return func(ctx context.Context) iter.Seq2[source.Page, error] { return src.Pages(ctx, stream, from) }
}

// fetched is a ticket and when it was asked for.
type fetched struct {
	ticket.Ticket
	sent time.Time
}

// write stores what a page brings, tickets last, and returns how many tickets
// that were. A ticket that by itself cannot be stored is set aside and named.
func (c *Collector) write(ctx context.Context, stream source.Stream, page source.Page) (int, error) {
	tickets := c.news(stream, page)
	tickets, updates, err := c.guard(ctx, stream, &page, tickets)
	if err != nil {
		return 0, err
	}
	if tickets, err = c.kept(ctx, page, tickets, updates); err != nil {
		return 0, err
	}
	for _, s := range page.Skipped {
		c.lack.quarantine(s.ID, func() {
			c.log.WarnContext(ctx, "ticket skipped", "source", c.src.Name(), "stream", stream, "ticket", s.ID, "reason", s.Reason)
		})
	}
	if err := c.writeNames(ctx, page); err != nil {
		return 0, err
	}
	stored, err := c.observed(ctx, tickets)
	if err != nil {
		return 0, err
	}
	records := make([]ticket.Record, 0, len(tickets))
	came := make(map[string]*ticket.Ticket, len(tickets)) // as the source gave them
	for i := range tickets {
		came[tickets[i].ID] = &tickets[i].Ticket
	}
	for _, t := range tickets {
		if t.Effort != nil && (math.IsNaN(*t.Effort) || math.IsInf(*t.Effort, 0)) {
			c.setAside(ctx, t.Ticket, "its effort is not a number")
			continue
		}
		r := timeline.Derive(c.compared(stored, t.Ticket))
		r.Version = c.nextVersion(t.sent)
		records = append(records, r)
	}
	records, err = c.writeTickets(ctx, records)
	if err != nil {
		return 0, err
	}
	for i := range records {
		r := &records[i]
		c.meter.unrecorded(int(r.Unrecorded))
		delete(c.lack, r.ID)
		if stream == source.StreamIncremental {
			c.memory.remember(came[r.ID])
		}
	}
	c.meter.wrote(len(records))
	c.untallied = c.untallied || len(records) > 0
	c.meter.quarantined(len(c.lack))
	return len(records), nil
}

// news are the page's tickets, each once, without those that were asked for by
// id since the page was, and those that a poll's overlap brings again as they
// were.
func (c *Collector) news(stream source.Stream, page source.Page) []fetched {
	tickets := make([]fetched, 0, len(page.Tickets))
	place := make(map[string]int, len(page.Tickets))
	for i := range page.Tickets {
		t := &page.Tickets[i]
		if asked, ok := c.again[t.ID]; ok && page.Sent.Before(asked) {
			continue
		}
		if stream == source.StreamIncremental && c.memory.knows(t) {
			continue
		}
		if at, ok := place[t.ID]; ok {
			if !t.Updated.Before(tickets[at].Updated) {
				tickets[at].Ticket = *t
			}
			continue
		}
		place[t.ID] = len(tickets)
		tickets = append(tickets, fetched{*t, page.Sent})
	}
	return tickets
}

// guard replaces tickets that are older than the warehouse has them, since an
// index may lag behind what was read from it before, by what the source says
// when asked for them by id. Those that it then does not show stay as stored.
// Names and skipped ids of that answer are added to the page. stored is when each
// that the warehouse has was updated.
func (c *Collector) guard(ctx context.Context, stream source.Stream, page *source.Page, tickets []fetched) (current []fetched, stored map[string]time.Time, err error) {
	if len(tickets) == 0 {
		return tickets, nil, nil
	}
	ids := make([]string, len(tickets))
	for i := range tickets {
		ids[i] = tickets[i].ID
	}
	stored, err = c.store.StoredUpdates(ctx, c.src.Name(), ids)
	if err != nil {
		return nil, nil, fmt.Errorf("reading stored update times: %w", err)
	}
	stale := func(t *fetched) bool { return t.Updated.Truncate(time.Millisecond).Before(stored[t.ID]) }
	var again []string
	for i := range tickets {
		if stale(&tickets[i]) {
			again = append(again, tickets[i].ID)
		}
	}
	if len(again) == 0 {
		return tickets, stored, nil
	}
	answer, err := c.src.ByID(ctx, again)
	if err != nil {
		return nil, nil, fmt.Errorf("fetching tickets again that the index shows as they were: %w", err)
	}
	c.meter.refetched(len(again))
	tickets = slices.DeleteFunc(tickets, func(t fetched) bool { return stale(&t) })
	for i := range answer.Tickets {
		t := &answer.Tickets[i]
		c.again[t.ID] = answer.Sent
		if stream != source.StreamIncremental || !c.memory.knows(t) {
			tickets = append(tickets, fetched{*t, answer.Sent})
		}
	}
	page.Accounts = slices.Concat(page.Accounts, answer.Accounts)
	page.Terms = slices.Concat(page.Terms, answer.Terms)
	page.Skipped = slices.Concat(page.Skipped, answer.Skipped)
	return tickets, stored, nil
}

// writeNames stores the accounts and terms that are new or changed since they
// were last stored by this process.
func (c *Collector) writeNames(ctx context.Context, page source.Page) error {
	var accounts []ticket.Account
	for _, a := range page.Accounts {
		if known, ok := c.accounts[a.ID]; !ok || known != a {
			accounts = append(accounts, a)
		}
	}
	var terms []ticket.Term
	for _, t := range page.Terms {
		if known, ok := c.terms[termKey{t.Field, t.ID}]; !ok || known != t {
			terms = append(terms, t)
		}
	}
	if len(accounts) > 0 {
		if err := c.store.WriteAccounts(ctx, accounts); err != nil {
			return fmt.Errorf("writing accounts: %w", err)
		}
	}
	if len(terms) > 0 {
		if err := c.store.WriteTerms(ctx, terms); err != nil {
			return fmt.Errorf("writing terms: %w", err)
		}
	}
	for _, a := range accounts {
		c.accounts[a.ID] = a
	}
	for _, t := range terms {
		c.terms[termKey{t.Field, t.ID}] = t
	}
	return nil
}

// nextVersion orders what is written by when it was asked for: the microsecond
// of that, or the least that is greater than all before.
func (c *Collector) nextVersion(sent time.Time) uint64 {
	c.version = max(c.version+1, uint64(max(sent.UnixMicro(), 0)))
	return c.version
}

// writeTickets stores records and returns them without those that the warehouse
// cannot store as they are, which are set aside.
func (c *Collector) writeTickets(ctx context.Context, records []ticket.Record) ([]ticket.Record, error) {
	for len(records) > 0 {
		err := c.store.WriteTickets(ctx, records)
		if err == nil {
			break
		}
		var refused *clickhouse.TicketError
		at := -1
		if errors.As(err, &refused) {
			at = slices.IndexFunc(records, func(r ticket.Record) bool { return r.ID == refused.ID })
		}
		if at < 0 {
			return nil, fmt.Errorf("writing tickets: %w", err)
		}
		c.setAside(ctx, records[at].Ticket, refused.Reason)
		records = slices.Delete(records, at, at+1)
	}
	return records, nil
}

func (c *Collector) setAside(ctx context.Context, t ticket.Ticket, reason string) {
	c.lack.quarantine(t.ID, func() {
		c.log.ErrorContext(ctx, "ticket cannot be stored", "source", c.src.Name(), "key", t.Key, "ticket", t.ID, "reason", reason)
	})
}
