// Package prometheus holds the rules of Fairlead for Prometheus, and a runbook
// for each alert.
package prometheus

import (
	"embed"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Placeholders in Rules, to be replaced by the addresses of an installation.
const (
	PlaceholderFairlead = "http://127.0.0.1:9464"
	PlaceholderGrafana  = "http://127.0.0.1:3000"
)

//go:embed fairlead.rules.yml
var rules string

//go:embed runbooks/*.md
var runbooks embed.FS

// Options say what the rules are for. The zero value is the rules as they are in
// the file: with placeholders, for the defaults of the configuration.
type Options struct {
	// Fairlead and Grafana are addresses for links; an empty one leaves the
	// placeholder. They must be valid URLs: they are written between quotes.
	Fairlead, Grafana string
	// Window is the one that FairleadTeamUneven looks at; "" is DefaultWindow.
	Window string
	// Patience is the age at which figures and sources are called old; 0 is half
	// an hour. It is to be longer than analyses and polls are apart.
	Patience time.Duration
	// WithoutPeople leaves out the alerts about single engineers, of whom
	// nothing is served.
	WithoutPeople bool
}

// DefaultWindow is the window of FairleadTeamUneven. It looks at one alone: two
// would be two alerts about the same work.
const DefaultWindow = "90d"

// patience is what the rule file has.
const patience = 30 * time.Minute

// Rules is the rule file for an installation.
func Rules(o Options) string {
	address := func(url, placeholder string) string {
		if url == "" {
			return placeholder
		}
		return strings.TrimSuffix(url, "/")
	}
	changes := []string{
		PlaceholderFairlead, address(o.Fairlead, PlaceholderFairlead),
		PlaceholderGrafana, address(o.Grafana, PlaceholderGrafana),
	}
	if o.Window != "" && o.Window != DefaultWindow {
		changes = append(changes, `window="`+DefaultWindow+`"`, `window="`+o.Window+`"`)
		if days, ok := strings.CutSuffix(o.Window, "d"); ok {
			changes = append(changes, "Over the last 90 days", "Over the last "+days+" days")
		}
	}
	if o.Patience > patience {
		seconds := strconv.FormatInt(int64(o.Patience.Seconds()), 10)
		changes = append(changes, "> 1800", "> "+seconds, "more than half an hour", "more than "+o.Patience.String())
	}
	text := strings.NewReplacer(changes...).Replace(rules)
	if o.WithoutPeople {
		from := strings.Index(text, peopleComment)
		to := strings.Index(text, "  - name: fairlead.teams\n")
		text = text[:from] + text[to:]
	}
	return text
}

// peopleComment is where the group of alerts about single engineers begins.
const peopleComment = "  # What may need a conversation."

// Runbook serves a runbook as text, by the path value "alert": mount it on
// "GET /runbooks/{alert}".
func Runbook(w http.ResponseWriter, r *http.Request) {
	text, err := runbooks.ReadFile("runbooks/" + r.PathValue("alert") + ".md")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(text)
}
