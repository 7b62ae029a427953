package roster

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fairlead/connectors/ticket"
)

// Evidence is what a roster can be drafted from. All of it but Accounts and Held
// may be left out.
type Evidence struct {
	Days     int // that Held reaches back, for the words
	Accounts []ticket.Account
	Held     []Held
	Groups   []Group
	Zones    map[AccountRef]string // zone of an account, where its source tells
}

// Held is how many tickets of a group an account held in the last Days, and until
// when it last held one.
type Held struct {
	AccountRef
	Group   string // the source's id
	Tickets int
	Last    time.Time
}

// Group is what a source tells of a group: its name (for Jira the project's key),
// and where it knows them, the ids of its manager's and its members' accounts.
type Group struct {
	Source, ID, Name string
	Manager          string
	Members          []string
}

// Suggest drafts a roster as YAML with comments, for a person to correct. Groups
// of different sources that mostly the same people work on become one team;
// people are put into the teams whose tickets they hold, or else whose group they
// are in; accounts join by e-mail address and, marked as a guess, by name. Where
// there is anybody, the draft is a valid roster. The same evidence in another
// order gives the same text.
func Suggest(e Evidence) []byte {
	s := newSuggestion(e)
	s.joinAccounts()
	s.formTeams()
	s.place()
	s.nameThem()
	return s.write()
}

const (
	// A person counts among a group's own with this share of what they held.
	ownShare, ownTickets = 0.2, 2
	// Two groups are one team when this share of each one's own is also the other's.
	sameTeam, samePeople = 0.5, 2
	// A further team gets a part of a person with this share of what they held.
	secondShare = 0.25
	// FTE is suggested in steps of this many hundredths.
	fteStep = 5
)

type suggestion struct {
	evidence Evidence
	accounts map[AccountRef]ticket.Account
	groups   map[AccountRef]*group
	people   []*candidate
	of       map[AccountRef]*candidate
	teams    []*proposal
	unknown  map[string]int // tickets' holders that no source describes, by source
	shared   map[AccountRef]bool
}

type group struct {
	AccountRef
	name    string
	tickets int
	manager AccountRef
	members []AccountRef
	team    *proposal
}

type candidate struct {
	id, name, email string
	accounts        []AccountRef
	explicit        map[AccountRef]string // why it is mapped
	held            map[AccountRef]int    // by group
	total           int
	last            time.Time
	active          bool
	teams           []share
}

type share struct {
	team    *proposal
	tickets int
	percent int // FTE; 100 where there is one team
}

type proposal struct {
	name   string
	groups []*group // greatest first
	lead   *candidate
	loose  []*candidate // in a group of it, by another team's tickets elsewhere
}

func newSuggestion(e Evidence) *suggestion {
	s := &suggestion{
		evidence: e, accounts: map[AccountRef]ticket.Account{}, groups: map[AccountRef]*group{}, of: map[AccountRef]*candidate{},
		unknown: map[string]int{}, shared: map[AccountRef]bool{},
	}
	addresses := map[AccountRef]string{}
	for _, a := range e.Accounts {
		ref := AccountRef{a.Source, a.ID}
		if plain(ref.Source) && plain(ref.ID) {
			s.accounts[ref] = a
		}
		if !a.Bot {
			addresses[ref] = Address(a.Email)
		}
	}
	for _, g := range e.Groups {
		into := s.group(AccountRef{g.Source, g.ID})
		into.name = cmp.Or(clean(g.Name), into.name)
		if g.Manager != "" {
			into.manager = AccountRef{g.Source, g.Manager}
		}
		for _, id := range g.Members {
			into.members = append(into.members, AccountRef{g.Source, id})
		}
	}
	for _, g := range s.groups {
		slices.SortFunc(g.members, AccountRef.compare)
	}
	for _, h := range e.Held {
		if h.Tickets > 0 {
			s.group(AccountRef{h.Source, h.Group}).tickets += h.Tickets
		}
	}
	count := map[AccountRef]int{} // the ID is the address
	for ref, email := range addresses {
		if email != "" {
			count[AccountRef{ref.Source, email}]++
		}
	}
	for at, n := range count {
		s.shared[at] = n > 1
	}
	return s
}

func (s *suggestion) group(ref AccountRef) *group {
	g := s.groups[ref]
	if g == nil {
		g = &group{AccountRef: ref, name: cmp.Or(clean(ref.ID), "no group")}
		s.groups[ref] = g
	}
	return g
}

// ordered are the groups with tickets, by how many, greatest first.
func (s *suggestion) ordered() []*group {
	list := slices.SortedFunc(maps.Values(s.groups), func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.tickets, a.tickets), a.compare(b.AccountRef))
	})
	return slices.DeleteFunc(list, func(g *group) bool { return g.tickets == 0 || !plain(g.Source) || !plain(g.ID) })
}

// joinAccounts makes candidates of all accounts that held tickets, are in a group
// that has some, or manage one.
func (s *suggestion) joinAccounts() {
	wanted := map[AccountRef]bool{}
	for _, h := range s.evidence.Held {
		if _, known := s.accounts[h.AccountRef]; !known && h.Tickets > 0 && !wanted[h.AccountRef] {
			s.unknown[h.Source]++
		}
		wanted[h.AccountRef] = wanted[h.AccountRef] || h.Tickets > 0
	}
	for _, g := range s.ordered() {
		for _, m := range g.members {
			wanted[m] = wanted[m] || s.accounts[m].Active
		}
		if g.manager.ID != "" {
			wanted[g.manager] = true
		}
	}
	byEmail := map[string]*candidate{}
	var rest []ticket.Account
	for _, ref := range slices.SortedFunc(maps.Keys(s.accounts), AccountRef.compare) {
		a := s.accounts[ref]
		email := Address(a.Email)
		switch {
		case a.Bot || !wanted[ref]:
		case email == "" || s.shared[AccountRef{a.Source, email}] || !plain(email):
			rest = append(rest, a)
		default:
			c := byEmail[email]
			if c == nil {
				c = s.candidate(email)
				byEmail[email] = c
			}
			s.give(c, a, "")
		}
	}
	// Those whose address does not tell: by name, where one person has it.
	names := map[string][]*candidate{}
	for _, c := range s.people {
		if c.name != "" {
			names[strings.ToLower(c.name)] = append(names[strings.ToLower(c.name)], c)
		}
	}
	same := map[AccountRef]int{} // the ID is the name
	for _, a := range rest {
		same[AccountRef{a.Source, strings.ToLower(clean(a.Name))}]++
	}
	for _, a := range rest {
		name := strings.ToLower(clean(a.Name))
		reason := "shows no address"
		if s.shared[AccountRef{a.Source, Address(a.Email)}] {
			reason = "its address is that of several accounts"
		}
		if list := names[name]; strings.Contains(name, " ") && len(list) == 1 && same[AccountRef{a.Source, name}] == 1 && !list[0].has(a.Source) {
			s.give(list[0], a, reason+"; the name is the same: is this right?")
			continue
		}
		s.give(s.candidate(""), a, reason)
	}
	for _, h := range s.evidence.Held {
		if c := s.of[h.AccountRef]; c != nil && h.Tickets > 0 {
			c.held[s.group(AccountRef{h.Source, h.Group}).AccountRef] += h.Tickets
			c.total += h.Tickets
			if h.Last.After(c.last) {
				c.last = h.Last
			}
		}
	}
}

func (s *suggestion) candidate(email string) *candidate {
	c := &candidate{email: email, explicit: map[AccountRef]string{}, held: map[AccountRef]int{}}
	s.people = append(s.people, c)
	return c
}

func (s *suggestion) give(c *candidate, a ticket.Account, why string) {
	ref := AccountRef{a.Source, a.ID}
	c.accounts = append(c.accounts, ref)
	if why != "" {
		c.explicit[ref] = why
	}
	c.name = cmp.Or(c.name, clean(a.Name))
	c.active = c.active || a.Active
	s.of[ref] = c
}

func (c *candidate) has(source string) bool {
	return slices.ContainsFunc(c.accounts, func(a AccountRef) bool { return a.Source == source })
}

// own are the people to whom a group is a good part of what they do.
func (s *suggestion) own(g *group) map[*candidate]bool {
	own := map[*candidate]bool{}
	for _, c := range s.people {
		if n := c.held[g.AccountRef]; n >= ownTickets && float64(n) >= ownShare*float64(c.total) {
			own[c] = true
		}
	}
	return own
}

// formTeams makes a team of each group, and one of those in different sources
// that mostly the same people work on, likest first.
func (s *suggestion) formTeams() {
	groups := s.ordered()
	own := make([]map[*candidate]bool, len(groups))
	for i, g := range groups {
		own[i] = s.own(g)
		g.team = &proposal{groups: []*group{g}}
	}
	type pair struct {
		i, j  int
		alike float64
	}
	var pairs []pair
	for i := range groups {
		for j := range i {
			if groups[i].Source == groups[j].Source || len(own[i]) == 0 || len(own[j]) == 0 {
				continue
			}
			both := 0
			for c := range own[i] {
				if own[j][c] {
					both++
				}
			}
			if alike := float64(both) / float64(max(len(own[i]), len(own[j]))); both >= samePeople && alike >= sameTeam {
				pairs = append(pairs, pair{j, i, alike})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.alike, a.alike), cmp.Compare(a.i, b.i), cmp.Compare(a.j, b.j))
	})
	for _, p := range pairs {
		a, b := groups[p.i].team, groups[p.j].team
		clash := a == b
		for _, g := range b.groups {
			clash = clash || slices.ContainsFunc(a.groups, func(h *group) bool { return h.Source == g.Source })
		}
		if clash {
			continue
		}
		a.groups = append(a.groups, b.groups...)
		for _, g := range b.groups {
			g.team = a
		}
	}
	names := map[string]bool{}
	for _, g := range groups {
		if g.team.groups[0] != g {
			continue
		}
		t := g.team
		slices.SortFunc(t.groups[1:], func(a, b *group) int {
			return cmp.Or(cmp.Compare(b.tickets, a.tickets), a.compare(b.AccountRef))
		})
		// Words say more than a key: the longest of the names.
		for _, g := range t.groups {
			if len(g.name) > len(t.name) {
				t.name = g.name
			}
		}
		if names[t.name] {
			t.name = unique(fmt.Sprintf("%s (%.20s)", t.name, t.groups[0].Source), names)
		}
		names[t.name] = true
		for _, g := range t.groups {
			if c := s.of[g.manager]; t.lead == nil && c != nil && c.active {
				t.lead = c
			}
		}
		s.teams = append(s.teams, t)
	}
	slices.SortFunc(s.teams, func(a, b *proposal) int { return cmp.Compare(a.name, b.name) })
}

// place puts people into the teams whose tickets they hold, and those who hold
// none into the team whose group they are in.
func (s *suggestion) place() {
	for _, c := range s.people {
		held := map[*proposal]int{}
		for ref, n := range c.held {
			if g := s.groups[ref]; g.team != nil {
				held[g.team] += n
			}
		}
		list := make([]share, 0, len(held))
		for t, n := range held {
			list = append(list, share{team: t, tickets: n})
		}
		slices.SortFunc(list, func(a, b share) int {
			return cmp.Or(cmp.Compare(b.tickets, a.tickets), cmp.Compare(a.team.name, b.team.name))
		})
		for i, one := range list {
			if i == 0 || one.tickets >= ownTickets && float64(one.tickets) >= secondShare*float64(c.total) {
				c.teams = append(c.teams, one)
			}
		}
	}
	for _, t := range s.teams {
		for _, g := range t.groups {
			for _, m := range g.members {
				c := s.of[m]
				switch {
				case c == nil || slices.ContainsFunc(c.teams, func(x share) bool { return x.team == t }) || slices.Contains(t.loose, c):
				case c.total == 0:
					c.teams = append(c.teams, share{team: t})
				default:
					t.loose = append(t.loose, c)
				}
			}
		}
	}
	for _, c := range s.people {
		c.split()
	}
}

// split divides a person by the tickets of each team, in steps, the first taking
// what is left.
func (c *candidate) split() {
	sum := 0
	for _, t := range c.teams {
		sum += t.tickets
	}
	left := 100
	for i := len(c.teams) - 1; i > 0; i-- {
		percent := 100 / len(c.teams)
		if sum > 0 {
			percent = 100 * c.teams[i].tickets / sum
		}
		c.teams[i].percent = percent / fteStep * fteStep
		left -= c.teams[i].percent
	}
	if len(c.teams) > 0 {
		c.teams[0].percent = left
	}
}

var notID = regexp.MustCompile(`[^a-z0-9]+`)

// nameThem gives ids, and sorts people by them.
func (s *suggestion) nameThem() {
	for _, c := range s.people {
		local, _, _ := strings.Cut(c.email, "@")
		c.id = strings.Trim(notID.ReplaceAllString(cmp.Or(local, strings.ToLower(c.name)), "."), ".")
		if c.id == "" {
			c.id = strings.Trim(notID.ReplaceAllString(strings.ToLower(c.accounts[0].Source+" "+c.accounts[0].ID), "."), ".")
		}
		c.id = strings.Trim(c.id[:min(len(c.id), 60)], ".")
	}
	slices.SortStableFunc(s.people, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.email, b.email), a.accounts[0].compare(b.accounts[0]))
	})
	taken := map[string]bool{}
	for _, c := range s.people {
		c.id = unique(cmp.Or(c.id, "person"), taken)
		taken[c.id] = true
	}
}

func unique(name string, taken map[string]bool) string {
	for n, try := 2, name; ; n++ {
		if !taken[try] {
			return try
		}
		try = fmt.Sprintf("%s %d", name, n)
		if !strings.Contains(name, " ") {
			try = fmt.Sprintf("%s-%d", name, n)
		}
	}
}

// plain reports whether a roster takes a text as it is.
func plain(text string) bool { return label(place{}, "", text) == nil }

// clean is a text on one line that a roster takes; "" if nothing is left.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	for len(text) > 100 {
		_, size := utf8.DecodeLastRuneInString(text)
		text = strings.TrimSpace(text[:len(text)-size])
	}
	return text
}
