package analysis

import "strings"

// parentColumns tell the parent just before {to}: by the changes of it, else the
// present one. Before the first change it was what that change replaced.
var parentColumns = []column{
	{"parents", `arrayFilter(x -> x.2 = 'parent', arrayZip(changes.at, changes.field, changes.from, changes.to))`},
	{"parent_at_end", `multiIf(empty(parents), parent, toUnixTimestamp64Milli(parents[1].1) >= {to:Int64}, parents[1].3, ` +
		`arrayLast(x -> toUnixTimestamp64Milli(x.1) < {to:Int64}, parents).4)`},
}

// unitsSQL selects the facts of a basis one by one, for what sums do not tell:
// the weight of each, when it began to count (at), when it was given, and the
// ticket's parent. Load comes in pieces, each of one team.
func unitsSQL(table string, basis Basis, by By) string {
	s := sqlOf(basis, by)
	at, given := "a_from", "a_from"
	switch basis {
	case Resolved:
		at, given = "since", "toUnixTimestamp64Milli(last_held.2)"
	case Load:
		s, at = loadSQL(by, pieces), pieces.from
	}
	s.ticket = append(append(s.ticket, column{"ticket", "cityHash64(ticket_id)"}), append(parentColumns, classColumns...)...)
	s.fact = append(s.fact, column{"at", at}, column{"given", given})
	passed := strings.Join(append([]string{"source", "ticket", "parent_at_end"}, names(classColumns)...), ", ")
	return `SELECT number, source, key, actor, kind, priority, class_areas, points, ticket, parent_at_end, toInt64(at), toInt64(given), toInt64(weight)
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
WHERE ` + s.where
}
