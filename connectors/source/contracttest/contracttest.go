//go:build verify

// Package contracttest holds a connector, and the fake of its API, to the vendor's
// own description of that API: by a validator that stands between the two, and by
// Prism, which serves what the description says or stands between them itself.
package contracttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"fairlead/connectors/sandbox/shared"
	"fairlead/connectors/source"
)

// Description reads a vendor's description from the folder of specs.
func Description(t *testing.T, file string) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(shared.Unzipped(t, "specs/"+file))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Mend shows mend every schema of a description once, before those within it, so
// that it can correct what the description says and the system does otherwise.
func Mend(doc *openapi3.T, mend func(*openapi3.Schema)) {
	seen := map[*openapi3.Schema]bool{}
	var walk func(ref *openapi3.SchemaRef)
	walk = func(ref *openapi3.SchemaRef) {
		if ref == nil || ref.Value == nil || seen[ref.Value] {
			return
		}
		s := ref.Value
		seen[s] = true
		mend(s)
		for _, p := range s.Properties {
			walk(p)
		}
		walk(s.Items)
		walk(s.AdditionalProperties.Schema)
		for _, some := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
			for _, p := range some {
				walk(p)
			}
		}
	}
	for _, schema := range doc.Components.Schemas {
		walk(schema)
	}
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for _, response := range operation.Responses.Map() {
				for _, media := range response.Value.Content {
					walk(media.Schema)
				}
			}
		}
	}
}

// Contract is an http.RoundTripper that holds every request and every answer that
// passes to a description.
type Contract struct {
	router routers.Router
	prefix string
	bearer bool

	mu     sync.Mutex
	passed map[string]int // by method and path of the description
	faults map[string]int
}

// Hold makes a Contract. The description's paths begin after prefix in a URL. With
// bearer, every request must carry the bearer token that the description asks for;
// without, credentials are not looked at.
func Hold(t *testing.T, doc *openapi3.T, prefix string, bearer bool) *Contract {
	t.Helper()
	doc.Servers = openapi3.Servers{{URL: "/"}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &Contract{router: router, prefix: prefix, bearer: bearer, passed: map[string]int{}, faults: map[string]int{}}
}

// RoundTrip passes a request on, and notes what is wrong with it and its answer.
func (c *Contract) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
		_ = request.Body.Close()
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	held := request.Clone(request.Context())
	held.Body = io.NopCloser(bytes.NewReader(body))
	held.URL.Scheme, held.URL.Host, held.Host = "", "", ""
	held.URL.Path = strings.TrimPrefix(held.URL.Path, c.prefix)
	route, params, err := c.router.FindRoute(held)
	if err != nil {
		c.fault("%s %s: %v", request.Method, request.URL.Path, err)
		return http.DefaultTransport.RoundTrip(request)
	}
	authenticated := false
	input := &openapi3filter.RequestValidationInput{
		Request: held, PathParams: params, Route: route,
		Options: &openapi3filter.Options{MultiError: true, AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
			if c.bearer && in.SecurityScheme.Scheme == "bearer" && !strings.HasPrefix(held.Header.Get("Authorization"), "Bearer ") {
				return errors.New("no bearer token")
			}
			authenticated = true
			return nil
		}},
	}
	at := route.Method + " " + route.Path
	if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
		c.fault("request %s: %s", at, firstLines(err))
	}
	if c.bearer && !authenticated {
		c.fault("request %s: the description asks for no credential", at)
	}
	response, answer, err := answered(request)
	if err != nil {
		return nil, err
	}
	output := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header,
		Options: &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true},
	}
	output.SetBodyBytes(answer)
	if err := openapi3filter.ValidateResponse(context.Background(), output); err != nil {
		c.fault("answer %d to %s: %s", response.StatusCode, at, firstLines(err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed[at]++
	return response, nil
}

// answered is the answer to a request, with its body, which can be read again.
func answered(request *http.Request) (*http.Response, []byte, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, body, nil
}

func (c *Contract) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[fmt.Sprintf(format, args...)]++
}

// Report fails the test for every fault, and if nothing passed. It logs what was
// asked and how often.
func (c *Contract) Report(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for fault, times := range c.faults {
		t.Errorf("%d times: %s", times, fault)
	}
	var asked []string
	for at, times := range c.passed {
		asked = append(asked, fmt.Sprintf("%5d %s", times, at))
	}
	if len(asked) == 0 {
		t.Error("no request passed")
	}
	slices.Sort(asked)
	t.Log("\n" + strings.Join(asked, "\n"))
}

var index = regexp.MustCompile(`/\d+(/|")`)

// firstLines is what is wrong, once, whichever of many elements it is in.
func firstLines(err error) string {
	var many openapi3.MultiError
	if !errors.As(err, &many) {
		many = openapi3.MultiError{err}
	}
	var lines []string
	for _, one := range many {
		text, _, _ := strings.Cut(one.Error(), "\n")
		var schema *openapi3.SchemaError
		if errors.As(one, &schema) {
			text = index.ReplaceAllString(fmt.Sprintf("%s: %s (at %q)", schema.SchemaField, schema.Reason, "/"+strings.Join(schema.JSONPointer(), "/")), "/*$1")
		}
		lines = append(lines, text)
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "; ")
}

// UseAll makes every sort of request that a source makes: a first collection, a
// poll, a list, the tickets of ids one by one, what check and init ask. It returns
// how many tickets came in pages, and the errors.
func UseAll[Found any](t *testing.T, src interface {
	source.Lister
	Discover(context.Context) ([]Found, error)
}, ids []string) (tickets int, errs []error) {
	t.Helper()
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	ctx := t.Context()
	_, err := src.Check(ctx)
	note(err)
	start, err := src.Now(ctx)
	note(err)
	for _, stream := range append(slices.Clone(source.Backfill), source.StreamIncremental) {
		for page, err := range src.Pages(ctx, stream, source.Cursor{Start: start, Updated: start.AddDate(0, -1, 0)}) {
			note(err)
			tickets += len(page.Tickets)
		}
	}
	if aged, ok := src.(source.AgedLister); ok {
		for _, err := range aged.ByAge(ctx, start.AddDate(-1, 0, 0)) {
			note(err)
		}
	}
	for _, err := range src.IDs(ctx) {
		note(err)
	}
	_, err = src.ByID(ctx, ids)
	note(err)
	_, err = src.Discover(ctx)
	note(err)
	return tickets, errs
}
