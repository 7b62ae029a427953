package jira

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/connectors/source"
)

// walk reads the issues of a query in order of update. Issues may come again,
// and none that existed throughout fails to come.
type walk interface {
	// next returns some more issues; none with done false is possible.
	// remaining estimates how many follow, negative where unknown.
	next(ctx context.Context) (issues []wireIssue, remaining int, done bool, err error)
}

// place says where a walk is, for errors.
func place(last time.Time) string {
	if last.IsZero() {
		return "at the stream's beginning"
	}
	return "after issues updated until " + last.Format(time.RFC3339)
}

// cloudWalk follows page tokens. The JQL stays as it is while a token lives.
// When a token has expired the walk begins again at the last minute it read.
type cloudWalk struct {
	client  *client
	cal     calendar
	query   query
	fields  []string
	size    int
	jql     string
	token   string
	tokens  map[uint64]bool
	seed    maphash.Seed
	last    time.Time            // greatest update time read
	before  map[string]time.Time // update times of the issues of the page before, by id
	idle    int                  // pages in a row without an issue that the one before did not have
	renewed time.Time            // where the walk last began again
}

// maxIdle bounds pages without anything new that still promise more.
const maxIdle = 10

func newCloudWalk(c *client, cal calendar, q query, fields []string, size int) *cloudWalk {
	return &cloudWalk{
		client: c, cal: cal, query: q, fields: fields, size: size,
		jql: q.jql(q.lower, time.Time{}), tokens: map[uint64]bool{}, seed: maphash.MakeSeed(),
	}
}

func (w *cloudWalk) next(ctx context.Context) ([]wireIssue, int, bool, error) {
	body := map[string]any{"jql": w.jql, "fields": w.fields, "maxResults": w.size}
	if w.token != "" {
		body["nextPageToken"] = w.token
	}
	call := call{method: http.MethodPost, path: "/search/jql", body: body, place: place(w.last)}
	answer, _, err := do[searchAnswer](ctx, w.client, call)
	if err != nil {
		if w.token != "" && status(err) == http.StatusBadRequest && w.last.After(w.renewed) {
			w.restart()
			return nil, -1, false, nil
		}
		return nil, -1, false, fmt.Errorf("searching issues: %w", err)
	}
	w.idle++
	now := make(map[string]time.Time, len(answer.Issues))
	for n := range answer.Issues {
		i := &answer.Issues[n]
		t := i.updated()
		if before, ok := w.before[i.ID]; !ok || !before.Equal(t) {
			w.idle = 0
		}
		now[i.ID] = t
		w.last = later(w.last, t)
	}
	if len(now) > 0 {
		w.before = now
	}
	w.token = answer.NextPageToken
	if answer.IsLast || w.token == "" {
		return answer.Issues, 0, true, nil
	}
	hash := maphash.String(w.seed, w.token)
	if w.tokens[hash] || w.idle >= maxIdle {
		return answer.Issues, -1, false, fmt.Errorf("searching issues %s: %w: the pages do not end", call.place, source.ErrUnreadable)
	}
	w.tokens[hash] = true
	return answer.Issues, -1, false, nil
}

func (w *cloudWalk) restart() {
	w.renewed = w.last
	w.token = ""
	clear(w.tokens)
	w.jql = w.query.jql(later(w.query.lower, w.cal.floor(w.last)), time.Time{})
}

// offsetWalk reads Data Center, which pages by offset into whatever matches
// when it is asked: an issue that is edited meanwhile leaves its place, the
// rest moves up, and one is skipped. So every request begins at offset 0 of
// the last minute read. Only when a whole page lies within one minute does the
// walk go through that minute by offset. Issues can only leave a minute that is
// past: while its total stays, nothing moved; when it does not, the walk begins
// the minute again and hands on what it had not seen. So an issue is handed on
// only after all that come before it.
type offsetWalk struct {
	client *client
	cal    calendar
	query  query
	fields []string
	expand []string
	size   int

	lower time.Time            // wall clock
	last  time.Time            // greatest update time read
	seen  map[string]time.Time // update times of the issues read last, by id
	idle  int                  // pages since the last that brought something new, those within a minute left out

	// While going through one minute:
	upper  time.Time // its end, wall clock; zero otherwise
	offset int
	total  int // when the pass began; -1 is not known
	passes int
	page   []string // ids of the page before in the pass
}

// maxRepeats bounds the pages in a row that bring nothing new though more follow. One
// is usual, where a whole page lies within the minute at which it begins.
const maxRepeats = 3

// maxPasses bounds how often one minute is begun again.
const maxPasses = 10

func newOffsetWalk(c *client, cal calendar, q query, fields []string, size int) *offsetWalk {
	return &offsetWalk{client: c, cal: cal, query: q, fields: fields, expand: []string{"changelog"}, size: size, lower: q.lower, seen: map[string]time.Time{}}
}

func (w *offsetWalk) next(ctx context.Context) ([]wireIssue, int, bool, error) {
	answer, err := w.search(ctx)
	if err != nil {
		return nil, -1, false, err
	}
	if !w.upper.IsZero() {
		issues, err := w.throughMinute(answer)
		return issues, -1, false, err
	}
	issues := w.unseen(answer.Issues)
	read, remaining := len(answer.Issues), -1
	if w.idle++; len(issues) > 0 {
		w.idle = 0
	}
	switch {
	case answer.Total == nil && read == 0:
		return nil, 0, true, nil
	case answer.Total != nil:
		if remaining = max(*answer.Total-read, 0); remaining == 0 {
			return issues, 0, true, nil
		}
		if read == 0 {
			return nil, -1, false, fmt.Errorf("searching issues (%s): %w: Jira counts %d more issues and gives none", place(w.last), source.ErrUnreadable, *answer.Total)
		}
	}
	if w.last.IsZero() {
		return nil, -1, false, fmt.Errorf("searching issues: %w: no issue has an update time", source.ErrUnreadable)
	}
	if w.idle > maxRepeats {
		return nil, -1, false, fmt.Errorf("searching issues (%s): %w: Jira gives the same issues again; something passes over the condition on updated", place(w.last), source.ErrUnreadable)
	}
	if at := w.cal.floor(w.last); at.After(w.lower) {
		w.lower = at
		return issues, remaining, false, nil
	}
	w.upper = w.cal.ceil(w.last)
	w.offset, w.passes, w.total, w.page = 0, 0, -1, nil
	return issues, remaining, false, nil
}

func (w *offsetWalk) search(ctx context.Context) (searchAnswer, error) {
	answer, err := w.client.search(ctx, offsetSearch{
		jql: w.query.jql(w.lower, w.upper), startAt: w.offset, size: w.size, fields: w.fields, expand: w.expand, place: place(w.last),
	})
	if err != nil {
		return answer, fmt.Errorf("searching issues: %w", err)
	}
	return answer, nil
}

// offsetSearch is one search on Data Center.
type offsetSearch struct {
	jql           string
	startAt, size int
	fields        []string
	expand        []string
	place         string
}

// search asks Data Center for a page. Where something before it lets no POST
// through, as gateways for reading only do, it asks by GET.
func (c *client) search(ctx context.Context, s offsetSearch) (searchAnswer, error) {
	if !c.postless.Load() {
		body := map[string]any{"jql": s.jql, "startAt": s.startAt, "maxResults": s.size, "fields": s.fields}
		if len(s.expand) > 0 {
			body["expand"] = s.expand
		}
		answer, _, err := do[searchAnswer](ctx, c, call{method: http.MethodPost, path: "/search", place: s.place, body: body})
		code := status(err)
		if code != http.StatusMethodNotAllowed && code != http.StatusNotFound && !errors.Is(err, source.ErrForbidden) {
			answer.Total = told(answer.Total)
			return answer, err
		}
	}
	query := url.Values{
		"jql": {s.jql}, "startAt": {strconv.Itoa(s.startAt)}, "maxResults": {strconv.Itoa(s.size)}, "fields": {strings.Join(s.fields, ",")},
	}
	if len(s.expand) > 0 {
		query["expand"] = []string{strings.Join(s.expand, ",")}
	}
	answer, _, err := do[searchAnswer](ctx, c, call{method: http.MethodGet, path: "/search", place: s.place, query: query})
	if err == nil {
		c.postless.Store(true)
	}
	answer.Total = told(answer.Total)
	return answer, err
}

// throughMinute goes on by offset through one minute. Where the server counts, the
// minute was quiet if its count stayed; where it does not, if two passes in a row
// found as many.
func (w *offsetWalk) throughMinute(answer searchAnswer) ([]wireIssue, error) {
	ids := make([]string, len(answer.Issues))
	for n := range answer.Issues {
		ids[n] = answer.Issues[n].ID
	}
	if w.offset > 0 && len(ids) > 0 && slices.Equal(ids, w.page) {
		return nil, fmt.Errorf("searching issues (%s): %w: Jira gives the same issues at offset %d as before it; something leaves startAt out", place(w.last), source.ErrUnreadable, w.offset)
	}
	w.page = ids
	again := func() {
		w.offset, w.page = 0, nil
		w.passes++
	}
	if answer.Total != nil {
		if w.offset == 0 {
			w.total = *answer.Total
		}
		if *answer.Total != w.total && w.passes < maxPasses {
			again()
			return nil, nil
		}
	}
	issues := w.unseen(answer.Issues)
	w.offset += len(answer.Issues)
	switch {
	case len(ids) > 0 && (answer.Total == nil || w.offset < *answer.Total):
	case answer.Total == nil && w.offset != w.total && w.passes < maxPasses:
		w.total = w.offset
		again()
	default:
		w.lower, w.upper, w.offset = w.upper, time.Time{}, 0
	}
	return issues, nil
}

// unseen drops issues that were read before and did not change since.
func (w *offsetWalk) unseen(issues []wireIssue) []wireIssue {
	fresh := make([]wireIssue, 0, len(issues))
	now := w.seen
	if w.upper.IsZero() {
		now = make(map[string]time.Time, len(issues))
	}
	for n := range issues {
		t := issues[n].updated()
		if old, ok := w.seen[issues[n].ID]; !ok || !old.Equal(t) {
			fresh = append(fresh, issues[n])
		}
		now[issues[n].ID] = t
		w.last = later(w.last, t)
	}
	w.seen = now
	return fresh
}

// updated is the issue's update time, zero if it has none that can be read.
func (i *wireIssue) updated() time.Time {
	if i.at == nil {
		var s stamp
		if raw, ok := i.Fields["updated"]; ok && s.UnmarshalJSON(raw) != nil {
			s = stamp{}
		}
		i.at = &s.Time
	}
	return *i.at
}
