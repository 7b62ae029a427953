package asana_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/rest"
	"fairlead/connectors/source"
)

// What is answered instead of an access token is an error that says what to do.
func TestTokensThatAreNotGiven(t *testing.T) {
	for name, test := range map[string]struct {
		code   int
		answer string
		wraps  error
		says   string
	}{
		"revoked":      {400, `{"error":"invalid_grant"}`, source.ErrUnauthorized, "check oauth.client_id, its secret and the refresh token"},
		"out of order": {503, "busy", source.ErrUnreachable, "answered 503"},
		"too often":    {429, "", source.ErrUnreachable, "answered 429"},
		"a page":       {200, "<html>", source.ErrUnreadable, "holds no token"},
		"no token":     {200, `{"expires_in":3600}`, source.ErrUnreadable, "holds no token"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.code)
				_, _ = w.Write([]byte(test.answer))
			}))
			defer server.Close()
			cfg := asana.DefaultConfig()
			cfg.URL, cfg.Projects = server.URL, []string{"12"}
			cfg.OAuth = asana.OAuth{ClientID: "an-id", ClientSecret: "a-secret", RefreshToken: "a-grant"}
			src, err := asana.New(cfg, asana.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = src.Now(t.Context()); !isError(err, test.wraps, test.says) || strings.Contains(err.Error(), "a-secret") || strings.Contains(err.Error(), "a-grant") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// scoped refuses what no scope of an application allows, as for one without full
// permissions.
type scoped struct{}

func (scoped) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, part := range []string{"/batch", "/events", "/sections"} {
		if strings.HasSuffix(r.URL.Path, part) {
			return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Request: r,
				Body: io.NopCloser(strings.NewReader(`{"errors":[{"message":"Your app does not have the scope."}]}`))}, nil
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// An application without full permissions reads no batches, events and lists of
// sections, and misses nothing by that.
func TestAnApplicationWithScopes(t *testing.T) {
	for name, free := range map[string]bool{"paid": false, "free": true} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t, asanatest.Options{Free: free})
			whole := f.create("", asanatest.AddTo(f.migration, f.backlog))
			part := f.create(whole)
			f.create("", asanatest.AddTo(f.help, ""))
			f.wait(time.Hour)
			c := collect(t, f.connect(func(c *asana.Config) { c.Sections = asana.SectionsAreas }, scoped{}))
			if tk := c.tickets[whole]; len(c.tickets) != 3 || len(tk.Areas) != 1 || tk.Areas[0] != "section:"+f.backlog || c.terms["area section:"+f.backlog].Name != "Backlog" {
				t.Errorf("%d came, %+v", len(c.tickets), tk)
			}
			f.wait(time.Hour)
			f.edit(whole, f.bob, asanatest.MoveTo(f.doing))
			f.edit(part, f.bob, asanatest.Assign(f.bob))
			if got := c.came(f); len(got) != 2 || c.tickets[whole].Areas[0] != "section:"+f.doing || !c.tickets[whole].HistoryComplete {
				t.Errorf("%v came: %+v", got, c.tickets[whole])
			}
		})
	}
}

// crowd notes how many requests, each action of a batch being one, are under way
// at once.
type crowd struct {
	direct
	now, most chan int
}

func (c crowd) RoundTrip(r *http.Request) (*http.Response, error) {
	n := 1
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		n = max(1, strings.Count(string(body), `"relative_path"`))
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	at := <-c.now + n
	c.now <- at
	c.most <- max(<-c.most, at)
	time.Sleep(100 * time.Millisecond)
	resp, err := c.direct.RoundTrip(r)
	c.now <- <-c.now - n
	return resp, err
}

// However many requests are allowed side by side, Asana's limit of 50 is kept
// ("Concurrent request limits"), as which each action of a batch counts.
func TestAtMostFiftyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := asanatest.New(asanatest.Options{AtOnce: 50})
		by, team := w.AddUser(asanatest.User{Name: "Ann"}), w.AddTeam("A")
		cfg := asana.DefaultConfig()
		cfg.URL, cfg.Token = "http://asana.test", "token"
		for n := range 30 {
			cfg.Projects = append(cfg.Projects, w.AddProject(fmt.Sprint(n), team))
			for range 10 {
				if _, err := w.Create(asanatest.Task{At: time.Now().Add(-time.Hour), By: by, Changes: []asanatest.Change{asanatest.AddTo(cfg.Projects[n], "")}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		c := crowd{direct{handler: w}, make(chan int, 1), make(chan int, 1)}
		c.now <- 0
		c.most <- 0
		limits := rest.DefaultConfig()
		limits.Concurrency = 64
		src, err := asana.New(cfg, asana.Options{Transport: rest.New("asana", limits, c, nil, nil)})
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(t, src); len(got.tickets) != 300 {
			t.Errorf("%d of 300 tasks came", len(got.tickets))
		}
		if most := <-c.most; most > 50 || most < 20 || w.Refused() != 0 {
			t.Errorf("%d requests were under way at once, %d were refused", most, w.Refused())
		}
	})
}
