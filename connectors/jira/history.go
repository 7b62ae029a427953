package jira

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"fairlead/connectors/source"
)

// atOnce is how many requests about single issues are under way.
const atOnce = 4

// complete fetches what the answers cut or left out: histories, comments and
// worklogs. Issues that are gone or hidden meanwhile are Skipped.
func (s *Source) complete(ctx context.Context, issues []wireIssue, effort []wireField, place string) ([]whole, []source.Skipped, error) {
	list := make([]whole, len(issues))
	for n, i := range issues {
		list[n] = whole{wireIssue: i}
		if c := i.Changelog; c != nil {
			list[n].histories = c.Histories
		}
	}
	if s.cfg.Flavour == Cloud {
		if err := s.bulkHistories(ctx, list, effort, place); err != nil {
			return nil, nil, err
		}
	}
	gone := make([]string, len(list))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for n := range list {
		work := s.missing(&list[n])
		if work == nil {
			continue
		}
		group.Go(func() error {
			err := work(groupCtx)
			if err != nil && refusedObject(err) {
				gone[n] = reason(err)
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	var skipped []source.Skipped
	kept := list[:0]
	for n, w := range list {
		if gone[n] != "" {
			skipped = append(skipped, source.Skipped{ID: w.ID, Reason: gone[n]})
			continue
		}
		order(w.histories)
		kept = append(kept, w)
	}
	return kept, skipped, nil
}

// reason says in constant words why an object could not be had. Jira answers
// 404 both for what is gone and for what is hidden.
func reason(err error) string {
	if status(err) == 0 {
		return "no permission"
	}
	return "deleted or no permission"
}

// order sorts histories by time, then by their number.
func order(histories []wireHistory) {
	slices.SortStableFunc(histories, func(a, b wireHistory) int {
		if c := a.Created.Compare(b.Created.Time); c != 0 {
			return c
		}
		x, errX := strconv.ParseInt(a.ID, 10, 64)
		y, errY := strconv.ParseInt(b.ID, 10, 64)
		if errX != nil || errY != nil {
			return 0
		}
		return cmp.Compare(x, y)
	})
}

// missing returns what fetches the parts of an issue that were cut; nil if
// there are none.
func (s *Source) missing(w *whole) func(context.Context) error {
	var work []func(context.Context) error
	w.comments, w.worklogs = w.list("comment"), w.list("worklog")
	if w.comments.cut() {
		work = append(work, func(ctx context.Context) (err error) {
			w.comments, err = s.entries(ctx, w, "comment")
			return err
		})
	}
	if w.worklogs.cut() {
		work = append(work, func(ctx context.Context) (err error) {
			w.worklogs, err = s.entries(ctx, w, "worklog")
			return err
		})
	}
	if s.cfg.Flavour == DataCenter && w.Changelog.cut() {
		work = append(work, func(ctx context.Context) error { return s.wholeChangelog(ctx, w) })
	}
	if work == nil {
		return nil
	}
	return func(ctx context.Context) error {
		for _, f := range work {
			if err := f(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// list is an embedded list of comments or worklogs; nil if there is none or it
// cannot be read, which loses contributions of one issue at most.
func (w *whole) list(field string) *entryList {
	raw, ok := w.Fields[field]
	if !ok {
		return nil
	}
	var l entryList
	if l.UnmarshalJSON(raw) != nil {
		return &entryList{unreadable: true}
	}
	return &l
}

const (
	// entriesPerRequest is how many comments or worklogs one request asks for.
	entriesPerRequest = 1000
	// maxEntryPages bounds the pages of one issue. Jira lets an issue have some
	// thousand comments or worklogs.
	maxEntryPages = 200
)

// incompleteEntries is why a ticket is marked incomplete whose comments or worklogs
// the server gives only in part.
const incompleteEntries = "comments or worklogs cut by the server"

// entries fetches all comments or worklogs of one issue. Data Center gives
// worklogs all at once and knows no offset there. A server that gives what it gave
// before, whatever the offset, leaves the issue incomplete.
func (s *Source) entries(ctx context.Context, w *whole, kind string) (*entryList, error) {
	all, read, seen := &entryList{}, 0, map[string]bool{}
	for range maxEntryPages {
		query := url.Values{}
		if s.cfg.Flavour == Cloud || kind == "comment" {
			query.Set("startAt", strconv.Itoa(read))
			query.Set("maxResults", strconv.Itoa(entriesPerRequest))
		}
		page, _, err := do[entryList](ctx, s.client, call{method: http.MethodGet, path: "/issue/" + w.ID + "/" + kind, query: query})
		if err != nil {
			return nil, fmt.Errorf("fetching %ss: %w", kind, err)
		}
		page.Total = told(page.Total)
		fresh := 0
		for _, e := range page.entries() {
			if e.ID != "" && seen[e.ID] {
				continue
			}
			seen[e.ID] = true
			all.Comments = append(all.Comments, e)
			fresh++
		}
		read += len(page.entries())
		switch {
		case query.Get("startAt") == "" || len(page.entries()) == 0 || page.Total != nil && read >= *page.Total:
			if page.Total != nil && len(all.Comments) < *page.Total && fresh < len(page.entries()) {
				w.incomplete = incompleteEntries
			}
			return all, nil
		case page.Total == nil && (fresh == 0 || !page.beyond(len(page.entries()))):
			return all, nil
		case fresh == 0:
			w.incomplete = incompleteEntries
			return all, nil
		}
	}
	w.incomplete = incompleteEntries
	return all, nil
}

// incompleteChangelog is why a history is marked incomplete.
const incompleteChangelog = "changelog cut by the server"

// wholeChangelog fetches one Data Center issue again, alone: that gives its
// changelog whole. If it does not, the ticket says so.
func (s *Source) wholeChangelog(ctx context.Context, w *whole) error {
	query := url.Values{"fields": {"updated"}, "expand": {"changelog"}}
	issue, _, err := do[wireIssue](ctx, s.client, call{method: http.MethodGet, path: "/issue/" + w.ID, query: query})
	if err != nil {
		return fmt.Errorf("fetching changelog: %w", err)
	}
	c := issue.Changelog
	if c != nil && (w.Changelog == nil || len(c.Histories) >= len(w.histories)) {
		w.histories = c.Histories
	}
	// Alone it is whole, unless its total says otherwise.
	if c == nil || c.Total != nil && *c.Total > len(c.Histories) {
		w.incomplete = incompleteChangelog
	}
	return nil
}

const (
	// historiesPerRequest is the most that a bulk changelog gives at once.
	historiesPerRequest = 10000
	// maxRenewals bounds how often a bulk changelog whose token has expired is begun
	// again.
	maxRenewals = 3
	// endlessChangelog is why histories are marked incomplete when the page
	// tokens of a bulk changelog never end.
	endlessChangelog = "changelog pages did not end"
)

// bulkHistories fetches the histories of Cloud issues together. Entries come
// by time, so an issue's may be spread over the pages.
func (s *Source) bulkHistories(ctx context.Context, list []whole, effort []wireField, place string) error {
	for chunk := range slices.Chunk(list, maxPage) {
		byID := make(map[string]*whole, len(chunk))
		ids := make([]string, len(chunk))
		for n := range chunk {
			ids[n] = chunk[n].ID
			byID[chunk[n].ID] = &chunk[n]
			chunk[n].histories = nil
		}
		body := map[string]any{"issueIdsOrKeys": ids, "fieldIds": changelogFields(effort), "maxResults": historiesPerRequest}
		tokens, renewed := map[string]bool{}, 0
		seen, idle := map[string]bool{}, 0 // entries, and pages in a row that brought none
		for {
			page, _, err := do[bulkChangelogAnswer](ctx, s.client, call{method: http.MethodPost, path: "/changelog/bulkfetch", body: body, place: place})
			if status(err) == http.StatusBadRequest && body["nextPageToken"] != nil && renewed < maxRenewals {
				// The token has expired. What came before it comes again.
				renewed++
				delete(body, "nextPageToken")
				clear(tokens)
				continue
			}
			if err != nil {
				return fmt.Errorf("fetching changelogs: %w", err)
			}
			idle++
			for _, c := range page.IssueChangeLogs {
				w := byID[c.IssueID]
				if w == nil {
					continue
				}
				for _, h := range c.ChangeHistories {
					if entry := c.IssueID + " " + h.ID; h.ID == "" || !seen[entry] {
						seen[entry] = true
						idle = 0
						w.histories = append(w.histories, h)
					}
				}
			}
			if page.NextPageToken == "" {
				break
			}
			if tokens[page.NextPageToken] || idle >= maxIdle {
				for n := range chunk {
					chunk[n].incomplete = endlessChangelog
				}
				break
			}
			tokens[page.NextPageToken] = true
			body["nextPageToken"] = page.NextPageToken
		}
	}
	return nil
}

// staleFor is how recent a change must be for a search that does not show it
// to be taken for a lagging index. Older contradictions are in the data: logs
// and imports have entries later than the issue's update time.
const staleFor = time.Hour

// stale lists the Cloud issues that the search showed as they were before the
// last change in their history.
func stale(list []whole, now time.Time) []string {
	var ids []string
	for n := range list {
		h := list[n].histories
		if len(h) == 0 {
			continue
		}
		latest := h[len(h)-1].Created.Time
		if latest.After(list[n].updated().Add(time.Second)) && now.Sub(latest) < staleFor {
			ids = append(ids, list[n].ID)
		}
	}
	return ids
}
