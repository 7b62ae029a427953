// Package servicenow reads task records and their audit through ServiceNow's
// Table API, as a source.Source. It asks for no text that a person wrote.
package servicenow

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// Options are what a Source is given from outside.
type Options struct {
	Name      string            // the `source` label; "servicenow" when empty
	Transport http.RoundTripper // paces and tries again; http.DefaultTransport when nil
	Logger    *slog.Logger      // says itself which source it is; none when nil
	Since     time.Time         // closed tickets last changed before are not collected; zero is no bound
	Clock     func() time.Time  // time.Now when nil
}

// Source is one instance. It is safe for concurrent use.
type Source struct {
	name    string
	cfg     Config
	tables  []Table // with their defaults
	client  *client
	dir     *directory
	metrics definitions
	log     *slog.Logger
	since   time.Time
	now     func() time.Time

	warnMu sync.Mutex
	warned map[string]bool
}

var _ source.Source = (*Source)(nil)

// New makes a source of a valid configuration; it sends nothing.
func New(cfg Config, o Options) (*Source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	base, err := url.Parse(strings.TrimSuffix(cfg.URL, "/"))
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	password, err := readSecret("password", cfg.Password, cfg.PasswordFile)
	if err != nil {
		return nil, err
	}
	secret, err := readSecret("client_secret", cfg.ClientSecret, cfg.ClientSecretFile)
	if err != nil {
		return nil, err
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	hc := &http.Client{
		Transport: o.Transport,
		// A redirection leads to a login page: never with our credential.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s := &Source{
		name: cmp.Or(o.Name, "servicenow"), cfg: cfg, log: o.Logger, since: o.Since, now: o.Clock, warned: map[string]bool{},
		client: &client{base: base, http: hc, now: o.Clock, batch: cfg.Batch, batching: &batching{}},
	}
	if cfg.ClientID == "" {
		s.client.auth = basicAuth{cfg.Username, password}
	} else {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {cfg.ClientID}, "client_secret": {secret}}
		if cfg.Username != "" {
			form.Set("grant_type", "password")
			form.Set("username", cfg.Username)
			form.Set("password", password)
		}
		s.client.auth = &oauth{endpoint: base.String() + "/oauth_token.do", form: form, http: hc, now: o.Clock}
	}
	for _, t := range cfg.Tables {
		s.tables = append(s.tables, t.filled())
	}
	s.dir = newDirectory(s)
	s.cfg.PageSize = s.fullPage()
	return s, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.name }

// Now is the instance's clock, to the second.
func (s *Source) Now(ctx context.Context) (time.Time, error) {
	ans, err := get[record](ctx, s.client, request{
		table: s.tables[0].Name, fields: []string{"sys_id"}, limit: 1, at: "for the instance's clock",
	})
	if err != nil {
		return time.Time{}, err
	}
	if ans.date.IsZero() {
		return time.Time{}, fmt.Errorf("reading the instance's clock: %w: the answer has no date", source.ErrUnreadable)
	}
	return ans.date, nil
}

// row is a record with the table that it was read from.
type row struct {
	table Table
	rec   record
}

// ByID fetches single tickets again, whole.
func (s *Source) ByID(ctx context.Context, ids []string) (source.Page, error) {
	rows, sent, err := s.fetchByID(ctx, ids)
	if err != nil {
		return source.Page{}, err
	}
	page, err := s.assemble(ctx, rows)
	if err != nil {
		return source.Page{}, err
	}
	page.Sent, page.Remaining = sent, 0
	found := map[string]bool{}
	for _, r := range rows {
		found[r.rec.get("sys_id")] = true
	}
	for _, id := range ids {
		if !found[id] {
			page.Skipped = append(page.Skipped, source.Skipped{ID: id, Reason: reasonGone})
		}
	}
	return page, nil
}

// fetchByID reads records by their sys_ids from whichever table has them.
func (s *Source) fetchByID(ctx context.Context, ids []string) ([]row, time.Time, error) {
	var out []row
	sent := s.now()
	left := slices.Compact(slices.Sorted(slices.Values(ids)))
	// A comma would make two ids of one; no sys_id has one.
	left = slices.DeleteFunc(left, func(id string) bool { return id == "" || strings.ContainsAny(id, ",^") })
	for _, t := range s.tables {
		if len(left) == 0 {
			break
		}
		req := func(ids []string) request {
			return request{
				table: t.Name, query: joined(t.Query, "sys_idIN"+strings.Join(ids, ",")), fields: t.columns(),
				limit: min(maxPage, len(ids)+1), at: "by id",
			}
		}
		found := map[string]bool{}
		for _, part := range batches(left, req(nil), s.cfg.MaxURLBytes, s.client.base.String()) {
			err := halving(part, func(ids []string) error {
				ans, err := get[record](ctx, s.client, req(ids))
				for _, r := range ans.rows {
					if id := r.get("sys_id"); !found[id] {
						found[id] = true
						out = append(out, row{t, r})
					}
				}
				return err
			})
			if err != nil {
				return nil, sent, err
			}
		}
		left = slices.DeleteFunc(left, func(id string) bool { return found[id] })
	}
	return out, sent, nil
}

// named collects the ids that a page names, to look them up together.
type named struct {
	users, userNames, groups, items, classes set
}

// assemble fetches the history of records and the names of what they name, and
// makes whole tickets of them, in their order.
func (s *Source) assemble(ctx context.Context, rows []row) (source.Page, error) {
	a, history, err := s.pastOf(ctx, rows)
	if err != nil {
		return source.Page{}, err
	}
	j, comments := s.journalOf(rows)
	if err := s.perform(ctx, history, comments); err != nil {
		return source.Page{}, err
	}
	s.warnJournal(j)
	if ids := outrun(rows, a); len(ids) > 0 {
		// The history is read after the records. Those that changed in between
		// are read once more, so that the present state fits the history.
		newer, _, err := s.fetchByID(ctx, ids)
		if err != nil {
			return source.Page{}, err
		}
		for _, n := range newer {
			i := slices.IndexFunc(rows, func(r row) bool { return r.rec.get("sys_id") == n.rec.get("sys_id") })
			rows[i] = n
		}
	}

	n := &named{users: set{}, userNames: set{}, groups: set{}, items: set{}, classes: set{}}
	for _, r := range rows {
		s.collect(n, r, a.of(r))
		for _, one := range j.rows[r.rec.get("sys_id")] {
			n.userNames.add(strings.ToLower(string(one.User)))
		}
	}
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	if err := s.dir.fetch(ctx, n); err != nil {
		return source.Page{}, err
	}

	var page source.Page
	terms := termSet{s: s, seen: map[string]bool{}}
	accounts := set{}
	incomplete := map[string]int{}
	for _, r := range rows {
		id := r.rec.get("sys_id")
		tk, why := s.present(r.table, r.rec)
		if why != "" {
			page.Skipped = append(page.Skipped, source.Skipped{ID: id, Reason: why})
			continue
		}
		tk.Changes, tk.Observed = r.table.history(r.rec, a.of(r), s.dir.account), a.observed(r)
		tk.Contributions = j.contributions(r, s.dir.account)
		if why := a.incomplete(r); why != "" {
			tk.HistoryComplete, tk.IncompleteReason = false, why
			tk.Changes = r.table.closing(r.rec, tk.Changes)
			incomplete[r.table.Name+" "+why]++
		}
		accounts.add(tk.Assignee)
		for _, c := range tk.Changes {
			accounts.add(c.Actor)
			if c.Field == ticket.FieldAssignee {
				accounts.add(c.From)
				accounts.add(c.To)
			}
		}
		for _, c := range tk.Contributions {
			accounts.add(c.Actor)
		}
		terms.ofTicket(r.table, r.rec.class(r.table), tk)
		page.Tickets = append(page.Tickets, tk)
	}
	if n := len(page.Skipped); n > 0 && n == len(rows) && n >= 10 {
		return source.Page{}, fmt.Errorf("reading %s: %w: none of %d records shows its state, assigned_to and times (%s)",
			rows[0].table.Name, source.ErrForbidden, n, page.Skipped[0].Reason)
	}
	for _, id := range slices.Sorted(maps.Keys(accounts)) {
		if acc, ok := s.dir.describe(id); ok {
			page.Accounts = append(page.Accounts, acc)
		}
	}
	page.Terms = terms.list
	s.warnIncomplete(incomplete)
	return page, nil
}

func (s *Source) collect(n *named, r row, rows []auditRow) {
	t := r.table
	tracked := t.tracked()
	n.classes.add(r.rec.class(t))
	see := func(column, value string) {
		switch f := tracked[column]; {
		case f == ticket.FieldAssignee:
			n.users.add(value)
		case f == ticket.FieldGroup:
			n.groups.add(value)
		case f == ticket.FieldArea && itemColumns[column]:
			n.items.add(value)
		}
	}
	for c := range tracked {
		see(c, r.rec.get(c))
	}
	for _, a := range rows {
		see(string(a.Field), string(a.Old))
		see(string(a.Field), string(a.New))
		n.userNames.add(strings.ToLower(string(a.User)))
	}
}

// itemColumns are the area columns that point at configuration items; a
// business service is one too (cmdb_ci_service extends cmdb_ci).
var itemColumns = map[string]bool{"cmdb_ci": true, "business_service": true, "service_offering": true}

// termSet gathers the terms of a page, each once.
type termSet struct {
	s    *Source
	list []ticket.Term
	seen map[string]bool
}

func (ts *termSet) ofTicket(t Table, class string, tk ticket.Ticket) {
	ts.add(t, class, ticket.FieldStatus, tk.Status)
	ts.add(t, class, ticket.FieldGroup, tk.Group)
	ts.add(t, class, ticket.FieldKind, tk.Kind)
	ts.add(t, class, ticket.FieldPriority, tk.Priority)
	for _, a := range tk.Areas {
		ts.add(t, class, ticket.FieldArea, a)
	}
	for _, c := range tk.Changes {
		ts.add(t, class, c.Field, c.From)
		ts.add(t, class, c.Field, c.To)
	}
}

func (ts *termSet) add(t Table, class string, f ticket.Field, id string) {
	if id == "" || ts.seen[string(f)+" "+id] {
		return
	}
	term := ticket.Term{Source: ts.s.name, Field: f, ID: id}
	d := ts.s.dir
	switch f {
	case ticket.FieldStatus:
		state := strings.TrimPrefix(id, class+":")
		label := d.label(class, t.StatusField, state)
		term.Name = cmp.Or(label, state, "(not recorded)")
		term.Value = string(categoryOf(t, class, state, label))
		if state == "" {
			// What was before a closing of which nothing more is known.
			term.Value = string(ticket.CategoryTodo)
		}
	case ticket.FieldGroup:
		term.Name = string(d.groups[id].row.Name)
	case ticket.FieldPriority:
		term.Name = cmp.Or(d.sharedLabel("priority", id), id)
	case ticket.FieldKind:
		term.Name = id
		k := t.Kind
		if id != t.Name {
			if own := kindOf(id); own != ticket.KindOther {
				k = own
			}
		}
		term.Value = string(k)
	case ticket.FieldArea:
		column, value, _ := strings.Cut(id, ":")
		if itemColumns[column] {
			term.Name = string(d.items[value].row.Name)
		} else {
			term.Name = cmp.Or(d.sharedLabel(column, value), value)
		}
	default:
		return
	}
	ts.seen[string(f)+" "+id] = true
	if term.Name != "" {
		ts.list = append(ts.list, term)
	}
}

// warnIncomplete says once for each table and reason that histories are not
// whole; how many is counted by the collector.
func (s *Source) warnIncomplete(found map[string]int) {
	for _, k := range slices.Sorted(maps.Keys(found)) {
		table, why, _ := strings.Cut(k, " ")
		if why != reasonObserved && s.firstTime(k) {
			s.log.Warn("histories are incomplete; see `fairlead check`",
				"table", table, "reason", why, "tickets", found[k])
		}
	}
}

// firstTime is true once a key: a warning that would come with every page is
// given once.
func (s *Source) firstTime(key string) bool {
	s.warnMu.Lock()
	defer s.warnMu.Unlock()
	seen := s.warned[key]
	s.warned[key] = true
	return !seen
}
