// Package overload says when too much rests on a person, and why. It is pure:
// no clock, no randomness, and the same bits for the same people in any order.
//
// It measures load, not performance. Nothing here ranks people, and acts are
// never turned into hours worked.
//
// # Signals
//
// Each signal is a number of one engineer and one week. It holds when it is over
// its threshold; its level is the number over the threshold, at least 0, so that
// 1 is at the threshold whatever the unit. Three families say different things,
// and one alone is not enough:
//
//	signal       family        number                                        holds     after
//	own_load     demand        (x−m)/max(1.4826·MAD, √(m·Σw²/Σw), 1)          > 3.5     Iglewicz & Hoaglin 1993
//	team_load    demand        r = s/p, the load per FTE over the team's      > 1.25 and a tail under 1 %
//	flow         demand        (A−B)/√(A+B), arrivals and completions         > 2       ours; Little 1961
//	on_call      interruption  incidents per 12 h on call                     > 2       Site Reliability Engineering, ch. 11
//	unplanned    interruption  share of the received work that was unplanned  > 0.5     Site Reliability Engineering, ch. 5
//	after_hours  time          share of acts outside own hours                Wilson's lower bound over the own share
//	rest         time          longest pause of a day between acts            < 11 h    Directive 2003/88/EC, art. 3
//
// Own load: x is the mean open work of the week in tickets (or effort), m and
// MAD are the median and the median absolute deviation over the 12 weeks before,
// the square root is what chance gives x if work arrives as Poisson does, with
// w the weights of the assignments of these weeks. Undefined with fewer than 6
// of them known. Weeks in which the load against the team holds are set aside, each
// for one before: what is usual is what was so while no more rested on somebody
// than on their team. With the twelve weeks as they are, a step that lasts goes
// quiet within a quarter, with nothing mended, and a slow rise is never seen, since
// what is usual rises with it. By simulation (eight people, 64 tickets a week,
// demand alone known, somebody who gets three times as many for the rest of a
// year), the state was on in 26 % of the weeks of the first quarter and in none
// after it; with weeks set aside in 79 % and then in all. Of rises over half a year
// it saw 2 %, now all. It costs nothing where nothing is planted, where it
// ends after a quarter, where everybody has more, and where somebody has always had
// half as much again. Whoever has always had twice as much as the team is not alarmed
// either, there being no other usual; team load says it. TestBaseline holds this.
//
// Team load: s and p are the shares of the team's load and of its present
// capacity, over the members who were there, h = Σw²/(Σw)² of all of the team's
// load. The tail is the probability that chance gives the person at least s.
// With 1/h tickets in all it is binomial, P(X ≥ s/h) for X ~ B(1/h, p): exact for
// equal weights, where 1/h is the number of tickets and s/h that of the person's.
// This is used for large and small counts alike, since the normal approximation
// z > 2.33 is wrong by a factor of three at 8 people and 10 tickets, and the two
// agree when counts are large. With unequal weights 1/h and s/h are effective
// numbers, for which mean and variance are exact and the tail is continued by
// the incomplete beta function; being that of P(X ≥ k), it is on the careful
// side by half a ticket. Undefined without work, and for a team of one.
//
// Flow is over the last 4 weeks, all of which must be known. After hours: with k
// of n acts outside own hours, the lower end of Wilson's one-sided 99 % interval must lie over
// the person's own share of the 12 weeks before, by the same rule, or over 5 % if that is less;
// so who has always worked at night is not flagged for it, and neither is a
// single late comment. Rest: of the pauses that begin within 24 h after the
// first act after a rest, the longest; the week's number is the shortest of
// these. Acts on call are left out of both; a week of which most are so says nothing
// of either.
//
// Contexts, exp(−Σ q ln q) over the shares q of areas in the work, is reported
// and alarms nobody: no threshold has evidence.
//
// # Absent, insufficient, measured
//
// What a signal needs and nobody knows makes it absent, never 0: without a
// roster there are no own hours and no on-call. A family can be computed in a
// week when one of its signals is not absent. Inputs that are known and too few
// make a signal insufficient: it does not hold, but its family counts as
// computed, so that a quiet week does not change the rule. A family of which all
// that could be told is insufficient is open for that week.
//
// # State
//
// A week is hot when signals of at least two families hold, cool when fewer
// would at 0.8 × their thresholds even if the open ones did, unclear when the open
// ones decide that, and in between otherwise. So nobody is taken to have come to
// rest by a week on call, whose acts are left out. The state turns on
// when 3 of the last 4 weeks are hot, and off after two cool weeks in a row.
// Weeks in between leave it as it is, so a number that wavers about a threshold
// does not make it flap: it stays on for at least two weeks and off for at least
// three. In a week that is not known or unclear, or in which the person was away,
// nothing changes; after four of these in a row the state is forgotten.
//
// Where fewer than two families can be computed, two signals of demand suffice,
// and the state says so: its evidence is [DemandOnly].
//
// # Error rates
//
// By simulation under the null (8 equal people, 10 tickets a week, a third of
// them unplanned, nobody overloaded): the load against the team holds in about
// 0.5 % of person-weeks, z alone would in 2.7 %; own load and flow in about
// 0.2 %; after hours in 2 %, as what is usual is known from few acts; two of demand together in 0.2 %, of two families in 0.1 %. The state
// turned on in none of 41,600 person-weeks; in 0.01 % where efforts are
// log-normal with σ = 1 and demand is all that is known. Somebody who gets twice
// as many tickets as each of seven others, three in four unplanned, is found
// within 12 weeks in 60 % of teams at 40 tickets a week and in 99 % at 80; with
// three times as many in all at 40. TestFalseAlarms and TestPower hold these.
package overload
