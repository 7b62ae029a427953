package jira

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// people knows the accounts that were met. An account's id is its Cloud
// account id; on Data Center its key, or its name where a server has no keys,
// in lower case: changelogs hold keys (names, on old servers) in whatever case
// they had then, and a name can change while a key stays.
type people struct {
	flavour Flavour
	bots    []string // patterns in lower case

	mu        sync.Mutex
	byName    map[string]string         // Data Center: id by lower-case name
	byKey     map[string]bool           // Data Center: ids that are keys
	described map[string]ticket.Account // as an answer described them last
	pending   map[string]string         // ids met only in changelogs: the name there
}

func newPeople(f Flavour) *people {
	return &people{flavour: f, byName: map[string]string{}, byKey: map[string]bool{}, described: map[string]ticket.Account{}, pending: map[string]string{}}
}

func peopleOf(cfg Config) *people {
	p := newPeople(cfg.Flavour)
	for _, b := range cfg.Bots {
		p.bots = append(p.bots, strings.ToLower(strings.TrimSpace(b)))
	}
	return p
}

// unknownAccount is what Cloud calls accounts whose record it has lost: many
// people under one id, so nobody.
const unknownAccount = "unknown"

// id is the account's id; "" for nobody.
func (p *people) id(u *wireUser) string {
	switch {
	case u == nil:
		return ""
	case p.flavour == Cloud:
		if u.AccountID == unknownAccount {
			return ""
		}
		return u.AccountID
	}
	return strings.ToLower(cmp.Or(u.Key, u.Name))
}

// learn notes a described user, before references to it are resolved.
func (p *people) learn(src string, u *wireUser) {
	id := p.id(u)
	if id == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.described[id] = p.account(src, u)
	delete(p.pending, id)
	if p.flavour == DataCenter && u.Name != "" {
		p.byName[strings.ToLower(u.Name)] = id
		if u.Key != "" {
			p.byKey[id] = true
		}
	}
}

// resolve is the id of an account that a changelog refers to, by account id,
// key or name. A key comes before a name: a name that is another's old key is
// that other's.
func (p *people) resolve(ref, display *string) string {
	if ref == nil || *ref == "" {
		return ""
	}
	id := *ref
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flavour == Cloud {
		if id == unknownAccount {
			return ""
		}
	} else {
		id = strings.ToLower(id)
		if named, ok := p.byName[id]; ok && !p.byKey[id] {
			id = named
		}
	}
	if _, ok := p.described[id]; ok {
		return id
	}
	if _, met := p.pending[id]; !met || display != nil {
		name := ""
		if display != nil {
			name = *display
		}
		p.pending[id] = name
	}
	return id
}

// named describes an account that an issue named: as an answer described it
// last, else by a changelog's name for it.
func (p *people) named(src, id string) ticket.Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := p.described[id]; ok {
		return a
	}
	return ticket.Account{Source: src, ID: id, Name: p.pending[id], Active: true, Bot: p.isBot(id)}
}

func (p *people) account(src string, u *wireUser) ticket.Account {
	return ticket.Account{
		Source: src, ID: p.id(u), Name: u.DisplayName, Email: u.email(),
		Active: u.Active, Bot: u.AccountType == "app" || p.isBot(u.Name, u.Key, u.AccountID, u.email()),
	}
}

// isBot says whether one of an account's names is configured to be no person's.
func (p *people) isBot(names ...string) bool {
	return slices.ContainsFunc(p.bots, func(pattern string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return name != "" && matches(pattern, strings.ToLower(name)) })
	})
}

// matches compares a name with a pattern in which * is any run of characters.
func matches(pattern, name string) bool {
	first, rest, some := strings.Cut(pattern, "*")
	if !some {
		return name == pattern
	}
	name, ok := strings.CutPrefix(name, first)
	if !ok {
		return false
	}
	for {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(part):], next
	}
}

const (
	// accountsPerRequest is how many account ids fit in the address of one
	// request.
	accountsPerRequest = 90
	// lookups bounds how many accounts are looked up one by one in a run.
	lookups = 50
)

// describe looks up the accounts that were met only in changelogs: most were
// described by another issue by the end of a stream, and only those that never
// were cost requests. Until then they go by the name they have in the
// changelog, and one that is gone keeps it.
func (s *Source) describe(ctx context.Context) ([]ticket.Account, error) {
	s.people.mu.Lock()
	pending := maps.Clone(s.people.pending)
	keyed := len(s.people.byKey) > 0
	s.people.mu.Unlock()
	ids := slices.Sorted(maps.Keys(pending))
	found := map[string]*wireUser{}
	if s.cfg.Flavour == Cloud {
		for chunk := range slices.Chunk(ids, accountsPerRequest) {
			query := url.Values{"accountId": chunk, "maxResults": {fmt.Sprint(accountsPerRequest)}}
			answer, _, err := do[struct {
				Values []wireUser `json:"values"`
			}](ctx, s.client, call{method: http.MethodGet, path: "/user/bulk", query: query})
			if err != nil && !refusedObject(err) {
				return nil, fmt.Errorf("looking up accounts: %w", err)
			}
			for _, u := range answer.Values {
				found[s.people.id(&u)] = &u
			}
		}
	} else {
		ids = ids[:min(len(ids), lookups)]
		for _, id := range ids {
			parameter := "username"
			if keyed {
				parameter = "key"
			}
			u, _, err := do[wireUser](ctx, s.client, call{method: http.MethodGet, path: "/user", query: url.Values{parameter: {id}}})
			if err != nil && !refusedObject(err) {
				return nil, fmt.Errorf("looking up account: %w", err)
			}
			if err == nil {
				found[id] = &u
			}
		}
	}
	var accounts []ticket.Account
	for _, id := range ids {
		account := ticket.Account{Source: s.name, ID: id, Name: pending[id], Bot: s.people.isBot(id)}
		if u, ok := found[id]; ok {
			account = s.people.account(s.name, u)
			account.ID = id
		}
		accounts = append(accounts, account)
	}
	s.people.mu.Lock()
	defer s.people.mu.Unlock()
	for _, a := range accounts {
		s.people.described[a.ID] = a
		delete(s.people.pending, a.ID)
	}
	return accounts, nil
}

// refusedObject reports whether an error is about the one object that was
// asked for: gone, or not for us to see.
func refusedObject(err error) bool {
	code := status(err)
	return code == http.StatusNotFound || code == http.StatusBadRequest || code == http.StatusGone || errors.Is(err, source.ErrForbidden)
}
