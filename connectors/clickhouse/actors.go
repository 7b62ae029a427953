package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fairlead/connectors/ticket"
)

// StoredAccount is an account with the surrogate that stands for it in tickets.
type StoredAccount struct {
	ID uint64
	ticket.Account
}

// WriteAccounts writes accounts, replacing what was known of the same ones. Names
// and e-mail addresses are stored here and nowhere else. Of somebody who is erased
// nothing is stored, whichever account of theirs it is.
func (d *DB) WriteAccounts(ctx context.Context, accounts []ticket.Account) error {
	if len(accounts) == 0 {
		return nil
	}
	if d.surrogate == nil {
		return errors.New("writing accounts: the warehouse was opened without surrogates")
	}
	for _, a := range accounts {
		if a.Source == "" || a.ID == "" {
			return errors.New("writing accounts: an account has no source or no id")
		}
		if d.surrogate(a.Source, a.ID) == 0 {
			return fmt.Errorf("writing accounts: an account of source %s has the surrogate 0", a.Source)
		}
	}
	erased, err := d.Erased(ctx)
	if err != nil {
		return err
	}
	version, err := d.nextVersion(ctx, "actors")
	if err != nil {
		return err
	}
	rows := make([][]any, 0, len(accounts))
	adopted := Erased{}
	for _, a := range accounts {
		id := d.surrogate(a.Source, a.ID)
		if erased[id] != 0 {
			continue
		}
		if person := erased[d.addressID(a.Email)]; person != 0 && !a.Bot {
			adopted[id] = person
			continue
		}
		rows = append(rows, []any{a.Source, a.ID, id, a.Name, a.Email, a.Active, a.Bot, version})
	}
	if err := d.writeErased(ctx, adopted); err != nil {
		return err
	}
	if len(rows) == 0 {
		return nil
	}
	if err := d.insert(writing(ctx, "write accounts"), "actors", []string{"source", "account", "id", "name", "email", "active", "bot", "version"}, rows); err != nil {
		return err
	}
	// Somebody may have been erased between the two.
	now, err := d.Erased(ctx)
	if err != nil || len(now) == len(erased)+len(adopted) {
		return err
	}
	return d.Scrub(ctx)
}

// Accounts returns all accounts but those of people who are erased, by source and
// account.
func (d *DB) Accounts(ctx context.Context) ([]StoredAccount, error) {
	const doing = "reading accounts"
	rows, err := d.conn.Query(Comment(ctx, "accounts"), "SELECT id, source, account, name, email, active, bot FROM "+d.Table("actors")+" FINAL WHERE id NOT IN (SELECT id FROM "+d.Table("erased")+") ORDER BY source, account")
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	var accounts []StoredAccount
	for rows.Next() {
		var a StoredAccount
		if err := rows.Scan(&a.ID, &a.Source, &a.Account.ID, &a.Name, &a.Email, &a.Active, &a.Bot); err != nil {
			return nil, d.explain(doing, err)
		}
		accounts = append(accounts, a)
	}
	return accounts, d.explain(doing, rows.Err())
}

// WriteTerms writes what ids mean, replacing what was known of the same ones.
func (d *DB) WriteTerms(ctx context.Context, terms []ticket.Term) error {
	if len(terms) == 0 {
		return nil
	}
	for _, t := range terms {
		if t.Source == "" || t.Field == "" || t.ID == "" {
			return errors.New("writing terms: a term has no source, no field or no id")
		}
	}
	version, err := d.nextVersion(ctx, "terms")
	if err != nil {
		return err
	}
	rows := make([][]any, len(terms))
	for i, t := range terms {
		rows[i] = []any{t.Source, string(t.Field), t.ID, t.Name, t.Value, version}
	}
	return d.insert(writing(ctx, "write terms"), "terms", []string{"source", "field", "id", "name", "value", "version"}, rows)
}

// Terms returns all terms, by source, field and id.
func (d *DB) Terms(ctx context.Context) ([]ticket.Term, error) {
	const doing = "reading terms"
	rows, err := d.conn.Query(Comment(ctx, "terms"), "SELECT source, field, id, name, value FROM "+d.Table("terms")+" FINAL ORDER BY source, field, id")
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	var terms []ticket.Term
	for rows.Next() {
		var t ticket.Term
		var field string
		if err := rows.Scan(&t.Source, &field, &t.ID, &t.Name, &t.Value); err != nil {
			return nil, d.explain(doing, err)
		}
		t.Field = ticket.Field(field)
		terms = append(terms, t)
	}
	return terms, d.explain(doing, rows.Err())
}

// nextVersion is greater than every version in the table: the microsecond now,
// or one more than the last where the clock stepped back.
func (d *DB) nextVersion(ctx context.Context, table string) (uint64, error) {
	d.clockMu.Lock()
	defer d.clockMu.Unlock()
	last, ok := d.clock[table]
	if !ok {
		if err := d.conn.QueryRow(Comment(ctx, "max version"), "SELECT max(version) FROM "+d.Table(table)).Scan(&last); err != nil {
			return 0, d.explain("reading the greatest version of "+table, err)
		}
	}
	version := max(uint64(time.Now().UnixMicro()), last+1)
	d.clock[table] = version
	return version, nil
}
