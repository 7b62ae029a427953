package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// A running service answers commands on a socket, since it holds the warehouse.
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
	mux.HandleFunc("POST /report", answering(s.reporter.answer))
	mux.HandleFunc("POST /forget", answering(asJSON(s.forget)))
	mux.HandleFunc("POST /prune", answering(asJSON(s.pruneNow)))
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

// answering answers a request on the control socket with what do gives.
func answering[Q any](do func(ctx context.Context, q Q, asker string) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&q); err != nil {
			http.Error(w, "the request is none", http.StatusBadRequest)
			return
		}
		text, err := do(r.Context(), q, r.Header.Get("X-Asker"))
		if err != nil {
			http.Error(w, oneLine(err).Error(), http.StatusUnprocessableEntity)
			return
		}
		_, _ = w.Write(text) // who asked may have gone
	}
}

// asJSON is an answer of the control socket as JSON.
func asJSON[Q, A any](do func(context.Context, Q, string) (A, error)) func(context.Context, Q, string) ([]byte, error) {
	return func(ctx context.Context, q Q, asker string) ([]byte, error) {
		told, err := do(ctx, q, asker)
		if err != nil {
			return nil, err
		}
		return json.Marshal(told)
	}
}

// ask has the service that runs on the data folder answer; errNoService where none
// does.
func ask(ctx context.Context, dir, path string, q any) ([]byte, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	response, err := askControl(ctx, dir, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("asking the running service: %w", err)
	case response.StatusCode == http.StatusUnprocessableEntity:
		return nil, errors.New(strings.TrimSpace(string(text)))
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the running service answered %s", response.Status)
	}
	return text, nil
}

// askJSON is ask for what asJSON answers.
func askJSON(ctx context.Context, dir, path string, q, told any) error {
	text, err := ask(ctx, dir, path, q)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, told); err != nil {
		return fmt.Errorf("asking the running service: %w", err)
	}
	return nil
}

// byService has something done by the service that runs on the data folder, or,
// where none does, on the folder itself.
func (a *app) byService(ctx context.Context, there func(dir string) error, here func(*house) error) error {
	dir, err := a.cfg.dataDir(a.globals.Data)
	if err != nil {
		return err
	}
	err = there(dir)
	if errors.Is(err, errNoService) {
		err = a.withHouse(ctx, here)
	}
	return err
}
