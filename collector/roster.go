package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/roster"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// RosterStore is what the roster's way into the warehouse needs of it.
type RosterStore interface {
	RosterHash(ctx context.Context) (string, error)
	WriteRoster(ctx context.Context, r *roster.Roster) error
	Accounts(ctx context.Context) ([]clickhouse.StoredAccount, error)
	Activity(ctx context.Context, from, to time.Time) ([]clickhouse.Activity, error)
	Terms(ctx context.Context) ([]ticket.Term, error)
	// Forgets tells of accounts, as a source shows them, whether they are erased.
	Forgets(ctx context.Context) (erased func(source, account, address string) bool, err error)
}

// RosterDays is how far back, in days, holders of tickets count for a roster's
// report and for a draft of one.
const RosterDays = 90

// RosterReport says how a roster fits the accounts that the sources have shown.
type RosterReport struct {
	People, Teams int
	// Unmatched are the accounts that held tickets in the last RosterDays and
	// match nobody, by source and id; Counts is how many of each source.
	Unmatched []roster.Unmatched
	Counts    map[string]int
	// Missing are the accounts that the roster maps and no source has shown.
	Missing []roster.Mapping
	// WithoutAccount are the ids of people who work here now and have none.
	WithoutAccount []string
}

// SyncRoster makes what the files and folders say the roster of the warehouse, and
// reports whether that changed it. No paths at all remove it. Files with a mistake
// change nothing: the error is one line, and the roster before stays in force.
func SyncRoster(ctx context.Context, store RosterStore, paths []string, log *slog.Logger) (changed bool, err error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var r *roster.Roster
	hash := ""
	if len(paths) > 0 {
		if r, err = roster.Load(paths...); err != nil {
			return false, err
		}
		hash = r.Hash()
	}
	stored, err := store.RosterHash(ctx)
	if err != nil {
		return false, fmt.Errorf("storing the roster: %w", err)
	}
	if stored == hash {
		return false, nil
	}
	if err := store.WriteRoster(ctx, r); err != nil {
		return false, fmt.Errorf("storing the roster: %w", err)
	}
	if r == nil {
		log.InfoContext(ctx, "roster removed")
		return true, nil
	}
	report, err := CheckRoster(ctx, store, r, time.Now())
	if err != nil {
		return true, err
	}
	log.InfoContext(ctx, "roster stored", "people", report.People, "teams", report.Teams, "people_without_account", len(report.WithoutAccount))
	for _, source := range slices.Sorted(maps.Keys(report.Counts)) {
		log.WarnContext(ctx, "accounts match nobody in the roster", "source", source, "accounts", report.Counts[source])
	}
	return true, nil
}

// CheckRoster compares a roster with the accounts that the warehouse knows, as of
// an instant. It changes nothing.
func CheckRoster(ctx context.Context, store RosterStore, r *roster.Roster, asOf time.Time) (RosterReport, error) {
	fail := func(err error) (RosterReport, error) {
		return RosterReport{}, fmt.Errorf("comparing the roster with accounts: %w", err)
	}
	stored, err := store.Accounts(ctx)
	if err != nil {
		return fail(err)
	}
	activity, err := store.Activity(ctx, asOf.AddDate(0, 0, -RosterDays), asOf)
	if err != nil {
		return fail(err)
	}
	holders := map[uint64]bool{}
	for _, a := range activity {
		holders[a.Actor] = true
	}
	accounts := make([]ticket.Account, len(stored))
	held := map[roster.AccountRef]bool{}
	for i, a := range stored {
		accounts[i] = a.Account
		held[roster.AccountRef{Source: a.Source, ID: a.Account.ID}] = holders[a.ID]
	}
	m := r.Match(accounts)
	report := RosterReport{People: len(r.People()), Teams: len(r.Teams()), Counts: map[string]int{}, Missing: m.Missing}
	for _, u := range m.Unmatched {
		if held[roster.AccountRef{Source: u.Source, ID: u.ID}] {
			report.Unmatched = append(report.Unmatched, u)
			report.Counts[u.Source]++
		}
	}
	for _, id := range m.WithoutAccount {
		if r.StateAt(id, asOf) != roster.NotEmployed {
			report.WithoutAccount = append(report.WithoutAccount, id)
		}
	}
	return report, nil
}

// Staff is what sources tell of the people in their groups.
type Staff struct {
	Groups   []roster.Group
	Accounts []ticket.Account
	Zones    map[roster.AccountRef]string
}

// AskStaff asks the sources that know it for the people in the groups whose tickets
// were held in the RosterDays before asOf. A source that fails tells nothing, and
// is named in the error that comes beside what the others tell.
func AskStaff(ctx context.Context, store RosterStore, asOf time.Time, sources []source.Source) (Staff, error) {
	staff := Staff{Zones: map[roster.AccountRef]string{}}
	activity, err := store.Activity(ctx, asOf.AddDate(0, 0, -RosterDays), asOf)
	if err != nil {
		return staff, fmt.Errorf("drafting a roster: %w", err)
	}
	groups := map[string]map[string]bool{} // by source
	for _, a := range activity {
		if groups[a.Source] == nil {
			groups[a.Source] = map[string]bool{}
		}
		groups[a.Source][a.Group] = a.Group != ""
	}
	erased, err := store.Forgets(ctx)
	if err != nil {
		return staff, fmt.Errorf("drafting a roster: %w", err)
	}
	var failed []error
	for _, src := range sources {
		staffed, ok := src.(source.Staffed)
		if !ok {
			continue
		}
		var ids []string
		for _, id := range slices.Sorted(maps.Keys(groups[src.Name()])) {
			if groups[src.Name()][id] {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			continue
		}
		told, err := staffed.Staff(ctx, ids)
		if err != nil {
			failed = append(failed, fmt.Errorf("asking %s who is in its groups: %w", src.Name(), err))
			continue
		}
		addresses := map[string]string{} // by account
		for _, a := range told.Accounts {
			addresses[a.ID] = a.Email
		}
		gone := func(account string) bool { return account == "" || erased(src.Name(), account, addresses[account]) }
		told.Accounts = slices.DeleteFunc(told.Accounts, func(a ticket.Account) bool { return gone(a.ID) })
		for _, g := range told.Groups {
			g.Members = slices.DeleteFunc(g.Members, gone)
			if gone(g.Manager) {
				g.Manager = ""
			}
			staff.Groups = append(staff.Groups, roster.Group{Source: src.Name(), ID: g.ID, Name: g.Name, Manager: g.Manager, Members: g.Members})
		}
		staff.Accounts = append(staff.Accounts, told.Accounts...)
		for account, zone := range told.Zones {
			if !gone(account) {
				staff.Zones[roster.AccountRef{Source: src.Name(), ID: account}] = zone
			}
		}
	}
	return staff, errors.Join(failed...)
}

// SuggestRoster drafts a roster from who held which tickets in the RosterDays
// before asOf, and from what the sources tell of groups and zones. Names of groups
// are taken from the warehouse where staff has none.
func SuggestRoster(ctx context.Context, store RosterStore, asOf time.Time, staff Staff) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("drafting a roster: %w", err) }
	stored, err := store.Accounts(ctx)
	if err != nil {
		return fail(err)
	}
	activity, err := store.Activity(ctx, asOf.AddDate(0, 0, -RosterDays), asOf)
	if err != nil {
		return fail(err)
	}
	terms, err := store.Terms(ctx)
	if err != nil {
		return fail(err)
	}
	e := roster.Evidence{Days: RosterDays, Zones: staff.Zones}
	of := make(map[uint64]roster.AccountRef, len(stored))
	known := make(map[roster.AccountRef]bool, len(stored))
	for _, a := range stored {
		e.Accounts = append(e.Accounts, a.Account)
		known[roster.AccountRef{Source: a.Source, ID: a.Account.ID}] = true
		of[a.ID] = roster.AccountRef{Source: a.Source, ID: a.Account.ID}
	}
	for _, a := range staff.Accounts {
		if ref := (roster.AccountRef{Source: a.Source, ID: a.ID}); !known[ref] {
			known[ref] = true
			e.Accounts = append(e.Accounts, a)
		}
	}
	for _, a := range activity {
		ref, ok := of[a.Actor]
		if !ok {
			ref = roster.AccountRef{Source: a.Source, ID: "unknown " + strconv.FormatUint(a.Actor, 10)}
		}
		e.Held = append(e.Held, roster.Held{AccountRef: ref, Group: a.Group, Tickets: int(a.Tickets), Last: a.Last})
	}
	for _, t := range terms {
		if t.Field == ticket.FieldGroup {
			e.Groups = append(e.Groups, roster.Group{Source: t.Source, ID: t.ID, Name: t.Name})
		}
	}
	e.Groups = append(e.Groups, staff.Groups...)
	return roster.Suggest(e), nil
}
