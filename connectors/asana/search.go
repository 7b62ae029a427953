package asana

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Subtasks are in no project's list, a call for those of one task is a call for
// each task that has any, and a list of what changed is a call for each project.
// Where somebody pays for the workspace, a search gives a hundred tasks and
// subtasks of it at once ("Search tasks in a workspace"). It may not know yet of
// what was just changed, so nothing is concluded from what it does not find: a
// first collection counts what it found of each task, and reads the list of one
// that has more; a poll looks back further than its cursor; once an hour the
// lists of the projects are read as well, and once a day the search is for all
// subtasks of the day.

const (
	// searchLag is how long the search may fail to know of a change: "between 10
	// and 60 seconds to complete under normal operation, and longer during some
	// production incidents".
	searchLag = 10 * time.Minute

	// maxSearches bounds what one poll searches: so much is not changed from one to
	// the next, unless somebody imports it.
	maxSearches = 100

	// maxNarrow is for how long an account that sees far more than is collected
	// searches for subtasks only.
	maxNarrow = time.Hour
)

// errNoSearch says that the account may not search, or that a search cannot be
// gone on with.
var errNoSearch = errors.New("no search")

// seeking is a search, page after page. There are no offsets: "you can paginate
// manually by sorting the search results by their creation time".
type seeking struct {
	workspaces []string // to search yet
	query      url.Values
	fields     []string
	after      time.Time // in the first of workspaces: created not long before, or later
	requests   int
	seen       map[string]time.Time // what was given, by when it was modified
	date       time.Time            // Asana's clock at the first answer
}

// seek begins a search for what was modified since, subtasks or all; a zero time
// is no bound.
func (s *Source) seek(p *places, subtasks bool, since time.Time, fields []string) *seeking {
	k := &seeking{query: url.Values{"sort_by": {"created_at"}, "sort_ascending": {"true"}}, fields: fields, seen: map[string]time.Time{}}
	if subtasks {
		k.query.Set("is_subtask", "true")
	}
	if !since.IsZero() {
		k.query.Set("modified_at.after", format(since.Add(-time.Millisecond)))
	}
	done := map[string]bool{"": true}
	for _, one := range p.projects {
		if w := one.Workspace.gid(); !done[w] {
			done[w] = true
			k.workspaces = append(k.workspaces, w)
		}
	}
	return k
}

// next gives a page of tasks; none are left once workspaces is empty. It fails
// with errNoSearch where the account may not search.
func (s *Source) next(ctx context.Context, k *seeking) ([]wireTask, error) {
	if s.unsearched.Load() {
		return nil, errNoSearch
	}
	q := maps.Clone(k.query)
	if !k.after.IsZero() {
		// Those of one instant may be parted by the end of a page.
		q.Set("created_at.after", format(k.after.Add(-time.Millisecond)))
	}
	k.requests++
	c := call{path: "/workspaces/" + k.workspaces[0] + "/tasks/search", query: q, fields: k.fields, limit: maxPage, at: "for what changed"}
	r, err := s.client.get(ctx, c)
	if code := refusedWith(err); code >= 400 && code < 500 && code != http.StatusUnauthorized && code != http.StatusTooManyRequests {
		if !s.unsearched.Swap(true) {
			s.log.Debug("the workspace cannot be searched, as one that nobody pays for; subtasks are read task by task", "code", code)
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
		if t.Created.After(last) {
			last = t.Created.Time
		}
		if had, ok := k.seen[t.GID]; !ok || had.Before(t.Modified.Time) {
			k.seen[t.GID] = t.Modified.Time
			found = append(found, t)
		}
	}
	switch {
	case len(list) < maxPage:
		k.workspaces, k.after = k.workspaces[1:], time.Time{}
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
	return &family{start: start, sent: s.now(), seek: s.seek(p, true, time.Time{}, fields), known: map[string]wireTask{}, parts: map[string][]string{}}
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
			if t.Parent.gid() == "" {
				continue
			}
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

// missed says that a search that came to its end did not find a subtask, though it
// was last modified long ago: this account cannot rely on it.
func (f *family) missed(t *wireTask, now time.Time) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, found := f.known[t.GID]
	return !found && f.seek.requests > 0 && len(f.seek.workspaces) == 0 && t.Modified.Before(now.Add(-maxUnlooked))
}

// distrust does without the search from now on. What it may have missed before is
// looked for.
func (s *Source) distrust() {
	if s.unsearched.Swap(true) {
		return
	}
	s.suspect.Store(true)
	s.log.Warn("the search does not find subtasks that there are; they are read task by task")
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

// recent finds what was modified since, all of it or subtasks only; date is
// Asana's clock before that. It fails with errNoSearch where that cannot be found
// out.
func (s *Source) recent(ctx context.Context, p *places, subtasks bool, since time.Time) (found map[string]wireTask, date time.Time, err error) {
	k := s.seek(p, subtasks, since, s.taskFields())
	found = map[string]wireTask{}
	ours := 0
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
			if p.include(t.Memberships) {
				ours++
			}
		}
	}
	if k.date.IsZero() {
		return nil, date, errNoSearch // no project has a workspace
	}
	if !subtasks && k.requests > 1+len(p.projects) && ours < len(found)/2 {
		s.mu.Lock()
		s.narrow = s.now()
		s.mu.Unlock()
	}
	return found, k.date, nil
}

// isNarrow says that of what a search finds little is collected: the projects'
// lists cost less.
func (s *Source) isNarrow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.narrow.IsZero() && s.now().Sub(s.narrow) < maxNarrow
}
