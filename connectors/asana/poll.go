package asana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"fairlead/connectors/source"
)

// syncState is where the events of projects were read to. It is a part of the
// incremental cursor, so it is stored with the tasks that it stands behind.
type syncState struct {
	start  time.Time         // of the first collection it was taken at; not stored
	tokens map[string]string // project → sync token; none where the search tells
	looked time.Time         // when all subtasks were last looked at, by Asana's clock
	listed time.Time         // when the projects' lists were last read, likewise
	turn   uint64            // polls that brought something, which tells their cursors apart

	suspect bool // the search before was not whole; not stored
}

// maxUnlooked is how long events alone, or what the search had heard of by a
// poll, are trusted for subtasks: events come "at most once" ("Events"), and a
// token is good for a day. maxUnlisted is the same for the search and tasks that
// are in lists.
const (
	maxUnlooked = 24 * time.Hour
	maxUnlisted = time.Hour
)

// placed is a cursor's ID once a poll was complete.
type placed struct {
	ID     string            `json:"id"`
	Sync   map[string]string `json:"sync,omitempty"`
	Looked time.Time         `json:"looked"`
	Listed time.Time         `json:"listed,omitzero"`
	Turn   uint64            `json:"turn,omitempty"`
}

// stateOf takes apart the ID of a cursor.
func stateOf(id string) syncState {
	var p placed
	if !strings.HasPrefix(id, "{") || json.Unmarshal([]byte(id), &p) != nil {
		return syncState{}
	}
	return syncState{tokens: p.Sync, looked: p.Looked, listed: p.Listed, turn: p.Turn}
}

// idOf is the gid within the ID of a cursor.
func idOf(id string) string {
	var p placed
	if !strings.HasPrefix(id, "{") {
		return id
	}
	if json.Unmarshal([]byte(id), &p) != nil {
		return ""
	}
	return p.ID
}

func (st syncState) id(gid string) string {
	text, err := json.Marshal(placed{ID: gid, Sync: st.tokens, Looked: st.looked, Listed: st.listed, Turn: st.turn})
	if err != nil {
		return gid // cannot be: strings and a time
	}
	return string(text)
}

// tokens takes a sync token of every project, to read events from now on.
func (s *Source) tokens(ctx context.Context, p *places) (map[string]string, error) {
	changed, err := s.events(ctx, p, nil)
	return changed.tokens, err
}

// happened is what the events of all projects tell, or the search.
type happened struct {
	tokens map[string]string // to go on with
	tasks  map[string]bool   // those that something happened to
	lost   map[string]bool   // projects whose events are not known

	searched bool
	found    map[string]wireTask // by the search
	since    time.Time           // subtasks that were modified before need not be brought
	clock    time.Time           // Asana's, before all that
}

// events reads what happened since tokens. A project without one, or with one
// that Asana knows no more, is lost, and gets one to begin with.
func (s *Source) events(ctx context.Context, p *places, since map[string]string) (happened, error) {
	var mu sync.Mutex
	out := happened{tokens: map[string]string{}, tasks: map[string]bool{}, lost: map[string]bool{}}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, project := range p.projects {
		group.Go(func() error {
			token, seen, lost, err := s.eventsOf(groupCtx, project.GID, since[project.GID])
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if token != "" {
				out.tokens[project.GID] = token
			}
			if lost {
				out.lost[project.GID] = true
			}
			maps.Copy(out.tasks, seen)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		return out, err
	}
	return out, nil
}

type wireEvent struct {
	Action   string `json:"action"`
	Resource struct {
		GID  string `json:"gid"`
		Kind string `json:"resource_type"`
	} `json:"resource"`
	Parent *struct {
		GID  string `json:"gid"`
		Kind string `json:"resource_type"`
	} `json:"parent"`
}

// maxEventPages bounds a stream of events that never ends.
const maxEventPages = 1000

func (s *Source) eventsOf(ctx context.Context, project, token string) (next string, tasks map[string]bool, lost bool, err error) {
	tasks = map[string]bool{}
	for range maxEventPages {
		q := url.Values{"resource": {project}}
		if token != "" {
			q.Set("sync", token)
		}
		c := call{path: "/events", query: q, fields: []string{"action", "resource", "parent"}, at: "of project " + project}
		r, err := s.client.get(ctx, c)
		switch {
		case syncOf(err) != "":
			return syncOf(err), nil, true, nil
		case gone(err):
			return "", nil, true, nil
		case err != nil:
			return "", nil, false, err
		}
		list, err := rows[wireEvent](r, c.path)
		if err != nil {
			return "", nil, false, err
		}
		for _, e := range list {
			switch {
			case e.Resource.Kind == "task" && e.Action == "deleted":
				delete(tasks, e.Resource.GID) // the sweep finds it
			case e.Resource.Kind == "task":
				tasks[e.Resource.GID] = true
			case e.Parent != nil && e.Parent.Kind == "task":
				tasks[e.Parent.GID] = true
			}
		}
		if r.Sync == "" {
			return "", nil, false, fmt.Errorf("reading %s%s %s: %w: the answer has no sync token", prefix, c.path, c.at, source.ErrUnreadable)
		}
		if token = r.Sync; !r.More {
			return token, tasks, false, nil
		}
	}
	return "", nil, false, fmt.Errorf("reading %s/events of project %s: %w: the events do not end", prefix, project, source.ErrUnreadable)
}

// poll reads the incremental stream: the tasks that changed since an overlap
// before the cursor, and the subtasks that the search finds or events tell of.
// Where neither is known, all subtasks of the project are looked at.
func (s *Source) poll(ctx context.Context, p *places, from source.Cursor, give func(source.Page) bool) error {
	lower := from.Updated
	if lower.IsZero() {
		lower = from.Start
	}
	lower = lower.Add(-s.cfg.Overlap)
	was := stateOf(from.ID)
	if was.looked.IsZero() {
		s.mu.Lock()
		if s.first.start.Equal(from.Start) && !from.Updated.After(from.Start) {
			was = s.first
		}
		s.mu.Unlock()
	}
	was.suspect = s.suspect.Load()
	sent, there := s.now(), s.there()
	due := was.looked.IsZero() || there.Sub(was.looked) >= maxUnlooked
	// The search is for all that changed, or for subtasks beside the lists.
	wide := !due && !s.isNarrow()
	what, err := s.happenings(ctx, p, was, from.Start, lower, due, wide)
	if err != nil {
		return err
	}
	had := s.had(from)
	maps.DeleteFunc(what.found, func(gid string, t wireTask) bool { return had[gid].at.Equal(t.Modified.Time) })
	tasks, clock, since := map[string]wireTask{}, what.clock, lower
	if what.searched {
		since = lower.Add(-searchLag)
	}
	now := syncState{tokens: what.tokens, looked: was.looked, listed: was.listed, turn: was.turn}
	if !what.searched || !wide || was.listed.IsZero() || there.Sub(was.listed) >= maxUnlisted {
		if what.searched && !was.listed.IsZero() {
			since = earlier(since, was.listed.Add(-s.lookBack()))
		}
		var first time.Time
		tasks, first, err = s.tasks(ctx, p, func(project string) url.Values {
			if what.lost[project] {
				return nil // all of them, for their subtasks
			}
			return url.Values{"modified_since": {format(since.Add(-time.Millisecond))}}
		})
		if err != nil {
			return err
		}
		if clock.IsZero() || !first.IsZero() && first.Before(clock) {
			clock = first
		}
		if clock.IsZero() {
			clock = from.Updated
		}
		now.listed = clock
	}
	for gid, t := range what.found {
		if !p.include(t.Memberships) {
			continue
		}
		delete(what.found, gid)
		if one, ok := tasks[gid]; !ok || one.Modified.Before(t.Modified.Time) {
			tasks[gid] = t
		}
	}
	items, whole, err := s.changed(ctx, p, tasks, what, since, clock)
	if err != nil {
		return err
	}
	items = slices.DeleteFunc(items, func(it item) bool { return had[it.task.GID].at.Equal(it.task.Modified.Time) })
	if due && (what.searched || len(what.lost) == len(p.projects)) {
		now.looked = clock
	}
	if len(items) > 0 {
		now.turn++
	}
	maps.DeleteFunc(had, func(_ string, b brought) bool {
		until := now.listed
		if b.part {
			until = now.looked
		}
		return b.at.Before(earlier(from.Updated, until).Add(-s.lookBack()))
	})
	return s.deliver(ctx, p, from, items, source.Page{Sent: sent}, clock, was, now, memory{tasks: had, whole: whole}, give)
}

// lookBack is how far before its cursor a poll asks for what changed.
func (s *Source) lookBack() time.Duration { return s.cfg.Overlap + searchLag }

// happenings finds out what happened since a poll, by a search or, to subtasks, by
// events. What it knew nothing of is found where it is due.
func (s *Source) happenings(ctx context.Context, p *places, was syncState, start, lower time.Time, due, wide bool) (happened, error) {
	since := lower.Add(-searchLag)
	if due && !was.looked.IsZero() {
		since = earlier(since, was.looked.Add(-s.lookBack()))
	}
	found, date, err := s.recent(ctx, p, !wide, since)
	if err == nil {
		if due {
			s.mu.Lock()
			clear(s.away)
			s.mu.Unlock()
		}
		return happened{searched: true, found: found, since: since, clock: date}, nil
	}
	if !errors.Is(err, errNoSearch) {
		return happened{}, err
	}
	if due || was.suspect {
		was.tokens = nil
	}
	what, err := s.events(ctx, p, was.tokens)
	what.since = lower
	switch {
	case was.suspect:
		what.since = start
	case due && !was.looked.IsZero():
		what.since = since
	}
	return what, err
}

// memory is what was brought whole. The next poll overlaps with it, and need not
// bring that again: a story call each. That of a poll holds once the cursor that
// the poll ended with was stored.
type memory struct {
	id    string
	start time.Time // of a first collection
	tasks map[string]brought
	whole map[string][]membership // of a poll: tasks all of whose parts came
}

// brought is when a task was modified as it was brought.
type brought struct {
	at   time.Time
	part bool // it is a subtask
}

// had is what need not be brought again after a cursor.
func (s *Source) had(from source.Cursor) map[string]brought {
	s.mu.Lock()
	defer s.mu.Unlock()
	had := map[string]brought{}
	if s.early.start.Equal(from.Start) {
		maps.Copy(had, s.early.tasks)
	}
	if s.last.id != "" && s.last.id == from.ID {
		maps.Copy(had, s.last.tasks)
		maps.Copy(s.whole, s.last.whole)
	}
	return had
}

// changed are the tasks and subtasks to bring, in order: tasks that were modified
// since. clock is Asana's, before anything was asked for. whole are the tasks all
// of whose parts are known then, with their places.
func (s *Source) changed(ctx context.Context, p *places, tasks map[string]wireTask, what happened, since, clock time.Time) (items []item, whole map[string][]membership, err error) {
	var parents []item
	whole = map[string][]membership{}
	all := map[string]bool{} // tasks whose parts come, changed or not
	for _, t := range tasks {
		it := item{task: t}
		changed := !t.Modified.Before(since)
		if changed {
			items = append(items, it)
		}
		inLost := slices.ContainsFunc(t.Memberships, func(m membership) bool { return what.lost[m.Project.gid()] })
		// A task that comes from elsewhere, or moves, takes its parts along, and
		// nothing tells of them.
		all[t.GID] = changed && t.NumSubtasks > 0 && !s.settled(&t)
		if t.NumSubtasks > 0 && (inLost || all[t.GID]) {
			parents = append(parents, it)
		}
	}
	parts, err := s.subtasks(ctx, p, parents, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, it := range parents {
		if s.settled(&it.task) || all[it.task.GID] {
			whole[it.task.GID] = it.task.Memberships
		}
	}
	seen := map[string]bool{}
	for _, it := range parts {
		seen[it.task.GID] = true
		if all[it.root] || !it.task.Modified.Before(what.since) {
			items = append(items, it)
		}
	}
	known := func(gid string) bool { _, ok := tasks[gid]; return ok || seen[gid] }
	var others []string
	for gid := range what.tasks {
		if !known(gid) {
			others = append(others, gid)
		}
	}
	slices.Sort(others)
	var found []wireTask
	for gid, t := range what.found {
		if t.Parent.gid() != "" && !known(gid) && !s.isAway(&t) {
			found = append(found, t)
		}
	}
	// One that is deleted or was moved away is found by the sweep.
	told, skipped, err := s.locate(ctx, p, found, others, true, clock)
	if err != nil {
		return nil, nil, err
	}
	s.elsewhere(what.found, skipped)
	for _, it := range told {
		// The first part of a task that was here before it.
		if places, ok := s.placeOf(it.root); ok && whole[it.root] == nil {
			whole[it.root] = places
		}
	}
	items = append(items, told...)
	sortItems(items)
	return items, whole, nil
}

// isAway says that a subtask is known to be a part of something in no project
// that is collected: an account may see more than that.
func (s *Source) isAway(t *wireTask) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away[t.Parent.gid()]
}

func (s *Source) elsewhere(found map[string]wireTask, skipped []source.Skipped) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range skipped {
		if t, ok := found[one.ID]; ok && one.Reason == reasonElsewhere {
			s.away[t.Parent.gid()] = true
		}
	}
}

// deliver hands items on in pages. The cursor does not pass Asana's clock at the
// first list: what changes while the lists are read comes again.
func (s *Source) deliver(ctx context.Context, p *places, from source.Cursor, items []item, like source.Page, clock time.Time, was, now syncState, had memory, give func(source.Page) bool) error {
	at, gid := from.Updated, idOf(from.ID)
	for begun := false; len(items) > 0 || !begun; begun = true {
		n := min(s.cfg.PageSize, len(items))
		run := items[:n:n]
		items = items[n:]
		page := like
		page.Remaining = len(items)
		if n > 0 {
			last := run[n-1].task
			if reached := earlier(last.Modified.Time, clock); reached.After(at) {
				at, gid = reached, last.GID
			}
			if err := s.assemble(ctx, p, &page, run); err != nil {
				return err
			}
		}
		for i := range page.Tickets {
			if t := &page.Tickets[i]; t.HistoryComplete {
				had.tasks[t.ID] = brought{t.Updated, t.Parent != ""}
			}
		}
		// A poll that ends before its last page is begun again, with the events
		// that it was begun with.
		page.Next = source.Cursor{Start: from.Start, Updated: at, ID: was.id(gid)}
		if len(items) == 0 {
			// Where the events were read to is kept, though nothing may have come.
			page.Next.ID = now.id(gid)
			s.mu.Lock()
			had.id = page.Next.ID
			s.last = had
			s.mu.Unlock()
		}
		if !give(page) {
			return nil
		}
	}
	if was.suspect {
		s.suspect.Store(false) // all that it may have missed was brought
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
