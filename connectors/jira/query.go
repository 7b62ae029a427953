package jira

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"fairlead/connectors/source"
)

// beginning is before any issue. Cloud refuses a query without a restriction,
// so there is always one on the update time.
var beginning = time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)

// recentDays divides the recent from the older of the closed issues.
const recentDays = 90

// query is which issues a stream reads: a scope, and from which wall-clock
// minute on.
type query struct {
	scope string    // conditions, joined by AND; may be empty
	lower time.Time // wall clock
}

// streamQuery is the query of a stream from a cursor. The backfill streams
// partition the issues by their state at cursor.Start; an issue that changes
// meanwhile leaves its stream's order or its stream, and comes in the
// incremental one.
func (s *Source) streamQuery(stream source.Stream, from source.Cursor, cal calendar) query {
	q := query{scope: s.scope, lower: beginning}
	since := beginning
	if !s.since.IsZero() {
		since = cal.floor(s.since)
	}
	// One literal parts the streams, however Jira reads it. While the zone is
	// unknown they overlap, since it may be known when the other is read.
	divide := from.Start.AddDate(0, 0, -recentDays)
	older := cal.floor(divide)
	if cal.zone == nil {
		older = cal.ceil(divide)
	}
	switch stream {
	case source.StreamOpen:
		q.scope = and(q.scope, "statusCategory != Done")
	case source.StreamRecent:
		q.scope = and(q.scope, "statusCategory = Done")
		q.lower = later(since, cal.floor(divide))
	case source.StreamOlder:
		q.scope = and(q.scope, "statusCategory = Done", `updated < "`+literal(older)+`"`)
		q.lower = since
	default:
		q.lower = cal.floor(from.Start.Add(-s.cfg.Overlap))
	}
	if !from.Updated.IsZero() {
		at := from.Updated
		if stream == source.StreamIncremental {
			at = at.Add(-s.cfg.Overlap)
			q.lower = cal.floor(at)
		} else {
			q.lower = later(q.lower, cal.floor(at))
		}
	}
	return q
}

// scopeVersion goes up when this connector makes something else of the same issues,
// so that what an older one stored is collected again.
const scopeVersion = 1

// Scope implements source.Scoped: what is collected, and what is made of it. How
// and by whom it is read makes no difference.
func (s *Source) Scope() string {
	names := func(m map[string]string) map[string]string {
		lower := make(map[string]string, len(m))
		for name, value := range m {
			lower[strings.ToLower(name)] = value
		}
		return lower
	}
	kinds, statuses := map[string]string{}, map[string]string{}
	for name, kind := range s.cfg.Kinds {
		kinds[name] = string(kind)
	}
	for name, category := range s.cfg.Statuses {
		statuses[name] = string(category)
	}
	content, err := json.Marshal(struct {
		Version          int
		Flavour          Flavour
		Projects         []string
		JQL, EffortField string
		Kinds, Statuses  map[string]string

		Unplanned, Planned, OnCall Rule
		Bots                       []string
	}{
		scopeVersion, s.cfg.Flavour, slices.Compact(slices.Sorted(slices.Values(s.cfg.Projects))),
		strings.TrimSpace(s.cfg.JQL), s.cfg.EffortField, names(kinds), names(statuses),
		s.cfg.Unplanned, s.cfg.Planned, s.cfg.OnCall,
		slices.Compact(slices.Sorted(slices.Values(s.cfg.Bots))),
	})
	if err != nil {
		panic(err) // strings, lists and maps of strings
	}
	return string(content)
}

// scope is what the configuration allows, as JQL.
func scope(cfg Config) string {
	var parts []string
	if len(cfg.Projects) > 0 {
		quoted := make([]string, len(cfg.Projects))
		for n, p := range cfg.Projects {
			quoted[n] = `"` + p + `"`
		}
		parts = append(parts, "project in ("+strings.Join(quoted, ", ")+")")
	}
	if jql := strings.TrimSpace(cfg.JQL); jql != "" {
		parts = append(parts, "("+jql+")")
	}
	return and(parts...)
}

// jql writes the query from its lower minute on, to before the upper one if
// that is not zero. By update time, so that what is edited while we read moves
// behind us, never ahead unseen; then by key, since many issues share a
// millisecond after a bulk edit, and only a total order can be paged through.
// (JQL cannot order by id.)
func (q query) jql(lower, upper time.Time) string {
	where := and(q.scope, `updated >= "`+literal(lower)+`"`)
	if !upper.IsZero() {
		where = and(where, `updated < "`+literal(upper)+`"`)
	}
	return where + " ORDER BY updated ASC, key ASC"
}

func literal(wall time.Time) string { return wall.Format("2006/01/02 15:04") }

func and(parts ...string) string {
	var present []string
	for _, p := range parts {
		if p != "" {
			present = append(present, p)
		}
	}
	return strings.Join(present, " AND ")
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
