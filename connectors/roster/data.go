package roster

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Data is what a roster says, as flat lists. [New] makes a Roster of it.
type Data struct {
	People      []Person
	Schedules   []Schedule
	Accounts    []Mapping
	Bots        []AccountRef
	Leave       []Leave
	Holidays    []Holiday
	Teams       []Team
	Leads       []Lead
	Queues      []Queue
	Memberships []Membership
	Shifts      []Shift
}

// Person is a human who works here, or did.
type Person struct {
	ID   string
	Name string // "" if the roster does not tell
	// Emails join the person's accounts, in lower case; the first one that an
	// account shows is the person's identity.
	Emails   []string
	Employed Period
}

// Schedule is when a person works, from a day until their next schedule. The
// first one of a person has no From.
type Schedule struct {
	Person   string
	From     Day
	Zone     string // IANA name
	Hours    Week   // empty where they are not known
	Holidays []string
	FTE      float64
}

// AccountRef names an account of a source.
type AccountRef struct{ Source, ID string }

// Mapping says whose an account is, whatever its e-mail address.
type Mapping struct {
	Person string
	AccountRef
}

// Leave is an absence. Part is the share of the working time: 1 is all of it.
// Where absences overlap they add up, to 1 at most.
type Leave struct {
	Person string
	Period
	Part float64
}

// Holiday is a day of a calendar on which those who keep it do not work.
type Holiday struct {
	Calendar string
	Day      Day
}

// Team is a team. Notify are the receivers of its alerts: names of Alertmanager
// receivers or e-mail addresses.
type Team struct {
	Name   string
	Notify []string
}

// Lead is who leads a team.
type Lead struct {
	Team, Person string
	Period
}

// Queue is where tickets of a team wait: a ServiceNow assignment group, a Jira
// project, an Asana team, by its name, key or id.
type Queue struct {
	Team, Source, Queue string
	Period
}

// Whole as the FTE of a membership is all that the person has.
const Whole = -1

// Membership is a person's time in a team. FTE is the share of a full working
// week that goes to the team.
type Membership struct {
	Team, Person string
	Period
	FTE float64
}

// Shift is a time on call, [From, To) in UTC.
type Shift struct {
	Team, Person string
	From, To     time.Time
}

// canonical sorts every list, so that the same roster in another order is the
// same. The order of a person's addresses, accounts and calendars stays: it means
// something.
func (d *Data) canonical() {
	for i := range d.People {
		d.People[i].Emails = orNil(d.People[i].Emails)
	}
	for i := range d.Schedules {
		d.Schedules[i].Holidays = orNil(d.Schedules[i].Holidays)
	}
	for i := range d.Teams {
		d.Teams[i].Notify = orNil(d.Teams[i].Notify)
	}
	slices.SortFunc(d.People, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(d.Schedules, func(a, b Schedule) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.From, b.From))
	})
	slices.SortStableFunc(d.Accounts, func(a, b Mapping) int { return cmp.Compare(a.Person, b.Person) })
	slices.SortFunc(d.Bots, AccountRef.compare)
	slices.SortFunc(d.Leave, func(a, b Leave) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), a.compare(b.Period), cmp.Compare(a.Part, b.Part))
	})
	slices.SortFunc(d.Holidays, func(a, b Holiday) int {
		return cmp.Or(cmp.Compare(a.Calendar, b.Calendar), cmp.Compare(a.Day, b.Day))
	})
	d.Holidays = slices.Compact(d.Holidays)
	slices.SortFunc(d.Teams, func(a, b Team) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Leads, func(a, b Lead) int {
		return cmp.Or(cmp.Compare(a.Team, b.Team), a.compare(b.Period))
	})
	slices.SortFunc(d.Queues, func(a, b Queue) int {
		return cmp.Or(cmp.Compare(a.Team, b.Team), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Queue, b.Queue), a.compare(b.Period))
	})
	slices.SortFunc(d.Memberships, func(a, b Membership) int {
		return cmp.Or(cmp.Compare(a.Team, b.Team), cmp.Compare(a.Person, b.Person), a.compare(b.Period))
	})
	slices.SortFunc(d.Shifts, func(a, b Shift) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Team, b.Team), cmp.Compare(a.Person, b.Person))
	})
}

// orNil makes an empty list nil, so that it hashes as one.
func orNil(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func (a AccountRef) compare(b AccountRef) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
}

func (p Period) compare(q Period) int {
	return cmp.Or(cmp.Compare(p.From, q.From), cmp.Compare(p.To, q.To))
}

// clone is a deep copy.
func (d Data) clone() Data {
	c := Data{
		People: slices.Clone(d.People), Schedules: slices.Clone(d.Schedules), Accounts: slices.Clone(d.Accounts), Bots: slices.Clone(d.Bots),
		Leave: slices.Clone(d.Leave), Holidays: slices.Clone(d.Holidays), Teams: slices.Clone(d.Teams), Leads: slices.Clone(d.Leads),
		Queues: slices.Clone(d.Queues), Memberships: slices.Clone(d.Memberships), Shifts: slices.Clone(d.Shifts),
	}
	for i := range c.People {
		c.People[i].Emails = slices.Clone(c.People[i].Emails)
	}
	for i := range c.Schedules {
		s := &c.Schedules[i]
		s.Holidays = slices.Clone(s.Holidays)
		for day := range s.Hours {
			s.Hours[day] = slices.Clone(s.Hours[day])
		}
	}
	for i := range c.Teams {
		c.Teams[i].Notify = slices.Clone(c.Teams[i].Notify)
	}
	return c
}

// hash names canonical content. The form is a part of it: what a later binary
// stores besides must be written anew.
func (d *Data) hash() string {
	sum := sha256.New()
	sum.Write([]byte("fairlead roster 1\n"))
	if err := json.NewEncoder(sum).Encode(d); err != nil {
		panic("roster: " + err.Error()) // only for a number that is not finite, which check refuses
	}
	return hex.EncodeToString(sum.Sum(nil))
}
