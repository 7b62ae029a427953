//go:build verify

package jira_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/source/contracttest"
)

// Atlassian's descriptions, by flavour.
var contracts = map[jiratest.Flavour]struct{ file, prefix string }{
	jiratest.Cloud:      {"jira_cloud_v3.json.gz", ""},
	jiratest.DataCenter: {"jira_data_center_10.3.json.gz", "/rest"},
}

// description is Atlassian's own of the API, mended. Where it has one element and
// the operation lists them, as Data Center's does, it is a list here.
func description(t *testing.T, flavour jiratest.Flavour) *openapi3.T {
	t.Helper()
	doc := contracttest.Description(t, contracts[flavour].file)
	for _, path := range []string{"/api/2/field", "/api/2/project", "/api/2/status"} {
		if item := doc.Paths.Value(path); item != nil {
			media := item.Get.Responses.Status(http.StatusOK).Value.Content.Get("application/json")
			media.Schema = &openapi3.SchemaRef{Value: &openapi3.Schema{Type: &openapi3.Types{"array"}, Items: media.Schema}}
		}
	}
	contracttest.Mend(doc, mend)
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
func mend(s *openapi3.Schema) {
	if s.Format == "date-time" {
		s.Format, s.Pattern = "", `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$`
	}
	if fields := s.Properties["fields"]; fields != nil && s.Properties["changelog"] != nil {
		whatever := &openapi3.SchemaRef{Value: &openapi3.Schema{Nullable: true}}
		fields.Value.AdditionalProperties = openapi3.AdditionalProperties{Schema: whatever}
	}
	if s.Properties["fromString"] != nil {
		for _, name := range []string{"from", "fromString", "to", "toString"} {
			if p := s.Properties[name]; p != nil {
				p.Value.Nullable = true
			}
		}
	}
}

// serveOrganisation serves the Jira of a generated organisation until the test ends.
func serveOrganisation(t *testing.T, flavour jiratest.Flavour, tickets int) (site *jiratest.Instance, url string) {
	t.Helper()
	options := jiratest.Options{Flavour: flavour, Token: testToken}
	if flavour == jiratest.Cloud {
		options.Email = testEmail
	}
	site, err := sandbox.Generate(1, time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: tickets}).Jira(options)
	must(t, err)
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	return site, server.URL
}

func through(t *testing.T, transport http.RoundTripper, flavour jiratest.Flavour, url string) *jira.Source {
	t.Helper()
	cfg := jira.DefaultConfig()
	cfg.URL, cfg.Flavour, cfg.Token = url, jira.Flavour(flavour), testToken
	if flavour == jiratest.Cloud {
		cfg.Email = testEmail
	}
	src, err := jira.New(cfg, jira.Options{Name: "jira", Transport: transport})
	must(t, err)
	return src
}

// Everything that the connector asks, and everything that the fake answers,
// is as Atlassian describes it.
func TestVerifyContract(t *testing.T) {
	for flavour := range contracts {
		t.Run(string(flavour), func(t *testing.T) {
			held := contracttest.Hold(t, description(t, flavour), contracts[flavour].prefix, false)
			site, url := serveOrganisation(t, flavour, 2000)
			ids := append(slices.Clone(site.IDs()[:20]), "99999999")
			tickets, errs := contracttest.UseAll(t, through(t, held, flavour, url), ids)
			for _, err := range errs {
				t.Error(err)
			}
			if tickets < 100 {
				t.Errorf("%d tickets", tickets)
			}
			held.Report(t)
		})
	}
}
