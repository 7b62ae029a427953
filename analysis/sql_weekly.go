package analysis

import "strings"

// Weeks run from Monday to Monday, UTC; {weeks:Array(Int64)} are the beginnings
// of consecutive ones, in order, and {to} the end of the last.

// weekMillis is a week in milliseconds.
const weekMillis = 7 * 24 * 60 * 60 * 1000

// openRuns is the unbroken runs (from, to) in which a ticket was not done and
// not deleted, before {to}: spells that touch are one.
var openRuns = []column{
	{"till", `least({to:Int64}, ifNull(toUnixTimestamp64Milli(deleted), {to:Int64}))`},
	{"open", `arrayFilter(x -> x.2 > x.1, arrayMap(x -> (x.1, least(x.2, till)), ` +
		`arrayFilter(x -> NOT has({done:Array(String)}, concat(source, '\x1f', x.3)), ` + spellsOf("status") + `)))`},
	{"open_from", `arrayFilter((x, i) -> i = 1 OR open[i - 1].2 < x, arrayMap(o -> o.1, open), arrayEnumerate(open))`},
	{"open_to", `arrayFilter((x, i) -> i = length(open) OR open[i + 1].1 > x, arrayMap(o -> o.2, open), arrayEnumerate(open))`},
}

// weeklySQL selects, for each week, source, group in which it was given, account
// and areas: the time for which open tickets were in its hands, the sum of the
// squares of these times, how many came into its hands open and how many left
// them or became done there, and when the unplanned of those that came did so, and
// when those that called whoever was on call. {unplanned:Array(String)} are the
// kinds that nobody plans; a ticket's own mark comes before its kind. Of the
// accounts {actors:Array(UInt64)}, or of all where that is empty.
func weeklySQL(table string, by grain) string {
	return `SELECT week, source, a_group, a_actor, class_areas,
	toFloat64(sum(toInt128(held))) AS load, toFloat64(sum(toInt128(held) * toInt128(held))) AS squares,
	countIf(came >= begin AND came < begin + 604800000) AS arrivals,
	countIf(went >= begin AND went < begin + 604800000 AND went < {to:Int64}) AS departures,
	groupArrayIf(came, unplanned AND came >= begin AND came < begin + 604800000) AS unplanned_at,
	groupArrayIf(came, calling AND came >= begin AND came < begin + 604800000) AS calling_at` + by.column("ticket") + `
FROM (
	SELECT source, ticket_id, class_areas, unplanned, calling, a_group, a_actor, came, went,
		arrayJoin(arrayFilter(i -> {weeks:Array(Int64)}[i] <= went AND {weeks:Array(Int64)}[i] + 604800000 > came, arrayEnumerate({weeks:Array(Int64)}))) AS week,
		{weeks:Array(Int64)}[week] AS begin,
		greatest(0, least(went, begin + 604800000) - greatest(came, begin)) AS held
	FROM (
		SELECT source, ticket_id, class_areas, unplanned, calling, a_group, a_actor, greatest(a_from, run.1) AS came, least(a_to, run.2) AS went
		FROM (
			SELECT source, ticket_id,
		` + write(append([]column{
		{"class_areas", `arrayStringConcat(` + areasAtEnd + `, '\x1f')`},
		{"unplanned", `has(marks, 'unplanned') OR NOT has(marks, 'planned') AND has({unplanned:Array(String)}, ` + kindOf + `)`},
		{"calling", `has(marks, 'on_call')`},
		{"a_actor", `assignments.actor`},
		{"a_group", `assignments.group`},
		{"a_from", `arrayMap(x -> toUnixTimestamp64Milli(x), assignments.from)`},
		{"a_to", `arrayMap(x -> least(ifNull(toUnixTimestamp64Milli(x), {to:Int64}), {to:Int64}), assignments.to)`},
	}, openRuns...)) + `,
			arrayZip(open_from, open_to) AS runs
			FROM ` + table + ` FINAL
			WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
		)
		ARRAY JOIN a_actor, a_group, a_from, a_to
		ARRAY JOIN runs AS run
		WHERE a_actor != 0 AND went > came AND went > {weeks:Array(Int64)}[1] AND (empty({actors:Array(UInt64)}) OR has({actors:Array(UInt64)}, a_actor))
	)
)
GROUP BY week, source, a_group, a_actor, class_areas` + by.column("cityHash64(ticket_id) AS ticket")
}

// actsSQL selects, for each account, when it did something to a ticket in the
// weeks: changed a field, wrote a comment or logged work. What was done to
// several fields or tickets in one millisecond is one act. Of the accounts
// {actors:Array(UInt64)}, or of all where that is empty.
func actsSQL(table string, by grain) string {
	return `SELECT actor, arraySort(groupUniqArray(at)) AS acts` + by.column("any(source)") + by.column("ticket") + `
FROM (
	SELECT source, ticket_id, at, actor
	FROM (
		SELECT source, ticket_id, arrayConcat(changes.actor, contributions.actor) AS actors,
			arrayMap(x -> toUnixTimestamp64Milli(x), arrayConcat(changes.at, contributions.at)) AS times
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
	)
	ARRAY JOIN actors AS actor, times AS at
	WHERE actor != 0 AND at >= {weeks:Array(Int64)}[1] AND at < {to:Int64} AND (empty({actors:Array(UInt64)}) OR has({actors:Array(UInt64)}, actor))
)
GROUP BY actor` + by.column("cityHash64(ticket_id) AS ticket")
}

// backlogSQL selects how many tickets were open and in nobody's hands just
// before each of {ats:Array(Int64)}, by source and group.
func backlogSQL(table string) string {
	return `SELECT number, source, key, count() AS items
FROM (
	SELECT source,
		arrayJoin(arrayFilter(i -> arrayExists(o -> o.1 < {ats:Array(Int64)}[i] AND o.2 >= {ats:Array(Int64)}[i], open)
			AND NOT arrayExists(h -> h.1 < {ats:Array(Int64)}[i] AND h.2 >= {ats:Array(Int64)}[i], held), arrayEnumerate({ats:Array(Int64)}))) AS number,
		arrayLast(g -> g.1 < {ats:Array(Int64)}[number], groups).3 AS key
	FROM (
		SELECT source,
		` + write(append([]column{
		{"held", `arrayZip(arrayMap(x -> toUnixTimestamp64Milli(x), assignments.from), ` +
			`arrayMap(x -> least(ifNull(toUnixTimestamp64Milli(x), {to:Int64}), {to:Int64}), assignments.to))`},
		{"groups", spellsOf("group")},
	}, openRuns[:2]...)) + `
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
	)
)
GROUP BY number, source, key`
}

// handoversSQL selects how many tickets went straight from one account to
// another before {to}, by source and the group that the first was given it in.
func handoversSQL(table string, by grain) string {
	return strings.ReplaceAll(`SELECT source, key, count() AS items`+by.column("ticket")+`
FROM (
	SELECT source, ticket_id, arrayJoin(arrayFilter((g, i) -> i < length(A.actor) AND A.actor[i] != A.actor[i + 1] AND A.actor[i] != 0 AND A.actor[i + 1] != 0
		AND A.to[i] = A.from[i + 1] AND toUnixTimestamp64Milli(A.from[i + 1]) < {to:Int64}, A.group, arrayEnumerate(A.actor))) AS key
	FROM `+table+` FINAL
	WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
)
GROUP BY source, key`+by.column("cityHash64(ticket_id) AS ticket"), "A.", "assignments.")
}
