package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"

	"fairlead/analysis"
	"fairlead/analysis/exporter"
	"fairlead/analysis/privacy"
	"fairlead/collector"
	"fairlead/connectors/source"
	deployed "fairlead/deploy/prometheus"
)

const (
	readHeaderTimeout = 5 * time.Second
	shutdownTimeout   = 5 * time.Second
)

type serveCmd struct {
	Listen string `help:"Address to serve on (default: web.listen, 127.0.0.1:9464)." placeholder:"HOST:PORT"`
	AsOf   string `help:"Compute for this day instead of now, or of where a replayed log ends." placeholder:"DAY"`
}

// Run serves until the context ends.
func (c serveCmd) Run(ctx context.Context, a *app) (err error) {
	if err := a.configure(); err != nil {
		return err
	}
	asOf, err := parseDay("--as-of", c.AsOf)
	if err != nil {
		return err
	}
	dir, err := a.cfg.dataDir(a.globals.Data)
	if err != nil {
		return err
	}
	replayed, err := loadReplay(dir)
	if err != nil {
		return err
	}
	if replayed == nil && !asOf.IsZero() && (a.cfg.people() || a.cfg.scrapePeople()) {
		if err := a.cfg.Privacy.Retention.TooOld(asOf, time.Now()); err != nil {
			return fmt.Errorf("%w; or leave --as-of out, or set web.people and metrics.people to false", err)
		}
	}
	reg := newRegistry()
	var sources []source.Source
	if len(a.cfg.Sources) > 0 || replayed == nil {
		if sources, err = a.sources(reg); err != nil {
			return err
		}
	}
	listener, err := a.listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	h, err := a.openHouse(ctx, dir, toWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()

	s := a.newService(h, reg, listener)
	if !asOf.IsZero() {
		s.asOf = func() time.Time { return asOf }
	}
	if len(sources) > 0 {
		s.syncRoster = func(ctx context.Context) error { return a.syncRoster(ctx, h) }
	}
	s.collectors = a.collectors(h, sources, reg, s)
	a.tellReach(ctx)
	a.log.Info("serving", "address", s.listener.Addr().String())
	return s.run(ctx)
}

// listen takes the address before anything is written, so that a port in use
// costs nothing.
func (a *app) listen(flag string) (net.Listener, error) {
	cfg := a.cfg.Web
	if flag != "" {
		cfg.Listen = flag
	}
	if err := checkListen(cfg); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w: choose another address with --listen", cfg.Listen, err)
	}
	return listener, nil
}

// checkListen allows loopback addresses, and others only behind TLS or
// authentication: the figures are about people.
func checkListen(cfg WebConfig) error {
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return fmt.Errorf("web.listen is %q: write it as host:port, like 127.0.0.1:9464", cfg.Listen)
	}
	if cfg.ConfigFile != "" {
		if err := web.Validate(cfg.ConfigFile); err != nil {
			return fmt.Errorf("web.config_file %s: %w", cfg.ConfigFile, err)
		}
		return nil
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("web.listen is %q, which others can reach: listen on 127.0.0.1, or set web.config_file (TLS and authentication) for other addresses", cfg.Listen)
	}
	return nil
}

func newRegistry() *prometheus.Registry {
	reg := prometheus.NewPedanticRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "fairlead_build_info",
		Help:        "The version that runs; always 1.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	reg.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// service collects and analyses on a schedule and answers scrapes from memory.
type service struct {
	house      *house
	engine     *analysis.Engine
	collectors []*collector.Collector
	asOf       func() time.Time
	syncRoster func(context.Context) error // nil: the stored one stays
	cfg        *Config
	log        *slog.Logger

	listener net.Listener
	groups   *prometheus.Registry // /metrics
	people   *prometheus.Registry // /metrics/people

	reporter *reporter
	forgets  *privacy.Forgetter
	pruner   *privacy.Pruner
	pruned   time.Time    // when it last was
	renewals chan renewal // of the snapshot, at once
	snapshot analysis.Published
	mark     string // of what the snapshot was made from; of analyze alone
	analyzed analysisMetrics
	caughtUp chan struct{}
}

func (a *app) newService(h *house, reg *prometheus.Registry, listener net.Listener) *service {
	s := &service{
		house:    h,
		asOf:     h.asOf,
		cfg:      a.cfg,
		log:      a.log,
		listener: listener,
		groups:   reg,
		people:   prometheus.NewPedanticRegistry(),
		analyzed: newAnalysisMetrics(reg),
		caughtUp: make(chan struct{}, 1),
		reporter: a.reporter(h),
		forgets:  a.forgetter(h),
		pruner:   a.pruner(h),
		renewals: make(chan renewal),
	}
	s.forgets.Shown = &s.snapshot
	s.engine = a.watchedEngine(h, s.analyzed.queried)
	e := exporter.New(s.snapshot.Load, exporter.WithConfig(a.cfg.Metrics))
	s.groups.MustRegister(e.Groups())
	s.people.MustRegister(e.People())
	return s
}

func (s *service) url() string { return "http://" + s.listener.Addr().String() }

// Page and Done make the service the collectors' Progress: a source that has
// caught up is worth a new snapshot.
func (s *service) Page(string, string, int, int) {}

func (s *service) Done(string) {
	select {
	case s.caughtUp <- struct{}{}:
	default:
	}
}

// run blocks until ctx ends, then stops in order: no new scrapes, no new pages,
// no analysis under way.
func (s *service) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.serveHTTP(ctx) })
	group.Go(func() error { return serveControl(ctx, s) })
	group.Go(func() error { s.analyze(ctx); return nil })
	group.Go(func() error { s.report(ctx); return nil })
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-s.house.db.Done():
			return s.house.db.Err()
		}
	})
	for _, c := range s.collectors {
		group.Go(func() error {
			// A source that cannot be had does not take the others with it.
			if err := c.Run(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("a source is no longer collected", "error", oneLine(err))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// analyze makes a snapshot at once, whenever a source has caught up, and every
// interval.
func (s *service) analyze(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Analysis.Interval)
	defer tick.Stop()
	var asked renewal // by who waits for it
	for {
		// Nothing is analysed while old tickets are deleted.
		if asked.before != nil {
			asked.before(ctx)
		} else {
			s.pruneDaily(ctx)
		}
		err := s.refresh(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("analysis failed", "error", oneLine(err))
		}
		if asked.done != nil {
			asked.done <- err
			asked = renewal{}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.caughtUp:
		case asked = <-s.renewals:
		}
	}
}

func (s *service) refresh(ctx context.Context) error {
	if s.syncRoster != nil {
		// A mistake in a file leaves the roster before in force.
		if err := s.syncRoster(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the roster was not read again", "error", oneLine(err))
		}
	}
	asOf := s.asOf()
	mark, err := s.engine.Mark(ctx)
	if err != nil {
		s.analyzed.failures.Inc()
		return err
	}
	last := s.snapshot.Load()
	if last != nil && mark == s.mark && asOf.Sub(last.AsOf) < unchangedFor {
		again := *last
		again.Computed = time.Now()
		s.publish(&again)
		s.analyzed.unchanged.Inc()
		return nil
	}
	snapshot, err := s.engine.Snapshot(ctx, asOf)
	if err != nil {
		s.analyzed.failures.Inc()
		return err
	}
	s.mark = mark
	s.publish(snapshot)
	return nil
}

func (s *service) publish(snapshot *analysis.Snapshot) {
	s.analyzed.success.SetToCurrentTime()
	s.snapshot.Store(snapshot)
}

// unchangedFor is how long an analysis stands while nothing is collected. The
// windows move on meanwhile, by a part of them that is too small to see.
const unchangedFor = time.Hour

type analysisMetrics struct {
	success   prometheus.Gauge
	failures  prometheus.Counter
	unchanged prometheus.Counter
	queries   *prometheus.HistogramVec
}

// queried observes a query of the analysis.
func (m analysisMetrics) queried(purpose string, took time.Duration) {
	m.queries.WithLabelValues(purpose).Observe(took.Seconds())
}

func newAnalysisMetrics(reg prometheus.Registerer) analysisMetrics {
	m := analysisMetrics{
		success: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "fairlead_analysis_last_success_timestamp_seconds", Help: "When an analysis last succeeded; 0 if none did."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fairlead_analysis_failures_total", Help: "Analyses that failed."}),
		unchanged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fairlead_analysis_unchanged_total", Help: "Analyses that were left out because nothing had changed since the last."}),
	}
	m.queries = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                            "fairlead_analysis_query_duration_seconds",
		Help:                            "Time from sending a query of the analysis to its last row, by what it is for.",
		Buckets:                         []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}, []string{"query"})
	reg.MustRegister(m.success, m.failures, m.unchanged, m.queries)
	return m
}

func (s *service) serveHTTP(ctx context.Context) error {
	mux := http.NewServeMux()
	handler := func(reg *prometheus.Registry) http.Handler {
		return promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true, ErrorLog: scrapeErrors{s.log}})
	}
	mux.Handle("GET /metrics", handler(s.groups))
	if s.cfg.scrapePeople() {
		mux.Handle("GET /metrics/people", s.cfg.onlyScrapers(handler(s.people)))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if s.snapshot.Load() == nil {
			http.Error(w, "no analysis has succeeded yet", http.StatusServiceUnavailable)
			return
		}
		if err := s.house.db.Conn().Ping(r.Context()); err != nil {
			s.log.Warn("warehouse does not answer", "error", oneLine(err))
			http.Error(w, "the warehouse does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /runbooks/{alert}", deployed.Runbook)
	pages, err := s.pages()
	if err != nil {
		return err
	}
	pages.Register(mux)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	if s.cfg.Web.ConfigFile == "" {
		return serveUntil(ctx, server, s.listener)
	}
	return until(ctx, server, func() error {
		listen := []string{s.listener.Addr().String()}
		systemd := false
		return web.Serve(s.listener, server, &web.FlagConfig{WebListenAddresses: &listen, WebSystemdSocket: &systemd, WebConfigFile: &s.cfg.Web.ConfigFile}, s.log)
	})
}

type scrapeErrors struct{ log *slog.Logger }

func (e scrapeErrors) Println(v ...any) { e.log.Error("scrape failed", "error", fmt.Sprint(v...)) }

// serveUntil serves until ctx ends, then lets what is under way finish for a
// bounded time.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener) error {
	return until(ctx, server, func() error { return server.Serve(listener) })
}

func until(ctx context.Context, server *http.Server, serve func() error) error {
	done := make(chan error, 1)
	go func() { done <- serve() }()
	select {
	case err := <-done:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(bounded)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-done // http.ErrServerClosed
	return err
}
