package sandbox

import (
	"math"
	"math/rand/v2"
	"time"
)

// arrival is a ticket that will be raised.
type arrival struct {
	at       int64
	queue    *Queue // where it belongs
	area     *Area
	kind     Type
	priority uint8
	reporter int32
	viaDesk  bool // raised with the service desk first
	alarm    bool // raised by monitoring, and cannot wait for the morning
	major    bool // a major incident
}

// hourly is how likely something is raised in each hour of a raiser's day.
var hourly = [24]float64{
	0.3, 0.2, 0.2, 0.2, 0.3, 0.5, 1, 3, 7, 10, 10, 9, 6, 7, 9, 8.5, 7, 4, 2, 1.2, 1, 0.8, 0.6, 0.4,
}

// weekly is how busy each weekday is, Sunday first.
var weekly = [7]float64{0.05, 1.22, 1.1, 1.05, 1, 0.88, 0.07}

// season is how busy a day of the year is.
func season(day time.Time) float64 {
	f := 1 + 0.08*math.Sin(2*math.Pi*float64(day.YearDay()-20)/365)
	switch {
	case day.Month() == time.December && day.Day() >= 22, day.Month() == time.January && day.Day() <= 2:
		f *= 0.35
	case day.Month() == time.August:
		f *= 0.8
	case day.Month() == time.September:
		f *= 1.12
	}
	return f
}

// surge is a day on which an area breaks.
type surge struct {
	day    int
	queue  *Queue
	area   *Area
	factor float64
}

// demand draws what is raised with the team's queues from the start of the
// simulation to the end of the year.
func (s *sim) demand(t *Team, scale float64) []arrival {
	var all []arrival
	for _, q := range t.Queues {
		volume := q.plan.volume
		if !q.plan.fixed {
			volume *= scale
		}
		all = s.queueDemand(all, q, volume, s.surges[q])
	}
	return all
}

func (s *sim) queueDemand(all []arrival, q *Queue, volume float64, surges []surge) []arrival {
	start := s.o.start()
	days := int(s.o.Now.Sub(start) / (24 * time.Hour))
	busy := make([]float64, days)
	sum := 0.0
	homes := q.Team.homes()
	for d := range busy {
		day := start.AddDate(0, 0, d)
		f := weekly[day.Weekday()] * season(day)
		if q.plan.uneven && (day.Day() >= 27 || day.Day() <= 2) {
			f *= 1.8
		}
		resting := 0.0
		for _, h := range homes {
			if s.rests(h.country, day) {
				resting++
			}
		}
		f *= 1 - 0.85*resting/float64(len(homes))
		busy[d] = f
		if !day.Before(s.o.From) {
			sum += f
		}
	}
	for d, f := range busy {
		day := start.AddDate(0, 0, d)
		for range s.poisson(volume * (1 - q.plan.night) * f / sum) {
			all = append(all, s.raise(q, day, nil))
		}
		for range s.poisson(volume * q.plan.night / 365) {
			all = append(all, s.alarm(q, day))
		}
	}
	for _, g := range surges {
		day := start.AddDate(0, 0, g.day)
		n := max(6, s.poisson(volume/365*g.factor))
		onset := day.Add(time.Duration(8+s.r.IntN(7)) * time.Hour).UnixMilli()
		for i := range n {
			a := s.raise(g.queue, day, g.area)
			a.at = onset + int64(s.r.ExpFloat64()*90)*60_000
			a.priority = uint8(2 + s.r.IntN(2))
			if i == 0 {
				a.at, a.priority, a.major, a.viaDesk, a.kind = onset, 1, true, false, firstKind(q)
			}
			all = append(all, a)
		}
	}
	return all
}

func firstKind(q *Queue) Type {
	if q.System == Jira {
		return Bug
	}
	return Incident
}

// raise draws one ticket that a person raises on that day.
func (s *sim) raise(q *Queue, day time.Time, area *Area) arrival {
	a := arrival{queue: q, area: area, kind: pick(s.r, q.plan.mix)}
	if area == nil {
		a.area = s.pickArea(q)
	}
	homes := q.Team.homes()
	zone := homes[s.r.IntN(len(homes))].location
	minute := 60*s.hour() + s.r.IntN(60)
	a.at = time.Date(day.Year(), day.Month(), day.Day(), 0, minute, s.r.IntN(60), 1e6*s.r.IntN(1000), zone).UnixMilli()
	switch u := s.r.Float64(); {
	case u < 0.005:
		a.priority = 1
	case u < 0.05:
		a.priority = 2
	case u < 0.42:
		a.priority = 3
	case u < 0.9:
		a.priority = 4
	default:
		a.priority = 5
	}
	a.viaDesk = a.kind == Incident && a.area != s.o.Truths.Hoarded && s.chance(q.plan.desk)
	a.reporter = s.reporter(q)
	return a
}

// alarm draws one ticket that monitoring raises on that day, at any hour.
func (s *sim) alarm(q *Queue, day time.Time) arrival {
	a := arrival{queue: q, area: s.pickArea(q), kind: firstKind(q), alarm: true}
	a.at = day.UnixMilli() + s.r.Int64N(24*3_600_000)
	a.priority = uint8(2 + s.r.IntN(2))
	if s.chance(0.04) {
		a.priority = 1
	}
	a.reporter = int32(s.o.bot(botMonitoring).index)
	return a
}

// reporter draws who raises a ticket: in ServiceNow anybody, in Jira the
// engineers of the team themselves as often as not.
func (s *sim) reporter(q *Queue) int32 {
	if q.System == Jira {
		if m := q.Team.Members[s.r.IntN(len(q.Team.Members))]; s.chance(0.5) && m.From.IsZero() && m.To.IsZero() {
			return int32(m.Person.index)
		}
		return s.jiraStaff[s.r.IntN(len(s.jiraStaff))]
	}
	return s.staff[s.r.IntN(len(s.staff))]
}

func (s *sim) pickArea(q *Queue) *Area {
	total := 0.0
	for _, a := range q.plan.areas {
		total += a.weight
	}
	u := s.r.Float64() * total
	for i, a := range q.plan.areas {
		if u -= a.weight; u < 0 {
			return q.Areas[i]
		}
	}
	return q.Areas[len(q.Areas)-1]
}

func (s *sim) hour() int {
	u := s.r.Float64() * s.hours
	for h, w := range hourly {
		if u -= w; u < 0 {
			return h
		}
	}
	return 12
}

// homes are the members that a team began with: those whom they serve keep the
// same hours.
func (t *Team) homes() []home {
	if t.places == nil {
		for _, m := range t.Members[:len(t.plan.sites)] {
			t.places = append(t.places, home{m.Person.Country, m.Person.location})
		}
	}
	return t.places
}

type home struct {
	country  string
	location *time.Location
}

// planSurges draws the days on which something breaks, about ten a year. The
// team that is uneven by luck alone and the hoarded area are spared.
func (s *sim) planSurges() {
	var queues []*Queue
	for _, q := range s.o.Queues {
		if q.Team.policy != lot {
			queues = append(queues, q)
		}
	}
	s.surges = map[*Queue][]surge{}
	first := int(warmUp / (24 * time.Hour))
	for n := range 11 {
		q := queues[s.r.IntN(len(queues))]
		area := s.pickArea(q)
		day := first + 33*n + s.r.IntN(33)
		for weekly[s.o.start().AddDate(0, 0, day).Weekday()] < 0.5 {
			day++
		}
		if area == s.o.Truths.Hoarded || day >= first+365 {
			continue
		}
		s.surges[q] = append(s.surges[q], surge{day, q, area, 2 + 3*s.r.Float64()})
	}
}

func (s *sim) rests(country string, day time.Time) bool {
	return s.resting[country][day.Unix()]
}

func pick(r *rand.Rand, mix []share) Type {
	u := r.Float64()
	for _, m := range mix {
		if u -= m.weight; u < 0 {
			return m.kind
		}
	}
	return mix[0].kind
}

func (s *sim) chance(p float64) bool { return s.r.Float64() < p }

// lognormal draws with the given median, at most most.
func (s *sim) lognormal(median, sigma, most float64) float64 {
	return min(most, median*math.Exp(sigma*s.r.NormFloat64()))
}

// poisson draws by Knuth's product for small means, and by the normal
// approximation for large ones.
func (s *sim) poisson(mean float64) int {
	if mean > 60 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*s.r.NormFloat64())))
	}
	n, p, floor := 0, s.r.Float64(), math.Exp(-mean)
	for p > floor {
		n++
		p *= s.r.Float64()
	}
	return n
}
