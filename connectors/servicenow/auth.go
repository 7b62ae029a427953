package servicenow

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"fairlead/connectors/rest"
	"fairlead/connectors/source"
)

// authenticator puts the credential on a request.
type authenticator interface {
	authorize(ctx context.Context, req *http.Request) error
	// renew is told that req was refused; it says whether another attempt with
	// a new credential is worth making.
	renew(req *http.Request) bool
}

type basicAuth struct{ username, password string }

func (b basicAuth) authorize(_ context.Context, req *http.Request) error {
	req.SetBasicAuth(b.username, b.password)
	return nil
}

func (basicAuth) renew(*http.Request) bool { return false }

// oauth fetches a bearer token from the instance and keeps it until it runs
// out or is refused. Both grants are one POST of a form (product documentation,
// "OAuth API request parameters").
type oauth struct {
	endpoint string
	form     url.Values
	http     *http.Client
	now      func() time.Time

	mu    sync.Mutex
	token string
	until time.Time
}

func (o *oauth) authorize(ctx context.Context, req *http.Request) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.token == "" || !o.now().Before(o.until) {
		if err := o.fetch(ctx); err != nil {
			return err
		}
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	return nil
}

func (o *oauth) renew(req *http.Request) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if req.Header.Get("Authorization") == "Bearer "+o.token {
		o.token = ""
	}
	return true
}

func (o *oauth) fetch(ctx context.Context) error {
	// A token that is asked for twice is harmless, so a failed request may be
	// sent again.
	req, err := http.NewRequestWithContext(rest.Idempotent(ctx), http.MethodPost, o.endpoint, strings.NewReader(o.form.Encode()))
	if err != nil {
		return fmt.Errorf("building the token request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := o.http.Do(req)
	if err != nil {
		return fmt.Errorf("fetching a token from /oauth_token.do: %w", source.Unreachable(ctx, err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("fetching a token from /oauth_token.do: %w", source.Unreachable(ctx, err))
	}
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusBadRequest {
		return fmt.Errorf("fetching a token from /oauth_token.do: %w: check client_id, client_secret and, for the password grant, username and password", source.ErrUnauthorized)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("fetching a token from /oauth_token.do: %w", statusError(resp.StatusCode, resp.Status, body))
	}
	var t struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &t); err != nil || t.AccessToken == "" {
		return fmt.Errorf("fetching a token from /oauth_token.do: %w: the answer holds no token", source.ErrUnreadable)
	}
	// Renewed a little early: a token is good for as long as the instance's
	// clock says, which is not ours.
	life := time.Duration(t.ExpiresIn) * time.Second
	if life <= 0 {
		life = 30 * time.Minute
	}
	o.token, o.until = t.AccessToken, o.now().Add(life-min(life/10, time.Minute))
	return nil
}
