// Package privacy takes away what is no longer to be held: a person who has to be
// erased, and everything that is older than it is kept.
//
// # Erasing a person
//
// [Forgetter.Forget] takes the identity of a person out of everything that
// Fairlead stores: names, addresses and accounts, the entry in the stored roster,
// their pseudonym in the access log. What stays is what is about a group: tickets
// hold a number in place of the person, by which a team's figures stay what they
// were, and of which nothing single is published; and the entries of the access
// log stay, for those who were looked at besides, without saying who it was.
//
// It holds for good. A keyed hash of each account and address is kept as a mark,
// and while there is the key, which tells a marked account from others when the
// source shows it again, nothing of it is stored.
//
// What it cannot reach, [Forgotten] lists for whoever asked.
package privacy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/web"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/roster"
)

// formerEngineer stands in the access log for whoever was erased.
const formerEngineer = "former engineer"

// Warehouse is what forgetting needs of it.
type Warehouse interface {
	Forget(ctx context.Context, accounts []roster.AccountRef, addresses []string) (clickhouse.Forgotten, error)
	WouldForget(ctx context.Context, accounts []roster.AccountRef, addresses []string) (clickhouse.Forgotten, error)
	FormerEntry(ctx context.Context, accounts []roster.AccountRef, addresses []string) (clickhouse.FormerEntry, error)
	Scrub(ctx context.Context) error
}

// Engine finds people.
type Engine interface {
	Identities(ctx context.Context, word string) ([]analysis.Identity, error)
}

// Forgetter erases people.
type Forgetter struct {
	Engine    Engine
	Warehouse Warehouse
	Journal   *web.Journal
	// Shown is the analysis that a service shows; nil where none runs. The person
	// is taken out of it as soon as they are erased, and not only with the next.
	Shown *analysis.Published
	// Roster is the files and folders that the roster is read from.
	Roster []string
	Now    func() time.Time
}

// Forgotten is what was erased, or would be, and what has to be done elsewhere.
type Forgotten struct {
	DryRun   bool     `json:"dry_run"`
	Labels   []string `json:"labels"`   // pseudonyms that Prometheus may have stored
	Names    []string `json:"names"`    // likewise, where names are labels
	Sources  []string `json:"sources"`  // systems in which the person has accounts
	Accounts uint64   `json:"accounts"` // rows, older versions among them
	Roster   bool     `json:"roster"`   // the stored roster named them
	Entries  int      `json:"entries"`  // of the access log
	Tickets  uint64   `json:"tickets"`  // that stay, with a number in place of the person

	// InFiles is whether the roster's files still name them, Files which these are,
	// and Entry what may stand there instead, so that their team's capacity in the
	// past stays.
	InFiles bool     `json:"in_files"`
	Files   []string `json:"files"`
	Entry   string   `json:"entry"`
}

// ErrNobody: nobody is known by that word, or not any more.
var ErrNobody = errors.New("nobody is known here by that")

// Forget erases whoever is meant by a pseudonym, an e-mail address, an account or
// an id of the roster; with dry it only says what would be erased. It may be
// called again, and where it failed it must be: of a person whose erasure was
// begun it takes away what is left, and then says ErrNobody.
func (f *Forgetter) Forget(ctx context.Context, word, by string, dry bool) (Forgotten, error) {
	told := Forgotten{DryRun: dry}
	if strings.TrimSpace(word) == "" {
		return told, errors.New("whom? Give a pseudonym, an e-mail address or an account")
	}
	found, err := f.Engine.Identities(ctx, word)
	if err != nil {
		return told, err
	}
	switch {
	case len(found) > 1:
		return told, fmt.Errorf("%d people are known by that: give the pseudonym of one of them, or an account as \"SOURCE ID\"", len(found))
	case len(found) == 0:
		if !dry {
			// What an erasure that was cut short has left.
			if err := f.Warehouse.Scrub(ctx); err != nil {
				return told, err
			}
			if _, err := f.journal([]string{word}, false); err != nil {
				return told, err
			}
		}
		return told, ErrNobody
	}
	who := found[0]
	told.Labels = append([]string{who.Pseudonym}, who.Aliases...)
	for _, a := range who.Accounts {
		told.Sources = append(told.Sources, a.Source)
		if a.Name != "" {
			told.Names = append(told.Names, a.Name)
		}
	}
	if who.Name != "" {
		told.Names = append(told.Names, who.Name)
	}
	for _, list := range []*[]string{&told.Sources, &told.Names} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if told.InFiles, err = f.inFiles(who); err != nil {
		return told, err
	}
	if told.InFiles {
		told.Files = f.Roster
	}
	if told.Entries, err = f.journal(who.Words, dry); err != nil {
		return told, err
	}
	var held clickhouse.Forgotten
	if dry {
		held, err = f.Warehouse.WouldForget(ctx, who.Refs, who.Addresses)
	} else {
		held, err = f.Warehouse.Forget(ctx, who.Refs, who.Addresses)
		if f.Shown != nil { // also where it failed: the mark comes first
			f.Shown.Erase(told.Labels...)
		}
	}
	if err != nil {
		return told, err
	}
	told.Accounts, told.Roster, told.Tickets = held.Accounts, held.Roster, held.Tickets
	if dry {
		return told, nil
	}
	// Whoever looked meanwhile was logged under the pseudonym.
	more, err := f.journal(who.Words, false)
	if err != nil {
		return told, err
	}
	told.Entries += more
	if told.InFiles {
		entry, err := f.Warehouse.FormerEntry(ctx, who.Refs, who.Addresses)
		if err != nil {
			return told, err
		}
		told.Entry = entry.String()
	}
	err = f.Journal.Write(web.Access{Time: f.Now().UTC().Truncate(time.Second), Action: "forget", Pseudonym: formerEngineer, By: by, Found: true})
	return told, err
}

// journal makes the entries of the access log that name a person those of a former
// engineer, and says how many.
func (f *Forgetter) journal(words []string, dry bool) (int, error) {
	are := map[string]bool{}
	for _, word := range words {
		if word = strings.ToLower(strings.TrimSpace(word)); word != "" {
			are[word] = true
		}
	}
	return f.Journal.Rewrite(dry, func(a *web.Access) bool {
		for _, field := range []*string{&a.Pseudonym, &a.By} {
			if are[strings.ToLower(strings.TrimSpace(*field))] {
				*field = formerEngineer
			}
		}
		return true
	})
}

// inFiles is whether the roster's files name the person: they are the user's, and
// are not touched.
func (f *Forgetter) inFiles(who analysis.Identity) (bool, error) {
	if len(f.Roster) == 0 {
		return false, nil
	}
	r, err := roster.Load(f.Roster...)
	if err != nil {
		return false, err
	}
	for _, address := range who.Addresses {
		if r.PersonByEmail(address) != "" {
			return true, nil
		}
	}
	for _, a := range r.Data().Accounts {
		if slices.Contains(who.Refs, a.AccountRef) {
			return true, nil
		}
	}
	return false, nil
}
