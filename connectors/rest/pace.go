package rest

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxHold bounds what a source can make us wait in one go: ServiceNow's
	// rules count by the hour, so that much may be meant.
	maxHold = time.Hour
	// nearLimit is the part of a window's requests below which the rest is
	// spread over what is left of the window. Jira Cloud sets
	// X-RateLimit-NearLimit at the same part.
	nearLimit = 0.2
	// fewRequests stands for nearLimit where the source does not say how many
	// there are in a window.
	fewRequests = 10
)

// pace decides when the next request of a source may be sent.
type pace struct {
	slots   chan struct{}
	limiter *rate.Limiter // nil without a configured ceiling

	mu       sync.Mutex
	heldTill time.Time     // nothing is sent before
	gap      time.Duration // between two requests, until gapTill
	gapTill  time.Time
	next     time.Time // when the gap lets the next one go
}

func newPace(cfg Config) *pace {
	p := &pace{slots: make(chan struct{}, cfg.Concurrency)}
	if cfg.RequestsPerSecond > 0 {
		p.limiter = rate.NewLimiter(rate.Limit(cfg.RequestsPerSecond), 1)
	}
	return p
}

// acquire waits until a request may be sent. Each success needs a release.
func (p *pace) acquire(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := p.wait(ctx); err != nil {
		p.release()
		return err
	}
	return nil
}

func (p *pace) release() { <-p.slots }

func (p *pace) wait(ctx context.Context) error {
	if err := p.waitHeld(ctx); err != nil {
		return err
	}
	if p.limiter != nil {
		// Wait refuses at once what a deadline would cut short; then the
		// deadline is the reason.
		if err := p.limiter.Wait(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return context.DeadlineExceeded
		}
	}
	if err := sleepUntil(ctx, p.turn(time.Now())); err != nil {
		return err
	}
	// Another request may have been told to wait meanwhile: that is for all.
	return p.waitHeld(ctx)
}

func (p *pace) waitHeld(ctx context.Context) error {
	for {
		p.mu.Lock()
		till := p.heldTill
		p.mu.Unlock()
		if !till.After(time.Now()) {
			return ctx.Err()
		}
		if err := sleepUntil(ctx, till); err != nil {
			return err
		}
	}
}

// turn takes the next place in the row of requests that are spread out.
func (p *pace) turn(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gap == 0 || !now.Before(p.gapTill) {
		return now
	}
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.gap)
	return at
}

// hold lets no request go before till.
func (p *pace) hold(till time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if till.After(p.heldTill) {
		p.heldTill = till
	}
}

// learn slows down as the headers of an answer advise: with few requests left
// in the window they are spread over the rest of it, with none all wait for
// the next. Atlassian Data Center has no window but a bucket that is filled
// again: there the rate of filling is the rate that is left.
func (p *pace) learn(header http.Header, now time.Time) {
	remaining, ok := headerNumber(header, "X-RateLimit-Remaining")
	if !ok {
		return
	}
	near := float64(fewRequests)
	if limit, ok := headerNumber(header, "X-RateLimit-Limit"); ok && limit > 0 {
		near = limit * nearLimit
	}
	if remaining > near && !strings.EqualFold(header.Get("X-RateLimit-NearLimit"), "true") {
		p.spread(0, now, now)
		return
	}
	if wait, ok := untilReset(header, now); ok {
		if remaining < 1 {
			p.hold(now.Add(wait))
			return
		}
		p.spread(time.Duration(float64(wait)/remaining), now, now.Add(wait))
		return
	}
	fill, filled := headerNumber(header, "X-RateLimit-FillRate")
	seconds, timed := headerNumber(header, "X-RateLimit-Interval-Seconds")
	if filled && timed && fill > 0 && seconds > 0 {
		gap := min(time.Duration(seconds/fill*float64(time.Second)), maxHold)
		p.spread(gap, now, now.Add(maxHold)) // until an answer says there is room again
	}
}

func (p *pace) spread(gap time.Duration, now, till time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if gap > 0 && p.gap == 0 {
		p.next = now.Add(gap)
	}
	p.gap, p.gapTill = gap, till
}

// retryAfter reads Retry-After, in seconds or as a date; a date counts from
// the source's own clock where it shows it. False where there is none to obey.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) {
			return 0, false
		}
		return duration(seconds), true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	wait := at.Sub(theirNow(header, now))
	return min(wait, maxHold), wait > 0
}

// untilReset reads X-RateLimit-Reset: a time (Jira Cloud), seconds since 1970
// (ServiceNow), or seconds from now.
func untilReset(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("X-RateLimit-Reset"))
	if value == "" {
		return 0, false
	}
	var wait time.Duration
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		const epoch = 1e8 // three years: no wait, but a date
		if seconds >= epoch {
			seconds -= float64(theirNow(header, now).UnixMilli()) / 1000
		}
		if !(seconds > 0) {
			return 0, false
		}
		wait = duration(seconds)
	} else {
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			// Jira Cloud leaves the seconds out: 2026-03-02T09:05Z.
			if at, err = time.Parse("2006-01-02T15:04Z07:00", value); err != nil {
				return 0, false
			}
		}
		wait = at.Sub(theirNow(header, now))
	}
	return min(wait, maxHold), wait > 0
}

func theirNow(header http.Header, now time.Time) time.Time {
	if at, err := http.ParseTime(header.Get("Date")); err == nil {
		return at
	}
	return now
}

func duration(seconds float64) time.Duration {
	if seconds >= maxHold.Seconds() {
		return maxHold
	}
	return time.Duration(seconds * float64(time.Second))
}

func headerNumber(header http.Header, name string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(header.Get(name)), 64)
	return v, err == nil && v >= 0
}

func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
