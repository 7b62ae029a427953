package rest

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxHold bounds what a source can make us wait in one go: ServiceNow's rules and
// Jira's points count by the hour, so that much may be meant.
const maxHold = time.Hour

// pace decides when the next request of a source may be sent.
type pace struct {
	slots   chan struct{}
	limiter *rate.Limiter // nil without a configured ceiling

	mu       sync.Mutex
	heldTill time.Time     // nothing is sent before
	gap      time.Duration // between two requests, until gapTill
	gapTill  time.Time
	next     time.Time // when the gap lets the next one go
	hours    hours
	quotas   quotas
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

// learn slows down as the headers of an answer advise. Where several limits speak,
// the slowest is obeyed.
func (p *pace) learn(header http.Header, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var slowest advice
	spoke := false
	for _, read := range []func(http.Header, time.Time) (advice, bool){bucketAdvice, p.hours.advice, p.quotas.advice} {
		a, ok := read(header, now)
		spoke = spoke || ok
		if a.gap > slowest.gap {
			slowest.gap, slowest.till = a.gap, a.till
		}
		if a.hold.After(p.heldTill) {
			p.heldTill = a.hold
		}
	}
	if !spoke {
		return
	}
	if slowest.gap > 0 && p.gap == 0 {
		p.next = now.Add(slowest.gap)
	}
	p.gap, p.gapTill = slowest.gap, slowest.till
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
