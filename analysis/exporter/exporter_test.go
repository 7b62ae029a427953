package exporter

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"fairlead/analysis"
)

var made = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func of(x float64) *float64 { return &x }

// snapshot has a team of five, one of two, and two areas.
func snapshot() *analysis.Snapshot {
	window := analysis.Days(28)
	five := analysis.Group{
		By: analysis.Team, Name: "Network", People: 5, Total: 280,
		Gini: of(0.3), GiniChance: of(0.1), GiniExcess: of(0.2), Hoover: of(0.25), HHI: of(0.28), Effective: of(3.57),
		Engineers: []analysis.Part{
			{Pseudonym: "amber-otter-4k7q", Name: "Ann", Value: 140, Relative: of(2.5)},
			{Pseudonym: "blue-heron-1234", Name: "Bob", Value: 0},
		},
	}
	two := analysis.Group{By: analysis.Team, Name: "Two", People: 2, Total: 56, Gini: of(0.5), HHI: of(1), Effective: of(1), Hoover: of(0.5)}
	given := five
	given.Total, given.GiniChance, given.GiniExcess = 40, nil, nil
	return &analysis.Snapshot{
		AsOf: made.Add(-time.Hour), Computed: made, Took: 1500 * time.Millisecond, Windows: []analysis.Window{window},
		Open: analysis.OpenLoad{
			Teams: []analysis.TeamLoad{
				{Team: "Network", Tickets: 7, Unassigned: 3},
				{Team: "Two", Tickets: 4, Unassigned: 1},
			},
			Engineers: []analysis.EngineerLoad{{Team: "Network", Pseudonym: "amber-otter-4k7q", Name: "Ann", Tickets: 7}},
		},
		Areas: []analysis.AreaOwnership{
			{Area: "Firewall", Team: "Network", People: 5, HHI: of(0.5), Effective: of(2), TopShare: of(0.7), Silo: &analysis.SiloScore{Score: 0.4, Concentration: 0.5, Backup: 0.25, Demand: 0.125}},
			{Area: "Quiet", Team: "Network", People: 6},
			{Area: "Pair", People: 2, HHI: of(0.9), Effective: of(1.1), TopShare: of(0.95), Silo: &analysis.SiloScore{Score: 0.9}},
		},
		UnknownStatuses: 2,
		Teams: map[analysis.TeamsKey][]analysis.Group{
			{Window: window, Basis: analysis.Load, Unit: analysis.Tickets}:     {five, two},
			{Window: window, Basis: analysis.Assigned, Unit: analysis.Tickets}: {given},
		},
	}
}

func at(t time.Time) Option { return WithClock(func() time.Time { return t }) }

func with(change func(*Config)) Option {
	c := DefaultConfig()
	change(&c)
	return WithConfig(c)
}

func always(s *analysis.Snapshot) func() *analysis.Snapshot {
	return func() *analysis.Snapshot { return s }
}

// compare holds what is collected to the text.
func compare(t *testing.T, c prometheus.Collector, want string) {
	t.Helper()
	if got := gather(t, c); got != want {
		t.Errorf("exported\n%swant\n%s", got, want)
	}
}

// gather collects on a pedantic registry, one line a series.
func gather(t *testing.T, c prometheus.Collector) string {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if m.TimestampMs != nil {
				t.Errorf("%s carries a timestamp", f.GetName())
			}
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			value := m.GetGauge().GetValue()
			if m.Counter != nil {
				value = m.GetCounter().GetValue()
			}
			fmt.Fprintf(&got, "%s{%s} %v\n", f.GetName(), strings.Join(labels, ","), value)
		}
	}
	return got.String()
}

const service = `fairlead_series_dropped_total{collector="groups"} 0
fairlead_series_dropped_total{collector="people"} 0
fairlead_snapshot_as_of_timestamp_seconds{} 1.7954244e+09
fairlead_snapshot_timestamp_seconds{} 1.795428e+09
`

func TestGroups(t *testing.T) {
	compare(t, New(always(snapshot()), at(made)).Groups(), `fairlead_analysis_duration_seconds{} 1.5
fairlead_analysis_unknown_statuses{} 2
fairlead_area_bus_factor{area="Firewall"} 0
fairlead_area_effective_owners{area="Firewall"} 2
fairlead_area_info{area="Firewall",team="Network"} 1
fairlead_area_info{area="Quiet",team="Network"} 1
fairlead_area_ownership_hhi{area="Firewall"} 0.5
fairlead_area_silo_component{area="Firewall",component="concentration"} 0.5
fairlead_area_silo_component{area="Firewall",component="missing_backup"} 0.25
fairlead_area_silo_component{area="Firewall",component="sole_demand"} 0.125
fairlead_area_silo_score{area="Firewall"} 0.4
fairlead_area_top_owner_ratio{area="Firewall"} 0.7
`+service+`fairlead_team_effective_engineers{basis="assigned",team="Network",unit="tickets",window="28d"} 3.57
fairlead_team_effective_engineers{basis="load",team="Network",unit="tickets",window="28d"} 3.57
fairlead_team_engineers{basis="assigned",team="Network",window="28d"} 5
fairlead_team_engineers{basis="load",team="Network",window="28d"} 5
fairlead_team_load{team="Network",unit="tickets",window="28d"} 10
fairlead_team_load_gini{basis="assigned",team="Network",unit="tickets",window="28d"} 0.3
fairlead_team_load_gini{basis="load",team="Network",unit="tickets",window="28d"} 0.3
fairlead_team_load_gini_chance{basis="load",team="Network",unit="tickets",window="28d"} 0.1
fairlead_team_load_gini_excess{basis="load",team="Network",unit="tickets",window="28d"} 0.2
fairlead_team_load_hhi{basis="assigned",team="Network",unit="tickets",window="28d"} 0.28
fairlead_team_load_hhi{basis="load",team="Network",unit="tickets",window="28d"} 0.28
fairlead_team_load_hoover_ratio{basis="assigned",team="Network",unit="tickets",window="28d"} 0.25
fairlead_team_load_hoover_ratio{basis="load",team="Network",unit="tickets",window="28d"} 0.25
fairlead_team_open_tickets{team="Network"} 7
fairlead_team_tickets{basis="assigned",team="Network",window="28d"} 40
fairlead_team_unassigned_tickets{team="Network"} 3
fairlead_team_unassigned_tickets{team="Two"} 1
`)
}

func TestPeople(t *testing.T) {
	compare(t, New(always(snapshot()), at(made)).People(), `fairlead_engineer_load{engineer="amber-otter-4k7q",team="Network",unit="tickets",window="28d"} 5
fairlead_engineer_load{engineer="blue-heron-1234",team="Network",unit="tickets",window="28d"} 0
fairlead_engineer_open_tickets{engineer="amber-otter-4k7q",team="Network"} 7
fairlead_engineer_open_tickets{engineer="blue-heron-1234",team="Network"} 0
fairlead_engineer_relative_load_ratio{engineer="amber-otter-4k7q",team="Network",unit="tickets",window="28d"} 2.5
`)
}

// judged is the snapshot with everything that chance, a roster and weeks of
// work add to it.
func judged() *analysis.Snapshot {
	s := snapshot()
	groups := s.Teams[analysis.TeamsKey{Window: s.Windows[0], Basis: analysis.Load, Unit: analysis.Tickets}]
	groups[0].Capacity = 4.5
	groups[0].ChanceLow, groups[0].ChanceHigh, groups[0].GiniLow, groups[0].GiniHigh = of(0.05), of(0.15), of(0.2), of(0.4)
	groups[0].P, groups[0].PAdjusted, groups[0].Verdict = of(0.001), of(0.004), analysis.Uneven
	groups[0].Explained = &analysis.Explained{Part: 0.06}
	for i, share := range []float64{0.7, 0.1, 0.08, 0.06, 0.04, 0.02} {
		s.Areas[0].Holders = append(s.Areas[0].Holders, analysis.Holder{Pseudonym: fmt.Sprintf("holder-%d", i), Share: share})
	}
	s.Areas[0].BusFactor, s.Areas[0].Sole = 1, &analysis.SoleHolder{Pseudonym: "amber-otter-4k7q", Absence: analysis.Leaving}
	rests := 3
	s.Unmatched = map[string]int{"jira": 2}
	s.States = []analysis.TeamState{
		{
			Team: "Network", People: 6, Sources: []string{"jira", "servicenow"}, Overloaded: 1, Judged: 5, Handovers: 12, AfterHours: of(0.2), AfterHoursUsual: of(0.1), ShortRests: &rests, Unplanned: of(0.5),
			ActPeople: 5, UsualPeople: 5, WorkPeople: 5,
			Unassigned: analysis.Backlog{Growing: true},
			Knowledge: analysis.TeamKnowledge{Areas: 3, Sole: 1, Silo: of(0.3), Bus: &analysis.BusFactor{People: 2}, WhatIf: []analysis.WhatIf{
				{Pseudonym: "amber-otter-4k7q", Name: "Ann", Uncovered: []string{"Firewall"}, Share: 0.4}, {Pseudonym: "blue-heron-1234", Name: "Bob"},
			}},
		},
		{Team: "Two", People: 2, Provisional: true, Sources: []string{"jira"}, Overloaded: 1, Judged: 2, Handovers: 1},
	}
	s.Overload = []analysis.EngineerOverload{
		{
			Team: "Network", Pseudonym: "amber-otter-4k7q", Name: "Ann", Judged: true, Overloaded: true, Evidence: "demand_only", AfterHours: of(0.4), Unplanned: of(0.6),
			Signals: []analysis.OverloadSignal{
				{Name: "load_team", Family: "demand", Value: of(2.1), Level: of(1.68)},
				{Name: "rest", Family: "time", Value: of(2), Level: of(2)},
				{Name: "flow", Family: "demand"},
			},
		},
		{Team: "Network", Pseudonym: "blue-heron-1234", Name: "Bob"},
	}
	return s
}

func TestStates(t *testing.T) {
	text := gather(t, New(always(judged()), at(made)).Groups())
	for _, want := range []string{
		`fairlead_area_bus_factor{area="Firewall"} 1`,
		`fairlead_team_afterhours_ratio{team="Network"} 0.2`,
		`fairlead_team_afterhours_usual_ratio{team="Network"} 0.1`,
		`fairlead_team_bus_factor{team="Network"} 2`,
		`fairlead_team_capacity_fte{basis="load",team="Network",window="28d"} 4.5`,
		`fairlead_team_handovers_total{team="Network"} 12`,
		`fairlead_team_info{kind="queue",source="jira",team="Two"} 1`,
		`fairlead_team_info{kind="roster",source="jira",team="Network"} 1`,
		`fairlead_team_info{kind="roster",source="servicenow",team="Network"} 1`,
		`fairlead_team_judged_engineers{team="Network"} 5`,
		`fairlead_team_load_fairness_p_value{basis="load",team="Network",unit="tickets",window="28d"} 0.001`,
		`fairlead_team_load_fairness_q_value{basis="load",team="Network",unit="tickets",window="28d"} 0.004`,
		`fairlead_team_load_fairness_verdict{basis="load",team="Network",unit="tickets",verdict="levelled",window="28d"} 0`,
		`fairlead_team_load_fairness_verdict{basis="load",team="Network",unit="tickets",verdict="uneven",window="28d"} 1`,
		`fairlead_team_load_fairness_verdict{basis="load",team="Network",unit="tickets",verdict="within_chance",window="28d"} 0`,
		`fairlead_team_load_gini_chance_high{basis="load",team="Network",unit="tickets",window="28d"} 0.15`,
		`fairlead_team_load_gini_explained{basis="load",team="Network",unit="tickets",window="28d"} 0.06`,
		`fairlead_team_overloaded_engineers{team="Network"} 1`,
		`fairlead_team_short_rests{team="Network"} 3`,
		`fairlead_team_silo_score{team="Network"} 0.3`,
		`fairlead_team_sole_holder_areas{team="Network"} 1`,
		`fairlead_team_unassigned_growing{team="Network"} 1`,
		`fairlead_team_unassigned_growing{team="Two"} 0`,
		`fairlead_team_unplanned_ratio{team="Network"} 0.5`,
		`fairlead_unmatched_accounts{source="jira"} 2`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	for _, not := range []string{`overloaded_engineers{team="Two"`, `handovers_total{team="Two"`, "amber", "Ann"} {
		if strings.Contains(text, not) {
			t.Errorf("/metrics has %s", not)
		}
	}

	compare(t, New(always(&analysis.Snapshot{Computed: made, Overload: judged().Overload, Areas: judged().Areas, States: judged().States}), at(made)).People(),
		`fairlead_area_sole_holder_absent{absence="leaving",area="Firewall",engineer="amber-otter-4k7q"} 1
fairlead_engineer_area_evidence_ratio{area="Firewall",engineer="holder-0"} 0.7
fairlead_engineer_area_evidence_ratio{area="Firewall",engineer="holder-1"} 0.1
fairlead_engineer_area_evidence_ratio{area="Firewall",engineer="holder-2"} 0.08
fairlead_engineer_area_evidence_ratio{area="Firewall",engineer="holder-3"} 0.06
fairlead_engineer_area_evidence_ratio{area="Firewall",engineer="holder-4"} 0.04
fairlead_engineer_orphaned_demand_ratio{engineer="amber-otter-4k7q",team="Network"} 0.4
fairlead_engineer_overload_signal{engineer="amber-otter-4k7q",family="demand",signal="load_team",team="Network"} 1.68
fairlead_engineer_overloaded{engineer="amber-otter-4k7q",evidence="demand_only",team="Network"} 1
fairlead_engineer_uncovered_areas{engineer="amber-otter-4k7q",team="Network"} 1
fairlead_engineer_unplanned_ratio{engineer="amber-otter-4k7q",team="Network"} 0.6
`)
	agreed := with(func(c *Config) { c.PersonAfterHours = true })
	for _, want := range []string{"fairlead_engineer_after_hours_ratio{", `signal="rest"`} {
		if text := gather(t, New(always(judged()), at(made), agreed).People()); !strings.Contains(text, want) {
			t.Errorf("/metrics/people lacks %s where it was agreed", want)
		}
	}
}

// TestFewOfManyAreAGroupOfTheirOwn: of a team with enough people nothing is told
// that is known of few of them.
func TestFewOfManyAreAGroupOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		few     func(*analysis.TeamState)
		missing []string
	}{
		{func(s *analysis.TeamState) { s.Judged = 4 }, []string{"fairlead_team_judged_engineers", "fairlead_team_overloaded_engineers"}},
		{func(s *analysis.TeamState) { s.Judged, s.Overloaded = 0, 0 }, []string{"fairlead_team_overloaded_engineers"}},
		{func(s *analysis.TeamState) { s.ActPeople = 4 }, []string{"fairlead_team_afterhours_ratio", "fairlead_team_short_rests"}},
		{func(s *analysis.TeamState) { s.UsualPeople = 4 }, []string{"fairlead_team_afterhours_usual_ratio"}},
		{func(s *analysis.TeamState) { s.WorkPeople = 4 }, []string{"fairlead_team_unplanned_ratio"}},
	} {
		s := judged()
		before := collectText(t, New(always(s), at(made)).Groups())
		few := judged()
		c.few(&few.States[0])
		after := collectText(t, New(always(few), at(made)).Groups())
		var missing []string
		for _, line := range before {
			if name, _, _ := strings.Cut(line, "{"); strings.Contains(line, `team="Network"`) && !slices.ContainsFunc(after, func(l string) bool { return strings.HasPrefix(l, name+"{") }) {
				missing = append(missing, name)
			}
		}
		if !slices.Equal(missing, c.missing) {
			t.Errorf("%v is withheld, want %v", missing, c.missing)
		}
	}
}

// TestGroupsTellNothingOfSmallGroups: with the threshold lowered the pair is
// shown, by default nothing but what nobody holds.
func TestGroupsTellNothingOfSmallGroups(t *testing.T) {
	shown := func(o ...Option) int {
		n := 0
		families := collectText(t, New(always(snapshot()), append(o, at(made))...).Groups())
		for _, line := range families {
			if strings.Contains(line, `"Two"`) || strings.Contains(line, `"Pair"`) {
				n++
			}
		}
		return n
	}
	if n := shown(); n != 1 {
		t.Errorf("%d series of small groups by default, want the unassigned one only", n)
	}
	if n := shown(with(func(c *Config) { c.MinPeople = 2 })); n < 10 {
		t.Errorf("%d series of small groups when they are allowed", n)
	}
}

func TestGroupsNameNobody(t *testing.T) {
	for _, line := range collectText(t, New(always(snapshot()), at(made)).Groups()) {
		if strings.Contains(line, "otter") || strings.Contains(line, "Ann") || strings.Contains(line, "engineer=") {
			t.Errorf("/metrics tells of a person: %s", line)
		}
	}
}

func collectText(t *testing.T, c prometheus.Collector) []string {
	t.Helper()
	return slices.Collect(strings.Lines(gather(t, c)))
}

func TestWithoutASnapshot(t *testing.T) {
	e := New(always(nil), at(made))
	compare(t, e.Groups(), "fairlead_series_dropped_total{collector=\"groups\"} 0\nfairlead_series_dropped_total{collector=\"people\"} 0\n")
	compare(t, e.People(), "")
}

func TestAnOldSnapshotStops(t *testing.T) {
	fresh := New(always(snapshot()), at(made.Add(time.Hour)))
	if n := testutil.CollectAndCount(fresh.People()); n != 5 {
		t.Errorf("%d series at the greatest age, want 5", n)
	}
	old := New(always(snapshot()), at(made.Add(time.Hour+time.Second)))
	compare(t, old.Groups(), "fairlead_analysis_duration_seconds{} 1.5\nfairlead_analysis_unknown_statuses{} 2\n"+service)
	compare(t, old.People(), "")
}

func TestWhatVanishedIsGone(t *testing.T) {
	s := snapshot()
	e := New(func() *analysis.Snapshot { return s }, at(made))
	if n := testutil.CollectAndCount(e.Groups(), "fairlead_area_ownership_hhi"); n != 1 {
		t.Fatalf("%d areas, want 1", n)
	}
	next := snapshot()
	next.Areas = nil
	s = next
	if n := testutil.CollectAndCount(e.Groups(), "fairlead_area_ownership_hhi"); n != 0 {
		t.Errorf("%d areas after they vanished", n)
	}
}

func TestCap(t *testing.T) {
	s := snapshot()
	e := New(func() *analysis.Snapshot { return s }, at(made), with(func(c *Config) { c.MaxSeries = 2 }))
	if n := testutil.CollectAndCount(e.People()); n != 2 {
		t.Errorf("%d series, want 2", n)
	}
	droppedNow := func() float64 {
		for _, line := range collectText(t, e.Groups()) {
			if rest, ok := strings.CutPrefix(line, `fairlead_series_dropped_total{collector="people"} `); ok {
				var x float64
				fmt.Sscan(rest, &x)
				return x
			}
		}
		t.Fatal("no counter")
		return 0
	}
	if x := droppedNow(); x != 3 {
		t.Errorf("%v dropped, want 3", x)
	}
	testutil.CollectAndCount(e.People())
	if x := droppedNow(); x != 3 {
		t.Errorf("%v dropped after the same snapshot was read again, want 3", x)
	}
	s = snapshot()
	testutil.CollectAndCount(e.People())
	if x := droppedNow(); x != 6 {
		t.Errorf("%v dropped after another snapshot, want 6", x)
	}
}

func TestLabels(t *testing.T) {
	s := snapshot()
	s.Open.Engineers = append(s.Open.Engineers,
		analysis.EngineerLoad{Team: "Network", Pseudonym: "teal-lark-0000", Name: "Ann", Tickets: 1},
		analysis.EngineerLoad{Team: "Network", Pseudonym: "moss-lynx-0000", Tickets: 2})
	compare(t, onlyOpen{New(always(s), at(made), with(func(c *Config) { c.Engineer = LabelName })).People()},
		`fairlead_engineer_open_tickets{engineer="Ann (amber-otter-4k7q)",team="Network"} 7
fairlead_engineer_open_tickets{engineer="Ann (teal-lark-0000)",team="Network"} 1
fairlead_engineer_open_tickets{engineer="Bob",team="Network"} 0
fairlead_engineer_open_tickets{engineer="moss-lynx-0000",team="Network"} 2
`)
	compare(t, New(always(s), at(made), with(func(c *Config) { c.Engineer = LabelNone })).People(), "")
}

// onlyOpen passes on the open tickets alone.
type onlyOpen struct{ prometheus.Collector }

func (o onlyOpen) Collect(into chan<- prometheus.Metric) {
	all := make(chan prometheus.Metric, 1000)
	o.Collector.Collect(all)
	close(all)
	for m := range all {
		if m.Desc() == engineerOpen.desc {
			into <- m
		}
	}
}

func TestNamesThatAreNoText(t *testing.T) {
	s := snapshot()
	s.Open.Teams = append(s.Open.Teams, analysis.TeamLoad{Team: "\xff", Unassigned: 1}, analysis.TeamLoad{Team: "\xfe", Unassigned: 2})
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(New(always(s), at(made)).Groups())
	if _, err := reg.Gather(); err != nil {
		t.Errorf("the scrape fails: %v", err)
	}
}

func TestLint(t *testing.T) {
	e := New(always(judged()), at(made))
	for name, c := range map[string]prometheus.Collector{"groups": e.Groups(), "people": e.People()} {
		problems, err := testutil.CollectAndLint(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s: %s", name, p.Metric, p.Text)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for names, change := range map[string]func(*Config){
		"max_age":        func(c *Config) { c.MaxAge = 0 },
		"max_series":     func(c *Config) { c.MaxSeries = 0 },
		"min_people":     func(c *Config) { c.MinPeople = 0 },
		"engineer_label": func(c *Config) { c.Engineer = "e-mail" },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), names+" ") {
			t.Errorf("%s: %v", names, err)
		}
	}
}
