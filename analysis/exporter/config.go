package exporter

import (
	"fmt"
	"time"
)

// Label says how an engineer is called in the label `engineer`.
type Label string

// The labels.
const (
	LabelPseudonym Label = "pseudonym"
	LabelName      Label = "name" // the name that a source shows, with the pseudonym where two share it or there is none
	LabelNone      Label = "none" // no series about single engineers
)

// Config is what is exposed of a Snapshot.
type Config struct {
	// MaxAge is how old a Snapshot may be before its series stop: a stale
	// figure never looks fresh.
	MaxAge time.Duration `yaml:"max_age"`
	// MaxSeries caps the series of each collector; what is cut is counted in
	// fairlead_series_dropped_total.
	MaxSeries int `yaml:"max_series"`
	// MinPeople is the smallest group of people whose figures are shown among
	// the groups: the share of the top holder in a group of two tells one of
	// them about the other. 1 shows all.
	MinPeople int `yaml:"min_people"`
	// People switches the series about single engineers, on an endpoint of their
	// own. PeopleUsers are those of the web configuration's users who may read
	// it; they are needed wherever others can reach it.
	People      bool     `yaml:"people"`
	PeopleUsers []string `yaml:"people_users"`
	// Engineer is how an engineer is called.
	Engineer Label `yaml:"engineer_label"`
	// PersonAfterHours shows when single engineers worked. By default that is
	// shown of teams only.
	PersonAfterHours bool `yaml:"person_after_hours"`
}

// DefaultConfig shows groups from five people, by pseudonym, for an hour.
func DefaultConfig() Config {
	return Config{MaxAge: time.Hour, MaxSeries: 50_000, MinPeople: 5, Engineer: LabelPseudonym}
}

// Validate names the key that is wrong and says what to do.
func (c Config) Validate() error {
	switch {
	case c.MaxAge < time.Second:
		return fmt.Errorf("max_age is %s: give at least 1s", c.MaxAge)
	case c.MaxSeries < 1:
		return fmt.Errorf("max_series is %d: give at least 1", c.MaxSeries)
	case c.MinPeople < 1:
		return fmt.Errorf("min_people is %d: give at least 1; 5 is the default", c.MinPeople)
	case c.Engineer != LabelPseudonym && c.Engineer != LabelName && c.Engineer != LabelNone:
		return fmt.Errorf("engineer_label %q is none: give pseudonym, name or none", string(c.Engineer))
	}
	return nil
}
