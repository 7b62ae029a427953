package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/exporter"
	"fairlead/deploy/alertmanager"
	deployed "fairlead/deploy/prometheus"
)

type rulesCmd struct {
	ExternalURL string `name:"external-url" required:"" help:"Address at which people reach Fairlead, for the links in alerts." placeholder:"URL"`
	GrafanaURL  string `name:"grafana-url" help:"Address of Grafana, for the links to dashboards." placeholder:"URL"`
	Out         string `required:"" help:"Folder for the files." type:"path" placeholder:"DIR"`
}

// Run writes the rules of Prometheus and the routes of Alertmanager.
func (c rulesCmd) Run(ctx context.Context, a *app) error {
	for flag, text := range map[string]string{"--external-url": c.ExternalURL, "--grafana-url": c.GrafanaURL} {
		if err := checkLink(text); text != "" && err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	if err := a.configure(); err != nil {
		return err
	}
	var teams []analysis.TeamContacts
	var rostered bool
	err := a.withHouse(ctx, func(h *house) (err error) {
		teams, rostered, err = a.engine(h).Contacts(ctx, h.asOf())
		return err
	})
	if err != nil {
		return err
	}
	routes, unreached, err := alertmanager.Generate(a.cfg.Alerts, addressees(teams, a.cfg.Metrics))
	if err != nil {
		return err
	}
	people := a.cfg.scrapePeople()
	windows := a.cfg.Analysis.Windows
	rules := deployed.Rules(deployed.Options{
		Fairlead: c.ExternalURL, Grafana: c.GrafanaURL, Window: unevenWindow(windows),
		Patience:      max(3*a.cfg.Analysis.Interval, 3*a.cfg.Collector.Interval),
		WithoutPeople: !people,
	})
	// The routes tell who has which pseudonym.
	if err := writeWhole(c.Out, map[string]outFile{
		"fairlead.rules.yml": {[]byte(rules), 0o644},
		"alertmanager.yml":   {routes, 0o600},
	}); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "wrote %s and %s\n", filepath.Join(c.Out, "fairlead.rules.yml"), filepath.Join(c.Out, "alertmanager.yml"))
	switch {
	case !rostered:
		fmt.Fprintln(a.stdout, "There is no roster: alerts about people reach nobody, those about queues who runs Fairlead.")
	case len(unreached) > 0:
		fmt.Fprintf(a.stdout, "These teams have no lead with an e-mail address, so that alerts about their people reach nobody: %s\n", strings.Join(unreached, ", "))
	}
	if !people {
		fmt.Fprintln(a.stdout, "Single engineers are not served (metrics.people, metrics.engineer_label, privacy.simulation): there are no alerts about them.")
	}
	return nil
}

// checkLink refuses what is no absolute address, or could end the quotes around
// it.
func checkLink(text string) error {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.ContainsAny(text, "'\"{} \n") || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is no address like https://fairlead.example.org", text)
	}
	return nil
}

// unevenWindow is 90 days if it is computed, else the longest that is.
func unevenWindow(windows []analysis.Window) string {
	var longest analysis.Window
	var begin time.Time
	at := time.Now()
	for _, w := range windows {
		if w.String() == deployed.DefaultWindow {
			return deployed.DefaultWindow
		}
		if from, _ := w.Bounds(at); begin.IsZero() || from.Before(begin) {
			longest, begin = w, from
		}
	}
	return longest.String()
}

func addressees(teams []analysis.TeamContacts, cfg exporter.Config) []alertmanager.Team {
	var list []alertmanager.Team
	for _, t := range teams {
		one := alertmanager.Team{Name: t.Team, Notify: t.Notify}
		if t.Lead != nil {
			one.Lead = t.Lead.Email
		}
		for _, m := range slices.Concat(t.Members, t.Left) {
			p := alertmanager.Person{Labels: []string{m.Pseudonym}, Email: m.Email}
			if cfg.Engineer == exporter.LabelName && m.Name != "" {
				p.Labels = append(p.Labels, m.Name, m.Name+" ("+m.Pseudonym+")")
			}
			one.People = append(one.People, p)
		}
		list = append(list, one)
	}
	return list
}

type outFile struct {
	content []byte
	mode    os.FileMode
}

// writeWhole writes files so that none of them is ever there in part, and none
// is replaced before all are written.
func writeWhole(dir string, files map[string]outFile) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w: choose another with --out", err)
	}
	var written []string
	defer func() {
		for _, path := range written {
			_ = os.Remove(path) // those that were renamed are not there any more
		}
	}()
	names := keysOf(files)
	for _, name := range names {
		path := filepath.Join(dir, "."+name+".new")
		written = append(written, path)
		if err := writeSynced(path, files[name]); err != nil {
			return fmt.Errorf("writing %s: %w: choose another folder with --out", name, err)
		}
	}
	for i, name := range names {
		if err := os.Rename(written[i], filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("writing %s: %w: choose another folder with --out", name, err)
		}
	}
	return nil
}

func writeSynced(path string, f outFile) (err error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, f.mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(f.content); err != nil {
		return err
	}
	return file.Sync()
}
