// Package effort estimates how much work a ticket is, so that ten password
// resets need not weigh as much as ten migrations. It is pure and versioned:
// the same statistics give the same model, and each result names its version.
//
// # Unit
//
// Effort is counted in typical tickets: 1 is the median ticket of its source.
// Story points are divided by the median of the source's story points, days by
// the median of the source's days; so sources that estimate and sources that do
// not can be added up, and an effort stands beside a count of tickets. It is 0
// for a ticket of 0 story points, and more than 0 otherwise. Medians are of what is
// more than 0; a number of story points that is negative or not finite is none.
//
// # Rule
//
// A ticket with story points (0 is one) has that effort. Any other has the
// effort expected of its class, which is its source, kind, priority and set of
// areas, from what lay before the instant of analysis:
//
//   - by story points, where at least [Config.MinPointed] finished tickets of its
//     kind have them; else
//   - by days: how long finished tickets were worked on, ever, by [WorkingDays].
//     Tickets that never were say nothing.
//
// Medians, as both are skewed and have wild outliers, and shrunk, as classes are
// small: with x the logarithm of the median of n finished tickets,
//
//	x'(kind)  = (n·x(kind)  + 10·x(source)) / (n + 10)
//	x'(class) = (n·x(class) + 10·x'(kind))  / (n + 10)
//	effort    = exp(x'(class) − x(source's typical ticket))
//
// where 10 is [Config.Prior]. So a class without finished tickets is its kind's, a
// kind without is the source's typical ticket, 1, and so is every ticket of a
// source that finished none. An expected effort lies between the least and the
// greatest median of its source over its typical one. Shrinkage of this form is
// the posterior mean of a normal with known variances and a prior worth 10
// observations (Efron & Morris 1975); the median in place of the mean costs
// efficiency and buys robustness (Huber 1981).
//
// # Days
//
// A ticket's days are the working time of whoever held it, while it was held and
// in a status in which work is under way and not one of waiting. A day is 8 hours.
// Statuses of category in_progress are under way; those whose name speaks of
// waiting ([Config.Waiting]) are not: systems file "On Hold" and "Waiting for
// customer" under in_progress.
//
// Of a holder whose calendar is known it is the working time of that calendar.
// Without one it is [Weekdays]: Monday to Friday, every hour of them alike, at 8
// of 24. Where people work is not known then, and hours in the wrong zone would
// give 0 to tickets that were done in one afternoon; this only leaves out
// weekends. It is the same everywhere, up to the hours by which zones shift the
// weekend, and adds up over any parting of time.
//
// # As of
//
// Everything is that of an instant: status, class and points as they were just
// before it, time only up to it. So a model for a past instant gives the same
// efforts again, whatever happened since.
//
// # References
//
//   - Efron & Morris (1975): Data analysis using Stein's estimator and its
//     generalizations. Journal of the American Statistical Association 70.
//   - Huber (1981): Robust Statistics. Wiley.
package effort
