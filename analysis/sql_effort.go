package analysis

// kindOf is the normalised kind at the window's end, by the terms' own word
// ({kinds} to {kind_values}), else other.
var kindOf = `transform(concat(source, '\x1f', ` + lastOf("kind") + `), {kinds:Array(String)}, {kind_values:Array(String)}, 'other')`

// weekdays is F(t) of effort.Weekdays: the milliseconds of weekdays before a time.
func weekdays(t string) string {
	const week = `(` + `7 * 86400000` + `)`
	u := `(` + t + ` + 3 * 86400000)`
	return `(intDiv(` + u + `, ` + week + `) * 5 * 86400000 + least(modulo(` + u + `, ` + week + `), 5 * 86400000))`
}

// workedColumns are what a ticket's days are made of: who held it, and when work
// on it was under way, both before {to}. {progress:Array(String)} are the statuses
// in which it is.
var workedColumns = []column{
	{"kind", kindOf},
	{"priority", lastOf("priority")},
	{"class_areas", `arrayStringConcat(` + areasAtEnd + `, '\x1f')`},
	{"points_text", lastOf("effort")},
	{"points", `if(isFinite(toFloat64OrZero(points_text)), toFloat64OrZero(points_text), 0)`},
	{"is_done", `has({done:Array(String)}, concat(source, '\x1f', ` + lastOf("status") + `))`},
	{"worked", `arrayFilter(x -> has({progress:Array(String)}, concat(source, '\x1f', x.3)), ` + spellsOf("status") + `)`},
	{"held", `arrayFilter(a -> a.2 > a.1, arrayZip(arrayMap(x -> toUnixTimestamp64Milli(x), assignments.from), ` +
		`arrayMap(x -> least(ifNull(toUnixTimestamp64Milli(x), {to:Int64}), {to:Int64}), assignments.to), assignments.actor))`},
	// When it was under way in whose hands: (from, to, account).
	{"pieces", `arrayFilter(p -> p.2 > p.1, arrayFlatten(arrayMap(a -> arrayMap(s -> (greatest(a.1, s.1), least(a.2, s.2), a.3), worked), held)))`},
}

// effortSQL selects the statistics that package effort fits its model to, as of
// {to}, with the hours of effort.Weekdays for everybody: for each source, kind
// and class how many finished tickets have story points and have been worked on,
// and the medians of both; and the scale, which looks at open tickets too.
func effortSQL(table string) string {
	return `SELECT toUInt8(grouping(kind)) AS no_kind, toUInt8(grouping(priority)) AS no_class, source, kind, priority, class_areas,
	countIf(points > 0) AS scale_n, quantileExactInclusiveIf(0.5)(points, points > 0) AS scale,
	countIf(is_done AND points > 0) AS points_n, quantileExactInclusiveIf(0.5)(points, is_done AND points > 0) AS points_median,
	countIf(is_done AND days > 0) AS days_n, quantileExactInclusiveIf(0.5)(days, is_done AND days > 0) AS days_median
FROM (
	SELECT toString(source) AS source, kind, priority, class_areas, points, is_done,
		arraySum(p -> ` + weekdays("p.2") + ` - ` + weekdays("p.1") + `, pieces) AS days
	FROM (
		SELECT source,
		` + write(workedColumns) + `
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
	)
)
GROUP BY GROUPING SETS ((source), (source, kind), (source, kind, priority, class_areas))`
}

// workSQL selects the same ticket by ticket, for those that say something, for
// hours that only Go knows.
func workSQL(table string) string {
	return `SELECT source, kind, priority, class_areas, points, toBool(is_done),
	arrayMap(p -> p.1, pieces) AS begins, arrayMap(p -> p.2, pieces) AS ends, arrayMap(p -> p.3, pieces) AS actors
FROM (
	SELECT toString(source) AS source,
	` + write(workedColumns) + `
	FROM ` + table + ` FINAL
	WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
)
WHERE is_done OR points > 0`
}

// openSQL selects how many tickets are open just before {to}, by source, group,
// account (0 for nobody) and class.
func openSQL(table string, by grain) string {
	return `SELECT source, key, actor, kind, priority, class_areas, points, count() AS items` + by.column("ticket") + `
FROM (
	SELECT source, ticket_id,
		` + write(append([]column{
		{"key", lastOf("group")},
		{"last_held", lastHeld},
		{"actor", holderAtEnd},
		{"status_at_end", lastOf("status")},
		{"gone", `ifNull(toUnixTimestamp64Milli(deleted) < {to:Int64}, false)`},
	}, classColumns...)) + `
	FROM ` + table + ` FINAL
	WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
)
WHERE NOT gone AND NOT has({done:Array(String)}, concat(source, '\x1f', status_at_end))
GROUP BY source, key, actor, kind, priority, class_areas, points` + by.column("cityHash64(ticket_id) AS ticket")
}
