package jira

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/andygrunwald/go-jira"

	"fairlead/connectors/rest"
	"fairlead/connectors/source"
)

// authenticated wraps base so that every request carries the credential.
func authenticated(cfg Config, base http.RoundTripper, clock func() time.Time) (http.RoundTripper, error) {
	if cfg.OAuth.ClientID != "" {
		secret, err := secret(cfg.OAuth.ClientSecret, cfg.OAuth.ClientSecretFile, "oauth.client_secret_file")
		if err != nil {
			return nil, err
		}
		return &clientCredentials{cfg: cfg.OAuth, secret: secret, base: base, clock: clock}, nil
	}
	token, err := secret(cfg.Token, cfg.TokenFile, "token_file")
	if err != nil {
		return nil, err
	}
	if cfg.Flavour == Cloud {
		return &jira.BasicAuthTransport{Username: cfg.Email, Password: token, Transport: base}, nil
	}
	return &jira.PATAuthTransport{Token: token, Transport: base}, nil
}

// clientCredentials gets an access token by OAuth 2 and renews it before it
// expires, or when it is refused.
type clientCredentials struct {
	cfg    OAuth
	secret string
	base   http.RoundTripper
	clock  func() time.Time

	mu      sync.Mutex
	token   string
	expires time.Time
}

// RoundTrip implements http.RoundTripper.
func (c *clientCredentials) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := c.access(req.Context(), "")
	if err != nil {
		return nil, err
	}
	resp, err := c.send(req, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || req.Body != nil && req.GetBody == nil {
		return resp, err
	}
	// A token can be revoked before its time: one more try with a new one.
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if token, err = c.access(req.Context(), token); err != nil {
		return nil, err
	}
	return c.send(req, token)
}

func (c *clientCredentials) send(req *http.Request, token string) (*http.Response, error) {
	with := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, fmt.Errorf("rewinding request body: %w", err)
		}
		with.Body = body
	}
	with.Header.Set("Authorization", "Bearer "+token)
	return c.base.RoundTrip(with)
}

// access returns a token that is not the refused one and lives for at least
// another minute.
func (c *clientCredentials) access(ctx context.Context, refused string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && c.token != refused && c.clock().Add(time.Minute).Before(c.expires) {
		return c.token, nil
	}
	body, err := json.Marshal(map[string]string{
		"grant_type": "client_credentials", "client_id": c.cfg.ClientID, "client_secret": c.secret,
	})
	if err != nil {
		return "", fmt.Errorf("encoding token request: %w", err)
	}
	req, err := http.NewRequestWithContext(rest.Idempotent(ctx), http.MethodPost, c.cfg.TokenURL, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("making token request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.base.RoundTrip(req)
	if err != nil {
		return "", fmt.Errorf("fetching access token: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("fetching access token: %w: answered %d; check oauth.client_id and its secret", source.ErrUnauthorized, resp.StatusCode)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		return "", fmt.Errorf("fetching access token: %w: no access_token in the answer", source.ErrUnreadable)
	}
	c.token = answer.AccessToken
	c.expires = c.clock().Add(time.Duration(answer.ExpiresIn) * time.Second)
	return c.token, nil
}
