package sandbox

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"fairlead/connectors/jira/jiratest"
)

// The sources' names in RosterYAML.
const (
	rosterServiceNow = "servicenow"
	rosterJira       = "jira"
	rosterAsana      = "asana"
)

// The roster's YAML. Mappings come out sorted by key.
type (
	rosterFile struct {
		Holidays map[string][]rosterDay  `yaml:"holidays"`
		People   map[string]rosterPerson `yaml:"people"`
		Teams    map[string]rosterTeam   `yaml:"teams"`
		Bots     map[string][]string     `yaml:"bots"`
	}
	rosterPerson struct {
		Name     string              `yaml:"name"`
		Email    string              `yaml:"email"`
		Accounts map[string][]string `yaml:"accounts,omitempty"`
		Zone     string              `yaml:"zone"`
		Hours    string              `yaml:"hours"`
		Holidays string              `yaml:"holidays"`
		FTE      float64             `yaml:"fte"`
		Joined   rosterDay           `yaml:"joined,omitempty"`
		Left     rosterDay           `yaml:"left,omitempty"`
		Leave    []rosterPeriod      `yaml:"leave,omitempty"`
	}
	rosterPeriod struct {
		From rosterDay `yaml:"from,omitempty"`
		To   rosterDay `yaml:"to,omitempty"`
	}
	rosterTeam struct {
		Lead    string         `yaml:"lead"`
		Notify  string         `yaml:"notify"`
		Queues  []rosterQueue  `yaml:"queues"`
		Members []rosterMember `yaml:"members"`
		OnCall  []rosterShift  `yaml:"on_call,omitempty"`
	}
	rosterQueue struct {
		Source string `yaml:"source"`
		Queue  string `yaml:"queue"`
	}
	rosterMember struct {
		Person       string  `yaml:"person"`
		FTE          float64 `yaml:"fte"`
		rosterPeriod `yaml:",inline"`
	}
	rosterShift struct {
		Person string    `yaml:"person"`
		From   time.Time `yaml:"from"`
		To     time.Time `yaml:"to"`
	}
	// rosterDay is a date; "" for none.
	rosterDay string
)

// RosterYAML is the roster that the organisation's own administrator would keep,
// as a file: people by the local part of their address, teams with leads, queues,
// memberships and on-call, holidays and leave. Accounts join by e-mail, save those
// that were deleted. The sources are to be called servicenow, jira and asana. No planted
// truth is in it.
func (o *Organisation) RosterYAML() []byte {
	f := rosterFile{Holidays: map[string][]rosterDay{}, People: map[string]rosterPerson{}, Teams: map[string]rosterTeam{}, Bots: map[string][]string{}}
	inAsana := o.asanaQueues()
	for _, t := range o.Teams {
		team := rosterTeam{Lead: rosterID(t.Lead), Notify: plainTeam(t.Name) + "@example.org"}
		for _, q := range t.Queues {
			if q.System == Jira {
				team.Queues = append(team.Queues, rosterQueue{rosterJira, q.Key})
				if inAsana[q] {
					team.Queues = append(team.Queues, rosterQueue{rosterAsana, t.Name})
				}
			} else {
				team.Queues = append(team.Queues, rosterQueue{rosterServiceNow, q.Name})
			}
		}
		for _, m := range t.Members {
			team.Members = append(team.Members, rosterMember{rosterID(m.Person), m.FTE, rosterPeriod{dayFrom(m.From), dayAfter(m.To)}})
			if _, known := f.People[rosterID(m.Person)]; !known {
				f.People[rosterID(m.Person)] = m.Person.roster(len(inAsana) > 0)
				o.rosterHolidays(f.Holidays, m.Person.Country)
			}
		}
		for _, s := range t.OnCall {
			team.OnCall = append(team.OnCall, rosterShift{rosterID(s.Person), s.From.UTC(), s.To.UTC()})
		}
		f.Teams[t.Name] = team
	}
	for _, p := range o.People {
		if p.Role != Bot {
			continue
		}
		for source, ids := range p.rosterAccounts(len(inAsana) > 0) {
			f.Bots[source] = append(f.Bots[source], ids...)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# The roster of the generated organisation, seed %d, %s to %s.\n", o.Seed, o.From.Format(time.DateOnly), o.Now.Format(time.DateOnly))
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(f); err != nil {
		panic("sandbox: " + err.Error()) // nothing of these types fails to encode
	}
	return b.Bytes()
}

// MarshalYAML writes a day unquoted.
func (d rosterDay) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: string(d)}, nil
}

func rosterID(p *Person) string {
	local, _, _ := strings.Cut(p.Email, "@")
	return local
}

func plainTeam(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", ".") }

func (p *Person) roster(asana bool) rosterPerson {
	r := rosterPerson{
		Name: p.Name, Email: p.Email, Zone: p.Zone, Hours: p.rosterHours(), Holidays: p.Country, FTE: p.FTE,
		Joined: dayFrom(p.Joined), Left: dayAfter(p.Left),
	}
	if p.Deleted {
		r.Accounts = p.rosterAccounts(asana)
	}
	for _, l := range p.Leave {
		r.Leave = append(r.Leave, rosterPeriod{localDay(l.From, p), localDay(l.To, p)})
	}
	return r
}

// rosterAccounts are the person's account ids by source; in Jira those of both
// flavours, since the roster does not know by which the log is served.
func (p *Person) rosterAccounts(asana bool) map[string][]string {
	accounts := map[string][]string{}
	if p.ServiceNowID != "" {
		accounts[rosterServiceNow] = []string{p.ServiceNowID}
	}
	if p.JiraAccountID != "" {
		accounts[rosterJira] = []string{p.Account(Jira, jiratest.Cloud), p.Account(Jira, jiratest.DataCenter)}
	}
	if asana && p.AsanaUser() != "" {
		accounts[rosterAsana] = []string{p.AsanaUser()}
	}
	return accounts
}

func (p *Person) rosterHours() string {
	names := [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	var parts []string
	for i := range 7 {
		day := (i + 1) % 7 // a week begins on Monday
		if h := p.Hours[day]; h.Start != h.End {
			parts = append(parts, fmt.Sprintf("%s %02d:%02d-%02d:%02d", names[day], h.Start/60, h.Start%60, h.End/60, h.End%60))
		}
	}
	return strings.Join(parts, "; ")
}

func (o *Organisation) rosterHolidays(calendars map[string][]rosterDay, country string) {
	if _, known := calendars[country]; known {
		return
	}
	for _, day := range PublicHolidays(country, o.start(), o.Now.Add(horizon)) {
		calendars[country] = append(calendars[country], rosterDay(day.Format(time.DateOnly)))
	}
	calendars[country] = slices.Compact(calendars[country])
}

// dayFrom is the first working day of what begins at an instant: memberships and
// employments begin at midnight UTC, while nobody is at work yet.
func dayFrom(t time.Time) rosterDay {
	if t.IsZero() {
		return ""
	}
	return rosterDay(t.UTC().Format(time.DateOnly))
}

// dayAfter is the day after the last on which what ends at an instant was worked:
// it ends at midnight UTC, before the day's work, or in the afternoon, after its
// beginning.
func dayAfter(t time.Time) rosterDay {
	if t.IsZero() {
		return ""
	}
	day := t.UTC().Truncate(24 * time.Hour)
	if day.Before(t) {
		day = day.AddDate(0, 0, 1)
	}
	return rosterDay(day.Format(time.DateOnly))
}

// localDay is the day that begins at an instant in the person's zone.
func localDay(t time.Time, p *Person) rosterDay {
	return rosterDay(t.In(p.location).Format(time.DateOnly))
}
