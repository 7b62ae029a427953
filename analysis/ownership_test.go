package analysis

import (
	"context"
	"maps"
	"math"
	"reflect"
	"testing"

	"fairlead/connectors/ticket"
)

func decay(days float64) float64 { return math.Exp(-days / 90) }

func TestOwnershipByHand(t *testing.T) {
	db := warehouse(t,
		// Firewall, as of day 100. Cho resolves on day 10, the first of all,
		// and moves it on herself on day 5.
		opened("1", 0).give(1, "cho").status(5, "cho", statusWork).status(10, "cho", statusDone),
		// Cho resolves on day 90; Dan comments while it is hers, twice: the
		// later counts. Cho's own comment is none. Bob, of the other source,
		// never held a ticket of his own: his comment says nothing.
		opened("2", 80).give(80, "cho").comment(82, "dan").comment(85, "dan").comment(86, "cho").status(90, "cho", statusDone),
		// Half of it is in a2. Dan resolves on day 95.
		opened("3", 94).in("a1", "a2").give(94, "dan").status(95, "dan", statusDone),
		// Closed by the robot, held by Ann of the other source; the closing of
		// what is done is no evidence.
		opened("4", 50).of("jira").give(50, "ann").status(60, "robot", statusDone).status(61, "robot", statusClosed),
		// After as_of: nothing.
		opened("5", 20).give(101, "dan").status(102, "dan", statusDone),
		// Without an area: nothing.
		opened("6", 20).in().give(21, "dan").status(22, "dan", statusDone),
		// Only asked for, by somebody who never holds a ticket.
		opened("7", 20).of("jira").comment(21, "bob"),
	)
	areas, err := engine(db).Ownership(context.Background(), day(100), All)
	if err != nil {
		t.Fatal(err)
	}
	if len(areas) != 2 || areas[0].Area != "Firewall" || areas[1].Area != "a2" {
		t.Fatalf("areas are %+v", areas)
	}
	cho := decay(90) + decay(10) + 0.25*decay(95) + 3*decay(90)
	dan := 0.5*decay(15) + decay(5)/2
	ann := decay(40)
	firewall := areas[0]
	for i, want := range []struct {
		name                           string
		evidence                       float64
		resolutions, acts, transitions uint64
		first                          bool
	}{{"Cho", cho, 2, 0, 1, true}, {"Dan", dan, 1, 1, 0, false}, {"Ann", ann, 1, 0, 0, false}} {
		h := firewall.Holders[i]
		if h.Name != want.name || math.Abs(h.Evidence-want.evidence) > 1e-6 || h.Resolutions != want.resolutions || h.Acts != want.acts || h.Transitions != want.transitions || h.First != want.first {
			t.Errorf("holder %d is %+v, want %+v", i, h, want)
		}
	}
	total := cho + dan + ann
	// Nobody else is of the team: each has a third of the prior of 4.
	share := func(evidence float64) float64 { return (evidence + 4.0/3) / (total + 4) }
	if math.Abs(firewall.Evidence-total) > 1e-6 || firewall.Owners != 3 || firewall.People != 3 || math.Abs(*firewall.TopShare-share(cho)) > 1e-6 {
		t.Errorf("firewall is %+v", firewall)
	}
	if hhi := share(cho)*share(cho) + share(dan)*share(dan) + share(ann)*share(ann); math.Abs(*firewall.HHI-hhi) > 1e-6 || math.Abs(*firewall.Effective-1/hhi) > 1e-6 {
		t.Errorf("hhi %v, want %v", *firewall.HHI, hhi)
	}
	// Created since day 10: 2 (Cho and Dan), half of 3 (Dan), 4 (Ann: the robot
	// is nobody), 5 and 7 (nobody yet). Of the 2½ that were touched nobody but
	// the top holder touched: none.
	if math.Abs(firewall.Tickets-4.5) > 1e-9 || firewall.Team != "Network" {
		t.Errorf("firewall has %v recent tickets of %s", firewall.Tickets, firewall.Team)
	}
	if firewall.Silo == nil || firewall.Silo.Demand != 0 {
		t.Errorf("silo is %+v", firewall.Silo)
	}
	// a2 has Dan's half, and his bonus for the first there is enough for a
	// score.
	a2 := areas[1]
	// His share is that of three people, Cho and Ann are of the team.
	e := decay(5)/2 + 3*decay(5)
	q, rest := (e+4.0/3)/(e+4), 4.0/3/(e+4)
	if math.Abs(a2.Evidence-e) > 1e-6 || a2.Owners != 1 || math.Abs(*a2.HHI-q*q-2*rest*rest) > 1e-6 || math.Abs(*a2.TopShare-q) > 1e-6 {
		t.Errorf("a2 is %+v, want evidence %v", a2, e)
	}
	if a2.Silo == nil || a2.Silo.Demand != 1 || a2.People < 2 {
		t.Errorf("a2's silo is %+v among %d", a2.Silo, a2.People)
	}
}

func TestOwnershipForgets(t *testing.T) {
	db := warehouse(t,
		opened("1", 0).give(0, "cho").status(1, "cho", statusDone),
		opened("2", 500).give(500, "dan").status(501, "dan", statusDone),
	)
	areas, err := engine(db).Ownership(context.Background(), day(560), All)
	if err != nil {
		t.Fatal(err)
	}
	// Cho's resolution, and that it was the first, are older than 547 days.
	if len(areas) != 1 || len(areas[0].Holders) != 1 || areas[0].Holders[0].Name != "Dan" || areas[0].Holders[0].First {
		t.Errorf("got %+v", areas)
	}
	if areas[0].Silo != nil {
		t.Errorf("evidence of %v is scored", areas[0].Evidence)
	}
	// A window cuts evidence as memory does; the ticket is still a recent one.
	areas, err = engine(db).Ownership(context.Background(), day(560), Days(30))
	if err != nil || len(areas) != 1 || areas[0].Evidence != 0 || areas[0].HHI != nil || areas[0].Tickets != 1 {
		t.Errorf("got %+v, %v", areas, err)
	}
}

func TestFindingsByHand(t *testing.T) {
	var tickets []*written
	// Forty days of the network: Cho holds thirty tickets for ten days each,
	// Dan and Ann five each. And all of a2 is Cho's.
	for i := range 40 {
		who, area := "cho", "a2"
		switch {
		case i >= 35:
			who, area = "ann", "a1"
		case i >= 30:
			who, area = "dan", "a1"
		}
		w := opened("t"+string(rune('A'+i)), float64(i%30)).in(area)
		if who == "ann" {
			w = w.of("jira")
		}
		tickets = append(tickets, w.give(float64(i%30), who).status(float64(i%30)+10, who, statusDone))
	}
	// A visitor: one short ticket.
	tickets = append(tickets, opened("v", 0).of("jira").in("a1").give(0, "bob").status(0.5, "bob", statusDone))
	s, err := engine(warehouse(t, tickets...)).Snapshot(context.Background(), day(41))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Findings) != 3 {
		t.Fatalf("findings are %+v", s.Findings)
	}
	sources := map[string][]string{}
	for _, state := range s.States {
		sources[state.Team] = state.Sources
	}
	if want := map[string][]string{"Network": {"jira", "snow"}}; !reflect.DeepEqual(sources, want) {
		t.Errorf("teams have tickets of %v, want %v", sources, want)
	}
	if want := map[string]int{"jira": 2, "snow": 2}; !maps.Equal(s.Unmatched, want) {
		t.Errorf("%v accounts match nobody in no roster, want %v", s.Unmatched, want)
	}
	uneven := s.Findings[2]
	if want := "Network is uneven beyond chance: 50 % of its open work over the last 90 days would have to move to be even among its 4 people, where luck alone gives 11 %. " +
		"Who was there and knows the area explains it: by lot among them it would be as uneven (Gini 0.60, seen 0.56)."; uneven.Kind != UnevenTeam || uneven.Sentence != want {
		t.Errorf("it says\n%s, want\n%s", uneven.Sentence, want)
	}
	over, hoard := s.Findings[0], s.Findings[1]
	if over.Kind != OverloadedEngineer || over.Name != "Cho" || over.Team != "Network" || over.People != 3 || math.Abs(over.Share-0.75) > 1e-12 || over.Tail > 1e-6 {
		t.Errorf("got %+v", over)
	}
	if want := over.Engineer + " carries 2.2 times an even share of Network's open work over the last 90 days: 75 % of 400 ticket-days among 3 people, where luck alone would exceed 51 % once in a hundred times."; over.Sentence != want {
		t.Errorf("it says\n%s, want\n%s", over.Sentence, want)
	}
	if hoard.Kind != HoardedArea || hoard.Area != "a2" || hoard.Name != "Cho" || hoard.Share != 1 {
		t.Errorf("got %+v", hoard)
	}
	if want := "What is known about a2 sits with " + hoard.Engineer + ": 100 % of the evidence, an effective 1.2 owners among 3 people; it had 30 tickets in the last 90 days, and of those that anybody touched nobody else touched 100 %."; hoard.Sentence != want {
		t.Errorf("it says\n%s, want\n%s", hoard.Sentence, want)
	}
	// Nobody stands out where work is even, and a department of two is none.
	s, err = engine(warehouse(t, opened("1", 0).give(0, "cho"), opened("2", 0).give(0, "dan"))).Snapshot(context.Background(), day(10))
	if err != nil || len(s.Findings) != 0 {
		t.Errorf("got %+v, %v", s.Findings, err)
	}
}

// TestSnapshotIsWhatDistributionSays: a Snapshot's figures are those of the
// single queries.
func TestSnapshotIsWhatDistributionSays(t *testing.T) {
	db := warehouse(t,
		opened("1", 0).give(0, "cho").status(20, "cho", statusDone),
		opened("2", 1).of("jira").give(2, "ann").give(30, "bob"),
		opened("3", 1).give(2, "dan").status(50, "dan", statusDone),
		opened("4", 60).give(60, "cho").update(61, "", map[ticket.Field]string{ticket.FieldGroup: "g2"}),
	)
	e := engine(db)
	ctx := context.Background()
	s, err := e.Snapshot(ctx, day(70))
	if err != nil {
		t.Fatal(err)
	}
	for _, window := range s.Windows {
		for _, basis := range Bases {
			for _, unit := range Units {
				groups, err := e.Distribution(ctx, Query{AsOf: day(70), Window: window, Basis: basis, Unit: unit, By: Team})
				if err != nil {
					t.Fatal(err)
				}
				if a, b := text(t, groups), text(t, s.Teams[TeamsKey{window, basis, unit}]); a != b {
					t.Errorf("%s %s %s: %s and %s", window, basis, unit, a, b)
				}
			}
		}
	}
	areas, err := e.Ownership(ctx, day(70), All)
	if err != nil || text(t, areas) != text(t, s.Areas) {
		t.Errorf("areas: %v", err)
	}
	if s.EffortVersion == "" || !s.AsOf.Equal(day(70)) || s.Computed.IsZero() {
		t.Errorf("snapshot is of %v, made %v, effort %q", s.AsOf, s.Computed, s.EffortVersion)
	}
}
