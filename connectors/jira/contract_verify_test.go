//go:build verify

package jira_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/source"
)

// Atlassian's descriptions, by flavour.
var contracts = map[jiratest.Flavour]struct{ file, prefix string }{
	jiratest.Cloud:      {"jira_cloud_v3.json.gz", ""},
	jiratest.DataCenter: {"jira_data_center_10.3.json.gz", "/rest"},
}

// contract is an http.RoundTripper that holds every request and every answer
// that passes to the official description of the API.
type contract struct {
	router routers.Router
	prefix string // of the server's URL, before the description's paths
	base   http.RoundTripper

	mu     sync.Mutex
	passed map[string]int // by method and path of the description
	faults map[string]int
}

func newContract(t *testing.T, flavour jiratest.Flavour) *contract {
	t.Helper()
	router, err := gorillamux.NewRouter(newDescription(t, flavour))
	if err != nil {
		t.Fatal(err)
	}
	return &contract{router: router, prefix: contracts[flavour].prefix, base: http.DefaultTransport, passed: map[string]int{}, faults: map[string]int{}}
}

// newDescription reads Atlassian's description, mended.
func newDescription(t *testing.T, flavour jiratest.Flavour) *openapi3.T {
	t.Helper()
	shared := os.Getenv("FAIRLEAD_SHARED")
	if shared == "" {
		t.Skip("FAIRLEAD_SHARED is not set: no official descriptions here")
	}
	file, err := os.Open(filepath.Join(shared, "specs", contracts[flavour].file))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "/"}}
	mend(doc)
	return doc
}

// mend corrects what the descriptions say and no Jira does; the real issues
// of the log that the tests read are the witness.
//
//   - from, fromString, to and toString of a change are null where nothing was.
//   - The values of fields are of any type, null among them: the descriptions
//     know neither, and Data Center's takes each for an object.
//   - A time is written 2008-10-21T11:58:01.307+0000, without the colon that
//     the format date-time has.
//   - Data Center describes one element where the operation lists them.
func mend(doc *openapi3.T) {
	whatever := &openapi3.SchemaRef{Value: &openapi3.Schema{Nullable: true}}
	seen := map[*openapi3.Schema]bool{}
	var walk func(ref *openapi3.SchemaRef)
	walk = func(ref *openapi3.SchemaRef) {
		if ref == nil || ref.Value == nil || seen[ref.Value] {
			return
		}
		s := ref.Value
		seen[s] = true
		if s.Format == "date-time" {
			s.Format, s.Pattern = "", `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$`
		}
		if fields := s.Properties["fields"]; fields != nil && s.Properties["changelog"] != nil {
			fields.Value.AdditionalProperties = openapi3.AdditionalProperties{Schema: whatever}
		}
		if s.Properties["fromString"] != nil {
			for _, name := range []string{"from", "fromString", "to", "toString"} {
				if p := s.Properties[name]; p != nil {
					p.Value.Nullable = true
				}
			}
		}
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
	for _, path := range []string{"/api/2/field", "/api/2/project", "/api/2/status"} {
		if item := doc.Paths.Value(path); item != nil {
			media := item.Get.Responses.Status(http.StatusOK).Value.Content.Get("application/json")
			media.Schema = &openapi3.SchemaRef{Value: &openapi3.Schema{Type: &openapi3.Types{"array"}, Items: media.Schema}}
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

func (c *contract) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
		request.Body.Close()
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	held := request.Clone(request.Context())
	held.Body = io.NopCloser(bytes.NewReader(body))
	held.URL.Scheme, held.URL.Host, held.Host = "", "", ""
	held.URL.Path = strings.TrimPrefix(held.URL.Path, c.prefix)
	route, params, err := c.router.FindRoute(held)
	if err != nil {
		c.fault("%s %s: %v", request.Method, request.URL.Path, err)
		return c.base.RoundTrip(request)
	}
	input := &openapi3filter.RequestValidationInput{
		Request: held, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			MultiError:         true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}
	at := route.Method + " " + route.Path
	if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
		c.fault("request %s: %s", at, firstLines(err))
	}
	response, err := c.base.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(answer))
	output := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header,
		Options: &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true},
	}
	output.SetBodyBytes(answer)
	if err := openapi3filter.ValidateResponse(context.Background(), output); err != nil {
		c.fault("answer %d to %s: %s", response.StatusCode, at, firstLines(err))
	}
	c.mu.Lock()
	c.passed[at]++
	c.mu.Unlock()
	return response, nil
}

func (c *contract) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[fmt.Sprintf(format, args...)]++
}

var index = regexp.MustCompile(`/\d+(/|")`)

// firstLines is what is wrong, once, whichever of many elements it is in.
func firstLines(err error) string {
	var many openapi3.MultiError
	if !errors.As(err, &many) {
		many = openapi3.MultiError{err}
	}
	seen := map[string]bool{}
	for _, one := range many {
		var schema *openapi3.SchemaError
		if errors.As(one, &schema) {
			seen[index.ReplaceAllString(fmt.Sprintf("%s: %s (at %q)", schema.SchemaField, schema.Reason, "/"+strings.Join(schema.JSONPointer(), "/")), "/*$1")] = true
			continue
		}
		text, _, _ := strings.Cut(one.Error(), "\n")
		seen[text] = true
	}
	var lines []string
	for line := range seen {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// Everything that the connector asks, and everything that the fake answers,
// is as Atlassian describes it.
func TestVerifyContract(t *testing.T) {
	now := time.Now().UTC().Truncate(24 * time.Hour)
	organisation := sandbox.Generate(1, now, sandbox.Options{Tickets: 2000})
	for flavour := range contracts {
		t.Run(string(flavour), func(t *testing.T) {
			held := newContract(t, flavour)
			options := jiratest.Options{Flavour: flavour, Token: testToken}
			if flavour == jiratest.Cloud {
				options.Email = testEmail
			}
			site, err := organisation.Jira(options)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(site)
			defer server.Close()

			cfg := jira.DefaultConfig()
			cfg.URL, cfg.Flavour, cfg.Email, cfg.Token = server.URL, jira.Flavour(flavour), options.Email, testToken
			src, err := jira.New(cfg, jira.Options{Name: "jira", Transport: held})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := src.Check(t.Context()); err != nil {
				t.Error(err)
			}
			start, err := src.Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tickets := 0
			var some []string
			for _, stream := range append(slices.Clone(source.Backfill), source.StreamIncremental) {
				for page, err := range src.Pages(t.Context(), stream, source.Cursor{Start: start, Updated: now.AddDate(0, -1, 0)}) {
					if err != nil {
						t.Fatal(err)
					}
					tickets += len(page.Tickets)
					if len(page.Tickets) > 0 {
						some = append(some, page.Tickets[0].ID)
					}
				}
			}
			if _, err := src.ByID(t.Context(), append(some, "99999999")); err != nil {
				t.Error(err)
			}
			if l, ok := any(src).(source.Lister); ok {
				for _, err := range l.IDs(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			if tickets == 0 {
				t.Error("nothing was collected")
			}
			for fault, times := range held.faults {
				t.Errorf("%d times: %s", times, fault)
			}
			var asked []string
			for at, times := range held.passed {
				asked = append(asked, fmt.Sprintf("%5d %s", times, at))
			}
			sort.Strings(asked)
			t.Log("\n" + strings.Join(asked, "\n"))
		})
	}
}
