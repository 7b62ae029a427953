package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead/collector"
	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// The flavours, as they are printed.
const (
	jiraCloud      = "jira-cloud"
	jiraDataCenter = "jira-datacenter"
	serviceNow     = "servicenow"
	asanaCloud     = "asana"
	asanaFree      = "asana-free" // a workspace that nobody pays for has no search

	serviceNowSingly = "servicenow-no-batch" // an instance that refuses the Batch API
)

var flavours = []string{jiraCloud, jiraDataCenter, serviceNow, asanaCloud}

// cost is what a collection took of a source.
type cost struct {
	tickets  int // stored, with their complete history
	requests int // all that count, whatever for: Asana counts each action of a batch
	cut      int // of those, the ones about a single issue whose embedded list the API had cut
	stories  int // of those, the ones for the history of a single task: Asana has no others
	useful   int // of a first collection: requests until all open tickets were stored
	sent     int // requests with batches as one, where requests counts what is in them
}

// others are the requests that more tickets need not mean more of each.
func (c cost) others() int { return c.requests - c.stories }

// per1000 is the cost in requests per 1,000 tickets, without those for single
// tasks.
func (c cost) per1000() float64 { return 1000 * float64(c.others()) / float64(c.tickets) }

// limits are the most requests per 1,000 tickets, without those for lists that
// the API had cut and those for single tasks.
var limits = map[string]float64{jiraCloud: 14, jiraDataCenter: 14, serviceNow: 12, serviceNowSingly: 12, asanaCloud: 20}

// within says whether a cost is within the limit of its flavour, a few requests
// apart that have nothing to do with how many tickets there are.
func (c cost) within(flavour string, few int) error {
	if most := limits[flavour]*float64(c.tickets)/1000 + float64(few); float64(c.others()-c.cut) > most {
		return fmt.Errorf("%d tickets took %d requests, %d of them for cut lists and %d for single histories; at most %.0f others are allowed",
			c.tickets, c.requests, c.cut, c.stories, most)
	}
	if c.stories > c.tickets {
		return fmt.Errorf("the histories of %d tickets took %d calls; one each is allowed", c.tickets, c.stories)
	}
	return nil
}

// costs of one flavour.
type costs struct {
	full        cost
	incremental cost // of the next poll, once 1 % of the tickets have changed
	quiet       cost // of the poll after it, which finds nothing new
}

// fake is a source in memory, with the connector that goes with it.
type fake struct {
	src     source.Source
	count   func() (total int, byPath map[string]int)
	reset   func()
	stories func() int // histories of single tasks that were asked for
	sent    func() int
	ids     []string
	edit    func(id string, at time.Time, random *rand.Rand) error
	advance func(d time.Duration) time.Time
}

// measure collects a generated organisation of about so many tickets by the
// collector and the real connector with its default configuration, and then what
// changed.
func measure(ctx context.Context, flavour string, tickets int) (c costs, err error) {
	f, stop, err := newFake(flavour, tickets)
	if err != nil {
		return c, err
	}
	defer stop()
	store := newStore()
	collect := collector.New(collector.DefaultConfig(), f.src, store, nil, nil, nil)
	round := func() (cost, error) {
		f.reset()
		store.begin(func() int { n, _ := f.count(); return n })
		if err := collect.Once(ctx); err != nil {
			return cost{}, err
		}
		total, byPath := f.count()
		one := cost{tickets: store.written(), requests: total, useful: store.opened}
		if f.stories != nil {
			one.stories, one.sent = f.stories(), f.sent()
		}
		for path, n := range byPath {
			if strings.Contains(path, "/issue/{id}") {
				one.cut += n
			}
		}
		return one, nil
	}
	if c.full, err = round(); err != nil {
		return c, err
	}
	if c.full.tickets != len(f.ids) {
		return c, fmt.Errorf("%d of %d tickets were stored", c.full.tickets, len(f.ids))
	}

	// Past the overlap of what was collected last. A running service polls every
	// minute, and reads the names of fields and statuses again every hour: the
	// poll that is measured is one of the many between.
	f.advance(10 * time.Minute)
	random := rand.New(rand.NewPCG(1, 2))
	changed := slices.Clone(f.ids)
	random.Shuffle(len(changed), func(i, j int) { changed[i], changed[j] = changed[j], changed[i] })
	changed = changed[:len(changed)/100]
	for _, id := range changed {
		if err := f.edit(id, f.advance(30*time.Minute/time.Duration(len(changed))), random); err != nil {
			return c, err
		}
	}
	f.advance(time.Minute)
	if c.incremental, err = round(); err != nil {
		return c, err
	}
	if c.incremental.tickets != len(changed) {
		return c, fmt.Errorf("%d tickets changed, and %d were stored", len(changed), c.incremental.tickets)
	}
	f.advance(10 * time.Minute)
	c.quiet, err = round()
	return c, err
}

// newFake serves about so many generated tickets on a loopback port.
func newFake(flavour string, tickets int) (f *fake, stop func(), err error) {
	// Of a generated year a fifth is Jira's.
	year := tickets * 5
	if flavour == serviceNow || flavour == serviceNowSingly {
		year = tickets * 5 / 4
	}
	o := sandbox.Generate(1, time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: year})
	var mu sync.Mutex
	now := o.Now.Add(time.Hour)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	f = &fake{advance: func(d time.Duration) time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
		return now
	}}
	var handler http.Handler
	var connect func(url string, transport http.RoundTripper) (source.Source, error)
	if flavour == serviceNow || flavour == serviceNowSingly {
		handler, connect = f.serviceNow(o, clock, flavour == serviceNow)
	} else if flavour == asanaCloud || flavour == asanaFree {
		if handler, connect, err = f.asana(o, clock, flavour); err != nil {
			return nil, nil, err
		}
	} else if handler, connect, err = f.jira(o, clock, flavour); err != nil {
		return nil, nil, err
	}
	server, err := sandbox.Serve(handler)
	if err != nil {
		return nil, nil, err
	}
	if f.src, err = connect(server.URL, rest.New(flavour, rest.DefaultConfig(), nil, nil, nil)); err != nil {
		_ = server.Close()
		return nil, nil, err
	}
	return f, func() { _ = server.Close() }, nil
}

// tables are what is collected of ServiceNow.
var tables = []servicenow.Table{{Name: "incident"}, {Name: "sc_task"}, {Name: "change_request"}, {Name: "problem"}}

func (f *fake) serviceNow(o *sandbox.Organisation, clock func() time.Time, batches bool) (http.Handler, func(string, http.RoundTripper) (source.Source, error)) {
	in := o.ServiceNow(servicenowtest.Options{Clock: clock})
	if !batches {
		in.LimitBatches(-1)
	}
	var groups, users, names []string
	for _, q := range o.Queues {
		if q.System == sandbox.ServiceNow {
			groups = append(groups, q.ID)
		}
	}
	for _, p := range o.People {
		if p.Role == sandbox.Engineer && p.Left.IsZero() && p.ServiceNowID != "" {
			users, names = append(users, p.ServiceNowID), append(names, p.ServiceNow)
		}
	}
	for _, t := range o.Tickets {
		if t.System() == sandbox.ServiceNow {
			f.ids = append(f.ids, t.ID)
		}
	}
	f.count = func() (int, map[string]int) { return in.TotalRequests(), in.Requests() }
	f.reset = in.ResetRequests
	f.edit = func(id string, at time.Time, random *rand.Rand) error {
		change := servicenowtest.Record{"assigned_to": users[random.IntN(len(users))]}
		if random.IntN(3) == 0 {
			change["assignment_group"] = groups[random.IntN(len(groups))]
		}
		change["work_notes"] = "looked at it"
		return in.Update("task", id, change, names[random.IntN(len(names))], at)
	}
	return in.Handler(), func(url string, transport http.RoundTripper) (source.Source, error) {
		cfg := servicenow.DefaultConfig()
		cfg.URL, cfg.Username, cfg.Password = url, "fairlead", "fairlead"
		cfg.Tables = tables
		return servicenow.New(cfg, servicenow.Options{Name: serviceNow, Transport: transport, Clock: clock})
	}
}

func (f *fake) jira(o *sandbox.Organisation, clock func() time.Time, flavour string) (http.Handler, func(string, http.RoundTripper) (source.Source, error), error) {
	options := jiratest.Options{Flavour: jiratest.DataCenter, Clock: clock}
	if flavour == jiraCloud {
		options.Flavour = jiratest.Cloud
	}
	in, err := o.Jira(options)
	if err != nil {
		return nil, nil, err
	}
	var people []string
	for _, p := range o.People {
		if p.Role == sandbox.Engineer && p.Left.IsZero() && p.JiraName != "" && !p.Deleted {
			people = append(people, p.JiraName)
		}
	}
	f.ids = in.IDs()
	f.count = func() (int, map[string]int) { return in.TotalRequests(), in.Requests() }
	f.reset = in.ResetRequests
	f.edit = func(id string, at time.Time, random *rand.Rand) error {
		who := people[random.IntN(len(people))]
		if err := in.Edit(id, who, at, jiratest.Assign(people[random.IntN(len(people))])); err != nil {
			return err
		}
		return in.Comment(id, who, at, "looked at it")
	}
	return in, func(url string, transport http.RoundTripper) (source.Source, error) {
		cfg := jira.DefaultConfig()
		cfg.URL, cfg.Flavour, cfg.Token = url, jira.DataCenter, "token"
		if flavour == jiraCloud {
			cfg.Flavour, cfg.Email = jira.Cloud, "fairlead@example.org"
		}
		return jira.New(cfg, jira.Options{Name: flavour, Transport: transport, Clock: clock})
	}, nil
}

// asana serves by Asana what is Jira's otherwise.
func (f *fake) asana(o *sandbox.Organisation, clock func() time.Time, flavour string) (http.Handler, func(string, http.RoundTripper) (source.Source, error), error) {
	in, err := o.Asana(asanatest.Options{Clock: clock, Free: flavour == asanaFree}, (*sandbox.Ticket).Recorded)
	if err != nil {
		return nil, nil, err
	}
	var people []string
	for _, p := range o.People {
		if gid := p.AsanaUser(); p.Role == sandbox.Engineer && p.Left.IsZero() && gid != "" {
			people = append(people, gid)
		}
	}
	f.ids = in.Tasks()
	f.count = func() (int, map[string]int) { return in.Calls(), in.Requests() }
	f.reset = in.ResetRequests
	f.stories = func() int { return in.Requests()[asanatest.Prefix+"/tasks/{gid}/stories"] }
	f.sent = in.TotalRequests
	f.edit = func(id string, at time.Time, random *rand.Rand) error {
		who := people[random.IntN(len(people))]
		return in.Edit(id, who, at, asanatest.Assign(people[random.IntN(len(people))]), asanatest.Comment("looked at it"))
	}
	return in, func(url string, transport http.RoundTripper) (source.Source, error) {
		cfg := asana.DefaultConfig()
		cfg.URL, cfg.Token, cfg.Projects, cfg.Sections, cfg.StatusField, cfg.KindField = url, "token", in.Projects, asana.SectionsAreas, "Status", "Type"
		return asana.New(cfg, asana.Options{Name: asanaCloud, Transport: transport, Clock: clock})
	}, nil
}

// store is a warehouse that keeps of a ticket only when it was changed. Nobody
// else writes to it.
type store struct {
	updated     map[string]time.Time
	version     uint64
	checkpoints map[string]clickhouse.Checkpoint

	requests func() int
	seen     map[string]bool // tickets written since begin
	opened   int             // requests until the open ones were stored
}

func newStore() *store {
	return &store{updated: map[string]time.Time{}, checkpoints: map[string]clickhouse.Checkpoint{}}
}

func (s *store) begin(requests func() int) {
	s.requests, s.seen, s.opened = requests, map[string]bool{}, 0
}

func (s *store) written() int { return len(s.seen) }

func (s *store) WriteAccounts(context.Context, []ticket.Account) error { return nil }
func (s *store) WriteTerms(context.Context, []ticket.Term) error       { return nil }
func (s *store) Terms(context.Context) ([]ticket.Term, error)          { return nil, nil }

func (s *store) WriteTickets(_ context.Context, records []ticket.Record) error {
	for i := range records {
		r := &records[i]
		if !r.HistoryComplete {
			return fmt.Errorf("the history of ticket %s is not complete: %s", r.ID, r.IncompleteReason)
		}
		s.updated[r.ID], s.version, s.seen[r.ID] = r.Updated, max(s.version, r.Version), true
	}
	return nil
}

func (s *store) SaveCheckpoint(_ context.Context, c clickhouse.Checkpoint) error {
	if c.Stream == string(source.StreamOpen) && c.Done {
		s.opened = s.requests()
	}
	s.checkpoints[c.Stream] = c
	return nil
}

func (s *store) Checkpoints(context.Context, string) (map[string]clickhouse.Checkpoint, error) {
	return s.checkpoints, nil
}

func (s *store) StoredUpdates(_ context.Context, _ string, ids []string) (map[string]time.Time, error) {
	found := map[string]time.Time{}
	for _, id := range ids {
		if at, ok := s.updated[id]; ok {
			found[id] = at
		}
	}
	return found, nil
}

func (s *store) Histories(context.Context, string, []string) (map[string]ticket.Ticket, error) {
	return nil, errors.New("no history is observed here")
}

func (s *store) Reference(_, account string) string { return account }

func (s *store) MaxVersion(context.Context, string) (uint64, error) { return s.version, nil }

func (s *store) Tally(context.Context, string) (clickhouse.Tally, error) {
	return clickhouse.Tally{Tickets: uint64(len(s.updated))}, nil
}

func (s *store) AcquireLease(context.Context, string) (*clickhouse.Lease, error) { return nil, nil }

func (s *store) NoteListed(context.Context, string, uint64, []string) error { return errNoSweep }

func (s *store) CompareListed(context.Context, string, uint64) (clickhouse.Listing, error) {
	return clickhouse.Listing{}, errNoSweep
}

func (s *store) MissingIDs(context.Context, string, uint64, string, int) ([]string, error) {
	return nil, errNoSweep
}

func (s *store) ReturnedIDs(context.Context, string, uint64, string, int) ([]string, error) {
	return nil, errNoSweep
}

func (s *store) MarkDeleted(context.Context, string, []string, uint64, time.Time) error {
	return errNoSweep
}

var errNoSweep = fmt.Errorf("no sweep is due within a day")
