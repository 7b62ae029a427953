package main

import (
	"context"
	"io"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func newLogger(w io.Writer, cfg LogConfig) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level, ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
		if attr.Value.Kind() == slog.KindDuration { // JSON would give nanoseconds without saying so
			attr.Value = slog.StringValue(attr.Value.Duration().String())
		}
		return attr
	}}
	if cfg.Format == "json" || cfg.Format == "auto" && !isTerminal(w) {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// progress shows how a collection goes: a bar for each source on a terminal,
// log lines elsewhere.
type progress interface {
	Page(source, stream string, tickets, remaining int)
	Done(source string)
	Close()
}

// showProgress begins to show it. Until it is closed, what is logged stands
// above the bars, and only what needs attention.
func (a *app) showProgress() progress {
	if !isTerminal(a.stderr) {
		return &lines{log: a.log, bySource: map[string]*count{}}
	}
	container := mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(30))
	before := a.log
	cfg := a.cfg.Log
	cfg.Level = max(cfg.Level, slog.LevelWarn)
	if cfg.Format == "auto" {
		cfg.Format = "text"
	}
	a.log = newLogger(container, cfg)
	return &bars{container: container, bySource: map[string]*bar{}, closed: func() { a.log = before }}
}

type bars struct {
	mu        sync.Mutex
	container *mpb.Progress
	bySource  map[string]*bar
	closed    func()
}

type bar struct {
	*mpb.Bar
	tickets int64
	stream  atomic.Value // string
}

func (p *bars) Page(source, stream string, tickets, remaining int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bySource[source]
	if b == nil {
		b = &bar{}
		b.stream.Store(stream)
		b.Bar = p.container.AddBar(0,
			mpb.PrependDecorators(
				decor.Name(source, decor.WCSyncSpaceR),
				decor.Any(func(decor.Statistics) string { return b.stream.Load().(string) }, decor.WCSyncSpaceR),
				decor.CountersNoUnit("%d / %d tickets", decor.WCSyncSpace)),
			mpb.AppendDecorators(
				decor.AverageSpeed(0, "%.0f/s", decor.WCSyncSpace),
				decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace), " done")),
		)
		p.bySource[source] = b
	}
	b.stream.Store(stream)
	b.tickets += int64(tickets)
	total := b.tickets
	if remaining > 0 {
		total += int64(remaining)
	}
	// One more than there is, until Done says so: a bar that reaches its total ends.
	b.SetTotal(total+1, false)
	b.SetCurrent(b.tickets)
}

func (p *bars) Done(source string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.bySource[source]; b != nil {
		b.stream.Store("all")
		b.SetTotal(b.tickets, true)
	}
}

func (p *bars) Close() {
	p.mu.Lock()
	for _, b := range p.bySource {
		if !b.Completed() {
			b.Abort(false)
		}
	}
	p.mu.Unlock()
	p.container.Wait()
	p.closed()
}

type lines struct {
	mu       sync.Mutex
	log      *slog.Logger
	bySource map[string]*count
}

type count struct {
	tickets     int
	begun, said time.Time
}

// lineEvery keeps a long collection from filling a log.
const lineEvery = 5 * time.Second

func (p *lines) Page(source, stream string, tickets, remaining int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.bySource[source]
	now := time.Now()
	if c == nil {
		if tickets == 0 && remaining <= 0 {
			return // a poll that found nothing
		}
		c = &count{begun: now, said: now}
		p.bySource[source] = c
	}
	c.tickets += tickets
	if now.Sub(c.said) < lineEvery {
		return
	}
	c.said = now
	attrs := []slog.Attr{slog.String("source", source), slog.String("stream", stream), slog.Int("tickets", c.tickets)}
	rate := float64(c.tickets) / now.Sub(c.begun).Seconds()
	attrs = append(attrs, slog.Int("tickets_per_second", int(rate)))
	if remaining >= 0 {
		attrs = append(attrs, slog.Int("remaining", remaining))
		if rate > 0 {
			attrs = append(attrs, slog.Int("seconds_left", int(math.Ceil(float64(remaining)/rate))))
		}
	}
	p.log.LogAttrs(context.Background(), slog.LevelInfo, "collecting", attrs...)
}

func (p *lines) Done(source string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	tickets := 0
	if c := p.bySource[source]; c != nil {
		tickets = c.tickets
	}
	delete(p.bySource, source) // what comes from now on is another collection
	p.log.Info("caught up", "source", source, "tickets", tickets)
}

func (p *lines) Close() {}
