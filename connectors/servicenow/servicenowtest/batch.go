package servicenowtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
)

// batchPaths are where the Batch API is (product documentation, "Batch API").
var batchPaths = []string{"/api/now/batch", "/api/now/v1/batch"}

// LimitBatches lets so many requests of a batch be served and leaves the rest over,
// as the platform does when a batch takes too long; 0 lifts the limit, a negative
// number makes the instance one without the Batch API.
func (in *Instance) LimitBatches(requests int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.batches = requests
}

type nameValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type servedRequest struct {
	ID         string      `json:"id"`
	Body       []byte      `json:"body"` // Base64
	StatusCode int         `json:"status_code"`
	StatusText string      `json:"status_text"`
	Headers    []nameValue `json:"headers"`
	Time       int         `json:"execution_time"`
}

// batch answers each of several requests as if it had come alone. They do not count
// as requests; what the instance does to those of a table happens to each. The
// length of a request in a batch is that of a text, which no server limits.
func (in *Instance) batch(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		ID       string `json:"batch_request_id"`
		Requests []struct {
			ID      string      `json:"id"`
			URL     string      `json:"url"`
			Method  string      `json:"method"`
			Headers []nameValue `json:"headers"`
		} `json:"rest_requests"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		writeError(w, http.StatusBadRequest, "Invalid JSON", err.Error())
		return
	}
	in.mu.Lock()
	limit := in.batches
	in.mu.Unlock()
	served, left := []servedRequest{}, []string{}
	for i, one := range asked.Requests {
		if limit > 0 && i >= limit {
			left = append(left, one.ID)
			continue
		}
		item := &itemWriter{header: http.Header{}, status: http.StatusOK}
		item.header.Set("Content-Type", "application/json;charset=UTF-8")
		req, err := http.NewRequestWithContext(r.Context(), one.Method, one.URL, nil)
		switch {
		case err != nil:
			writeError(item, http.StatusBadRequest, "Invalid URL", "")
		case one.Method != http.MethodGet:
			writeError(item, http.StatusMethodNotAllowed, "Method not supported", "")
		default:
			req.Host = r.Host
			table, id, ok := pathTable(req.URL.Path)
			fault, observer := in.meet(table)
			if observer != nil {
				observer(req)
			}
			switch {
			case fault != nil && fault.breaks(item, req):
			case !ok:
				writeError(item, http.StatusBadRequest, "Requested URI does not represent any resource", req.URL.Path)
			default:
				in.read(item, req, table, id, fault)
			}
		}
		answer := servedRequest{ID: one.ID, Body: item.body.Bytes(), StatusCode: item.status, StatusText: http.StatusText(item.status), Headers: []nameValue{}}
		names := make([]string, 0, len(item.header))
		for name := range item.header {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			answer.Headers = append(answer.Headers, nameValue{name, item.header.Get(name)})
		}
		served = append(served, answer)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"batch_request_id": asked.ID, "serviced_requests": served, "unserviced_requests": left})
}

// itemWriter takes the answer to one request of a batch.
type itemWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *itemWriter) Header() http.Header         { return w.header }
func (w *itemWriter) WriteHeader(status int)      { w.status = status }
func (w *itemWriter) Write(b []byte) (int, error) { return w.body.Write(b) }
