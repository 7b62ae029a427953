package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"fairlead/connectors/rest"
)

// pipes is a listener and a dialer over net.Pipe, so that a real server and a
// real client talk in the time of a synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.done:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve returns a base transport that reaches handler.
func serve(t *testing.T, handler http.HandlerFunc) http.RoundTripper {
	t.Helper()
	listener := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	server := httptest.NewUnstartedServer(handler)
	_ = server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	base := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() { base.CloseIdleConnections(); server.Close() })
	return base
}

func get(ctx context.Context, t *testing.T, transport http.RoundTripper) (*http.Response, string, error) {
	t.Helper()
	return send(t, transport, newRequest(ctx, t, http.MethodGet, ""))
}

func newRequest(ctx context.Context, t *testing.T, method, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "http://source.test/rest/page?jql=x", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func send(t *testing.T, transport http.RoundTripper, req *http.Request) (*http.Response, string, error) {
	t.Helper()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading a body that was read before: %v", err)
	}
	return resp, string(body), nil
}

// script answers the n-th request by the n-th step, and every later one with
// "ok". It notes when each came.
type script struct {
	mu    sync.Mutex
	steps []http.HandlerFunc
	came  []time.Time
	body  []string
}

func (s *script) handle(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	n := len(s.came)
	s.came = append(s.came, time.Now())
	s.body = append(s.body, string(body))
	s.mu.Unlock()
	if n < len(s.steps) {
		s.steps[n](w, r)
		return
	}
	_, _ = io.WriteString(w, "ok")
}

func (s *script) gap(i int) time.Duration { return s.came[i].Sub(s.came[i-1]) }

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, "answer %d", code)
	}
}

func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// cutShort promises more than it sends.
func cutShort(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "half")
}

func TestFaultsThatPassAreTriedAgain(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []http.HandlerFunc
		code  string
	}{
		{"too many requests", []http.HandlerFunc{status(429)}, "429"},
		{"server errors", []http.HandlerFunc{status(500), status(502), status(503)}, "503"},
		{"a dropped connection", []http.HandlerFunc{drop, drop}, "error"},
		{"an answer cut short", []http.HandlerFunc{cutShort}, "error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: test.steps}
				reg := prometheus.NewPedanticRegistry()
				transport := rest.New("snow", rest.Config{}, serve(t, s.handle), rest.NewMetrics(reg), nil)
				resp, body, err := get(t.Context(), t, transport)
				if err != nil || resp.StatusCode != 200 || body != "ok" {
					t.Fatalf("got %v, %q, %v", resp, body, err)
				}
				if len(s.came) != len(test.steps)+1 {
					t.Fatalf("%d requests, want %d", len(s.came), len(test.steps)+1)
				}
				for i := 1; i < len(s.came); i++ {
					least := 250 * time.Millisecond << (i - 1)
					if gap := s.gap(i); gap < least || gap > 2*least {
						t.Errorf("waited %v before attempt %d, want %v to %v", gap, i+1, least, 2*least)
					}
				}
				if n, err := testutil.GatherAndCount(reg, "fairlead_source_requests_total"); err != nil || n < 2 {
					t.Errorf("%d series of requests, %v", n, err)
				}
				want := fmt.Sprintf("# HELP fairlead_source_rate_limited_total Requests that a source refused because there were too many (429).\n"+
					"# TYPE fairlead_source_rate_limited_total counter\nfairlead_source_rate_limited_total{source=\"snow\"} %d\n", strings.Count(test.code, "429"))
				if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "fairlead_source_rate_limited_total"); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestTheLastAnswerIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []http.HandlerFunc{status(500), status(500), status(503), status(500)}}
		transport := rest.New("snow", rest.Config{MaxAttempts: 3}, serve(t, s.handle), nil, nil)
		resp, body, err := get(t.Context(), t, transport)
		if err != nil || resp.StatusCode != 503 || body != "answer 503" || len(s.came) != 3 {
			t.Fatalf("got %v, %q, %v after %d requests", resp, body, err, len(s.came))
		}
	})
}

func TestTheLastErrorIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []http.HandlerFunc{drop, drop, drop, drop}}
		transport := rest.New("snow", rest.Config{MaxAttempts: 3}, serve(t, s.handle), nil, nil)
		_, _, err := get(t.Context(), t, transport)
		if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "giving up after 3 attempts") || len(s.came) != 3 {
			t.Fatalf("got %v after %d requests", err, len(s.came))
		}
	})
}

func TestOtherAnswersAreUntouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []int{201, 204, 304, 400, 401, 403, 404, 410} {
			s := &script{steps: []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Said", "so")
				w.WriteHeader(code)
			}}}
			transport := rest.New("snow", rest.Config{}, serve(t, s.handle), nil, nil)
			resp, _, err := get(t.Context(), t, transport)
			if err != nil || resp.StatusCode != code || resp.Header.Get("X-Said") != "so" || len(s.came) != 1 {
				t.Errorf("%d: got %v, %v after %d requests", code, resp, err, len(s.came))
			}
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	later := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, test := range []struct {
		name        string
		step        func() http.HandlerFunc
		least, most time.Duration
	}{
		{"seconds", func() http.HandlerFunc { return status(429, "Retry-After", "7") }, 7 * time.Second, 8 * time.Second},
		{"with a server error", func() http.HandlerFunc { return status(503, "Retry-After", "7") }, 7 * time.Second, 8 * time.Second},
		{"a date", func() http.HandlerFunc { return status(429, "Retry-After", later(time.Minute)) }, 59 * time.Second, 67 * time.Second},
		{"a date by a clock that is behind", func() http.HandlerFunc {
			return status(429, "Date", later(-time.Hour), "Retry-After", later(-time.Hour+time.Minute))
		}, time.Minute, 66 * time.Second},
		{"a date gone by", func() http.HandlerFunc { return status(429, "Retry-After", later(-time.Minute)) }, 0, time.Second},
		{"more than is sane", func() http.HandlerFunc { return status(429, "Retry-After", "99999999") }, time.Hour, time.Hour + 5*time.Second},
		{"nonsense", func() http.HandlerFunc { return status(429, "Retry-After", "soon") }, 0, time.Second},
		{"negative", func() http.HandlerFunc { return status(429, "Retry-After", "-5") }, 0, time.Second},
		{"not a number", func() http.HandlerFunc { return status(429, "Retry-After", "NaN") }, 0, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []http.HandlerFunc{test.step()}}
				transport := rest.New("snow", rest.Config{}, serve(t, s.handle), nil, nil)
				if _, _, err := get(t.Context(), t, transport); err != nil {
					t.Fatal(err)
				}
				if gap := s.gap(1); gap < test.least || gap > test.most {
					t.Errorf("waited %v, want %v to %v", gap, test.least, test.most)
				}
			})
		})
	}
}

func TestRetryAfterHoldsBackEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []http.HandlerFunc{status(429, "Retry-After", "30")}}
		transport := rest.New("snow", rest.Config{MaxAttempts: 1}, serve(t, s.handle), nil, nil)
		resp, _, err := get(t.Context(), t, transport)
		if err != nil || resp.StatusCode != 429 {
			t.Fatalf("got %v, %v", resp, err)
		}
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				if _, _, err := get(t.Context(), t, transport); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for i, came := range s.came[1:] {
			if wait := came.Sub(s.came[0]); wait < 30*time.Second {
				t.Errorf("request %d came %v after the one that was told to wait 30s", i+1, wait)
			}
		}
	})
}

func TestARequestThatIsSpacedOutStillSeesTheHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []http.HandlerFunc{status(200), status(429, "Retry-After", "60")}}
		transport := rest.New("snow", rest.Config{RequestsPerSecond: 0.1, MaxAttempts: 1}, serve(t, s.handle), nil, nil)
		var group sync.WaitGroup
		for range 3 { // at 0 s, 10 s and, without the hold, 20 s
			group.Go(func() { _, _, _ = get(t.Context(), t, transport) })
		}
		group.Wait()
		if wait := s.gap(2); wait < time.Minute {
			t.Errorf("the third request came %v after a 429 that asked for 60s", wait)
		}
	})
}

func TestCeilingPacesRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		transport := rest.New("snow", rest.Config{RequestsPerSecond: 4, Concurrency: 10}, serve(t, s.handle), nil, nil)
		var group sync.WaitGroup
		for range 9 {
			group.Go(func() {
				if _, _, err := get(t.Context(), t, transport); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if took := s.came[8].Sub(s.came[0]); took < 2*time.Second-time.Millisecond {
			t.Errorf("nine requests at 4 a second took %v, want 2s", took)
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			n := now.Add(1)
			defer now.Add(-1)
			for {
				m := most.Load()
				if n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			time.Sleep(time.Second)
			_, _ = io.WriteString(w, "ok")
		})
		transport := rest.New("snow", rest.Config{Concurrency: 3}, base, nil, nil)
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				if _, _, err := get(t.Context(), t, transport); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if most.Load() != 3 {
			t.Errorf("%d requests at once, want 3", most.Load())
		}
	})
}

func TestSlowsDownBeforeTheLimit(t *testing.T) {
	in := func(d time.Duration) time.Time { return time.Now().Add(d).UTC() }
	for _, test := range []struct {
		name        string
		headers     func() []string
		least, most time.Duration // between the requests that follow
	}{
		{"plenty left", func() []string {
			return []string{"X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "80", "X-RateLimit-Reset", "60"}
		}, 0, 0},
		{"little left is spread over the rest of the window", func() []string {
			return []string{"X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "10", "X-RateLimit-Reset", "60"}
		}, 6 * time.Second, 6 * time.Second},
		{"the end of the window as a time", func() []string {
			return []string{"X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "10", "X-RateLimit-Reset", in(time.Minute).Format(time.RFC3339)}
		}, 5 * time.Second, 6 * time.Second},
		{"the end of the window as a time to the minute", func() []string {
			return []string{"X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "10", "X-RateLimit-Reset", in(time.Minute).Format("2006-01-02T15:04Z")}
		}, 5 * time.Second, 6 * time.Second},
		{"the end of the window in seconds since 1970", func() []string {
			return []string{"X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "10", "X-RateLimit-Reset", fmt.Sprint(in(time.Minute).Unix())}
		}, 5 * time.Second, 6 * time.Second},
		{"none left waits for the next window", func() []string {
			return []string{"X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "60"}
		}, time.Minute, time.Minute},
		{"the source says it is near", func() []string {
			return []string{"X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "30", "X-RateLimit-Reset", "60", "X-RateLimit-NearLimit", "true"}
		}, 2 * time.Second, 2 * time.Second},
		{"no limit given", func() []string {
			return []string{"X-RateLimit-Remaining", "6", "X-RateLimit-Reset", "60"}
		}, 10 * time.Second, 10 * time.Second},
		{"a bucket that fills", func() []string {
			return []string{"X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "1", "X-RateLimit-FillRate", "2", "X-RateLimit-Interval-Seconds", "10"}
		}, 5 * time.Second, 5 * time.Second},
		{"nonsense", func() []string {
			return []string{"X-RateLimit-Remaining", "few", "X-RateLimit-Reset", "soon", "RateLimit", `"",;r=;t, x;r=a;t=b`, "RateLimit-Policy", "=;;"}
		}, 0, 0},
		{"a burst limit that says nothing of its filling", func() []string {
			return []string{"X-RateLimit-Limit", "350", "X-RateLimit-Remaining", "3"}
		}, 0, 0},
		{"points: plenty left, so not said", func() []string {
			return []string{"RateLimit-Policy", `"global-app-quota";q=65000;w=3600`, "RateLimit", `"global-app-quota";t=3200`}
		}, 0, 0},
		{"points: more than a fifth left", func() []string {
			return []string{"RateLimit-Policy", `"global-app-quota";q=65000;w=3600`, "RateLimit", `"global-app-quota";r=14000;t=600`}
		}, 0, 0},
		{"points: little left, at a hundred a request", func() []string {
			return []string{"RateLimit-Policy", `"global-app-quota";q=65000;w=3600`, "RateLimit", `"global-app-quota";r=12000;t=599`}
		}, 5 * time.Second, 5 * time.Second},
		{"points: little left, and of how much is not said", func() []string {
			return []string{"RateLimit", `"tenant-app-quota";r=1000;t=599`}
		}, time.Minute, time.Minute},
		{"points: none left", func() []string {
			return []string{"RateLimit", `"global-app-quota";r=0;t=49`}
		}, 50 * time.Second, 50 * time.Second},
		{"points: the slowest of several", func() []string {
			return []string{"RateLimit-Policy", `"global-app-quota";q=65000;w=3600,"jira-burst-based";q=100;w=1`, "RateLimit", `"global-app-quota";r=12000;t=599, "jira-burst-based";r=10;t=1`, "X-RateLimit-Limit", "350", "X-RateLimit-Remaining", "349"}
		}, 5 * time.Second, 5 * time.Second},
		{"points: told and not enforced", func() []string {
			return []string{"Beta-RateLimit-Policy", `"tenant-app-quota";q=100100;w=3600`, "Beta-RateLimit", `"tenant-app-quota";r=17842;t=900`}
		}, 5 * time.Second, 5050 * time.Millisecond},
		{"points: none left, told and not enforced", func() []string {
			return []string{"Beta-RateLimit", `"tenant-app-quota";r=0;t=2788`, "X-RateLimit-Limit", "400", "X-RateLimit-Remaining", "399"}
		}, 10 * time.Second, 10 * time.Second},
		{"a window that is over", func() []string {
			return []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "0"}
		}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []http.HandlerFunc{status(200, test.headers()...)}}
				transport := rest.New("snow", rest.Config{}, serve(t, s.handle), nil, nil)
				for range 2 {
					if _, _, err := get(t.Context(), t, transport); err != nil {
						t.Fatal(err)
					}
				}
				if gap := s.gap(1); gap < test.least || gap > test.most {
					t.Errorf("waited %v, want %v to %v", gap, test.least, test.most)
				}
			})
		})
	}
}

// TestRequestsOfAnHourAreCounted where ServiceNow says how many there may be, and
// not how many are left.
func TestRequestsOfAnHourAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 50
		var came []time.Time
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			now := time.Now()
			came = append(came, now)
			w.Header().Set("X-RateLimit-Limit", fmt.Sprint(limit))
			w.Header().Set("X-RateLimit-Reset", fmt.Sprint(now.Truncate(time.Hour).Add(time.Hour).Unix()))
			w.Header().Set("X-RateLimit-Rule", "0a1b2c")
		})
		transport := rest.New("snow", rest.Config{}, base, nil, nil)
		time.Sleep(10 * time.Minute)
		start := time.Now()
		for range 3 * limit {
			if _, _, err := get(t.Context(), t, transport); err != nil {
				t.Fatal(err)
			}
		}
		hours := map[time.Time]int{}
		for _, at := range came {
			hours[at.Truncate(time.Hour)]++
		}
		for hour, n := range hours {
			if n > limit {
				t.Errorf("%d requests came in the hour of %v, and %d may", n, hour, limit)
			}
		}
		if fast := came[limit*8/10-1].Sub(start); fast != 0 {
			t.Errorf("the first four fifths took %v", fast)
		}
		// The last fifth of the first hour is spread over what is left of it.
		if gap := came[limit-1].Sub(came[limit-2]); gap < 4*time.Minute || gap > 6*time.Minute {
			t.Errorf("the last requests of the hour are %v apart", gap)
		}
	})
}

// TestPointsAreSpentAtTheRateThatIsSeen: what a request costs is learnt from what
// is left after each.
func TestPointsAreSpentAtTheRateThatIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quota, cost = 65_000, 500
		left, end := quota, time.Now().Add(time.Hour)
		n := 0
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			n++
			for !time.Now().Before(end) {
				left, end = quota, end.Add(time.Hour)
			}
			if left < cost {
				w.Header().Set("Retry-After", fmt.Sprint(int(time.Until(end).Seconds())))
				w.Header().Set("RateLimit-Reason", "jira-quota-global-based")
				w.WriteHeader(http.StatusTooManyRequests)
				t.Error("it came to a refusal")
				return
			}
			left -= cost
			rest := ""
			if left < quota/5 {
				rest = fmt.Sprintf("r=%d;", left)
			}
			w.Header().Set("RateLimit-Policy", fmt.Sprintf(`"global-app-quota";q=%d;w=3600`, quota))
			w.Header().Set("RateLimit", fmt.Sprintf(`"global-app-quota";%st=%d`, rest, int(time.Until(end).Seconds())))
		})
		transport := rest.New("jira", rest.Config{}, base, nil, nil)
		start := time.Now()
		for time.Since(start) < 4*time.Hour {
			if _, _, err := get(t.Context(), t, transport); err != nil {
				t.Fatal(err)
			}
		}
		if most := 4 * quota / cost; n < most*9/10 {
			t.Errorf("%d requests in four hours, of %d that there may be", n, most)
		}
	})
}

func TestFullSpeedAgainOnceThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []http.HandlerFunc{
			status(200, "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "2", "X-RateLimit-Reset", "60"),
			status(200, "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "99", "X-RateLimit-Reset", "60"),
		}}
		transport := rest.New("snow", rest.Config{}, serve(t, s.handle), nil, nil)
		for range 3 {
			if _, _, err := get(t.Context(), t, transport); err != nil {
				t.Fatal(err)
			}
		}
		if s.gap(1) != 30*time.Second || s.gap(2) != 0 {
			t.Errorf("waited %v and %v, want 30s and nothing", s.gap(1), s.gap(2))
		}
	})
}

func TestOnlyWhatIsIdempotentIsSentAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		method string
		mark   bool
		want   int
	}{
		{"POST", http.MethodPost, false, 1},
		{"POST marked idempotent", http.MethodPost, true, 2},
		{"PUT", http.MethodPut, false, 1},
		{"GET with a body", http.MethodGet, false, 2},
		{"HEAD", http.MethodHead, false, 2},
	} {
		for name, fault := range map[string]http.HandlerFunc{"500": status(500), "429": status(429), "drop": drop} {
			t.Run(test.name+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &script{steps: []http.HandlerFunc{fault}}
					transport := rest.New("snow", rest.Config{}, serve(t, s.handle), nil, nil)
					ctx := t.Context()
					if test.mark {
						ctx = rest.Idempotent(ctx)
					}
					_, _, _ = send(t, transport, newRequest(ctx, t, test.method, "the question"))
					if len(s.came) != test.want {
						t.Fatalf("%d requests, want %d", len(s.came), test.want)
					}
					for i, body := range s.body {
						if body != "the question" {
							t.Errorf("request %d has the body %q", i, body)
						}
					}
				})
			})
		}
	}
}

func TestABodyThatCannotBeReadAgainIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []http.HandlerFunc{status(500)}}
		transport := rest.New("snow", rest.Config{}, serve(t, s.handle), nil, nil)
		req := newRequest(rest.Idempotent(t.Context()), t, http.MethodPost, "x")
		req.GetBody = nil
		if resp, _, err := send(t, transport, req); err != nil || resp.StatusCode != 500 || len(s.came) != 1 {
			t.Fatalf("got %v, %v after %d requests", resp, err, len(s.came))
		}
	})
}

func TestCancellationEndsWaitingAtOnce(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Hour):
		}
	}
	for _, test := range []struct {
		name string
		cfg  rest.Config
		step http.HandlerFunc
	}{
		{"while told to wait", rest.Config{}, status(429, "Retry-After", "3000")},
		{"between attempts", rest.Config{MaxAttempts: 20}, status(500, "Retry-After", "3000")},
		{"while an answer is due", rest.Config{Timeout: time.Hour}, slow},
		{"while paced", rest.Config{RequestsPerSecond: 0.0001}, status(500)},
		{"while the window is used up", rest.Config{}, status(500, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "3000")},
		{"while requests are spread out", rest.Config{}, status(500, "X-RateLimit-Remaining", "1", "X-RateLimit-Reset", "3000")},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []http.HandlerFunc{test.step}}
				transport := rest.New("snow", test.cfg, serve(t, s.handle), nil, nil)
				ctx, cancel := context.WithCancelCause(t.Context())
				start := time.Now()
				time.AfterFunc(20*time.Second, func() { cancel(errors.New("told to stop")) })
				_, _, err := get(ctx, t, transport)
				if took := time.Since(start); !errors.Is(err, context.Canceled) || took != 20*time.Second {
					t.Errorf("got %v after %v, want to be cancelled after 20s", err, took)
				}
			})
		})
	}
}

func TestCancellationWhileAllPlacesAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) })
		transport := rest.New("snow", rest.Config{Concurrency: 1}, base, nil, nil)
		var group sync.WaitGroup
		group.Go(func() { _, _, _ = get(t.Context(), t, transport) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := get(ctx, t, transport); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		group.Wait()
	})
}

func TestAnAttemptThatTakesTooLongIsTriedAgain(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	trickle := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for name, step := range map[string]http.HandlerFunc{"no answer": hang, "an answer that does not end": trickle} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []http.HandlerFunc{step}}
				transport := rest.New("snow", rest.Config{Timeout: 10 * time.Second}, serve(t, s.handle), nil, nil)
				if _, body, err := get(t.Context(), t, transport); err != nil || body != "ok" {
					t.Fatalf("got %q, %v", body, err)
				}
				s = &script{steps: []http.HandlerFunc{step, step}}
				transport = rest.New("snow", rest.Config{Timeout: 10 * time.Second, MaxAttempts: 2}, serve(t, s.handle), nil, nil)
				_, _, err := get(t.Context(), t, transport)
				if err == nil || !strings.Contains(err.Error(), "no whole answer within 10s") {
					t.Fatalf("got %v", err)
				}
			})
		})
	}
}

func TestOverARealConnection(t *testing.T) {
	s := &script{steps: []http.HandlerFunc{drop, cutShort, status(503)}}
	server := httptest.NewServer(http.HandlerFunc(s.handle))
	defer server.Close()
	var log strings.Builder
	transport := rest.New("snow", rest.Config{}, nil, nil, slog.New(slog.NewTextHandler(&log, nil)))
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	req, err := http.NewRequest(http.MethodGet, server.URL+"/rest/page?jql=secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "ok" {
		t.Fatalf("got %q, %v", body, err)
	}
	if n := strings.Count(log.String(), "request failed, trying again"); n != 3 || strings.Contains(log.String(), "secret") {
		t.Errorf("log of three attempts that failed, without the query and the token:\n%s", log.String())
	}
}

func TestACertificateThatIsNotTrustedIsNotTriedAgain(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	reg := prometheus.NewRegistry()
	client := &http.Client{Transport: rest.New("snow", rest.Config{}, nil, rest.NewMetrics(reg), nil)}
	if _, err := client.Get(server.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Fatalf("got %v", err)
	}
	want := "# HELP fairlead_source_requests_total Requests sent to a source, every attempt by itself, by the status code of the answer; code is \"error\" where none came whole.\n" +
		"# TYPE fairlead_source_requests_total counter\n" +
		"fairlead_source_requests_total{code=\"200\",source=\"snow\"} 0\n" +
		"fairlead_source_requests_total{code=\"error\",source=\"snow\"} 1\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "fairlead_source_requests_total"); err != nil {
		t.Error(err)
	}
}

func TestMetricsFollowTheConventions(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	rest.New("snow", rest.Config{}, nil, rest.NewMetrics(reg), nil)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "fairlead_source_request_duration_seconds" && family.GetMetric()[0].GetHistogram().Schema == nil {
			t.Error("durations are not a native histogram")
		}
	}
}

func TestValidate(t *testing.T) {
	if err := rest.DefaultConfig().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	for _, test := range []struct {
		change func(*rest.Config)
		want   string
	}{
		{func(c *rest.Config) { c.RequestsPerSecond = -1 }, "requests_per_second: -1 is no rate"},
		{func(c *rest.Config) { c.Concurrency = 0 }, "concurrency: 0 is not between 1 and 64"},
		{func(c *rest.Config) { c.Concurrency = 65 }, "concurrency: 65 is not between 1 and 64"},
		{func(c *rest.Config) { c.MaxAttempts = 0 }, "max_attempts: 0 is not between 1 and 20"},
		{func(c *rest.Config) { c.MaxAttempts = 21 }, "max_attempts: 21 is not between 1 and 20"},
		{func(c *rest.Config) { c.Timeout = time.Millisecond }, "timeout: 1ms is not between 1s and 1h"},
		{func(c *rest.Config) { c.Timeout = 2 * time.Hour }, "timeout: 2h0m0s is not between 1s and 1h"},
	} {
		cfg := rest.DefaultConfig()
		test.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}
