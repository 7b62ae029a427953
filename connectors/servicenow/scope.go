package servicenow

import (
	"encoding/json"
	"fmt"
)

// scopeVersion goes up when this connector makes something else of the same
// records, so that what an older one stored is collected again.
const scopeVersion = 1

// Scope says what of the configuration decides which tickets are collected and
// what they, their accounts and their terms are: it is the same for as long as a
// new collection would bring the same. How far back it reaches is in it as it was
// configured, since "24 months" is another instant every day.
func (s *Source) Scope() string {
	scope := struct {
		Version  int
		Tables   []Table
		Bots     []string
		Language string
		Reach    string
	}{scopeVersion, s.tables, s.cfg.Bots, s.cfg.Language, s.reach}
	text, err := json.Marshal(scope)
	if err != nil {
		return fmt.Sprintf("%#v", scope) // strings and maps of them: never
	}
	return string(text)
}
