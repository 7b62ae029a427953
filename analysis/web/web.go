package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/report/chart"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// Engine is what the pages ask the analysis for, besides the Snapshot.
type Engine interface {
	Colleagues(ctx context.Context, at time.Time) (*analysis.Colleagues, error)
	Explain(ctx context.Context, q analysis.ExplainQuery) (analysis.Explanation, error)
	Rebalance(ctx context.Context, team string, asOf time.Time, o analysis.RebalanceOptions) (analysis.Rebalancing, error)
}

// Options are what the pages are made of.
type Options struct {
	Snapshot func() *analysis.Snapshot // the published one; nil while there is none
	Engine   Engine
	Journal  *Journal
	Access   AccessConfig
	Listen   string // the address that is served, which may be asked for by its name

	// MinPeople is the smallest group whose figures are shown to everybody.
	MinPeople int
	// People is whether anything about single engineers is shown at all, and
	// PersonAfterHours whether when they worked is.
	People           bool
	PersonAfterHours bool
	// Contact is to whom one objects; "" for nobody in particular.
	Contact string

	// Sources are the collected systems and how collection stands.
	Sources func() ([]SourceState, error)
	// Reports lists the stored reports that a viewer may see; nil for none.
	Reports Archive

	Logger *slog.Logger
	Clock  func() time.Time // nil is time.Now
}

// SourceState is how the collection of a source stands.
type SourceState struct {
	Name        string
	Tickets     float64
	Cursor      time.Time // up to when its changes are here; zero where not known
	LastSuccess time.Time
	Backfilled  *float64 // part of the first collection that is done
	Reach       string   // how far back it is collected, and why; "" where not known
	Incomplete  float64  // tickets whose history is not whole
	Quarantined float64  // tickets that could not be read
	Requests    float64
	RateLimited float64
}

// Archive is the stored reports.
type Archive interface {
	// List is the reports for the group audience, newest first.
	List(ctx context.Context) ([]StoredReport, error)
	// Open writes one of them.
	Open(ctx context.Context, id string) (html []byte, err error)
}

// StoredReport is one of an Archive.
type StoredReport struct {
	ID, Title string
	Made      time.Time
	Earlier   bool // there is one of the same title that was made later
}

// ErrNoReport is returned by an Archive for an id that it does not have.
var ErrNoReport = errors.New("no such report")

// Pages answers for all paths below "/" that are pages.
type Pages struct {
	options Options
	gate    *gate
	now     func() time.Time
	log     *slog.Logger

	mu    sync.Mutex
	known *known
	plans memo[string, analysis.Rebalancing]  // by team
	taken memo[subject, analysis.Explanation] // apart
}

// New makes the pages. The error says which setting is wrong.
func New(o Options) (*Pages, error) {
	g, err := newGate(o.Access, o.Listen, o.MinPeople, o.People)
	if err != nil {
		return nil, err
	}
	p := &Pages{options: o, gate: g, now: o.Clock, log: o.Logger}
	if p.now == nil {
		p.now = time.Now
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	return p, nil
}

// Register adds the pages to a mux.
func (p *Pages) Register(mux *http.ServeMux) {
	page := func(pattern string, h func(*visit) error) {
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, h) })
	}
	page("/{$}", p.overview)
	page("/team", p.team)
	page("/areas", p.areas)
	page("/area", p.area)
	page("/me", p.me)
	page("/engineer", p.engineer)
	page("/reports", p.reports)
	page("/report", p.report)
	page("/collection", p.collection)
	page("/method", p.method)
	page("/access", p.accesses)
	mux.HandleFunc("GET /static/chart.css", func(w http.ResponseWriter, r *http.Request) {
		head(w.Header(), policy)
		w.Header().Set("Cache-Control", "max-age=300")
		http.ServeContent(w, r, "chart.css", time.Time{}, strings.NewReader(chart.CSS))
	})
	static, err := fs.Sub(staticFiles, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	files := http.FileServerFS(static)
	mux.HandleFunc("GET /static/{file}", func(w http.ResponseWriter, r *http.Request) {
		head(w.Header(), policy)
		w.Header().Set("Cache-Control", "max-age=300")
		http.StripPrefix("/static/", files).ServeHTTP(w, r)
	})
}

// policy allows what the pages have and nothing else: their own style sheet, no
// script, no other site.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func head(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, no-store")
}

// visit is one request for a page, by somebody who may be here.
type visit struct {
	w      http.ResponseWriter
	r      *http.Request
	viewer Viewer
	known  *analysis.Colleagues
	s      *analysis.Snapshot // nil while there is none
}

func (v *visit) ctx() context.Context { return v.r.Context() }

func (p *Pages) serve(w http.ResponseWriter, r *http.Request, h func(*visit) error) {
	head(w.Header(), policy)
	v := &visit{w: w, r: r, s: p.options.Snapshot()}
	err := func() (err error) {
		if v.known, err = p.colleagues(r.Context(), v.s); err != nil {
			return err
		}
		if v.viewer, err = p.gate.viewer(r, v.known); err != nil {
			return err
		}
		return h(v)
	}()
	if err == nil || r.Context().Err() != nil {
		return
	}
	var no *refusal
	if !errors.As(err, &no) {
		p.log.Error("a page failed", "page", r.URL.Path, "error", err)
		no = &refusal{http.StatusInternalServerError, "This page could not be made. The log of the service says why."}
	}
	if err := p.render(v, no.status, "refused.html", http.StatusText(no.status), no.says); err != nil {
		p.log.Error("a page failed", "page", r.URL.Path, "error", err)
	}
}

// known is who is known as of a Snapshot.
type known struct {
	of    *analysis.Snapshot
	until time.Time // without a Snapshot it is read again after a while
	list  *analysis.Colleagues
}

func (p *Pages) colleagues(ctx context.Context, s *analysis.Snapshot) (*analysis.Colleagues, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := p.known; k != nil && k.of == s && (s != nil || p.now().Before(k.until)) {
		return k.list, nil
	}
	at := p.now()
	if s != nil {
		at = s.AsOf
	}
	list, err := p.options.Engine.Colleagues(ctx, at)
	if err != nil {
		return nil, err
	}
	p.known = &known{s, p.now().Add(time.Minute), list}
	return list, nil
}

// page is what every template is given.
type page struct {
	Title  string
	Path   string
	Viewer Viewer
	S      *analysis.Snapshot
	Window analysis.Window
	Now    time.Time
	People bool
	Query  url.Values
	Data   any
}

var templates = parse()

func parse() map[string]*template.Template {
	all := map[string]*template.Template{}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		base := name[len("templates/"):]
		if base == "layout.html" {
			continue
		}
		all[base] = template.Must(template.New("layout.html").Funcs(functions).ParseFS(templateFiles, "templates/layout.html", name))
	}
	return all
}

// render writes a page whole or, if it fails, nothing of it.
func (p *Pages) render(v *visit, status int, name, title string, data any) error {
	var b bytes.Buffer
	one := page{Title: title, Path: v.r.URL.Path, Query: v.r.URL.Query(), Viewer: v.viewer, S: v.s, Now: p.now(), People: p.options.People, Data: data}
	if v.s != nil {
		one.Window = window(v)
	}
	if err := templates[name].Execute(&b, one); err != nil {
		return fmt.Errorf("making page %s: %w", name, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, err := b.WriteTo(v.w)
	return err
}

// window is that which is asked for, of those that there are; else the longest.
func window(v *visit) analysis.Window {
	asked := v.r.URL.Query().Get("window")
	longest := v.s.Windows[0]
	for _, w := range v.s.Windows {
		if w.String() == asked {
			return w
		}
		if from, _ := w.Bounds(v.s.AsOf); from.Before(start(longest, v.s.AsOf)) {
			longest = w
		}
	}
	return longest
}

func start(w analysis.Window, asOf time.Time) time.Time {
	from, _ := w.Bounds(asOf)
	return from
}

var errEarly = &refusal{http.StatusServiceUnavailable, "The first analysis is not done yet. The page of collection says how far it is."}

// logAccess writes that these people were looked at, before they are shown.
func (p *Pages) logAccess(v *visit, what string, pseudonyms ...string) error {
	at := p.now().UTC().Truncate(time.Second)
	var list []Access
	for _, who := range pseudonyms {
		list = append(list, Access{Time: at, Action: "page", Pseudonym: who, By: v.viewer.Name(), What: what, Found: true})
	}
	return p.options.Journal.Write(list...)
}
