package asana

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Subtasks are in no project's list, and a call for those of one task is a call
// for each task that has any. Where somebody pays for the workspace, a search
// gives a hundred of them at once, whatever they are parts of ("Search tasks in a
// workspace"). It may not know yet of what was just changed, so nothing is
// concluded from what it does not find: a first collection counts what it found
// of each task, and reads the list of one that has more; a poll looks back
// further than its cursor, and once a day over the whole day.

const (
	// searchLag is how long the search may fail to know of a change: "between 10
	// and 60 seconds to complete under normal operation, and longer during some
	// production incidents".
	searchLag = 10 * time.Minute

	// maxSearches bounds what one poll searches: so many subtasks are not changed
	// from one to the next, unless somebody imports them.
	maxSearches = 100
)

// errNoSearch says that the account may not search, or that a search cannot be
// gone on with.
var errNoSearch = errors.New("no search")

// seeking is a search for subtasks, page after page. There are no offsets: "you
// can paginate manually by sorting the search results".
type seeking struct {
	workspaces []string // to search yet
	by         string   // created_at or modified_at, the order
	since      time.Time
	after      time.Time // in the first of workspaces
	fields     []string
	requests   int
	seen       map[string]time.Time // what was given, by when it was modified
	date       time.Time            // Asana's clock at the first answer
}

func (s *Source) seek(p *places, by string, since time.Time, fields []string) *seeking {
	k := &seeking{by: by, since: since, after: since, fields: fields, seen: map[string]time.Time{}}
	done := map[string]bool{"": true}
	for _, one := range p.projects {
		if w := one.Workspace.gid(); !done[w] {
			done[w] = true
			k.workspaces = append(k.workspaces, w)
		}
	}
	return k
}

// next gives a page of subtasks; none are left once workspaces is empty. It fails
// with errNoSearch where the account may not search.
func (s *Source) next(ctx context.Context, k *seeking) ([]wireTask, error) {
	if s.unsearched.Load() {
		return nil, errNoSearch
	}
	q := url.Values{"is_subtask": {"true"}, "sort_by": {k.by}, "sort_ascending": {"true"}}
	if !k.after.IsZero() {
		// Those of one instant may be parted by the end of a page.
		q.Set(k.by+".after", format(k.after.Add(-time.Millisecond)))
	}
	k.requests++
	c := call{path: "/workspaces/" + k.workspaces[0] + "/tasks/search", query: q, fields: k.fields, limit: maxPage, at: "for subtasks"}
	r, err := s.client.get(ctx, c)
	if code := refusedWith(err); code >= 400 && code < 500 && code != http.StatusUnauthorized && code != http.StatusTooManyRequests {
		if !s.unsearched.Swap(true) {
			s.log.Info("the workspace cannot be searched, as one that nobody pays for; subtasks are read task by task", "source", s.name, "code", code)
		}
		return nil, errNoSearch
	}
	if err != nil {
		return nil, err
	}
	list, err := rows[wireTask](r, c.path)
	if err != nil {
		return nil, err
	}
	if k.date.IsZero() {
		k.date = r.date
	}
	last := k.after
	var found []wireTask
	for _, t := range list {
		at := t.Created.Time
		if k.by == "modified_at" {
			at = t.Modified.Time
		}
		if at.After(last) {
			last = at
		}
		if had, ok := k.seen[t.GID]; t.Parent.gid() != "" && (!ok || had.Before(t.Modified.Time)) {
			k.seen[t.GID] = t.Modified.Time
			found = append(found, t)
		}
	}
	switch {
	case len(list) < maxPage:
		k.workspaces, k.after = k.workspaces[1:], k.since
	case !last.After(k.after):
		return nil, errNoSearch // more of one instant than a page has
	default:
		k.after = last
	}
	return found, nil
}

// family is what searches found of subtasks, by the task that they are directly
// under.
type family struct {
	start time.Time // of the collection that it is for
	sent  time.Time // when the first search was

	mu    sync.Mutex
	seek  *seeking
	known map[string]wireTask
	parts map[string][]string // the gids of known by their parent's, when they were found
	lists int                 // of subtasks that would else be read
	ended bool
}

func (s *Source) newFamily(p *places, start time.Time, fields []string) *family {
	return &family{start: start, sent: s.now(), seek: s.seek(p, "created_at", time.Time{}, fields), known: map[string]wireTask{}, parts: map[string][]string{}}
}

// expect searches for the subtasks of so many more tasks. An account may see a
// workspace of which these are a small part, so no more requests are spent than
// the lists would cost.
func (f *family) expect(ctx context.Context, s *Source, tasks int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists += tasks
	for !f.ended && f.seek.requests < f.lists {
		if len(f.seek.workspaces) == 0 {
			f.ended = true
			break
		}
		found, err := s.next(ctx, f.seek)
		if errors.Is(err, errNoSearch) {
			f.ended = true
			break
		}
		if err != nil {
			return err
		}
		for _, t := range found {
			if had, ok := f.known[t.GID]; !ok || had.Parent.GID != t.Parent.GID {
				f.parts[t.Parent.GID] = append(f.parts[t.Parent.GID], t.GID)
			}
			f.known[t.GID] = t
		}
	}
	return nil
}

// whole gives the subtasks of a task, if all were found.
func (f *family) whole(t *wireTask) ([]wireTask, bool) {
	if f == nil {
		return nil, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []wireTask
	for _, gid := range f.parts[t.GID] {
		if one := f.known[gid]; one.Parent.GID == t.GID {
			found = append(found, one)
		}
	}
	return found, len(found) == t.NumSubtasks
}

// parents counts the tasks that have subtasks.
func parents(items []item) (n int) {
	for i := range items {
		if items[i].task.NumSubtasks > 0 {
			n++
		}
	}
	return n
}

// recent finds the subtasks that were modified since; date is Asana's clock
// before that. It fails with errNoSearch where that cannot be found out.
func (s *Source) recent(ctx context.Context, p *places, since time.Time) (found map[string]wireTask, date time.Time, err error) {
	k := s.seek(p, "modified_at", since, s.taskFields())
	found = map[string]wireTask{}
	for len(k.workspaces) > 0 {
		if k.requests == maxSearches {
			return nil, date, errNoSearch
		}
		list, err := s.next(ctx, k)
		if err != nil {
			return nil, date, err
		}
		for _, t := range list {
			if !t.Modified.Before(since) {
				found[t.GID] = t
			}
		}
	}
	if k.date.IsZero() {
		return nil, date, errNoSearch // no project has a workspace
	}
	return found, k.date, nil
}
