package clickhousetest

import (
	"flag"
	"strconv"
	"testing"
)

// Cases sets how many cases rapid tries until the test ends, unless its flag was
// given: with a warehouse a case is many queries. No test may run beside it, since
// rapid reads the number from its flag.
func Cases(t *testing.T, n int) {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if given {
		return
	}
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	if err := checks.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = checks.Set(before) })
}
