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
			w.comments, err = s.entries(ctx, w.ID, "comment")
			return err
		})
	}
	if w.worklogs.cut() {
		work = append(work, func(ctx context.Context) (err error) {
			w.worklogs, err = s.entries(ctx, w.ID, "worklog")
			return err
		})
	}
	if c := w.Changelog; s.cfg.Flavour == DataCenter && (c == nil || c.Total > len(c.Histories)) {
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
		return &entryList{Total: 1} // so that it is fetched by itself
	}
	return &l
}

// entriesPerRequest is how many comments or worklogs one request asks for.
const entriesPerRequest = 1000

// entries fetches all comments or worklogs of one issue. Data Center gives
// worklogs all at once and knows no offset there.
func (s *Source) entries(ctx context.Context, id, kind string) (*entryList, error) {
	all := &entryList{}
	for {
		query := url.Values{}
		if s.cfg.Flavour == Cloud || kind == "comment" {
			query.Set("startAt", strconv.Itoa(all.Total))
			query.Set("maxResults", strconv.Itoa(entriesPerRequest))
		}
		page, _, err := do[entryList](ctx, s.client, call{method: http.MethodGet, path: "/issue/" + id + "/" + kind, query: query})
		if err != nil {
			return nil, fmt.Errorf("fetching %ss: %w", kind, err)
		}
		all.Comments = append(all.Comments, page.entries()...)
		all.Total += len(page.entries())
		if len(page.entries()) == 0 || all.Total >= page.Total || query.Get("startAt") == "" {
			return all, nil
		}
	}
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
	if c == nil || c.Total > len(c.Histories) {
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
			for _, c := range page.IssueChangeLogs {
				if w := byID[c.IssueID]; w != nil {
					w.histories = append(w.histories, c.ChangeHistories...)
				}
			}
			if page.NextPageToken == "" {
				break
			}
			if tokens[page.NextPageToken] {
				for n := range chunk {
					chunk[n].incomplete = endlessChangelog
				}
				break
			}
			tokens[page.NextPageToken] = true
			body["nextPageToken"] = page.NextPageToken
		}
		for n := range chunk {
			chunk[n].histories = distinct(chunk[n].histories)
		}
	}
	return nil
}

// distinct drops entries that came twice.
func distinct(histories []wireHistory) []wireHistory {
	seen := make(map[string]bool, len(histories))
	return slices.DeleteFunc(histories, func(h wireHistory) bool {
		again := h.ID != "" && seen[h.ID]
		seen[h.ID] = true
		return again
	})
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
