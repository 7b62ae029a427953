package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	var out bytes.Buffer
	// So few tickets are over the limit; they are printed all the same.
	if err := run(t.Context(), &out, 1000); err == nil || !strings.Contains(err.Error(), "collecting "+jiraCloud) {
		t.Errorf("got %v", err)
	}
	line := regexp.MustCompile(`(?m)^requests_per_1000 jira-cloud full [0-9]+\.[0-9]{2}$`)
	if !line.MatchString(out.String()) {
		t.Errorf("printed\n%s", out.String())
	}
}
