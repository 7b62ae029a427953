package analysis

import "testing"

func TestNearby(t *testing.T) {
	teams := []string{"Payments", "Payments Support", "Network Operations", "PAY", "Group 70", "Group 7"}
	for asked, want := range map[string]string{
		"payments":           ": did you mean Payments, PAY or Payments Support?",
		"Network Operatoins": ": did you mean Network Operations?",
		"operations":         ": did you mean Network Operations?",
		"Group 71":           ": did you mean Group 7 or Group 70?",
		"zzzzzz":             ": there is Group 7, Group 70, Network Operations, PAY, Payments, Payments Support",
	} {
		if got := Nearby(asked, teams); got != want {
			t.Errorf("%q%s, want%s", asked, got, want)
		}
	}
	if got := Nearby("x", nil); got != "" {
		t.Error(got)
	}
	for _, c := range []struct {
		a, b string
		n    int
	}{{"", "", 0}, {"a", "", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abcd", "acbd", 1}, {"é", "e", 1}} {
		if got := slips(c.a, c.b); got != c.n || slips(c.b, c.a) != c.n {
			t.Errorf("%q and %q: %d and %d, want %d", c.a, c.b, got, slips(c.b, c.a), c.n)
		}
	}
}
