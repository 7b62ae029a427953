//go:build verify

package asana_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
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

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/rest"
)

// contract is an http.RoundTripper that holds every request and every answer
// that passes to the official description of the API.
type contract struct {
	router routers.Router
	base   http.RoundTripper

	mu     sync.Mutex
	passed map[string]int // by method and path of the description
	faults map[string]int
}

func newContract(t *testing.T) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(description(t))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "/api/1.0"}}
	mend(doc)
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &contract{router: router, base: http.DefaultTransport, passed: map[string]int{}, faults: map[string]int{}}
}

// description is Asana's own of its API.
func description(t *testing.T) []byte {
	t.Helper()
	shared := os.Getenv("FAIRLEAD_SHARED")
	if shared == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("FAIRLEAD_SHARED is not set")
		}
		t.Skip("FAIRLEAD_SHARED is not set: no official description here")
	}
	file, err := os.Open(filepath.Join(shared, "specs", "asana.yaml.gz"))
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
	return text
}

// mend corrects what the description says and Asana's own documentation and
// examples do otherwise.
//
//   - What is not set is null: an assignee, a parent, a section, the author of a
//     story that the system wrote, the value of a custom field.
//   - A number of a custom field may have decimals ("Custom fields", precision);
//     the description of stories takes it for a whole one.
func mend(doc *openapi3.T) {
	seen := map[*openapi3.Schema]bool{}
	var walk func(ref *openapi3.SchemaRef)
	walk = func(ref *openapi3.SchemaRef) {
		if ref == nil || ref.Value == nil || seen[ref.Value] {
			return
		}
		s := ref.Value
		seen[s] = true
		for name, p := range s.Properties {
			if p.Value == nil {
				continue
			}
			switch name {
			case "assignee", "parent", "completed_by", "completed_at", "created_by", "user", "team", "section",
				"enum_value", "number_value", "old_enum_value", "new_enum_value", "old_number_value", "new_number_value":
				loose := *p.Value
				loose.Nullable = true
				for i, part := range loose.AllOf {
					if part.Value != nil {
						inner := *part.Value
						inner.Nullable = true
						loose.AllOf = slices.Clone(loose.AllOf)
						loose.AllOf[i] = &openapi3.SchemaRef{Value: &inner}
					}
				}
				if strings.HasSuffix(name, "_number_value") {
					loose.Type = &openapi3.Types{"number"}
				}
				s.Properties[name] = &openapi3.SchemaRef{Value: &loose}
			}
			walk(s.Properties[name])
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
	route, params, err := c.router.FindRoute(held)
	if err != nil {
		c.fault("%s %s: %v", request.Method, request.URL.Path, err)
		return c.base.RoundTrip(request)
	}
	authenticated := false
	input := &openapi3filter.RequestValidationInput{
		Request: held, PathParams: params, Route: route,
		Options: &openapi3filter.Options{MultiError: true, AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
			if in.SecurityScheme.Scheme == "bearer" && !strings.HasPrefix(held.Header.Get("Authorization"), "Bearer ") {
				return errors.New("no Bearer token")
			}
			authenticated = true
			return nil
		}},
	}
	at := route.Method + " " + route.Path
	if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
		c.fault("request %s: %s", at, firstLines(err))
	}
	if !authenticated {
		c.fault("request %s: the description asks for no credential", at)
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
			seen[fmt.Sprintf("%s: %s (at %q)", schema.SchemaField, schema.Reason, strings.Join(schema.JSONPointer(), "/"))] = true
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

// Everything that the connector asks, and everything that the fake answers, is
// as Asana describes it; inside a batch, too.
func TestVerifyContract(t *testing.T) {
	for _, batches := range []bool{true, false} {
		t.Run(fmt.Sprintf("batches %v", batches), func(t *testing.T) {
			held := newContract(t)
			f := newOffice(t, asanatest.Options{NoBatch: !batches})
			half := 2.5
			var gids []string
			for i := range 130 {
				gid := f.create("", asanatest.AddTo(f.migration, ""), asanatest.Assign(f.ann), asanatest.SetEnum(f.kind, "Bug"))
				f.edit(gid, f.bob, asanatest.Assign(f.bob), asanatest.SetEnum(f.phase, "In progress"), asanatest.SetNumber(f.points, &half))
				f.edit(gid, f.bob, asanatest.MoveTo(f.doing), asanatest.AddTo(f.help, ""), asanatest.Comment("Done."))
				if i%3 == 0 {
					f.edit(gid, f.bob, asanatest.Complete(true), asanatest.RemoveFrom(f.help), asanatest.Assign(""))
				}
				if i%10 == 0 {
					f.create(gid, asanatest.Assign(f.gone))
				}
				gids = append(gids, gid)
			}
			for range 60 { // more stories than a page has
				f.edit(gids[0], f.ann, asanatest.Assign(f.bob))
				f.edit(gids[0], f.bob, asanatest.Assign(f.ann))
			}
			f.wait(time.Hour)
			src := f.connect(func(c *asana.Config) {
				c.StatusField, c.KindField, c.Sections, c.Teams = "Phase", "Type", asana.SectionsAreas, []string{f.platform}
			}, rest.New("contract", rest.Config{}, held, nil, nil))
			if report, err := src.Check(t.Context()); err != nil {
				t.Error(err)
			} else {
				for _, fact := range report.Facts {
					t.Log(fact.Level, fact.What+":", fact.Says)
				}
			}
			c := collect(t, src)
			if len(c.tickets) != 143 {
				t.Errorf("%d tickets came, want 143", len(c.tickets))
			}
			f.wait(10 * time.Minute)
			f.edit(gids[4], f.ann, asanatest.Comment("More."))
			c.poll()
			if _, err := src.ByID(t.Context(), append(gids[:20:20], "99")); err != nil {
				t.Error(err)
			}
			for _, err := range src.IDs(t.Context()) {
				if err != nil {
					t.Error(err)
				}
			}
			if _, err := src.Discover(t.Context()); err != nil {
				t.Error(err)
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
