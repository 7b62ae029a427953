package web

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Access is one look at what is held on a person.
type Access struct {
	Time      time.Time `json:"time"`
	Action    string    `json:"action"` // page, report, whois
	Pseudonym string    `json:"pseudonym"`
	By        string    `json:"by"` // a pseudonym, an address, or a user of the machine
	What      string    `json:"what,omitempty"`
	Found     bool      `json:"found"`
}

// Journal is the access log: a file of JSON lines, 0600, that is only appended
// to. It is safe for concurrent use.
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
	file, err := os.OpenFile(j.path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
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
