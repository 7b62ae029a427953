package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/web"
)

// analysing runs what a command asks of the warehouse, at the day that was given,
// or at where the data ends.
func (a *app) analysing(ctx context.Context, day string, do func(*house, *analysis.Engine, time.Time) error) error {
	if err := a.configure(); err != nil {
		return err
	}
	asOf, err := parseDay("--as-of", day)
	if err != nil {
		return err
	}
	return a.withHouse(ctx, func(h *house) error {
		if asOf.IsZero() {
			asOf = h.asOf()
		}
		return do(h, a.engine(h), asOf)
	})
}

// parseDay reads a flag; zero where it was not given.
func parseDay(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q is neither a day (2017-03-01) nor an instant (2017-03-01T12:00:00Z)", flag, text)
}

// tellsOfPeople is an error where figures of single people, as they were at an
// instant, are told no more. A replayed log keeps all.
func (a *app) tellsOfPeople(h *house, at time.Time) error {
	if h.replay != nil {
		return nil
	}
	return a.cfg.Privacy.Retention.TooOld(at, time.Now())
}

// logged writes to the access log that somebody looks at people, before they are
// shown.
func (h *house) logged(action, what, by string, pseudonyms []string) error {
	list := make([]web.Access, len(pseudonyms))
	for i, p := range pseudonyms {
		list[i] = web.Access{Time: time.Now().UTC().Truncate(time.Second), Action: action, What: what, Pseudonym: p, By: by, Found: true}
	}
	return web.NewJournal(accessLog(h.dir)).Write(list...)
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
