package servicenow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"fairlead/connectors/rest"
)

// The Batch API takes several requests in one and answers each as if it had come
// alone, under the same access rules (product documentation, "Batch API", since
// London). A page's history is a dozen requests, since its ids do not fit into one:
// so they cost one. Where an instance refuses it, or cannot end a batch in the half
// minute that it has for one, the requests are sent singly.

const (
	batchPath = "/api/now/v1/batch"

	// maxBatch is how many requests are put into one at first.
	maxBatch = 16
)

// batching is what was learnt of the instance's Batch API.
type batching struct {
	mu  sync.Mutex
	off bool
	max int
}

func (b *batching) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.off {
		return 0
	}
	if b.max == 0 {
		b.max = maxBatch
	}
	return b.max
}

// served notes that of so many requests in a batch some were left over: fewer go
// into the next.
func (b *batching) served(asked, left int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if left > 0 {
		b.max = min(b.max, max(asked-left, 1))
		b.off = b.off || b.max < 2
	}
}

func (b *batching) refused() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.off = true
}

// readied are answers that came before they were asked for. Each is given once.
type readied struct {
	mu      sync.Mutex
	answers map[string]raw // by path
}

func (r *readied) take(path string) (raw, bool) {
	if r == nil {
		return raw{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.answers[path]
	delete(r.answers, path)
	return a, ok
}

type batchItem struct {
	ID      string      `json:"id"`
	URL     string      `json:"url"`
	Method  string      `json:"method"`
	Headers []nameValue `json:"headers"`
}

type nameValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type batchAnswer struct {
	Serviced []struct {
		ID      string      `json:"id"`
		Status  int         `json:"status_code"`
		Body    []byte      `json:"body"` // in Base64
		Headers []nameValue `json:"headers"`
	} `json:"serviced_requests"`
}

// ahead asks for several requests at once, and returns a client that has their
// answers. What did not come it asks for when it is read.
func (c *client) ahead(ctx context.Context, requests []request) *client {
	if !c.batch || len(requests) < 2 || c.batching.size() < 2 {
		return c
	}
	with := *c
	with.ready = &readied{answers: map[string]raw{}}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelRequests)
	for part := range slices.Chunk(requests, c.batching.size()) {
		group.Go(func() error {
			answers, err := c.post(ctx, part)
			if err != nil {
				// Not the way: each is asked for by itself, and says what is wrong.
				return nil
			}
			with.ready.mu.Lock()
			defer with.ready.mu.Unlock()
			maps.Copy(with.ready.answers, answers)
			return nil
		})
	}
	_ = group.Wait()
	return &with
}

// errNoBatch: the instance takes no batches.
var errNoBatch = errors.New("the instance takes no batches")

// post sends requests as one and returns the answers that can be used, by path.
func (c *client) post(ctx context.Context, requests []request) (map[string]raw, error) {
	items := make([]batchItem, len(requests))
	for i, r := range requests {
		items[i] = batchItem{ID: strconv.Itoa(i), URL: r.path(), Method: http.MethodGet, Headers: []nameValue{{"Accept", "application/json"}}}
	}
	body, err := json.Marshal(map[string]any{"batch_request_id": "fairlead", "rest_requests": items})
	if err != nil {
		return nil, fmt.Errorf("writing a batch: %w", err)
	}
	u := *c.base
	u.Path += batchPath
	// It reads and changes nothing, so it may be sent again.
	resp, sent, err := c.send(ctx, func() (*http.Request, error) {
		req, err := http.NewRequestWithContext(rest.Idempotent(ctx), http.MethodPost, u.String(), bytes.NewReader(body))
		if err == nil {
			req.Header.Set("Content-Type", "application/json")
		}
		return req, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", batchPath, err)
	}
	defer resp.Body.Close()
	switch s := resp.StatusCode; {
	case s >= 300 && s < 500 && s != http.StatusUnauthorized && s != http.StatusTooManyRequests:
		c.batching.refused()
		return nil, errNoBatch
	case s != http.StatusOK:
		return nil, fmt.Errorf("reading %s: %w", batchPath, statusError(s, resp.Status, nil))
	}
	var got batchAnswer
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&got); err != nil {
		return nil, fmt.Errorf("reading %s: the answer is not a batch's", batchPath)
	}
	var date time.Time
	if d, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		date = d
	}
	answers := map[string]raw{}
	for _, one := range got.Serviced {
		i, err := strconv.Atoi(one.ID)
		// What is refused for now, or broken, is asked for again by itself.
		if err != nil || i < 0 || i >= len(requests) || one.Status != http.StatusOK && one.Status != http.StatusForbidden {
			continue
		}
		a := raw{status: one.Status, text: strconv.Itoa(one.Status), header: http.Header{}, body: one.Body, sent: sent}
		for _, h := range one.Headers {
			a.header.Set(h.Name, h.Value)
		}
		if a.header.Get("Date") == "" && !date.IsZero() {
			a.header.Set("Date", date.UTC().Format(http.TimeFormat))
		}
		answers[requests[i].path()] = a
	}
	c.batching.served(len(requests), len(requests)-len(got.Serviced))
	return answers, nil
}
