// Package people resolves accounts to engineers and gives each engineer a
// keyed, readable pseudonym. It is pure: the same accounts, roster and key give
// the same directory, whatever their order.
//
// # Who is one person
//
// Without a roster, accounts of different sources with the same e-mail address,
// compared in lower case and without surrounding space, are one engineer. Two
// accounts of one source are never joined by e-mail: where a source has an address
// twice (a shared mailbox, a person hired again) none of its accounts with it is
// joined, since nothing tells which is meant; [Directory.Ambiguous] lists them. An
// account that the source calls a bot is joined to nobody.
//
// With a roster, its people are engineers, whether or not they have an account.
// Theirs are the accounts that it maps to them and those with one of their
// addresses, by the rules above; an account that it calls a bot is one. Accounts
// that match nobody in it stay the engineers that they were: see
// [Directory.Unmatched].
//
// # Pseudonyms
//
// A pseudonym such as amber-otter-4k7q is taken from HMAC-SHA256 of the
// engineer's identity, under a key derived for this purpose: without the key it
// can be neither made nor checked by trying names. The identity is the e-mail
// address by which accounts are joined, else the account; so a pseudonym stays
// when other people come and go, when a further account of the same person
// appears, and in another installation with the same key. It changes when the
// address does.
//
// Adding a roster changes nobody's pseudonym. Where it makes one person of what
// were several engineers, that person keeps one of theirs: by the first of the
// person's addresses in the roster that an account shows, else by the first
// account that it maps. [Directory.Find] still finds them by the others. So a new
// address is to be put behind the old one. An account that the roster takes away
// from the address that it shows has the pseudonym of an account. Somebody without
// any account has that of their first address, and keeps it when an account with
// that address appears.
//
// There are 2^34 of them. Where two engineers fall on the same one, which among
// 10,000 people happens about once in 350 installations, the one whose code is
// smaller keeps it and the other is given the next of their own series; who is
// known only by the roster comes last.
package people

import (
	"bytes"
	"cmp"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
)

// MinKey is the least number of bytes of a pseudonym key.
const MinKey = 16

// ErrKey is returned for a key that is too short to protect anybody.
var ErrKey = errors.New("pseudonym key is shorter than 16 bytes")

// Account is an account of a source, with the surrogate by which tickets refer
// to it.
type Account struct {
	Surrogate uint64
	ticket.Account
}

// Engineer is a person: one account or several, or by a roster none.
type Engineer struct {
	Pseudonym string
	Aliases   []string // pseudonyms that parts of them had without the roster
	Person    string   // id in the roster; "" for who is not in it
	Name      string   // the roster's, else the first that a source shows, by source; "" where all hide it
	Email     string   // lower case; "" where hidden
	Bot       bool     // an integration, counted apart from people
	Active    bool     // one of the accounts is
	Known     bool     // false for a surrogate that no account describes
	Former    bool     // erased: counted, and never shown singly; see IsFormer
	Accounts  []Account

	byAddress bool // called by the e-mail address, and not by an account
}

// Surrogates are those of the accounts.
func (e Engineer) Surrogates() []uint64 {
	list := make([]uint64, len(e.Accounts))
	for i, a := range e.Accounts {
		list[i] = a.Surrogate
	}
	return list
}

// Directory is who is who. It is immutable and safe for concurrent use.
type Directory struct {
	engineers   []Engineer
	bySurrogate map[uint64]int
	byPseudonym map[string]int
	byPerson    map[string]int
	former      map[uint64]Engineer // by surrogate
	ambiguous   []string
	key         []byte
	accounts    []Account
	roster      *roster.Roster // nil for none
	matching    *roster.Matching
}

// Resolve joins accounts to engineers without a roster. Accounts without a
// surrogate are left out. The only error is ErrKey.
func Resolve(key []byte, accounts []Account) (*Directory, error) {
	return ResolveRoster(key, accounts, nil, nil, nil)
}

// ResolveRoster joins accounts to the people of a roster, and the rest as Resolve
// does. mapped are the accounts that the roster maps, with their surrogates: of
// those that no source describes any more it is all that is known. A nil roster is
// none. erased are the surrogates of people who were erased, each with the number
// that was drawn for the person. The only error is ErrKey.
func ResolveRoster(key []byte, accounts []Account, r *roster.Roster, mapped []Account, erased map[uint64]uint64) (*Directory, error) {
	subkey, err := derive(key)
	if err != nil {
		return nil, err
	}
	accounts = slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool { return a.Surrogate == 0 })
	slices.SortFunc(accounts, func(a, b Account) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Surrogate, b.Surrogate))
	})
	accounts = slices.CompactFunc(accounts, func(a, b Account) bool { return a.Source == b.Source && a.ID == b.ID })

	d := &Directory{
		bySurrogate: map[uint64]int{}, byPseudonym: map[string]int{}, byPerson: map[string]int{}, former: map[uint64]Engineer{},
		key: subkey, accounts: accounts, roster: r,
	}
	for surrogate, person := range erased {
		d.former[surrogate] = Engineer{Pseudonym: d.formerly(person), Former: true}
	}
	groups, codes := d.group()
	taken := map[string]bool{}
	for i, pseudonym := range d.name(codes, taken) {
		groups[i].Pseudonym = pseudonym
	}
	d.engineers = groups
	if r != nil {
		d.enlist(groups, taken, mapped)
	}
	slices.SortFunc(d.engineers, func(a, b Engineer) int { return cmp.Compare(a.Pseudonym, b.Pseudonym) })
	for i, e := range d.engineers {
		for _, alias := range e.Aliases {
			d.byPseudonym[alias] = i
		}
	}
	for i, e := range d.engineers {
		if !e.Former {
			d.byPseudonym[e.Pseudonym] = i
		}
		if e.Person != "" {
			d.byPerson[e.Person] = i
		}
		for _, a := range e.Accounts {
			d.bySurrogate[a.Surrogate] = i
		}
	}
	return d, nil
}

// group joins accounts by address alone.
func (d *Directory) group() (groups []Engineer, codes []code) {
	shared := repeated(d.accounts)
	for address := range shared {
		d.ambiguous = append(d.ambiguous, address.email)
	}
	slices.Sort(d.ambiguous)
	d.ambiguous = slices.Compact(d.ambiguous)

	byEmail := map[string]int{}
	for _, a := range d.accounts {
		email := roster.Address(a.Email)
		joins := email != "" && !a.Bot && !shared[place{a.Source, email}]
		if i, known := byEmail[email]; joins && known {
			groups[i].add(a)
			continue
		}
		e := Engineer{Email: email, Bot: a.Bot, Known: true}
		e.add(a)
		digest := d.accountDigest(a)
		if joins {
			byEmail[email], e.byAddress = len(groups), true
			digest = d.emailDigest(email)
		}
		codes = append(codes, code{len(groups), digest})
		groups = append(groups, e)
	}
	return groups, codes
}

type place struct{ source, email string }

// repeated finds the addresses that one source has more than once.
func repeated(accounts []Account) map[place]bool {
	count := map[place]int{}
	for _, a := range accounts {
		if email := roster.Address(a.Email); email != "" && !a.Bot {
			count[place{a.Source, email}]++
		}
	}
	shared := map[place]bool{}
	for p, n := range count {
		if n > 1 {
			shared[p] = true
		}
	}
	return shared
}

func (e *Engineer) add(a Account) {
	e.Accounts = append(e.Accounts, a)
	e.Name = cmp.Or(e.Name, a.Name)
	e.Active = e.Active || a.Active
}

// Engineers lists everybody, bots among them, by pseudonym. The result is not
// to be changed.
func (d *Directory) Engineers() []Engineer { return d.engineers }

// Ambiguous lists, sorted, the e-mail addresses that some source has for more
// than one account, so that none of these was joined by it.
func (d *Directory) Ambiguous() []string { return d.ambiguous }

// Of is the engineer behind a surrogate. For one that no account describes, as
// the source no longer shows it, it is an unknown engineer of their own, with a
// pseudonym of a longer form; an erased person is one Former, whatever accounts
// they had.
func (d *Directory) Of(surrogate uint64) Engineer {
	if i, ok := d.bySurrogate[surrogate]; ok {
		return d.engineers[i]
	}
	if e, ok := d.former[surrogate]; ok {
		return e
	}
	return Engineer{Pseudonym: d.unknown(surrogate), Accounts: []Account{{Surrogate: surrogate}}}
}

// unknown is the pseudonym of a surrogate that no account describes.
func (d *Directory) unknown(surrogate uint64) string {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], surrogate)
	return readable(d.digest("surrogate", string(n[:])), unknownDigits)
}

// formerMark begins the pseudonym of everybody who was erased, and no other: it is
// none of the first words.
const formerMark = "former-"

// IsFormer reports whether a pseudonym stands for somebody who was erased. They
// count in the figures of groups, under a pseudonym that leads to nobody and is
// shown to nobody.
func IsFormer(pseudonym string) bool { return strings.HasPrefix(pseudonym, formerMark) }

// formerly is the pseudonym of an erased person's number.
func (d *Directory) formerly(person uint64) string {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], person)
	return formerMark + readable(d.digest("former", string(n[:])), unknownDigits)
}

// Find is the engineer with a pseudonym, or with one that a part of them had
// without the roster, in any case and with surrounding space. Engineers that
// neither an account nor the roster describes, or who was erased, are not found.
func (d *Directory) Find(pseudonym string) (Engineer, bool) {
	i, ok := d.byPseudonym[strings.ToLower(strings.TrimSpace(pseudonym))]
	if !ok {
		return Engineer{}, false
	}
	return d.engineers[i], true
}

func derive(key []byte) ([]byte, error) {
	if len(key) < MinKey {
		return nil, ErrKey
	}
	subkey, err := hkdf.Key(sha256.New, key, nil, "fairlead engineer pseudonym", sha256.Size)
	if err != nil {
		return nil, err
	}
	return subkey, nil
}

// digest is the HMAC of parts, each with its length before it, so that no two
// lists of parts run together.
func (d *Directory) digest(parts ...string) []byte {
	mac := hmac.New(sha256.New, d.key)
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		mac.Write(n[:])
		mac.Write([]byte(p))
	}
	return mac.Sum(nil)
}

func (d *Directory) emailDigest(email string) []byte { return d.digest("e-mail", email) }
func (d *Directory) accountDigest(a Account) []byte  { return d.digest("account", a.Source, a.ID) }

type code struct {
	person int
	digest []byte
}

// name gives out pseudonyms that are not taken, the smallest digest first, by
// person.
func (d *Directory) name(codes []code, taken map[string]bool) map[int]string {
	slices.SortFunc(codes, func(a, b code) int { return bytes.Compare(a.digest, b.digest) })
	names := make(map[int]string, len(codes))
	for _, c := range codes {
		digest := c.digest
		pseudonym := readable(digest, knownDigits)
		for taken[pseudonym] {
			digest = d.digest("next", string(digest))
			pseudonym = readable(digest, knownDigits)
		}
		taken[pseudonym] = true
		names[c.person] = pseudonym
	}
	return names
}
