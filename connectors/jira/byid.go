package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"fairlead/connectors/source"
)

const (
	// fetchedAtOnce is how many issues Cloud gives by id in one request,
	// reconciledAtOnce how many a search sees past its lag.
	fetchedAtOnce    = 100
	reconciledAtOnce = 50
)

// fetch gets single issues, whole, past any lagging index. Those that are gone
// or hidden are Skipped.
func (s *Source) fetch(ctx context.Context, ids []string, effort []wireField) ([]whole, []source.Skipped, error) {
	var skipped []source.Skipped
	valid := make([]string, 0, len(ids))
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if isID(id) {
			valid = append(valid, id)
		} else {
			skipped = append(skipped, source.Skipped{ID: id, Reason: "not an issue id"})
		}
	}
	var issues []wireIssue
	var err error
	if s.cfg.Flavour == Cloud {
		issues, err = s.fetchCloud(ctx, valid, effort)
	} else {
		issues, err = s.fetchSingly(ctx, valid, effort)
	}
	if err != nil {
		return nil, nil, err
	}
	found := map[string]bool{}
	for _, i := range issues {
		found[i.ID] = true
	}
	for _, id := range valid {
		if !found[id] {
			skipped = append(skipped, source.Skipped{ID: id, Reason: "deleted or no permission"})
		}
	}
	issues, outside, err := s.included(ctx, issues)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range outside {
		skipped = append(skipped, source.Skipped{ID: id, Reason: "gone from what is collected"})
	}
	list, more, err := s.complete(ctx, issues, effort, "by id")
	return list, append(skipped, more...), err
}

// included parts the issues that the configuration includes from the ids of the
// others: an issue can be moved out of the allow-list, and the list be shortened.
// Projects are compared here, and JQL is asked for.
func (s *Source) included(ctx context.Context, issues []wireIssue) (inside []wireIssue, outside []string, err error) {
	if s.scope == "" || len(issues) == 0 {
		return issues, nil, nil
	}
	allowed := make(map[string]bool, len(s.cfg.Projects))
	for _, p := range s.cfg.Projects {
		allowed[strings.ToUpper(p)] = true
	}
	var ids []string
	for _, i := range issues {
		var project wireNamed
		if raw, ok := i.Fields["project"]; ok && json.Unmarshal(raw, &project) != nil {
			project = wireNamed{}
		}
		// One that cannot be told is kept: it is refused as unreadable later.
		if len(allowed) > 0 && project.ID != "" && !allowed[project.ID] && !allowed[strings.ToUpper(project.Key)] {
			outside = append(outside, i.ID)
			continue
		}
		inside = append(inside, i)
		ids = append(ids, i.ID)
	}
	if strings.TrimSpace(s.cfg.JQL) == "" || len(inside) == 0 {
		return inside, outside, nil
	}
	matching, err := s.matching(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	inside = slices.DeleteFunc(inside, func(i wireIssue) bool {
		if !matching[i.ID] {
			outside = append(outside, i.ID)
		}
		return !matching[i.ID]
	})
	return inside, outside, nil
}

// matching are those of the ids that the configured scope includes. They were
// there a moment ago; where Jira refuses the query since one is gone by now, it is
// halved until that one is alone, which then is left to the next time.
func (s *Source) matching(ctx context.Context, ids []string) (map[string]bool, error) {
	found := make(map[string]bool, len(ids))
	for chunk := range slices.Chunk(ids, reconciledAtOnce) {
		answer, err := s.matchingOf(ctx, and(s.scope, "id in ("+strings.Join(chunk, ", ")+")")+" ORDER BY key ASC", chunk)
		switch {
		case status(err) == http.StatusBadRequest && len(chunk) > 1:
			half := len(chunk) / 2
			for _, part := range [][]string{chunk[:half], chunk[half:]} {
				more, err := s.matching(ctx, part)
				if err != nil {
					return nil, err
				}
				maps.Copy(found, more)
			}
		case status(err) == http.StatusBadRequest:
			found[chunk[0]] = true
		case err != nil:
			return nil, fmt.Errorf("asking which issues are included: %w", err)
		default:
			for _, i := range answer.Issues {
				found[i.ID] = true
			}
		}
	}
	return found, nil
}

func (s *Source) matchingOf(ctx context.Context, jql string, ids []string) (searchAnswer, error) {
	if s.cfg.Flavour == DataCenter {
		return s.client.search(ctx, offsetSearch{jql: jql, size: reconciledAtOnce, fields: []string{"updated"}})
	}
	numbers := make([]int64, len(ids))
	for n, id := range ids {
		numbers[n], _ = strconv.ParseInt(id, 10, 64) // came from Jira
	}
	body := map[string]any{"jql": jql, "maxResults": reconciledAtOnce, "fields": []string{"id"}, "reconcileIssues": numbers}
	answer, _, err := do[searchAnswer](ctx, s.client, call{method: http.MethodPost, path: "/search/jql", body: body})
	return answer, err
}

// fetchCloud reads from Jira's database by issue/bulkfetch, which leaves out
// what is not there. Where a site does not offer it, a search reconciles the
// ids with its index.
func (s *Source) fetchCloud(ctx context.Context, ids []string, effort []wireField) ([]wireIssue, error) {
	var issues []wireIssue
	for chunk := range slices.Chunk(ids, fetchedAtOnce) {
		body := map[string]any{"issueIdsOrKeys": chunk, "fields": s.rules.fields(effort)}
		answer, _, err := do[searchAnswer](ctx, s.client, call{method: http.MethodPost, path: "/issue/bulkfetch", body: body})
		if code := status(err); code == http.StatusNotFound || code == http.StatusMethodNotAllowed {
			return s.reconcile(ctx, ids, effort)
		}
		if err != nil {
			return nil, fmt.Errorf("fetching issues: %w", err)
		}
		issues = append(issues, answer.Issues...)
	}
	return asked(issues, ids), nil
}

// asked are the issues of these ids, each once.
func asked(issues []wireIssue, ids []string) []wireIssue {
	open := make(map[string]bool, len(ids))
	for _, id := range ids {
		open[id] = true
	}
	return slices.DeleteFunc(issues, func(i wireIssue) bool {
		wanted := open[i.ID]
		delete(open, i.ID)
		return !wanted
	})
}

// reconcile searches for ids with strong consistency. A query that names an id
// which is gone is refused whole, so such a one is halved until the culprit is
// alone.
func (s *Source) reconcile(ctx context.Context, ids []string, effort []wireField) ([]wireIssue, error) {
	var issues []wireIssue
	for chunk := range slices.Chunk(ids, reconciledAtOnce) {
		numbers := make([]int64, len(chunk))
		for n, id := range chunk {
			numbers[n], _ = strconv.ParseInt(id, 10, 64) // checked by isID
		}
		body := map[string]any{
			"jql": "id in (" + strings.Join(chunk, ", ") + ") ORDER BY key ASC", "fields": s.rules.fields(effort),
			"maxResults": reconciledAtOnce, "reconcileIssues": numbers,
		}
		answer, _, err := do[searchAnswer](ctx, s.client, call{method: http.MethodPost, path: "/search/jql", body: body})
		switch {
		case status(err) == http.StatusBadRequest && len(chunk) > 1:
			half := len(chunk) / 2
			for _, part := range [][]string{chunk[:half], chunk[half:]} {
				more, err := s.reconcile(ctx, part, effort)
				if err != nil {
					return nil, err
				}
				issues = append(issues, more...)
			}
		case status(err) == http.StatusBadRequest:
		case err != nil:
			return nil, fmt.Errorf("fetching issues: %w", err)
		default:
			issues = append(issues, answer.Issues...)
		}
	}
	return issues, nil
}

// fetchSingly reads Data Center issues one by one: a search for an id that is
// gone would be refused whole.
func (s *Source) fetchSingly(ctx context.Context, ids []string, effort []wireField) ([]wireIssue, error) {
	found := make([]*wireIssue, len(ids))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	query := url.Values{"fields": {strings.Join(s.rules.fields(effort), ",")}, "expand": {"changelog"}}
	for n, id := range ids {
		group.Go(func() error {
			issue, _, err := do[wireIssue](groupCtx, s.client, call{method: http.MethodGet, path: "/issue/" + id, query: query})
			if status(err) == http.StatusNotFound || errors.Is(err, source.ErrForbidden) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("fetching issue: %w", err)
			}
			if issue.ID != id {
				return fmt.Errorf("fetching issue: %w: asked for one, and another came", source.ErrUnreadable)
			}
			found[n] = &issue
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var issues []wireIssue
	for _, i := range found {
		if i != nil {
			issues = append(issues, *i)
		}
	}
	return issues, nil
}
