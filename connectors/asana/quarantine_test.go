package asana_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/source"
)

// timeless leaves out of every answer when a task was created.
type timeless struct{ gid string }

func (l timeless) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	var answer any
	if json.Unmarshal(content, &answer) == nil {
		l.strip(answer)
		if content, err = json.Marshal(answer); err != nil {
			return nil, err
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	return resp, nil
}

func (l timeless) strip(answer any) {
	switch v := answer.(type) {
	case map[string]any:
		if v["gid"] == l.gid {
			delete(v, "created_at")
		}
		for _, inner := range v {
			l.strip(inner)
		}
	case []any:
		for _, inner := range v {
			l.strip(inner)
		}
	}
}

// TestAnUnreadableTaskIsNamed and stops nothing: it is in Skipped, by which the
// collector counts it, and is never silently short.
func TestAnUnreadableTaskIsNamed(t *testing.T) {
	for _, batches := range []bool{true, false} {
		t.Run(fmt.Sprintf("batches %v", batches), func(t *testing.T) {
			f := newOffice(t, asanatest.Options{NoBatch: !batches})
			var gids []string
			for range 5 {
				gids = append(gids, f.create("", asanatest.AddTo(f.migration, ""), asanatest.Assign(f.ann)))
			}
			f.wait(time.Hour)
			c := collect(t, f.connect(nil, timeless{gids[2]}))
			want := source.Skipped{ID: gids[2], Reason: "unreadable"}
			if len(c.skipped) == 0 || slices.ContainsFunc(c.skipped, func(s source.Skipped) bool { return s != want }) {
				t.Errorf("skipped are %v, want %v", c.skipped, want)
			}
			if _, came := c.tickets[gids[2]]; came || len(c.tickets) != 4 {
				t.Errorf("%d of 5 tasks came, the unreadable one among them: %v", len(c.tickets), came)
			}
		})
	}
}
