package analysis

// inArea is that a row's area, `key`, has one of the names: {areas:Array(String)}
// are the areas of that name as termKey writes them, {names:Array(String)} the
// name itself, for areas that no term describes.
const inArea = `(has({areas:Array(String)}, concat(source, '\x1f', key)) OR has({names:Array(String)}, key))`

// evidenceTicketsSQL selects what evidenceSQL adds up, for one area, ticket by
// ticket.
func evidenceTicketsSQL(table string) string {
	from := `
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`
	keys := keysAtEnd(Area)
	return `SELECT toString(source), key, ticket, actor, act, sum(weight) AS total
FROM (
	SELECT source, arrayJoin(keys) AS key, ticket, holder AS actor, '` + actResolution + `' AS act, ` + decayed("since", "length(keys)") + ` AS weight
	FROM (
		SELECT source, cityHash64(ticket_id) AS ticket,
		` + write(resolvedSQL(Area).ticket) + from + `
	)
	WHERE is_done AND holder != 0 AND since >= {since:Int64}

	UNION ALL

	SELECT source, arrayJoin(keys) AS key, cityHash64(ticket_id) AS ticket, actor, '` + actOther + `' AS act, ` + decayed("latest", "length(keys)") + ` AS weight
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

	SELECT source, arrayJoin(keys) AS key, cityHash64(ticket_id) AS ticket, c_actor AS actor, '` + actTransition + `' AS act, ` + decayed("c_at", "length(keys)") + ` AS weight
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
WHERE ` + inArea + `
GROUP BY source, key, ticket, actor, act`
}

// demandTicketsSQL selects what demandSQL adds up, for one area, ticket by
// ticket.
func demandTicketsSQL(table string) string {
	return `SELECT toString(source), key, ticket, touched, shares
FROM (
	SELECT source, arrayJoin(keys) AS key, cityHash64(ticket_id) AS ticket, touched, toUInt64(intDiv(2520, length(keys))) AS shares
	FROM (
		SELECT source, ticket_id,
		` + write([]column{
		keysAtEnd(Area),
		{"touched", `arraySort(arrayDistinct(arrayFilter(a -> a != 0, arrayConcat(` +
			`arrayFilter((a, t) -> toUnixTimestamp64Milli(t) < {to:Int64}, assignments.actor, assignments.from), ` +
			`arrayFilter((a, t) -> toUnixTimestamp64Milli(t) < {to:Int64}, contributions.actor, contributions.at), ` +
			`arrayFilter((a, t, f) -> f = 'status' AND toUnixTimestamp64Milli(t) < {to:Int64}, changes.actor, changes.at, changes.field)))))`},
	}) + `
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND created >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
	)
)
WHERE ` + inArea
}
