package collector

import (
	"encoding/json"
	"hash/maphash"

	"fairlead/connectors/ticket"
)

// lack are the ids of tickets seen since the start that the source refused or
// that could not be stored.
type lack map[string]struct{}

// maxLack bounds it; a source of which more is missing is not told apart from one
// of which more still is.
const maxLack = 100_000

// quarantine notes a ticket, and calls say when it is the first time.
func (l lack) quarantine(id string, say func()) {
	if _, known := l[id]; known {
		return
	}
	if len(l) < maxLack {
		l[id] = struct{}{}
	}
	say()
}

// memory knows the tickets that the last poll and the present one wrote, so
// that those in the overlap of the next are not written over and over. It may
// forget and is never wrong but by a hash of 64 bits.
type memory struct {
	seed         maphash.Seed
	before, this map[string]uint64
}

// maxMemory bounds each poll's part.
const maxMemory = 20_000

func newMemory() memory {
	return memory{seed: maphash.MakeSeed(), before: map[string]uint64{}, this: map[string]uint64{}}
}

// turn begins a poll.
func (m *memory) turn() { m.before, m.this = m.this, map[string]uint64{} }

func (m *memory) knows(t *ticket.Ticket) bool {
	known, ok := m.this[t.ID]
	if !ok {
		known, ok = m.before[t.ID]
	}
	if !ok {
		return false
	}
	sum, ok := m.sum(t)
	if !ok || sum != known {
		return false
	}
	m.this[t.ID] = known // it was seen in this poll too
	return true
}

func (m *memory) remember(t *ticket.Ticket) {
	sum, ok := m.sum(t)
	if !ok || len(m.this) >= maxMemory {
		delete(m.this, t.ID)
		delete(m.before, t.ID)
		return
	}
	m.this[t.ID] = sum
}

func (m *memory) sum(t *ticket.Ticket) (uint64, bool) {
	content, err := json.Marshal(t)
	if err != nil {
		return 0, false
	}
	return maphash.Bytes(m.seed, content), true
}
