package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/web"
)

type whoisCmd struct {
	Pseudonym string `arg:"" help:"Pseudonym as it stands in a metric or an alert."`
}

// person is what whois tells.
type person struct {
	Pseudonym string   `json:"pseudonym"`
	Names     []string `json:"names"`
	Emails    []string `json:"emails"`
	Accounts  []string `json:"accounts"`
}

var errNobody = errors.New("nobody has that pseudonym here: check the spelling, and that --data is the folder of the service that showed it")

// Run asks a running service on the same data folder, else the warehouse. Every
// look-up is written to the access log before it is answered.
func (c whoisCmd) Run(ctx context.Context, a *app) error {
	if err := a.configure(); err != nil {
		return err
	}
	if a.cfg.Privacy.Simulation {
		return errSimulation
	}
	var p person
	var log string
	if err := a.byService(ctx, func(dir string) (err error) {
		log = accessLog(dir)
		p, err = askService(ctx, dir, c.Pseudonym)
		return err
	}, func(h *house) (err error) {
		p, err = lookUp(ctx, a.engine(h), h.dir, c.Pseudonym, whoAmI())
		return err
	}); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s is\n", p.Pseudonym)
	for _, part := range []struct {
		label  string
		values []string
	}{{"name", p.Names}, {"e-mail", p.Emails}, {"account", p.Accounts}} {
		for _, v := range part.values {
			fmt.Fprintf(a.stdout, "  %-8s %s\n", part.label, v)
		}
	}
	fmt.Fprintf(a.stdout, "This look-up was written to %s.\n", log)
	return nil
}

func accessLog(dir string) string { return filepath.Join(dir, "access.log") }

func whoAmI() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// lookUp resolves a pseudonym and logs who asked for it.
func lookUp(ctx context.Context, engine *analysis.Engine, dir, pseudonym, asker string) (person, error) {
	engineer, found, err := engine.Whois(ctx, pseudonym)
	if err != nil {
		return person{}, err
	}
	if err := web.NewJournal(accessLog(dir)).Write(web.Access{
		Time: time.Now().UTC().Truncate(time.Second), Action: "whois", Pseudonym: pseudonym, By: asker, Found: found,
	}); err != nil {
		return person{}, err
	}
	if !found {
		return person{}, errNobody
	}
	p := analysis.ColleagueOf(engineer)
	return person{Pseudonym: pseudonym, Names: p.Names, Emails: p.Emails, Accounts: p.Accounts}, nil
}

func askService(ctx context.Context, dir, pseudonym string) (person, error) {
	response, err := askControl(ctx, dir, http.MethodGet, "/whois/"+url.PathEscape(pseudonym), nil)
	if err != nil {
		return person{}, err
	}
	defer response.Body.Close()
	var p person
	switch response.StatusCode {
	case http.StatusOK:
		if err := json.NewDecoder(response.Body).Decode(&p); err != nil {
			return person{}, fmt.Errorf("asking the running service: %w", err)
		}
		return p, nil
	case http.StatusNotFound:
		return person{}, errNobody
	case http.StatusForbidden:
		return person{}, errSimulation
	default:
		return person{}, fmt.Errorf("the running service answered %s", response.Status)
	}
}
