package sandbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// warmUp is how long before the year the simulation starts, so that the year
// opens with a backlog and not with empty hands.
const warmUp = 90 * 24 * time.Hour

// staffCount is how many people raise tickets and work on none.
const staffCount = 260

// The service accounts.
const (
	botMonitoring = iota
	botVirtualAgent
	botSystem
	botAutomation
)

func (o *Organisation) start() time.Time { return o.From.Add(-warmUp) }

func (o *Organisation) daysAgo(n int) time.Time { return o.Now.AddDate(0, 0, -n) }

// bot is one of the service accounts.
func (o *Organisation) bot(which int) *Person { return o.People[len(o.People)-4+which] }

// staff fills the teams, with queues and areas, and everyone else.
func (o *Organisation) staff() {
	r := dice(o.Seed, streamPeople)
	names := newNamer(r)
	ids := dice(o.Seed, streamID)
	for i := range blueprint {
		plan := &blueprint[i]
		t := &Team{Name: plan.name, index: i, plan: plan, policy: plan.policy}
		o.Teams = append(o.Teams, t)
		for j := range plan.queues {
			o.queue(t, &plan.queues[j], ids)
		}
		for j, at := range plan.sites {
			p := o.engineer(names, at)
			if plan.steady {
				p.workFrom(8*60 + 30)
			}
			if days := plan.part[j]; days > 0 {
				p.partTime(days)
			}
			if days, ok := plan.leaves[j]; ok {
				p.Left = o.daysAgo(days).Add(17 * time.Hour)
			}
			o.join(t, p, time.Time{}, p.Left)
		}
		for _, j := range plan.joins {
			from := o.daysAgo(j.daysAgo)
			var p *Person
			if j.from == "" {
				p = o.engineer(names, j.site)
				p.Joined = from
			} else {
				p = o.transfer(j.from, from)
			}
			o.join(t, p, from, time.Time{})
		}
		t.Lead = t.Members[0].Person
	}
	o.plant(r)
	engineers := len(o.People)
	for range staffCount {
		at := []site{berlin, london, warsaw, madrid, newYork, chicago, kolkata}[r.IntN(7)]
		p := o.engineer(names, at)
		p.Role = Staff
	}
	o.bots()
	o.accounts(r, ids, engineers)
	o.holiday()
}

func (o *Organisation) queue(t *Team, plan *queuePlan, ids *rand.Rand) {
	q := &Queue{System: plan.system, Name: plan.name, Key: plan.key, Team: t, index: len(o.Queues), plan: plan}
	if plan.system == Jira {
		q.ID = fmt.Sprint(10_000 + len(o.Queues))
	} else {
		q.ID = sysID(ids)
	}
	o.Queues = append(o.Queues, q)
	t.Queues = append(t.Queues, q)
	for _, a := range plan.areas {
		area := &Area{Name: a.name, Kind: a.kind, Category: a.category, Queue: q, index: len(o.Areas)}
		if plan.system == Jira {
			area.ID = fmt.Sprint(10_100 + len(o.Areas))
		} else {
			area.ID = sysID(ids)
		}
		o.Areas = append(o.Areas, area)
		q.Areas = append(q.Areas, area)
	}
}

func (o *Organisation) engineer(names *namer, at site) *Person {
	p := &Person{Country: at.country, Zone: at.zone, FTE: 1, index: len(o.People)}
	p.Name, p.Email = names.next()
	zone, err := time.LoadLocation(at.zone)
	if err != nil {
		panic("sandbox: " + err.Error()) // the zones are constants, and their database is built in
	}
	p.location = zone
	p.workFrom(8*60 + 30*names.r.IntN(3))
	o.People = append(o.People, p)
	return p
}

// workFrom sets eight hours from a minute of the day on, Monday to Friday.
func (p *Person) workFrom(begin int) {
	for day := time.Monday; day <= time.Friday; day++ {
		p.Hours[day] = Hours{begin, begin + 8*60}
	}
}

func (p *Person) partTime(days int) {
	for day := time.Friday; day > time.Weekday(days); day-- {
		p.Hours[day] = Hours{}
	}
	p.FTE = float64(days) / 5
}

func (o *Organisation) join(t *Team, p *Person, from, to time.Time) {
	t.Members = append(t.Members, Membership{Person: p, Team: t, Interval: Interval{from, to}, FTE: p.FTE})
}

// transfer takes someone out of a team who neither leads it nor leaves it.
func (o *Organisation) transfer(team string, at time.Time) *Person {
	t := o.Teams[slices.IndexFunc(o.Teams, func(t *Team) bool { return t.Name == team })]
	i := len(t.plan.sites) - 1
	t.Members[i].To = at
	return t.Members[i].Person
}

// plant chooses whom the planted truths fall on.
func (o *Organisation) plant(r *rand.Rand) {
	for _, t := range o.Teams {
		switch t.policy {
		case goTo:
			var stay []*Person
			for _, m := range t.Members[1:] {
				if m.To.IsZero() {
					stay = append(stay, m.Person)
				}
			}
			o.Truths.Overloaded, o.Truths.OverloadedTeam = stay[r.IntN(len(stay))], t
			o.Truths.OverloadedSince = o.daysAgo(overloadDays)
		case keeper:
			o.Truths.Hoarded = t.Queues[0].Areas[0]
			for {
				o.Truths.Hoarder = t.Members[1+r.IntN(len(t.Members)-1)].Person
				if o.Truths.Hoarder.FTE == 1 {
					break
				}
			}
		case lot:
			o.Truths.Chance = t
		case turns:
			o.Truths.Fair = t
		case skills:
			o.Truths.Skilled = t
		}
	}
}

func (o *Organisation) bots() {
	for _, name := range []string{"Monitoring Integration", "Virtual Agent", "System Automation", "Automation for Jira"} {
		user := strings.ReplaceAll(strings.ToLower(name), " ", ".")
		o.People = append(o.People, &Person{
			Name: name, Email: user + "@example.org", Role: Bot,
			Zone: "UTC", location: time.UTC, index: len(o.People),
		})
	}
}

// accounts gives everyone their accounts: nearly every engineer has one in
// each system, other staff always in ServiceNow and some in Jira.
func (o *Organisation) accounts(r, ids *rand.Rand, engineers int) {
	home := make([]map[System]bool, len(o.People))
	for _, t := range o.Teams {
		for _, m := range t.Members {
			if home[m.Person.index] == nil {
				home[m.Person.index] = map[System]bool{}
			}
			for _, q := range t.Queues {
				home[m.Person.index][q.System] = true
			}
		}
	}
	for i, p := range o.People {
		user, _, _ := strings.Cut(p.Email, "@")
		snow, jira := true, true
		switch p.Role {
		case Engineer:
			snow = home[i][ServiceNow] || r.Float64() < 0.95
			jira = home[i][Jira] || r.Float64() < 0.8
		case Staff:
			jira = i < engineers+90
		case Bot:
			jira = p == o.bot(botAutomation)
			snow = !jira
		}
		if snow {
			p.ServiceNow, p.ServiceNowID = user, sysID(ids)
		}
		if jira {
			p.JiraAccountID = fmt.Sprintf("712020:%08x-%04x-4%03x-%04x-%012x",
				ids.Uint32(), ids.Uint32()>>16, ids.Uint32()>>20, 0x8000|ids.Uint32()>>18, ids.Uint64()>>16)
			p.JiraKey, p.JiraName = fmt.Sprintf("JIRAUSER%d", 10_100+i), user
			p.JiraEmail = p.Email
			if r.Float64() < 0.1 {
				local, domain, _ := strings.Cut(p.Email, "@")
				p.JiraEmail = strings.ToUpper(local[:1]) + local[1:] + "@" + domain
			}
			p.EmailHidden = p.Role == Staff && r.Float64() < 0.15
		}
	}
	for _, t := range o.Teams {
		for _, m := range t.Members {
			if t.policy == balanced && m.Person.Left.Before(o.daysAgo(100)) && !m.Person.Left.IsZero() {
				m.Person.Deleted = true
			}
		}
	}
	o.bot(botSystem).ServiceNow = "system" // scheduled jobs and business rules run as this user
}

// newNamer deals out full names, none twice.
func newNamer(r *rand.Rand) *namer { return &namer{r: r, taken: map[string]bool{}} }

type namer struct {
	r     *rand.Rand
	taken map[string]bool
}

func (n *namer) next() (name, email string) {
	for {
		given, family := givenNames[n.r.IntN(len(givenNames))], familyNames[n.r.IntN(len(familyNames))]
		name = given + " " + family
		email = plain(given) + "." + plain(family) + "@example.org"
		if !n.taken[email] {
			n.taken[email] = true
			return name, email
		}
	}
}

var plainLetters = strings.NewReplacer("ł", "l", "ş", "s", "é", "e", "í", "i", "á", "a", "ã", "a", "ö", "o", " ", "")

// plain spells a name in the letters of a mailbox.
func plain(name string) string {
	s := plainLetters.Replace(strings.ToLower(name))
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			panic("sandbox: no plain spelling for " + name)
		}
	}
	return s
}

func sysID(r *rand.Rand) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) }
