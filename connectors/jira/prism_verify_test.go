//go:build verify

package jira_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/contracttest"
)

// servedToAnybody is Atlassian's description, Data Center's without credentials: it
// knows passwords only, and personal access tokens came with 8.14.
// https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html
func servedToAnybody(t *testing.T, flavour jiratest.Flavour) *openapi3.T {
	t.Helper()
	doc := description(t, flavour)
	if flavour == jiratest.DataCenter {
		doc.Security = nil
		for _, item := range doc.Paths.Map() {
			for _, operation := range item.Operations() {
				operation.Security = nil
			}
		}
	}
	return doc
}

// TestVerifyPrism lets the connector read what Prism serves of Atlassian's
// descriptions: examples, and answers that it makes up. It keeps no state and ends no
// page. No request may be one that the description does not know, and every reading
// has an end. As a proxy, Prism holds requests and the fake's answers to the
// description, beside TestVerifyContract's validator.
func TestVerifyPrism(t *testing.T) {
	for flavour := range contracts {
		for _, mode := range []string{"examples", "made up"} {
			t.Run(string(flavour)+"/"+mode, func(t *testing.T) {
				t.Parallel()
				var args []string
				if mode == "made up" {
					args = []string{"--dynamic"}
				}
				url := contracttest.Prism(t, servedToAnybody(t, flavour), contracts[flavour].prefix, "mock", args...)
				w := contracttest.Watch(false)
				src := through(t, w, flavour, url)
				_, errs := contracttest.UseAll(t, src, []string{"10000", "10002"})
				for _, err := range errs {
					if !errors.Is(err, source.ErrUnreadable) {
						t.Error(err)
					}
				}
				w.Report(t)
				if flavour == jiratest.Cloud && mode == "examples" {
					report, err := src.Check(t.Context())
					must(t, err)
					if len(report.Facts) < 5 || !strings.Contains(report.Facts[0].Says, "Mia Krystof") {
						t.Errorf("check says %v", report.Facts)
					}
					var listed []string
					for ids, err := range src.IDs(t.Context()) {
						must(t, err)
						listed = append(listed, ids...)
					}
					if !slices.Equal(listed, []string{"10002"}) {
						t.Errorf("listed are %v", listed)
					}
				}
			})
		}
		t.Run(string(flavour)+"/proxy", func(t *testing.T) {
			t.Parallel()
			site, behind := serveOrganisation(t, flavour, 1500)
			url := contracttest.Prism(t, servedToAnybody(t, flavour), contracts[flavour].prefix, "proxy", behind)
			w := contracttest.Watch(true)
			tickets, errs := contracttest.UseAll(t, through(t, w, flavour, url), site.IDs()[:3])
			for _, err := range errs {
				t.Error(err)
			}
			if tickets < 100 {
				t.Errorf("%d tickets", tickets)
			}
			w.Report(t)
		})
	}
}
