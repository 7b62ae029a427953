package sourcetest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// wire lies between a connector and the fake. It counts the requests from 1,
// lets a test act before each, and makes chosen ones go wrong.
type wire struct {
	fake http.Handler

	mu      sync.Mutex
	came    []arrival
	before  func(n int)       // called for one request at a time
	fault   func(n int) fault // none where nil
	refused bool              // no connection can be made

	// acting holds a value while before runs: a lock that waits in the bubble's
	// own time, since before may sleep.
	acting  chan struct{}
	runaway func() // called once, when a connector does not stop asking
}

// maxRequests is more than any test needs: a pager without a guard against
// loops asks for ever.
const maxRequests = 20_000

// arrival is one request that reached the source.
type arrival struct {
	at   time.Time
	path string
}

// fault is what goes wrong with a request.
type fault struct {
	status     int           // answer so, and
	retryAfter time.Duration // ask to wait; or
	garble     bool          // send half of the right body as if it were whole; or
	cut        bool          // break off in the middle of the body; or
	drop       bool          // break off before the answer; or
	hang       bool          // do not answer until the client gives up
}

func (f fault) any() bool { return f != fault{} }

// at makes a fault strike the given requests only.
func at(f fault, requests ...int) func(int) fault {
	return func(n int) fault {
		for _, r := range requests {
			if n == r {
				return f
			}
		}
		return fault{}
	}
}

// from makes a fault strike a request and all after it.
func from(f fault, request int) func(int) fault {
	return func(n int) fault {
		if n >= request {
			return f
		}
		return fault{}
	}
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.came = append(w.came, arrival{time.Now(), r.URL.Path})
	n := len(w.came)
	before, strike := w.before, w.fault
	w.mu.Unlock()

	if n > maxRequests {
		if n == maxRequests+1 {
			w.runaway()
		}
		rw.WriteHeader(http.StatusUnauthorized)
		return
	}
	if before != nil {
		w.acting <- struct{}{}
		before(n)
		<-w.acting
	}
	var f fault
	if strike != nil {
		f = strike(n)
	}
	switch {
	case !f.any():
		w.fake.ServeHTTP(rw, r)
	case f.drop:
		panic(http.ErrAbortHandler)
	case f.hang:
		// The server notices that a client is gone once the body is read.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	case f.status != 0:
		if f.retryAfter > 0 {
			rw.Header().Set("Retry-After", strconv.Itoa(int(f.retryAfter.Seconds())))
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(f.status)
		_, _ = fmt.Fprintf(rw, `{"error":{"message":"fault %d"},"errorMessages":["fault"],"status":"failure"}`, f.status)
	default:
		w.spoil(rw, r, f)
	}
}

// spoil sends half of the fake's answer.
func (w *wire) spoil(rw http.ResponseWriter, r *http.Request, f fault) {
	r.Header.Del("Accept-Encoding")
	right := httptest.NewRecorder()
	w.fake.ServeHTTP(right, r)
	for name, values := range right.Header() {
		rw.Header()[name] = values
	}
	body := right.Body.Bytes()
	half := body[:len(body)/2]
	rw.Header().Del("Content-Length")
	if f.cut {
		rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	rw.WriteHeader(right.Code)
	_, _ = rw.Write(half)
}

// requests is how many requests came so far.
func (w *wire) requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.came)
}

func (w *wire) arrivals() []arrival {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]arrival(nil), w.came...)
}

// set changes what happens to the requests to come, under their numbers.
func (w *wire) set(change func(w *wire)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

// listener hands the server the far ends of the pipes that dial makes.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *listener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "source.test:80" }

// serve serves the wire and returns a transport that reaches it.
func (w *wire) serve(t *testing.T) *http.Transport {
	l := &listener{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: w, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l) // http.ErrServerClosed
	}()
	base := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			w.mu.Lock()
			refused := w.refused
			w.mu.Unlock()
			if refused {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: pipeAddr{}, Err: syscall.ECONNREFUSED}
			}
			here, there := net.Pipe()
			select {
			case l.conns <- there:
				return here, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
	}
	t.Cleanup(func() {
		base.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Errorf("closing the server of the fake: %v", err)
		}
		<-ended
	})
	return base
}
