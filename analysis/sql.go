package analysis

import (
	"strings"
)

// The SQL of the bases. Its parameters are bound by the server, never written
// into the text: {to:Int64} is the window's end in milliseconds since 1970,
// {froms:Array(Int64)} the beginnings of the windows that share that end, and
// {done:Array(String)} the statuses that mean done, as termKey writes them.
//
// Everything is computed from the intervals, so that it is true of {to} and not
// of now: intervals that begin at or after {to} are left out, and the others
// end there at the latest. "At the window's end" is the state just before {to}.
// All sums are of whole numbers, so that they are the same however the server
// divides the work; weights are therefore counted in shares of 1/2520, which
// divide without rest between up to ten areas.

// shares is how many shares a ticket, or a millisecond of one, is.
const shares = 2520

// separator stands between a source and an id in a key; no source's name has it.
const separator = "\x1f"

func termKey(source, id string) string { return source + separator + id }

// spellsOf is the array of (from, to, value) of a field's intervals that begin
// before {to}.
func spellsOf(field string) string {
	return `arrayMap(x -> (toUnixTimestamp64Milli(x.3), least(ifNull(toUnixTimestamp64Milli(x.4), {to:Int64}), {to:Int64}), x.2), ` +
		`arrayFilter(x -> x.1 = '` + field + `' AND toUnixTimestamp64Milli(x.3) < {to:Int64}, ` +
		`arrayZip(spells.field, spells.value, spells.from, spells.to)))`
}

// lastOf is the value of a field at the window's end; ” where it has none.
func lastOf(field string) string {
	return `arrayLast(x -> x.1 = '` + field + `' AND toUnixTimestamp64Milli(x.3) < {to:Int64}, arrayZip(spells.field, spells.value, spells.from)).2`
}

// Fragments over the columns of `tickets`, one ticket a row.
var (
	areasAtEnd = `arraySort(arrayDistinct(arrayMap(x -> x.3, arrayFilter(x -> x.2 >= {to:Int64}, ` + spellsOf("area") + `))))`

	// lastHeld is the last assignment (account, from, to) that began before
	// {to}; account 0 and an open end when there was none.
	lastHeld = `arrayLast(x -> toUnixTimestamp64Milli(x.2) < {to:Int64}, arrayZip(assignments.actor, assignments.from, assignments.to))`

	// holderAtEnd is its account, if it lasts until {to}.
	holderAtEnd = `if(ifNull(toUnixTimestamp64Milli(last_held.3), {to:Int64}) >= {to:Int64}, last_held.1, 0)`
)

// classColumns are what package effort looks at, at the window's end.
var classColumns = []column{
	{"kind", kindOf},
	{"priority", lastOf("priority")},
	{"class_areas", `arrayStringConcat(` + areasAtEnd + `, '\x1f')`},
	{"points", lastOf("effort")},
}

// grain is whether a query adds tickets up or tells them one by one, with the hash
// of their id as the column `ticket` behind the others.
type grain bool

// The grains.
const (
	addedUp  grain = false
	oneByOne grain = true
)

// column is one more column of a list, where tickets are told one by one.
func (g grain) column(expression string) string {
	if g == oneByOne {
		return ", " + expression
	}
	return ""
}

// column is an expression with its name.
type column struct{ name, expression string }

func write(columns []column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.expression + " AS " + c.name
	}
	return strings.Join(parts, ",\n\t\t")
}

func names(columns []column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.name
	}
	return list
}

// basisSQL is one basis: columns computed once a ticket, the arrays that are
// unfolded to facts, the facts' columns `number` (of the window, from 1), `key`
// (of the group), `actor` and `weight`, and which facts count.
type basisSQL struct {
	ticket []column
	unfold string
	fact   []column
	where  string
}

// keysAtEnd are the groups that a ticket is in at the window's end.
func keysAtEnd(by By) column {
	switch by {
	case Team:
		return column{"keys", `[` + lastOf("group") + `]`}
	case Area:
		return column{"keys", `if(empty(` + areasAtEnd + ` AS areas_at_end), [''], areas_at_end)`}
	default:
		return column{"keys", `['']`}
	}
}

// numbersFrom unfolds the windows that begin at or before a time.
func numbersFrom(since string) column {
	return column{"number", `arrayJoin(arrayFilter(i -> ` + since + ` >= {froms:Array(Int64)}[i], arrayEnumerate({froms:Array(Int64)})))`}
}

func sqlOf(basis Basis, by By) basisSQL {
	switch basis {
	case Load:
		return loadSQL(by, whole)
	case Assigned:
		return assignedSQL(by)
	default:
		return resolvedSQL(by)
	}
}

func resolvedSQL(by By) basisSQL {
	return basisSQL{
		ticket: []column{
			{"statuses", spellsOf("status")},
			{"flags", `arrayMap(x -> has({done:Array(String)}, concat(source, '\x1f', x.3)), statuses)`},
			// Where the unbroken run of done statuses began.
			{"since", `statuses[arrayLastIndex(f -> f = 0, flags) + 1].1`},
			{"is_done", `notEmpty(flags) AND flags[-1]`},
			{"last_held", lastHeld},
			{"holder", holderAtEnd},
			keysAtEnd(by),
		},
		fact: []column{
			numbersFrom("since"),
			{"key", `arrayJoin(keys)`},
			{"actor", `holder`},
			{"weight", `intDiv(2520, length(keys))`},
			{"counts", `is_done`},
		},
		where: `counts`,
	}
}

func assignedSQL(by By) basisSQL {
	s := basisSQL{
		unfold: `ARRAY JOIN a_actor, a_group, a_from`,
		ticket: []column{
			{"a_actor", `assignments.actor`},
			{"a_group", `assignments.group`},
			{"a_from", `arrayMap(x -> toUnixTimestamp64Milli(x), assignments.from)`},
		},
		fact: []column{
			numbersFrom("a_from"),
			{"key", `a_group`},
			{"actor", `a_actor`},
			{"weight", `2520`},
			{"counts", `a_from < {to:Int64} AND a_actor != 0`},
		},
		where: `counts`,
	}
	switch by {
	case Area:
		// The areas just after the assignment began.
		s.ticket = append(s.ticket, column{"area_spells", spellsOf("area")})
		s.fact[1] = column{"key", `arrayJoin(areas_then)`}
		s.fact[3] = column{"weight", `intDiv(2520, length(areas_then))`}
		s.fact = append([]column{
			{"areas_begun", `arrayDistinct(arrayMap(x -> x.3, arrayFilter(x -> x.1 <= a_from AND x.2 > a_from, area_spells)))`},
			{"areas_then", `if(empty(areas_begun), [''], areas_begun)`},
		}, s.fact...)
	case Source:
		s.fact[1] = column{"key", `''`}
	}
	return s
}

// span is the part of an assignment that a fact of its load is about: names of
// its begin and end, and the columns that make them.
type span struct {
	from, to string
	columns  []column
}

// whole is all of the assignment that lies in the window; pieces are that, cut
// where {cut_actors:Array(UInt64)} changed teams at {cut_at:Array(Int64)}.
var (
	whole  = span{from: "begin", to: "a_to"}
	pieces = span{"piece.1", "piece.2", []column{
		{"cuts", `arrayFilter((t, a) -> a = a_actor AND t > begin AND t < a_to, {cut_at:Array(Int64)}, {cut_actors:Array(UInt64)})`},
		{"piece", `arrayJoin(arrayZip(arrayPushFront(cuts, begin), arrayPushBack(cuts, a_to)))`},
	}}
)

// loadSQL cuts each assignment by the intervals in which the ticket was open,
// and by the slices of time in which its groups stayed the same.
func loadSQL(by By, part span) basisSQL {
	s := basisSQL{
		unfold: `ARRAY JOIN a_actor, a_from, a_to`,
		ticket: []column{
			{"till", `least({to:Int64}, ifNull(toUnixTimestamp64Milli(deleted), {to:Int64}))`},
			{"open", `arrayFilter(x -> x.2 > x.1, arrayMap(x -> (x.1, least(x.2, till)), ` +
				`arrayFilter(x -> NOT has({done:Array(String)}, concat(source, '\x1f', x.3)), ` + spellsOf("status") + `)))`},
			{"a_actor", `assignments.actor`},
			{"a_from", `arrayMap(x -> toUnixTimestamp64Milli(x), assignments.from)`},
			{"a_to", `arrayMap(x -> least(ifNull(toUnixTimestamp64Milli(x), {to:Int64}), {to:Int64}), assignments.to)`},
		},
		fact: []column{
			{"number", `arrayJoin(arrayFilter(i -> a_to > {froms:Array(Int64)}[i], arrayEnumerate({froms:Array(Int64)})))`},
			{"begin", `greatest(a_from, {froms:Array(Int64)}[number])`},
			{"actor", `a_actor`},
		},
		where: `weight > 0 AND actor != 0`,
	}
	s.fact = append(s.fact, part.columns...)
	// What of a slice (from, to, keys) or of the whole lies within the
	// assignment, the window and the times when the ticket was open.
	inSlice := `arraySum(o -> greatest(0, least(` + part.to + `, o.2, s.2) - greatest(` + part.from + `, o.1, s.1)), open)`
	switch by {
	case Source:
		s.fact = append(s.fact,
			column{"key", `''`},
			column{"weight", `2520 * arraySum(o -> greatest(0, least(` + part.to + `, o.2) - greatest(` + part.from + `, o.1)), open)`})
		return s
	case Team:
		s.ticket = append(s.ticket, column{"slices", `arrayMap(x -> (x.1, x.2, [x.3]), ` + spellsOf("group") + `)`})
	case Area:
		s.ticket = append(s.ticket,
			column{"area_spells", spellsOf("area")},
			column{"born", `toUnixTimestamp64Milli(created)`},
			column{"bounds", `arraySort(arrayDistinct(arrayConcat([born, {to:Int64}], arrayMap(x -> x.1, area_spells), arrayMap(x -> x.2, area_spells))))`},
			column{"slices", `arrayMap((b, e) -> (b, e, arrayDistinct(arrayMap(x -> x.3, arrayFilter(x -> x.1 <= b AND x.2 > b, area_spells)))), ` +
				`arrayPopBack(bounds), arrayPopFront(bounds))`})
	}
	if by == Area {
		s.fact = append(s.fact,
			column{"key", `arrayJoin(arrayDistinct(arrayFlatten(arrayMap(s -> if(empty(s.3), [''], s.3), slices))))`},
			column{"weight", `arraySum(s -> if(has(s.3, key) OR (key = '' AND empty(s.3)), intDiv(2520 * ` + inSlice + `, greatest(1, length(s.3))), 0), slices)`})
		return s
	}
	s.fact = append(s.fact,
		column{"key", `arrayJoin(arrayDistinct(arrayMap(s -> s.3[1], slices)))`},
		column{"weight", `2520 * arraySum(s -> if(s.3[1] = key, ` + inSlice + `, 0), slices)`})
	return s
}

// factsSQL selects, for each window, source, group and account (and class, if
// asked for), how many facts there are, the sum of their weights and that of
// the weights' squares, in shares.
func factsSQL(table string, basis Basis, by By, withClass bool) string {
	s := sqlOf(basis, by)
	columns := []string{"number", "source", "key", "actor"}
	var class []string
	if withClass {
		s.ticket = append(s.ticket, classColumns...)
		class = names(classColumns)
		columns = append(columns, class...)
	}
	list := strings.Join(columns, ", ")
	passed := strings.Join(append([]string{"source"}, class...), ", ")
	return `SELECT ` + list + `,
	count() AS items, toFloat64(sum(toInt128(weight))) AS total, toFloat64(sum(toInt128(weight) * toInt128(weight))) AS squares
FROM (
	SELECT ` + passed + `,
		` + write(s.fact) + `
	FROM (
		SELECT source,
		` + write(s.ticket) + `
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
	)
	` + s.unfold + `
)
WHERE ` + s.where + `
GROUP BY ` + list
}
