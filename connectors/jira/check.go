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

// Check implements source.Source. It sends about nine requests, and one more
// for each project of the allow-list.
func (s *Source) Check(ctx context.Context) (source.Report, error) {
	var r source.Report
	me, header, err := do[wireUser](ctx, s.client, call{method: http.MethodGet, path: "/myself"})
	hidden := status(err) == http.StatusNotFound
	if err != nil && !hidden {
		return r, fmt.Errorf("checking %s: %w", s.name, err)
	}
	add := func(level source.Level, what, format string, args ...any) {
		r.Facts = append(r.Facts, source.Fact{Level: level, What: what, Says: fmt.Sprintf(format, args...)})
	}
	if hidden {
		// Something before Jira lets only some of its resources through.
		add(source.LevelWarning, "account", "unknown: %v", err)
		add(source.LevelWarning, "time zone", "unknown, so every poll reads a day more; let requests for /%s/myself through", s.client.api)
	} else {
		add(source.LevelOK, "account", "signed in as %s", me.DisplayName)
		checkZone(me.TimeZone, add)
	}
	s.checkServer(ctx, add)
	s.checkPermissions(ctx, add)
	s.checkProjects(ctx, add)
	s.checkFields(ctx, add)
	s.checkIssues(ctx, add)
	checkLimit(header, add)
	return r, ctx.Err()
}

func checkZone(name string, add addFact) {
	if zoneOf(name) == nil {
		add(source.LevelWarning, "time zone", "the account shows none (%q), so every poll reads a day more; set one in its profile", name)
		return
	}
	add(source.LevelOK, "time zone", "%s", name)
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

// beyondReading are permissions that Fairlead never uses, by what they allow. The
// first three say that an account is an administrator's.
var beyondReading = []struct{ key, allows string }{
	{"SYSTEM_ADMIN", "administer the system"}, {"ADMINISTER", "administer Jira"}, {"ADMINISTER_PROJECTS", "administer projects"},
	{"CREATE_ISSUES", "create issues"}, {"EDIT_ISSUES", "edit issues"}, {"DELETE_ISSUES", "delete issues"},
}

const administrators = 3 // of beyondReading

// checkPermissions asks what the account may do: that it may browse, and what it
// need not.
func (s *Source) checkPermissions(ctx context.Context, add addFact) {
	keys := []string{"BROWSE_PROJECTS"}
	for _, p := range beyondReading {
		keys = append(keys, p.key)
	}
	ask := call{method: http.MethodGet, path: "/mypermissions"}
	if s.cfg.Flavour == Cloud {
		ask.query = url.Values{"permissions": {strings.Join(keys, ",")}} // Cloud wants to be told
	}
	answer, _, err := do[struct {
		Permissions map[string]struct {
			Have bool `json:"havePermission"`
		} `json:"permissions"`
	}](ctx, s.client, ask)
	if err != nil {
		add(source.LevelWarning, "permissions", "unknown: %v", err)
		return
	}
	if browse, told := answer.Permissions["BROWSE_PROJECTS"]; told && !browse.Have {
		add(source.LevelFailed, "permissions", "the account may browse no project; give it the permission Browse projects in those that are to be collected")
		return
	}
	var more []string
	level := source.LevelOK
	for n, p := range beyondReading {
		if answer.Permissions[p.key].Have {
			more = append(more, p.allows)
			if n < administrators {
				level = source.LevelWarning
			}
		}
	}
	switch {
	case len(more) == 0:
		add(level, "permissions", "the account may browse, and change nothing")
	case level == source.LevelOK:
		add(level, "permissions", "the account may browse; it may also %s, which Fairlead never does", strings.Join(more, ", "))
	default:
		add(level, "permissions", "the account may also %s; use one that may only browse", strings.Join(more, ", "))
	}
}

// checkLimit says what the site's answers tell of its rate limit: Data Center's
// bucket, Cloud's points, or nothing.
func checkLimit(header http.Header, add addFact) {
	left, limit := header.Get("X-RateLimit-Remaining"), header.Get("X-RateLimit-Limit")
	points := header.Get("RateLimit")
	switch {
	case left != "" && limit != "":
		add(source.LevelOK, "rate limit", "%s of %s requests are left at once", left, limit)
	case left != "":
		add(source.LevelOK, "rate limit", "%s requests are left at once", left)
	case points != "":
		add(source.LevelOK, "rate limit", "%s", points)
	default:
		add(source.LevelOK, "rate limit", "the site tells none; Fairlead slows down when it is told to")
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
	if !s.since.IsZero() {
		cal, err := s.calendar(ctx)
		if err != nil {
			cal = calendar{}
		}
		where = and(s.scope, `(statusCategory != Done OR updated >= "`+literal(cal.floor(s.since))+`")`)
	}
	asked := s.clock()
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
		answer, err = s.client.search(ctx, offsetSearch{jql: jql, size: checkSample, fields: fields, expand: []string{"changelog"}})
		total = -1
		if answer.Total != nil {
			total = *answer.Total
		}
	}
	took := s.clock().Sub(asked)
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
		requests += 10
		add(source.LevelOK, "tickets visible", "about %d; a first collection takes about %d requests, %s", total, requests, s.duration(requests, total, took))
	}
	s.checkHistories(ctx, answer.Issues, add)
	checkEmails(answer.Issues, add)
}

// duration says how long so many requests take for so many issues, by the time that
// the sample of checkSample issues took: a page takes longer for its issues, and
// never less than an answer takes.
func (s *Source) duration(requests, total int, took time.Duration) string {
	d := max(time.Duration(requests)*took, time.Duration(total)*took/checkSample)
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return fmt.Sprintf("about %d minutes", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("about %d hours", int(d.Round(time.Hour).Hours()))
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
	people, emails, masked := 0, 0, 0
	for _, i := range issues {
		p, err := i.person("assignee")
		if err != nil || p == nil {
			continue
		}
		people++
		switch {
		case p.email() != "":
			emails++
		case p.EmailAddress != "":
			masked++
		}
	}
	switch {
	case people == 0:
		add(source.LevelOK, "e-mail addresses", "not known: none of the issues that changed last is assigned")
	case masked > 0:
		add(source.LevelWarning, "e-mail addresses", "masked; set User email visibility to public or logged in users only, or people are joined across sources by an explicit map only")
	case emails == 0:
		add(source.LevelWarning, "e-mail addresses", "hidden; people are then joined across sources by an explicit map only (on Cloud the profile's visibility setting decides)")
	default:
		add(source.LevelOK, "e-mail addresses", "visible for %d of %d", emails, people)
	}
}
