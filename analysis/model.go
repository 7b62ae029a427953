package analysis

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/effort"
	"fairlead/connectors/roster"
)

// effortVersion names how efforts are made.
func (e *Engine) effortVersion(w *world) string {
	if w.crew != nil {
		return e.config.Effort.Version(effort.CalendarsHours)
	}
	return e.config.Effort.Version(effort.WeekdayHours)
}

// model fits the effort model to what lies before an instant: with a roster by
// the hours of each holder, else by weekdays.
func (e *Engine) model(ctx context.Context, w *world, to int64) (effort.Model, error) {
	if w.crew != nil {
		return e.modelByHours(ctx, w, to)
	}
	var statistics []effort.Statistic
	err := e.each(ctx, "effort", effortSQL(e.db.Table("tickets")), w.parameters(to), func(rows driver.Rows) error {
		var noKind, noClass uint8
		var class effort.Class
		var n [3]uint64
		var median [3]float64
		if err := rows.Scan(&noKind, &noClass, &class.Source, &class.Kind, &class.Priority, &class.Areas,
			&n[0], &median[0], &n[1], &median[1], &n[2], &median[2]); err != nil {
			return err
		}
		level := effort.LevelClass
		switch {
		case noKind == 1:
			level = effort.LevelSource
		case noClass == 1:
			level = effort.LevelKind
		}
		measures := []effort.Measure{effort.Scale, effort.Points, effort.Days}
		median[2] /= 3 * float64(effort.Day.Milliseconds())
		for i, m := range measures {
			if n[i] > 0 && (m != effort.Scale || level == effort.LevelSource) {
				statistics = append(statistics, effort.Statistic{Level: level, Measure: m, Class: class, N: n[i], Median: median[i]})
			}
		}
		return nil
	})
	return e.config.Effort.Fit(statistics), err
}

// modelByHours reads the finished tickets one by one.
func (e *Engine) modelByHours(ctx context.Context, w *world, to int64) (effort.Model, error) {
	asOf := time.UnixMilli(to)
	calendars := map[string]*roster.Timetable{}
	calendar := func(actor uint64) effort.Calendar {
		id := w.crew.persons[w.engineer(actor).Pseudonym]
		if id == "" || !w.crew.roster.HoursKnown(id, asOf) {
			return effort.Weekdays{}
		}
		if calendars[id] == nil {
			calendars[id] = w.crew.roster.Timetable(id, w.crew.earliest, asOf)
		}
		return calendars[id]
	}
	var samples []effort.Sample
	err := e.each(ctx, "effort", workSQL(e.db.Table("tickets")), w.parameters(to), func(rows driver.Rows) error {
		var s effort.Sample
		var begins, ends []int64
		var actors []uint64
		if err := rows.Scan(&s.Class.Source, &s.Class.Kind, &s.Class.Priority, &s.Class.Areas, &s.Points, &s.Finished, &begins, &ends, &actors); err != nil {
			return err
		}
		var worked time.Duration
		for i := range begins {
			worked += calendar(actors[i]).Working(time.UnixMilli(begins[i]), time.UnixMilli(ends[i]))
		}
		s.Days = float64(worked) / float64(effort.Day)
		samples = append(samples, s)
		return nil
	})
	return e.config.Effort.Fit(effort.Summarise(samples)), err
}
