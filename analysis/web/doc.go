// Package web is the pages that people look at: the overview of teams, a team, an
// area, one's own data, the reports, and the state of collection.
//
// Pages are rendered on the server from the published Snapshot, without script.
// Only what is asked for about one person or one team (where a number comes from,
// what might be moved) queries the warehouse.
//
// Who sees what is decided by the methods of [Viewer] and nowhere else. Every
// look at a person is written to the access log before it is answered, and that
// person can read it.
package web
