// Package rest is the HTTP transport of all sources: it paces requests, obeys
// what a source says of its limits, tries again what may pass, and counts.
package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	// maxAnswer bounds one answer in memory; a page of a thousand tickets has
	// a few megabytes.
	maxAnswer = 256 << 20
)

// Transport is an http.RoundTripper for one source. It is safe for concurrent
// use.
//
// An answer's body is read whole before RoundTrip returns, so that one that
// breaks off is tried again like one that never came, and a caller that reads
// slowly keeps no place. A client that uses it should have no Timeout: it would
// cut waiting short that the source asked for. End a request by its context.
type Transport struct {
	source  string
	cfg     Config
	base    http.RoundTripper
	metrics *Metrics
	log     *slog.Logger
	pace    *pace
}

// New returns a transport for the named source. Zero values of cfg are those
// of DefaultConfig, a nil base is a copy of http.DefaultTransport, and metrics
// and log may be nil.
//
// 429, 5xx and broken connections are tried again, after Retry-After where
// there is one, else with exponential backoff and jitter; GET and HEAD always,
// other requests only with a context from Idempotent. A source that asks to
// wait is asked nothing until then. Any other answer is returned as it came.
// After the last attempt that attempt's answer is returned, or its error.
func New(source string, cfg Config, base http.RoundTripper, metrics *Metrics, log *slog.Logger) *Transport {
	defaults := DefaultConfig()
	if cfg.Concurrency <= 0 {
		cfg.Concurrency = defaults.Concurrency
	}
	if cfg.MaxAttempts <= 0 {
		cfg.MaxAttempts = defaults.MaxAttempts
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaults.Timeout
	}
	if base == nil {
		standard := http.DefaultTransport.(*http.Transport).Clone()
		standard.MaxIdleConnsPerHost = cfg.Concurrency
		base = standard
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	metrics.ready(source)
	return &Transport{source: source, cfg: cfg, base: base, metrics: metrics, log: log, pace: newPace(cfg)}
}

type idempotentKey struct{}

// Idempotent marks requests with this context as safe to send more than once,
// though their method is not: a search by POST.
func Idempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotentKey{}, true)
}

func repeatable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		if marked, _ := req.Context().Value(idempotentKey{}).(bool); !marked {
			return false
		}
	}
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	attempts := 1
	if repeatable(req) {
		attempts = t.cfg.MaxAttempts
	}
	body := req.Body
	for attempt := 1; ; attempt++ {
		if attempt > 1 && req.GetBody != nil {
			var err error
			if body, err = req.GetBody(); err != nil {
				return nil, fmt.Errorf("rewinding request body: %w", err)
			}
		}
		if err := t.pace.acquire(ctx); err != nil {
			if body != nil {
				_ = body.Close()
			}
			return nil, err
		}
		resp, err := t.attempt(req, body)
		t.pace.release()

		now := time.Now()
		wait, passing := t.judge(resp, err, attempt, now)
		if ctx.Err() != nil && err != nil {
			return nil, ctx.Err()
		}
		if !passing || attempt == attempts {
			if err != nil && attempt > 1 {
				err = fmt.Errorf("giving up after %d attempts: %w", attempt, err)
			}
			return resp, err
		}
		t.log.LogAttrs(ctx, slog.LevelWarn, "request failed, trying again", t.describe(req, resp, err, attempt, wait)...)
		if err := sleepUntil(ctx, now.Add(wait)); err != nil {
			return nil, err
		}
	}
}

// CloseIdleConnections closes the connections of the base that are not in use.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// attempt sends the request once and reads its answer whole.
func (t *Transport) attempt(req *http.Request, body io.ReadCloser) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.cfg.Timeout,
		fmt.Errorf("no whole answer within %s: %w", t.cfg.Timeout, context.DeadlineExceeded))
	defer cancel()
	once := req.WithContext(ctx)
	once.Body = body

	start := time.Now()
	resp, err := t.base.RoundTrip(once)
	if err == nil {
		err = buffer(resp)
		resp.Request = req
	}
	code := 0
	if err == nil {
		code = resp.StatusCode
	}
	t.metrics.observe(t.source, code, time.Since(start))
	if err != nil {
		if req.Context().Err() == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	return resp, nil
}

// buffer replaces the body, which it reads and closes, by a copy in memory.
func buffer(resp *http.Response) error {
	var content bytes.Buffer
	if resp.ContentLength > 0 && resp.ContentLength <= maxAnswer {
		content.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	n, err := content.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("reading answer: %w", err)
	}
	if n > maxAnswer {
		return errTooLarge
	}
	resp.Body = io.NopCloser(&content)
	return nil
}

var errTooLarge = fmt.Errorf("answer larger than %d MiB; ask for smaller pages", maxAnswer>>20)

// judge reports whether an attempt's failure may pass, and how long to wait
// first. What concerns all requests of the source is told to the pace.
func (t *Transport) judge(resp *http.Response, err error, attempt int, now time.Time) (wait time.Duration, passing bool) {
	if err != nil {
		var certificate *tls.CertificateVerificationError
		return backoff(attempt), !errors.Is(err, errTooLarge) && !errors.As(err, &certificate)
	}
	t.pace.learn(resp.Header, now)
	limited := resp.StatusCode == http.StatusTooManyRequests
	if !limited && resp.StatusCode < http.StatusInternalServerError {
		return 0, false
	}
	if asked, ok := retryAfter(resp.Header, now); ok {
		// Some jitter on top, as Atlassian asks, for there may be other
		// clients that were told the same.
		asked += rand.N(min(asked/10, 5*time.Second) + 1)
		t.pace.hold(now.Add(asked))
		return asked, true
	}
	wait = backoff(attempt)
	if limited {
		t.pace.hold(now.Add(wait))
	}
	return wait, true
}

// backoff doubles with every attempt; half of it is chance.
func backoff(attempt int) time.Duration {
	d := maxBackoff
	if shift := attempt - 1; shift < 16 {
		d = min(firstBackoff<<shift, maxBackoff)
	}
	return d/2 + rand.N(d/2+1)
}

// describe leaves the query out: it can name what is configured.
func (t *Transport) describe(req *http.Request, resp *http.Response, err error, attempt int, wait time.Duration) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("source", t.source),
		slog.String("path", req.URL.Path),
		slog.Int("attempt", attempt),
		slog.Duration("wait", wait.Round(time.Millisecond)),
	}
	if err != nil {
		return append(attrs, slog.String("error", err.Error()))
	}
	attrs = append(attrs, slog.Int("code", resp.StatusCode))
	// Which of Jira Cloud's limits it was: points, burst.
	if reason := resp.Header.Get("RateLimit-Reason"); reason != "" {
		attrs = append(attrs, slog.String("limit", reason))
	}
	return attrs
}
