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
// tickets that changed. Asana gives the history of one task at a time, and ten of
// these calls are one request. Lines that begin with # say what went into each.
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
		of, apart := tickets, "lists that the API had cut"
		if flavour == asanaCloud {
			of, apart = min(tickets, asanaSize), "histories, ten in each"
		}
		c, err := measure(ctx, flavour, of)
		if err != nil {
			return fmt.Errorf("collecting %s: %w", flavour, err)
		}
		for _, part := range []struct {
			name string
			cost
		}{{"full", c.full}, {"incremental", c.incremental}} {
			if _, err := fmt.Fprintf(w, "# %s %s: %d requests for %d tickets, %d of them for %s\nrequests_per_1000 %s %s %.2f\n",
				flavour, part.name, part.requests, part.tickets, part.cut, apart, flavour, part.name, part.per1000()); err != nil {
				return err
			}
			if flavour == asanaCloud {
				if _, err := fmt.Fprintf(w, "# %s %s: these were %d calls, %d of them for histories; other requests per 1,000 tasks: %.2f\n",
					flavour, part.name, part.calls, part.stories, 1000*float64(part.requests-part.cut)/float64(part.tickets)); err != nil {
					return err
				}
			}
			if err := part.within(flavour, part.apart); err != nil {
				return fmt.Errorf("collecting %s, %s: %w", flavour, part.name, err)
			}
		}
		if _, err := fmt.Fprintf(w, "# %s: all open tickets after %d of %d requests; a poll that finds nothing new: %d\n",
			flavour, c.full.useful, c.full.requests, c.quiet.requests); err != nil {
			return err
		}
	}
	return nil
}
