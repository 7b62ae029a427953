package analysis

// kindOf is the normalised kind at the window's end, by the terms' own word
// ({kinds} to {kind_values}), else other.
var kindOf = `transform(concat(source, '\x1f', ` + lastOf("kind") + `), {kinds:Array(String)}, {kind_values:Array(String)}, 'other')`

// effortSQL selects the statistics that package effort fits its model to, as of
// {to}: for each source, kind and class how many finished tickets have story
// points and have been worked on, and the medians of both; and the scale, which
// looks at open tickets too. {progress:Array(String)} are the statuses in which
// work is under way.
func effortSQL(table string) string {
	return `SELECT toUInt8(grouping(kind)) AS no_kind, toUInt8(grouping(priority)) AS no_class, source, kind, priority, class_areas,
	countIf(points > 0) AS scale_n, quantileExactInclusiveIf(0.5)(points, points > 0) AS scale,
	countIf(is_done AND points > 0) AS points_n, quantileExactInclusiveIf(0.5)(points, is_done AND points > 0) AS points_median,
	countIf(is_done AND held > 0) AS held_n, quantileExactInclusiveIf(0.5)(held, is_done AND held > 0) AS held_median
FROM (
	SELECT toString(source) AS source, kind, priority, class_areas,
		if(isFinite(toFloat64OrZero(points_text)), toFloat64OrZero(points_text), 0) AS points,
		has({done:Array(String)}, concat(source, '\x1f', status_at_end)) AS is_done,
		arraySum(a -> arraySum(s -> greatest(0, least(a.2, s.2) - greatest(a.1, s.1)), worked), arrayZip(a_from, a_to)) AS held
	FROM (
		SELECT source,
		` + write([]column{
		{"kind", kindOf},
		{"priority", lastOf("priority")},
		{"class_areas", `arrayStringConcat(` + areasAtEnd + `, '\x1f')`},
		{"points_text", lastOf("effort")},
		{"status_at_end", lastOf("status")},
		{"worked", `arrayFilter(x -> has({progress:Array(String)}, concat(source, '\x1f', x.3)), ` + spellsOf("status") + `)`},
		{"a_from", `arrayMap(x -> toUnixTimestamp64Milli(x), assignments.from)`},
		{"a_to", `arrayMap(x -> least(ifNull(toUnixTimestamp64Milli(x), {to:Int64}), {to:Int64}), assignments.to)`},
	}) + `
		FROM ` + table + ` FINAL
		WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
	)
)
GROUP BY GROUPING SETS ((source), (source, kind), (source, kind, priority, class_areas))`
}

// openSQL selects how many tickets are open just before {to}, by source, group,
// account (0 for nobody) and class.
func openSQL(table string) string {
	return `SELECT source, key, actor, kind, priority, class_areas, points, count() AS items
FROM (
	SELECT source,
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
GROUP BY source, key, actor, kind, priority, class_areas, points`
}
