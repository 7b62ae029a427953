package jira_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
	"fairlead/connectors/ticket"
)

// serverNow is the clock of the sites in these tests.
var serverNow = time.Date(2026, 3, 2, 9, 0, 30, 0, time.UTC)

// newSite is a site with a catalogue and no issues.
func newSite(t testing.TB, o jiratest.Options) *jiratest.Instance {
	t.Helper()
	if o.Clock == nil {
		o.Clock = func() time.Time { return serverNow }
	}
	in := jiratest.New(o)
	for _, name := range []string{"ann", "bob", "cyd"} {
		must(t, in.AddUser(jiratest.User{Name: name, Key: "key-" + name, DisplayName: strings.ToUpper(name), Email: name + "@example.invalid"}))
	}
	must(t, in.AddUser(jiratest.User{Name: "gone", Key: "key-gone", DisplayName: "Gone", Deleted: true}))
	must(t, in.AddProject(jiratest.Project{ID: "10001", Key: "NET"}))
	must(t, in.AddProject(jiratest.Project{ID: "10002", Key: "DB"}))
	must(t, in.AddStatus(jiratest.Status{ID: "1", Name: "To Do", Category: jiratest.ToDo}))
	must(t, in.AddStatus(jiratest.Status{ID: "3", Name: "Doing", Category: jiratest.InProgress}))
	must(t, in.AddStatus(jiratest.Status{ID: "6", Name: "Closed", Category: jiratest.Done}))
	must(t, in.AddIssueType(jiratest.IssueType{ID: "10", Name: "Bug"}))
	must(t, in.AddIssueType(jiratest.IssueType{ID: "11", Name: "Story"}))
	for _, id := range []string{"100", "101", "102"} {
		must(t, in.AddComponent(jiratest.Component{ID: id, Name: "Component " + id}))
	}
	return in
}

// add adds an issue in progress.
func add(t testing.TB, in *jiratest.Instance, created time.Time) string {
	t.Helper()
	id, err := in.AddIssue(jiratest.Issue{Project: "10001", Type: "10", Status: "3", Reporter: "ann", Created: created})
	must(t, err)
	return id
}

// connect makes a connector of a site.
func connect(t testing.TB, in http.Handler, flavour jiratest.Flavour, change func(*jira.Config, *jira.Options)) *jira.Source {
	t.Helper()
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	cfg := jira.DefaultConfig()
	cfg.URL, cfg.Flavour, cfg.Token = server.URL, jira.Flavour(flavour), testToken
	if cfg.Flavour == jira.Cloud {
		cfg.Email = testEmail
	}
	o := jira.Options{Name: "jira", Clock: func() time.Time { return serverNow }}
	if change != nil {
		change(&cfg, &o)
	}
	src, err := jira.New(cfg, o)
	must(t, err)
	return src
}

// read reads a stream to its end.
func read(t testing.TB, src *jira.Source, stream source.Stream, from source.Cursor) (pages []source.Page, tickets map[string]ticket.Ticket) {
	t.Helper()
	tickets = map[string]ticket.Ticket{}
	for page, err := range src.Pages(context.Background(), stream, from) {
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
		for _, i := range page.Tickets {
			tickets[i.ID] = i
		}
	}
	return pages, tickets
}

var begin = source.Cursor{Start: serverNow}

var flavours = []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter}

func eachFlavour(t *testing.T, f func(t *testing.T, flavour jiratest.Flavour)) {
	for _, flavour := range flavours {
		t.Run(string(flavour), func(t *testing.T) { f(t, flavour) })
	}
}

func TestListsThatAreCutAreFetchedFurther(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour, EmbeddedComments: 3, EmbeddedWorklogs: 2, EmbeddedHistories: 4, ListCap: 4, ChangelogCap: 5})
		id := add(t, in, serverNow.AddDate(0, 0, -9))
		other := add(t, in, serverNow.AddDate(0, 0, -8))
		for n := range 11 {
			at := serverNow.AddDate(0, 0, -7).Add(time.Duration(n) * time.Hour)
			must(t, in.Edit(id, "ann", at, jiratest.Assign([]string{"bob", "cyd"}[n%2])))
			must(t, in.Comment(id, "bob", at.Add(time.Minute), "secret text"))
			must(t, in.Log(id, "cyd", at.Add(2*time.Minute), at))
		}
		must(t, in.Edit(other, "ann", serverNow.AddDate(0, 0, -6), jiratest.Assign("ann")))
		_, tickets := read(t, connect(t, in, flavour, nil), source.StreamOpen, begin)
		got := tickets[id]
		acts := map[ticket.Act]int{}
		for _, c := range got.Contributions {
			acts[c.Act]++
		}
		if len(got.Changes) != 11 || acts[ticket.ActComment] != 11 || acts[ticket.ActWorklog] != 11 || !got.HistoryComplete {
			t.Errorf("%d changes, %v, complete %v", len(got.Changes), acts, got.HistoryComplete)
		}
		if len(tickets[other].Changes) != 1 {
			t.Errorf("the other has %d changes", len(tickets[other].Changes))
		}
		if strings.Contains(fmt.Sprintf("%+v", got), "secret") {
			t.Error("a comment's text is kept")
		}
	})
}

func TestAChangelogThatStaysCutIsMarked(t *testing.T) {
	in := newSite(t, jiratest.Options{Flavour: jiratest.DataCenter, EmbeddedHistories: 2, CutIssues: true})
	id := add(t, in, serverNow.AddDate(0, 0, -9))
	for n := range 3 {
		must(t, in.Edit(id, "ann", serverNow.AddDate(0, 0, n-8), jiratest.Assign([]string{"bob", "cyd"}[n%2])))
	}
	_, tickets := read(t, connect(t, in, jiratest.DataCenter, nil), source.StreamOpen, begin)
	if got := tickets[id]; got.HistoryComplete || got.IncompleteReason == "" || len(got.Changes) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestTimesInBulkChangelogsAreNumbersInReality(t *testing.T) {
	in := newSite(t, jiratest.Options{EpochTimes: true})
	id := add(t, in, serverNow.AddDate(0, 0, -9))
	when := serverNow.AddDate(0, 0, -8).Add(123 * time.Millisecond)
	must(t, in.Edit(id, "ann", when, jiratest.Assign("bob")))
	_, tickets := read(t, connect(t, in, jiratest.Cloud, nil), source.StreamOpen, begin)
	if got := tickets[id].Changes; len(got) != 1 || !got[0].At.Equal(when) {
		t.Errorf("got %+v", got)
	}
}

func TestAnExpiredTokenLosesNothing(t *testing.T) {
	clock := sourcetest.NewClock(serverNow)
	in := newSite(t, jiratest.Options{PageCap: 10, TokenLife: time.Minute, Clock: clock.Now})
	for n := range 95 {
		add(t, in, serverNow.Add(time.Duration(n-1000)*20*time.Second))
	}
	requests := 0
	in.BeforeEach(func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/search/jql") {
			if requests++; requests%3 == 0 {
				clock.Advance(2 * time.Minute)
			}
		}
	})
	_, tickets := read(t, connect(t, in, jiratest.Cloud, nil), source.StreamOpen, begin)
	if len(tickets) != 95 {
		t.Errorf("got %d tickets of 95", len(tickets))
	}
	if requests < 15 || requests > 30 {
		t.Errorf("it took %d searches", requests)
	}
}

// scripted answers some paths by a constant, the rest by the site.
type scripted struct {
	http.Handler
	answers map[string]string // JSON by suffix of the path
}

func (s scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for suffix, answer := range s.answers {
		if strings.HasSuffix(r.URL.Path, suffix) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, answer)
			return
		}
	}
	s.Handler.ServeHTTP(w, r)
}

// The tokens of a bulk changelog expire too: then it is begun again, and if that
// does not help, it is an error and no history that is cut.
func TestAnExpiredChangelogTokenLosesNothing(t *testing.T) {
	for _, expiries := range []int{1, 2, 100} {
		in := newSite(t, jiratest.Options{Flavour: jiratest.Cloud, ChangelogCap: 3})
		for range 4 {
			id := add(t, in, serverNow.Add(-time.Hour))
			for n := range 3 {
				must(t, in.Edit(id, "ann", serverNow.Add(time.Duration(n-30)*time.Minute), jiratest.Assign([]string{"ann", "bob", "cyd"}[n])))
			}
		}
		requests := 0
		in.BeforeEach(func(r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/changelog/bulkfetch") {
				return
			}
			body, err := io.ReadAll(r.Body)
			must(t, err)
			if requests++; expiries > 0 && requests%2 == 0 && bytes.Contains(body, []byte("nextPageToken")) {
				expiries--
				body = bytes.Replace(body, []byte(`"nextPageToken":"`), []byte(`"nextPageToken":"stale`), 1)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		})
		src := connect(t, in, jiratest.Cloud, nil)
		tickets := 0
		var failed error
		for page, err := range src.Pages(t.Context(), source.StreamOpen, begin) {
			failed = errors.Join(failed, err)
			for _, i := range page.Tickets {
				if tickets++; len(i.Changes) != 3 || !i.HistoryComplete {
					t.Errorf("%s has %d changes, complete: %v", i.Key, len(i.Changes), i.HistoryComplete)
				}
			}
		}
		if lasting := expiries > 50; lasting != (failed != nil) || !lasting && tickets != 4 {
			t.Errorf("%d issues and %v, with %d expiries left after %d requests", tickets, failed, expiries, requests)
		}
	}
}

func TestTokensThatNeverEndAreNoticed(t *testing.T) {
	const issue = `{"id": "1", "key": "NET-1", "fields": {"status": {"id": "3", "name": "Doing", "statusCategory": {"key": "indeterminate"}},
		"issuetype": {"id": "10", "name": "Bug"}, "project": {"id": "10001", "key": "NET"}, "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z"}}`
	in := newSite(t, jiratest.Options{})
	src := connect(t, scripted{in, map[string]string{
		"/search/jql":          `{"issues": [` + issue + `], "nextPageToken": "again"}`,
		"/changelog/bulkfetch": `{"issueChangeLogs": [], "nextPageToken": "again"}`,
	}}, jiratest.Cloud, nil)
	var got []ticket.Ticket
	var failed error
	for page, err := range src.Pages(context.Background(), source.StreamOpen, begin) {
		got, failed = append(got, page.Tickets...), err
	}
	if !errors.Is(failed, source.ErrUnreadable) || !strings.Contains(failed.Error(), "do not end") {
		t.Errorf("got %v", failed)
	}
	if len(got) != 1 || got[0].HistoryComplete {
		t.Errorf("what came before the error: %+v", got)
	}
}

func TestDataCenterThatCountsButGivesNothingIsNoticed(t *testing.T) {
	in := newSite(t, jiratest.Options{Flavour: jiratest.DataCenter})
	src := connect(t, scripted{in, map[string]string{"/search": `{"startAt": 0, "total": 7, "issues": []}`}}, jiratest.DataCenter, nil)
	for _, err := range src.Pages(context.Background(), source.StreamOpen, begin) {
		if !errors.Is(err, source.ErrUnreadable) {
			t.Errorf("got %v", err)
		}
	}
}

// A search that still shows an issue as it was, with a changelog that is newer,
// would make a change look unrecorded.
func TestAnIssueOlderThanItsHistoryIsFetchedAgain(t *testing.T) {
	in := newSite(t, jiratest.Options{IndexLag: time.Minute})
	id := add(t, in, serverNow.AddDate(0, 0, -1))
	must(t, in.Edit(id, "ann", serverNow.Add(-2*time.Second), jiratest.Assign("bob"), jiratest.Transition("6")))
	_, tickets := read(t, connect(t, in, jiratest.Cloud, nil), source.StreamOpen, begin)
	if got := tickets[id]; got.Assignee != jiratest.AccountID("bob") || got.Status != "6" || !got.Updated.Equal(serverNow.Add(-2*time.Second)) {
		t.Errorf("got %+v", got)
	}
}

func TestHistoryLaterThanTheIssueIsLeftAloneInOldData(t *testing.T) {
	in := newSite(t, jiratest.Options{})
	created := serverNow.AddDate(-1, 0, 0)
	id, err := in.AddIssue(jiratest.Issue{Project: "10001", Type: "10", Status: "3", Created: created, Updated: created, Histories: []jiratest.History{
		{Created: created.AddDate(0, 1, 0), Items: []jiratest.Item{in.AssigneeItem("bob", "")}},
	}})
	must(t, err)
	_, tickets := read(t, connect(t, in, jiratest.Cloud, nil), source.StreamOpen, begin)
	if len(tickets[id].Changes) != 1 || in.Requests()["POST /rest/api/3/issue/bulkfetch"] != 0 {
		t.Errorf("got %+v by %v", tickets[id], in.Requests())
	}
}

func TestByIDSearchesWhereCloudHasNoBulkFetch(t *testing.T) {
	in := newSite(t, jiratest.Options{IndexLag: time.Minute})
	var ids []string
	for range 5 {
		ids = append(ids, add(t, in, serverNow.AddDate(0, 0, -1)))
	}
	must(t, in.Edit(ids[1], "ann", serverNow, jiratest.Assign("bob")))
	must(t, in.Delete(ids[2]))
	must(t, in.Deny(ids[3], true))
	in.Inject(jiratest.Fault{Path: "/issue/bulkfetch", Status: http.StatusNotFound})
	page, err := connect(t, in, jiratest.Cloud, nil).ByID(context.Background(), append(ids, "not-an-id"))
	must(t, err)
	var got, skipped []string
	for _, i := range page.Tickets {
		got = append(got, i.ID+i.Assignee)
	}
	for _, s := range page.Skipped {
		skipped = append(skipped, s.ID)
	}
	slices.Sort(got)
	slices.Sort(skipped)
	if want := []string{ids[0], ids[1] + jiratest.AccountID("bob"), ids[4]}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := []string{ids[2], ids[3], "not-an-id"}; !slices.Equal(skipped, want) {
		t.Errorf("skipped %v, want %v", skipped, want)
	}
}

func TestAnIssueThatVanishesWhileItIsCompletedIsSkipped(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour, EmbeddedComments: 1})
		lost, kept := add(t, in, serverNow.AddDate(0, 0, -2)), add(t, in, serverNow.AddDate(0, 0, -1))
		for _, id := range []string{lost, kept} {
			for n := range 2 {
				must(t, in.Comment(id, "bob", serverNow.Add(-time.Hour+time.Duration(n)*time.Second), ""))
			}
		}
		in.BeforeEach(func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, lost+"/comment") {
				must(t, in.Deny(lost, true))
			}
		})
		pages, tickets := read(t, connect(t, in, flavour, nil), source.StreamOpen, begin)
		if len(tickets) != 1 || len(pages[0].Skipped) != 1 || pages[0].Skipped[0].ID != lost {
			t.Errorf("got %d tickets, skipped %v", len(tickets), pages[0].Skipped)
		}
	})
}

func TestAccountsThatOnlyHistoriesName(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		must(t, in.AddUser(jiratest.User{Name: "bot", Key: "key-bot", DisplayName: "Bot", App: true}))
		id := add(t, in, serverNow.AddDate(0, 0, -9))
		for n, name := range []string{"bob", "gone", "bot", "cyd"} {
			must(t, in.Edit(id, "ann", serverNow.AddDate(0, 0, n-8), jiratest.Assign(name)))
		}
		src := connect(t, in, flavour, nil)
		accounts := map[string]ticket.Account{}
		pages, _ := read(t, src, source.StreamIncremental, source.Cursor{Start: serverNow, Updated: serverNow.AddDate(0, 0, -30)})
		for _, page := range pages {
			for _, a := range page.Accounts {
				accounts[a.Name] = a
			}
		}
		if a := accounts["BOB"]; a.Email != "bob@example.invalid" || !a.Active {
			t.Errorf("who was looked up is %+v", a)
		}
		if a, ok := accounts["Gone"]; !ok || a.Active || a.Email != "" {
			t.Errorf("who is gone is %+v", a)
		}
		if a := accounts["Bot"]; flavour == jiratest.Cloud && !a.Bot {
			t.Errorf("the app is %+v", a)
		}
		// They are looked up once.
		in.ResetRequests()
		read(t, src, source.StreamIncremental, source.Cursor{Start: serverNow, Updated: serverNow.AddDate(0, 0, -30)})
		for path := range in.Requests() {
			if strings.Contains(path, "/user") {
				t.Errorf("asked again: %v", in.Requests())
			}
		}
	})
}

func TestStatusesThatOnlyHistoriesNameAreLearnt(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		id := add(t, in, serverNow.AddDate(0, 0, -9))
		must(t, in.Edit(id, "ann", serverNow.AddDate(0, 0, -8), jiratest.Transition("6")))
		must(t, in.Edit(id, "ann", serverNow.AddDate(0, 0, -7), jiratest.Transition("1")))
		pages, _ := read(t, connect(t, in, flavour, nil), source.StreamOpen, begin)
		got := map[string]string{}
		for _, term := range pages[0].Terms {
			if term.Field == ticket.FieldStatus {
				got[term.ID] = term.Name + " " + term.Value
			}
		}
		if want := map[string]string{"1": "To Do todo", "3": "Doing in_progress", "6": "Closed done"}; !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// Whatever the zone, and also if it is hidden, and in the hour that occurs
// twice, by either reading.
func TestPollsFindEditsInAnyZone(t *testing.T) {
	for _, zone := range []string{"Etc/UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "America/New_York"} {
		for _, hidden := range []bool{false, true} {
			for _, laterOffset := range []bool{false, true} {
				eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
					// Clocks in New York are set back at 06:00 UTC.
					start := time.Date(2026, 11, 1, 4, 30, 0, 0, time.UTC)
					clock := sourcetest.NewClock(start)
					in := newSite(t, jiratest.Options{Flavour: flavour, TimeZone: zone, HideTimeZone: hidden, LaterOffset: laterOffset, Clock: clock.Now})
					id := add(t, in, start.AddDate(0, 0, -30))
					src := connect(t, in, flavour, func(_ *jira.Config, o *jira.Options) { o.Clock = clock.Now })
					cursor := source.Cursor{Start: start}
					for n := range 16 {
						now := clock.Advance(13 * time.Minute)
						must(t, in.Edit(id, "ann", now.Add(-time.Second), jiratest.Assign([]string{"bob", "cyd"}[n%2])))
						pages, tickets := read(t, src, source.StreamIncremental, cursor)
						if got := tickets[id]; len(got.Changes) != n+1 {
							t.Fatalf("%s: poll at %v has %d changes, want %d", zone, now, len(got.Changes), n+1)
						}
						cursor = pages[len(pages)-1].Next
					}
				})
			}
		}
	}
}

func TestAFutureUpdateDoesNotTakeTheCursorAway(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		add(t, in, serverNow.AddDate(3, 0, 0))
		add(t, in, serverNow.Add(-time.Minute))
		pages, tickets := read(t, connect(t, in, flavour, nil), source.StreamIncremental, source.Cursor{Start: serverNow.Add(-time.Hour)})
		if next := pages[len(pages)-1].Next; len(tickets) != 2 || !next.Updated.Equal(serverNow.Add(-time.Minute)) {
			t.Errorf("%d tickets, next is %+v", len(tickets), next)
		}
	})
}

func TestManyIssuesOfOneMinuteThatMoveMeanwhile(t *testing.T) {
	in := newSite(t, jiratest.Options{Flavour: jiratest.DataCenter})
	bulk := serverNow.Add(-100 * time.Minute).Truncate(time.Minute)
	var ids []string
	for n := range 60 {
		ids = append(ids, add(t, in, bulk.Add(time.Duration(n)*time.Second/2)))
	}
	searches := 0
	in.BeforeEach(func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/search") {
			if searches++; searches == 4 || searches == 6 {
				// One of those read already: the rest moves up.
				must(t, in.Edit(ids[searches], "ann", serverNow, jiratest.Assign("bob"), jiratest.Transition("6")))
			}
		}
	})
	src := connect(t, in, jiratest.DataCenter, func(c *jira.Config, _ *jira.Options) { c.RequestSize = 10 })
	_, tickets := read(t, src, source.StreamOpen, begin)
	if len(tickets) != 60 || searches > 30 {
		t.Errorf("got %d of 60 in %d searches", len(tickets), searches)
	}
}

func TestARestartWhoseIssueMovedAwaySkipsNothing(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		tied := serverNow.Add(-time.Hour)
		var ids []string
		for range 12 {
			ids = append(ids, add(t, in, tied))
		}
		must(t, in.Edit(ids[5], "ann", serverNow.Add(-time.Minute), jiratest.Assign("bob")))
		src := connect(t, in, flavour, func(c *jira.Config, _ *jira.Options) { c.PageSize = 4 })
		_, tickets := read(t, src, source.StreamOpen, source.Cursor{Start: serverNow, Updated: tied, ID: ids[5]})
		if len(tickets) != 12 {
			t.Errorf("got %d of 12", len(tickets))
		}
		_, tickets = read(t, src, source.StreamOpen, source.Cursor{Start: serverNow, Updated: tied, ID: ids[6]})
		if len(tickets) != 6 {
			t.Errorf("got %d, want the 6 that follow", len(tickets))
		}
	})
}

func TestOnlyWhatIsAllowedIsCollected(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		want := add(t, in, serverNow.Add(-time.Hour))
		story, err := in.AddIssue(jiratest.Issue{Project: "10001", Type: "11", Status: "3", Created: serverNow.Add(-time.Hour)})
		must(t, err)
		other, err := in.AddIssue(jiratest.Issue{Project: "10002", Type: "10", Status: "3", Created: serverNow.Add(-time.Hour)})
		must(t, err)
		src := connect(t, in, flavour, func(c *jira.Config, _ *jira.Options) {
			c.Projects, c.JQL = []string{"NET"}, "type = Bug OR type = Bug"
		})
		_, tickets := read(t, src, source.StreamOpen, begin)
		if _, ok := tickets[want]; !ok || len(tickets) != 1 {
			t.Errorf("got %v, not only %s (others are %s, %s)", slices.Collect(maps.Keys(tickets)), want, story, other)
		}
	})
}

// What was moved out of the allow-list, and what a shorter list leaves out, is not
// there any more when it is asked for by id.
func TestByIDKeepsToWhatIsAllowed(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		want := add(t, in, serverNow.Add(-time.Hour))
		story, err := in.AddIssue(jiratest.Issue{Project: "10001", Type: "11", Status: "3", Created: serverNow.Add(-time.Hour)})
		must(t, err)
		moved := add(t, in, serverNow.Add(-time.Hour))
		must(t, in.Edit(moved, "ann", serverNow.Add(-time.Minute), jiratest.Move("10002")))
		for _, allowed := range []struct {
			projects []string
			jql      string
			want     []string
		}{
			{nil, "", []string{want, story, moved}},
			{[]string{"net"}, "", []string{want, story}},
			{[]string{"10002"}, "", []string{moved}},
			{nil, "type = Bug", []string{want, moved}},
			{[]string{"NET", "10002"}, "type = Story", []string{story}},
		} {
			src := connect(t, in, flavour, func(c *jira.Config, _ *jira.Options) { c.Projects, c.JQL = allowed.projects, allowed.jql })
			page, err := src.ByID(t.Context(), []string{want, story, moved, "99999"})
			must(t, err)
			var got []string
			for _, i := range page.Tickets {
				got = append(got, i.ID)
			}
			slices.Sort(got)
			slices.Sort(allowed.want)
			if !slices.Equal(got, allowed.want) {
				t.Errorf("%v %q: got %v, want %v", allowed.projects, allowed.jql, got, allowed.want)
			}
			if len(page.Skipped) != 4-len(allowed.want) {
				t.Errorf("%v %q: skipped %v", allowed.projects, allowed.jql, page.Skipped)
			}
			for _, s := range page.Skipped {
				if !strings.Contains(s.Reason, "gone") && !strings.Contains(s.Reason, "deleted") {
					t.Errorf("%v %q: %s is skipped for %q", allowed.projects, allowed.jql, s.ID, s.Reason)
				}
			}
		}
	})
}

func TestAWrongTokenThatCloudTakesForNobodyIsNoticed(t *testing.T) {
	in := newSite(t, jiratest.Options{Token: "right", Email: testEmail, AnonymousSearch: true})
	src := connect(t, in, jiratest.Cloud, nil)
	_, err := src.ByID(context.Background(), []string{"1"})
	if !errors.Is(err, source.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
}

func TestClientCredentials(t *testing.T) {
	in := newSite(t, jiratest.Options{ClientID: "client", ClientSecret: "hidden"})
	id := add(t, in, serverNow.Add(-time.Hour))
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	for secret, works := range map[string]bool{"hidden": true, "guessed": false} {
		src := connect(t, in, jiratest.Cloud, func(c *jira.Config, _ *jira.Options) {
			c.Email, c.Token = "", ""
			c.OAuth = jira.OAuth{TokenURL: server.URL + "/oauth/token", ClientID: "client", ClientSecret: secret}
		})
		page, err := src.ByID(context.Background(), []string{id})
		if works && (err != nil || len(page.Tickets) != 1) {
			t.Errorf("got %+v, %v", page, err)
		}
		if !works && !errors.Is(err, source.ErrUnauthorized) {
			t.Errorf("a wrong secret: %v", err)
		}
	}
}

func TestErrorsAreSortedAndTellNoSecret(t *testing.T) {
	for name, test := range map[string]struct {
		fault jiratest.Fault
		want  error
	}{
		"401":     {jiratest.Fault{Path: "/search", Status: http.StatusUnauthorized}, source.ErrUnauthorized},
		"403":     {jiratest.Fault{Path: "/search", Status: http.StatusForbidden}, source.ErrForbidden},
		"503":     {jiratest.Fault{Path: "/search", Status: http.StatusServiceUnavailable}, source.ErrUnreachable},
		"429":     {jiratest.Fault{Path: "/search", Status: http.StatusTooManyRequests}, source.ErrUnreachable},
		"dropped": {jiratest.Fault{Path: "/search", Drop: true}, source.ErrUnreachable},
		"garbled": {jiratest.Fault{Path: "/search", Garble: true}, source.ErrUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
				in := newSite(t, jiratest.Options{Flavour: flavour})
				in.Inject(test.fault)
				var logged bytes.Buffer
				src := connect(t, in, flavour, func(c *jira.Config, o *jira.Options) {
					c.Projects = []string{"NET"}
					o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
				})
				for _, err := range src.Pages(context.Background(), source.StreamOpen, begin) {
					if !errors.Is(err, test.want) {
						t.Errorf("got %v, want %v", err, test.want)
					}
					if strings.Contains(err.Error()+logged.String(), testToken) || !strings.Contains(err.Error(), "/search") {
						t.Errorf("the error is %v, the log %s", err, logged.String())
					}
				}
			})
		})
	}
}

func TestAnAnswerThatDoesNotParseIsAskedForAgain(t *testing.T) {
	in := newSite(t, jiratest.Options{})
	add(t, in, serverNow.Add(-time.Hour))
	in.Inject(jiratest.Fault{Path: "/search/jql", Garble: true, Times: 2})
	if _, tickets := read(t, connect(t, in, jiratest.Cloud, nil), source.StreamOpen, begin); len(tickets) != 1 {
		t.Errorf("got %v", tickets)
	}
}

func TestProgressIsEstimated(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		for n := range 50 {
			add(t, in, serverNow.Add(time.Duration(n-100)*time.Hour))
		}
		src := connect(t, in, flavour, func(c *jira.Config, _ *jira.Options) { c.PageSize, c.RequestSize = 20, 10 })
		pages, _ := read(t, src, source.StreamOpen, begin)
		if len(pages) < 3 || pages[0].Remaining < 25 || pages[0].Remaining > 35 || pages[len(pages)-1].Remaining != 0 {
			for _, p := range pages {
				t.Errorf("%d tickets, %d remain", len(p.Tickets), p.Remaining)
			}
		}
	})
}

// The budget is 14 requests for a thousand issues with their histories.
func TestRequestsPerThousand(t *testing.T) { requestsPerThousand(t, 5_000) }

func requestsPerThousand(t *testing.T, issues int) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		for n := range issues {
			created := serverNow.AddDate(0, 0, -300).Add(time.Duration(n) * 277 * 24 * time.Hour / time.Duration(issues))
			status := []string{"1", "3", "6", "6", "6"}[n%5]
			_, err := in.AddIssue(jiratest.Issue{
				Project: "10001", Type: "10", Status: status, Assignee: "bob", Created: created,
				Histories: []jiratest.History{
					{Author: "ann", Created: created.Add(time.Minute), Items: []jiratest.Item{in.AssigneeItem("", "ann")}},
					{Author: "ann", Created: created.Add(time.Hour), Items: []jiratest.Item{in.AssigneeItem("ann", "bob"), in.StatusItem("1", status)}},
				},
				Comments: []jiratest.Comment{{Author: "bob", Created: created.Add(2 * time.Hour)}},
			})
			must(t, err)
		}
		src := connect(t, in, flavour, nil)
		seen := map[string]bool{}
		firstLoad := 0
		for _, stream := range slices.Concat(source.Backfill, []source.Stream{source.StreamIncremental}) {
			_, tickets := read(t, src, stream, begin)
			for id := range tickets {
				seen[id] = true
			}
			if stream == source.StreamOpen {
				firstLoad = in.TotalRequests()
			}
		}
		total := in.TotalRequests()
		if len(seen) != issues {
			t.Errorf("got %d issues of %d", len(seen), issues)
		}
		if perThousand := float64(total) * 1000 / float64(issues); perThousand > 14 {
			t.Errorf("%.1f requests for a thousand issues: %v", perThousand, in.Requests())
		} else {
			t.Logf("%.1f requests for a thousand issues; open ones after %d of %d", perThousand, firstLoad, total)
		}
	})
}
