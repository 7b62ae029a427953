package asana

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"fairlead/connectors/rest"
	"fairlead/connectors/source"
)

const (
	prefix = "/api/1.0"

	// parseAttempts is how often a request is sent whose answer does not parse.
	parseAttempts = 3
	parseWait     = 200 * time.Millisecond

	// batchSize is how many actions one batch takes ("Batch requests").
	batchSize = 10
	// atOnce is how many requests are under way for one page; with batches of
	// batchSize that is within the 50 that Asana takes ("Concurrent request limits").
	atOnce = 4
)

// client reads the API.
type client struct {
	base string // without the prefix
	http *http.Client
	cred credential
	now  func() time.Time

	unbatched atomic.Bool  // the account may not batch
	ahead     atomic.Int64 // nanoseconds that Asana's clock is ahead of ours, to about a second
}

// call is one reading of the API.
type call struct {
	path   string // below the prefix
	query  url.Values
	fields []string
	limit  int
	offset string
	at     string // what for, named in errors
}

// reply is what came back.
type reply struct {
	Data json.RawMessage `json:"data"`
	Next *struct {
		Offset string `json:"offset"`
	} `json:"next_page"`
	Sync string `json:"sync"`
	More bool   `json:"has_more"`

	sent time.Time
	date time.Time // Asana's clock
}

func (r reply) next() string {
	if r.Next == nil {
		return ""
	}
	return r.Next.Offset
}

// refusal is an answer that is not a success and will not become one.
type refusal struct {
	code    int
	message string
	sync    string // with 412: a sync token to begin with
}

func (r *refusal) Error() string {
	if r.message == "" {
		return fmt.Sprintf("Asana answered %d", r.code)
	}
	return fmt.Sprintf("Asana answered %d: %s", r.code, r.message)
}

func (r *refusal) Unwrap() error {
	switch r.code {
	case http.StatusUnauthorized:
		return source.ErrUnauthorized
	case http.StatusForbidden:
		return source.ErrForbidden
	}
	return nil
}

// refusedWith is the code of an answer that refused, 0 for any other error.
func refusedWith(err error) int {
	var r *refusal
	if errors.As(err, &r) {
		return r.code
	}
	return 0
}

// syncOf is the sync token that came with a 412, "" if none did.
func syncOf(err error) string {
	var r *refusal
	if errors.As(err, &r) && r.code == http.StatusPreconditionFailed {
		return r.sync
	}
	return ""
}

// gone says that an object is deleted or hidden.
func gone(err error) bool {
	code := refusedWith(err)
	return code == http.StatusNotFound || code == http.StatusForbidden
}

// expired says that an offset is no longer good.
func expired(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.code == http.StatusBadRequest && strings.Contains(r.message, "pagination token")
}

func (c call) values() url.Values {
	q := url.Values{}
	for name, v := range c.query {
		q[name] = v
	}
	if len(c.fields) > 0 {
		q.Set("opt_fields", strings.Join(c.fields, ","))
	}
	if c.limit > 0 {
		q.Set("limit", strconv.Itoa(c.limit))
	}
	if c.offset != "" {
		q.Set("offset", c.offset)
	}
	return q
}

// get reads one answer.
func (c *client) get(ctx context.Context, one call) (reply, error) {
	target := prefix + one.path
	if q := one.values(); len(q) > 0 {
		target += "?" + q.Encode()
	}
	return c.send(ctx, one, func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, c.base+target, nil)
	})
}

// send sends a request, again where its answer does not parse.
func (c *client) send(ctx context.Context, one call, build func(context.Context) (*http.Request, error)) (reply, error) {
	failed := func(err error) (reply, error) {
		if ctx.Err() != nil {
			return reply{}, ctx.Err()
		}
		return reply{}, fmt.Errorf("reading %s%s %s: %w", prefix, one.path, one.at, err)
	}
	var unreadable error
	for attempt := range parseAttempts {
		if attempt > 0 {
			if err := sleep(ctx, parseWait<<(attempt-1)); err != nil {
				return reply{}, err
			}
		}
		resp, sent, err := c.once(ctx, build)
		if err != nil {
			return failed(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return failed(source.Unreachable(ctx, err))
		}
		if resp.StatusCode != http.StatusOK {
			refused := statusError(resp.StatusCode, body)
			if resp.StatusCode == http.StatusPreconditionFailed && syncOf(refused) == "" {
				unreadable = errors.New("a 412 without a sync token in it")
				continue
			}
			return failed(refused)
		}
		r := reply{sent: sent}
		if d, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			r.date = d.UTC()
			c.ahead.Store(int64(r.date.Sub(c.now()))) // a request may have waited long before it was sent
		}
		if unreadable = json.Unmarshal(body, &r); unreadable == nil && len(r.Data) > 0 {
			return r, nil
		}
		unreadable = errors.New("the answer is not whole JSON with data in it")
	}
	return failed(fmt.Errorf("%w: %w", source.ErrUnreadable, unreadable))
}

// once sends a request with the credential; one whose token was refused is sent
// again with another, once.
func (c *client) once(ctx context.Context, build func(context.Context) (*http.Request, error)) (*http.Response, time.Time, error) {
	refused := ""
	for {
		token, err := c.cred.token(ctx, refused)
		if err != nil {
			return nil, time.Time{}, err
		}
		req, err := build(ctx)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("making the request: %w", err)
		}
		req.Header.Set("Accept", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		sent := c.now()
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, sent, source.Unreachable(ctx, err)
		}
		if resp.StatusCode != http.StatusUnauthorized || refused != "" {
			return resp, sent, nil
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
		_ = resp.Body.Close()
		refused = token
	}
}

func statusError(code int, body []byte) error {
	var said struct {
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
		Sync string `json:"sync"`
	}
	r := &refusal{code: code}
	if json.Unmarshal(body, &said) == nil && len(said.Errors) > 0 {
		r.message, r.sync = said.Errors[0].Message, said.Sync
	}
	if code == http.StatusTooManyRequests || code >= 500 || code >= 300 && code < 400 {
		return fmt.Errorf("%w: %w", source.ErrUnreachable, r)
	}
	return r
}

// outcome is the answer to one of several calls: a reply, or why an object
// cannot be had.
type outcome struct {
	reply
	err error
}

// many makes calls about single objects, in batches where the account may. An
// object that is gone or hidden is an outcome; any other fault is an error.
func (c *client) many(ctx context.Context, calls []call) ([]outcome, error) {
	out := make([]outcome, len(calls))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for start := 0; start < len(calls); start += batchSize {
		chunk := calls[start:min(start+batchSize, len(calls))]
		group.Go(func() error { return c.chunk(groupCtx, chunk, out[start:]) })
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return out, nil
}

// chunk makes up to batchSize calls.
func (c *client) chunk(ctx context.Context, calls []call, out []outcome) error {
	left := make([]int, len(calls)) // those to make one by one
	for i := range calls {
		left[i] = i
	}
	if len(calls) > 1 && !c.unbatched.Load() {
		done, err := c.batch(ctx, calls, out)
		switch code := refusedWith(err); {
		case code == http.StatusForbidden || code == http.StatusNotFound:
			// An application may lack the scope; what the calls may is seen one by one.
			c.unbatched.Store(true)
		case err != nil:
			return err
		}
		left = slices.DeleteFunc(left, func(i int) bool { return done[i] })
	}
	for _, i := range left {
		r, err := c.get(ctx, calls[i])
		if err != nil && !gone(err) {
			return err
		}
		out[i] = outcome{r, err}
	}
	return nil
}

// batch makes calls by one request. done tells those that were answered: an
// action that a limit refused, or that failed, is not, and is made again by
// itself, which waits as it is asked to.
func (c *client) batch(ctx context.Context, calls []call, out []outcome) (done []bool, err error) {
	type options struct {
		Fields []string `json:"fields,omitempty"`
		Limit  int      `json:"limit,omitempty"`
	}
	type action struct {
		Path    string  `json:"relative_path"`
		Method  string  `json:"method"`
		Options options `json:"options"`
	}
	done = make([]bool, len(calls))
	actions := make([]action, len(calls))
	for i, one := range calls {
		actions[i] = action{one.path, "get", options{one.fields, one.limit}}
	}
	body, err := json.Marshal(map[string]any{"data": map[string]any{"actions": actions}})
	if err != nil {
		return done, fmt.Errorf("encoding a batch: %w", err)
	}
	whole := call{path: "/batch", at: calls[0].at + " and others"}
	answer, err := c.send(rest.Idempotent(ctx), whole, func(ctx context.Context) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+prefix+"/batch", bytes.NewReader(body))
		if err == nil {
			req.Header.Set("Content-Type", "application/json")
		}
		return req, err
	})
	if err != nil {
		return done, err
	}
	var results []struct {
		Code int             `json:"status_code"`
		Body json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(answer.Data, &results); err != nil || len(results) != len(calls) {
		return done, fmt.Errorf("reading %s/batch %s: %w: %d actions have %d answers", prefix, whole.at, source.ErrUnreadable, len(calls), len(results))
	}
	for i, r := range results {
		switch r.Code {
		case http.StatusOK:
			one := reply{sent: answer.sent, date: answer.date}
			if err := json.Unmarshal(r.Body, &one); err != nil || len(one.Data) == 0 {
				continue
			}
			out[i], done[i] = outcome{reply: one}, true
		case http.StatusForbidden, http.StatusNotFound:
			out[i], done[i] = outcome{err: statusError(r.Code, r.Body)}, true
		}
	}
	return done, nil
}

// all reads every page of a list and gives the rows to each. Where an offset
// has expired the list is begun again, so rows can come twice.
func (c *client) all(ctx context.Context, one call, each func(reply) error) error {
	if one.limit == 0 {
		one.limit = maxPage
	}
	seen := map[string]bool{}
	restarts := 0
	for {
		r, err := c.get(ctx, one)
		if err != nil {
			if one.offset != "" && expired(err) && restarts < 3 {
				restarts++
				one.offset = ""
				clear(seen)
				continue
			}
			return err
		}
		if err := each(r); err != nil {
			return err
		}
		next := r.next()
		if next == "" {
			return nil
		}
		if seen[next] {
			return fmt.Errorf("reading %s%s %s: %w: the pages go round in a circle", prefix, one.path, one.at, source.ErrUnreadable)
		}
		seen[next] = true
		one.offset = next
	}
}

// rows decodes a list.
func rows[T any](r reply, path string) ([]T, error) {
	var list []T
	if err := json.Unmarshal(r.Data, &list); err != nil {
		return nil, fmt.Errorf("reading %s%s: %w: the list holds values of another kind than the API's", prefix, path, source.ErrUnreadable)
	}
	return list, nil
}

// listed reads a whole list.
func listed[T any](ctx context.Context, c *client, one call) ([]T, error) {
	var out []T
	err := c.all(ctx, one, func(r reply) error {
		list, err := rows[T](r, one.path)
		out = append(out, list...)
		return err
	})
	return out, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
