package analysis

// openTicketsSQL selects the tickets that are open just before {to}, as openSQL
// counts them, one by one: with their keys, their status, and since when they
// have been in the hands of whoever has them.
func openTicketsSQL(table string) string {
	return `SELECT toString(source), ticket_id, ticket_key, group_at_end, actor, kind, priority, class_areas, points, status_at_end
FROM (
	SELECT source, ticket_id, tickets.key AS ticket_key,
		` + write(append([]column{
		{"group_at_end", lastOf("group")},
		{"last_held", lastHeld},
		{"actor", holderAtEnd},
		{"status_at_end", lastOf("status")},
		{"gone", `ifNull(toUnixTimestamp64Milli(deleted) < {to:Int64}, false)`},
	}, classColumns...)) + `
	FROM ` + table + ` AS tickets FINAL
	WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
)
WHERE NOT gone AND NOT has({done:Array(String)}, concat(source, '\x1f', status_at_end))
ORDER BY source, ticket_id`
}
