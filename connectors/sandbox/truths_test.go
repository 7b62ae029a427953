package sandbox

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

var testNow = time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)

// shares is what each member of a team has of the team's work, relative to
// their share of its capacity in a window that reaches to the end of the year.
type shares map[*Person]float64

// relative divides amounts by capacity present, both as shares of the team.
func relative(o *facts, t *Team, from time.Time, amount map[*Person]float64) shares {
	capacity, work, total := map[*Person]float64{}, 0.0, 0.0
	for _, m := range t.Members {
		a, b := m.From, m.To
		if a.Before(from) {
			a = from
		}
		if b.IsZero() {
			b = o.Now
		}
		if b.After(a) {
			c := m.FTE * b.Sub(a).Hours()
			capacity[m.Person] += c
			total += c
			work += amount[m.Person]
		}
	}
	r := shares{}
	for p, c := range capacity {
		// Someone who was there for a few days only is no basis for a ratio.
		if c/total > 0.3/float64(len(capacity)) {
			r[p] = (amount[p] / work) / (c / total)
		}
	}
	return r
}

// facts are the holdings of all tickets, read once.
type facts struct {
	*Organisation
	held []fact
}

type fact struct {
	Holding
	area *Area // of the ticket at the end
	open []Spell
}

func read(o *Organisation) *facts {
	f := &facts{Organisation: o}
	for _, tk := range o.Tickets {
		open := slices.DeleteFunc(tk.Phases(), func(s Spell) bool { return s.Phase.Done() })
		for _, h := range o.Holdings(tk) {
			f.held = append(f.held, fact{h, o.Area(tk), open})
		}
	}
	return f
}

// received counts the assignments that each person was given by a team's
// queues since from; held is the open time of them, in hours.
func (f *facts) received(t *Team, from time.Time) (given, held map[*Person]float64) {
	given, held = map[*Person]float64{}, map[*Person]float64{}
	for i := range f.held {
		h := &f.held[i]
		if h.Queue.Team != t || !h.To.IsZero() && h.To.Before(from) {
			continue
		}
		if !h.From.Before(from) {
			given[h.Person]++
		}
		for _, s := range h.open {
			held[h.Person] += overlap(from, f.Now, h.Interval, s.Interval)
		}
	}
	return given, held
}

func overlap(from, to time.Time, a, b Interval) float64 {
	for _, i := range []Interval{a, b} {
		if i.From.After(from) {
			from = i.From
		}
		if !i.To.IsZero() && i.To.Before(to) {
			to = i.To
		}
	}
	return max(0, to.Sub(from).Hours())
}

// The truths hold for any seed and any end of the year. At a third of the size
// load is a noisier thing than it is at full size, so its margin is narrower.
func TestTruthsStandOut(t *testing.T) { eachTruthStandsOut(t, 3) }

func eachTruthStandsOut(t *testing.T, seeds uint64) {
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			truthsStandOut(t, read(Generate(seed, testNow.AddDate(0, 0, -int(17*seed)), Options{Tickets: 12_000})), 1.15)
		})
	}
}

func truthsStandOut(t *testing.T, o *facts, heldMargin float64) {
	overloadStandsOut(t, o, heldMargin)
	hoardStandsOut(t, o)
	fairIsFair(t, o)
	luckIsOrdinary(t, o)
	skillsExplain(t, o)
}

func overloadStandsOut(t *testing.T, o *facts, heldMargin float64) {
	for _, window := range []int{91, overloadDays} {
		from := o.daysAgo(window)
		for i, basis := range []string{"received", "held"} {
			margin := []float64{1.25, heldMargin}[i]
			star, next, who := 0.0, 0.0, ""
			for _, team := range o.Teams {
				given, held := o.received(team, from)
				for p, r := range relative(o, team, from, []map[*Person]float64{given, held}[i]) {
					if p == o.Truths.Overloaded {
						star = r
					} else if r > next {
						next, who = r, team.Name
					}
				}
			}
			if star < 1.8 || star > 3.3 || star < margin*next {
				t.Errorf("%s over %d days: the overloaded engineer has %.2f of a fair share, someone in %s %.2f", basis, window, star, who, next)
			}
		}
	}
}

func hoardStandsOut(t *testing.T, o *facts) {
	work, resolved := map[*Area]map[*Person]float64{}, map[*Area]map[*Person]float64{}
	for _, a := range o.Areas {
		work[a], resolved[a] = map[*Person]float64{}, map[*Person]float64{}
	}
	for _, h := range o.held {
		if h.area != nil {
			work[h.area][h.Person]++
		}
	}
	for _, tk := range o.Tickets {
		a := o.Area(tk)
		if a == nil {
			continue
		}
		if p := o.Assignee(tk); p != nil && tk.Phase().Done() {
			resolved[a][p]++
		}
	}
	for _, by := range []map[*Area]map[*Person]float64{work, resolved} {
		for a, people := range by {
			top, hhi, total := 0.0, 0.0, 0.0
			for _, n := range people {
				total += n
			}
			for _, n := range people {
				top = max(top, n/total)
				hhi += n / total * n / total
			}
			switch {
			case a == o.Truths.Hoarded && (top < 0.95 || people[o.Truths.Hoarder] != top*total):
				t.Errorf("the hoarder of %s has %.2f of its work", a.Name, top)
			case a == o.Truths.Hoarded && total < 60:
				t.Errorf("the hoarded area has %.0f pieces of work only", total)
			case a != o.Truths.Hoarded && (top > 0.5 || 1/hhi < 3):
				t.Errorf("%s is hoarded too: top share %.2f, %.1f effective owners", a.Name, top, 1/hhi)
			}
		}
	}
}

func fairIsFair(t *testing.T, o *facts) {
	for _, window := range []int{91, 182, 365} {
		from := o.daysAgo(window)
		given, _ := o.received(o.Truths.Fair, from)
		for _, r := range relative(o, o.Truths.Fair, from, given) {
			if math.Abs(r-1) > 0.12 {
				t.Errorf("over %d days someone in the fair team was given %.2f of their share", window, r)
			}
		}
	}
}

func luckIsOrdinary(t *testing.T, o *facts) {
	team := o.Truths.Chance
	given, _ := o.received(team, o.daysAgo(91))
	n, total, chi, spread := float64(len(team.Members)), 0.0, 0.0, 0.0
	for _, g := range given {
		total += g
	}
	for _, m := range team.Members {
		d := given[m.Person] - total/n
		chi += d * d * n / total
		spread += math.Abs(d) / total / 2
	}
	if per := total / n; per < 5 || per > 20 {
		t.Errorf("the team of chance has %.1f tickets a head in a quarter", per)
	}
	if chi < 2.83 || chi > 12.02 {
		t.Errorf("the team of chance is not what chance does: chi-squared %.2f with 7 degrees", chi)
	}
	if spread < 0.04 {
		t.Errorf("the team of chance is nearly even: Hoover %.3f", spread)
	}
}

func skillsExplain(t *testing.T, o *facts) {
	team := o.Truths.Skilled
	given, _ := o.received(team, o.From)
	uneven := 0.0
	for _, r := range relative(o, team, o.From, given) {
		uneven += math.Abs(r-1) / 2 / float64(len(team.Members))
	}
	if uneven < 0.13 {
		t.Errorf("the team of skills is uneven by %.3f only", uneven)
	}
	for i, plan := range team.Queues[0].plan.areas {
		count, total := map[*Person]float64{}, 0.0
		for _, h := range o.held {
			if h.area == team.Queues[0].Areas[i] && h.Queue.Team == team {
				count[h.Person]++
				total++
			}
		}
		for _, member := range plan.skilled {
			p := team.Members[member].Person
			if r := count[p] / total * float64(len(plan.skilled)); math.Abs(r-1) > 0.2 {
				t.Errorf("among those with the skill for %s someone has %.2f of an even share", plan.name, r)
			}
		}
	}
}

// TestCalledOut: whoever is called out is off duty by their own hours, and those with
// a skill that the one on call lacks are, week after week.
func TestCalledOut(t *testing.T) {
	o := Generate(1, testNow, Options{Tickets: 20_000})
	for _, team := range o.Teams {
		for _, m := range team.Members {
			p, weeks := m.Person, map[int64]bool{}
			for _, at := range o.CalledOut(p) {
				weeks[at.Unix()/(7*24*60*60)] = true
				local := at.In(p.location)
				hours, minute := p.Hours[local.Weekday()], 60*local.Hour()+local.Minute()
				day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
				if minute >= hours.Start && minute < hours.End && p.Joined.Before(at) && (p.Left.IsZero() || at.Before(p.Left)) &&
					!p.onLeave(Interval{at, at.Add(1)}) && len(PublicHolidays(p.Country, day, day.AddDate(0, 0, 1))) == 0 {
					// A day off in part is one off in whole for who works in another zone.
					if !p.onLeave(Interval{at.Add(-12 * time.Hour), at.Add(12 * time.Hour)}) {
						t.Errorf("%s is at work at %s", p.Name, local)
					}
				}
				if team.onCallAt(at) == p {
					t.Errorf("%s is on call at %s", p.Name, local)
				}
			}
			if team == o.Truths.Skilled && len(weeks) < 5 {
				t.Errorf("%s of the team of skills is called out in %d weeks", p.Name, len(weeks))
			}
		}
	}
}
