package overload

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/analysis/distribution"
)

// run steps through marks, one a week; '.' is away and '_' a week that is not
// known.
func run(c Config, marks string) string {
	s := newSwitcher(c)
	var out []byte
	for i, m := range marks {
		if m == '_' {
			out = append(out, '_')
			continue
		}
		mark := map[rune]Mark{'H': Hot, '~': Between, 'c': Cool, '.': Away}[m]
		on, _ := s.step(Week(i), mark)
		out = append(out, map[bool]byte{true: '1', false: '0'}[on])
	}
	return string(out)
}

func TestSwitch(t *testing.T) {
	for _, c := range []struct{ name, marks, want string }{
		{"three hot weeks", "HHHH", "0011"},
		{"two of four are too few", "HcHcHcHcHc", "0000000000"},
		{"three of four", "HcHH", "0001"},
		{"three of five are too few", "HccHH", "00000"},
		{"a hot week turns it on, no other", "HHcH", "0001"},
		{"off after two cool weeks", "HHHccc", "001100"},
		{"one cool week is not enough", "HHHc~c~c~", "001111111"},
		{"what wavers keeps it on", "HHH~~~~~~~", "0011111111"},
		{"what wavers does not turn it on", "~~~~HH~~~~", "0000000000"},
		{"old hot weeks do not count again", "HHHccHHH", "00110001"},
		{"away changes nothing", "HH.H", "0001"},
		{"nor ends the cool weeks", "HHHc.c", "001110"},
		{"holidays of three weeks", "HHH...H", "0011111"},
		{"holidays of four weeks", "HHH....H", "00111100"},
		{"hot weeks grow old on leave", "HH...H", "000000"},
		{"three weeks are not known", "HHH___~", "001___1"},
		{"four weeks are not known", "HHH____~", "001____0"},
		{"away and not known together", "HHH.__.H", "0011__00"},
		{"always away", ".....", "00000"},
	} {
		if got := run(DefaultConfig(), c.marks); got != c.want {
			t.Errorf("%s: %s gives %s, want %s", c.name, c.marks, got, c.want)
		}
	}
}

// A configuration by which old hot weeks could turn the state on again at once.
func TestSwitchOfAnotherConfig(t *testing.T) {
	c := DefaultConfig()
	c.Hot, c.Window, c.Cool = 1, 6, 1
	if got := run(c, "HccHc~H"); got != "1001001" {
		t.Errorf("got %s", got)
	}
}

func drawMarks(t *rapid.T) string {
	return string(rapid.SliceOfN(rapid.SampledFrom([]byte("HHH~cc._")), 0, 60).Draw(t, "marks"))
}

// TestPropertySwitch: the state turns on only in a hot week with enough of them
// in the window, and off only after enough cool ones or when it is forgotten; it
// stays on for at least two weeks and off for at least three.
func TestPropertySwitch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := DefaultConfig()
		marks := drawMarks(t)
		states := run(c, marks)
		on, turned := false, -100
		for i, s := range states {
			if s == '_' || (s == '1') == on {
				continue
			}
			lasted := i - turned
			turned, on = i, s == '1'
			window := marks[max(0, i-c.Window+1) : i+1]
			hot := 0
			for _, m := range window {
				if m == 'H' {
					hot++
				}
			}
			if on {
				if marks[i] != 'H' || hot < c.Hot {
					t.Fatalf("%s turned on in week %d: %s", marks, i, states)
				}
				if lasted < 3 {
					t.Fatalf("%s was off for %d weeks: %s", marks, lasted, states)
				}
				continue
			}
			if lasted < 2 {
				t.Fatalf("%s was on for %d weeks: %s", marks, lasted, states)
			}
			cool, unknown := 0, 0
			for j := i; j >= 0; j-- {
				if marks[j] == 'c' {
					cool++
				} else if marks[j] != '.' && marks[j] != '_' {
					break
				}
			}
			for j := i; j >= 0 && (marks[j] == '.' || marks[j] == '_' || j == i); j-- {
				unknown++
			}
			if cool < c.Cool && unknown < c.Window {
				t.Fatalf("%s turned off in week %d: %s", marks, i, states)
			}
		}
	})
}

// TestPropertyNoFlapping: once numbers stay within the band the state does not
// change, whatever came before; and in any series it changes at most twice in
// five weeks.
func TestPropertyNoFlapping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := drawMarks(t)
		states := run(DefaultConfig(), before+"~~~~~~~~~~~~")
		tail := states[len(before):]
		if strings.Trim(tail, tail[:1]) != "" {
			t.Fatalf("%s changes within the band: %s", before, states)
		}
		changes, last := 0, byte('0')
		for i := range states {
			if states[i] != '_' && states[i] != last {
				changes, last = changes+1, states[i]
			}
		}
		if changes > 1+2*len(states)/5 {
			t.Fatalf("%s changes %d times: %s", before, changes, states)
		}
	})
}

// TestBand: a person whose numbers waver between 0.8 and 1.2 times the thresholds
// of two families, week after week, has one state throughout.
func TestBand(t *testing.T) {
	var records []Record
	for i := range 60 {
		unplanned := []float64{4.1, 5.9, 4.5, 5.1, 4.2}[i%5] // of 10: 0.82 to 1.18 × the threshold
		records = append(records, Record{
			Week: monday + Week(i), Capacity: 1, Load: tickets([]float64{40, 55, 40}[i%3]),
			Received: &Received{10, 10, unplanned}, OnCall: &OnCall{}, Acts: &Acts{N: 10},
		})
	}
	others := make([]Record, len(records))
	for i := range others {
		others[i] = Record{Week: monday + Week(i), Capacity: 1, Load: tickets(20)}
	}
	a := assess(t, DefaultConfig(), Member{"ann", records}, Member{"bob", others}, Member{"cid", others})["ann"]
	changes := 0
	for i := 1; i < len(a.Weeks); i++ {
		if a.Weeks[i].Overloaded != a.Weeks[i-1].Overloaded {
			changes++
		}
	}
	if changes > 1 {
		t.Errorf("the state changed %d times", changes)
	}
}

// overworked is ann, who has twice what bob and cid have, and 61 % of it
// unplanned.
func overworked(weeks int) []Member {
	names := []string{"ann", "bob", "cid"}
	members := make([]Member, 3)
	for i, name := range names {
		members[i].Engineer = name
		for w := range weeks {
			r := Record{Week: monday + Week(w), Capacity: 1, Load: tickets(10), Arrivals: 10, Completions: 10, Received: &Received{10, 10, 2}}
			if name == "ann" {
				r.Load, r.Received = tickets(46), &Received{18, 18, 11}
			}
			members[i].Records = append(members[i].Records, r)
		}
	}
	return members
}

func TestOverloaded(t *testing.T) {
	members := overworked(8)
	a := assess(t, DefaultConfig(), members...)["ann"]
	for i, s := range a.Weeks {
		if s.Overloaded != (i >= 2) || s.Mark != Hot {
			t.Errorf("week %d: mark %d, overloaded %v", i, s.Mark, s.Overloaded)
		}
	}
	s := a.Weeks[7]
	if s.Since != monday+2 || s.Evidence != ByFamilies || s.Reasons.Week != monday+7 {
		t.Errorf("since %d by %s, for week %d", s.Since, s.Evidence, s.Reasons.Week)
	}
	if got, want := s.Reasons.String(), "demand: 2.1 × the team's load per FTE; interruption: 61 % unplanned"; got != want {
		t.Errorf("because %q, want %q", got, want)
	}
	if got := s.Computed(); !slices.Equal(got, []Family{FamilyDemand, FamilyInterruption}) {
		t.Errorf("computed %v", got)
	}
	if got := s.Holding(); !slices.Equal(got, []Family{FamilyDemand, FamilyInterruption}) {
		t.Errorf("holding %v", got)
	}
	want := "share of load / share of capacity = 0.697 / 0.3333 = 2.091 among 3 people; by chance as much with probability " +
		exact(s.Parts.TeamTail) + ", from 66 effective tickets (z = " + exact(s.Parts.TeamZ) + "); holds over 1.25 with a probability under 0.01"
	if got := s.Explain(DefaultConfig(), SignalTeamLoad); got != want {
		t.Errorf("explained as %q, want %q", got, want)
	}
	for _, signal := range Signals {
		if (s.Explain(DefaultConfig(), signal) == "") != (s.Reading(signal).Status != Measured) {
			t.Errorf("%s is explained as %q", signal, s.Explain(DefaultConfig(), signal))
		}
	}
}

// One family, however strongly it speaks, is not enough where others could.
func TestOneFamilyIsNotEnough(t *testing.T) {
	members := overworked(8)
	for i := range members[0].Records {
		members[0].Records[i].Received.Unplanned = 0
		members[0].Records[i].Arrivals = 30
	}
	a := assess(t, DefaultConfig(), members...)["ann"]
	for i, s := range a.Weeks {
		if s.Overloaded || s.Mark != Cool {
			t.Errorf("week %d: mark %d, overloaded %v", i, s.Mark, s.Overloaded)
		}
	}
	// A quiet week, of which nothing can be said, does not change the rule: demand
	// alone does not become enough, and it is not said that all is well.
	members[0].Records[7].Received = &Received{1, 1, 1}
	s := assess(t, DefaultConfig(), members...)["ann"].Weeks[7]
	if s.Mark != Unclear || len(s.Computed()) != 2 || s.Overloaded {
		t.Errorf("mark %d by %d families", s.Mark, len(s.Computed()))
	}
}

// oncall makes a week of which nearly all acts were on call.
func oncall(r Record) Record {
	acts := *r.Acts
	acts.OnCall = 10 * acts.N
	r.Acts, r.OnCall = &acts, &OnCall{Duration: 6 * 24 * time.Hour}
	return r
}

// What is left out is no relief: somebody whose evenings are worked week after week
// does not come to rest by being on call in some of them, when acts say nothing.
func TestOnCallWeeksSayNothingOfTheState(t *testing.T) {
	late := func(week Week) Record {
		return Record{Week: week, Capacity: 1, Load: tickets(30), OnCall: &OnCall{}, Received: &Received{20, 20, 2}, Acts: &Acts{60, 25, 9 * time.Hour, 0}}
	}
	usual := func(week Week, load float64) Record {
		return Record{Week: week, Capacity: 1, Load: tickets(load), OnCall: &OnCall{}, Received: &Received{20, 20, 2}, Acts: &Acts{60, 2, 15 * time.Hour, 0}}
	}
	for _, c := range []struct {
		name  string
		late  string // by week from the 14th: l late, c late and on call, u as usual
		state string // 1 where it is on
	}{
		// On with the third hot week. Two weeks on call are no two cool ones.
		{"two weeks on call", "lllccluuu", "001111100"},
		// What is usual again is seen, on call in between or not.
		{"usual again", "llluu", "00110"},
		{"usual again, on call in between", "lllucu", "001110"},
		// After four weeks of which nothing is known it is forgotten.
		{"a month on call", "lllccccl", "00111100"},
		// On call does not turn it on either.
		{"on call only", "lcccccc", "0000000"},
		{"hot weeks around one on call", "llclu", "00011"},
	} {
		var ann, bob, cid []Record
		for i, kind := range strings.Repeat("u", 13) + c.late {
			w := monday + Week(i)
			bob, cid = append(bob, usual(w, 9)), append(cid, usual(w, 9))
			switch kind {
			case 'u':
				ann = append(ann, usual(w, 9))
			case 'l':
				ann = append(ann, late(w))
			case 'c':
				ann = append(ann, oncall(late(w)))
			}
		}
		got := ""
		for i, s := range assess(t, DefaultConfig(), Member{"ann", ann}, Member{"bob", bob}, Member{"cid", cid})["ann"].Weeks {
			if onCall := ann[i].OnCall.Duration > 0; onCall && (s.Mark != Unclear || s.Reading(SignalRest).Status != Insufficient || s.Reading(SignalAfterHours).Status != Insufficient) {
				t.Errorf("%s: week %d on call is marked %d: %+v", c.name, i, s.Mark, s.Readings)
			}
			if i >= 13 {
				got += map[bool]string{true: "1", false: "0"}[s.Overloaded]
			}
		}
		if got != c.state {
			t.Errorf("%s: %s is %s, want %s", c.name, c.late, got, c.state)
		}
	}
}

func TestDemandOnly(t *testing.T) {
	members := overworked(12)
	for i := range members {
		for j := range members[i].Records {
			members[i].Records[j].Received = nil
		}
	}
	// The load against the team alone is one signal.
	a := assess(t, DefaultConfig(), members...)["ann"]
	if slices.ContainsFunc(a.Weeks, func(s State) bool { return s.Overloaded || s.Mark == Hot }) {
		t.Error("one signal of demand suffices")
	}
	for i := range members[0].Records {
		members[0].Records[i].Arrivals = 30
	}
	a = assess(t, DefaultConfig(), members...)["ann"]
	// Flow is known from the fourth week on.
	for i, s := range a.Weeks {
		if s.Overloaded != (i >= 5) {
			t.Errorf("week %d: overloaded %v", i, s.Overloaded)
		}
	}
	s := a.Weeks[11]
	if s.Evidence != DemandOnly {
		t.Errorf("evidence is %q", s.Evidence)
	}
	if got, want := s.Reasons.String(), "demand: 2.1 × the team's load per FTE, 120 came in and 40 were done in 4 weeks"; got != want {
		t.Errorf("because %q, want %q", got, want)
	}
}

// An overload that lasts is not what is usual, however long: it is compared with
// the weeks before it, and ends when the load does.
func TestLastingOverload(t *testing.T) {
	ann, bob := Member{Engineer: "ann"}, Member{Engineer: "bob"}
	for w := range 80 {
		load := 10.0
		if w >= 20 && w < 70 {
			load = 40
		}
		ann.Records = append(ann.Records, Record{Week: monday + Week(w), Capacity: 1, Load: tickets(load), Arrivals: 10, Completions: 10})
		bob.Records = append(bob.Records, Record{Week: monday + Week(w), Capacity: 1, Load: tickets(10), Arrivals: 10, Completions: 10})
	}
	a := assess(t, DefaultConfig(), ann, bob)["ann"]
	for i, s := range a.Weeks {
		if want := i >= 22 && i < 71; s.Overloaded != want {
			t.Errorf("week %d: overloaded %v, usual %g", i, s.Overloaded, s.Parts.UsualLoad)
		}
		if i >= 20 && s.Parts.UsualLoad != 10 {
			t.Errorf("week %d: usual is %g", i, s.Parts.UsualLoad)
		}
	}
}

// TestReasons: those of the last hot week stay while the state does.
func TestReasons(t *testing.T) {
	members := overworked(8)
	for i := 4; i < 8; i++ {
		members[0].Records[i].Received.Unplanned = 8 // 0.44, 0.89 of the threshold
	}
	a := assess(t, DefaultConfig(), members...)["ann"]
	s := a.Weeks[7]
	if !s.Overloaded || s.Mark != Between || s.Reasons.Week != monday+3 {
		t.Errorf("overloaded %v, mark %d, for week %d", s.Overloaded, s.Mark, s.Reasons.Week)
	}
	if off := assess(t, DefaultConfig(), members...)["bob"].Weeks[7]; off.Overloaded || off.Evidence != "" || len(off.Reasons.Why) > 0 {
		t.Errorf("bob is %+v", off)
	}
}

func TestWords(t *testing.T) {
	r := Record{
		Week: monday, Capacity: 1, Load: tickets(40), Arrivals: 40, OnCall: &OnCall{7 * 24 * time.Hour, 42},
		Received: &Received{40, 40, 30}, Acts: &Acts{60, 30, 9*time.Hour + 10*time.Minute, 0},
	}
	usual := Record{Capacity: 1, Load: tickets(4), OnCall: &OnCall{}, Received: &Received{}, Acts: &Acts{60, 3, 16 * time.Hour, 0}}
	records := steady(12, usual, r)
	other := slices.Clone(records)
	other[12] = records[11]
	other[12].Week = monday
	s := assess(t, DefaultConfig(), Member{"ann", records}, Member{"bob", other})["ann"].Weeks[12]
	want := "demand: 40.0 open where 4.0 is usual, 1.8 × the team's load per FTE, 40 came in and 0 were done in 4 weeks; " +
		"interruption: 3.0 incidents per 12 h on call, 75 % unplanned; " +
		"time: 50 % of acts outside own hours where 5 % is usual, a daily rest of 9 h 10 min"
	if got := reasonsOf(DefaultConfig(), s).String(); got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	for _, signal := range Signals {
		if s.Explain(DefaultConfig(), signal) == "" {
			t.Errorf("%s is not explained", signal)
		}
	}
	if got := (Reasons{}).String(); got != "" {
		t.Errorf("no reasons say %q", got)
	}
}

func TestAt(t *testing.T) {
	members := overworked(4)
	last := monday + 3
	a := assess(t, DefaultConfig(), members...)["ann"]
	for _, c := range []struct {
		week Week
		ok   bool
		of   Week
	}{{monday - 1, false, 0}, {monday, true, monday}, {last, true, last}, {last + 1, true, last}, {last + 3, true, last}, {last + 4, false, 0}} {
		s, ok := a.At(c.week)
		if ok != c.ok || ok && s.Week != c.of {
			t.Errorf("week %d: state of %d, %v", c.week, s.Week, ok)
		}
	}
	away := members[0]
	away.Records = append(away.Records, Record{Week: last + 1}, Record{Week: last + 4})
	a = assess(t, DefaultConfig(), away)["ann"]
	if s, ok := a.At(last + 2); !ok || s.Week != last {
		t.Errorf("after a week away: state of %d, %v", s.Week, ok)
	}
	if s, ok := a.At(last + 4); !ok || s.Overloaded {
		t.Errorf("after four: %v, %v", s.Overloaded, ok)
	}
}

func drawMembers(t *rapid.T) []Member {
	lists := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) []Record {
		var list []Record
		for w := Week(0); w < 30; w++ {
			if rapid.IntRange(0, 9).Draw(t, "gap") == 0 {
				continue
			}
			weight := rapid.SampledFrom([]float64{1, 0.5, 3}).Draw(t, "weight")
			n := rapid.IntRange(0, 12).Draw(t, "n")
			r := Record{
				Week: w, Capacity: rapid.SampledFrom([]float64{1, 1, 1, 0.5, 0}).Draw(t, "capacity"),
				Load:     distribution.Weights{N: uint64(n), Sum: float64(n) * weight, Squares: float64(n) * weight * weight},
				Arrivals: rapid.Uint64Range(0, 9).Draw(t, "arrivals"), Completions: rapid.Uint64Range(0, 9).Draw(t, "completions"),
			}
			if rapid.Bool().Draw(t, "received") {
				all := rapid.IntRange(0, 9).Draw(t, "all")
				r.Received = &Received{uint64(all), float64(all), float64(rapid.IntRange(0, all).Draw(t, "unplanned"))}
			}
			if rapid.Bool().Draw(t, "acts") {
				acts := rapid.Uint64Range(0, 40).Draw(t, "n acts")
				r.Acts = &Acts{acts, rapid.Uint64Range(0, acts).Draw(t, "off"), time.Hour * 8, 0}
			}
			list = append(list, r)
		}
		return list
	}), 1, 6).Draw(t, "lists")
	members := make([]Member, len(lists))
	for i, l := range lists {
		members[i] = Member{string(rune('a' + i)), l}
	}
	return members
}

// same compares assessments, NaN being equal to itself.
func same(a, b []State) bool {
	clean := func(list []State) []State {
		out := slices.Clone(list)
		for i := range out {
			p := reflect.ValueOf(&out[i].Parts).Elem()
			for j := range p.NumField() {
				if f := p.Field(j); f.Kind() == reflect.Float64 && math.IsNaN(f.Float()) {
					f.SetFloat(-1)
				}
			}
			out[i].Readings = slices.Clone(out[i].Readings)
			for j := range out[i].Readings {
				r := &out[i].Readings[j]
				if r.Status != Measured {
					r.Value, r.Threshold, r.Level = -1, -1, -1
				}
			}
		}
		return out
	}
	return reflect.DeepEqual(clean(a), clean(b))
}

// TestPropertyHistory: the past does not change when more becomes known, and
// neither the order of people nor that of areas matters.
func TestPropertyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := drawMembers(t)
		c := DefaultConfig()
		all, err := c.Assess(members)
		if err != nil {
			t.Fatal(err)
		}
		until := Week(rapid.IntRange(0, 30).Draw(t, "until"))
		cut := make([]Member, len(members))
		for i, m := range members {
			n, _ := slices.BinarySearchFunc(m.Records, until, func(r Record, w Week) int { return int(r.Week) - int(w) })
			cut[len(cut)-1-i] = Member{m.Engineer, m.Records[:n]}
		}
		before, err := c.Assess(cut)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			if all[i].Engineer != before[i].Engineer || !same(all[i].Weeks[:len(before[i].Weeks)], before[i].Weeks) {
				t.Fatalf("%s was %+v and is %+v", all[i].Engineer, before[i].Weeks, all[i].Weeks[:len(before[i].Weeks)])
			}
		}
	})
}

// TestPropertyMore: more load of one's own never lowers the level of the load
// against the team, nor that against oneself.
func TestPropertyMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := drawMembers(t)
		if len(members[0].Records) == 0 {
			return
		}
		c := DefaultConfig()
		before, _ := c.Assess(members)
		last := len(members[0].Records) - 1
		members[0].Records = slices.Clone(members[0].Records)
		more := members[0].Records[last].Load
		members[0].Records[last].Load = more.Plus(tickets(1))
		after, err := c.Assess(members)
		if err != nil {
			t.Fatal(err)
		}
		// Tickets of one weight only: with others 1/h moves too.
		equal := true
		for _, m := range members {
			for _, r := range m.Records {
				equal = equal && (r.Load.Sum == 0 || r.Load.Sum == r.Load.Squares)
			}
		}
		for _, signal := range []Signal{SignalOwnLoad, SignalTeamLoad} {
			a, b := before[0].Weeks[last].Reading(signal), after[0].Weeks[last].Reading(signal)
			if a.Status == Measured && b.Level < a.Level-1e-9 && (equal || signal == SignalOwnLoad) {
				t.Fatalf("%s fell from %v to %v", signal, a.Level, b.Level)
			}
		}
	})
}
