package asanatest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// searchPath is that of the search, without gids.
const searchPath = Prefix + "/workspaces/{gid}/tasks/search"

// getSearch finds tasks of the whole workspace ("Search tasks in a workspace"):
// only where somebody pays for it, without offsets, in an order that is not the
// same twice where the sorting leaves it open, and by an index that lags behind.
// What it shows of a task is as it is now.
func (w *Workspace) getSearch(q url.Values, path func(string) string) (answer, *refusal) {
	if path("workspace") != w.gid {
		return answer{}, unknown("workspace", path("workspace"))
	}
	if w.o.Free {
		return answer{}, refuse(http.StatusPaymentRequired, "Search is only available to premium users.")
	}
	s, refused := parseSearch(q)
	if refused != nil {
		return answer{}, refused
	}
	known := w.o.Clock().Add(-w.o.SearchLag)
	type hit struct {
		*task
		by time.Time
	}
	var hits []hit
	for _, t := range w.tasks {
		at, ok := t.indexed(known)
		if !ok || !w.shows(t) || s.subtask != nil && *s.subtask != (t.parent != "") || !s.within(t.created, at) {
			continue
		}
		if s.sort == "modified_at" {
			hits = append(hits, hit{t, at})
		} else {
			hits = append(hits, hit{t, t.created})
		}
	}
	w.searched++
	slices.SortFunc(hits, func(a, b hit) int {
		tie := cmp.Compare(a.gid, b.gid)
		if w.searched%2 == 0 {
			tie = -tie
		}
		order := a.by.Compare(b.by)
		if !s.ascending {
			order = -order
		}
		return cmp.Or(order, tie)
	})
	a := answer{whole: true}
	for i, h := range hits[:min(len(hits), s.limit)] {
		a.rows = append(a.rows, row{i, func() map[string]any { return w.task(h.task) }})
	}
	return a, nil
}

// indexed is when a task was last modified as the index has it, which knows of
// what was until a time.
func (t *task) indexed(known time.Time) (at time.Time, ok bool) {
	for _, one := range t.times {
		if !one.After(known) {
			at, ok = one, true
		}
	}
	return at, ok && !t.gone
}

// shows says that the account may see a task: one that is in projects, by itself
// or as a part of another task, by one of these.
func (w *Workspace) shows(t *task) bool {
	if t.hidden {
		return false
	}
	feeds := w.feeds(t)
	return len(feeds) == 0 || slices.ContainsFunc(feeds, func(gid string) bool { return !w.projects[gid].hidden })
}

// search is what is looked for.
type search struct {
	subtask   *bool
	after     map[string]time.Time // by created_at or modified_at
	sort      string
	ascending bool
	limit     int
}

func (s *search) within(created, modified time.Time) bool {
	// Whether the very instant counts is not documented: it does not here.
	for name, at := range map[string]time.Time{"created_at": created, "modified_at": modified} {
		if after := s.after[name]; !after.IsZero() && !at.After(after) {
			return false
		}
	}
	return true
}

func parseSearch(q url.Values) (*search, *refusal) {
	s := &search{after: map[string]time.Time{}, sort: "modified_at", limit: 20}
	for name := range q {
		text := q.Get(name)
		var err error
		switch name {
		case "is_subtask":
			var is bool
			is, err = strconv.ParseBool(text)
			s.subtask = &is
		case "created_at.after", "modified_at.after":
			s.after[name[:len(name)-len(".after")]], err = time.Parse(time.RFC3339Nano, text)
		case "sort_by":
			if s.sort = text; !slices.Contains([]string{"created_at", "modified_at"}, text) {
				return nil, refuse(http.StatusBadRequest, "sort_by: Not a recognized value: %s", text)
			}
		case "sort_ascending":
			s.ascending, err = strconv.ParseBool(text)
		case "limit":
			if s.limit, err = strconv.Atoi(text); err == nil && (s.limit < 1 || s.limit > 100) {
				return nil, refuse(http.StatusBadRequest, "limit: Not a valid limit; must be between 1 and 100")
			}
		case "opt_fields", "opt_pretty":
		default:
			return nil, refuse(http.StatusBadRequest, "%s: This search is not known here", name)
		}
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "%s: Not a valid value: %s", name, text)
		}
	}
	return s, nil
}
