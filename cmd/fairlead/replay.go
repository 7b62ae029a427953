package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// replay is what a demonstration leaves in its data folder: which content each
// source was served from, and the instant at which that content ends, from
// which figures are computed by default.
type replay struct {
	AsOf    time.Time         `json:"as_of"`
	Sources map[string]string `json:"sources"` // name of the source → what it replays
}

func replayPath(dir string) string { return filepath.Join(dir, "replay.json") }

// loadReplay returns nil where the folder holds no replay.
func loadReplay(dir string) (*replay, error) {
	text, err := os.ReadFile(replayPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the data folder: %w: choose another with --data", err)
	}
	var r replay
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("reading %s: %w: choose another folder with --data", replayPath(dir), err)
	}
	return &r, nil
}

func (r *replay) save(dir string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing what the data folder replays: %w", err)
	}
	return writeFile(replayPath(dir), append(text, '\n'))
}

// writeFile replaces the file whole, readable by its owner only.
func writeFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(content)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
