package servicenowtest

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// authorized accepts basic authentication and a token that was given out and
// has not run out.
func (in *Instance) authorized(r *http.Request) bool {
	if user, pass, ok := r.BasicAuth(); ok {
		return equal(user, in.opts.Username) && equal(pass, in.opts.Password)
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	until, ok := in.tokens[token]
	return ok && in.opts.Clock().Before(until)
}

// RevokeTokens makes every token that was given out worthless.
func (in *Instance) RevokeTokens() {
	in.mu.Lock()
	defer in.mu.Unlock()
	clear(in.tokens)
}

// token answers /oauth_token.do (product documentation, "OAuth API request
// parameters" and "OAuth API response parameters").
func (in *Instance) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code, why string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": why})
	}
	if r.Method != http.MethodPost {
		refuse(http.StatusUnauthorized, "invalid_request", "POST is required")
		return
	}
	if err := r.ParseForm(); err != nil {
		refuse(http.StatusUnauthorized, "invalid_request", "unreadable form")
		return
	}
	f := r.PostForm
	if in.opts.ClientID == "" || !equal(f.Get("client_id"), in.opts.ClientID) || !equal(f.Get("client_secret"), in.opts.ClientSecret) {
		refuse(http.StatusUnauthorized, "invalid_client", "access_denied")
		return
	}
	switch f.Get("grant_type") {
	case "client_credentials":
	case "password":
		if !equal(f.Get("username"), in.opts.Username) || !equal(f.Get("password"), in.opts.Password) {
			refuse(http.StatusUnauthorized, "server_error", "access_denied")
			return
		}
	default:
		refuse(http.StatusUnauthorized, "unsupported_grant_type", "access_denied")
		return
	}
	in.mu.Lock()
	in.serial++
	token := SysID("oauth_credential", strconv.FormatUint(in.serial, 10))
	in.tokens[token] = in.opts.Clock().Add(in.opts.TokenLife)
	in.mu.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": token, "scope": "useraccount", "token_type": "Bearer",
		"expires_in": int(in.opts.TokenLife.Seconds()) - 1,
	})
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
