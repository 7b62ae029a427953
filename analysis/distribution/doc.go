// Package distribution measures how evenly work is spread over people, and how
// much of the unevenness luck alone would give. It is pure: no clock, no
// randomness, and the same bits for the same people in any order.
//
// # Notation
//
// Person i holds W_i ≥ 0 units of work and has c_i > 0 units of capacity (full
// time equivalents that were present). W = ΣW_i, C = Σc_i, s_i = W_i/W the
// share of the work, p_i = c_i/C the share of the capacity, and r_i = s_i/p_i
// the relative load: its mean under p is 1. Every index is a number without a
// unit and does not change when all W_i or all c_i are multiplied by a factor.
// Natural logarithms throughout.
//
// # What is undefined
//
// An undefined index is NaN, never 0, and [Defined] tells it from a value. A
// sample of nobody, or of people without any work (W = 0), has no
// distribution: every index of it is NaN. +Inf is a value: the mean log
// deviation is infinite as soon as one person has no work. One person alone
// is equal to themselves (G = 0), and the forms that are corrected for the
// size of the sample are undefined for them. 0·ln 0 is 0.
//
// Negative, infinite and NaN input is refused with an error. People with no
// capacity (c_i = 0) are left out of the indices; what they hold is reported
// by [Sample.Apart].
//
// # The indices
//
//	Gini              ½ ΣΣ p_i p_j |r_i − r_j|                [0, 1−min p]  Gini 1912
//	GiniCorrected     G/(1−Σp²); equal capacity: G·n/(n−1)    [0, ~1]       Deltas 2003
//	Hoover            ½ Σ|s_i − p_i|                          [0, 1−min p]  Hoover 1936
//	TheilT            Σ s ln(s/p)                             [0, −ln min p] Theil 1967
//	MeanLogDeviation  Σ p ln(p/s)                             [0, +Inf]     Theil 1967
//	Atkinson(ε)       1 − (Σ p r^(1−ε))^(1/(1−ε))             [0, 1]        Atkinson 1970
//	HHI               Σ s²                                    [1/n, 1]      Herfindahl 1950, Hirschman 1945
//	HHINormalised     (H−1/n)/(1−1/n)                         [0, 1]
//	HHIOverCapacity   max(0, (H−Σp²)/(1−Σp²))                 [0, ~1]
//	Effective         1/H                                     [1, n]        Laakso & Taagepera 1979
//	EffectiveShannon  exp(−Σ s ln s)                          [1, n]        Hill 1973, q = 1
//	CV2               Σ(s−p)²/p                               [0, 1/min p − 1]
//	Jain              1/(1+CV²)                               [min p, 1]    Jain, Chiu & Hawe 1984
//	Rosenbluth        1/(2Σ k·s_(k) − 1), s_(1) the largest   [1/n, 1]      Rosenbluth 1955
//	TopShare(k)       sum of the k largest s                  [k/n, 1]
//	Lorenz(x)         work of the least loaded x of capacity  [0, x]        Lorenz 1905
//	Palma             (1−L(.9))/L(.4)                         [¼, +Inf]     Palma 2011
//	Ratio2020         (1−L(.8))/L(.2)                         [1, +Inf]
//
// The Gini of a small team is bounded by 1−1/n, so teams of different size are
// compared by GiniCorrected; that one changes when a full-time person is
// described as two half-time ones, and Gini does not. Palma and Ratio2020 say
// nothing about fewer than [MinRatioPeople] people: a caller that publishes
// them withholds them there.
//
// R's ineq::Theil drops zeros before it takes the mean, and dineq deletes
// them; both are wrong for (0, 0, 0, 40), where T = ln 4. Here zeros stay.
//
// # Chance
//
// Under the null model each ticket goes to person i with probability p_i,
// independently. See [Null].
package distribution
