package jiratest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// accessToken is what /oauth/token gives.
const accessToken = "jiratest-access-token"

// ServeHTTP answers as Jira does.
func (in *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := in.opts.Clock()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	fault, limited := in.traffic.admit(r, now, in.opts.RequestsPerMinute)
	if fault != nil {
		strike(w, fault)
		return
	}
	if limited > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((limited+time.Second-1)/time.Second)))
		w.Header().Set("X-RateLimit-Limit", strconv.Itoa(in.opts.RequestsPerMinute))
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", now.Add(limited).UTC().Format("2006-01-02T15:04Z"))
		fail(w, http.StatusTooManyRequests, "Rate limit exceeded.")
		return
	}
	if r.URL.Path == "/oauth/token" {
		in.token(w, r)
		return
	}
	if !in.authorized(r) {
		in.unauthorized(w, r)
		return
	}
	in.mux.ServeHTTP(w, r)
}

// strike answers with a fault.
func strike(w http.ResponseWriter, f *Fault) {
	switch {
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Garble:
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		_, _ = io.WriteString(w, `{"issues":[{"id":"10`)
	default:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter/time.Second)))
		}
		messages := f.Messages
		if messages == nil {
			messages = []string{http.StatusText(f.Status)}
		}
		fail(w, f.Status, messages...)
	}
}

func (in *Instance) authorized(r *http.Request) bool {
	if in.opts.Token == "" && in.opts.ClientID == "" {
		return true
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if in.opts.ClientID != "" && bearer == accessToken {
		return true
	}
	if in.opts.Token == "" {
		return false
	}
	if in.opts.Email != "" {
		user, password, ok := r.BasicAuth()
		return ok && strings.EqualFold(user, in.opts.Email) && password == in.opts.Token
	}
	return bearer == in.opts.Token
}

// unauthorized answers as each flavour does to a wrong credential. Some Cloud
// sites let searches go on as nobody.
func (in *Instance) unauthorized(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Seraph-LoginReason", "AUTHENTICATED_FAILED")
	if in.opts.AnonymousSearch && strings.HasSuffix(r.URL.Path, "/search/jql") {
		reply(w, object{"issues": []object{}, "isLast": true})
		return
	}
	if in.opts.Flavour == Cloud {
		fail(w, http.StatusUnauthorized, "Client must be authenticated to access this resource.")
		return
	}
	w.Header().Set("WWW-Authenticate", `OAuth realm="http%3A%2F%2Fjira.example.invalid"`)
	fail(w, http.StatusUnauthorized, "You are not authenticated. Authentication required to perform this operation.")
}

// token answers the client credentials grant of a service account.
// https://support.atlassian.com/user-management/docs/create-oauth-2-0-credential-for-service-accounts/
func (in *Instance) token(w http.ResponseWriter, r *http.Request) {
	var req struct {
		GrantType    string `json:"grant_type"`
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
	}
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&req) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if req.GrantType != "client_credentials" || req.ClientID != in.opts.ClientID || req.ClientSecret != in.opts.ClientSecret || in.opts.ClientID == "" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"access_denied","error_description":"Unauthorized"}`)
		return
	}
	reply(w, object{"access_token": accessToken, "expires_in": 3600, "token_type": "Bearer"})
}

func (in *Instance) routes() *http.ServeMux {
	mux := http.NewServeMux()
	if in.opts.Flavour == Cloud {
		api := "/rest/api/3"
		mux.HandleFunc("GET "+api+"/search/jql", in.cloudSearch)
		mux.HandleFunc("POST "+api+"/search/jql", in.cloudSearch)
		mux.HandleFunc("POST "+api+"/search/approximate-count", in.approximateCount)
		mux.HandleFunc("POST "+api+"/changelog/bulkfetch", in.bulkChangelog)
		mux.HandleFunc("POST "+api+"/issue/bulkfetch", in.bulkIssues)
		mux.HandleFunc("GET "+api+"/issue/{id}/changelog", in.issueChangelog)
		mux.HandleFunc("GET "+api+"/project/search", in.projectSearch)
		mux.HandleFunc("GET "+api+"/user/bulk", in.userBulk)
		in.shared(mux, api)
		mux.HandleFunc("/rest/api/3/search", gone)
		mux.HandleFunc("/rest/api/2/search", gone)
	} else {
		for _, api := range []string{"/rest/api/2", "/rest/api/latest"} {
			mux.HandleFunc("GET "+api+"/search", in.dcSearch)
			mux.HandleFunc("POST "+api+"/search", in.dcSearch)
			mux.HandleFunc("GET "+api+"/project", in.projectList)
			in.shared(mux, api)
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, "null for uri")
	})
	return mux
}

// shared are the resources that both flavours have.
func (in *Instance) shared(mux *http.ServeMux, api string) {
	mux.HandleFunc("GET "+api+"/myself", in.myself)
	mux.HandleFunc("GET "+api+"/mypermissions", in.myPermissions)
	mux.HandleFunc("GET "+api+"/serverInfo", in.serverInfo)
	mux.HandleFunc("GET "+api+"/field", in.fieldList)
	mux.HandleFunc("GET "+api+"/status", in.statusList)
	mux.HandleFunc("GET "+api+"/issuetype", in.issueTypeList)
	mux.HandleFunc("GET "+api+"/priority", in.priorityList)
	mux.HandleFunc("GET "+api+"/user", in.userGet)
	mux.HandleFunc("GET "+api+"/project/{id}", in.projectGet)
	mux.HandleFunc("GET "+api+"/issue/{id}", in.issueGet)
	mux.HandleFunc("GET "+api+"/issue/{id}/comment", in.issueComments)
	mux.HandleFunc("GET "+api+"/issue/{id}/worklog", in.issueWorklogs)
}

// gone is what Cloud answers at the search that it took away in 2025.
// https://developer.atlassian.com/changelog/#CHANGE-2046
func gone(w http.ResponseWriter, _ *http.Request) {
	fail(w, http.StatusGone, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046")
}

func baseURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	// The only failures are a client that went away and a type that JSON does
	// not have, and there is none here.
	_ = json.NewEncoder(w).Encode(v)
}

// fail answers with Jira's error body.
func fail(w http.ResponseWriter, status int, messages ...string) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object{"errorMessages": messages, "errors": object{}})
}

// readBody decodes a JSON request strictly: Jira refuses unknown properties.
func readBody(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if err = d.Decode(&struct{}{}); errors.Is(err, io.EOF) {
			return true
		}
	}
	fail(w, http.StatusBadRequest, "Invalid request payload. Refer to the REST API documentation and try again.")
	return false
}
