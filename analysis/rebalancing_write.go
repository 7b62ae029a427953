package analysis

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Write prints the plan as tables for a terminal; with names, or with pseudonyms
// only.
func (r Rebalancing) Write(out io.Writer, names bool) error {
	who := func(pseudonym, name string) string {
		switch {
		case pseudonym == "":
			return "nobody"
		case names && name != "":
			return pseudonym + " (" + name + ")"
		}
		return pseudonym
	}
	p := &printer{out: out}
	p.line("%s at %s: %s, to be spread within %s %% of an even share.", r.Team, r.AsOf.Format("2006-01-02 15:04 MST"),
		counted(r.Tickets, "open ticket"), decimal(100*r.Tolerance, 0))
	if r.Provisional {
		p.line("A queue, not a team: without a roster its people are those who usually work on it, each with the same capacity.")
	}
	var left []string
	for _, l := range []struct {
		n    int
		says string
	}{{r.LeftOut.Unassigned, "that nobody holds"}, {r.LeftOut.Visitors, "in the hands of people of no or another team"}, {r.LeftOut.Bots, "of integration accounts"}} {
		if l.n > 0 {
			left = append(left, fmt.Sprintf("%d %s", l.n, l.says))
		}
	}
	if len(left) > 0 {
		p.line("Left out: %s.", strings.Join(left, ", "))
	}
	p.line("")
	if len(r.Moves) == 0 {
		p.line("No ticket needs to move.")
	} else {
		p.line("%s (%s), a suggestion for people to decide on:", counted(len(r.Moves), "move"), r.Status)
		table := p.table()
		fmt.Fprintln(table, "  ticket\tweight\tfrom\tto\twhy they can\t")
		for _, m := range r.Moves {
			state := ""
			if m.InProgress {
				state = " (in progress)"
			} else if m.Blocked {
				state = " (waiting)"
			}
			fmt.Fprintf(table, "  %s%s\t%s\t%s\t%s\t%s\t\n", m.Key, state, decimal(m.Weight, 2), who(m.From, m.FromName), who(m.To, m.ToName), m.Why)
		}
		p.flush(table)
	}
	if len(r.Moves) > r.AtLeast && r.AtLeast > 0 {
		p.line("At least %s are needed.", counted(r.AtLeast, "move"))
	}
	if len(r.Moves) == 0 && !r.Proven {
		p.line("%s.", capital(r.Status.String()))
	}
	p.line("")
	table := p.table()
	fmt.Fprintf(table, "  engineer\tcapacity\ttickets\t%s\tlimit\t× even\t\tafter: tickets\t%s\t× even\t\n", r.Unit.noun(), r.Unit.noun())
	for _, one := range r.People {
		fmt.Fprintf(table, "  %s\t%s\t%d\t%s\t%s\t%s\t→\t%d\t%s\t%s\t\n", who(one.Pseudonym, one.Name), decimal(one.Capacity, 2),
			one.Before.Tickets, decimal(one.Before.Weight, 1), decimal(one.Limit, 1), optional(one.Before.Relative, 2),
			one.After.Tickets, decimal(one.After.Weight, 1), optional(one.After.Relative, 2))
	}
	p.flush(table)
	p.line("")
	table = p.table()
	fmt.Fprintln(table, "  \tgini\thoover\tfair up to one ticket\t")
	for _, e := range []struct {
		when string
		Evenness
	}{{"before", r.Before}, {"after", r.After}} {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t\n", e.when, optional(e.Gini, 3), optional(e.Hoover, 3), yesNo(e.EF1))
	}
	p.flush(table)
	for _, b := range r.Obstacles {
		p.line("In the way: %s of %s: %s.", b.Key, who(b.Owner, ""), b.Says)
	}
	if len(r.Over) > 0 {
		p.line("Over the limit even so: %s.", strings.Join(r.Over, ", "))
	}
	return p.err
}

func (u Unit) noun() string {
	if u == Effort {
		return "effort"
	}
	return "weight"
}

// printer writes lines until one fails.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) Write(text []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.out.Write(text)
	p.err = err
	return n, err
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p, format+"\n", args...)
}

func (p *printer) table() *tabwriter.Writer { return tabwriter.NewWriter(p, 0, 0, 2, ' ', 0) }

func (p *printer) flush(t *tabwriter.Writer) {
	if err := t.Flush(); err != nil && p.err == nil {
		p.err = err
	}
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case noun == "person":
		return fmt.Sprintf("%d people", n)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// optional writes a figure, a dash where it is undefined.
func optional(x *float64, digits int) string {
	if x == nil {
		return "–"
	}
	return decimal(*x, digits)
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
