package web

import (
	"sync"

	"fairlead/analysis"
)

// memoSize is how many results of a Snapshot are kept: pages are looked at by few
// at a time.
const memoSize = 64

// memo keeps what was made of a Snapshot until there is another, so that looking
// again costs nothing. What is asked for twice at once is made once.
type memo[K comparable, V any] struct {
	mu   sync.Mutex
	at   *analysis.Snapshot
	made map[K]*memoed[V]
}

type memoed[V any] struct {
	mu    sync.Mutex
	done  bool
	value V
}

// of is the value of a key, made by make if it is not there. A failure is not kept.
func (m *memo[K, V]) of(s *analysis.Snapshot, key K, make func() (V, error)) (V, error) {
	one := m.entry(s, key)
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.done {
		return one.value, nil
	}
	value, err := make()
	if err == nil {
		one.done, one.value = true, value
	}
	return value, err
}

func (m *memo[K, V]) entry(s *analysis.Snapshot, key K) *memoed[V] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at != s || len(m.made) >= memoSize && m.made[key] == nil {
		m.at, m.made = s, map[K]*memoed[V]{}
	}
	if m.made[key] == nil {
		m.made[key] = &memoed[V]{}
	}
	return m.made[key]
}
