package jira_test

import (
	"slices"
	"testing"

	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/source"
)

// TestAnUnreadableIssueIsNamed and stops nothing: it is in Skipped, by which the
// collector counts it, and is never silently short.
func TestAnUnreadableIssueIsNamed(t *testing.T) {
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		t.Run(string(flavour), func(t *testing.T) {
			o := jiratest.Options{Flavour: flavour, Token: testToken}
			if flavour == jiratest.Cloud {
				o.Email = testEmail
			}
			site := busySite(t, o)
			lost := site.IDs()[7]
			src := connect(t, otherwise(site, nil, func(_ string, answer any) (any, bool) {
				return each(answer, func(o map[string]any) {
					if fields, ok := o["fields"].(map[string]any); ok && o["id"] == lost {
						delete(fields, "issuetype")
					}
				}), true
			}), flavour, nil)
			var skipped []source.Skipped
			came := map[string]bool{}
			for _, stream := range source.Backfill {
				for page, err := range src.Pages(t.Context(), stream, begin) {
					must(t, err)
					skipped = append(skipped, page.Skipped...)
					for _, tk := range page.Tickets {
						came[tk.ID] = true
					}
				}
			}
			if want := []source.Skipped{{ID: lost, Reason: "unreadable"}}; !slices.Equal(skipped, want) {
				t.Errorf("skipped are %v, want %v", skipped, want)
			}
			if all := len(site.IDs()); came[lost] || len(came) != all-1 {
				t.Errorf("%d of %d issues came, the unreadable one among them: %v", len(came), all, came[lost])
			}
			page, err := src.ByID(t.Context(), []string{lost})
			must(t, err)
			if len(page.Tickets) != 0 || len(page.Skipped) != 1 || page.Skipped[0].ID != lost {
				t.Errorf("by id %d tickets come and %v is skipped", len(page.Tickets), page.Skipped)
			}
		})
	}
}
