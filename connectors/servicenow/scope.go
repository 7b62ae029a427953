package servicenow

import (
	"encoding/json"
	"fmt"
	"time"

	"fairlead/connectors/source"
)

var _ source.Scoped = (*Source)(nil)

// scopeVersion goes up when this connector makes something else of the same
// records, so that what an older one stored is collected again.
const scopeVersion = 2

// metricVersion is that of histories by metrics.
const metricVersion = 3

// Scope says what of the configuration decides which tickets are collected and
// what they, their accounts and their terms are: it is the same for as long as a
// new collection would bring the same. How far back it reaches is not in it, see
// Since.
func (s *Source) Scope() string {
	version := scopeVersion
	if s.cfg.History == HistoryMetric {
		version = metricVersion
	}
	scope := struct {
		Version  int
		Tables   []Table
		History  HistoryMode
		Comments bool
		Bots     []string
		Language string
	}{version, s.tables, s.cfg.History, s.cfg.Comments, s.cfg.Bots, s.cfg.Language}
	text, err := json.Marshal(scope)
	if err != nil {
		return fmt.Sprintf("%#v", scope) // strings and maps of them: never
	}
	return string(text)
}

// Since implements source.Scoped. The collector compares it with how far back it
// has read, since "24 months" is another instant every day.
func (s *Source) Since() time.Time { return s.since }
