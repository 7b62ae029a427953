//go:build verify

package report

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/sandbox/sandboxtest"
)

var words = regexp.MustCompile(`[A-Za-z]`)

// golden compares with a file, or writes it.
func golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	a, b := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s differs at line %d (look, and run the tests with -update):\n got %s\nwant %s", path, i+1, a[i], b[i])
		}
	}
	t.Fatalf("%s has %d lines, want %d", path, len(a), len(b))
}

// TestVerifyGoldenOrganisation is the report of the generated organisation in all
// forms.
func TestVerifyGoldenOrganisation(t *testing.T) {
	db, o := organisation(t, 4_000, true)
	q := quarter(t, db, "2026Q3", o.Now)
	everybody := made(t, q, Options{Audience: Group})
	for _, f := range []Format{HTML, CSV, JSON} {
		golden(t, "organisation."+string(f), written(t, everybody, f))
	}
	golden(t, "lead.csv", written(t, made(t, q, Options{Audience: Lead, Teams: []string{o.Truths.OverloadedTeam.Name}}), CSV))
	for _, p := range q.All.Parts {
		if p.Name == o.Truths.Overloaded.Name {
			golden(t, "self.csv", written(t, made(t, q, Options{Audience: Self, Engineer: p.Pseudonym}), CSV))
		}
	}
}

// TestVerifyGoldenIncidentLog is the figures of the real log of 2016, first half. Its
// data begin in the first quarter's last month. Groups stand as numbers: nothing
// of the log but figures is kept here, and of the three forms their digests.
func TestVerifyGoldenIncidentLog(t *testing.T) {
	db := sandboxtest.IncidentLog(t)
	var figures, digests strings.Builder
	for _, name := range []string{"2016Q1", "2016Q2"} {
		q := quarter(t, db, name, time.Date(2016, 7, 1, 0, 0, 0, 0, time.UTC))
		r := made(t, q, Options{Audience: Group})
		valid(t, []byte(written(t, r, JSON)))
		if html := written(t, r, HTML); !strings.Contains(html, "</html>") || len(html) > 1<<20 {
			t.Errorf("the page of %s has %d bytes", name, len(html))
		}
		for _, f := range []Format{HTML, CSV, JSON} {
			fmt.Fprintf(&digests, "%x  %s.%s\n", sha256.Sum256([]byte(written(t, r, f))), name, f)
		}
		teams, areas := map[string]string{}, map[string]string{}
		number := func(of map[string]string, name, prefix string) string {
			if name != "" && of[name] == "" {
				of[name] = fmt.Sprint(prefix, len(of)+1)
			}
			return of[name]
		}
		for _, row := range strings.Split(written(t, r, CSV), "\n")[1:] {
			cells := strings.Split(row, ",")
			if len(cells) != 8 || words.MatchString(cells[7]) || cells[0] == "configuration" || strings.Contains(cells[1], "lorenz.") {
				continue // texts
			}
			cells[2], cells[3] = number(teams, cells[2], "team "), number(areas, cells[3], "area ")
			fmt.Fprintln(&figures, name+","+strings.Join(cells, ","))
		}
	}
	golden(t, "incident-log.csv", figures.String())
	golden(t, "incident-log.sha256", digests.String())
}
