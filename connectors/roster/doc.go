// Package roster knows who works here: people and their accounts, teams with
// their leads, memberships, working hours, holidays, leave and on-call shifts,
// each valid from a day to a day. It reads them from YAML or CSV, strictly, and
// answers who was in which team, and how much of their time was really there.
//
// # Days
//
// Every period is half-open: `from` is the first day on which something holds,
// `to` the first on which it no longer does; without `from` it always has, and
// without `to` it still does. So is employment: `joined` is the first day,
// `left` the day after the last. A person's day begins at midnight in the zone
// that they are in on that day. The days of a team's queue, which belongs to no
// person, begin at midnight UTC.
//
// # YAML
//
//	defaults:               # for everyone who does not say otherwise
//	  zone: Europe/Berlin   # an IANA name; everyone needs one
//	  hours: mon-fri 09:00-17:00
//	  holidays: [DE]        # names of calendars below
//	  fte: 1
//	holidays:
//	  DE: [2026-01-01, 2026-05-01]
//	people:
//	  ann:                  # an id of your choice
//	    name: Ann Example
//	    email: [ann@example.org, ann.maiden@example.org]
//	    accounts: {jira: 5b10a2844c20165700ede21g}
//	    joined: 2024-02-01
//	    left: 2026-10-01
//	    hours: mon-thu 09:00-12:30 13:00-17:30; fri 09:00-13:00
//	    fte: 0.9
//	    schedules:          # periods in which zone, hours, holidays or fte differ
//	      - {from: 2026-03-01, to: 2026-06-01, hours: mon-wed 09:00-17:00, fte: 0.6}
//	    leave:
//	      - {from: 2026-07-06, to: 2026-07-20}
//	      - {from: 2026-08-03, to: 2026-08-04, part: 0.5}
//	teams:
//	  Payments:
//	    lead: ann           # or a list of {person, from, to}
//	    notify: payments@example.org
//	    queues:             # where the team's tickets wait
//	      - {source: servicenow, queue: Payments Support}
//	    members:
//	      - ann
//	      - {person: bob, fte: 0.5, from: 2025-01-01}
//	    on_call:
//	      - {person: ann, from: 2026-05-04T09:00, to: 2026-05-11T09:00}
//	bots:                   # accounts that are nobody's, beyond those a source tells
//	  servicenow: 6816f79cc0a8016401c5a33be04be441
//
// # CSV
//
// Files of these names, with a header line that names the columns in any order.
// Those marked * are required, others may be missing or empty. E-mail addresses
// and calendars are separated by spaces. The separator is a comma or a
// semicolon; a line that begins with # is a comment.
//
//	people.csv     person* name email joined left zone hours holidays fte
//	schedules.csv  person* from to zone hours holidays fte
//	accounts.csv   person* source* account*
//	bots.csv       source* account*
//	leave.csv      person* from* to part
//	holidays.csv   calendar* day*
//	teams.csv      team* notify lead from to       a line for each lead; from and to are the lead's
//	queues.csv     team* source* queue* from to
//	members.csv    team* person* fte from to
//	on_call.csv    team* person* from* to*
//
// A folder is read whole, YAML and CSV together, so that leave can come from one
// system and teams be kept by hand.
//
// # What words mean
//
// fte is the share of a full working week. A person has so much (1 unless said
// otherwise), and memberships divide it: one without fte takes all, and the sum
// may not exceed what the person has. A lead who takes no tickets is a member
// with fte 0, or none.
//
// Hours are local times; 22:00-06:00 ends on the next day. An hour that the
// clock skips is not worked, one that it repeats is worked twice. Without hours
// Monday to Friday, 09:00 to 17:00, stand in for weighing days, and
// [Roster.HoursKnown] says that nothing about the time of day may be concluded.
//
// Times of a shift without a zone are local to the person. Leave has no reason
// here, on purpose: why somebody was away is nobody's business.
//
// # Presence
//
// A person's nominal time in a window is what their hours would give if they were
// employed throughout and never away. Present is the part of it in which they
// were employed, not on leave, and not on one of their holidays: holidays count
// as absence, so that people of two countries are compared by the hours that each
// was there. The capacity of a member is the FTE of the membership, taken over
// the window, times that presence; time is weighed in weeks of the hours then
// agreed, so that a change to part time in mid-window weighs by time and not by
// hours. It lies between 0 and the greatest FTE that the member has within the
// window, and is 0 in a window in which no hours are scheduled.
package roster
