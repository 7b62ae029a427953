package overload

import (
	"fmt"
	"math"
	"time"
)

// Config is the thresholds of the signals and of the state.
type Config struct {
	// BaselineWeeks before a week are what is usual for a person; fewer than
	// LeastBaseline of them known tell nothing.
	BaselineWeeks int `yaml:"baseline_weeks"`
	LeastBaseline int `yaml:"least_baseline_weeks"`

	OwnLoad      float64 `yaml:"own_load"`       // robust deviations over the usual
	TeamLoad     float64 `yaml:"team_load"`      // times the team's load per FTE
	TeamLoadTail float64 `yaml:"team_load_tail"` // and at most this probable by chance
	Flow         float64 `yaml:"flow"`           // standard deviations
	FlowWeeks    int     `yaml:"flow_weeks"`

	OnCall float64       `yaml:"on_call"` // incidents per shift
	Shift  time.Duration `yaml:"shift"`   // what OnCall is per; fewer hours on call in a week tell nothing

	Unplanned      float64 `yaml:"unplanned"`             // share
	UnplannedLeast uint64  `yaml:"unplanned_least_items"` // fewer received in a week tell nothing

	AfterHours           float64       `yaml:"after_hours"`            // Wilson's lower bound, times the own usual share
	AfterHoursFloor      float64       `yaml:"after_hours_floor"`      // least usual share
	AfterHoursConfidence float64       `yaml:"after_hours_confidence"` // one-sided
	Rest                 time.Duration `yaml:"rest"`

	Families      int     `yaml:"families"`       // with a signal that holds, for a hot week
	DemandSignals int     `yaml:"demand_signals"` // that hold, where fewer families can be computed
	Hot           int     `yaml:"hot_weeks"`      // of the last Window turn the state on
	Window        int     `yaml:"window_weeks"`
	Release       float64 `yaml:"release"`    // times the threshold, under which a week is cool
	Cool          int     `yaml:"cool_weeks"` // in a row turn the state off
}

// DefaultConfig is that of the definition of the measures.
func DefaultConfig() Config {
	return Config{
		BaselineWeeks: 12, LeastBaseline: 6,
		OwnLoad: 3.5, TeamLoad: 1.25, TeamLoadTail: 0.01, Flow: 2, FlowWeeks: 4,
		OnCall: 2, Shift: 12 * time.Hour, Unplanned: 0.5, UnplannedLeast: 5,
		AfterHours: 1, AfterHoursFloor: 0.05, AfterHoursConfidence: 0.99, Rest: 11 * time.Hour,
		Families: 2, DemandSignals: 2, Hot: 3, Window: 4, Release: 0.8, Cool: 2,
	}
}

// Validate names the key that is wrong and says what to do.
func (c Config) Validate() error {
	for _, n := range []struct {
		key            string
		x, least, most int
	}{
		{"baseline_weeks", c.BaselineWeeks, 2, 104},
		{"least_baseline_weeks", c.LeastBaseline, 2, c.BaselineWeeks},
		{"flow_weeks", c.FlowWeeks, 1, 26},
		{"families", c.Families, 1, len(Families)},
		{"demand_signals", c.DemandSignals, 1, 3},
		{"window_weeks", c.Window, 1, 26},
		{"hot_weeks", c.Hot, 1, c.Window},
		{"cool_weeks", c.Cool, 1, 26},
	} {
		if n.x < n.least || n.x > n.most {
			return fmt.Errorf("%s is %d: give a number from %d to %d", n.key, n.x, n.least, n.most)
		}
	}
	for _, n := range []struct {
		key     string
		x, most float64
	}{
		{"own_load", c.OwnLoad, 1000},
		{"team_load", c.TeamLoad, 1000},
		{"flow", c.Flow, 1000},
		{"on_call", c.OnCall, 1000},
		{"unplanned", c.Unplanned, 1},
		{"after_hours", c.AfterHours, 1000},
		{"after_hours_floor", c.AfterHoursFloor, 1},
		{"release", c.Release, 1},
	} {
		if !(n.x > 0 && n.x <= n.most) {
			return fmt.Errorf("%s is %g: give a number over 0 and up to %g", n.key, n.x, n.most)
		}
	}
	switch {
	case !(c.TeamLoadTail > 0 && c.TeamLoadTail < 0.5):
		return fmt.Errorf("team_load_tail is %g: give a probability over 0 and under 0.5", c.TeamLoadTail)
	case !(c.AfterHoursConfidence >= 0.5 && c.AfterHoursConfidence < 1):
		return fmt.Errorf("after_hours_confidence is %g: give a probability from 0.5 to under 1", c.AfterHoursConfidence)
	case c.Shift < time.Hour || c.Shift > 7*24*time.Hour:
		return fmt.Errorf("shift is %s: give a duration from 1h to 168h", c.Shift)
	case c.Rest < time.Hour || c.Rest >= 24*time.Hour:
		return fmt.Errorf("rest is %s: give a duration from 1h to under 24h", c.Rest)
	case c.UnplannedLeast < 1 || c.UnplannedLeast > math.MaxInt32:
		return fmt.Errorf("unplanned_least_items is %d: give a number from 1 on", c.UnplannedLeast)
	}
	return nil
}
