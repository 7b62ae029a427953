package jira_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
)

func TestDiscoverListsEveryProjectInOrder(t *testing.T) {
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		options := jiratest.Options{Flavour: flavour, Token: testToken}
		if flavour == jiratest.Cloud {
			options.Email = testEmail
		}
		in := jiratest.New(options)
		const many = 130 // more than a page
		for n := range many {
			must(t, in.AddProject(jiratest.Project{ID: fmt.Sprint(20000 - n), Key: fmt.Sprintf("P%03d", n), Name: fmt.Sprintf("Project %d", n)}))
		}
		server := httptest.NewServer(in)
		defer server.Close()
		cfg := jira.DefaultConfig()
		cfg.URL, cfg.Flavour, cfg.Email, cfg.Token = server.URL, jira.Flavour(flavour), options.Email, testToken
		s, err := jira.New(cfg, jira.Options{})
		must(t, err)
		projects, err := s.Discover(t.Context())
		must(t, err)
		if len(projects) != many {
			t.Fatalf("%s: %d projects, want %d", flavour, len(projects), many)
		}
		for n, p := range projects {
			if want := (jira.Project{Key: fmt.Sprintf("P%03d", n), Name: fmt.Sprintf("Project %d", n)}); p != want {
				t.Errorf("%s: project %d is %v, want %v", flavour, n, p, want)
			}
		}
	}
}
