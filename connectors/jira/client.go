package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/andygrunwald/go-jira"

	"fairlead/connectors/rest"
	"fairlead/connectors/source"
)

// client sends requests and sorts their failures.
type client struct {
	jira *jira.Client
	api  string // "rest/api/3" or "rest/api/2", relative to the site

	postless atomic.Bool // Data Center takes no searches by POST
}

// attempts is how often an answer that does not parse is asked for.
const attempts = 3

// call is one request of the API.
type call struct {
	method string
	path   string // below the API's root
	query  url.Values
	body   any
	root   string // the API's, for errors; filled in when it is sent
	place  string // where in a stream we are, for errors; no ids of people, no text
}

func (c call) String() string {
	s := c.method + " /" + c.root + c.path
	if c.place != "" {
		s += " (" + c.place + ")"
	}
	return s
}

// statusError is an answer of 4xx that is about what was asked for, not about
// who asks.
type statusError struct {
	call    call
	status  int
	message string
}

func (e *statusError) Error() string {
	s := fmt.Sprintf("%s: answered %d", e.call, e.status)
	if e.message != "" {
		s += ": " + e.message
	}
	return s
}

// status is the code of a statusError in err's chain, else 0.
func status(err error) int {
	var e *statusError
	if errors.As(err, &e) {
		return e.status
	}
	return 0
}

// do sends a call and decodes its answer. What may pass on the way was tried
// again by the transport; an answer that does not parse is asked for again
// here. The error is one of source.Err…, a *statusError, or ctx's.
func do[T any](ctx context.Context, c *client, call call) (answer T, header http.Header, err error) {
	for attempt := 1; ; attempt++ {
		var fresh T
		header, err = c.once(ctx, call, &fresh)
		if err == nil {
			return fresh, header, nil
		}
		if !errors.Is(err, source.ErrUnreadable) || attempt == attempts {
			return answer, header, err
		}
		select {
		case <-ctx.Done():
			return answer, header, ctx.Err()
		case <-time.After(time.Duration(attempt) * 250 * time.Millisecond):
		}
	}
}

func (c *client) once(ctx context.Context, call call, into any) (http.Header, error) {
	call.root = c.api
	// All POSTs of this package are searches: sending one twice is harmless.
	path := c.api + call.path
	if len(call.query) > 0 {
		path += "?" + call.query.Encode()
	}
	req, err := c.jira.NewRequestWithContext(rest.Idempotent(ctx), call.method, path, call.body)
	if err != nil {
		return nil, fmt.Errorf("making request %s: %w", call, err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.jira.Do(req, into)
	if resp == nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, source.ErrUnauthorized) || errors.Is(err, source.ErrUnreadable) {
			return nil, fmt.Errorf("%s: %w", call, err)
		}
		return nil, fmt.Errorf("%s: %w", call, source.Unreachable(ctx, err))
	}
	defer func() { _ = resp.Body.Close() }()
	if err := refusal(call, resp.Response); err != nil {
		return resp.Header, err
	}
	if err != nil {
		if ctx.Err() != nil {
			return resp.Header, ctx.Err()
		}
		return resp.Header, fmt.Errorf("%s: %w: %w%s", call, source.ErrUnreadable, err, hint(resp.Response))
	}
	return resp.Header, nil
}

func hint(resp *http.Response) string {
	if strings.Contains(resp.Header.Get("Content-Type"), "html") {
		return " (a web page came instead of JSON: check url, or a login page stands before the API)"
	}
	return ""
}

// refusal is the error that a status or Jira's login header means; nil is a
// good answer. Cloud can take a wrong token for nobody and answer 200 with
// whatever nobody sees: only the header tells.
func refusal(call call, resp *http.Response) error {
	reasons := []string{"AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED", "AUTHORISATION_FAILED"}
	denied := slices.Contains(reasons, resp.Header.Get("X-Seraph-LoginReason"))
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized || denied:
		if strings.Contains(resp.Header.Get("X-Authentication-Denied-Reason"), "CAPTCHA") {
			return fmt.Errorf("%s: %w: Jira asks the account for a CAPTCHA; sign in once in a browser", call, source.ErrUnauthorized)
		}
		return fmt.Errorf("%s: %w: answered %d; check that the token is right, of the right account, and not expired", call, source.ErrUnauthorized, code)
	case code == http.StatusForbidden:
		return fmt.Errorf("%s: %w: answered 403%s", call, source.ErrForbidden, colon(message(resp)))
	case code == http.StatusTooManyRequests || code >= http.StatusInternalServerError:
		return fmt.Errorf("%s: %w: answered %d", call, source.ErrUnreachable, code)
	case code < 200 || code > 299:
		return &statusError{call: call, status: code, message: message(resp)}
	}
	return nil
}

func colon(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

// message is Jira's first error message. They are about the query and
// permissions and hold no text of an issue.
func message(resp *http.Response) string {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return ""
	}
	var body struct {
		ErrorMessages []string          `json:"errorMessages"`
		Errors        map[string]string `json:"errors"`
		Message       string            `json:"message"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return ""
	}
	text := body.Message
	for _, m := range body.Errors {
		text = m
	}
	if len(body.ErrorMessages) > 0 {
		text = body.ErrorMessages[0]
	}
	const most = 300
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
