package asana

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

// credential gives the token that goes with every request.
type credential interface {
	// token is one that is not the refused one; "" refuses none. It is an error
	// when there can be no other.
	token(ctx context.Context, refused string) (string, error)
}

// personal is a token that stays.
type personal string

func (p personal) token(_ context.Context, refused string) (string, error) {
	if refused != "" {
		return "", fmt.Errorf("%w: Asana answered 401; check the token, that it was not revoked, and that its account is active", source.ErrUnauthorized)
	}
	return string(p), nil
}

// refreshed gets an access token for a refresh token, which stays ("OAuth",
// "Token refresh"), and another before it runs out or when it is refused.
type refreshed struct {
	endpoint string
	form     url.Values
	http     *http.Client
	now      func() time.Time

	mu     sync.Mutex
	access string
	until  time.Time
}

func (r *refreshed) token(ctx context.Context, refused string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.access != "" && r.access != refused && r.now().Add(time.Minute).Before(r.until) {
		return r.access, nil
	}
	// A token that is asked for twice is harmless.
	req, err := http.NewRequestWithContext(rest.Idempotent(ctx), http.MethodPost, r.endpoint, strings.NewReader(r.form.Encode()))
	if err != nil {
		return "", fmt.Errorf("making the token request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := r.http.Do(req)
	if err != nil {
		return "", fmt.Errorf("fetching a token from /-/oauth_token: %w", source.Unreachable(ctx, err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return "", fmt.Errorf("fetching a token from /-/oauth_token: %w", source.Unreachable(ctx, err))
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return "", fmt.Errorf("fetching a token from /-/oauth_token: %w: answered %d", source.ErrUnreachable, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("fetching a token from /-/oauth_token: %w: answered %d; check oauth.client_id, its secret and the refresh token", source.ErrUnauthorized, resp.StatusCode)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" {
		return "", fmt.Errorf("fetching a token from /-/oauth_token: %w: the answer holds no token", source.ErrUnreadable)
	}
	life := time.Duration(answer.ExpiresIn) * time.Second
	if life <= 0 {
		life = time.Hour
	}
	r.access, r.until = answer.AccessToken, r.now().Add(life)
	return r.access, nil
}
