// Package prometheus holds the rules of Fairlead for Prometheus, and a runbook
// for each alert.
package prometheus

import (
	"embed"
	"net/http"
	"strings"
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

// Rules is the rule file with links to Fairlead and Grafana at these addresses;
// an empty one leaves the placeholder. The addresses must be valid URLs: they
// are written between quotes.
func Rules(fairlead, grafana string) string {
	address := func(url, placeholder string) string {
		if url == "" {
			return placeholder
		}
		return strings.TrimSuffix(url, "/")
	}
	return strings.NewReplacer(
		PlaceholderFairlead, address(fairlead, PlaceholderFairlead),
		PlaceholderGrafana, address(grafana, PlaceholderGrafana),
	).Replace(rules)
}

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
