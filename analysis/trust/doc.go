// Package trust measures what people say of working here, in surveys of a team.
// It is pure. It has no answers of its own and keeps none: who asks, and who may
// see, is decided elsewhere; this package only refuses to speak of few. What tickets
// tell of trust (who assigns, what comes back, whether a postmortem is written) and
// who joins and leaves are not surveys, and are not measured here.
//
// # Anonymity
//
// Nothing is computed of a team of which fewer than [MinPeople] answered. That is
// not all that anonymity asks for: a caller must also suppress complementary cells
// (a team of nine beside a group of eleven shows the other two), release nothing
// that differs from the last by fewer than five people, and never show figures
// while answers still come in.
//
// # Recommendation (eNPS)
//
// Of n answers, whole numbers from 0 to 10, of a team of N to "would you recommend
// working here", with P the share of 9 and 10, D that of 0 to 6 (Reichheld 2003), in
// points:
//
//	eNPS   100(P − D)                                        [−100, 100]
//	SE     100·sqrt((P + D − (P−D)²)/n)                      ≥ 0
//
// The interval at 95 %, 1.96 standard errors either way, is of the adjusted shares
// p̃ and d̃, (x+1)/(n+3) of x answers, which is one answer more of each sort, with
// variance (p̃ + d̃ − (p̃−d̃)²)/(n+4) (an adjusted Wald interval, after Rocks 2016:
// at small n, and where all agree, the plain one is too short). The standard error
// is multiplied by the correction for finite teams sqrt((N−n)/(N−1)), and the
// interval clipped to [−100, 100]. It is not centred on the score, and where few
// answered and all alike it leaves the score out, at its edge. When all of a team
// of N have answered there is nothing left to chance, and it is the score itself.
//
// Who does not answer may think otherwise. With a response rate RR = n/N the
// eNPS of all lies for certain in RR·eNPS ± 100(1−RR). Two quarters differ only
// when both the intervals and these bounds are apart ([Recommendation.DiffersFrom]).
//
// # Scales
//
// A [Scale] is a list of items that are answered from Least to Most; reversed
// items are turned (Least + Most − x). A person's value is the mean of their
// answers, if there are at least five ([MinAnswered]; who answered fewer does not
// count); a team's is the mean of its persons', each weighing the same, from Least
// to Most in the unit of the scale. [Edmondson] is psychological safety: seven items from 1
// to 7, of which the first, third and fifth are reversed (Edmondson 1999).
//
// A team's mean means something only where the team agrees. Agreement is r_wg(j)
// of James, Demaree & Wolf (1984), against a uniform null: of the j items that at
// least two people answered, with s² the mean of the items' variances (over n−1) and
// σ² = (A²−1)/12 for A possible answers,
//
//	r = j(1 − s²/σ²) / (j(1 − s²/σ²) + s²/σ²)               [0, 1]
//
// 1 when all say the same; 0 by convention when they differ more than by chance, and
// where there is no such item.
// Under 0.7 a mean is to be shown marked, or not at all.
//
// # References
//
//   - Edmondson (1999): Psychological safety and learning behavior in work teams.
//     Administrative Science Quarterly 44.
//   - James, Demaree & Wolf (1984): Estimating within-group interrater reliability
//     with and without response bias. Journal of Applied Psychology 69.
//   - Reichheld (2003): The one number you need to grow. Harvard Business Review.
//   - Rocks (2016): Interval estimation for the "Net Promoter Score". The American
//     Statistician 70.
package trust
