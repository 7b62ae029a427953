package effort

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Version names the rule by which statistics become efforts. It changes whenever
// the same tickets could be given another effort. Results name
// [Config.Version], which says besides how days were counted.
const Version = "effort/1"

// Prior and MinPointed are those of DefaultConfig.
const (
	Prior      = 10
	MinPointed = 20
)

// Config is how efforts are estimated.
type Config struct {
	// Prior is the number of tickets that the estimate one level up counts as.
	Prior float64 `yaml:"prior"`
	// MinPointed is how many finished tickets of a kind must have story points
	// before these are taken for those that have none.
	MinPointed int `yaml:"min_pointed"`
	// Waiting are words with which the name of a status says that nobody is at
	// work, though its category is in progress: see Waits.
	Waiting []string `yaml:"waiting"`
}

// DefaultConfig knows the usual English names for waiting.
func DefaultConfig() Config {
	return Config{
		Prior: Prior, MinPointed: MinPointed,
		Waiting: []string{"await", "wait", "pending", "on hold", "on-hold", "hold", "held", "blocked", "suspended", "paused", "parked", "deferred", "postponed", "stalled"},
	}
}

// Validate names the key that is wrong and says what to do.
func (c Config) Validate() error {
	switch {
	case !(c.Prior >= 0 && c.Prior <= 1e6):
		return fmt.Errorf("prior is %g: give a number from 0 to 1000000", c.Prior)
	case c.MinPointed < 1 || c.MinPointed > math.MaxInt32:
		return fmt.Errorf("min_pointed is %d: give a number from 1 on", c.MinPointed)
	}
	for i, w := range c.Waiting {
		if strings.TrimSpace(w) == "" || !utf8.ValidString(w) {
			return fmt.Errorf("waiting[%d] is %q: give the word that a status begins with, or a word in it does", i, w)
		}
	}
	return nil
}

// Waits reports whether the name of a status speaks of waiting: it has one of the
// words, in any case, at the start of a word. "On Hold", "Awaiting Vendor" and
// "Waiting for customer" do, "Unblocked" does not.
func (c Config) Waits(status string) bool {
	name := strings.ToLower(status)
	for _, w := range c.Waiting {
		w = strings.ToLower(strings.TrimSpace(w))
		for rest, from := name, 0; w != ""; {
			i := strings.Index(rest, w)
			if i < 0 {
				break
			}
			before, _ := utf8.DecodeLastRuneInString(name[:from+i])
			if from+i == 0 || !unicode.IsLetter(before) {
				return true
			}
			from += i + 1
			rest = name[from:]
		}
	}
	return false
}

// Hours is how the days of a ticket were counted.
type Hours string

// The ways, from the coarsest.
const (
	Elapsed        Hours = "elapsed"  // all hours, 24 a day, waiting or not
	WeekdayHours   Hours = "weekdays" // by Weekdays for everybody
	CalendarsHours Hours = "calendar" // by each holder's calendar where it is known
)

// Version names everything by which a model's efforts come from tickets: the
// rule, the hours, and, where the Config is not the default, the Config.
func (c Config) Version(hours Hours) string {
	version := Version
	if hours != Elapsed {
		version += "+" + string(hours)
	}
	text, ours := c.canonical(), DefaultConfig().canonical()
	if text == ours {
		return version
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(text)) // never fails
	return fmt.Sprintf("%s+%08x", version, sum.Sum32())
}

func (c Config) canonical() string {
	text, err := json.Marshal(c)
	if err != nil {
		return err.Error() // only for a number that Validate refuses
	}
	return string(text)
}
