package sourcetest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/source"
)

var faults = []promise{
	{name: "429 is obeyed, and all requests wait as long as asked", run: rateLimited},
	{name: "5xx is tried again", run: passing(fault{status: http.StatusServiceUnavailable})},
	{name: "a dropped connection is tried again", run: passing(fault{drop: true})},
	{name: "an answer that breaks off is tried again", run: passing(fault{cut: true})},
	{name: "an answer that cannot be parsed is tried again", run: passing(fault{garble: true})},
	{name: "an answer that can never be parsed is named, and nothing is lost", run: unreadable},
	{name: "a source that fails for long stops the stream, and nothing is lost", run: lasting},
	{name: "a refused credential is ErrUnauthorized", run: unauthorized},
	{name: "a credential that is revoked meanwhile is ErrUnauthorized", run: revoked},
	{name: "a source that is not there is ErrUnreachable", run: unreachable},
	{name: "cancelling ends a request at once", run: cancelled},
	{name: "cancelling ends waiting at once", run: cancelledWaiting},
}

// small loads what takes several pages of every stream, in few requests.
func small(w *world) {
	w.fill(7)
	for i := range 4 {
		w.create(name(100+i), epoch.Add(-30*time.Hour), "status", StatusNew, "group", "net")
		w.update(name(100+i), epoch.Add(time.Duration(i-9)*time.Hour), "ann", "assignee", "ann", "status", StatusDone)
		w.create(name(200+i), epoch.Add(-3000*time.Hour), "status", StatusNew, "group", "db", "assignee", "cyd")
		w.update(name(200+i), epoch.Add(-2990*time.Hour), "ann", "status", StatusDone)
	}
}

var smallOptions = Options{PageSize: 3}

// everyRequest counts the requests of a small collection, and calls f in a new
// world for each. Nothing has been asked yet in those worlds.
func everyRequest(t *testing.T, h Harness, f func(w *world, n int)) {
	t.Helper()
	oneByOne(t, h, smallOptions, func(w *world) { w.verify(w.collect(w.connect()).store) }, f)
}

// oneByOne counts the requests that ask sends, and calls f in a new small world
// for each.
func oneByOne(t *testing.T, h Harness, o Options, ask func(w *world), f func(w *world, n int)) {
	t.Helper()
	total := 0
	bubble(t, h, o, func(t *testing.T, w *world) {
		small(w)
		ask(w)
		total = w.wire.requests()
	})
	if total == 0 && !t.Failed() {
		t.Fatal("no request is sent")
	}
	for n := 1; n <= total && !t.Failed(); n++ {
		bubble(t, h, o, func(t *testing.T, w *world) {
			small(w)
			f(w, n)
			if t.Failed() {
				t.Errorf("that was request %d of %d", n, total)
			}
		})
	}
}

func rateLimited(t *testing.T, h Harness) {
	const wait = 90 * time.Second
	everyRequest(t, h, func(w *world, n int) {
		w.wire.set(func(wire *wire) {
			wire.fault = at(fault{status: http.StatusTooManyRequests, retryAfter: wait}, n)
		})
		w.verify(w.collect(w.connect()).store)
		came := w.wire.arrivals()
		if len(came) <= n {
			w.t.Fatalf("no request came after the one that was told to wait")
		}
		// What was under way already may still arrive in the same instant.
		for i, later := range came[n:] {
			if d := later.at.Sub(came[n-1].at); d != 0 && d < wait {
				w.t.Errorf("request %d came %v after the source had asked to wait %v", n+1+i, d, wait)
			}
		}
	})
}

// passing lets every request in turn go wrong twice.
func passing(f fault) func(t *testing.T, h Harness) {
	return func(t *testing.T, h Harness) {
		everyRequest(t, h, func(w *world, n int) {
			w.wire.set(func(wire *wire) { wire.fault = at(f, n, n+1) })
			w.verify(w.collect(w.connect()).store)
		})
	}
}

// failing lets every request from the n-th on go wrong, and expects a first
// collection to end with an error and to lose nothing: it goes on, with a new
// connector, once the fault has passed.
func failing(w *world, n int, f fault, judge func(err error)) {
	w.wire.set(func(wire *wire) { wire.fault = from(f, n) })
	c, err := w.begin(w.t.Context(), w.connect())
	if err == nil {
		err = w.advance(w.t.Context(), w.connect(), c)
	}
	if err == nil {
		// A connector that was started anew may need a request less.
		if w.wire.requests() >= n {
			w.t.Fatalf("all requests from the %d. on went wrong, and there is no error", n)
		}
		return
	}
	judge(err)
	if sent := w.wire.requests() - n; sent > 40 {
		w.t.Errorf("%d requests were sent to a source that does not come back", sent)
	}

	w.wire.set(func(wire *wire) { wire.fault = nil })
	time.Sleep(10 * time.Minute)
	src := w.connect()
	if c == nil {
		if c, err = w.begin(w.t.Context(), src); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.advance(w.t.Context(), src, c); err != nil {
		w.t.Fatalf("going on once the fault has passed: %v", err)
	}
	w.verify(c.store)
}

func unreadable(t *testing.T, h Harness) {
	everyRequest(t, h, func(w *world, n int) {
		failing(w, n, fault{garble: true}, func(err error) {
			if !errors.Is(err, source.ErrUnreadable) {
				w.t.Errorf("got %v, want ErrUnreadable", err)
			}
			named := false
			for _, a := range w.wire.arrivals()[n-1:] {
				named = named || strings.Contains(err.Error(), a.path)
			}
			if !named {
				w.t.Errorf("the error does not name the request that has no readable answer: %v", err)
			}
			if sent := w.wire.requests() - n + 1; sent < 2 {
				w.t.Errorf("the request was not tried again")
			}
		})
	})
}

func lasting(t *testing.T, h Harness) {
	everyRequest(t, h, func(w *world, n int) {
		f := fault{status: http.StatusBadGateway}
		if n%2 == 0 {
			f = fault{drop: true}
		}
		failing(w, n, f, func(err error) {
			if errors.Is(err, source.ErrUnauthorized) || errors.Is(err, source.ErrForbidden) {
				w.t.Errorf("got %v, which trying again would not help", err)
			}
			if f.drop && !errors.Is(err, source.ErrUnreachable) {
				w.t.Errorf("got %v, want ErrUnreachable", err)
			}
		})
	})
}

// every calls f with each way to ask a source for something.
func every(w *world, src source.Source, f func(what string, err error)) {
	ctx := w.t.Context()
	_, err := src.Now(ctx)
	f("Now", err)
	_, err = src.ByID(ctx, []string{w.in.ID(name(0))})
	f("ByID", err)
	for _, stream := range []source.Stream{source.StreamOpen, source.StreamRecent, source.StreamOlder, source.StreamIncremental} {
		_, err = w.drain(ctx, src, stream, source.Cursor{Start: epoch, Updated: epoch.Add(-30 * 24 * time.Hour)}, store{})
		f(string(stream), err)
	}
}

func unauthorized(t *testing.T, h Harness) {
	o := smallOptions
	o.WrongCredential = true
	bubble(t, h, o, func(t *testing.T, w *world) {
		small(w)
		every(w, w.connect(), func(what string, err error) {
			if !errors.Is(err, source.ErrUnauthorized) {
				t.Errorf("%s: got %v, want ErrUnauthorized", what, err)
			}
		})
		if n := w.wire.requests(); n > 4*6 {
			t.Errorf("%d requests were sent with a credential that is refused", n)
		}
		report, err := w.connect().Check(t.Context())
		failed := err != nil
		for _, f := range report.Facts {
			failed = failed || f.Level == source.LevelFailed
		}
		if !failed {
			t.Errorf("check finds nothing wrong with a credential that is refused: %+v", report)
		}
	})
}

func revoked(t *testing.T, h Harness) {
	everyRequest(t, h, func(w *world, n int) {
		w.wire.set(func(wire *wire) { wire.fault = from(fault{status: http.StatusUnauthorized}, n) })
		src := w.connect()
		c, err := w.begin(w.t.Context(), src)
		if err == nil {
			err = w.advance(w.t.Context(), src, c)
		}
		if !errors.Is(err, source.ErrUnauthorized) {
			w.t.Errorf("got %v, want ErrUnauthorized", err)
		}
		if sent := w.wire.requests() - n + 1; sent > 6 {
			w.t.Errorf("%d requests were sent with a credential that is refused", sent)
		}
	})
}

func unreachable(t *testing.T, h Harness) {
	bubble(t, h, smallOptions, func(t *testing.T, w *world) {
		small(w)
		w.wire.set(func(wire *wire) { wire.refused = true })
		src := w.connect()
		every(w, src, func(what string, err error) {
			if !errors.Is(err, source.ErrUnreachable) {
				t.Errorf("%s: got %v, want ErrUnreachable", what, err)
			}
			if strings.Contains(err.Error(), "://") {
				t.Errorf("%s: the error holds the address, whose query names what is collected: %v", what, err)
			}
		})
		if _, err := src.Check(t.Context()); !errors.Is(err, source.ErrUnreachable) {
			t.Errorf("Check: got %v, want ErrUnreachable", err)
		}
	})
}

func cancelled(t *testing.T, h Harness) {
	everyRequest(t, h, func(w *world, n int) {
		ctx, cancel := context.WithCancel(w.t.Context())
		defer cancel()
		w.wire.set(func(wire *wire) {
			wire.fault = from(fault{hang: true}, n)
			wire.before = func(i int) {
				if i == n {
					cancel()
				}
			}
		})
		start := time.Now()
		src := w.connect()
		c, err := w.begin(ctx, src)
		if err == nil {
			err = w.advance(ctx, src, c)
		}
		ended(w, err, time.Since(start), 0)
	})
}

func cancelledWaiting(t *testing.T, h Harness) {
	everyRequest(t, h, func(w *world, n int) {
		ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
		defer cancel()
		w.wire.set(func(wire *wire) {
			wire.fault = from(fault{status: http.StatusTooManyRequests, retryAfter: 50 * time.Minute}, n)
		})
		start := time.Now()
		src := w.connect()
		c, err := w.begin(ctx, src)
		if err == nil {
			err = w.advance(ctx, src, c)
		}
		ended(w, err, time.Since(start), 10*time.Second)
	})
}

func ended(w *world, err error, after, want time.Duration) {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		w.t.Errorf("got %v, want the context's error", err)
	}
	for _, wrong := range []error{source.ErrUnauthorized, source.ErrForbidden, source.ErrUnreachable, source.ErrUnreadable} {
		if errors.Is(err, wrong) {
			w.t.Errorf("got %v, which says that something is wrong with the source", err)
		}
	}
	if after != want {
		w.t.Errorf("ended after %v, want %v", after, want)
	}
}
