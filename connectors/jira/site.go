package jira

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"fairlead/connectors/source"
)

// site is what was learnt of the site and is kept between requests.
type site struct {
	mu       sync.Mutex
	cal      calendar
	calAt    time.Time // when the account's zone was last asked for
	effort   []wireField
	fieldsAt time.Time
	statuses map[string]wireStatus
	statusAt time.Time
	projects map[string]string // keys by id; "" is not to be had
}

const (
	// zoneAge is how long the account's zone is believed: its owner can change
	// it. It is short beside the overlap's purpose, and a poll in the wrong
	// zone finds too much, or nothing and so moves no cursor.
	zoneAge = 10 * time.Minute
	// catalogueAge is how long the site's fields and statuses are believed.
	catalogueAge = time.Hour
)

// calendar returns the account's. If the zone cannot be had, it is not guessed:
// the calendar then allows for any.
func (s *Source) calendar(ctx context.Context) (calendar, error) {
	s.site.mu.Lock()
	defer s.site.mu.Unlock()
	now := s.clock()
	if !s.site.calAt.IsZero() && now.Sub(s.site.calAt) < zoneAge {
		return s.site.cal, nil
	}
	me, _, err := do[wireUser](ctx, s.client, call{method: http.MethodGet, path: "/myself"})
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, source.ErrUnauthorized) || errors.Is(err, source.ErrUnreachable) {
			return calendar{}, fmt.Errorf("asking for the account's time zone: %w", err)
		}
		s.log.LogAttrs(ctx, slog.LevelWarn, "account's time zone unknown, reading a day more", slog.String("error", err.Error()))
		return calendar{}, nil
	}
	s.setZone(ctx, me.TimeZone, now)
	return s.site.cal, nil
}

// setZone is called with site.mu held.
func (s *Source) setZone(ctx context.Context, name string, now time.Time) {
	zone := zoneOf(name)
	if zone == nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "account's time zone unknown, reading a day more")
	}
	s.site.cal, s.site.calAt = calendar{zone}, now
}

// zoneOf loads an IANA zone; nil if it is not one. "Local" and "" would be a
// guess.
func zoneOf(name string) *time.Location {
	if name == "" || strings.EqualFold(name, "local") {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return zone
}

// pointsSchema is the type of Jira Software's own story points.
const (
	pointsSchema = "com.pyxis.greenhopper.jira:jsw-story-points"
	floatSchema  = "com.atlassian.jira.plugin.system.customfieldtypes:float"
)

// effortFields returns the fields that may hold a ticket's effort, the best
// first: the configured one; else those of the story points' own type; else
// number fields that are named so, which is what company-managed projects and
// Data Center have.
func (s *Source) effortFields(ctx context.Context) ([]wireField, error) {
	if s.cfg.EffortField == "none" {
		return nil, nil
	}
	s.site.mu.Lock()
	defer s.site.mu.Unlock()
	now := s.clock()
	if !s.site.fieldsAt.IsZero() && now.Sub(s.site.fieldsAt) < catalogueAge {
		return s.site.effort, nil
	}
	fields, _, err := do[listOf[wireField]](ctx, s.client, call{method: http.MethodGet, path: "/field"})
	if status(err) == http.StatusNotFound {
		// Something before Jira lets only some of its resources through. By its id
		// a field can be had all the same.
		s.log.LogAttrs(ctx, slog.LevelWarn, "fields cannot be listed")
		fields, err = nil, nil
		if s.cfg.EffortField != "" {
			fields = listOf[wireField]{{ID: s.cfg.EffortField}}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listing fields: %w", err)
	}
	effort, err := chooseEffort(fields, s.cfg.EffortField)
	if err != nil {
		return nil, err
	}
	s.site.effort, s.site.fieldsAt = effort, now
	return effort, nil
}

// maxEffortFields leaves room among the ten fields of a bulk changelog.
const maxEffortFields = 3

func chooseEffort(fields []wireField, configured string) ([]wireField, error) {
	var bySchema, byName []wireField
	for _, f := range fields {
		name := strings.ToLower(f.Name)
		switch {
		case configured != "":
			if f.ID == configured {
				return []wireField{f}, nil
			}
		case f.Schema.Custom == pointsSchema:
			bySchema = append(bySchema, f)
		case f.Schema.Custom == floatSchema && (name == "story points" || name == "story point estimate"):
			byName = append(byName, f)
		}
	}
	if configured != "" {
		return nil, fmt.Errorf("effort_field: the site has no field %s that the account sees; correct it, or write none", configured)
	}
	chosen := append(bySchema, byName...)
	return chosen[:min(len(chosen), maxEffortFields)], nil
}

// statusList returns the site's statuses by id, asking again for one that is
// unknown if the last answer is not fresh.
func (s *Source) statusList(ctx context.Context, wanted map[string]bool) (map[string]wireStatus, error) {
	s.site.mu.Lock()
	defer s.site.mu.Unlock()
	now := s.clock()
	age := now.Sub(s.site.statusAt)
	missing := false
	for id := range wanted {
		if _, ok := s.site.statuses[id]; !ok {
			missing = true
		}
	}
	if s.site.statuses != nil && age < catalogueAge && (!missing || age < zoneAge) {
		return s.site.statuses, nil
	}
	list, _, err := do[listOf[wireStatus]](ctx, s.client, call{method: http.MethodGet, path: "/status"})
	if err != nil && status(err) != http.StatusNotFound {
		return nil, fmt.Errorf("listing statuses: %w", err)
	}
	statuses := make(map[string]wireStatus, len(list))
	for _, st := range list {
		statuses[st.ID] = st
	}
	s.site.statuses, s.site.statusAt = statuses, now
	return statuses, nil
}

// projectKey is the key of a project that a history names; "" if it is gone or
// hidden. Each is asked for once.
func (s *Source) projectKey(ctx context.Context, id string) (string, error) {
	s.site.mu.Lock()
	defer s.site.mu.Unlock()
	if key, ok := s.site.projects[id]; ok {
		return key, nil
	}
	p, _, err := do[wireNamed](ctx, s.client, call{method: http.MethodGet, path: "/project/" + id})
	if err != nil && !refusedObject(err) {
		return "", fmt.Errorf("asking for project: %w", err)
	}
	s.site.projects[id] = p.Key
	return p.Key, nil
}

func (s *Source) learnProject(id, key string) {
	s.site.mu.Lock()
	defer s.site.mu.Unlock()
	s.site.projects[id] = key
}
