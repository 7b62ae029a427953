package analysis

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/analysis/rebalance"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/roster"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

// heap is a queue in which Ann holds six tickets of the firewall, Dan two of
// something else, and Cho none, who has just resolved two of the firewall.
func heap(t *testing.T, more ...*written) *clickhouse.DB {
	t.Helper()
	var tickets []*written
	for i := range 6 {
		w := opened(fmt.Sprint("A", i), 40).give(50, "u1").status(51, "u1", statusWork)
		w.Key = fmt.Sprint("INC", i)
		tickets = append(tickets, w)
	}
	for i := range 2 {
		tickets = append(tickets,
			opened(fmt.Sprint("C", i), 40).give(50, "cho").status(59, "cho", statusDone),
			opened(fmt.Sprint("D", i), 40).in("a2").give(50, "dan"))
	}
	return warehouse(t, append(tickets, more...)...)
}

func movesOf(r Rebalancing) string {
	var list []string
	for _, m := range r.Moves {
		list = append(list, m.Key+" "+m.FromName+">"+m.ToName)
	}
	return strings.Join(list, ", ")
}

func byTickets() RebalanceOptions {
	o := DefaultRebalanceOptions()
	o.Unit = Tickets
	return o
}

// Eight tickets for three people: nobody is to have more than 1.15 · 8/3 = 3.07,
// so Ann gives three, and Cho alone knows what they are about.
func TestRebalanceByHand(t *testing.T) {
	db := heap(t,
		opened("N", 55), // in nobody's hands
		opened("R", 55).of("jira").give(55, "robot"), // of the same name's queue in the other source
		opened("V", 59.99).of("jira").give(59.999, "bob"))
	r, err := engine(db).Rebalance(context.Background(), "Network", day(60), byTickets())
	if err != nil {
		t.Fatal(err)
	}
	if got := movesOf(r); got != "INC0 Ann>Cho, INC1 Ann>Cho, INC2 Ann>Cho" {
		t.Errorf("moves %s", got)
	}
	if !r.Proven || r.AtLeast != 3 || r.Tickets != 8 || !r.Provisional || r.LeftOut != (LeftOut{1, 1, 1}) {
		t.Errorf("got %+v", r)
	}
	if why := r.Moves[0].Why; why != "resolved 2, the first to resolve one in Firewall, evidence 4.9" {
		t.Errorf("why: %s", why)
	}
	if !r.Moves[0].InProgress || r.Moves[0].Source != "snow" || !slices.Equal(r.Moves[0].Areas, []string{"Firewall"}) {
		t.Errorf("the move is %+v", r.Moves[0])
	}
	// Ann 6, Dan 2, Cho 0 of 8: G = 2·(6−0 + 6−2 + 2−0)/(2·3·8) = 0.5.
	if *r.Before.Gini != 0.5 || r.People[0].Before.Tickets != 6 || r.People[0].After.Tickets != 3 || *r.People[0].Before.Relative != 2.25 {
		t.Errorf("before %v, after %+v", *r.Before.Gini, r.People)
	}
	var text strings.Builder
	if err := r.Write(&text, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"A queue, not a team", "1 that nobody holds, 1 in the hands of people of no or another team, 1 of integration accounts",
		"3 moves (proven minimal)", "INC0 (in progress)", "(Ann)", "evidence 4.9", "0.500",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
	text.Reset()
	if err := r.Write(&text, false); err != nil || strings.Contains(text.String(), "Ann") || strings.Contains(text.String(), "Cho") {
		t.Errorf("names are there without being asked for:\n%s", &text)
	}

	o := byTickets()
	o.Unassigned = true
	// Seven of the firewall are too many for two people who may have three each:
	// one of them has four, and the one that nobody has goes to somebody.
	if r, err = engine(db).Rebalance(context.Background(), "Network", day(60), o); err != nil || r.Status != rebalance.Impossible || len(r.Moves) != 3 || r.Moves[0].Key != "N" || r.Moves[0].From != "" || len(r.Over) != 1 {
		t.Errorf("%v, %s, %s", err, movesOf(r), r.Status)
	}
	o.Unassigned, o.Evidence = false, 5
	// Two resolved yesterday, the first that are known: (2 + 3)·exp(−1/90).
	if r, err = engine(db).Rebalance(context.Background(), "Network", day(60), o); err != nil || r.Status != rebalance.Impossible || len(r.Moves) != 0 || len(r.Over) != 1 {
		t.Errorf("%v, %s, %s", err, movesOf(r), r.Status)
	}
	if _, err := engine(db).Rebalance(context.Background(), "Nowhere", day(60), o); err == nil || !strings.Contains(err.Error(), "Nowhere") {
		t.Errorf("an unknown team: %v", err)
	}
}

// With a roster: whoever is away for the time ahead takes nothing, and gives up
// what they have.
func TestRebalanceWithRoster(t *testing.T) {
	db := heap(t)
	d := roster.Data{
		Teams: []roster.Team{{Name: "Network"}},
		Leave: []roster.Leave{{Person: "dan", Period: roster.Period{From: roster.DayOf(day(58)), To: roster.DayOf(day(99))}, Part: 1}},
	}
	for id, account := range map[string]string{"ann": "u1", "cho": "cho", "dan": "dan"} {
		d.People = append(d.People, roster.Person{ID: id})
		d.Accounts = append(d.Accounts, roster.Mapping{Person: id, AccountRef: roster.AccountRef{Source: "snow", ID: account}})
		d.Schedules = append(d.Schedules, roster.Schedule{Person: id, Zone: "UTC", FTE: 1})
		d.Memberships = append(d.Memberships, roster.Membership{Team: "Network", Person: id, FTE: roster.Whole})
	}
	staff, err := roster.New(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.WriteRoster(context.Background(), staff); err != nil {
		t.Fatal(err)
	}
	o := byTickets()
	r, err := engine(db).Rebalance(context.Background(), "Network", day(60), o)
	if err != nil {
		t.Fatal(err)
	}
	// Nobody but Dan knows what Dan holds: he keeps it, and is over his limit of 0.
	// Eight for two are 4.6 each, so two go from Ann to Cho.
	if r.Provisional || r.Status != rebalance.Impossible || len(r.Over) != 1 || len(r.Moves) != 2 || r.Moves[0].ToName == "" {
		t.Errorf("got %+v", r)
	}
	if !slices.ContainsFunc(r.People, func(p RebalancingPerson) bool {
		return p.Capacity == 0 && p.Before.Relative == nil && p.After.Tickets == 2
	}) {
		t.Errorf("people: %+v", r.People)
	}
}

// TestRebalanceOrganisation: every team of the generated organisation gets a plan
// that can be carried out by people who know what it is about.
func TestRebalanceOrganisation(t *testing.T) {
	o := sandbox.Generate(3, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: 3_000})
	db := sandboxtest.Organisation(t, o)
	staff, err := roster.Parse(roster.File{Name: "roster.yaml", Text: o.RosterYAML()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := db.WriteRoster(ctx, staff); err != nil {
		t.Fatal(err)
	}
	e := engine(db)
	areas, err := e.Ownership(ctx, o.Now, All)
	if err != nil {
		t.Fatal(err)
	}
	moves := 0
	for _, team := range staff.Teams() {
		r, err := e.Rebalance(ctx, team.Name, o.Now, RebalanceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		moves += len(r.Moves)
		held := map[string]int{}
		for _, m := range r.Moves {
			held[m.From]--
			held[m.To]++
			knows := len(m.Areas) == 0
			for _, a := range areas {
				if slices.Contains(m.Areas, a.Area) {
					knows = knows || slices.ContainsFunc(a.Holders, func(h Holder) bool { return h.Pseudonym == m.To && h.Evidence >= 1 })
				}
			}
			if !knows {
				t.Errorf("%s: %s is to go to somebody who does not know it: %s", team.Name, m.Key, m.Why)
			}
		}
		within := r.Status == rebalance.Minimal || r.Status == rebalance.NotProven
		for _, p := range r.People {
			if p.After.Tickets-p.Before.Tickets != held[p.Pseudonym] {
				t.Errorf("%s: %s has %d before and %d after, with %d moved", team.Name, p.Pseudonym, p.Before.Tickets, p.After.Tickets, held[p.Pseudonym])
			}
			if within && p.After.Weight > p.Limit+1e-9 {
				t.Errorf("%s: %s is over the limit with %v of %v", team.Name, p.Pseudonym, p.After.Weight, p.Limit)
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		t.Logf("%s: %d of %d tickets, %s, Gini %s to %s", team.Name, len(r.Moves), r.Tickets, r.Status, optional(r.Before.Gini, 3), optional(r.After.Gini, 3))
	}
	if moves == 0 {
		t.Error("nothing to move anywhere")
	}
}

// A team whose last open ticket was closed is still one that may have been meant.
func TestRebalanceOfNoTeam(t *testing.T) {
	db := warehouse(t, opened("1", 40).give(50, "u1").status(59, "u1", statusDone))
	_, err := engine(db).Rebalance(context.Background(), "Netwrk", day(60), byTickets())
	if err == nil || !strings.Contains(err.Error(), `no team "Netwrk" with people or open tickets`) || !strings.Contains(err.Error(), "did you mean Network?") {
		t.Errorf("got %v", err)
	}
}

func TestRebalanceOptions(t *testing.T) {
	for _, c := range []struct {
		change func(*RebalanceOptions)
		says   string
	}{
		{func(o *RebalanceOptions) { o.Tolerance = -1 }, "tolerance"},
		{func(o *RebalanceOptions) { o.Evidence = -1 }, "evidence"},
		{func(o *RebalanceOptions) { o.Ahead = 0 }, "ahead"},
		{func(o *RebalanceOptions) { o.Unit = "hours" }, "unit"},
	} {
		o := DefaultRebalanceOptions()
		c.change(&o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%s: %v", c.says, err)
		}
	}
	if err := DefaultRebalanceOptions().Validate(); err != nil {
		t.Error(err)
	}
}
