package analysis

import "strconv"

// fixed is the denominator of the decayed weights: they are summed as whole
// numbers, so that the sum does not depend on the order.
const fixed = 1 << 32

// decayed is exp(−age/decay) of something at `at`, divided between n areas, in
// units of 1/fixed.
func decayed(at, n string) string {
	return `toInt64(round(exp((` + at + ` - {to:Int64}) / {decay:Int64}) * ` + strconv.Itoa(fixed) + ` / ` + n + `))`
}

// The acts of which evidence is made, as evidenceSQL names them.
const (
	actResolution = "resolution"
	actOther      = "act"
	actTransition = "transition"
)

// inArea is that a row's area, `key`, has one of some names: {areas:Array(String)}
// are the areas of these names as termKey writes them, {names:Array(String)} the
// names themselves, for areas that no term describes.
const inArea = `(has({areas:Array(String)}, concat(source, '\x1f', key)) OR has({names:Array(String)}, key))`

// evidenceSQL selects the decayed evidence since {since:Int64} and before {to},
// by source, area, account and act. The area is that at the window's end. Ticket
// by ticket it is that of some areas only ([inArea]) and of the accounts
// {actors:Array(UInt64)}, or of all where that is empty, with the ticket and when the
// last of the acts was.
//
//   - A resolution is of whoever held a ticket that is done at the window's
//     end, at the time from which it has been.
//   - An act is a comment or worklog on a ticket that was not in the account's
//     own hands just then: once a ticket and account, the last one.
//   - A transition is a change of status, by whoever made it, to one that is
//     not done.
func evidenceSQL(table string, by grain) string {
	from := `
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`
	keys := keysAtEnd(Area)
	resolved := resolvedSQL(Area)
	which := `key != ''`
	if by == oneByOne {
		which = inArea + ` AND (empty({actors:Array(UInt64)}) OR has({actors:Array(UInt64)}, actor))`
	}
	return `SELECT source, key, actor, act, count() AS items, sum(weight) AS total` + by.column("ticket") + by.column("max(at)") + `
FROM (
	SELECT source, ticket_id, arrayJoin(keys) AS key, holder AS actor, '` + actResolution + `' AS act, since AS at, ` + decayed("since", "length(keys)") + ` AS weight
	FROM (
		SELECT source, ticket_id,
		` + write(resolved.ticket) + from + `
	)
	WHERE is_done AND holder != 0 AND since >= {since:Int64}

	UNION ALL

	SELECT source, ticket_id, arrayJoin(keys) AS key, actor, '` + actOther + `' AS act, latest AS at, ` + decayed("latest", "length(keys)") + ` AS weight
	FROM (
		SELECT source, ticket_id, any(keys) AS keys, c_actor AS actor, max(c_at) AS latest
		FROM (
			SELECT source, ticket_id,
		` + write([]column{
		keys,
		{"held", `arrayZip(assignments.actor, arrayMap(x -> toUnixTimestamp64Milli(x), assignments.from), arrayMap(x -> ifNull(toUnixTimestamp64Milli(x), {to:Int64}), assignments.to))`},
		{"c_at", `arrayMap(x -> toUnixTimestamp64Milli(x), contributions.at)`},
		{"c_actor", `contributions.actor`},
	}) + from + `
		)
		ARRAY JOIN c_at, c_actor
		WHERE c_actor != 0 AND c_at < {to:Int64} AND c_at >= {since:Int64}
			AND NOT arrayExists(h -> h.1 = c_actor AND h.2 <= c_at AND h.3 > c_at, held)
		GROUP BY source, ticket_id, c_actor
	)

	UNION ALL

	SELECT source, ticket_id, arrayJoin(keys) AS key, c_actor AS actor, '` + actTransition + `' AS act, c_at AS at, ` + decayed("c_at", "length(keys)") + ` AS weight
	FROM (
		SELECT source, ticket_id,
		` + write([]column{
		keys,
		{"made", `arrayFilter(x -> x.2 = 'status' AND x.4 != 0 AND NOT has({done:Array(String)}, concat(source, '\x1f', x.3)), ` +
			`arrayZip(changes.at, changes.field, changes.to, changes.actor))`},
		{"c_at", `arrayMap(x -> toUnixTimestamp64Milli(x.1), made)`},
		{"c_actor", `arrayMap(x -> x.4, made)`},
	}) + from + `
	)
	ARRAY JOIN c_at, c_actor
	WHERE c_at < {to:Int64} AND c_at >= {since:Int64}
)
WHERE ` + which + `
GROUP BY source, key, actor, act` + by.column("cityHash64(ticket_id) AS ticket")
}

// firstSQL selects the first resolution that is known in each area: whose, and
// when.
func firstSQL(table string) string {
	s := resolvedSQL(Area)
	return `SELECT source, key, argMin(holder, (since, ticket_id)) AS actor, min(since) AS first
FROM (
	SELECT source, ticket_id, arrayJoin(keys) AS key, holder, since
	FROM (
		SELECT source, ticket_id,
		` + write(s.ticket) + `
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
	)
	WHERE is_done AND holder != 0
)
WHERE key != ''
GROUP BY source, key`
}

// demandSQL selects how many tickets were created since {since:Int64} and before
// {to}, by source, area, group and who touched them: held them, wrote on them
// or changed their status. Ticket by ticket it is of some areas only ([inArea]).
func demandSQL(table string, by grain) string {
	where := ""
	if by == oneByOne {
		where = `
WHERE ` + inArea
	}
	return `SELECT source, key, group_at_end, touched, sum(shares) AS total` + by.column("ticket") + `
FROM (
	SELECT source, ticket_id, arrayJoin(keys) AS key, group_at_end, touched, intDiv(2520, length(keys)) AS shares
	FROM (
		SELECT source, ticket_id,
		` + write([]column{
		keysAtEnd(Area),
		{"group_at_end", lastOf("group")},
		{"touched", `arraySort(arrayDistinct(arrayFilter(a -> a != 0, arrayConcat(` +
			`arrayFilter((a, t) -> toUnixTimestamp64Milli(t) < {to:Int64}, assignments.actor, assignments.from), ` +
			`arrayFilter((a, t) -> toUnixTimestamp64Milli(t) < {to:Int64}, contributions.actor, contributions.at), ` +
			`arrayFilter((a, t, f) -> f = 'status' AND toUnixTimestamp64Milli(t) < {to:Int64}, changes.actor, changes.at, changes.field)))))`},
	}) + `
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND created >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
	)
)` + where + `
GROUP BY source, key, group_at_end, touched` + by.column("cityHash64(ticket_id) AS ticket")
}

// holdersSQL selects the accounts that held a ticket at some time before {to}.
func holdersSQL(table string) string {
	return `SELECT DISTINCT arrayJoin(arrayFilter((a, t) -> toUnixTimestamp64Milli(t) < {to:Int64}, assignments.actor, assignments.from)) AS actor
FROM ` + table + ` FINAL
WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`
}

// lastChangeSQL selects the greatest time that any ticket names.
func lastChangeSQL(table string) string {
	return `SELECT count() AS tickets, toUnixTimestamp64Milli(max(arrayMax(arrayConcat([created, updated], changes.at, contributions.at)))) AS last
FROM ` + table + ` FINAL`
}
