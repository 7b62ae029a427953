package web

import (
	"errors"
	"sync"
	"testing"

	"fairlead/analysis"
)

func TestMemo(t *testing.T) {
	var m memo[int, int]
	var mu sync.Mutex
	made := 0
	next := func() (int, error) {
		mu.Lock()
		defer mu.Unlock()
		made++
		return made, nil
	}
	first, second := &analysis.Snapshot{}, &analysis.Snapshot{}
	if _, err := m.of(first, 1, func() (int, error) { return 0, errors.New("no engine") }); err == nil {
		t.Error("a failure is no error")
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if v, err := m.of(first, 1, next); v != 1 || err != nil {
				t.Errorf("got %d, %v: made more than once, or the failure was kept", v, err)
			}
		})
	}
	all.Wait()
	if v, _ := m.of(second, 1, next); v != 2 {
		t.Errorf("got %d of another snapshot", v)
	}
	for key := range 10 * memoSize {
		if _, err := m.of(second, key, next); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.made) > memoSize {
		t.Errorf("%d results are kept", len(m.made))
	}
}
