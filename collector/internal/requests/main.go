// Command requests measures what a collection costs the sources, against the
// fakes that serve a generated organisation:
//
//	requests_per_1000 FLAVOUR full|incremental NUMBER
//
// NUMBER is all requests that were sent divided by the thousands of tickets that
// they brought, each with its complete history. full is a first collection of
// everything, from an empty warehouse until the first poll has caught up: clock,
// time zone, names of people, statuses and groups, and what the API had cut, are
// all among the requests. incremental is the poll of a running service after 1 %
// of those tickets were edited since the one before, and its NUMBER is per 1,000
// tickets that changed. Lines that begin with # say what went into each.
//
// Asana gives the history of one task at a time: NUMBER is of all other calls,
// with each action of a batch as one, as Asana's limits count them. The histories,
// and a workspace without a search, which nobody pays for, stand beside it.
// It fails where a number is over the limit.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// size is about how many tickets are collected of each flavour: so many that 1 % of
// them are nearly a page of the connectors, as which most requests are made.
const size = 94_000

// asanaSize is the same for Asana, whose pages have a hundred tasks.
const asanaSize = 9_400

func main() {
	if err := run(context.Background(), os.Stdout, size); err != nil {
		fmt.Fprintln(os.Stderr, "measuring requests:", err)
		os.Exit(1) //nolint:forbidigo // a command of its own, which make runs
	}
}

func run(ctx context.Context, w io.Writer, tickets int) error {
	for _, flavour := range flavours {
		of := tickets
		if flavour == asanaCloud {
			of = min(tickets, asanaSize)
		}
		c, err := measure(ctx, flavour, of)
		if err != nil {
			return fmt.Errorf("collecting %s: %w", flavour, err)
		}
		if err := c.write(w, flavour, "", "requests_per_1000 %s %s %.2f\n"); err != nil {
			return err
		}
		if lesser, ok := beside[flavour]; ok {
			less, err := measure(ctx, lesser.flavour, of)
			if err != nil {
				return fmt.Errorf("collecting %s: %w", lesser.flavour, err)
			}
			if err := less.write(w, lesser.flavour, lesser.note, "# that is, per 1,000 tickets of %s %s: %.2f\n"); err != nil {
				return err
			}
			if err := less.withinLesser(lesser.flavour); err != nil {
				return fmt.Errorf("collecting %s: %w", lesser.flavour, err)
			}
		}
		for part, one := range map[string]cost{"full": c.full, "incremental": c.incremental} {
			if err := one.within(flavour, 0); err != nil {
				return fmt.Errorf("collecting %s, %s: %w", flavour, part, err)
			}
		}
	}
	return nil
}

// beside are the flavours that stand beside another, since they lack what it has.
var beside = map[string]struct{ flavour, note string }{
	asanaCloud: {asanaFree, "a workspace without a search; "},
	serviceNow: {serviceNowSingly, "an instance that refuses the Batch API; "},
}

// withinLesser says whether a ServiceNow without the Batch API is within its limit.
// Its polls ask each table by itself, whatever changed there.
func (c costs) withinLesser(flavour string) error {
	if flavour != serviceNowSingly {
		return nil
	}
	if err := c.full.within(flavour, 0); err != nil {
		return err
	}
	return c.incremental.within(flavour, len(tables))
}

// write says what a flavour cost; line is of flavour, part and number.
func (c costs) write(w io.Writer, flavour, note, line string) error {
	for _, part := range []struct {
		name string
		cost
	}{{"full", c.full}, {"incremental", c.incremental}} {
		says := fmt.Sprintf("%s%d requests for %d tickets, %d of them for lists that the API had cut", note, part.requests, part.tickets, part.cut)
		if part.stories > 0 {
			says = fmt.Sprintf("%s%d calls for %d tasks, %d of them for histories, one a task; in %d HTTP requests, with up to ten calls in a batch",
				note, part.requests, part.tickets, part.stories, part.sent)
		}
		if _, err := fmt.Fprintf(w, "# %s %s: %s\n"+line, flavour, part.name, says, flavour, part.name, part.per1000()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "# %s: all open tickets after %d of %d requests; a poll that finds nothing new: %d\n",
		flavour, c.full.useful, c.full.requests, c.quiet.requests)
	return err
}
