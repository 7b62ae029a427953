package sourcetest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

func TestTheReferencePasses(t *testing.T) {
	Run(t, referenceHarness("", PastWhole))
}

func TestTheReferenceWithLessOfAPastPasses(t *testing.T) {
	for name, past := range map[string]Past{"states": PastStates, "none": PastNone} {
		t.Run(name, func(t *testing.T) { RunHistories(t, referenceHarness("", past)) })
	}
}

const mutantEnv = "FAIRLEAD_SOURCETEST_MUTANT"

// pastOf are the mutants that tell less of a past than all.
var pastOf = map[string]Past{
	"tells the last of what it knows":    PastStates,
	"says less than it knows":            PastStates,
	"calls whole what it does not know":  PastNone,
	"does not say why it is not whole":   PastNone,
	"leaves nothing to be observed":      PastNone,
	"makes up a change":                  PastNone,
	"knows nothing of what is untouched": PastNone,
}

// TestMutant runs the suite over the mutant that the environment names; alone
// it has nothing to do.
func TestMutant(t *testing.T) {
	if mutant := os.Getenv(mutantEnv); mutant != "" {
		Run(t, referenceHarness(mutant, pastOf[mutant]))
	}
}

// TestMutantsFail breaks the reference in one way at a time, and expects the
// suite to notice by the promise that was broken.
func TestMutantsFail(t *testing.T) {
	if os.Getenv(mutantEnv) != "" {
		return
	}
	var group sync.WaitGroup
	defer group.Wait()
	slots := make(chan struct{}, 2)
	for mutant, promise := range map[string]string{
		"cuts a long history":                            "a ticket comes with its whole history",
		"tells the last of what it knows":                "a ticket comes with its whole history",
		"says less than it knows":                        "a ticket comes with its whole history",
		"calls whole what it does not know":              "a ticket comes with its whole history",
		"does not say why it is not whole":               "a ticket comes with its whole history",
		"leaves nothing to be observed":                  "a ticket comes with its whole history",
		"makes up a change":                              "a ticket comes with its whole history",
		"knows nothing of what is untouched":             "a ticket comes with its whole history",
		"numbers no updates":                             "a ticket comes with its whole history",
		"describes present accounts only":                "a ticket comes with its whole history",
		"describes no groups":                            "a ticket comes with its whole history",
		"looks up ids in the index":                      "single tickets come by id past a lagging index",
		"looks up no more than fifty ids":                "single tickets come by id",
		"keeps silent about what is gone":                "single tickets come by id",
		"trusts its own clock":                           "the clock is the source's",
		"says a page was sent when it came":              "a page says when it was asked for",
		"checks nothing":                                 "a refused credential is ErrUnauthorized",
		"drops what shares the second of a page's end":   "many tickets of one second are not lost between pages",
		"pages by offset":                                "a restart goes on from the cursor of any page",
		"moves its cursor back":                          "many tickets of one minute are not lost between pages",
		"moves its cursor before the page is read":       "a restart goes on from the cursor of any page",
		"forgets its start":                              "a restart in the middle of any page repeats it",
		"takes a short page for the last":                "a page shorter than asked is not the last",
		"takes an empty page for the last":               "tickets that may not be seen do not end a stream",
		"takes a row that it has seen for the end":       "rows that come again on the next page do no harm",
		"sends requests when nobody reads any more":      "a reader that stops leaves nothing behind",
		"brings a ticket in two streams":                 "the backfill streams part what there is",
		"leaves a gap between two streams":               "the backfill streams part what there is",
		"forgets open tickets from before since":         "the backfill streams part what there is",
		"does not overlap its polls":                     "an edit in the second of the cursor arrives",
		"never comes to an end":                          "a source without tickets is no fault",
		"goes on after an error":                         "an answer that can never be parsed is named, and nothing is lost",
		"tries nothing again that it cannot read":        "an answer that cannot be parsed is tried again",
		"takes what it cannot read for the end":          "an answer that can never be parsed is named, and nothing is lost",
		"does not name what it cannot read":              "an answer that can never be parsed is named, and nothing is lost",
		"takes a refused credential for an empty source": "a credential that is revoked meanwhile is ErrUnauthorized",
		"keeps the cause to itself":                      "a source that is not there is ErrUnreachable",
		"does not mind its context":                      "cancelling ends waiting at once",
		"lists what it collects":                         "every ticket is listed, whatever its age",
		"lists by time":                                  "a ticket that nobody touches is listed, whatever is edited meanwhile",
		"lists one by one":                               "listing costs few requests",
		"takes a short list for the last":                "tickets that may not be seen do not end a list",
		"takes a list that fails for a whole one":        "a list that fails ends with an error",
		"takes closed tickets for old":                   "old tickets are listed apart, and first",
		"lists the young first":                          "a ticket that becomes young while it is listed is among the young",
		"does not say why it skips":                      "what is gone is not listed, and by id it is called gone",
	} {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			pattern := "^TestMutant$/^" + strings.NewReplacer(" ", "_", "'", ".").Replace(promise) + "$"
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+pattern, "-test.v", "-test.timeout=5m")
			cmd.Env = append(os.Environ(), mutantEnv+"="+mutant)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("a source that %s keeps the promise %q", mutant, promise)
			} else if bytes.Contains(out, []byte("test timed out")) || !bytes.Contains(out, []byte("--- FAIL: TestMutant/")) && !bytes.Contains(out, []byte("panic: ")) {
				t.Errorf("a source that %s: the suite did not run: %v\n%s", mutant, err, out)
			}
		})
	}
}
