package analysis

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/distribution"
	"fairlead/analysis/people"
)

// heldTicket is one that is open, in a team and in the hands of an engineer; "" for
// nobody.
type heldTicket struct {
	team string
	workTicket
}

// openTickets are those of OpenLoad, one by one, without those of integrations.
func (t *telling) openTickets(ctx context.Context) ([]heldTicket, error) {
	var list []heldTicket
	err := t.e.each(ctx, "open tickets one by one", openSQL(t.e.db.Table("tickets"), oneByOne), t.w.parameters(t.to()), func(rows driver.Rows) error {
		var f fact
		var ticket uint64
		if err := rows.Scan(&f.source, &f.key, &f.actor, &f.class.Kind, &f.class.Priority, &f.class.Areas, &f.points, &f.items, &ticket); err != nil {
			return err
		}
		one := heldTicket{t.w.openTeam(f.source, f.key, f.actor, t.to()-1), workTicket{ticket: ticket, source: f.source, weight: float64(f.items)}}
		if f.actor != 0 {
			p := t.w.engineer(f.actor)
			if p.Bot {
				return nil
			}
			one.pseudonym = p.Pseudonym
		}
		list = append(list, one)
		return nil
	})
	return list, err
}

// openFigure counts open tickets.
func openFigure(name, formula string, list []workTicket) ExplainedFigure {
	n := float64(len(list))
	return ExplainedFigure{Name: name, Value: &n, Formula: formula, Inputs: []ExplainedInput{input("n", n, "tickets")}, Put: counted(len(list), "ticket") + ", listed below"}
}

// engineerOpen tells what somebody holds of each team's tickets.
func (t *telling) engineerOpen(ctx context.Context, who people.Engineer) error {
	all, err := t.openTickets(ctx)
	if err != nil {
		return err
	}
	byTeam := map[string][]workTicket{}
	for _, f := range t.x.Figures {
		byTeam[f.Team] = nil // who has work of a team may hold none of it now
	}
	if t.q.Team != "" {
		if !t.w.knowsTeam(t.q.Team) {
			return nil
		}
		byTeam[t.q.Team] = nil
	}
	for _, one := range all {
		if one.pseudonym == who.Pseudonym && (t.q.Team == "" || t.q.Team == one.team) {
			byTeam[one.team] = append(byTeam[one.team], one.workTicket)
		}
	}
	for _, team := range sortedKeys(byTeam) {
		t.put(Where{Team: team}, openFigure("open", "how many tickets of "+team+" are open and in their hands", byTeam[team]))
		t.list(listOpen, Where{Team: team}, "what is open in their hands ("+team+")", "tickets", byTeam[team])
	}
	return nil
}

// teamOpen tells what is open of a team, in hands and in nobody's.
func (t *telling) teamOpen(ctx context.Context) error {
	all, err := t.openTickets(ctx)
	if err != nil {
		return err
	}
	var held, unassigned []workTicket
	for _, one := range all {
		switch {
		case one.team != t.q.Team:
		case one.pseudonym == "":
			unassigned = append(unassigned, one.workTicket)
		default:
			held = append(held, one.workTicket)
		}
	}
	backlogs, err := t.e.backlogs(ctx, t.w, t.e.followed(t.q.AsOf), t.to())
	if err != nil {
		return err
	}
	b, ok := backlogs[t.q.Team]
	if !ok {
		b = Backlog{Now: uint64(len(unassigned)), WeeksAgo: make([]uint64, backlogWeeks)}.judged()
	}
	t.put(Where{}, openFigure("open", "how many tickets of the team are open and held by an engineer", held),
		openFigure("unassigned", "how many tickets of the team are open and held by nobody", unassigned), growingFigure(b))
	t.list(listOpen, Where{}, "what is open and held", "tickets", held)
	t.list(listUnassigned, Where{}, "what is open and held by nobody", "tickets", unassigned)
	return nil
}

// growingFigure is whether what nobody holds piles up.
func growingFigure(b Backlog) ExplainedFigure {
	series := make([]float64, len(b.WeeksAgo))
	for i, n := range b.WeeksAgo {
		series[i] = float64(n)
	}
	usual := distribution.Median(series[:(len(series)+1)/2])
	growing := 0.0
	if b.Growing {
		growing = 1
	}
	f := ExplainedFigure{
		Name: "unassigned_growing", Value: &growing, Formula: "1 if τ > 0 and p ≤ 0.05 (Mann–Kendall over the ends of the weeks), and now ≥ 1.25 · usual and now ≥ usual + 5; else 0",
		Inputs: []ExplainedInput{
			input("τ", b.Tau, "Kendall's, of the number with time"), input("p", b.P, "of such a trend by chance"),
			input("now", float64(b.Now), "open tickets that nobody holds"), input("usual", usual, "the median of the first half of the weeks"),
		},
		Put: fmt.Sprintf("at the ends of the last %s: %v; τ = %s, p = %s, now %d, usual %s", counted(len(b.WeeksAgo), "week"), b.WeeksAgo, sig(b.Tau), sig(b.P), b.Now, sig(usual)),
	}
	return f
}

// teamHandovers tells how often the team's tickets went from hand to hand.
func (t *telling) teamHandovers(ctx context.Context) error {
	var list []workTicket
	n := 0.0
	err := t.e.each(ctx, "handovers one by one", handoversSQL(t.e.db.Table("tickets"), oneByOne), t.w.parameters(t.to()), func(rows driver.Rows) error {
		var source, key string
		var items, ticket uint64
		if err := rows.Scan(&source, &key, &items, &ticket); err != nil {
			return err
		}
		if t.w.ownTeam(source, key, t.to()-1) == t.q.Team {
			n += float64(items)
			list = append(list, workTicket{ticket: ticket, source: source, weight: float64(items)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	gone, err := t.e.oldHandovers(ctx, t.w, t.to())
	if err != nil {
		return err
	}
	old := float64(gone[t.q.Team])
	all, put := n+old, fmt.Sprintf("over %s: %s", counted(len(list), "ticket"), sig(n))
	if old > 0 {
		put += fmt.Sprintf("; with %s of deleted tickets: %s", sig(old), sig(all))
	}
	t.put(Where{}, ExplainedFigure{
		Name: "handovers", Value: &all, Formula: "Σ over tickets of how often each went straight from one engineer's hands to another's while it was the team's, ever",
		Inputs: []ExplainedInput{
			input("tickets", float64(len(list)), "that changed hands"), input("handovers", n, "of these"),
			input("deleted", old, "handovers of tickets that were deleted for their age"),
		},
		Put: put,
	})
	t.list(listHandedOver, Where{}, "what went from hand to hand", "times", list)
	return nil
}
