package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// What a poll brings is not told as if it brought again what was collected
// before it, and one that finds nothing says nothing.
func TestLinesCountOneCollection(t *testing.T) {
	var out bytes.Buffer
	p := &lines{log: slog.New(slog.NewTextHandler(&out, nil)), bySource: map[string]*count{}}
	// As if it had said something long ago.
	overdue := func() {
		for _, c := range p.bySource {
			c.said = time.Now().Add(-2 * lineEvery)
		}
	}
	p.Page("asana", "open", 30, 70)
	p.Page("asana", "recent", 70, 0)
	p.Done("asana")
	if got := out.String(); !strings.Contains(got, `msg="caught up" source=asana tickets=100`) {
		t.Errorf("the first collection ends with %q", got)
	}
	out.Reset()
	for range 3 {
		p.Page("asana", "incremental", 0, 0)
		overdue()
	}
	if out.Len() > 0 {
		t.Errorf("polls that find nothing say %q", out.String())
	}
	p.Page("asana", "incremental", 2, 1)
	overdue()
	p.Page("asana", "incremental", 1, 0)
	p.Done("asana")
	for _, want := range []string{"msg=collecting source=asana stream=incremental tickets=3 ", `msg="caught up" source=asana tickets=3`} {
		if got := out.String(); !strings.Contains(got, want) {
			t.Errorf("a poll of three tickets says %q, without %q", got, want)
		}
	}
}
