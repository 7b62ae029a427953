package asanatest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Prefix is where the API begins.
const Prefix = "/api/1.0"

// refusal is an answer that is not a success.
type refusal struct {
	code    int
	message string
	sync    string
}

func (r *refusal) Error() string { return r.message }

func refuse(code int, format string, args ...any) *refusal {
	return &refusal{code: code, message: fmt.Sprintf(format, args...)}
}

// answer of an operation: one object, or rows to be cut into pages.
type answer struct {
	one   any
	rows  []row
	paged bool
	whole bool           // rows, which are no pages
	extra map[string]any // beside data
}

// row of a list, by a rank that no edit of another row changes.
type row struct {
	rank int
	make func() map[string]any
}

type operation func(q url.Values, path func(string) string) (answer, *refusal)

func (w *Workspace) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, op := range map[string]operation{
		"/users/{user}":                             w.getUser,
		"/users":                                    w.getUsers,
		"/workspaces":                               w.getWorkspaces,
		"/workspaces/{workspace}/projects":          w.getProjects,
		"/workspaces/{workspace}/tasks/search":      w.getSearch,
		"/teams/{team}/projects":                    w.getTeamProjects,
		"/projects/{project}":                       w.getProject,
		"/projects/{project}/sections":              w.getSections,
		"/projects/{project}/task_counts":           w.getCounts,
		"/projects/{project}/custom_field_settings": w.getSettings,
		"/tasks":                 w.getTasks,
		"/tasks/{task}":          w.getTask,
		"/tasks/{task}/subtasks": w.getSubtasks,
		"/tasks/{task}/stories":  w.getStories,
		"/events":                w.getEvents,
	} {
		mux.HandleFunc("GET "+Prefix+pattern, func(rw http.ResponseWriter, r *http.Request) { w.serve(rw, r, op) })
	}
	mux.HandleFunc("POST "+Prefix+"/batch", w.serveBatch)
	return mux
}

// ServeHTTP serves the API, and the tokens of OAuth.
func (w *Workspace) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Date", w.o.Clock().UTC().Format(http.TimeFormat))
	if r.Method == http.MethodPost && r.URL.Path == "/-/oauth_token" {
		w.serveToken(rw, r)
		return
	}
	if !w.authorized(r) {
		fail(rw, refuse(http.StatusUnauthorized, "Not Authorized"))
		return
	}
	if r.URL.Path != Prefix+"/batch" {
		if wait := w.meter.enter([]string{r.URL.Path}, w.o, w.o.Clock()); wait > 0 {
			tooMany(rw, wait)
			return
		}
		defer w.meter.leave(1)
	}
	if _, pattern := w.mux.Handler(r); pattern == "" {
		fail(rw, refuse(http.StatusNotFound, "No matching route for request"))
		return
	}
	w.mux.ServeHTTP(rw, r)
}

func tooMany(rw http.ResponseWriter, wait time.Duration) {
	rw.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	fail(rw, refuse(http.StatusTooManyRequests, "You have made too many requests recently. Please, be chill."))
}

func (w *Workspace) authorized(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	if token == w.o.Token {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	until, ok := w.access[token]
	return ok && w.o.Clock().Before(until)
}

// RevokeAccess ends all access tokens that were given by OAuth.
func (w *Workspace) RevokeAccess() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.access)
}

// serveToken gives an access token for a refresh token ("OAuth", "Token refresh").
func (w *Workspace) serveToken(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.ParseForm() != nil || r.PostForm.Get("grant_type") != "refresh_token" || w.o.RefreshToken == "" ||
		r.PostForm.Get("client_id") != w.o.ClientID || r.PostForm.Get("client_secret") != w.o.ClientSecret || r.PostForm.Get("refresh_token") != w.o.RefreshToken {
		write(rw, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "The refresh token is invalid."})
		return
	}
	token := "access" + w.id()
	w.access[token] = w.o.Clock().Add(w.o.AccessLife)
	write(rw, http.StatusOK, map[string]any{"access_token": token, "expires_in": int(w.o.AccessLife.Seconds()), "token_type": "bearer"})
}

func write(rw http.ResponseWriter, code int, v any) {
	rw.Header().Set("Content-Type", "application/json; charset=UTF-8")
	rw.WriteHeader(code)
	if err := json.NewEncoder(rw).Encode(v); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func fail(rw http.ResponseWriter, r *refusal) {
	body := map[string]any{"errors": []any{map[string]any{
		"message": r.message, "help": "For more information on API status codes and how to handle them, read the docs on errors: https://developers.asana.com/docs/errors",
	}}}
	if r.sync != "" {
		body["sync"] = r.sync
	}
	write(rw, r.code, body)
}

func (w *Workspace) serve(rw http.ResponseWriter, r *http.Request, op operation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := r.URL.Query()
	a, refused := op(q, r.PathValue)
	if refused != nil {
		fail(rw, refused)
		return
	}
	fields := parseFields(q.Get("opt_fields"))
	body := map[string]any{}
	if a.whole {
		if fields == nil {
			fields = compactFields
		}
		list := make([]any, len(a.rows))
		for i, r := range a.rows {
			list[i] = pick(r.make(), fields)
		}
		body["data"] = list
	} else if !a.paged {
		body["data"] = a.one
		if fields != nil {
			body["data"] = pick(a.one, fields)
		}
	} else if refused := w.cut(body, a.rows, q, r.URL, fields); refused != nil {
		fail(rw, refused)
		return
	}
	maps.Copy(body, a.extra)
	if list, ok := body["data"].([]any); ok {
		w.meter.spend(len(list))
	}
	write(rw, http.StatusOK, body)
}

// compactFields is what a list shows of an object where nothing is asked for.
var compactFields = parseFields("resource_type,name,resource_subtype,created_at,created_by.name,text")

// cut makes a page of rows ("Pagination"): an offset is a token that stands for
// a place and expires; it goes with the query that it came from.
func (w *Workspace) cut(body map[string]any, rows []row, q url.Values, u *url.URL, fields tree) *refusal {
	if fields == nil {
		fields = compactFields
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.rank, b.rank) })
	limit := 0
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			return refuse(http.StatusBadRequest, "limit: Not a valid limit; must be between 1 and 100")
		}
		limit = n
	}
	if token := q.Get("offset"); token != "" {
		if limit == 0 {
			return refuse(http.StatusBadRequest, "offset: Must be given with limit")
		}
		place, refused := w.place(token, u)
		if refused != nil {
			return refused
		}
		rows = slices.DeleteFunc(rows, func(r row) bool { return r.rank <= place })
	}
	if limit == 0 && len(rows) > 1000 {
		return refuse(http.StatusBadRequest, "The result is too large. You should use pagination (may require specifying a workspace)!")
	}
	if w.o.PageCap > 0 {
		limit = min(limit, w.o.PageCap)
	}
	var next any
	if limit > 0 && len(rows) > limit {
		rows = rows[:limit]
		token := w.offset(rows[limit-1].rank, u)
		with := u.Query()
		with.Set("offset", token)
		path := strings.TrimPrefix(u.Path, Prefix) + "?" + with.Encode()
		next = map[string]any{"offset": token, "path": path, "uri": "https://app.asana.com" + Prefix + path}
	}
	list := make([]any, len(rows))
	for i, r := range rows {
		list[i] = pick(r.make(), fields)
	}
	body["data"] = list
	if limit > 0 {
		body["next_page"] = next
	}
	return nil
}

// offset is a token of a place in the answer to a query.
func (w *Workspace) offset(rank int, u *url.URL) string {
	text := fmt.Sprintf("%d %d %s", rank, w.o.Clock().Add(w.o.OffsetLife).UnixMilli(), sumOf(u))
	return "eyJ0eXAiOiJKV1Qi." + base64.RawURLEncoding.EncodeToString([]byte(text))
}

func sumOf(u *url.URL) string {
	q := u.Query()
	q.Del("offset")
	sum := sha256.Sum256([]byte(u.Path + "?" + q.Encode()))
	return hex.EncodeToString(sum[:6])
}

func (w *Workspace) place(token string, u *url.URL) (int, *refusal) {
	_, encoded, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	var rank int
	var until int64
	var sum string
	if err == nil {
		_, err = fmt.Sscanf(string(raw), "%d %d %s", &rank, &until, &sum)
	}
	if err != nil || sum != sumOf(u) {
		return 0, refuse(http.StatusBadRequest, "offset: Your pagination token is invalid.")
	}
	if w.o.Clock().UnixMilli() >= until {
		return 0, refuse(http.StatusBadRequest, "offset: Your pagination token has expired.")
	}
	return rank, nil
}

// serveBatch runs up to ten actions ("Batch requests"); each is a request of its
// own to the limits, and the batch is none.
func (w *Workspace) serveBatch(rw http.ResponseWriter, r *http.Request) {
	in, refused := w.readBatch(r)
	if refused != nil {
		w.meter.enter(nil, Options{}, w.o.Clock())
		fail(rw, refused)
		return
	}
	paths := make([]string, len(in))
	for i, a := range in {
		paths[i] = Prefix + a.Path
	}
	if wait := w.meter.enter(paths, w.o, w.o.Clock()); wait > 0 {
		tooMany(rw, wait)
		return
	}
	defer w.meter.leave(len(paths))
	out := []any{}
	for _, a := range in {
		q := url.Values{}
		for name, v := range a.Data {
			q.Set(name, fmt.Sprint(v))
		}
		if len(a.Options.Fields) > 0 {
			q.Set("opt_fields", strings.Join(a.Options.Fields, ","))
		}
		if a.Options.Limit > 0 {
			q.Set("limit", strconv.Itoa(a.Options.Limit))
		}
		if a.Options.Offset != "" {
			q.Set("offset", a.Options.Offset)
		}
		answer := httptest.NewRecorder()
		if strings.Contains(a.Path, "?") || !strings.EqualFold(a.Method, http.MethodGet) {
			fail(answer, refuse(http.StatusBadRequest, "relative_path: Query parameters are not allowed here"))
		} else {
			inner := httptest.NewRequestWithContext(r.Context(), http.MethodGet, Prefix+a.Path+"?"+q.Encode(), nil)
			w.mux.ServeHTTP(answer, inner)
		}
		var body any
		if json.Unmarshal(bytes.TrimSpace(answer.Body.Bytes()), &body) != nil {
			body = map[string]any{"errors": []any{map[string]any{"message": "No matching route for request"}}}
		}
		out = append(out, map[string]any{"status_code": answer.Code, "headers": map[string]any{}, "body": body})
	}
	write(rw, http.StatusOK, map[string]any{"data": out})
}

type action struct {
	Path    string         `json:"relative_path"`
	Method  string         `json:"method"`
	Data    map[string]any `json:"data"`
	Options struct {
		Fields []string `json:"fields"`
		Limit  int      `json:"limit"`
		Offset string   `json:"offset"`
	} `json:"options"`
}

func (w *Workspace) readBatch(r *http.Request) ([]action, *refusal) {
	if w.o.NoBatch {
		return nil, refuse(http.StatusForbidden, "You do not have access to this resource")
	}
	var in struct {
		Data struct {
			Actions []action `json:"actions"`
		} `json:"data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, refuse(http.StatusBadRequest, "Could not parse request data, invalid JSON")
	}
	if n := len(in.Data.Actions); n == 0 || n > 10 {
		return nil, refuse(http.StatusBadRequest, "actions: Must be between 1 and 10 actions")
	}
	return in.Data.Actions, nil
}
