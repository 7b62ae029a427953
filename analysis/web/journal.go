package web

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Access is one look at what is held on a person.
type Access struct {
	Time      time.Time `json:"time"`
	Action    string    `json:"action"` // page, report, whois, explain, rebalance, forget
	Pseudonym string    `json:"pseudonym"`
	By        string    `json:"by"` // a pseudonym, an address, or a user of the machine
	What      string    `json:"what,omitempty"`
	Found     bool      `json:"found"`
}

// Journal is the access log: a file of JSON lines, 0600, that is appended to, and
// rewritten only where somebody is erased or entries are older than is kept. It is
// safe for concurrent use, by several processes too.
type Journal struct {
	path string
	mu   sync.Mutex
}

// NewJournal is the access log at a path; the file is made at the first entry.
func NewJournal(path string) *Journal { return &Journal{path: path} }

// Path is where it is.
func (j *Journal) Path() string { return j.path }

// Write adds entries, all or none, and returns when they are on disk. What cannot
// be logged is not to be shown.
func (j *Journal) Write(list ...Access) error {
	if len(list) == 0 {
		return nil
	}
	var lines []byte
	for _, a := range list {
		line, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("writing the access log: %w", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	file, err := j.hold(os.O_CREATE)
	if err != nil {
		return fmt.Errorf("writing the access log, without which nothing about a person is shown: %w", err)
	}
	// After a crash the last line may be cut short: it is not to take this one with it.
	last := []byte{'\n'}
	if size, err := file.Seek(0, io.SeekEnd); err == nil && size > 0 {
		if _, err := file.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			lines = append([]byte{'\n'}, lines...)
		}
	}
	_, err = file.Write(lines)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing the access log, without which nothing about a person is shown: %w", err)
	}
	return nil
}

// hold opens the file for this process alone among those that write it: a service
// and a command may at once. Closing lets go. It is the file that has the path,
// and not one that Rewrite has replaced meanwhile.
func (j *Journal) hold(flags int) (*os.File, error) {
	for {
		file, err := os.OpenFile(j.path, os.O_APPEND|os.O_RDWR|flags, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		held, err := file.Stat()
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if named, err := os.Stat(j.path); err == nil && os.SameFile(held, named) {
			return file, nil
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
}

// Rewrite passes each entry through keep, which may change it, or drop it with
// false, and says how many were. What a crash cut short is dropped. The file is
// replaced whole: after a crash it is the one before or the new one. With dry it
// only counts.
func (j *Journal) Rewrite(dry bool, keep func(*Access) bool) (changed int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	file, err := j.hold(0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("rewriting the access log: %w", err)
	}
	defer file.Close()
	var kept []byte
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var before Access
		if json.Unmarshal(lines.Bytes(), &before) != nil {
			changed++
			continue
		}
		after := before
		if !keep(&after) {
			changed++
			continue
		}
		line := lines.Bytes()
		if after != before {
			changed++
			if line, err = json.Marshal(after); err != nil {
				return 0, fmt.Errorf("rewriting the access log: %w", err)
			}
		}
		kept = append(append(kept, line...), '\n')
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("rewriting the access log: %w", err)
	}
	if dry || changed == 0 {
		return changed, nil
	}
	fresh, err := os.CreateTemp(filepath.Dir(j.path), ".access-*")
	if err != nil {
		return 0, fmt.Errorf("rewriting the access log: %w", err)
	}
	defer os.Remove(fresh.Name())
	_, err = fresh.Write(kept)
	if err := errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return 0, fmt.Errorf("rewriting the access log: %w", err)
	}
	if err := os.Rename(fresh.Name(), j.path); err != nil {
		return 0, fmt.Errorf("rewriting the access log: %w", err)
	}
	return changed, nil
}

// Latest are the most entries that wanted accepts, the newest first, and how many
// it accepted in all. A line that a crash cut short is passed over.
func (j *Journal) Latest(most int, wanted func(Access) bool) (list []Access, total int, err error) {
	file, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the access log: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	ring := make([]Access, 0, most)
	for lines.Scan() {
		var a Access
		if json.Unmarshal(lines.Bytes(), &a) != nil || !wanted(a) {
			continue
		}
		if len(ring) < most {
			ring = append(ring, a)
		} else if most > 0 {
			ring[total%most] = a
		}
		total++
	}
	if err := lines.Err(); err != nil {
		return nil, 0, fmt.Errorf("reading the access log: %w", err)
	}
	for i := range ring {
		list = append(list, ring[(total-1-i)%len(ring)])
	}
	return list, total, nil
}
