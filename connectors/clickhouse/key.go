package clickhouse

import (
	"context"
	"errors"
	"fmt"
)

// ErrOtherKey: the warehouse was written with another surrogate key.
var ErrOtherKey = errors.New("warehouse belongs to another key")

// ClaimKey binds the warehouse to a surrogate key at its first use: fingerprint
// is a hash that does not give the key away. With another key every account would
// get a second surrogate, and its tickets would fall apart; so ClaimKey then
// fails with ErrOtherKey. Of two claims at once the earlier wins.
func (d *DB) ClaimKey(ctx context.Context, fingerprint string) error {
	if fingerprint == "" {
		return errors.New("claiming key: the fingerprint is empty")
	}
	stored, err := d.claimedKey(ctx)
	if err != nil {
		return err
	}
	if stored == "" {
		if err := d.conn.Exec(writing(ctx, "claim key"), "INSERT INTO "+d.Table("key_claims")+" (fingerprint, claimed) SELECT $1, now64(3)", fingerprint); err != nil {
			return d.explain("claiming key", err)
		}
		if stored, err = d.claimedKey(ctx); err != nil {
			return err
		}
	}
	if stored != fingerprint {
		return fmt.Errorf("%w: its tickets were written with another surrogate key: use the key file of the data folder it was first written from, or a new database", ErrOtherKey)
	}
	return nil
}

func (d *DB) claimedKey(ctx context.Context) (string, error) {
	var fingerprint string
	err := d.conn.QueryRow(Comment(ctx, "claimed key"), "SELECT argMin(fingerprint, (claimed, fingerprint)) FROM "+d.Table("key_claims")).Scan(&fingerprint)
	return fingerprint, d.explain("reading the claimed key", err)
}
