package analysis

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// peopleTold is how many people the text of an Explanation lists: the JSON has all.
const peopleTold = 20

// Write prints the explanation for a terminal; with names, or with pseudonyms
// only.
func (x Explanation) Write(out io.Writer, names bool) error {
	p := &printer{out: out}
	who := func(pseudonym, name string) string {
		if names && name != "" {
			return pseudonym + " (" + name + ")"
		}
		return pseudonym
	}
	p.line("%s", x.Of)
	if names && x.Name != "" {
		p.line("That is %s.", x.Name)
	}
	for _, f := range x.Figures {
		p.line("")
		result := orUndefined(f.Value)
		if f.Verdict != "" {
			result = f.Verdict
			if f.Value != nil && f.Name != "overloaded" && f.Name != "covers" {
				result = sig(*f.Value) + ", " + f.Verdict
			}
		}
		name := f.Name
		if in := f.named(); in != "" {
			name += " in " + in
		}
		p.line("%s: %s", name, result)
		p.line("  = %s", f.Formula)
		p.line("  = %s", f.Put)
		for _, i := range f.Inputs[:min(len(f.Inputs), 8)] {
			p.line("    %s = %s, %s", i.Name, sig(i.Value), i.Says)
		}
		if more := len(f.Inputs) - 8; more > 0 {
			p.line("    and %d more", more)
		}
	}
	if len(x.People) > 0 {
		p.line("")
		table := p.table()
		knows := x.People[0].Evidence != nil
		if knows {
			fmt.Fprintln(table, "  engineer\tcapacity\tevidence\tshare\tshrunk\tresolved\twrote\tmoved on\tfirst\tcovers\t")
		} else {
			fmt.Fprintln(table, "  engineer\tcapacity\twork\titems\tshare\t× even\t")
		}
		for _, one := range x.People[:min(len(x.People), peopleTold)] {
			writePerson(table, who(one.Pseudonym, one.Name), one, knows)
		}
		p.flush(table)
		if more := len(x.People) - peopleTold; more > 0 {
			p.line("  and %d more", more)
		}
	}
	for _, l := range x.Tickets {
		p.line("")
		p.line("%s, the heaviest first (%s):", capital(l.Title), l.Unit)
		table := p.table()
		for _, t := range l.Tickets {
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t\n", t.Key, decimal(t.Weight, 2), who(t.Pseudonym, t.Name), t.What)
		}
		p.flush(table)
		switch {
		case l.More > 0:
			p.line("  and %d more, of %s together", l.More, decimal(l.MoreWeight, 2))
		case len(l.Tickets) == 0:
			p.line("  none")
		}
	}
	if len(x.Notes) > 0 {
		p.line("")
	}
	for _, n := range x.Notes {
		p.line("%s", n)
	}
	return p.err
}

func writePerson(table *tabwriter.Writer, who string, p ExplainedPerson, knows bool) {
	if knows {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t\n", who, decimal(p.Capacity, 2), optional(p.Evidence, 3), optional(p.Share, 3), optional(p.Shrunk, 3),
			p.Resolutions, p.Acts, p.Transitions, optional(&p.First, 2), yesNo(p.Covers))
		return
	}
	fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\t\n", who, decimal(p.Capacity, 2), optional(p.Work, 2), strconv.FormatUint(p.Items, 10), optional(p.Share, 3), optional(p.Relative, 2))
}
