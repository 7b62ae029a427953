package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
)

// What init writes is what was chosen, and can be read.
func TestInit(t *testing.T) {
	site := jiratest.New(jiratest.Options{Email: "reader@example.org", Token: "site-secret"})
	for n, key := range []string{"WEB", "PAY", "OPS"} {
		if err := site.AddProject(jiratest.Project{ID: fmt.Sprint(100 + n), Key: key, Name: "Project\nof " + key}); err != nil {
			t.Fatal(err)
		}
	}
	snow := servicenowtest.New(servicenowtest.Options{Username: "reader", Password: "snow-secret", ClientID: "app", ClientSecret: "app-secret"})
	snow.AddGroup(servicenowtest.Group{Name: "Service Desk"})
	snow.AddGroup(servicenowtest.Group{Name: "Network"})
	snow.Put("incident", servicenowtest.Record{"sys_id": servicenowtest.SysID("incident", "1"), "number": "INC1", "sys_created_on": "2026-01-01 00:00:00", "sys_updated_on": "2026-01-01 00:00:00"})
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := file("application", "app-secret\n")
	token, password := file("token", "site-secret\n"), file("password", "snow-secret\n")
	jiraServer, err := sandbox.Serve(site)
	if err != nil {
		t.Fatal(err)
	}
	defer jiraServer.Close()
	snowServer, err := sandbox.Serve(snow.Handler())
	if err != nil {
		t.Fatal(err)
	}
	defer snowServer.Close()

	work := asanatest.New(asanatest.Options{Token: "work-secret", ClientID: "app", ClientSecret: "app-secret", RefreshToken: "work-secret"})
	team := work.AddTeam("Platform")
	wanted, other := work.AddProject("Migration", team), work.AddProject("Picnic", team)
	workToken := file("work-token", "work-secret\n")
	workServer, err := sandbox.Serve(work)
	if err != nil {
		t.Fatal(err)
	}
	defer workServer.Close()

	output := filepath.Join(dir, "fairlead.yaml")
	answers := strings.Join([]string{
		"confluence", "jira", "", jiraServer.URL, "cloud", "reader@example.org", filepath.Join(dir, "nothing"), token, "PAY, NONE", "PAY,WEB",
		"servicenow", "desk", snowServer.URL, "ticket", "basic", "reader", password, "",
		"servicenow", "", snowServer.URL, "oauth-client", "app", secret, "",
		"servicenow", "third", snowServer.URL, "oauth-password", "app", secret, "reader", password, "",
		"asana", "", workServer.URL, "", workToken, wanted, "area",
		"asana", "granted", workServer.URL, "oauth", "app", secret, workToken, "all", "",
		"done", "perhaps", "y",
	}, "\n") + "\n"
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"init", "--output", output}, nil, strings.NewReader(answers), &stdout, &stderr); code != 0 {
		t.Fatalf("status %d\n%s%s", code, stdout.String(), stderr.String())
	}
	for _, want := range []string{"say jira, servicenow, asana or done", "there is no such file", "NONE is not among them", "The account sees 3 projects", "say yes or no",
		"The account sees the groups Network, Service Desk. A group is a team until a roster says otherwise."} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("init does not say %q:\n%s", want, stdout.String())
		}
	}
	cfg, _, _, err := loadConfig(output, nil)
	if err != nil {
		t.Fatal(err)
	}
	j, s := cfg.Sources["jira"].Jira, cfg.Sources["desk"].ServiceNow
	if j == nil || strings.Join(j.Projects, " ") != "PAY WEB" || j.TokenFile != token || j.Email != "reader@example.org" {
		t.Errorf("jira: %+v", j)
	}
	if s == nil || len(s.Tables) != 1 || s.Tables[0].Name != "incident" || s.PasswordFile != password {
		t.Errorf("servicenow: %+v", s)
	}
	if o := cfg.Sources["servicenow"].ServiceNow; o == nil || o.ClientID != "app" || o.ClientSecretFile != secret || o.Username != "" || len(o.Tables) != 1 {
		t.Errorf("servicenow by client credentials: %+v", o)
	}
	if o := cfg.Sources["third"].ServiceNow; o == nil || o.ClientID != "app" || o.Username != "reader" || o.PasswordFile != password || o.History != servicenow.HistoryAudit {
		t.Errorf("servicenow by password grant: %+v", o)
	}
	w := cfg.Sources["asana"].Asana
	if w == nil || strings.Join(w.Projects, " ") != wanted || w.TokenFile != workToken || w.Sections != asana.SectionsAreas {
		t.Errorf("asana: %+v", w)
	}
	if g := cfg.Sources["granted"].Asana; g == nil || len(g.Projects) != 2 || g.TokenFile != "" || g.OAuth.ClientID != "app" ||
		g.OAuth.ClientSecretFile != secret || g.OAuth.RefreshTokenFile != workToken || g.Sections != asana.SectionsNothing {
		t.Errorf("asana by OAuth: %+v", g)
	}
	if !cfg.Metrics.People {
		t.Error("the answer about single engineers was lost")
	}
	text, err := os.ReadFile(output)
	if err != nil || !strings.Contains(string(text), fmt.Sprintf("# - %q    # Picnic, team Platform", other)) || !strings.Contains(string(text), "# - OPS    # Project of OPS") || strings.Contains(string(text), "-secret") {
		t.Errorf("%v\n%s", err, text)
	}

	// Again: nothing is overwritten. And answers that end early write nothing.
	stderr.Reset()
	if code := run(t.Context(), []string{"init", "--output", output}, nil, strings.NewReader(answers), &stdout, &stderr); code == 0 || !strings.Contains(stderr.String(), "exists") {
		t.Errorf("a second init: status %d, %s", code, stderr.String())
	}
	elsewhere := filepath.Join(dir, "other.yaml")
	if code := run(t.Context(), []string{"init", "--output", elsewhere}, nil, strings.NewReader("jira\n\n"), &stdout, &stderr); code == 0 {
		t.Error("init succeeds without answers")
	}
	if _, err := os.Stat(elsewhere); err == nil {
		t.Error("a half configuration was written")
	}
}
