package jira

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fairlead/connectors/source"
)

// Check implements source.Source. It sends about eight requests, and one more
// for each project of the allow-list.
func (s *Source) Check(ctx context.Context) (source.Report, error) {
	var r source.Report
	me, _, err := do[wireUser](ctx, s.client, call{method: http.MethodGet, path: "/myself"})
	if err != nil {
		return r, fmt.Errorf("checking %s: %w", s.name, err)
	}
	add := func(level source.Level, what, format string, args ...any) {
		r.Facts = append(r.Facts, source.Fact{Level: level, What: what, Says: fmt.Sprintf(format, args...)})
	}
	add(source.LevelOK, "account", "signed in as %s", me.DisplayName)
	if zone := zoneOf(me.TimeZone); zone != nil {
		add(source.LevelOK, "time zone", "%s", me.TimeZone)
	} else {
		add(source.LevelWarning, "time zone", "the account shows none (%q), so every poll reads a day more; set one in its profile", me.TimeZone)
	}
	s.checkServer(ctx, add)
	s.checkProjects(ctx, add)
	s.checkFields(ctx, add)
	s.checkIssues(ctx, add)
	return r, ctx.Err()
}

type addFact func(level source.Level, what, format string, args ...any)

// maxSkew is how far two clocks may be apart without a word.
const maxSkew = time.Minute

func (s *Source) checkServer(ctx context.Context, add addFact) {
	info, _, err := do[struct {
		Version        string `json:"version"`
		DeploymentType string `json:"deploymentType"`
		VersionNumbers []int  `json:"versionNumbers"`
		ServerTime     stamp  `json:"serverTime"`
	}](ctx, s.client, call{method: http.MethodGet, path: "/serverInfo"})
	if err != nil {
		add(source.LevelWarning, "version", "unknown: %v", err)
		return
	}
	isCloud := strings.EqualFold(info.DeploymentType, "cloud")
	switch v := info.VersionNumbers; {
	case isCloud && s.cfg.Flavour == DataCenter:
		add(source.LevelFailed, "version", "the site is Jira Cloud; set flavour: cloud")
	case !isCloud && info.DeploymentType != "" && s.cfg.Flavour == Cloud:
		add(source.LevelFailed, "version", "the site is Jira %s %s; set flavour: datacenter", info.DeploymentType, info.Version)
	case s.cfg.Flavour == DataCenter && len(v) > 1 && (v[0] < 8 || v[0] == 8 && v[1] < 14):
		add(source.LevelWarning, "version", "%s; personal access tokens came with 8.14, older ones are not tested", info.Version)
	default:
		add(source.LevelOK, "version", "Jira %s %s", info.DeploymentType, info.Version)
	}
	if skew := s.clock().Sub(info.ServerTime.Time).Abs(); !info.ServerTime.IsZero() && skew > maxSkew {
		add(source.LevelWarning, "clock", "the site's clock and ours differ by %s; correct ours if it is wrong", skew.Round(time.Second))
	}
}

func (s *Source) checkProjects(ctx context.Context, add addFact) {
	if len(s.cfg.Projects) == 0 {
		n, err := s.visibleProjects(ctx)
		switch {
		case err != nil:
			add(source.LevelWarning, "projects", "cannot be listed: %v", err)
		case n == 0:
			add(source.LevelFailed, "projects", "none is visible; give the account the permission Browse projects")
		default:
			add(source.LevelWarning, "projects", "%d are visible and all are collected; list those that should be in projects", n)
		}
		return
	}
	var missing []string
	for _, p := range s.cfg.Projects {
		_, _, err := do[wireNamed](ctx, s.client, call{method: http.MethodGet, path: "/project/" + url.PathEscape(p)})
		switch {
		case err != nil && refusedObject(err):
			missing = append(missing, p)
		case err != nil:
			add(source.LevelWarning, "projects", "%s cannot be asked for: %v", p, err)
			return
		}
	}
	if len(missing) > 0 {
		add(source.LevelFailed, "projects", "%d of %d cannot be seen: %s; give the account Browse projects there, or correct projects", len(missing), len(s.cfg.Projects), strings.Join(missing, ", "))
		return
	}
	add(source.LevelOK, "projects", "all %d of the allow-list are visible", len(s.cfg.Projects))
}

func (s *Source) visibleProjects(ctx context.Context) (int, error) {
	if s.cfg.Flavour == DataCenter {
		list, _, err := do[listOf[wireNamed]](ctx, s.client, call{method: http.MethodGet, path: "/project"})
		return len(list), err
	}
	page, _, err := do[struct {
		Total int `json:"total"`
	}](ctx, s.client, call{method: http.MethodGet, path: "/project/search", query: url.Values{"maxResults": {"1"}}})
	return page.Total, err
}

func (s *Source) checkFields(ctx context.Context, add addFact) {
	effort, err := s.effortFields(ctx)
	switch {
	case err != nil:
		add(source.LevelFailed, "effort", "%v", err)
	case len(effort) == 0 && s.cfg.EffortField == "none":
		add(source.LevelOK, "effort", "not collected, as configured")
	case len(effort) == 0:
		add(source.LevelWarning, "effort", "no field of story points was found; name one in effort_field if there is one")
	default:
		var ids []string
		for _, f := range effort {
			ids = append(ids, f.ID+" ("+f.Name+")")
		}
		add(source.LevelOK, "effort", "%s", strings.Join(ids, ", "))
	}
}

// checkSample is how many issues are looked at.
const checkSample = 20

// checkIssues counts what a first collection brings, and looks at the issues
// that changed last: whether people's e-mail addresses and histories show.
func (s *Source) checkIssues(ctx context.Context, add addFact) {
	where := and(s.scope, `updated >= "`+literal(beginning)+`"`)
	jql := where + " ORDER BY updated DESC"
	fields := []string{"assignee", "created", "updated"}
	var answer searchAnswer
	var total int
	var err error
	if s.cfg.Flavour == Cloud {
		if answer, _, err = do[searchAnswer](ctx, s.client, call{method: http.MethodPost, path: "/search/jql", body: map[string]any{
			"jql": jql, "fields": fields, "maxResults": checkSample,
		}}); err == nil {
			if total, err = s.count(ctx, where); err != nil {
				total, err = -1, nil
			}
		}
	} else {
		answer, _, err = do[searchAnswer](ctx, s.client, call{method: http.MethodPost, path: "/search", body: map[string]any{
			"jql": jql, "fields": fields, "maxResults": checkSample, "expand": []string{"changelog"},
		}})
		total = -1
		if answer.Total != nil {
			total = *answer.Total
		}
	}
	switch {
	case err != nil:
		add(source.LevelFailed, "tickets visible", "the search was refused; check projects and jql: %v", err)
		return
	case len(answer.Issues) == 0:
		add(source.LevelFailed, "tickets visible", "none; give the account Browse projects, or correct projects and jql")
		return
	case total < 0:
		add(source.LevelWarning, "tickets visible", "some, but they cannot be counted")
	default:
		requests := (total + s.cfg.requestSize() - 1) / s.cfg.requestSize()
		if s.cfg.Flavour == Cloud {
			requests += (total + s.cfg.pageSize() - 1) / s.cfg.pageSize()
		}
		add(source.LevelOK, "tickets visible", "about %d; a first collection of all takes about %d requests", total, requests+10)
	}
	s.checkHistories(ctx, answer.Issues, add)
	checkEmails(answer.Issues, add)
}

func (s *Source) checkHistories(ctx context.Context, issues []wireIssue, add addFact) {
	list := make([]whole, len(issues))
	changed, withHistory := 0, 0
	for n, i := range issues {
		list[n] = whole{wireIssue: i}
		if i.Changelog != nil {
			list[n].histories = i.Changelog.Histories
		}
	}
	if s.cfg.Flavour == Cloud {
		ids := make([]string, len(issues))
		for n, i := range issues {
			ids[n] = i.ID
		}
		page, _, err := do[bulkChangelogAnswer](ctx, s.client, call{method: http.MethodPost, path: "/changelog/bulkfetch", body: map[string]any{"issueIdsOrKeys": ids}})
		if err != nil {
			add(source.LevelFailed, "history", "changelogs cannot be read: %v", err)
			return
		}
		withHistory = len(page.IssueChangeLogs)
	}
	for _, w := range list {
		if len(w.histories) > 0 {
			withHistory++
		}
		var created stamp
		if raw, ok := w.Fields["created"]; ok && created.UnmarshalJSON(raw) == nil && w.updated().After(created.Add(time.Minute)) {
			changed++
		}
	}
	if withHistory == 0 && changed > 0 {
		add(source.LevelWarning, "history", "%d issues were changed after they were created, and none shows a changelog; something withholds it", changed)
		return
	}
	add(source.LevelOK, "history", "changelogs are readable (%d of the %d issues that changed last have one)", withHistory, len(issues))
}

func checkEmails(issues []wireIssue, add addFact) {
	people, emails := 0, 0
	for _, i := range issues {
		p, err := i.person("assignee")
		if err != nil || p == nil {
			continue
		}
		people++
		if p.EmailAddress != "" {
			emails++
		}
	}
	switch {
	case people == 0:
		add(source.LevelOK, "e-mail addresses", "not known: none of the issues that changed last is assigned")
	case emails == 0:
		add(source.LevelWarning, "e-mail addresses", "hidden; people are then joined across sources by an explicit map only (on Cloud the profile's visibility setting decides)")
	default:
		add(source.LevelOK, "e-mail addresses", "visible for %d of %d", emails, people)
	}
}
