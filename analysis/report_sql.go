package analysis

// qualitySQL selects, for each source, what a report says of its data: of all
// tickets that were created before {to} their number, a hash of what is stored of
// them before {to}, the first creation and the last change; and of those that were
// held or changed in [{from}, {to}) how many have which defect.
func qualitySQL(table string) string {
	const at = `toUnixTimestamp64Milli`
	return `SELECT source, count() AS tickets, sum(cityHash64(*)) AS history, min(born) AS first, max(last) AS last_change,
	countIf(busy) AS n, countIf(busy AND NOT history_complete), countIf(busy AND unrecorded > 0), countIf(busy AND empty(end_areas)),
	countIf(busy AND end_group = ''), countIf(busy AND gone < {to:Int64}), countIf(busy AND toFloat64OrZero(points) > 0)
FROM (
	SELECT source, ticket_id, ` + at + `(created) AS born, history_complete, unrecorded,
		least(ifNull(` + at + `(deleted), {to:Int64}), {to:Int64}) AS gone,
		arrayFilter(c -> c.1 < {to:Int64}, arrayZip(arrayMap(x -> ` + at + `(x), changes.at), changes.field, changes.from, changes.to, changes.actor)) AS known,
		arrayFilter(c -> c.1 < {to:Int64}, arrayZip(arrayMap(x -> ` + at + `(x), contributions.at), contributions.actor, contributions.act)) AS acts,
		arrayMap(a -> (a.1, a.2, a.3, least(ifNull(a.4, {to:Int64}), {to:Int64})), arrayFilter(a -> a.3 < {to:Int64},
			arrayZip(assignments.actor, assignments.group, arrayMap(x -> ` + at + `(x), assignments.from), arrayMap(x -> ` + at + `(x), assignments.to)))) AS held,
		arrayMap(a -> (a.1, a.2, a.3, least(ifNull(a.4, {to:Int64}), {to:Int64})), arrayFilter(a -> a.3 < {to:Int64},
			arrayZip(spells.field, spells.value, arrayMap(x -> ` + at + `(x), spells.from), arrayMap(x -> ` + at + `(x), spells.to)))) AS spelt,
		` + areasAtEnd + ` AS end_areas, ` + lastOf("group") + ` AS end_group, ` + lastOf("effort") + ` AS points,
		greatest(born, arrayMax(arrayPushBack(arrayMap(c -> c.1, known), 0)), arrayMax(arrayPushBack(arrayMap(c -> c.1, acts), 0))) AS last,
		gone > {from:Int64} AND (last >= {from:Int64} OR arrayExists(a -> a.1 != 0 AND a.4 > {from:Int64}
			AND NOT has({done:Array(String)}, concat(source, '\x1f', ` + lastOf("status") + `)), held)) AS busy
	FROM ` + table + ` FINAL
	WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
)
GROUP BY source
ORDER BY source`
}
