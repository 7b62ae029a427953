package servicenowtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultLimit is how many records an answer has when the request does not say
// (product documentation, Table API, sysparm_limit).
const defaultLimit = 10000

// Start serves the instance on a free port of the loopback interface and
// returns its base URL. Close ends it.
func (in *Instance) Start() (baseURL string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for the ServiceNow instance: %w", err)
	}
	in.mu.Lock()
	in.listener = l
	in.server = &http.Server{Handler: in.Handler(), ReadHeaderTimeout: 10 * time.Second}
	in.served = make(chan struct{})
	server, served := in.server, in.served
	in.mu.Unlock()
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	return "http://" + l.Addr().String(), nil
}

// Close stops what Start began, and waits for it.
func (in *Instance) Close() error {
	in.mu.Lock()
	server, served := in.server, in.served
	in.server = nil
	in.mu.Unlock()
	if server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-served
	return err
}

// Handler serves the instance.
func (in *Instance) Handler() http.Handler { return http.HandlerFunc(in.serve) }

func (in *Instance) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Date", in.opts.Clock().UTC().Format(http.TimeFormat))
	h.Set("Server", "ServiceNow")
	h.Set("Content-Type", "application/json;charset=UTF-8")
	table, id, isTable := pathTable(r.URL.Path)
	isToken := r.URL.Path == "/oauth_token.do"
	in.mu.Lock()
	isBatch := slices.Contains(batchPaths, r.URL.Path) && in.batches >= 0
	in.mu.Unlock()
	name := table
	switch {
	case isToken:
		name = "oauth"
	case isBatch:
		name = "batch"
	}
	fault, observer := in.count(r, name)
	if observer != nil {
		observer(r)
	}
	if fault != nil && fault.breaks(w, r) {
		return
	}
	switch {
	case len(r.RequestURI) > in.opts.MaxURL:
		writeError(w, http.StatusRequestURITooLong, "Request-URI Too Long", "")
	case isToken:
		in.token(w, r)
	case !isTable && !isBatch:
		writeError(w, http.StatusBadRequest, "Requested URI does not represent any resource", r.URL.Path)
	case !in.authorized(r):
		h.Set("WWW-Authenticate", `BASIC realm="Service-now"`)
		writeError(w, http.StatusUnauthorized, "User Not Authenticated", "Required to provide Auth information")
	case in.limited(w):
	case isBatch && r.Method == http.MethodPost:
		in.batch(w, r)
	case r.Method != http.MethodGet:
		writeError(w, http.StatusMethodNotAllowed, "Method not supported", "")
	default:
		in.read(w, r, table, id, fault)
	}
}

// breaks does what a fault does instead of the answer.
func (f *Fault) breaks(w http.ResponseWriter, r *http.Request) bool {
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return true
		}
	}
	if f.Drop {
		panic(http.ErrAbortHandler)
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	switch {
	case f.Body != "":
		if f.Status != 0 {
			w.WriteHeader(f.Status)
		}
		_, _ = w.Write([]byte(f.Body))
		return true
	case f.Status != 0:
		writeError(w, f.Status, http.StatusText(f.Status), "")
		return true
	}
	return false
}

func (in *Instance) read(w http.ResponseWriter, r *http.Request, name, id string, fault *Fault) {
	q := r.URL.Query()
	in.mu.Lock()
	tables := in.family(name)
	denied := in.access.denied[name]
	in.mu.Unlock()
	switch {
	case len(tables) == 0:
		writeError(w, http.StatusBadRequest, "Invalid table "+name, "")
		return
	case denied:
		writeError(w, http.StatusForbidden, "User Not Authorized", "Failed API level ACL Validation")
		return
	}
	if id != "" {
		q.Set("sysparm_query", "sys_id="+id)
		q.Del("sysparm_offset")
	}
	res, err := in.query(tables, name, q)
	if err != nil {
		writeError(w, http.StatusBadRequest, "Invalid query", err.Error())
		return
	}
	if id != "" {
		if len(res.rows) == 0 {
			writeError(w, http.StatusNotFound, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
			return
		}
		_, _ = w.Write(concatJSON(`{"result":`, res.rows[:1], `}`))
		return
	}
	if q.Get("sysparm_no_count") != "true" {
		w.Header().Set("X-Total-Count", strconv.Itoa(res.total))
		if q.Get("sysparm_suppress_pagination_header") != "true" {
			if link := links(r, res); link != "" {
				w.Header().Set("Link", link)
			}
		}
	}
	rows := res.rows
	asked := name + "?" + q.Get("sysparm_fields")
	if fault != nil && fault.Repeat {
		in.mu.Lock()
		if last := in.faults.last[asked]; last != nil {
			rows = append([][]byte{last}, rows...)
		}
		in.mu.Unlock()
	}
	if len(res.rows) > 0 {
		in.mu.Lock()
		in.faults.last[asked] = res.rows[len(res.rows)-1]
		in.mu.Unlock()
	}
	body := concatJSON(`{"result":[`, rows, `]}`)
	if fault != nil && fault.Truncate > 0 && fault.Truncate < len(body) {
		body = body[:fault.Truncate]
	}
	_, _ = w.Write(body)
}

type result struct {
	rows          [][]byte
	total         int // that the query found, before access was looked at
	offset, limit int
}

func (in *Instance) query(tables []*table, name string, params url.Values) (result, error) {
	q, invalid, err := parseQuery(params.Get("sysparm_query"))
	if err != nil {
		return result{}, err
	}
	res := result{offset: number(params.Get("sysparm_offset"), 0), limit: number(params.Get("sysparm_limit"), defaultLimit)}

	in.mu.Lock()
	defer in.mu.Unlock()
	q, unknown := q.valid(func(f string) bool { return in.known(tables, f) })
	in.invalid = append(append(in.invalid, invalid...), unknown...)
	hits := in.run(tables, q)
	if restricted := in.access.restricted[name]; restricted != nil {
		kept := hits[:0:0]
		for _, h := range hits {
			if !restricted(h.t.record(h.r)) {
				kept = append(kept, h)
			}
		}
		hits = kept
	}
	res.total = len(hits)
	if m := in.opts.MaxRecords; m > 0 {
		res.limit = min(res.limit, m)
	}
	hits = hits[min(res.offset, len(hits)):min(res.offset+res.limit, len(hits))]
	enc := encoder{
		in: in, fields: splitFields(params.Get("sysparm_fields")), display: params.Get("sysparm_display_value"),
		noLinks: params.Get("sysparm_exclude_reference_link") == "true",
	}
	hidden := in.access.hidden[name]
	for _, h := range hits {
		if hidden != nil && hidden(h.t.record(h.r)) {
			continue
		}
		res.rows = append(res.rows, enc.encode(h))
	}
	return res, nil
}

// encoder writes records as the Table API does: every value is a string, and a
// reference an object with a link unless that is turned off.
type encoder struct {
	in      *Instance
	fields  []string
	display string // "", "false", "true", "all"
	noLinks bool
}

func (e encoder) encode(h hit) []byte {
	fields := e.fields
	if fields == nil {
		fields = h.t.names
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, f := range fields {
		name, _, dotted := strings.Cut(f, ".")
		if e.in.access.columns[h.t.name+"."+name] || !e.in.known([]*table{h.t}, f) {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		writeJSON(&b, f)
		b.WriteByte(':')
		v := e.in.walk(h.t, h.r, f)
		ref := references[f]
		link := ""
		if ref != "" && v != "" && !dotted && !e.noLinks {
			link = "/api/now/table/" + ref + "/" + v
		}
		switch e.display {
		case "all":
			obj := map[string]string{"display_value": e.in.displayValue(h, f, v), "value": v}
			if link != "" {
				obj["link"] = link
			}
			writeJSON(&b, obj)
		case "true":
			shown := e.in.displayValue(h, f, v)
			if link != "" {
				writeJSON(&b, map[string]string{"display_value": shown, "link": link})
			} else {
				writeJSON(&b, shown)
			}
		default:
			if link != "" {
				writeJSON(&b, map[string]string{"link": link, "value": v})
			} else {
				writeJSON(&b, v)
			}
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}

// displayValue is what a person sees: the label of a choice, the name of a
// reference. Times are shown as they are stored: the calling account's zone is
// UTC here.
func (in *Instance) displayValue(h hit, field, v string) string {
	for _, t := range in.family(references[field]) {
		if r := t.rows[v]; r != nil {
			if s, ok := t.value(r, "name"); ok {
				return s
			}
			s, _ := t.value(r, "number")
			return s
		}
	}
	for n := h.t.name; n != ""; n = parents[n] {
		if r := in.tables["sys_choice"].rows[SysID("sys_choice", fmt.Sprintf("%s.%s.%s.en", n, field, v))]; r != nil {
			s, _ := in.tables["sys_choice"].value(r, "label")
			return s
		}
	}
	return v
}

// links is the Link header: first, prev, next and last, each where it applies.
func links(r *http.Request, res result) string {
	if res.limit <= 0 || res.total <= res.limit && res.offset == 0 {
		return ""
	}
	at := func(offset int, rel string) string {
		q := r.URL.Query()
		q.Set("sysparm_offset", strconv.Itoa(offset))
		q.Set("sysparm_limit", strconv.Itoa(res.limit))
		return fmt.Sprintf("<http://%s%s?%s>;rel=%q", r.Host, r.URL.Path, q.Encode(), rel)
	}
	out := []string{at(0, "first")}
	if res.offset > 0 {
		out = append(out, at(max(0, res.offset-res.limit), "prev"))
	}
	if res.offset+res.limit < res.total {
		out = append(out, at(res.offset+res.limit, "next"))
	}
	return strings.Join(append(out, at((max(res.total, 1)-1)/res.limit*res.limit, "last")), ",")
}

func writeError(w http.ResponseWriter, status int, message, detail string) {
	body := map[string]any{
		"error":  map[string]any{"message": message, "detail": nil},
		"status": "failure",
	}
	if detail != "" {
		body["error"].(map[string]any)["detail"] = detail
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func writeJSON(b *bytes.Buffer, v any) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	b.Truncate(b.Len() - 1)
}

func concatJSON(open string, rows [][]byte, end string) []byte {
	n := len(open) + len(end)
	for _, r := range rows {
		n += len(r) + 1
	}
	out := append(make([]byte, 0, n), open...)
	out = append(out, bytes.Join(rows, []byte{','})...)
	return append(out, end...)
}

func splitFields(s string) []string {
	if s == "" {
		return nil
	}
	var out []string
	for f := range strings.SplitSeq(s, ",") {
		if f = strings.TrimSpace(f); f != "" {
			out = append(out, f)
		}
	}
	return out
}

func number(s string, otherwise int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}
