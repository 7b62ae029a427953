// Package ownership measures with how few people the knowledge of an area sits.
// It is pure: no clock, no randomness, and the same bits for the same people in
// any order.
//
// Evidence says who worked on an area and how lately. It is not a measure of
// skill, nor of anybody's performance.
//
// # Evidence
//
// The evidence that person p knows an area is a sum over what they did there,
//
//	e_p = Σ weight(kind) · exp(−age/90 d), nothing older than 547 days
//
// so that what is known fades by half in 62 days (90 d · ln 2), as long as nobody
// does it again. The weights are ours ([DefaultWeights]): a resolution 1, an act
// on a ticket in another's hands ½, a change of status ¼, and 3 once for whoever
// resolved the area's first ticket. Evidence has no unit; one resolution today is
// 1. E is the sum over all people.
//
// # Measures of an area
//
//	HHI            Σ q²                             [1/n, 1]  Herfindahl 1950, Hirschman 1945  [Config.Concentrate]
//	Effective      1/HHI, the effective owners      [1, n]    Laakso & Taagepera 1979
//	TopShare       the greatest q                   [1/n, 1]
//	Covers         e_p > ¾ max e and e_p ≥ θ        yes, no   Avelino et al. 2016               [Config.Covers]
//	Silo.Score     0.4·C + 0.3·G + 0.3·D            [0, 1]    ours                              [Config.Score]
//	  C            (Σq²−Σπ²)/(1−Σπ²), clipped       [0, 1]
//	  G            1 − (K−1)/(k−1), clipped         [0, 1]
//	  D            recent tickets only the top holder touched, of those anybody did  [0, 1]
//
// with q_p = (e_p + απ_p)/(E + α), π the shares of capacity, K = Σ min(1, e_p/θ),
// α = 4, θ = 3, k = 2.
//
// All of them are about n people: the area's team and all who hold evidence. Their
// shares q are shrunk toward even by a prior worth α resolutions: where three
// tickets were ever done they were done by few, and that says nothing yet. As
// evidence grows q goes to e_p/E; of none at all it is π. Three resolutions by one
// of four people make 2.6 effective owners, a hundred 1.1, while raw shares would
// say 1 of both.
//
// C measures concentration beyond that of the capacities, as
// [distribution.Sample.HHIOverCapacity] does, of the same HHI that is published:
// it is 0 for whoever is spread as the capacities are, and 1 for one person alone.
// The shares of single holders that are listed beside it are of the evidence as it
// lies, e_p/E: those are what was seen, not what is concluded.
//
// # Undefined
//
// Without evidence, or where nobody has capacity, HHI, Effective and TopShare are NaN. An area with E < 3 has no
// score but [ErrNoEvidence]: it would be made of the prior. D without recent
// tickets is the caller's to decide; it gives 0. Negative, infinite and NaN input
// is refused with an error that wraps [distribution.ErrInput].
//
// # Properties
//
// Held by tests: the score lies in [0, 1]; for equal capacities and an unchanged
// top holder, evidence that moves to a lesser holder by at most half of the
// difference never raises it, and a top holder over θ who gains evidence never
// lowers it. With unequal capacities both can fail, since a move away from a
// part-timer can be a move away from even.
//
// # Bus factor
//
// [Config.BusFactor] is the fewest people whose leaving leaves at least half of
// the demand with nobody who covers it: the truck factor of Avelino et al. (2016)
// with their rule of cover, our evidence in place of authorship, and areas
// weighted by their demand.
// Areas that nobody covers now cannot be uncovered and are not part of the demand.
// It comes with a certificate that can be checked by hand: the people, the areas
// and their share. Up to 20 people who cover anything it is exact, by trying every
// set, smallest first; above it is greedy and says so: then it is an upper bound.
// In a test of 1,000 organisations of 9 people and 12 areas greedy takes more than
// are needed in 57.
//
// Who covers is judged against the greatest holder of today. When that person
// leaves, somebody who has θ but under ¾ of theirs may do; [Config.Nexts] names
// them.
//
// # References
//
//   - Avelino, Passos, Hora & Valente (2016): A Novel Approach for Estimating Truck
//     Factors. ICPC.
//   - Fritz, Murphy, Murphy-Hill, Ou & Hill (2014): Degree-of-knowledge: modeling a
//     developer's knowledge of code. ACM TOSEM 23(2).
package ownership
