package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/identity"
)

// house is the data folder, the key in it and the warehouse.
type house struct {
	dir    string
	key    identity.Key
	db     *clickhouse.DB
	replay *replay // nil unless the folder holds a demonstration
}

// opening says how a command needs the warehouse.
type opening int

const (
	toWrite opening = iota // makes the folder, the key and the tables where missing
	toRead                 // refuses a folder that nothing was collected into
)

func keyPath(dir string) string { return filepath.Join(dir, "identity.key") }

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// openHouse opens the data folder and the warehouse. The caller closes it.
func (a *app) openHouse(ctx context.Context, dir string, how opening) (_ *house, err error) {
	external := a.cfg.ClickHouse.DSN != ""
	h := &house{dir: dir}
	switch how {
	case toWrite:
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the data folder: %w: choose another with --data", err)
		}
		h.key, err = identity.LoadOrCreate(keyPath(dir))
	case toRead:
		h.key, err = identity.Load(keyPath(dir))
		if errors.Is(err, fs.ErrNotExist) {
			other := "choose another folder with --data"
			if demo, err := userDataDir("demo"); err == nil && a.globals.Data == "" && a.cfg.DataDir == "" && isFile(keyPath(demo)) {
				other = "add --data " + demo + " for what fairlead demo collected"
			}
			return nil, fmt.Errorf("data folder %s holds no key, so nothing was collected with it: run fairlead collect or fairlead demo first, or %s", dir, other)
		}
	}
	if err != nil {
		if path := (*fs.PathError)(nil); errors.As(err, &path) {
			return nil, fmt.Errorf("%w: make the data folder yours and writable, or choose another with --data", err)
		}
		return nil, err
	}
	if h.replay, err = loadReplay(dir); err != nil {
		return nil, err
	}

	h.db, err = clickhouse.Open(ctx, clickhouse.Options{
		Config:    a.cfg.ClickHouse,
		DataDir:   dir,
		Surrogate: h.key.Surrogate,
		Logger:    a.log,
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.db.Close())
		}
	}()
	if _, err := h.db.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("bringing the tables up to date: %w", err)
	}
	if err := h.db.ClaimKey(ctx, h.key.Fingerprint()); err != nil {
		where := dir
		if external {
			where = "the ClickHouse server"
		}
		return nil, fmt.Errorf("using the key %s with %s: %w", keyPath(dir), where, err)
	}
	return h, nil
}

func (h *house) Close() error { return h.db.Close() }

type migrateCmd struct{}

// Run brings the tables up to date and says what it did.
func (migrateCmd) Run(ctx context.Context, a *app) (err error) {
	if err := a.configure(); err != nil {
		return err
	}
	dir, err := a.cfg.dataDir(a.globals.Data)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w: choose another with --data", err)
	}
	key, err := identity.LoadOrCreate(keyPath(dir))
	if err != nil {
		return err
	}
	db, err := clickhouse.Open(ctx, clickhouse.Options{Config: a.cfg.ClickHouse, DataDir: dir, Surrogate: key.Surrogate, Logger: a.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	applied, err := db.Migrate(ctx)
	for _, name := range applied {
		fmt.Fprintf(a.stdout, "applied %s\n", name)
	}
	if err != nil {
		return err
	}
	if len(applied) == 0 {
		fmt.Fprintln(a.stdout, "the tables are up to date")
	}
	return nil
}
