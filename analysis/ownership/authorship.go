package ownership

import "math"

// Authorship is the degree of authorship of a file of source code, on the scale
// of a questionnaire (Fritz et al. 2014, with the weights as Avelino et al. 2016
// print them):
//
//	3.293 + 1.098·first + 0.164·own − 0.321·ln(1 + others)
//
// first says that the person made the file, own and others are how many changes
// they and everybody else made to it. It is for code: evidence about tickets has
// weights of its own. It is here because [Config.Covers] was made for it, and to
// compare the two where both are known.
func Authorship(first bool, own, others int) float64 {
	doa := 3.293 + 0.164*float64(max(own, 0)) - 0.321*math.Log1p(float64(max(others, 0)))
	if first {
		doa += 1.098
	}
	return doa
}
