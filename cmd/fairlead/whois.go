package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
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
func (c whoisCmd) Run(ctx context.Context, a *app) (err error) {
	if err := a.configure(); err != nil {
		return err
	}
	if a.cfg.Privacy.Simulation {
		return errSimulation
	}
	dir, err := a.cfg.dataDir(a.globals.Data)
	if err != nil {
		return err
	}
	p, err := askService(ctx, dir, c.Pseudonym)
	if errors.Is(err, errNoService) {
		var h *house
		if h, err = a.openHouse(ctx, dir, toRead); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, h.Close()) }()
		p, err = lookUp(ctx, a.engine(h), dir, c.Pseudonym, whoAmI())
	}
	if err != nil {
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
	fmt.Fprintf(a.stdout, "This look-up was written to %s.\n", accessLog(dir))
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

// A running service answers whois on a socket, since it holds the warehouse.
// The socket is in a folder that only its owner may enter; controlFile, in the
// data folder, says where, because a socket's path may not be long.

func controlFile(dir string) string { return filepath.Join(dir, "control") }

var errNoService = errors.New("no service runs on this data folder")

// serveControl answers until ctx ends.
func serveControl(ctx context.Context, s *service) error {
	dir := s.house.dir
	folder, err := os.MkdirTemp("", "fairlead-")
	if err != nil {
		return fmt.Errorf("making the control socket: %w", err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "control.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("making the control socket: %w", err)
	}
	if err := writeFile(controlFile(dir), []byte(path+"\n")); err != nil {
		return errors.Join(fmt.Errorf("saying where the control socket is: %w", err), listener.Close())
	}
	defer os.Remove(controlFile(dir))

	mux := http.NewServeMux()
	mux.HandleFunc("POST /report", controlReport(s.reporter))
	mux.HandleFunc("POST /forget", controlJSON(s.forget))
	mux.HandleFunc("POST /prune", controlJSON(s.pruneNow))
	mux.HandleFunc("GET /whois/{pseudonym}", func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.Privacy.Simulation {
			http.Error(w, errSimulation.Error(), http.StatusForbidden)
			return
		}
		p, err := lookUp(r.Context(), s.engine, dir, r.PathValue("pseudonym"), r.Header.Get("X-Asker"))
		switch {
		case errors.Is(err, errNobody):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(p); err != nil {
				s.log.Warn("answering whois failed", "error", err)
			}
		}
	})
	return serveUntil(ctx, &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout}, listener)
}

// askControl asks the service that runs on the data folder. The error is
// errNoService where there is none. The caller closes the answer's body.
func askControl(ctx context.Context, dir, method, path string, body io.Reader) (*http.Response, error) {
	socket, err := os.ReadFile(controlFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoService
	}
	if err != nil {
		return nil, fmt.Errorf("finding the running service: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", string(socket[:max(0, len(socket)-1)]))
	}}}
	request, err := http.NewRequestWithContext(ctx, method, "http://fairlead"+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Asker", whoAmI())
	response, err := client.Do(request)
	var refused *net.OpError
	if errors.As(err, &refused) && refused.Op == "dial" {
		return nil, errNoService // it died without removing the file
	}
	if err != nil {
		return nil, fmt.Errorf("asking the running service: %w", err)
	}
	return response, nil
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
