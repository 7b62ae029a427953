package embedded

// The bounds of the derived memory cap. The engine idles near 250 MB; the upper
// bound is what a year's analysis of millions of tickets needs with room to spare.
const (
	MinMemoryLimit = 512 << 20
	maxMemoryLimit = 4 << 30
)

// DefaultMemoryLimit is the engine's memory cap in bytes where none is
// configured: half of what this process may use, within bounds.
func DefaultMemoryLimit() uint64 {
	return min(max(totalMemory()/2, MinMemoryLimit), maxMemoryLimit)
}
