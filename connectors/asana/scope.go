package asana

import (
	"encoding/json"
	"fmt"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// scopeVersion is raised with what this connector makes of the same tasks, so
// that a new release collects them again.
const scopeVersion = 1

var _ source.Scoped = (*Source)(nil)

// Scope implements source.Scoped: which tasks are collected, and what becomes of
// them. The order of the projects decides which is the home of a task.
func (s *Source) Scope() string {
	c := s.cfg
	scope := struct {
		Version                        int
		Projects, Teams                []string
		Sections                       SectionUse
		Status, Kind, Priority, Effort string
		Statuses                       map[string]ticket.Category
		Kinds                          map[string]ticket.Kind
		Bots                           []string
	}{scopeVersion, c.Projects, c.Teams, c.Sections, c.StatusField, c.KindField, c.PriorityField, c.EffortField, s.rules.statuses, s.rules.kinds, c.Bots}
	text, err := json.Marshal(scope)
	if err != nil {
		return fmt.Sprintf("%#v", scope) // strings and maps of them: never
	}
	return string(text)
}

// Since implements source.Scoped.
func (s *Source) Since() time.Time { return s.since }
