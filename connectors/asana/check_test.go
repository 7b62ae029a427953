package asana_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/source"
)

// What check says of an account and its workspace, and what to do about it.
func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		o      asanatest.Options
		config func(f *office, c *asana.Config)
		spoil  func(f *office)
		want   []string // facts, by level, what, and the beginning of what is said
		others bool     // there may be more
	}{
		"a paid workspace": {
			want: []string{
				"ok account: signed in as Fairlead", "ok time zone: times are read in UTC", "ok projects: 2 can be seen",
				"ok tasks visible in MIGRATION: 3; Migration, team Platform", "ok tasks visible in HELP: none; Help, team Desk",
				"ok priority_field: Priority is there", "ok effort_field: Story points is there",
				"ok statuses: only complete and incomplete, so no task is ever in progress; where the sections of a board tell, set sections: status, where a custom field does, name it in status_field (choices here: Phase, Type)",
				"ok history: stories are readable", "ok search: what changed is found by one call a poll",
				"warning people: 1 of 2 show no e-mail address",
				"ok first collection: about 3 tasks and their subtasks, one call each for its history: 11 calls or more, less than a minute at 1,500 a minute",
			},
		},
		"a free one": {
			o: asanatest.Options{Free: true}, others: true,
			want: []string{"ok search: the workspace has none", "ok first collection: about 3 tasks and their subtasks, one call each for its history: 11 calls or more, less than a minute at 150 a minute"},
		},
		"custom fields and sections": {
			config: func(_ *office, c *asana.Config) {
				c.StatusField, c.KindField, c.PriorityField, c.EffortField = "phase", "Sort", "", "Effort"
			}, others: true,
			want: []string{"ok status_field: phase is there", `warning kind_field: no project has a field "Sort"`, `warning effort_field: no project has a field "Effort"`},
		},
		"a project that cannot be seen": {
			spoil: func(f *office) { f.HideProject(f.help, true) }, others: true,
			want: []string{"failed project or team HELP: cannot be seen: add the account to it", "ok projects: 1 can be seen"},
		},
		"no project that can be seen": {
			spoil: func(f *office) { f.HideProject(f.help, true); f.HideProject(f.migration, true) },
			want:  []string{"ok account: signed in as Fairlead", "ok time zone: times are read in UTC", "failed projects: none of those that are configured can be seen"},
		},
		"no task that can be seen": {
			spoil: func(f *office) {
				for _, gid := range f.Tasks() {
					f.Hide(gid, true)
				}
			}, others: true,
			want: []string{"ok tasks visible in MIGRATION: none; Migration, team Platform", "warning history: no task can be seen"},
		},
		"stories that are refused": {
			spoil: func(f *office) {
				for _, gid := range f.Tasks() {
					f.Mute(gid, true)
				}
			}, others: true,
			want: []string{"failed history: stories cannot be read: reading /api/1.0/tasks/"},
		},
		"a clock that is wrong": {
			config: func(f *office, _ *asana.Config) { f.ahead = 10 * time.Minute }, others: true,
			want: []string{"warning clock: this machine's is 10m0s from Asana's; set it by NTP"},
		},
		"everybody's address": {
			spoil: func(f *office) { f.RemoveUser(f.bob) }, others: true,
			want: []string{"ok people: e-mail addresses are readable"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newOffice(t, test.o)
			for range 3 {
				f.create("", asanatest.AddTo(f.migration, ""))
			}
			if test.spoil != nil {
				test.spoil(f)
			}
			src := f.connect(func(c *asana.Config) {
				if test.config != nil {
					test.config(f, c)
				}
			}, nil)
			report, err := src.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			gids := strings.NewReplacer(f.migration, "MIGRATION", f.help, "HELP")
			var said []string
			for _, fact := range report.Facts {
				said = append(said, gids.Replace(string(fact.Level)+" "+fact.What+": "+fact.Says))
			}
			for _, want := range test.want {
				if !slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, want) }) {
					t.Errorf("not said: %s\nbut:\n%s", want, strings.Join(said, "\n"))
				}
			}
			if !test.others && len(said) != len(test.want) {
				t.Errorf("said:\n%s", strings.Join(said, "\n"))
			}
		})
	}
}

// What cannot be found out at all is an error, which says why.
func TestCheckThatFails(t *testing.T) {
	f := newOffice(t, asanatest.Options{})
	if _, err := f.connect(func(c *asana.Config) { c.Token = "wrong" }, nil).Check(t.Context()); !isError(err, source.ErrUnauthorized, "check the token") {
		t.Errorf("a wrong token: %v", err)
	}
	login := httptest.NewServer(http.RedirectHandler("https://login.example.test/", http.StatusFound))
	defer login.Close()
	if _, err := f.connect(func(c *asana.Config) { c.URL = login.URL }, nil).Check(t.Context()); !isError(err, source.ErrUnreachable, "302") {
		t.Errorf("a page to log in: %v", err)
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	defer page.Close()
	if _, err := f.connect(func(c *asana.Config) { c.URL = page.URL }, nil).Check(t.Context()); !isError(err, source.ErrUnreadable, "/api/1.0/users/me") {
		t.Errorf("a page: %v", err)
	}
}
