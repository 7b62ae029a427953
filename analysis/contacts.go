package analysis

import (
	"context"
	"time"

	"fairlead/connectors/roster"
)

// Contact is an engineer and an address by which they can be reached, "" where
// the roster tells none.
type Contact struct {
	Pseudonym, Name, Email string
}

// TeamContacts is whom an alert about a team, or about one of its people,
// concerns.
type TeamContacts struct {
	Team    string
	Notify  []string // as the roster has it: receivers of Alertmanager, or addresses
	Lead    *Contact // nil for none
	Members []Contact
	// Left are those who are in no team any more and were in this one while what
	// they know still counts: without an address, as they are not to be written
	// to.
	Left []Contact
}

// Contacts are the teams of the stored roster at an instant, and false where
// there is none: queues have nobody to write to.
func (e *Engine) Contacts(ctx context.Context, at time.Time) ([]TeamContacts, bool, error) {
	w, err := e.world(ctx)
	if err != nil || w.crew == nil {
		return nil, false, err
	}
	r := w.crew.roster
	contact := func(person string) Contact {
		who := w.crew.engineer[person]
		c := Contact{Pseudonym: who.Pseudonym, Name: who.Name}
		if p, ok := r.Person(person); ok && len(p.Emails) > 0 {
			c.Email = p.Emails[0]
		}
		return c
	}
	var list []TeamContacts
	for _, team := range r.Teams() {
		t := TeamContacts{Team: team.Name, Notify: team.Notify}
		if lead := r.Lead(team.Name, at); lead != "" {
			c := contact(lead)
			t.Lead = &c
		}
		for _, m := range r.MembersAt(team.Name, at) {
			t.Members = append(t.Members, contact(m.Person))
		}
		for _, person := range left(r, team.Name, at.Add(-e.config.Ownership.Memory), at) {
			c := contact(person)
			c.Email = ""
			t.Left = append(t.Left, c)
		}
		list = append(list, t)
	}
	return list, true, nil
}

// left are those, by id, who were in a team in an interval, and are in none at
// its end.
func left(r *roster.Roster, team string, from, to time.Time) []string {
	var list []string
	for _, m := range r.Members(team, from, to) {
		if len(r.Memberships(m.Person, to)) == 0 {
			list = append(list, m.Person)
		}
	}
	return list
}
