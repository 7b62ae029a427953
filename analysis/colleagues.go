package analysis

import (
	"context"
	"slices"
	"strings"
	"time"

	"fairlead/analysis/people"
	"fairlead/connectors/roster"
)

// Colleague is a person as they are known here: all that is held on them besides
// tickets.
type Colleague struct {
	Pseudonym string
	Names     []string
	Emails    []string
	Accounts  []string // "source id", each
	Teams     []string // that they are in, by name; none without a roster
	Leads     []string // that they lead, by name
}

// Colleagues are those who can be asked for by the e-mail address that they sign
// in with, or by their pseudonym.
type Colleagues struct {
	byPseudonym map[string]*Colleague
	byAddress   map[string]*Colleague // nil for an address of several
}

// Signed is whose an address is. An address that several people share is nobody's.
func (c *Colleagues) Signed(address string) (Colleague, bool) {
	if c == nil {
		return Colleague{}, false
	}
	one := c.byAddress[strings.ToLower(strings.TrimSpace(address))]
	if one == nil {
		return Colleague{}, false
	}
	return *one, true
}

// Find is who has a pseudonym.
func (c *Colleagues) Find(pseudonym string) (Colleague, bool) {
	if c == nil {
		return Colleague{}, false
	}
	one, ok := c.byPseudonym[pseudonym]
	if !ok {
		return Colleague{}, false
	}
	return *one, true
}

// Colleagues reads who is known, with the teams that they are in and lead at an
// instant. Integration accounts and those who were erased are not among them.
func (e *Engine) Colleagues(ctx context.Context, at time.Time) (*Colleagues, error) {
	w, err := e.world(ctx)
	if err != nil {
		return nil, err
	}
	c := NewColleagues()
	leads := map[string][]string{} // by pseudonym
	if w.crew != nil {
		for _, team := range w.crew.roster.Teams() {
			if id := w.crew.roster.Lead(team.Name, at); id != "" {
				p := w.crew.engineer[id].Pseudonym
				leads[p] = append(leads[p], team.Name)
			}
		}
	}
	for _, p := range w.people.Engineers() {
		if p.Bot || p.Former {
			continue
		}
		one := ColleagueOf(p)
		one.Teams, one.Leads = w.people.TeamsAt(p, at), leads[p.Pseudonym]
		c.add(&one)
	}
	if w.crew != nil {
		// The roster knows addresses that no source shows, and is right about whose they are.
		for _, person := range w.crew.roster.People() {
			one := c.byPseudonym[w.crew.engineer[person.ID].Pseudonym]
			if one == nil {
				continue
			}
			for _, address := range person.Emails {
				address = strings.ToLower(strings.TrimSpace(address))
				one.Emails = appendNew(one.Emails, address)
				c.byAddress[address] = one
			}
		}
	}
	return c, nil
}

// ColleagueOf is a person as their accounts tell of them: without teams.
func ColleagueOf(p people.Engineer) Colleague {
	one := Colleague{Pseudonym: p.Pseudonym}
	for _, account := range p.Accounts {
		one.Names = appendNew(one.Names, account.Name)
		one.Emails = appendNew(one.Emails, account.Email)
		one.Accounts = appendNew(one.Accounts, account.Source+" "+account.ID)
	}
	return one
}

func appendNew(list []string, value string) []string {
	if value == "" {
		return list
	}
	for _, have := range list {
		if have == value {
			return list
		}
	}
	return append(list, value)
}

// NewColleagues are the given ones. An address that several have is nobody's.
func NewColleagues(list ...Colleague) *Colleagues {
	c := &Colleagues{byPseudonym: map[string]*Colleague{}, byAddress: map[string]*Colleague{}}
	for i := range list {
		c.add(&list[i])
	}
	return c
}

func (c *Colleagues) add(one *Colleague) {
	c.byPseudonym[one.Pseudonym] = one
	for _, address := range one.Emails {
		address = strings.ToLower(strings.TrimSpace(address))
		if _, taken := c.byAddress[address]; taken {
			c.byAddress[address] = nil
			continue
		}
		c.byAddress[address] = one
	}
}

// Identity is a person with all by which they are known.
type Identity struct {
	people.Engineer
	Refs      []roster.AccountRef
	Addresses []string // theirs alone: one that several accounts of a source share is left out
	Words     []string // every pseudonym, name, address and account, as they may have been written down
}

// Identities are the people whom a word means: a pseudonym, an e-mail address, an
// account as "source id" or by its id alone, or an id of the roster. Integration
// accounts are not among them.
func (e *Engine) Identities(ctx context.Context, word string) ([]Identity, error) {
	w, err := e.world(ctx)
	if err != nil {
		return nil, err
	}
	word = strings.ToLower(strings.TrimSpace(word))
	var list []Identity
	for _, p := range w.people.Engineers() {
		if p.Bot || p.Former {
			continue
		}
		s := Identity{Engineer: p}
		known := append([]string{p.Pseudonym, p.Email}, p.Aliases...)
		s.Words = append(s.Words, p.Name)
		addresses := []string{p.Email}
		for _, a := range p.Accounts {
			s.Refs = append(s.Refs, roster.AccountRef{Source: a.Source, ID: a.ID})
			known = append(known, a.ID, a.Source+" "+a.ID)
			s.Words = append(s.Words, a.Name)
			addresses = append(addresses, roster.Address(a.Email))
		}
		if w.crew != nil && p.Person != "" {
			if one, ok := w.crew.roster.Person(p.Person); ok {
				known = append(known, one.ID)
				addresses = append(addresses, one.Emails...)
			}
		}
		known = append(known, addresses...)
		for _, address := range addresses {
			if address != "" && !slices.Contains(w.people.Ambiguous(), address) {
				s.Addresses = appendNew(s.Addresses, address)
			}
		}
		for _, one := range known {
			s.Words = appendNew(s.Words, one)
		}
		if slices.ContainsFunc(known, func(one string) bool { return one != "" && strings.ToLower(one) == word }) {
			list = append(list, s)
		}
	}
	return list, nil
}
