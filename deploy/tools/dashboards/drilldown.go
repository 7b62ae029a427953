package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// The SQL reads what deploy/clickhouse/users.d/grafana.xml grants and nothing
// else: no column says who did or does anything. Assignments are of people only,
// so that a ticket is held while one of them has no end.
const (
	categories = "(SELECT source, id, any(name) AS word, any(value) AS category FROM terms FINAL WHERE field = 'status' GROUP BY source, id)"
	words      = "(SELECT source, field, id, any(name) AS word FROM terms FINAL WHERE field IN ('group', 'kind', 'area') GROUP BY source, field, id)"

	// queues are the tickets of the chosen sources and queues, by name.
	queues = `(
  SELECT t.source AS source, t.ticket AS ticket, t.status AS status, t.areas AS areas, t.created AS created, t.given AS given, t.taken AS taken,
    t.fields AS fields, t.values AS values, t.begun AS begun, t.ended AS ended,
    if(q.word = '', t.queue_id, q.word) AS queue, if(k.word = '', t.kind_id, k.word) AS kind
  FROM (
    SELECT source, key AS ticket, ` + "`group`" + ` AS queue_id, kind AS kind_id, status, areas, created, ` + "`assignments.from`" + ` AS given, ` + "`assignments.to`" + ` AS taken,
      ` + "`spells.field` AS fields, `spells.value` AS values, `spells.from` AS begun, `spells.to` AS ended" + `
    FROM tickets FINAL
    WHERE deleted IS NULL AND source IN (${source:singlequote})
  ) AS t
  LEFT JOIN ` + words + ` AS q ON q.source = t.source AND q.field = 'group' AND q.id = t.queue_id
  LEFT JOIN ` + words + ` AS k ON k.source = t.source AND k.field = 'kind' AND k.id = t.kind_id
  WHERE queue IN (${queue:singlequote})
)`

	// standing are those of them that are not done, with the words of now.
	standing = `(
  SELECT t.*, if(s.word = '', t.status, s.word) AS state,
    arrayLast((b, f) -> f = 'status', begun, fields) AS since,
    arrayExists(x -> x IS NULL, taken) AS held,
    length(given) AS times
  FROM ` + queues + ` AS t
  LEFT JOIN ` + categories + ` AS s ON s.source = t.source AND s.id = t.status
  WHERE s.category != 'done'
)`

	// finished are, of those that are done, when they became so: where the
	// unbroken run of done statuses began.
	finished = `(
  SELECT source, queue, ticket, min(at) AS done_at
  FROM (
    SELECT source, queue, ticket, at, category,
      max(if(category = 'done', toDateTime64(0, 3, 'UTC'), at)) OVER (PARTITION BY source, ticket) AS undone
    FROM (
      SELECT t.source AS source, t.queue AS queue, t.ticket AS ticket, t.at AS at, s.category AS category
      FROM (SELECT source, queue, ticket, field, value, at FROM ` + queues + ` ARRAY JOIN fields AS field, values AS value, begun AS at WHERE field = 'status') AS t
      LEFT JOIN ` + categories + ` AS s ON s.source = t.source AND s.id = t.value
    )
  )
  WHERE category = 'done' AND at >= undone
  GROUP BY source, queue, ticket
)`
)

func drilldown() *page {
	p := (&page{DashboardBuilder: dashboard.NewDashboardBuilder("Fairlead: drill-down")}).
		frame("fairlead-drilldown", "The tickets behind the figures, straight from ClickHouse. No person is in it.", "now-90d", "All teams", "/").
		source("clickhouse", "ClickHouse", clickhouse).
		chosen("source", "Source", "SELECT DISTINCT source FROM tickets ORDER BY source").
		chosen("queue", "Queue", `SELECT DISTINCT if(q.word = '', t.id, q.word) AS queue
FROM (SELECT DISTINCT source, `+"`group`"+` AS id FROM tickets WHERE source IN (${source:singlequote})) AS t
LEFT JOIN `+words+` AS q ON q.source = t.source AND q.field = 'group' AND q.id = t.id
ORDER BY queue`)

	p.note(24, 3, "The tickets behind the figures, by their keys. Queues are the groups and projects of the sources, whatever the roster says. "+
		"Who holds a ticket, or held it, is not here: the account of this data source cannot read it. Tables show the first fifty.")
	p.counted(6, "Open tickets", "Tickets of the chosen queues that are not done.", number, "SELECT count() AS tickets FROM "+standing, level0...)
	p.counted(6, "Held by nobody", "Of these, those that nobody holds.", number, "SELECT countIf(NOT held) AS tickets FROM "+standing, level0...)
	p.counted(6, "Median age", "Half of the open tickets are older than this.", seconds, "SELECT medianExact(dateDiff('second', created, now())) AS age FROM "+standing, level0...)
	p.counted(6, "Given to three or more", "Open tickets that were given to somebody three times or more. Not bad in itself; many of them may reach the wrong person first.", number,
		"SELECT countIf(times >= 3) AS tickets FROM "+standing, level0...)

	p.listing(24, 12, "Oldest open tickets", "The open tickets that are oldest, with the status that they are in and for how long.",
		`SELECT ticket AS "Ticket", queue AS "Queue", kind AS "Kind", state AS "Status", dateDiff('second', created, now()) AS "Age", dateDiff('second', since, now()) AS "In this status for", times AS "Times given", toUInt8(held) AS "Somebody holds it"
FROM `+standing+`
ORDER BY created, ticket
LIMIT 50`,
		column{name: "Age", unit: seconds}, column{name: "In this status for", unit: seconds},
		column{name: "Times given", unit: number, levels: []level{{0, green}, {3, yellow}, {5, orange}}}, column{name: "Somebody holds it", unit: number, words: yes})
	p.listing(12, 11, "Held by nobody, longest first", "Open tickets that nobody holds, and since when: since they were made where nobody ever held them.",
		`SELECT ticket AS "Ticket", queue AS "Queue", state AS "Status", dateDiff('second', greatest(created, arrayMax(arrayMap(x -> ifNull(x, created), taken))), now()) AS "For", times AS "Times given"
FROM (SELECT * FROM `+standing+` WHERE NOT held)
ORDER BY "For" DESC, ticket
LIMIT 50`,
		column{name: "For", unit: seconds}, column{name: "Times given", unit: number})
	p.listing(12, 11, "Given most often", "Tickets made in the chosen time that were given to somebody most often, done or not. Look at where they went: a queue that gives them back, an area that nobody knows.",
		`SELECT ticket AS "Ticket", queue AS "Queue", kind AS "Kind", length(given) AS "Times given", dateDiff('second', created, arrayMax(given)) AS "From first to last"
FROM `+queues+`
WHERE $__timeFilter(created) AND notEmpty(given)
ORDER BY "Times given" DESC, ticket
LIMIT 50`,
		column{name: "Times given", unit: number, levels: []level{{0, green}, {3, yellow}, {5, orange}}}, column{name: "From first to last", unit: seconds})
	p.course(12, 9, "Made and done, by week", "Tickets that were made and tickets that became done in each week. The first and the last week are cut by the chosen time. Made above done for long means a growing pile.", number,
		`SELECT toDateTime(toMonday(created)) AS time, count() AS made
FROM `+queues+`
WHERE $__timeFilter(created)
GROUP BY time
ORDER BY time`,
		`SELECT toDateTime(toMonday(done_at)) AS time, count() AS done
FROM `+finished+`
WHERE $__timeFilter(done_at)
GROUP BY time
ORDER BY time`)
	p.listing(12, 9, "How long tickets lie in each status", "Over the statuses that were left in the chosen time: how often, and half of them within which time. Long waits for somebody else are no one's slowness.",
		`SELECT t.queue AS "Queue", if(s.word = '', t.value, s.word) AS "Status", count() AS "Times", quantileExact(0.5)(dateDiff('second', t.at, t.until)) AS "Half within", quantileExact(0.9)(dateDiff('second', t.at, t.until)) AS "Nine of ten within"
FROM (
  SELECT source, queue, value, at, assumeNotNull(left_at) AS until
  FROM `+queues+` ARRAY JOIN fields AS field, values AS value, begun AS at, ended AS left_at
  WHERE field = 'status' AND left_at IS NOT NULL AND $__timeFilter(until)
) AS t
LEFT JOIN `+categories+` AS s ON s.source = t.source AND s.id = t.value
WHERE s.category != 'done'
GROUP BY "Queue", "Status"
ORDER BY "Half within" DESC, "Queue", "Status"
LIMIT 50`,
		column{name: "Times", unit: number}, column{name: "Half within", unit: seconds}, column{name: "Nine of ten within", unit: seconds})
	p.listing(24, 11, "Areas by what is asked", "Tickets made in the chosen time by area, how many of them are open, and how often they were given to somebody on average.",
		`SELECT if(a.word = '', t.area, a.word) AS "Area", count() AS "Made", countIf(t.open) AS "Open of them", avg(t.times) AS "Times given each"
FROM (
  SELECT source, area, length(given) AS times, NOT has(done_statuses, status) AS open
  FROM (
    SELECT source, areas, given, status, (SELECT groupUniqArray(id) FROM terms FINAL WHERE field = 'status' AND value = 'done') AS done_statuses
    FROM `+queues+`
    WHERE $__timeFilter(created)
  ) ARRAY JOIN areas AS area
) AS t
LEFT JOIN `+words+` AS a ON a.source = t.source AND a.field = 'area' AND a.id = t.area
GROUP BY "Area"
ORDER BY "Made" DESC, "Area"
LIMIT 50`,
		column{name: "Made", unit: number}, column{name: "Open of them", unit: number}, column{name: "Times given each", unit: number, decimals: 1, levels: []level{{0, green}, {2, yellow}, {3, orange}}})
	return p
}
