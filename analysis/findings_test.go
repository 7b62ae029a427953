package analysis

import "testing"

// TestLuckExplainsOnlyWhatItGives: that luck alone explains a Gini is said of one
// within its band, and of none over it that is only not called uneven.
func TestLuckExplainsOnlyWhatItGives(t *testing.T) {
	e := &Engine{config: DefaultConfig()}
	group := func(name string, gini float64) Group {
		chance, high, adjusted, hoover := 0.11, 0.16, 0.12, 0.1
		return Group{Name: name, People: 8, Verdict: WithinChance, Gini: &gini, GiniChance: &chance, ChanceHigh: &high, PAdjusted: &adjusted, Hoover: &hoover}
	}
	list := e.lucky(Days(90), []Group{group("over the band", 0.18), group("within it", 0.155), group("even enough", 0.12)})
	if len(list) != 1 || list[0].Team != "within it" {
		t.Errorf("got %+v", list)
	}
}
