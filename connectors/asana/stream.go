package asana

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

const (
	// recentWindow parts the closed tasks of a first collection.
	recentWindow = 90 * 24 * time.Hour

	// listMaxAge is how long a list of a backfill stream is gone on with when the
	// stream was left for a poll. Each of its tasks is looked at again by its
	// stories.
	listMaxAge = time.Hour

	// recentMargin is how long before its start a first collection's first poll
	// may begin, without its overlap.
	recentMargin = 10 * time.Minute

	// maxDepth is how deep subtasks may lie ("subtasks can be nested up to five
	// levels deep").
	maxDepth = 6
)

// list is what a backfill stream found, in order.
type list struct {
	start time.Time // of the collection
	sent  time.Time
	items []item

	kin   *family
	parts map[string][]item // what tasks are made of, by the task
	upto  int               // of items, those whose parts are known
}

// ahead is for how many tasks their parts are asked for together: few have any,
// and a batch takes ten.
const ahead = 1000

// partsOf gives what items from to until are made of.
func (s *Source) partsOf(ctx context.Context, p *places, l *list, from, until int) ([]item, error) {
	if l.upto < until {
		to := min(max(from+ahead, until), len(l.items))
		found, err := s.subtasks(ctx, p, l.items[max(from, l.upto):to], l.kin)
		if err != nil {
			return nil, err
		}
		for _, it := range found {
			l.parts[it.root] = append(l.parts[it.root], it)
		}
		s.mu.Lock()
		for _, it := range l.items[max(from, l.upto):to] {
			if it.task.NumSubtasks > 0 {
				s.whole[it.task.GID] = it.task.Memberships
			}
		}
		s.mu.Unlock()
		l.upto = to
	}
	var out []item
	for _, it := range l.items[from:until] {
		out = append(out, l.parts[it.task.GID]...)
	}
	return out, nil
}

// before orders tasks as their stream does.
func before(aAt time.Time, aID string, bAt time.Time, bID string) int {
	return cmp.Or(aAt.Compare(bAt), strings.Compare(aID, bID))
}

func sortItems(items []item) {
	slices.SortFunc(items, func(a, b item) int {
		return before(a.task.Modified.Time, a.task.GID, b.task.Modified.Time, b.task.GID)
	})
}

// Pages implements source.Source.
//
// Asana lists the tasks of a project in the order in which people see them, so a
// stream is listed first, with few requests, and its tasks then follow by
// (modified, gid), each with its stories. Subtasks are in no list: in a first
// collection they come with the task that they are part of, later by a search or,
// where there is none, by the events of its project.
func (s *Source) Pages(ctx context.Context, stream source.Stream, from source.Cursor) iter.Seq2[source.Page, error] {
	return func(yield func(source.Page, error) bool) {
		err := s.pages(ctx, stream, from, func(p source.Page) bool { return yield(p, nil) })
		if err != nil {
			yield(source.Page{}, fmt.Errorf("reading stream %s of %s: %w", stream, s.name, err))
		}
	}
}

// pages calls give with page after page until it is false.
func (s *Source) pages(ctx context.Context, stream source.Stream, from source.Cursor, give func(source.Page) bool) error {
	if from.Start.IsZero() {
		now, err := s.Now(ctx)
		if err != nil {
			return err
		}
		from.Start = now
	}
	p, err := s.dir.places(ctx)
	if err != nil {
		return err
	}
	if stream == source.StreamIncremental {
		return s.poll(ctx, p, from, give)
	}
	if !slices.Contains(source.Backfill, stream) {
		return fmt.Errorf("unknown stream %q", stream)
	}
	l, err := s.list(ctx, p, stream, from.Start)
	if err != nil {
		return err
	}
	at := 0
	if !from.Updated.IsZero() {
		at, _ = slices.BinarySearchFunc(l.items, from, func(it item, c source.Cursor) int {
			if before(it.task.Modified.Time, it.task.GID, c.Updated, c.ID) <= 0 {
				return -1
			}
			return 1
		})
	}
	for at < len(l.items) {
		until := min(at+s.cfg.PageSize, len(l.items))
		last := l.items[until-1].task
		page := source.Page{
			Sent: l.sent, Next: source.Cursor{Start: from.Start, Updated: last.Modified.Time, ID: last.GID}, Remaining: len(l.items) - until,
		}
		parts, err := s.partsOf(ctx, p, l, at, until)
		if err != nil {
			return err
		}
		if err := s.assemble(ctx, p, &page, slices.Concat(l.items[at:until], parts)); err != nil {
			return err
		}
		s.anticipate(from.Start, page.Tickets)
		if !give(page) {
			return nil
		}
		at = until
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lists, stream)
	if stream == source.StreamOlder {
		s.kin = nil
	}
	return nil
}

// anticipate notes what the first polls after a start would bring again: what
// changed in the time before it that they look back over. These tasks are not
// lost if their page was not stored: their stream brings them then.
func (s *Source) anticipate(start time.Time, tickets []ticket.Ticket) {
	from := start.Add(-s.cfg.Overlap - searchLag - recentMargin)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.early.start.Equal(start) {
		s.early = memory{start: start, tasks: map[string]brought{}}
	}
	for i := range tickets {
		if t := &tickets[i]; t.HistoryComplete && !t.Updated.Before(from) {
			s.early.tasks[t.ID] = brought{t.Updated, t.Parent != ""}
		}
	}
}

// list is what a backfill stream has to bring. Tasks that change after the start
// belong to the incremental stream. The two streams of closed tasks are found by
// one list, since there is none of closed tasks only.
func (s *Source) list(ctx context.Context, p *places, stream source.Stream, start time.Time) (*list, error) {
	s.mu.Lock()
	kept, ok := s.lists[stream]
	begun := s.first.start.Equal(start)
	kin := s.kin
	s.mu.Unlock()
	if ok && kept.start.Equal(start) && s.now().Sub(kept.sent) < listMaxAge {
		return kept, nil
	}
	if kin == nil || !kin.start.Equal(start) || s.now().Sub(kin.sent) >= listMaxAge {
		kin = s.newFamily(p, start, s.taskFields())
	}
	query := url.Values{}
	if stream == source.StreamOpen {
		query.Set("completed_since", format(start))
	} else if !s.since.IsZero() {
		query.Set("modified_since", format(s.since.Add(-time.Millisecond)))
	}
	if stream == source.StreamOpen && !begun {
		if err := s.begin(ctx, p, start, kin); err != nil {
			return nil, err
		}
	}
	sent := earlier(s.now(), kin.sent)
	tasks, _, err := s.tasks(ctx, p, func(string) url.Values { return query })
	if err != nil {
		return nil, err
	}
	recent := start.Add(-recentWindow)
	empty := func() *list { return &list{start: start, sent: sent, kin: kin, parts: map[string][]item{}} }
	found := map[source.Stream]*list{}
	for _, t := range tasks {
		of := source.StreamOpen
		switch at := t.Modified.Time; {
		case at.After(start), t.Completed && at.Before(s.since):
			continue
		case t.Completed && at.Before(recent):
			of = source.StreamOlder
		case t.Completed:
			of = source.StreamRecent
		}
		if found[of] == nil {
			found[of] = empty()
		}
		found[of].items = append(found[of].items, item{task: t})
	}
	keep := []source.Stream{stream}
	if stream == source.StreamRecent {
		keep = append(keep, source.StreamOlder)
	}
	lists := 0
	for _, of := range keep {
		if found[of] == nil {
			found[of] = empty()
		}
		sortItems(found[of].items)
		lists += parents(found[of].items)
	}
	if err := kin.expect(ctx, s, lists); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kin = kin
	for _, of := range keep {
		s.lists[of] = found[of]
	}
	return found[stream], nil
}

// begin notes from where on it is known what happens to subtasks: now. Where
// there is no search, events tell.
func (s *Source) begin(ctx context.Context, p *places, start time.Time, kin *family) error {
	if err := kin.expect(ctx, s, 1); err != nil {
		return err
	}
	first := syncState{start: start, looked: start, listed: start}
	if s.unsearched.Load() {
		tokens, err := s.tokens(ctx, p)
		if err != nil {
			return err
		}
		first.tokens = tokens
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = first
	return nil
}

func format(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// tasks lists the tasks of all projects by the query of each, one that is in
// several once, as it was read last. date is Asana's clock at the first answer.
func (s *Source) tasks(ctx context.Context, p *places, query func(project string) url.Values) (map[string]wireTask, time.Time, error) {
	var mu sync.Mutex
	var first time.Time
	found := map[string]wireTask{}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, one := range p.projects {
		group.Go(func() error {
			q := url.Values{"project": {one.GID}}
			for name, v := range query(one.GID) {
				q[name] = v
			}
			c := call{path: "/tasks", query: q, fields: s.taskFields(), limit: s.cfg.PageSize, at: "of project " + one.GID}
			err := s.client.all(groupCtx, c, func(r reply) error {
				list, err := rows[wireTask](r, c.path)
				mu.Lock()
				defer mu.Unlock()
				if first.IsZero() || r.date.Before(first) {
					first = r.date
				}
				for _, t := range list {
					if had, ok := found[t.GID]; !ok || !t.Modified.Before(had.Modified.Time) {
						found[t.GID] = t
					}
				}
				return err
			})
			if gone(err) {
				if s.firstTime("hidden " + one.GID) {
					s.log.Warn("a project cannot be seen any more; its tasks stay as they were", "gid", one.GID)
				}
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, first, ctx.Err()
		}
		return nil, first, err
	}
	return found, first, nil
}

// taskFields are what is asked for: custom fields only where one is configured.
func (s *Source) taskFields() []string {
	c := s.cfg
	if c.StatusField+c.KindField+c.PriorityField+c.EffortField != "" {
		return taskFields
	}
	return slices.DeleteFunc(slices.Clone(taskFields), func(f string) bool { return strings.HasPrefix(f, "custom_fields.") })
}

// subtasks are all parts of tasks, however deep: as searches found them, or else
// by a call for each task that has any. Where they are is remembered.
func (s *Source) subtasks(ctx context.Context, p *places, of []item, kin *family) ([]item, error) {
	return s.descend(ctx, p, of, kin, s.place)
}

// descend reads all parts of tasks, however deep, and notes of what each is one.
func (s *Source) descend(ctx context.Context, p *places, of []item, kin *family, note func(gid string, of kinship, under []membership)) ([]item, error) {
	var out []item
	level := of
	for range maxDepth {
		var parents, next []item
		var calls []call
		add := func(of item, list []wireTask) {
			root, under := of.root, of.under
			if root == "" || p.include(of.task.Memberships) {
				root, under = of.task.GID, of.task.Memberships
			}
			for _, t := range list {
				next = append(next, item{task: t, under: under, root: root})
				note(t.GID, kinship{of.task.GID, root}, under)
			}
		}
		for _, it := range level {
			if it.task.NumSubtasks == 0 {
				continue
			}
			if list, ok := kin.whole(&it.task); ok {
				add(it, list)
				continue
			}
			parents = append(parents, it)
			calls = append(calls, call{path: "/tasks/" + it.task.GID + "/subtasks", fields: s.taskFields(), limit: maxPage, at: "for what it is made of"})
		}
		found, err := s.client.many(ctx, calls)
		if err != nil {
			return nil, err
		}
		for i, o := range found {
			if o.err != nil {
				continue // deleted meanwhile
			}
			take := func(r reply) error {
				list, err := rows[wireTask](r, calls[i].path)
				add(parents[i], list)
				if slices.ContainsFunc(list, func(t wireTask) bool { return kin.missed(&t, s.there()) }) {
					s.distrust()
				}
				return err
			}
			if err := take(o.reply); err != nil {
				return nil, err
			}
			if next := o.next(); next != "" {
				rest := calls[i]
				rest.offset = next
				if err := s.client.all(ctx, rest, take); err != nil && !gone(err) {
					return nil, err
				}
			}
		}
		if len(next) == 0 {
			return out, nil
		}
		out = append(out, next...)
		level = next
	}
	return out, nil
}

// place remembers of what a subtask is a part, and where that is.
func (s *Source) place(gid string, of kinship, under []membership) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roots[gid] = of
	s.under[of.root] = under
	delete(s.away, of.parent)
	delete(s.away, of.root)
}

// keep forgets where tasks are that are not among those, or have no parts.
func (s *Source) keep(roots map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range []map[string][]membership{s.under, s.whole} {
		maps.DeleteFunc(known, func(gid string, _ []membership) bool { return !roots[gid] })
	}
}

// settled says that what a task is made of was brought, with the places where
// the task is now.
func (s *Source) settled(t *wireTask) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	under, ok := s.whole[t.GID]
	return ok && slices.EqualFunc(under, t.Memberships, func(a, b membership) bool {
		return a.Project.gid() == b.Project.gid() && a.Section.gid() == b.Section.gid()
	})
}

// homeOf is where a subtask is, as far as that was seen before: the task that it
// is a part of, and its places.
func (s *Source) homeOf(t *wireTask) (root string, under []membership) {
	s.mu.Lock()
	defer s.mu.Unlock()
	up := t.Parent.gid()
	root = up
	if k, ok := s.roots[t.GID]; ok && k.parent == up {
		root = k.root
	} else if k, ok := s.roots[up]; ok {
		root = k.root
	}
	return root, s.under[root]
}

// placeOf is where a task with subtasks was seen to be.
func (s *Source) placeOf(root string) (under []membership, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	under, ok = s.under[root]
	return under, ok
}

// assemble fetches the stories of tasks and makes whole tickets of them.
func (s *Source) assemble(ctx context.Context, p *places, page *source.Page, items []item) error {
	seen := map[string]bool{}
	items = slices.DeleteFunc(items, func(it item) bool {
		twice := seen[it.task.GID]
		seen[it.task.GID] = true
		return twice
	})
	m := newMapper(s, p)
	left, err := s.stories(ctx, page, items)
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		// The stories are read after the task. One that changed in between, or
		// that they do not explain, is read once more, until the two agree.
		var again []item
		for i := range left {
			it := &left[i]
			if it.task.Created.IsZero() || it.task.Modified.IsZero() {
				page.Skipped = append(page.Skipped, source.Skipped{ID: it.task.GID, Reason: reasonUnreadable})
				continue
			}
			tk, fits := m.ticket(it)
			if round < maxReadings && (!fits || it.outrun()) {
				again = append(again, *it)
				continue
			}
			page.Tickets = append(page.Tickets, tk)
		}
		if len(again) == 0 {
			break
		}
		if left, err = s.reread(ctx, page, m, again); err != nil {
			return err
		}
	}
	if page.Accounts, err = s.dir.accounts(ctx, p, m.people); err != nil {
		return err
	}
	page.Terms = m.sortedTerms()
	return nil
}

// maxReadings bounds how often a task that changes all the time is read again.
const maxReadings = 3

// outrun says that a task has a story that is later than what was read of it.
// The two are written one after the other, so a moment between them says nothing.
func (it *item) outrun() bool {
	return slices.ContainsFunc(it.stories, func(st wireStory) bool { return st.At.Sub(it.task.Modified.Time) >= time.Second })
}

// reread reads tasks again, and the stories of those that have changed since; the
// others become tickets as they are.
func (s *Source) reread(ctx context.Context, page *source.Page, m *mapper, items []item) ([]item, error) {
	calls := make([]call, len(items))
	for i, it := range items {
		calls[i] = call{path: "/tasks/" + it.task.GID, fields: s.taskFields(), at: "again"}
	}
	found, err := s.client.many(ctx, calls)
	if err != nil {
		return nil, err
	}
	var changed []item
	for i, o := range found {
		it := items[i]
		if o.err != nil {
			page.Skipped = append(page.Skipped, source.Skipped{ID: it.task.GID, Reason: reasonGone})
			continue
		}
		var t wireTask
		if err := json.Unmarshal(o.Data, &t); err != nil {
			return nil, fmt.Errorf("reading %s%s: %w: a task of another kind than the API's", prefix, calls[i].path, source.ErrUnreadable)
		}
		same := t.Modified.Equal(it.task.Modified.Time)
		it.task = t
		if same {
			tk, _ := m.ticket(&it)
			page.Tickets = append(page.Tickets, tk)
			continue
		}
		changed = append(changed, it)
	}
	return s.stories(ctx, page, changed)
}

// stories fetches the stories of tasks; those that are gone are skipped.
func (s *Source) stories(ctx context.Context, page *source.Page, items []item) ([]item, error) {
	calls := make([]call, len(items))
	for i, it := range items {
		calls[i] = call{path: "/tasks/" + it.task.GID + "/stories", fields: storyFields, limit: maxPage, at: "for its history"}
	}
	found, err := s.client.many(ctx, calls)
	if err != nil {
		return nil, err
	}
	var out []item
	for i, o := range found {
		it := items[i]
		it.stories, it.denied = nil, false
		err := o.err
		take := func(r reply) error {
			list, err := rows[wireStory](r, calls[i].path)
			it.stories = append(it.stories, list...)
			return err
		}
		if err == nil {
			err = take(o.reply)
		}
		if next := o.next(); err == nil && next != "" {
			rest := calls[i]
			rest.offset = next
			err = s.client.all(ctx, rest, take)
		}
		switch {
		case err == nil:
		case refusedWith(err) == 404:
			page.Skipped = append(page.Skipped, source.Skipped{ID: it.task.GID, Reason: reasonGone})
			continue
		case errors.Is(err, source.ErrForbidden):
			it.denied = true
			it.stories = nil
			if s.firstTime("denied") {
				s.log.Warn("the stories of a task are refused; its history is incomplete", "ticket", it.task.GID)
			}
		default:
			return nil, err
		}
		slices.SortStableFunc(it.stories, func(a, b wireStory) int { return a.At.Compare(b.At.Time) })
		out = append(out, it)
	}
	return out, nil
}

// ByID implements source.Source.
func (s *Source) ByID(ctx context.Context, ids []string) (source.Page, error) {
	page := source.Page{Sent: s.now()}
	p, err := s.dir.places(ctx)
	if err != nil {
		return source.Page{}, fmt.Errorf("fetching tasks of %s by id: %w", s.name, err)
	}
	var valid []string
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if gidPattern.MatchString(id) {
			valid = append(valid, id)
		} else {
			page.Skipped = append(page.Skipped, source.Skipped{ID: id, Reason: "not a task gid"})
		}
	}
	items, skipped, err := s.fetch(ctx, p, valid, false)
	if err == nil {
		page.Skipped = append(page.Skipped, skipped...)
		err = s.assemble(ctx, p, &page, items)
	}
	if err != nil {
		return source.Page{}, fmt.Errorf("fetching tasks of %s by id: %w", s.name, err)
	}
	return page, nil
}

// fetch reads single tasks, with where the task is that they are part of. One
// that is in no project that is collected is skipped.
func (s *Source) fetch(ctx context.Context, p *places, ids []string, trust bool) (items []item, skipped []source.Skipped, err error) {
	return s.locate(ctx, p, nil, ids, trust, time.Time{})
}

// locate finds out where tasks are, those that were read and those of ids. With
// trust, where a subtask is may be what was seen before. It is remembered for
// those whose task was not modified after asOf.
func (s *Source) locate(ctx context.Context, p *places, read []wireTask, ids []string, trust bool, asOf time.Time) (items []item, skipped []source.Skipped, err error) {
	known := map[string]*wireTask{}
	above := func(t *wireTask) []string {
		parent := t.Parent.gid()
		if parent == "" || p.include(t.Memberships) {
			return nil
		}
		if trust {
			if _, under := s.homeOf(t); p.include(under) {
				return nil
			}
		}
		return []string{parent}
	}
	wanted := slices.Clone(ids)
	for i := range read {
		known[read[i].GID] = &read[i]
		wanted = append(wanted, above(&read[i])...)
	}
	for range maxDepth {
		wanted = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(wanted))), func(id string) bool { _, ok := known[id]; return ok })
		if len(wanted) == 0 {
			break
		}
		calls := make([]call, len(wanted))
		for i, id := range wanted {
			calls[i] = call{path: "/tasks/" + id, fields: s.taskFields(), at: "by id"}
		}
		found, err := s.client.many(ctx, calls)
		if err != nil {
			return nil, nil, err
		}
		var next []string
		for i, o := range found {
			known[wanted[i]] = nil
			if o.err != nil {
				continue
			}
			var t wireTask
			if err := json.Unmarshal(o.Data, &t); err != nil {
				return nil, nil, fmt.Errorf("reading %s%s: %w: a task of another kind than the API's", prefix, calls[i].path, source.ErrUnreadable)
			}
			known[t.GID] = &t
			next = append(next, above(&t)...)
		}
		wanted = next
	}
	for _, t := range read {
		ids = append(slices.Clip(ids), t.GID)
	}
	for _, id := range ids {
		t := known[id]
		if t == nil {
			skipped = append(skipped, source.Skipped{ID: id, Reason: reasonGone})
			continue
		}
		under, root, modified := t.Memberships, "", time.Time{}
		for up, n := t, 0; !p.include(under) && n < maxDepth; n++ {
			if home, places := s.homeOf(up); trust && up.Parent != nil && p.include(places) {
				under, root = places, home
				break
			}
			if up = known[up.Parent.gid()]; up == nil {
				break
			}
			under, root, modified = up.Memberships, up.GID, up.Modified.Time
		}
		if !p.include(under) {
			skipped = append(skipped, source.Skipped{ID: id, Reason: reasonElsewhere})
			continue
		}
		if root != "" && !modified.After(asOf) {
			s.place(id, kinship{t.Parent.gid(), root}, under)
		}
		items = append(items, item{task: *t, under: under, root: root})
	}
	return items, skipped, nil
}

// include says that one of the projects is collected.
func (p *places) include(list []membership) bool {
	return slices.ContainsFunc(list, func(m membership) bool { _, ok := p.rank[m.Project.gid()]; return ok })
}
