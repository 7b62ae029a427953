// Package analysis is the engine: it aggregates the stored histories in
// ClickHouse, measures them in Go, and publishes an immutable Snapshot.
//
// Every answer is of an instant, as_of, and uses nothing at or after it: a
// ticket's holder, status, group, areas, kind, priority and effort are taken
// from its intervals, never from its present columns. So the answer for a past
// as_of is the one that was true then, as far as the source's history tells.
// What ids mean (names, categories, kinds) and which accounts are one person is
// taken from now, since sources keep no history of it; so is the creation time.
//
// A status whose category is unknown counts as open. A ticket that was deleted
// leaves load from its deletion on, and stays in what was assigned and resolved
// before. Integration accounts are not people and are counted apart.
//
// Answers are deterministic: the same tickets, configuration and as_of give the
// same bytes. The server sums whole numbers only, and all fractions are made in
// Go in a fixed order.
package analysis
