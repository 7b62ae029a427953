package exporter

import (
	"time"

	"fairlead/analysis"
)

// CutBy counts the series of a Snapshot that a configuration's cap cuts, of both
// collectors.
func CutBy(c Config) func(*analysis.Snapshot) int {
	return func(s *analysis.Snapshot) int {
		e := New(func() *analysis.Snapshot { return s }, WithConfig(c), WithClock(func() time.Time { return s.Computed }))
		e.groups.current()
		e.people.current()
		return int(e.groups.droppedTotal() + e.people.droppedTotal())
	}
}
