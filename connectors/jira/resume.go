package jira

import (
	"context"

	"fairlead/connectors/source"
)

// resumed leaves out what was delivered before a cursor: a walk begins at a
// full minute, and a thousand issues may share one. Everything in an earlier
// second was delivered, and within the cursor's second, everything up to its
// issue in the walk's order, which has no column that a cursor could hold. If
// the issue is not there any more, its second comes again.
//
// This is for the backfill streams. What a lagging index shows late is not of
// them, but of the incremental stream, which repeats its overlap whole.
type resumed struct {
	walk
	after source.Cursor
	held  []wireIssue // of the cursor's second, while its issue may follow
	past  bool
}

func (w *resumed) next(ctx context.Context) ([]wireIssue, int, bool, error) {
	issues, remaining, done, err := w.walk.next(ctx)
	if w.past {
		return issues, remaining, done, err
	}
	var out []wireIssue
	for n := range issues {
		if w.past {
			out = append(out, issues[n])
			continue
		}
		switch c := sameOrder(issues[n].updated(), w.after.Updated); {
		case c == 0 && issues[n].ID == w.after.ID:
			w.held, w.past = nil, true
		case c == 0:
			w.held = append(w.held, issues[n])
		case c > 0:
			out = append(w.held, issues[n])
			w.held, w.past = nil, true
		}
	}
	if done && !w.past {
		out, w.held, w.past = w.held, nil, true
	}
	return out, remaining, done, err
}
