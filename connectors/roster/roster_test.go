package roster

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/ticket"
)

const small = `
defaults: {zone: Europe/Berlin, holidays: DE, hours: mon-fri 09:00-17:00}
holidays:
  DE: [2026-05-01, 2026-12-25]
  US: 2026-07-03
people:
  ann:
    name: Ann Example
    email: [Ann@Example.org, maiden@example.org]
    accounts:
      jira: 5b10
      servicenow: [6816, "77"]
    joined: 2024-02-01
    schedules:
      - {from: 2026-03-01, to: 2026-06-01, hours: mon-wed 09:00-17:00, fte: 0.6}
    leave:
      - {from: 2026-07-06, to: 2026-07-20}
      - {from: 2026-08-03, to: 2026-08-04, part: 0.5}
  bob:
    email: bob@example.org
    zone: America/New_York
    holidays: [US]
    left: 2026-09-01
teams:
  Payments:
    lead: [{person: ann, to: 2026-04-01}, {person: bob, from: 2026-04-01}]
    notify: [payments@example.org, pager]
    queues:
      - {source: servicenow, queue: Payments Support}
      - {source: jira, queue: PAY, from: 2025-01-01}
    members: [{person: ann, fte: 0.5}, bob]
    on_call:
      - {person: bob, from: 2026-05-04T09:00, to: 2026-05-11T09:00}
      - {person: ann, from: "2026-05-11T13:00:00Z", to: 2026-05-18 15:00}
  Web:
    members:
      - {person: ann, fte: 0.1, from: 2025-01-01}
bots: {servicenow: monitor}
`

// The same as small.
var smallCSV = map[string]string{
	"people.csv": "\ufeffperson,name,email,joined,left,zone,hours,holidays,fte\n" +
		"ann,Ann Example,ann@example.org maiden@example.org,2024-02-01,,Europe/Berlin,mon-fri 09:00-17:00,DE,1\n" +
		"# gone soon\n" +
		"bob,,bob@example.org,,2026-09-01,America/New_York,mon-fri 09:00-17:00,US,\n,,,,,,,,\n",
	"schedules.csv": "person;from;to;hours;fte\nann;2026-03-01;2026-06-01;mon-wed 09:00-17:00;0.6\n",
	"accounts.csv":  "source,account,person\njira,5b10,ann\nservicenow,6816,ann\nservicenow,77,ann\n",
	"bots.csv":      "source,account\nservicenow,monitor\n",
	"leave.csv":     "person,from,to,part\r\nann,2026-07-06,2026-07-20,\r\nann,2026-08-03,2026-08-04,0.5\r\n",
	"holidays.csv":  "calendar,day\nDE,2026-05-01\nDE,2026-12-25\nUS,2026-07-03\n",
	"teams.csv":     "team,notify,lead,from,to\nPayments,payments@example.org,ann,,2026-04-01\nPayments,pager,bob,2026-04-01,\nWeb,,,,\n",
	"queues.csv":    "team,source,queue,from\nPayments,servicenow,Payments Support,\nPayments,jira,PAY,2025-01-01\n",
	"members.csv":   "team,person,fte,from\nPayments,ann,0.5,\nPayments,bob,,\nWeb,ann,0.1,2025-01-01\n",
	"on_call.csv":   "Team,Person,From,To\nPayments,bob,2026-05-04T09:00,2026-05-11T09:00\nPayments,ann,2026-05-11T13:00Z,2026-05-18T15:00\n",
}

func parseSmall(t testing.TB, text string) *Roster {
	t.Helper()
	r, err := Parse(File{"roster.yaml", []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustDay(s string) Day {
	d, ok := ParseDay(s)
	if !ok && s != "" {
		panic(s)
	}
	return d
}

func days(from, to string) Period { return Period{mustDay(from), mustDay(to)} }

func utc(s string) time.Time {
	for _, layout := range []string{"2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	panic(s)
}

func TestYAMLSaysWhatItMeans(t *testing.T) {
	office := DefaultWeek()
	short := Week{1: office[1], 2: office[2], 3: office[3]}
	want := Data{
		People: []Person{
			{"ann", "Ann Example", []string{"ann@example.org", "maiden@example.org"}, days("2024-02-01", "")},
			{"bob", "", []string{"bob@example.org"}, days("", "2026-09-01")},
		},
		Schedules: []Schedule{
			{"ann", 0, "Europe/Berlin", office, []string{"DE"}, 1},
			{"ann", mustDay("2026-03-01"), "Europe/Berlin", short, []string{"DE"}, 0.6},
			{"ann", mustDay("2026-06-01"), "Europe/Berlin", office, []string{"DE"}, 1},
			{"bob", 0, "America/New_York", office, []string{"US"}, 1},
		},
		Accounts: []Mapping{{"ann", AccountRef{"jira", "5b10"}}, {"ann", AccountRef{"servicenow", "6816"}}, {"ann", AccountRef{"servicenow", "77"}}},
		Bots:     []AccountRef{{"servicenow", "monitor"}},
		Leave:    []Leave{{"ann", days("2026-07-06", "2026-07-20"), 1}, {"ann", days("2026-08-03", "2026-08-04"), 0.5}},
		Holidays: []Holiday{{"DE", mustDay("2026-05-01")}, {"DE", mustDay("2026-12-25")}, {"US", mustDay("2026-07-03")}},
		Teams:    []Team{{"Payments", []string{"payments@example.org", "pager"}}, {"Web", nil}},
		Leads:    []Lead{{"Payments", "ann", days("", "2026-04-01")}, {"Payments", "bob", days("2026-04-01", "")}},
		Queues:   []Queue{{"Payments", "jira", "PAY", days("2025-01-01", "")}, {"Payments", "servicenow", "Payments Support", Period{}}},
		Memberships: []Membership{
			{"Payments", "ann", Period{}, 0.5}, {"Payments", "bob", Period{}, Whole}, {"Web", "ann", days("2025-01-01", ""), 0.1},
		},
		Shifts: []Shift{
			{"Payments", "bob", utc("2026-05-04 13:00"), utc("2026-05-11 13:00")},
			{"Payments", "ann", utc("2026-05-11 13:00"), utc("2026-05-18 13:00")},
		},
	}
	r := parseSmall(t, small)
	if got := r.Data(); !reflect.DeepEqual(got, want) {
		t.Errorf("the roster is\n%+v, want\n%+v", got, want)
	}
	again, err := New(want)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.Data(), want) || again.Hash() != r.Hash() {
		t.Error("what was read, made a roster again, is another")
	}
}

func TestCSVSaysTheSameAsYAML(t *testing.T) {
	want := parseSmall(t, small)
	folder := t.TempDir()
	for name, text := range smallCSV {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"README.md": "not ours", ".people.csv": "nor this"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if got.Hash() != want.Hash() {
		t.Errorf("CSV says\n%+v, YAML\n%+v", got.Data(), want.Data())
	}

	// Leave from one system, all else by hand.
	yaml := filepath.Join(t.TempDir(), "roster.yml")
	before, after, _ := strings.Cut(small, "    leave:\n")
	_, after, _ = strings.Cut(after, "part: 0.5}\n")
	if err := os.WriteFile(yaml, []byte(before+after), 0o600); err != nil {
		t.Fatal(err)
	}
	mixed, err := Load(yaml, filepath.Join(folder, "leave.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if mixed.Hash() != want.Hash() {
		t.Error("YAML with leave from CSV is another roster")
	}
}

func TestHashIsOfTheContent(t *testing.T) {
	base := parseSmall(t, small)
	same := strings.Replace(small, "members: [{person: ann, fte: 0.5}, bob]", "members: [bob, {fte: 0.50, person: ann}] # turned round", 1)
	if parseSmall(t, same).Hash() != base.Hash() {
		t.Error("order and comments change the hash")
	}
	for old, new := range map[string]string{
		"fte: 0.6": "fte: 0.7", "2026-07-20": "2026-07-21", "pager": "page", "Ann Example": "Ann Other", "monitor": "monitors",
		"[Ann@Example.org, maiden@example.org]": "[maiden@example.org, Ann@Example.org]", "US: 2026-07-03": "US: 2026-07-04",
		"2026-05-18 15:00": "2026-05-18 15:01", "PAY": "PAYS", "to: 2026-06-01": "to: 2026-06-02", "part: 0.5": "part: 0.4",
	} {
		if parseSmall(t, strings.Replace(small, old, new, 1)).Hash() == base.Hash() {
			t.Errorf("%s for %s has the same hash", new, old)
		}
	}
}

func TestWhoWasWhereWhen(t *testing.T) {
	r := parseSmall(t, small)
	for _, c := range []struct{ at, lead string }{
		{"2026-03-31 21:59", "ann"}, // her day ends at midnight in Berlin
		{"2026-03-31 22:01", ""},    // his has not begun in New York
		{"2026-04-01 03:59", ""},
		{"2026-04-01 04:00", "bob"},
	} {
		if got := r.Lead("Payments", utc(c.at)); got != c.lead {
			t.Errorf("at %s %q leads, want %q", c.at, got, c.lead)
		}
	}
	for _, c := range []struct {
		person, at string
		want       []Membership
	}{
		{"ann", "2024-01-31 22:59", nil},
		{"ann", "2024-01-31 23:00", []Membership{{"Payments", "ann", Period{}, 0.5}}},
		{"ann", "2025-06-01", []Membership{{"Payments", "ann", Period{}, 0.5}, {"Web", "ann", days("2025-01-01", ""), 0.1}}},
		{"bob", "2026-09-01 03:59", []Membership{{"Payments", "bob", Period{}, 1}}},
		{"bob", "2026-09-01 04:00", nil},
		{"eve", "2026-01-01", nil},
	} {
		if got := r.Memberships(c.person, utc(c.at)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s at %s: %v, want %v", c.person, c.at, got, c.want)
		}
	}
	if got := r.MembersAt("Payments", utc("2026-10-01")); len(got) != 1 || got[0].Person != "ann" {
		t.Errorf("members after bob left: %v", got)
	}
	moves := one(t, "zone: America/New_York, schedules: {from: 2026-05-06, zone: Asia/Kolkata}")
	for day, want := range map[string]string{"2026-05-05": "2026-05-05 04:00", "2026-05-06": "2026-05-05 18:30"} {
		if got := moves.DayStart("ann", mustDay(day)); !got.Equal(utc(want)) {
			t.Errorf("%s begins at %s, want %s", day, got, want)
		}
	}
	if !moves.DayStart("ann", 0).IsZero() || !moves.DayStart("eve", 1).IsZero() {
		t.Error("no day begins")
	}
	for _, c := range []struct {
		source, at string
		names      []string
		want       string
	}{
		{"servicenow", "2020-01-01", []string{"abc", "Payments Support"}, "Payments"},
		{"jira", "2024-12-31 23:59", []string{"PAY"}, ""},
		{"jira", "2025-01-01", []string{"PAY"}, "Payments"},
		{"servicenow", "2025-01-01", []string{"PAY"}, ""},
	} {
		if got := r.QueueTeam(c.source, utc(c.at), c.names...); got != c.want {
			t.Errorf("queue %v at %s is %q's, want %q", c.names, c.at, got, c.want)
		}
	}
	for _, c := range []struct {
		at   string
		want []string
	}{{"2026-05-04 12:59", nil}, {"2026-05-04 13:00", []string{"bob"}}, {"2026-05-11 13:00", []string{"ann"}}, {"2026-05-18 13:00", nil}} {
		if got := r.OnCallFor("Payments", utc(c.at)); !slices.Equal(got, c.want) {
			t.Errorf("on call at %s: %v, want %v", c.at, got, c.want)
		}
		if got := r.OnCall("bob", utc(c.at)); got != slices.Contains(c.want, "bob") {
			t.Errorf("bob on call at %s: %v", c.at, got)
		}
	}
	if got := r.Shifts("ann", utc("2026-05-18 12:00"), utc("2026-06-01")); len(got) != 1 {
		t.Errorf("shifts that touch the window: %v", got)
	}
	if got := r.Shifts("ann", utc("2026-05-18 13:00"), utc("2026-06-01")); len(got) != 0 {
		t.Errorf("shifts past their end: %v", got)
	}
	if lead := r.Lead("None", utc("2026-01-01")); lead != "" || r.MembersAt("None", utc("2026-01-01")) != nil || r.OnCallFor("None", utc("2026-01-01")) != nil {
		t.Error("a team that is not there has people")
	}
}

// TestMistakes has one roster for each error there is, and the whole of the text
// after the place.
func TestMistakes(t *testing.T) {
	// Line 1 is the defaults, line 2 opens the people.
	people := func(lines ...string) string {
		return "defaults: {zone: UTC}\npeople:\n" + strings.Join(lines, "\n") + "\n"
	}
	cases := []struct {
		name, file, text string
		line             int
		want             string
	}{
		{"not YAML", "r.yaml", "people:\n\tann: {}", 2, "found character that cannot start any token: mend the YAML: mind indentation, and quote values with special characters"},
		{"two documents", "r.yaml", "people: {a: {zone: UTC}}\n---\nteams: {}", 2, "the file holds two documents: make one of them, or two files"},
		{"unknown section", "r.yaml", "peeple: {}", 1, `the file has no key "peeple": the keys here are bots, defaults, holidays, people, teams (did you mean "people"?)`},
		{"unknown key of a person", "r.yaml", people("  ann:", "    naem: Ann"), 4, `person "ann" has no key "naem": the keys here are accounts, email, fte, holidays, hours, joined, leave, left, name, schedules, zone (did you mean "name"?)`},
		{"reason of leave", "r.yaml", people("  ann:", "    leave:", "      - from: 2026-01-01", "        reason: flu"), 6, `a leave has no key "reason": the keys here are from, part, to`},
		{"key twice", "r.yaml", people("  ann: {name: Ann}", "  ann: {name: Ann}"), 4, `people has "ann" twice, also at r.yaml:3: remove one, or put them together`},
		{"no value", "r.yaml", people("  ann:"), 3, `"ann" of people has no value: give it a value, or remove the line`},
		{"list for a mapping", "r.yaml", "people:\n  - ann", 2, "people is to be a list of keys with values: write key: value, indented"},
		{"mapping for a value", "r.yaml", people("  ann: {name: {first: Ann}}"), 3, "name is to be a single value: write it on one line"},
		{"alias", "r.yaml", people("  ann: &a {name: A}", "  bob: *a"), 4, "anchors and aliases are not read here: write the value out, or use defaults:"},
		{"empty entry", "r.yaml", people("  ann: {email: [a@b.org, ]}", "  bob: {email: [~]}"), 4, "an entry of email is empty: give it a value, or remove the line"},
		{"nobody", "r.yaml", "teams: {A: {notify: x}}", 0, "there is nobody in the roster: list them under people: in YAML, or in people.csv"},
		{"empty file", "r.yaml", "# nothing\n", 0, "there is nobody in the roster: list them under people: in YAML, or in people.csv"},
		{"bad day", "r.yaml", people("  ann:", "    joined: 2026-02-30"), 4, `joined is "2026-02-30": write a day of the calendar as 2026-12-31`},
		{"day the other way round", "r.yaml", people("  ann:", "    left: 31.12.2026"), 4, `left is "31.12.2026": write a day of the calendar as 2026-12-31`},
		{"left before joined", "r.yaml", people("  ann: {joined: 2026-02-01, left: 2026-02-01}"), 3, "ann left on 2026-02-01, not after they joined on 2026-02-01: left is the day after the last one"},
		{"bad zone", "r.yaml", people("  ann:", "    zone: Europe/Berlim"), 4, `there is no zone "Europe/Berlim": use a name of the IANA database such as Europe/Berlin`},
		{"zone of this machine", "r.yaml", people("  ann: {zone: Local}"), 3, `there is no zone "Local": use a name of the IANA database such as Europe/Berlin`},
		{"no zone", "r.yaml", "people:\n  ann: {name: Ann}", 2, "ann has no zone: give them one, or give all one under defaults:, such as Europe/Berlin"},
		{"bad hours", "r.yaml", people("  ann:", "    hours: mon-fri 9-17"), 4, `hours: "9-17" is not a span of hours such as 09:00-17:00: write them as mon-thu 09:00-12:30 13:00-17:30; fri 09:00-14:00`},
		{"hours that overlap", "r.yaml", people("  ann: {hours: mon 09:00-12:00 11:00-17:00}"), 3, "hours: hours of mon overlap: 09:00-12:00 and what follows: write them as mon-thu 09:00-12:30 13:00-17:30; fri 09:00-14:00"},
		{"fte over one", "r.yaml", people("  ann:", "    fte: 1.2"), 4, "fte is 1.2: give the share of a full working week, between 0 and 1"},
		{"fte no number", "r.yaml", people("  ann: {fte: half}"), 3, `fte is "half": write a number such as 0.8`},
		{"fte not a number", "r.yaml", people("  ann: {fte: .nan}"), 3, `fte is ".nan": write a number such as 0.8`},
		{"fte NaN", "r.yaml", people("  ann: {fte: NaN}"), 3, "fte is NaN: give the share of a full working week, between 0 and 1"},
		{"no address", "r.yaml", people("  ann: {email: ann}"), 3, `"ann" of ann is no e-mail address: write it as name@example.org`},
		{"address of two", "r.yaml", people("  ann: {email: a@b.org}", "  bob: {email: A@b.org}"), 4, "a@b.org of bob is there twice, also at r.yaml:3: an address belongs to one person, once: remove the other"},
		{"account of two", "r.yaml", people("  ann: {accounts: {jira: x}}", "  bob: {accounts: {jira: x}}"), 4, `account "x" of source jira is there twice, also at r.yaml:3: an account is one person's, or a bot: remove one`},
		{"account of a person and a bot", "r.yaml", people("  ann: {accounts: {jira: x}}", "bots:", "  jira: x"), 5, `account "x" of source jira is there twice, also at r.yaml:3: an account is one person's, or a bot: remove one`},
		{"control character", "r.yaml", people(`  ann: {name: "A\e[31m"}`), 3, `the name "A\x1b[31m" cannot be printed: save the file as UTF-8, and leave out control characters`},
		{"schedule without days", "r.yaml", people("  ann:", "    schedules:", "      - {fte: 0.5}"), 5, "a schedule of ann has no days: give it a from or a to, or say it of the person"},
		{"schedules that overlap", "r.yaml", people("  ann:", "    schedules:", "      - {from: 2026-01-01, to: 2026-03-01}", "      - {from: 2026-02-01}"), 6, "two schedules of ann hold at once, from 2026-02-01 on and by r.yaml:5: end one before the other begins"},
		{"schedule that ends first", "r.yaml", people("  ann: {schedules: {from: 2026-01-02, to: 2026-01-01}}"), 3, "a schedule of ann ends on 2026-01-01, not after it begins on 2026-01-02: make from the first day on which it holds and to the first on which it no longer does"},
		{"leave of one day by its last", "r.yaml", people("  ann: {leave: {from: 2026-01-01, to: 2026-01-01}}"), 3, "a leave of ann ends on 2026-01-01, not after it begins on 2026-01-01: make from the first day on which it holds and to the first on which it no longer does"},
		{"leave without from", "r.yaml", people("  ann: {leave: {to: 2026-01-01}}"), 3, "a leave of ann has no from: say from which day on"},
		{"part", "r.yaml", people("  ann: {leave: {from: 2026-01-01, part: 50}}"), 3, "part is 50: give the share of the working time that they are away, over 0 and up to 1"},
		{"unknown calendar", "r.yaml", people("  ann: {name: Ann,", "    holidays: GER}", "holidays: {GB: 2026-01-01, GE: 2026-01-01}"), 4, `there is no calendar "GER", which ann keeps: list its days under holidays: in YAML or in holidays.csv, or correct the name (did you mean "GE"?)`},
		{"calendar without days", "r.yaml", "holidays:\n  DE: []", 2, "calendar DE has no days: list its days, or remove it"},
		{"calendar with a space", "r.yaml", people("  ann: {name: Ann}", "holidays:", "  New York: [2026-01-01]"), 5, `the name of calendar "New York" has spaces in it: leave out the spaces`},
		{"defaults twice", "r.yaml", "defaults: {zone: UTC}\npeople: {}\ndefaults: {zone: UTC}", 3, `the file has "defaults" twice, also at r.yaml:1: remove one, or put them together`},
		{"unknown member", "r.yaml", people("  anna: {name: A}", "teams:", "  T:", "    members:", "      - ann"), 7, `person "ann" is not in the roster: add them to the people, or correct the id (did you mean "anna"?)`},
		{"unknown lead", "r.yaml", people("  ann: {name: A}", "teams:", "  T:", "    lead: zoe"), 6, `person "zoe" is not in the roster: add them to the people, or correct the id`},
		{"member without a person", "r.yaml", people("  ann: {name: A}", "teams:", "  T:", "    members: [{fte: 1}]"), 6, "a member has no person: add it"},
		{"membership that ends first", "r.yaml", people("  ann: {name: A}", "teams:", "  T: {members: {person: ann, from: 2026-01-02, to: 2026-01-01}}"), 5, "the membership of ann in T ends on 2026-01-01, not after it begins on 2026-01-02: make from the first day on which it holds and to the first on which it no longer does"},
		{"member of the same team twice", "r.yaml", people("  ann: {name: A}", "teams:", "  T:", "    members:", "      - {person: ann, fte: 0.1}", "      - {person: ann, fte: 0.1, to: 2026-01-01}"), 8, "ann is in T until 2026-01-01, and also by r.yaml:7: end one before the other begins, or remove one"},
		{"more than all", "r.yaml", people("  ann: {name: A}", "teams:", "  T:", "    members:", "      - ann", "  U: {members: {person: ann, fte: 0.5, from: 2026-01-01}}"), 8, "the memberships of ann take 1.5 FTE on 2026-01-01 (also T at r.yaml:7), but they have 1: say with fte how their time is split, or end a membership"},
		{"more than all, by a schedule", "r.yaml", people("  ann: {schedules: {from: 2026-05-01, fte: 0.5}}", "teams:", "  T: {members: {person: ann, fte: 0.8}}"), 5, "the memberships of ann take 0.8 FTE on 2026-05-01, but they have 0.5: say with fte how their time is split, or end a membership"},
		{"member before they came", "r.yaml", people("  ann: {joined: 2026-01-01}", "teams:", "  T: {members: {person: ann, to: 2026-01-01}}"), 5, "ann is in T until 2026-01-01, but works here from 2026-01-01 on: correct the days of the one or the other"},
		{"two leads", "r.yaml", people("  ann: {name: A}", "teams:", "  T:", "    lead:", "      - ann", "      - {person: ann, from: 2026-01-01}"), 8, "ann leads T from 2026-01-01 on, while ann does (r.yaml:7): a team has one lead at a time: end one before the other begins"},
		{"queue of two teams", "r.yaml", people("  ann: {name: A}", "teams:", "  T: {queues: {source: j, queue: Q}}", "  U: {queues: {source: j, queue: Q}}"), 6, `queue "Q" of source j is that of U always, while it is that of T (r.yaml:5): a queue is one team's at a time: end one before the other begins`},
		{"queue without a source", "r.yaml", people("  ann: {name: A}", "teams:", "  T: {queues: {queue: Q}}"), 5, "a queue has no source: add it"},
		{"notified twice", "r.yaml", people("  ann: {name: A}", "teams:", "  T: {notify: [a, a]}"), 5, `team "T" notifies "a" twice: remove one`},
		{"bad time", "r.yaml", people("  ann: {name: A}", "teams:", "  T:", "    on_call: {person: ann, from: Monday, to: 2026-01-01}"), 6, `from is "Monday": write a time as 2026-05-04T09:00, or with a zone as 2026-05-04T09:00+02:00`},
		{"shift that ends first", "r.yaml", people("  ann: {name: A}", "teams:", "  T:", "    on_call: {person: ann, from: 2026-01-01 10:00, to: 2026-01-01 09:00}"), 6, "a shift of ann ends at 2026-01-01 09:00, not after it begins at 2026-01-01 10:00: make to the time at which it is over"},
		{"shift of a stranger", "r.yaml", people("  ann: {name: A}", "teams:", "  T:", "    on_call: {person: bob, from: 2026-01-01, to: 2026-01-02}"), 6, `person "bob" is not in the roster: add them to the people, or correct the id`},
		{"shifts that overlap", "r.yaml", people("  ann: {name: A}", "teams:", "  T:", "    on_call:", "      - {person: ann, from: 2026-01-01, to: 2026-01-03}", "      - {person: ann, from: 2026-01-02, to: 2026-01-04}"), 8, "two shifts of ann for T overlap, the other is at r.yaml:7: end one before the other begins"},

		{"unknown table", "dir/peoples.csv", "person\n", 0, `no table of a roster has this name: name it accounts.csv, bots.csv, holidays.csv, leave.csv, members.csv, on_call.csv, people.csv, queues.csv, schedules.csv, teams.csv, or move it away (did you mean "people"?)`},
		{"empty table", "people.csv", "", 1, "the file is empty: begin it with the line person,name,email,joined,left,zone,hours,holidays,fte"},
		{"unknown column", "people.csv", "person,mail\n", 1, `there is no column "mail": the columns are person, name, email, joined, left, zone, hours, holidays, fte (did you mean "email"?)`},
		{"column twice", "people.csv", "person,zone,Zone\n", 1, "column zone is there twice: remove one"},
		{"missing column", "people.csv", "# export\nname\n", 2, "there is no column person: add it; the columns are person, name, email, joined, left, zone, hours, holidays, fte"},
		{"empty required cell", "people.csv", "person,zone\nann,UTC\n,UTC\n", 3, "column person is empty: fill it"},
		{"too few values", "people.csv", "person,zone\nann\n", 2, "wrong number of fields: give each line as many values as the header has, and put a value with a separator in it between quotes"},
		{"stray quote", "people.csv", "person,zone\nann,U\"TC\n", 2, `bare " in non-quoted-field: put a value that has quotes in it between quotes, and double them`},
		{"person twice", "people.csv", "person,zone\nann,UTC\nann,UTC\n", 3, `person "ann" is there twice, also at people.csv:2: remove one, or give them different ids`},
		{"bad day in CSV", "people.csv", "person,joined\nann,1/2/2026\n", 2, `joined is "1/2/2026": write a day of the calendar as 2026-12-31`},
		{"bad zone in CSV", "people.csv", "person,zone\nann,CEST\n", 2, `there is no zone "CEST": use a name of the IANA database such as Europe/Berlin`},
		{"bad hours in CSV", "people.csv", "person,hours\nann,weekdays 09:00-17:00\n", 2, `hours: "weekdays" is not a day or range of days such as mon or mon-fri: write them as mon-thu 09:00-12:30 13:00-17:30; fri 09:00-14:00`},
		{"lead's days without a lead", "teams.csv", "team,lead,from\nT,,2026-01-01\n", 2, `a line of team "T" has days and no lead: name the lead, or leave from and to empty`},
		{"team twice", "teams.csv", "team\nT\nT\n", 3, `team "T" is there twice, also at teams.csv:2: give a line for each lead, or one`},
		{"schedule of a stranger", "schedules.csv", "person,from\nann,2026-01-01\n", 2, `person "ann" is not in the roster: add them to the people, or correct the id`},
		{"neither", "roster.json", "{}", 0, "the file is neither YAML nor CSV by its name: let it end in .yaml or .csv"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(File{c.file, []byte(c.text)})
			var wrong *Error
			if !errors.As(err, &wrong) {
				t.Fatalf("error is %v, want an *Error", err)
			}
			if wrong.File != c.file || wrong.Line != c.line {
				t.Errorf("place is %s:%d, want %s:%d", wrong.File, wrong.Line, c.file, c.line)
			}
			if got := wrong.Problem + ": " + wrong.Remedy; got != c.want {
				t.Errorf("error is\n%s, want\n%s", got, c.want)
			}
			if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), c.file) {
				t.Errorf("error is not one line with its file: %q", err)
			}
		})
	}
}

func TestMistakesAcrossFiles(t *testing.T) {
	people := File{"people.csv", []byte("person,zone\nann,UTC\nbob,UTC\n")}
	for _, c := range []struct {
		name string
		file File
		want string
	}{
		{"stranger in members", File{"members.csv", []byte("team,person\nT,amy\n")}, `members.csv:2: team "T" is not in the roster: add it to the teams, or correct the name`},
		{"person in both", File{"r.yaml", []byte("people:\n  bob: {zone: UTC}\n")}, `r.yaml:2: person "bob" is there twice, also at people.csv:3: remove one, or give them different ids`},
		{"account of a stranger", File{"accounts.csv", []byte("person,source,account\namn,jira,1\n")}, `accounts.csv:2: person "amn" is not in the roster: add them to the people, or correct the id (did you mean "ann"?)`},
		{"the same file", people, "people.csv: the file is named twice: name it once"},
	} {
		if _, err := Parse(people, c.file); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	two := File{"a.yaml", []byte("defaults: {zone: UTC}")}
	if _, err := Parse(two, File{"b.yaml", two.Text}); err == nil || err.Error() != "b.yaml:1: there are defaults twice, also at a.yaml:1: put them together" {
		t.Errorf("defaults in two files: %v", err)
	}
}

func TestLoadMistakes(t *testing.T) {
	empty := t.TempDir()
	for path, want := range map[string]string{
		empty + "/none.yaml": empty + "/none.yaml: there is no such file or folder: correct the path of the roster",
		empty:                empty + ": the folder holds no .yaml and no .csv file: put the roster there, or correct the path",
	} {
		if _, err := Load(path); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	huge := filepath.Join(empty, "huge.yaml")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(huge); err == nil || !strings.Contains(err.Error(), "greater than 64 MiB") {
		t.Errorf("a huge file: %v", err)
	}
	if _, err := Load(); err == nil {
		t.Error("no file at all is a roster")
	}
}

// TestNewRefuses what no file can say, but other data could.
func TestNewRefuses(t *testing.T) {
	base := parseSmall(t, small).Data()
	for name, spoil := range map[string]func(*Data){
		"no schedule":            func(d *Data) { d.Schedules = d.Schedules[:3] },
		"schedules out of order": func(d *Data) { d.Schedules[1], d.Schedules[2] = d.Schedules[2], d.Schedules[1] },
		"first schedule late":    func(d *Data) { d.Schedules[3].From = 7 },
		"bad zone":               func(d *Data) { d.Schedules[0].Zone = "Mars/Olympus" },
		"bad hours":              func(d *Data) { d.Schedules[0].Hours[1] = []Hours{{5, 5000}} },
		"address in upper case":  func(d *Data) { d.People[0].Emails[0] = "ANN@example.org" },
		"negative fte":           func(d *Data) { d.Memberships[0].FTE = -0.5 },
		"holiday without a day":  func(d *Data) { d.Holidays[0].Day = 0 },
		"endless shift":          func(d *Data) { d.Shifts[0].To = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"shift backwards":        func(d *Data) { d.Shifts[0].To = d.Shifts[0].From },
		"not UTF-8":              func(d *Data) { d.People[0].Name = "\xff" },
		"space around":           func(d *Data) { d.Teams[0].Name = " Payments" },
		"too long":               func(d *Data) { d.People[0].Name = strings.Repeat("x", 201) },
	} {
		d := base.clone()
		spoil(&d)
		if _, err := New(d); err == nil || !strings.HasPrefix(err.Error(), "roster: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(base); err != nil {
		t.Errorf("the unspoiled one: %v", err)
	}
}

func TestMatch(t *testing.T) {
	r := parseSmall(t, small)
	account := func(source, id, email string) ticket.Account {
		return ticket.Account{Source: source, ID: id, Email: email, Active: true}
	}
	machine := account("jira", "app", "bob@example.org")
	machine.Bot = true
	own := account("jira", "5b10", "somebody@else.org")
	own.Bot = true // the roster knows better
	m := r.Match([]ticket.Account{
		own, machine,
		account("servicenow", "6816", ""),
		account("servicenow", "a", " MAIDEN@example.org"),
		account("servicenow", "monitor", "ann@example.org"),
		account("servicenow", "b1", "bob@example.org"), account("servicenow", "b2", "Bob@example.org"),
		account("asana", "b", "bob@example.org"), account("asana", "b", "bob@example.org"),
		account("asana", "c", "cyd@example.org"), account("asana", "d", ""),
	})
	for _, c := range []struct{ source, id, want string }{
		{"jira", "5b10", "ann"}, {"jira", "app", ""}, {"servicenow", "6816", "ann"}, {"servicenow", "a", "ann"},
		{"servicenow", "monitor", ""}, {"servicenow", "b1", ""}, {"servicenow", "b2", ""}, {"asana", "b", "bob"}, {"asana", "c", ""}, {"asana", "d", ""},
	} {
		if got := m.Person(c.source, c.id); got != c.want {
			t.Errorf("account %s of %s is %q's, want %q", c.id, c.source, got, c.want)
		}
	}
	var got []string
	for _, u := range m.Unmatched {
		got = append(got, u.Source+" "+u.ID+" "+u.Reason)
	}
	want := []string{"asana c " + ReasonNobody, "asana d " + ReasonHidden, "servicenow b1 " + ReasonShared, "servicenow b2 " + ReasonShared}
	if !slices.Equal(got, want) {
		t.Errorf("unmatched are %q, want %q", got, want)
	}
	if n := m.Count(); n["asana"] != 2 || n["servicenow"] != 2 || len(n) != 2 {
		t.Errorf("counts are %v", n)
	}
	if m.Bots != 2 || len(m.WithoutAccount) != 0 || len(m.Missing) != 1 || m.Missing[0].ID != "77" {
		t.Errorf("%d bots, without account %v, missing %v", m.Bots, m.WithoutAccount, m.Missing)
	}
	if m := r.Match(nil); !slices.Equal(m.WithoutAccount, []string{"ann", "bob"}) {
		t.Errorf("of no accounts, without are %v", m.WithoutAccount)
	}
}
