package analysis

import (
	"context"
	"fmt"
	"testing"
)

// Whom an alert concerns: those who are in a team now, each of a person's teams,
// and who has left, without an address.
func TestContacts(t *testing.T) {
	db := warehouse(t,
		opened("1", 0).give(0, "u1").status(1, "u1", statusDone),
		opened("2", 0).of("jira").give(0, "bob").status(1, "bob", statusDone),
	)
	e := engine(db)
	if list, rostered, err := e.Contacts(context.Background(), day(30)); err != nil || rostered || list != nil {
		t.Errorf("without a roster: %v, %v, %v", list, rostered, err)
	}
	staff(t, db, `
defaults: {zone: UTC}
people:
  ann: {name: Ann, email: ann@example.com}
  bob: {name: Bob, email: [bob@example.com, bob@example.org], accounts: {jira: bob}}
  cho: {name: Cho, email: cho@example.com, left: 2026-01-10}
  dan: {name: Dan, email: dan@example.com}
  eve: {name: Eve, email: eve@example.com, left: 2022-01-10}
teams:
  Alpha: {lead: ann, notify: alpha@example.com, members: [ann, {person: bob, fte: 0.8}, {person: cho, from: 2026-01-03}, eve, {person: dan, to: 2026-01-05}]}
  Beta: {lead: dan, members: [{person: bob, fte: 0.2}, {person: cho, to: 2026-01-03}, {person: dan, from: 2026-01-05}]}
  Gamma: {members: []}
`)
	list, rostered, err := e.Contacts(context.Background(), day(30))
	if err != nil || !rostered {
		t.Fatal(rostered, err)
	}
	said := ""
	for _, one := range list {
		said += fmt.Sprintf("%s %v:", one.Team, one.Notify)
		if one.Lead != nil {
			said += " led by " + one.Lead.Email
		}
		for _, m := range one.Members {
			said += fmt.Sprintf(" %s <%s>", m.Name, m.Email)
			if m.Pseudonym == "" {
				t.Errorf("%s has no pseudonym", m.Name)
			}
		}
		for _, m := range one.Left {
			said += fmt.Sprintf(" -%s <%s>", m.Name, m.Email)
		}
		said += "\n"
	}
	// Eve left before anything that still counts; Dan only moved.
	const want = `Alpha [alpha@example.com]: led by ann@example.com Ann <ann@example.com> Bob <bob@example.com> -Cho <>
Beta []: led by dan@example.com Bob <bob@example.com> Dan <dan@example.com> -Cho <>
Gamma []:
`
	if said != want {
		t.Errorf("contacts are\n%swant\n%s", said, want)
	}
}
