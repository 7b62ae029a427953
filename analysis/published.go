package analysis

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Published is the Snapshot that is shown to everybody, the latest. The zero
// Published shows none. It is safe for concurrent use.
type Published struct {
	mu     sync.Mutex // of who writes
	latest atomic.Pointer[Snapshot]
	erased []string
}

// Load is the Snapshot that is shown; nil while there is none.
func (p *Published) Load() *Snapshot { return p.latest.Load() }

// Store shows a Snapshot, but nobody in it of whom Erase was told.
func (p *Published) Store(s *Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest.Store(s.without(p.erased...))
}

// Erase takes people out of what is shown, at once and for good: also out of an
// analysis that was begun before they were erased and is stored after it.
func (p *Published) Erase(pseudonyms ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erased = append(p.erased, pseudonyms...)
	if s := p.latest.Load(); s != nil {
		p.latest.Store(s.without(pseudonyms...))
	}
}

// without is the Snapshot in which nothing is told of some people singly; the
// same one for nobody. Figures of groups stay, which count them.
func (s *Snapshot) without(pseudonyms ...string) *Snapshot {
	if len(pseudonyms) == 0 {
		return s
	}
	// What is changed is copied: others read this one.
	w := *s
	w.Teams = maps.Clone(s.Teams)
	for key, groups := range w.Teams {
		w.Teams[key] = slices.Clone(groups)
	}
	w.Areas, w.States = slices.Clone(s.Areas), slices.Clone(s.States)
	for i := range w.States {
		k := &w.States[i].Knowledge
		k.WhatIf = slices.Clone(k.WhatIf)
	}
	w.drop(func(pseudonym string) bool { return slices.Contains(pseudonyms, pseudonym) })
	return &w
}
