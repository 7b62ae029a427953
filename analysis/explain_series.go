package analysis

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MetricSeries is a metric with its labels, as it stands in a dashboard or an alert.
type MetricSeries struct {
	Metric string
	Labels map[string]string
}

var (
	seriesForm = regexp.MustCompile(`^\s*(fairlead_[a-zA-Z0-9_]+)\s*(?:\{(.*)\}\s*)?$`)
	labelForm  = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*("(?:[^"\\]|\\.)*")\s*(?:,|$)`)
)

// ParseSeries reads a series as Prometheus writes it; ok is false for what does
// not look like one of Fairlead. Labels that Prometheus added may be among its own.
func ParseSeries(text string) (s MetricSeries, ok bool, err error) {
	m := seriesForm.FindStringSubmatch(text)
	if m == nil {
		return MetricSeries{}, false, nil
	}
	s = MetricSeries{Metric: m[1], Labels: map[string]string{}}
	for rest := m[2]; strings.TrimSpace(rest) != ""; {
		l := labelForm.FindStringSubmatch(rest)
		if l == nil {
			return MetricSeries{}, true, fmt.Errorf("the labels of %s cannot be read from %q on: write them as name=\"value\", with commas between", s.Metric, strings.TrimSpace(rest))
		}
		if s.Labels[l[1]], err = strconv.Unquote(l[2]); err != nil {
			return MetricSeries{}, true, fmt.Errorf("the label %s of %s is no string: %w", l[1], s.Metric, err)
		}
		rest = rest[len(l[0]):]
	}
	return s, true, nil
}

// seriesOnly are the labels that tell the figures of one metric apart: which
// figure a value of theirs is.
var seriesOnly = map[string]struct {
	label  string
	figure func(value string) string
}{
	"fairlead_area_silo_component":      {"component", func(v string) string { return v }},
	"fairlead_engineer_overload_signal": {"signal", levelName},
}

// Subject is what the series is about, and the figure that it is the value of.
// The error says that there is nothing to explain about it.
func (s MetricSeries) Subject() (Subject, string, error) {
	i := slices.IndexFunc(Subjects, func(one Subject) bool { return strings.HasPrefix(s.Metric, "fairlead_"+string(one)+"_") })
	if i < 0 {
		return "", "", fmt.Errorf("%s is not about a team, an engineer or an area: what it says stands in its help text", s.Metric)
	}
	subject, figure := Subjects[i], s.Metric
	if only, ok := seriesOnly[s.Metric]; ok && s.Labels[only.label] != "" {
		figure = only.figure(s.Labels[only.label])
	}
	if !Explainable(subject, figure) {
		return "", "", fmt.Errorf("%s is no figure that can be taken apart: give one of %s", s.Metric, strings.Join(Figures(subject), ", "))
	}
	return subject, figure, nil
}

// Query asks where the value of the series comes from. Labels that it does not
// have are left empty, for the caller to fill in, but for the basis and the unit:
// load in tickets.
func (s MetricSeries) Query() (ExplainQuery, error) {
	subject, figure, err := s.Subject()
	if err != nil {
		return ExplainQuery{}, err
	}
	q := ExplainQuery{
		Figure: figure, Basis: Basis(cmp.Or(s.Labels["basis"], string(Load))), Unit: Unit(cmp.Or(s.Labels["unit"], string(Tickets))),
	}
	switch subject {
	case OfTeam:
		q.Team = s.Labels["team"]
	case OfEngineer:
		q.Engineer, q.Team, q.Area = s.Labels["engineer"], s.Labels["team"], s.Labels["area"]
	case OfArea:
		q.Area = s.Labels["area"]
	}
	if w := s.Labels["window"]; w != "" {
		if q.Window, err = ParseWindow(w); err != nil {
			return ExplainQuery{}, err
		}
	}
	return q, nil
}

// Value is what an Explanation says that the series is: of a verdict, 1 for the one
// that holds and 0 for the others. nil for what is undefined.
func (s MetricSeries) Value(x Explanation) *float64 {
	i := slices.IndexFunc(x.Figures, func(f ExplainedFigure) bool { return f.Name == x.Asked })
	if i < 0 {
		return nil
	}
	f := x.Figures[i]
	if asked := s.Labels["verdict"]; asked != "" && f.Value == nil && f.Verdict != "" {
		holds := 0.0
		if f.Verdict == asked {
			holds = 1
		}
		return &holds
	}
	return f.Value
}
