// Package asana reads tasks and their stories through Asana's REST API, as a
// source.Source. It asks for no text that a person wrote.
package asana

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fairlead/connectors/source"
)

// Options are what a Source is given from outside.
type Options struct {
	Name      string            // the `source` label; "asana" when empty
	Transport http.RoundTripper // paces and tries again; http.DefaultTransport when nil
	Logger    *slog.Logger      // none when nil
	Since     time.Time         // closed tasks last changed before are not collected; zero is no bound
	Clock     func() time.Time  // time.Now when nil
}

// Source is a part of one workspace. It is safe for concurrent use.
type Source struct {
	name   string
	cfg    Config
	client *client
	dir    *directory
	rules  rules
	log    *slog.Logger
	since  time.Time
	now    func() time.Time

	mu     sync.Mutex
	lists  map[source.Stream]*list // of backfill streams that are being read
	kin    *family                 // of the first collection
	first  syncState               // taken when a first collection began
	early  memory                  // of a first collection: what its first polls would bring again
	roots  map[string]kinship      // of subtasks
	under  map[string][]membership // where the tasks are that they are parts of
	whole  map[string][]membership // such tasks all of whose parts were brought, and where they were then
	away   map[string]bool         // tasks that are in no project that is collected
	last   memory                  // of the poll before
	narrow time.Time               // when a search found little that is collected
	warned map[string]bool

	unsearched atomic.Bool // the account may not search
	suspect    atomic.Bool // and what it found before was not all
}

// kinship is of what a subtask is a part.
type kinship struct{ parent, root string }

var _ source.Source = (*Source)(nil)

// New makes a source of a valid configuration; it sends nothing.
func New(cfg Config, o Options) (*Source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	hc := &http.Client{
		Transport: o.Transport,
		// A redirection leads to a login page: never with our credential.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	base := strings.TrimSuffix(strings.TrimSuffix(cfg.URL, "/"), prefix)
	cred, err := newCredential(cfg, base, hc, o.Clock)
	if err != nil {
		return nil, err
	}
	s := &Source{
		name: cmp.Or(o.Name, "asana"), cfg: cfg, rules: newRules(cfg), log: o.Logger, since: o.Since, now: o.Clock,
		client: &client{base: base, http: hc, cred: cred, now: o.Clock},
		lists:  map[source.Stream]*list{}, roots: map[string]kinship{}, under: map[string][]membership{}, whole: map[string][]membership{}, away: map[string]bool{}, warned: map[string]bool{},
	}
	s.dir = newDirectory(s)
	return s, nil
}

func newCredential(cfg Config, base string, hc *http.Client, now func() time.Time) (credential, error) {
	if cfg.OAuth == (OAuth{}) {
		token, err := secret(cfg.Token, cfg.TokenFile, "token_file")
		return personal(token), err
	}
	clientSecret, err := secret(cfg.OAuth.ClientSecret, cfg.OAuth.ClientSecretFile, "oauth.client_secret_file")
	if err != nil {
		return nil, err
	}
	refresh, err := secret(cfg.OAuth.RefreshToken, cfg.OAuth.RefreshTokenFile, "oauth.refresh_token_file")
	if err != nil {
		return nil, err
	}
	return &refreshed{endpoint: base + "/-/oauth_token", http: hc, now: now, form: url.Values{
		"grant_type": {"refresh_token"}, "client_id": {cfg.OAuth.ClientID}, "client_secret": {clientSecret}, "refresh_token": {refresh},
	}}, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.name }

// Now is Asana's clock, to the second.
func (s *Source) Now(ctx context.Context) (time.Time, error) {
	r, err := s.client.get(ctx, call{path: "/users/me", fields: []string{"name"}, at: "for the clock"})
	if err != nil {
		return time.Time{}, err
	}
	if r.date.IsZero() {
		return time.Time{}, fmt.Errorf("reading the clock: %w: the answer has no date", source.ErrUnreadable)
	}
	return r.date, nil
}

// there is what Asana's clock shows now, by what its last answer said.
func (s *Source) there() time.Time { return s.now().Add(time.Duration(s.client.ahead.Load())) }

// firstTime is true once a key: a warning that would come with every page is
// given once.
func (s *Source) firstTime(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.warned[key]
	s.warned[key] = true
	return !seen
}
