package people

import (
	"cmp"
	"slices"
	"time"

	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
)

// owner is whose a group's account, or its pseudonym, is: a person of the roster,
// a bot by the roster's word, or the rest of the group.
type owner struct {
	person string
	bot    int // 1 + index of the account
	rest   int // 1 + index of the group
}

// enlist makes the engineers anew by the roster. What groups are called is kept.
func (d *Directory) enlist(groups []Engineer, taken map[string]bool, mapped []Account) {
	plain := make([]ticket.Account, len(d.accounts))
	for i, a := range d.accounts {
		plain[i] = a.Account
	}
	d.matching = d.roster.Match(plain)

	engineers := map[owner]*Engineer{}
	var order []owner // the people of the roster, then as accounts come
	get := func(o owner) *Engineer {
		e := engineers[o]
		if e == nil {
			e = &Engineer{Person: o.person, Bot: o.bot > 0, Known: true}
			engineers[o] = e
			order = append(order, o)
		}
		return e
	}
	for _, p := range d.roster.People() {
		e := get(owner{person: p.ID})
		e.Name = p.Name
		if len(p.Emails) > 0 {
			e.Email = p.Emails[0]
		}
	}

	// Each group's accounts go to their owners, and its pseudonym to one of them.
	holder := map[roster.AccountRef]owner{}
	claims := map[owner][]int{}
	number := 0
	for i, g := range groups {
		var first, rest owner
		for _, a := range g.Accounts {
			number++
			o := owner{person: d.matching.Person(a.Source, a.ID)}
			switch {
			case o.person != "":
			case !a.Bot && d.roster.Bot(a.Account):
				o.bot = number
			default:
				o.rest = i + 1
				rest = o
			}
			if first == (owner{}) {
				first = o
			}
			holder[roster.AccountRef{Source: a.Source, ID: a.ID}] = o
			e := get(o)
			e.add(a)
			if o.person == "" {
				e.Email = g.Email
				e.Bot = e.Bot || a.Bot
			}
		}
		claimant := first
		if rest != (owner{}) {
			claimant = rest
		}
		if person := d.roster.PersonByEmail(g.Email); person != "" && g.byAddress {
			claimant = owner{person: person}
		}
		claims[claimant] = append(claims[claimant], i)
	}
	missing := make(map[roster.AccountRef]string, len(d.matching.Missing))
	for _, m := range d.matching.Missing {
		missing[m.AccountRef] = m.Person
	}
	for _, a := range mapped {
		if person := missing[roster.AccountRef{Source: a.Source, ID: a.ID}]; person != "" && a.Surrogate != 0 {
			e := engineers[owner{person: person}]
			e.Accounts = append(e.Accounts, a)
			if who, erased := d.former[a.Surrogate]; erased {
				e.Former, e.Pseudonym = true, who.Pseudonym
			}
		}
	}

	var codes []code
	list := make([]Engineer, len(order))
	for i, o := range order {
		e := engineers[o]
		if e.Former {
			list[i] = *e
			continue
		}
		d.byRank(claims[o], groups, o.person)
		for k, g := range claims[o] {
			if k == 0 {
				e.Pseudonym = groups[g].Pseudonym
				if groups[g].byAddress {
					e.Email = groups[g].Email
				}
				continue
			}
			e.Aliases = append(e.Aliases, groups[g].Pseudonym)
		}
		for _, a := range e.Accounts {
			ref := roster.AccountRef{Source: a.Source, ID: a.ID}
			if _, described := holder[ref]; described {
				continue
			}
			// As Of names it without the roster.
			if unknown := d.unknown(a.Surrogate); e.Pseudonym == "" && d.only(e, holder) {
				e.Pseudonym = unknown
			} else {
				e.Aliases = append(e.Aliases, unknown)
			}
		}
		if e.Pseudonym == "" {
			codes = append(codes, code{i, d.fallback(e, holder)})
		}
		list[i] = *e
	}
	for i, pseudonym := range d.name(codes, taken) {
		list[i].Pseudonym = pseudonym
	}
	d.engineers = list
}

// only reports whether a person has no account that a source describes.
func (d *Directory) only(e *Engineer, described map[roster.AccountRef]owner) bool {
	return !slices.ContainsFunc(e.Accounts, func(a Account) bool {
		_, ok := described[roster.AccountRef{Source: a.Source, ID: a.ID}]
		return ok
	})
}

// byRank orders the groups whose pseudonym a person has a claim to: those called
// by an address in the roster's order, then those called by an account, likewise.
func (d *Directory) byRank(claims []int, groups []Engineer, person string) {
	p, ok := d.roster.Person(person)
	if !ok {
		return
	}
	accounts := d.roster.AccountsOf(person)
	behind := func(i int) int {
		if i < 0 {
			return 1 << 30
		}
		return i
	}
	rank := func(g Engineer) (int, int) {
		if g.byAddress {
			return 0, behind(slices.Index(p.Emails, g.Email))
		}
		a := g.Accounts[0]
		return 1, behind(slices.Index(accounts, roster.AccountRef{Source: a.Source, ID: a.ID}))
	}
	slices.SortStableFunc(claims, func(a, b int) int {
		kind1, place1 := rank(groups[a])
		kind2, place2 := rank(groups[b])
		return cmp.Or(cmp.Compare(kind1, kind2), cmp.Compare(place1, place2))
	})
}

// fallback is the identity of an engineer that no group's pseudonym went to: the
// first account, by the roster's order, else the first address, else the id.
func (d *Directory) fallback(e *Engineer, described map[roster.AccountRef]owner) []byte {
	for _, ref := range d.roster.AccountsOf(e.Person) {
		if _, ok := described[ref]; ok {
			return d.digest("account", ref.Source, ref.ID)
		}
	}
	for _, a := range e.Accounts {
		if _, ok := described[roster.AccountRef{Source: a.Source, ID: a.ID}]; ok {
			return d.accountDigest(a)
		}
	}
	if e.Email != "" {
		return d.emailDigest(e.Email)
	}
	return d.digest("person", e.Person)
}

// Roster is what the directory was resolved with; nil for none.
func (d *Directory) Roster() *roster.Roster { return d.roster }

// Person is the engineer with an id of the roster.
func (d *Directory) Person(id string) (Engineer, bool) {
	i, ok := d.byPerson[id]
	if !ok {
		return Engineer{}, false
	}
	return d.engineers[i], true
}

// Persons are the engineers of the roster, by their id in it.
func (d *Directory) Persons() map[string]Engineer {
	persons := make(map[string]Engineer, len(d.byPerson))
	for id, i := range d.byPerson {
		persons[id] = d.engineers[i]
	}
	return persons
}

// Unmatched are the accounts that match nobody in the roster, by source and id,
// bots left out; of these, those that matter, by their surrogate (nil: all do):
// most of a source's accounts never hold a ticket. Without a roster there are
// none.
func (d *Directory) Unmatched(matters func(surrogate uint64) bool) []roster.Unmatched {
	if d.matching == nil {
		return nil
	}
	surrogate := make(map[roster.AccountRef]uint64, len(d.accounts))
	for _, a := range d.accounts {
		surrogate[roster.AccountRef{Source: a.Source, ID: a.ID}] = a.Surrogate
	}
	var list []roster.Unmatched
	for _, u := range d.matching.Unmatched {
		if matters == nil || matters(surrogate[roster.AccountRef{Source: u.Source, ID: u.ID}]) {
			list = append(list, u)
		}
	}
	return list
}

// Teams lists the teams of the roster by name; none without one.
func (d *Directory) Teams() []string {
	if d.roster == nil {
		return nil
	}
	var names []string
	for _, t := range d.roster.Teams() {
		names = append(names, t.Name)
	}
	return names
}

// TeamsAt lists the teams that an engineer is in at an instant, by name; none
// for who is not in the roster.
func (d *Directory) TeamsAt(e Engineer, at time.Time) []string {
	if d.roster == nil || e.Person == "" {
		return nil
	}
	var names []string
	for _, m := range d.roster.Memberships(e.Person, at) {
		names = append(names, m.Team)
	}
	return names
}

// Member is an engineer who was in a team in a window.
type Member struct {
	Engineer Engineer
	Capacity float64 // FTE actually present, c_i; 0 for who was away or takes no tickets
	Presence roster.Presence
}

// Members lists who was in a team at some time in [from, to), by pseudonym.
func (d *Directory) Members(team string, from, to time.Time) []Member {
	if d.roster == nil {
		return nil
	}
	var list []Member
	for _, m := range d.roster.Members(team, from, to) {
		list = append(list, Member{d.engineers[d.byPerson[m.Person]], m.Capacity, m.Presence})
	}
	slices.SortFunc(list, func(a, b Member) int { return cmp.Compare(a.Engineer.Pseudonym, b.Engineer.Pseudonym) })
	return list
}
