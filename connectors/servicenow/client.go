package servicenow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fairlead/connectors/source"
)

const (
	// timeLayout is how the platform stores times, and gives them with
	// sysparm_display_value=false: UTC, to the second (product documentation,
	// "Date/time field"). Literal times in a query are read likewise.
	timeLayout = "2006-01-02 15:04:05"

	// parseAttempts is how often a request is sent whose answer does not parse.
	parseAttempts = 3
	parseWait     = 200 * time.Millisecond

	maxBody = 256 << 20
)

// client reads the Table API.
type client struct {
	base *url.URL
	http *http.Client
	auth authenticator
	now  func() time.Time

	batch    bool // several requests may be sent as one
	batching *batching
	ready    *readied // answers that came already
}

// raw is an answer as it came.
type raw struct {
	status int
	text   string // of the status
	header http.Header
	body   []byte // empty where it broke off
	sent   time.Time
}

// request is one reading of a table.
type request struct {
	table  string
	query  string // encoded, with its order
	fields []string
	limit  int
	offset int
	count  bool   // ask how many records the query finds in all
	at     string // where in what: named in errors
}

// answer is what came back.
type answer[T any] struct {
	rows  []T
	limit int  // that was asked for in the end
	total int  // records that the query finds, before access is looked at; -1 when not told
	next  bool // the instance says that more follows
	sent  time.Time
	date  time.Time // the instance's clock
	rate  http.Header
}

func (r request) target() string { return "/api/now/table/" + r.table }

// path is the request's target, below the instance's address. The parameters are
// those of "Table API - GET /now/table/{tableName}" in the product documentation:
//
//   - sysparm_display_value=false gives values as they are stored, times in UTC;
//     "all" would double every answer.
//   - sysparm_exclude_reference_link leaves out the address of each reference.
//   - sysparm_limit and sysparm_offset cut what the query finds, before access rules
//     do (KB3047115).
//   - sysparm_no_count saves the second query behind X-Total-Count and Link.
//   - sysparm_fields names the columns; one that does not exist, or that may not be
//     read, is missing from the answer.
//   - sysparm_query is an encoded query, with ^ORDERBY; a part that is invalid is
//     ignored (glide.invalid_query.returns_no_rows).
func (r request) path() string {
	var b strings.Builder
	b.WriteString(r.target() + "?sysparm_display_value=false&sysparm_exclude_reference_link=true")
	b.WriteString("&sysparm_limit=" + strconv.Itoa(r.limit))
	if r.offset > 0 {
		b.WriteString("&sysparm_offset=" + strconv.Itoa(r.offset))
	}
	if !r.count {
		b.WriteString("&sysparm_no_count=true")
	}
	b.WriteString("&sysparm_fields=" + escape(strings.Join(r.fields, ",")))
	b.WriteString("&sysparm_query=" + escape(r.query))
	return b.String()
}

// escape is for a value in a query string; a comma may stand as it is, which
// keeps a list of ids short.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2C", ",") }

// errCancelled: the instance cut the answer off since it took too long. It does
// so within a 200 (KB1297438, "Response Returned by a REST Table API That's
// Cancelled Due to Exceeding a Transaction Quota Rule").
var errCancelled = errors.New("the instance cancelled the request for taking too long")

// errTooLong: the instance takes no request of this length.
var errTooLong = errors.New("request too long for the instance")

// get reads a table. An answer that does not parse is asked for again; one that
// was cancelled too, for half as many records.
func get[T any](ctx context.Context, c *client, r request) (answer[T], error) {
	var failure error
	for attempt := range parseAttempts {
		if attempt > 0 {
			if err := sleep(ctx, parseWait<<(attempt-1)); err != nil {
				return answer[T]{}, err
			}
		}
		ans, body, err := fetch[T](ctx, c, r)
		if err != nil {
			return ans, err
		}
		if failure = decode(body, &ans.rows); failure == nil {
			return ans, nil
		}
		if errors.Is(failure, errCancelled) && r.limit > 1 && r.offset == 0 {
			r.limit = max(1, r.limit/2)
		}
	}
	return answer[T]{}, fmt.Errorf("reading %s %s: %w: %w", r.target(), r.at, source.ErrUnreadable, failure)
}

// fetch has one request answered.
func fetch[T any](ctx context.Context, c *client, r request) (answer[T], []byte, error) {
	ans := answer[T]{limit: r.limit, total: -1}
	got, ok := c.ready.take(r.path())
	if !ok {
		var err error
		if got, err = c.read(ctx, r); err != nil {
			return ans, nil, fmt.Errorf("reading %s %s: %w", r.target(), r.at, err)
		}
	}
	ans.sent = got.sent
	ans.rate = got.header
	if d, err := http.ParseTime(got.header.Get("Date")); err == nil {
		ans.date = d.UTC()
	}
	if n, err := strconv.Atoi(got.header.Get("X-Total-Count")); err == nil && r.count {
		ans.total = n
	}
	ans.next = strings.Contains(got.header.Get("Link"), `rel="next"`)
	if got.status != http.StatusOK {
		return ans, nil, fmt.Errorf("reading %s %s: %w", r.target(), r.at, statusError(got.status, got.text, got.body))
	}
	return ans, got.body, ctx.Err()
}

// read sends one request and reads its answer.
func (c *client) read(ctx context.Context, r request) (raw, error) {
	u := *c.base
	target, query, _ := strings.Cut(r.path(), "?")
	u.Path += target
	u.RawQuery = query
	resp, sent, err := c.send(ctx, func() (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	})
	if err != nil {
		return raw{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil && ctx.Err() == nil {
		// A body that breaks off is one that does not parse.
		body = nil
	}
	return raw{status: resp.StatusCode, text: resp.Status, header: resp.Header, body: body, sent: sent}, nil
}

// send sends a request with the credential; one whose token has run out is sent
// again with a new one, once.
func (c *client) send(ctx context.Context, build func() (*http.Request, error)) (*http.Response, time.Time, error) {
	for renewed := false; ; renewed = true {
		req, err := build()
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("building the request: %w", err)
		}
		req.Header.Set("Accept", "application/json")
		if err := c.auth.authorize(ctx, req); err != nil {
			return nil, time.Time{}, err
		}
		sent := c.now()
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, sent, source.Unreachable(ctx, err)
		}
		if resp.StatusCode == http.StatusUnauthorized && !renewed && c.auth.renew(req) {
			_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
			resp.Body.Close()
			continue
		}
		return resp, sent, nil
	}
}

// statusError says what a status other than 200 means.
func statusError(status int, text string, body []byte) error {
	said := ""
	var e wireError
	if json.Unmarshal(body, &e) == nil && e.Error.Message != "" {
		said = ": " + e.Error.Message
	}
	switch s := status; {
	case s == http.StatusUnauthorized:
		return fmt.Errorf("%w: the instance answered 401; check the user name, the password and that the account is not locked", source.ErrUnauthorized)
	case s == http.StatusForbidden:
		return fmt.Errorf("%w: the instance answered 403%s; give the account a role that may read this table", source.ErrForbidden, said)
	case s == http.StatusRequestURITooLong, s == http.StatusRequestHeaderFieldsTooLarge:
		return errTooLong
	case s == http.StatusBadRequest && e.Error.Message == "":
		// The platform's servlet container refuses a long request with a bare
		// 400 (KB0826932, "HTTP 400 'Request header is too large'").
		return errTooLong
	case s >= 300 && s < 400:
		return fmt.Errorf("%w: the instance answered with a redirection; check that url is the instance itself", source.ErrUnreachable)
	case s == http.StatusTooManyRequests || s >= 500:
		return fmt.Errorf("%w: the instance answered %s%s", source.ErrUnreachable, text, said)
	default:
		return fmt.Errorf("the instance answered %s%s", text, said)
	}
}

type wireError struct {
	Error struct {
		Message string `json:"message"`
	} `json:"error"`
}

// decode reads the rows of a 200. An error may stand beside a part of the
// result there.
func decode[T any](body []byte, rows *[]T) error {
	var w struct {
		Result *[]T `json:"result"`
		wireError
	}
	err := json.Unmarshal(body, &w)
	switch {
	case err != nil && bytes.Contains(body, []byte("Transaction cancelled")),
		err == nil && strings.HasPrefix(w.Error.Message, "Transaction cancelled"):
		return errCancelled
	case err != nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		return errors.New("a page for a browser came instead of data; is the instance asleep, or url not its address?")
	case err != nil && json.Valid(body):
		return errors.New("the answer holds values of another kind than the Table API's")
	case err != nil:
		return errors.New("the answer is not whole JSON")
	case w.Error.Message != "":
		return errors.New("the answer holds an error: " + w.Error.Message)
	case w.Result == nil:
		return errors.New("the answer has no result")
	}
	*rows = *w.Result
	return nil
}

// text is a value as the Table API gives it: a string; for a reference, where
// links were not left out, an object with the value in it.
type text string

// UnmarshalJSON reads a string, or the value of an object.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) > 1 && b[0] == '"':
		return json.Unmarshal(b, (*string)(t))
	case len(b) > 0 && b[0] == '{':
		var o struct {
			Value text `json:"value"`
		}
		err := json.Unmarshal(b, &o)
		*t = o.Value
		return err
	case string(b) == "null":
		*t = ""
		return nil
	case len(b) > 0 && b[0] == '[':
		return errors.New("a list where a value is expected")
	default:
		*t = text(b)
		return nil
	}
}

func parseTime(s text) (time.Time, bool) {
	t, err := time.ParseInLocation(timeLayout, string(s), time.UTC)
	return t, err == nil
}

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

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
