package analysis

import "fairlead/analysis/distribution"

// Discoveries adjusts p values so that of those under q a share of q at most is
// expected to be there by luck alone (Benjamini and Hochberg 1995).
func Discoveries(p []float64) ([]float64, error) { return distribution.BenjaminiHochberg(p) }
