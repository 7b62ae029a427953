package roster

import (
	"slices"

	"fairlead/connectors/ticket"
)

// Why an account matches nobody, in constant words.
const (
	ReasonHidden = "shows no e-mail address"
	ReasonNobody = "address is nobody's in the roster"
	ReasonShared = "address is that of several accounts of the source"
)

// Unmatched is an account that matches nobody, and why.
type Unmatched struct {
	ticket.Account
	Reason string
}

// Matching says whose accounts are.
type Matching struct {
	// Unmatched are the accounts that are nobody's and no bot's, by source and id.
	Unmatched []Unmatched
	// Missing are the explicitly mapped accounts that were not among those
	// given: deleted ones, or misspelled.
	Missing []Mapping
	// WithoutAccount are the ids of people who have none.
	WithoutAccount []string
	// Bots is how many accounts are no person's.
	Bots int

	persons map[AccountRef]string
}

// Person is whose an account is; "" if nobody's.
func (m *Matching) Person(source, id string) string { return m.persons[AccountRef{source, id}] }

// Count is the number of unmatched accounts of each source.
func (m *Matching) Count() map[string]int {
	n := map[string]int{}
	for _, u := range m.Unmatched {
		n[u.Source]++
	}
	return n
}

// Bot reports whether an account is an integration's: by the roster's word, else
// by the source's. An account that the roster gives to a person is theirs.
func (r *Roster) Bot(a ticket.Account) bool {
	ref := AccountRef{a.Source, a.ID}
	if _, mapped := r.accounts[ref]; mapped {
		return false
	}
	return a.Bot || r.bots[ref]
}

// PersonByEmail is the id of whose an e-mail address is, in any case; "" if
// nobody's.
func (r *Roster) PersonByEmail(email string) string { return r.emails[Address(email)] }

// Match finds whose accounts are. An explicit mapping comes first. Otherwise the
// e-mail address tells, unless a source has it for several accounts: then nothing
// says which is meant, and none of them is matched by it.
func (r *Roster) Match(accounts []ticket.Account) *Matching {
	m := &Matching{persons: make(map[AccountRef]string, len(accounts))}
	accounts = slices.Clone(accounts)
	slices.SortStableFunc(accounts, func(a, b ticket.Account) int {
		return AccountRef{a.Source, a.ID}.compare(AccountRef{b.Source, b.ID})
	})
	accounts = slices.CompactFunc(accounts, func(a, b ticket.Account) bool { return a.Source == b.Source && a.ID == b.ID })
	shared := map[AccountRef]int{} // the ID is the address
	for _, a := range accounts {
		if email := Address(a.Email); email != "" && !r.Bot(a) {
			shared[AccountRef{a.Source, email}]++
		}
	}
	found := map[string]bool{}
	seen := make(map[AccountRef]bool, len(accounts))
	for _, a := range accounts {
		ref := AccountRef{a.Source, a.ID}
		seen[ref] = true
		if r.Bot(a) {
			m.Bots++
			continue
		}
		person, reason := r.accounts[ref], ""
		if person == "" {
			email := Address(a.Email)
			switch {
			case email == "":
				reason = ReasonHidden
			case shared[AccountRef{a.Source, email}] > 1:
				reason = ReasonShared
			case r.emails[email] == "":
				reason = ReasonNobody
			default:
				person = r.emails[email]
			}
		}
		if person == "" {
			m.Unmatched = append(m.Unmatched, Unmatched{a, reason})
			continue
		}
		m.persons[ref], found[person] = person, true
	}
	for _, a := range r.data.Accounts {
		if !seen[a.AccountRef] {
			m.Missing = append(m.Missing, a)
		}
	}
	for _, p := range r.data.People {
		if !found[p.ID] {
			m.WithoutAccount = append(m.WithoutAccount, p.ID)
		}
	}
	return m
}
