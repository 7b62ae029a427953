package servicenow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/connectors/source"
)

// Check finds out who we are and what we may see, with about six requests and four
// a table.
func (s *Source) Check(ctx context.Context) (source.Report, error) {
	c := &checker{s: s}
	rate, err := c.account(ctx)
	if err != nil {
		return source.Report{}, err
	}
	c.version(ctx)
	c.add(source.LevelOK, "time zone", "times are read in UTC, whatever the account's own time zone is")
	total := 0
	for _, t := range s.tables {
		n, err := c.table(ctx, t)
		if err != nil {
			return source.Report{}, err
		}
		total += n
	}
	c.comments(ctx)
	c.groups(ctx)
	c.batches(ctx)
	c.rate(rate)
	if total > 0 {
		c.first(total, rate)
	}
	return source.Report{Facts: c.facts}, nil
}

type checker struct {
	s     *Source
	facts []source.Fact
}

func (c *checker) add(l source.Level, what, says string) {
	c.facts = append(c.facts, source.Fact{Level: l, What: what, Says: says})
}

// account is the first request: where it fails, nothing can be found out.
func (c *checker) account(ctx context.Context) (http.Header, error) {
	name := c.s.cfg.Username
	query := "active=true^ORDERBYsys_id"
	if name != "" {
		query = userQuery([]string{unknownUser + name})
	}
	ans, err := get[userRow](ctx, c.s.client, request{
		table: "sys_user", query: query, limit: 1, at: "for the account",
		fields: []string{"sys_id", "user_name", "email", "web_service_access_only", "internal_integration_user"},
	})
	who := name
	if who == "" {
		who = "the OAuth application's user"
	}
	switch {
	case errors.Is(err, source.ErrForbidden) || err == nil && len(ans.rows) == 0:
		c.add(source.LevelWarning, "account", who+" is signed in, but sys_user is not readable: people will have neither names nor e-mail addresses, and who changed a ticket is not joined to who holds it; give the account a role that may read sys_user")
		return ans.rate, nil
	case err != nil:
		return nil, err
	case name != "" && ans.rows[0].ServiceOnly != "true" && ans.rows[0].Integration != "true":
		c.add(source.LevelWarning, "account", who+" is signed in; mark it \"web service access only\" in ServiceNow, so that it cannot be used by a person and is not taken for one")
	default:
		c.add(source.LevelOK, "account", who+" is signed in")
	}
	return ans.rate, nil
}

func (c *checker) version(ctx context.Context) {
	ans, err := get[struct {
		Value text `json:"value"`
	}](ctx, c.s.client, request{
		table: "sys_properties", query: "name=glide.war", fields: []string{"value"}, limit: 1, at: "for the version",
	})
	if err != nil || len(ans.rows) == 0 || ans.rows[0].Value == "" {
		c.add(source.LevelOK, "version", "not told to this account, and not needed")
		return
	}
	c.add(source.LevelOK, "version", string(ans.rows[0].Value))
}

// table finds out how many tickets can be seen, whether every column can, and
// whether a query by time and the audit work.
func (c *checker) table(ctx context.Context, t Table) (int, error) {
	visible := "tickets visible in " + t.Name
	ans, err := get[record](ctx, c.s.client, request{
		table: t.Name, query: joined(t.Query) + "^ORDERBYDESCsys_updated_on", fields: t.columns(), limit: 1, count: true, at: "for the newest ticket",
	})
	switch {
	case ctx.Err() != nil || errors.Is(err, source.ErrUnreachable) || errors.Is(err, source.ErrUnauthorized):
		return 0, err
	case err != nil && strings.Contains(err.Error(), "Invalid table"):
		c.add(source.LevelFailed, visible, "the instance has no table of this name: correct it, or take it out of the configuration")
		return 0, nil
	case err != nil:
		c.add(source.LevelFailed, visible, "not readable: give the account a role that may read "+t.Name+", such as sn_incident_read for incident, or take the table out of the configuration ("+err.Error()+")")
		return 0, nil
	case len(ans.rows) == 0 && ans.total > 0:
		c.add(source.LevelWarning, visible, fmt.Sprintf("%d exist, but access rules withhold at least the newest; give the account a role that may read %s", ans.total, t.Name))
		return ans.total, nil
	case len(ans.rows) == 0:
		c.add(source.LevelWarning, visible, "none: check the role of the account and the query")
		return 0, nil
	}
	newest := ans.rows[0]
	var missing []string
	for _, col := range t.columns() {
		if _, ok := newest[col]; !ok {
			missing = append(missing, col)
		}
	}
	switch {
	case slices.ContainsFunc(missing, func(m string) bool {
		return slices.Contains([]string{t.StatusField, "assigned_to", "sys_updated_on", "sys_created_on", "sys_id"}, m)
	}):
		c.add(source.LevelFailed, visible, "columns without which nothing can be measured are hidden: "+strings.Join(missing, ", ")+"; let the account read them")
		return ans.total, nil
	case len(missing) > 0:
		c.add(source.LevelWarning, visible, howMany(ans.total)+", without "+strings.Join(missing, ", ")+": let the account read them, or take them out of the configuration")
	default:
		c.add(source.LevelOK, visible, howMany(ans.total))
	}
	c.byTime(ctx, t, newest)
	c.history(ctx, t)
	return max(ans.total, 1), nil
}

func howMany(n int) string {
	if n < 0 {
		return "some"
	}
	return strconv.Itoa(n)
}

// byTime asks for a ticket that exists by its own time. An instance may refuse
// queries by range to an account (product documentation, "Query range ACLs").
func (c *checker) byTime(ctx context.Context, t Table, r record) {
	at, id := r.key()
	ans, err := get[record](ctx, c.s.client, request{
		table: t.Name, query: "sys_id=" + id + "^" + place("sys_updated_on", at, ""), fields: []string{"sys_id", "sys_updated_on"}, limit: 1, at: "by time",
	})
	if err == nil && len(ans.rows) == 1 {
		return
	}
	if err == nil {
		// It may have changed since; then it has a later time, and is found by it.
		err = errors.New("a ticket is not found by its own time")
	}
	c.add(source.LevelFailed, "query by time on "+t.Name, err.Error()+"; let the account query sys_updated_on by range (query_range)")
}

// history finds out which histories are possible, and whether the one that is
// configured is. It reads that of a ticket that has certainly changed: an empty
// answer then means that it is denied, not that there is none.
func (c *checker) history(ctx context.Context, t Table) {
	what := "history of " + t.Name
	ans, err := get[record](ctx, c.s.client, request{
		table: t.Name, query: joined(t.Query, "sys_mod_count>0", "reassignment_count>0^ORactive=false^ORclosed_atISNOTEMPTY") + "^ORDERBYDESCsys_updated_on", fields: []string{"sys_id", "sys_class_name"},
		limit: 1, at: "for a ticket that changed",
	})
	if c.s.cfg.History == HistoryObserved {
		c.observed(ctx, t, what, ans.rows)
		return
	}
	if err != nil || len(ans.rows) == 0 {
		c.add(source.LevelWarning, what, "no ticket was found that is known to have changed, so whether its history can be read is not known")
		return
	}
	audit := c.audit(ctx, t, ans.rows[0])
	if c.s.cfg.History == HistoryAudit {
		if audit == "" {
			c.add(source.LevelOK, what, "sys_audit is readable")
			return
		}
		says, possible := c.metrics(ctx, t)
		instead := "set history: observed, and Fairlead keeps what it sees from then on; no metric helps here (" + says + ")"
		if possible {
			instead = "set history: metric, since " + says + "; tables without such a metric are observed"
		}
		c.add(source.LevelFailed, what, audit+". Else "+instead+". As it is, tickets are marked incomplete, and only what Fairlead sees of their changes is kept")
		return
	}
	says, possible := c.metrics(ctx, t)
	switch {
	case audit == "":
		c.add(source.LevelWarning, what, "history: metric is set, and sys_audit is readable, which tells more and who did it: set history: audit")
	case possible:
		c.add(source.LevelOK, what, says)
	default:
		// One table may have metrics and another none.
		c.add(source.LevelWarning, what, "history: metric is set, and "+says+": its tickets are observed, and marked incomplete; define the metric in ServiceNow (Metrics > Definitions) and let the account read metric_definition and metric_instance")
	}
}

// observed says whether more could be had than what is observed.
func (c *checker) observed(ctx context.Context, t Table, what string, changed []record) {
	if len(changed) > 0 && c.audit(ctx, t, changed[0]) == "" {
		c.add(source.LevelWarning, what, "history: observed is set, and sys_audit is readable: set history: audit, and tickets come with their whole history")
		return
	}
	if says, possible := c.metrics(ctx, t); possible {
		c.add(source.LevelWarning, what, "history: observed is set, and "+says+": set history: metric, and more is known")
		return
	}
	c.add(source.LevelOK, what, "begins when Fairlead first sees a ticket, and has what changed between two polls; tickets are marked incomplete")
}

// audit says why the audit of a ticket that has changed cannot be read, or "".
func (c *checker) audit(ctx context.Context, t Table, changed record) string {
	audit, err := get[auditRow](ctx, c.s.client, request{
		table: "sys_audit", query: "tablename=" + changed.class(t) + "^documentkey=" + changed.get("sys_id"), fields: []string{"sys_id"}, limit: 1, count: true, at: "for a ticket that changed",
	})
	switch {
	case err == nil && len(audit.rows) > 0:
		return ""
	case err == nil:
		return "sys_audit gives nothing for a ticket that has changed: the account may not read it (give it the role audit_viewer, or a read ACL on sys_audit), or auditing of " + t.Name + " is off"
	case errors.Is(err, source.ErrForbidden):
		return "sys_audit is refused: give the account the role audit_viewer, or a read ACL on sys_audit"
	default:
		return "sys_audit cannot be read: " + err.Error()
	}
}

// metrics says what the metrics on a table tell, and whether they tell who held its
// tickets.
func (c *checker) metrics(ctx context.Context, t Table) (says string, possible bool) {
	columns := []string{"assigned_to", "assignment_group", t.StatusField}
	found, err := c.s.valueDurations(ctx, []string{t.Name, "task"}, columns)
	if err != nil {
		return plainly("metric_definition", err), false
	}
	d := definitions{of: byTable(found, t.Name, "task")}
	of := d.metricsOn(t.Name)
	holder, ok := of["assigned_to"]
	if !ok {
		return "no active metric of the type field value duration is defined on assigned_to of " + t.Name + ", or the account may not read metric_definition", false
	}
	ans, err := get[metricRow](ctx, c.s.client, request{
		table: "metric_instance", query: "definition=" + string(holder.ID), fields: []string{"sys_id"}, limit: 1, count: true, at: "for a metric's instance",
	})
	switch {
	case err != nil:
		return "a metric is defined on assigned_to, and " + plainly("metric_instance", err), false
	case len(ans.rows) == 0:
		return "a metric is defined on assigned_to, and none of its instances is shown: the account may not read metric_instance, or the metric has none yet", false
	}
	created, _, _ := strings.Cut(string(holder.Created), " ")
	says = "metrics tell who held the tickets created since " + created
	var missing []string
	for _, column := range columns[1:] {
		if _, ok := of[column]; !ok {
			missing = append(missing, column)
		}
	}
	if len(missing) > 0 {
		says += ", and not " + strings.Join(missing, " and ") + ", on which none is defined"
	}
	return says, true
}

func (c *checker) groups(ctx context.Context) {
	ans, err := get[nameRow](ctx, c.s.client, request{table: "sys_user_group", query: "ORDERBYsys_id", fields: []string{"sys_id", "name"}, limit: 1, at: "for a group"})
	if err != nil || len(ans.rows) == 0 || ans.rows[0].Name == "" {
		c.add(source.LevelWarning, "groups", "sys_user_group is not readable: groups will have no names; give the account a role that may read it")
		return
	}
	c.add(source.LevelOK, "groups", "names are readable")
}

// plainly says that a table cannot be read.
func plainly(table string, err error) string {
	if errors.Is(err, source.ErrForbidden) {
		return table + " is refused"
	}
	return table + " cannot be read: " + err.Error()
}

// comments finds out whether the entries of journal fields can be read.
func (c *checker) comments(ctx context.Context) {
	if !c.s.cfg.Comments {
		c.add(source.LevelOK, "comments", "are not read, as it is configured")
		return
	}
	tables := set{}
	for _, t := range c.s.tables {
		tables.add(t.Name)
	}
	ans, err := get[journalRow](ctx, c.s.client, request{
		table: "sys_journal_field", query: "nameIN" + strings.Join(tables.sorted(), ",") + "^elementINcomments,work_notes",
		fields: []string{"sys_id"}, limit: 1, count: true, at: "for a comment",
	})
	const advice = ": who helped on another's ticket is not known; give the account a read ACL on sys_journal_field, or set comments: false"
	switch {
	case err != nil:
		c.add(source.LevelWarning, "comments", plainly("sys_journal_field", err)+advice)
	case len(ans.rows) == 0 && ans.total > 0:
		c.add(source.LevelWarning, "comments", fmt.Sprintf("%d exist, and access rules withhold them", ans.total)+advice)
	case len(ans.rows) == 0:
		c.add(source.LevelWarning, "comments", "none are shown: there are none, or sys_journal_field is withheld"+advice)
	default:
		c.add(source.LevelOK, "comments", "who commented and when is readable; what they wrote is not asked for")
	}
}

// batches finds out whether the Batch API takes requests.
func (c *checker) batches(ctx context.Context) {
	if !c.s.cfg.Batch {
		c.add(source.LevelOK, "batches", "are not used, as it is configured")
		return
	}
	one := request{table: "sys_choice", query: "ORDERBYsys_id", fields: []string{"sys_id"}, limit: 1, at: "for the Batch API"}
	if answers, err := c.s.client.post(ctx, []request{one}); err != nil || len(answers) == 0 {
		c.add(source.LevelOK, "batches", "the instance takes none from this account: histories cost about ten requests for each 1,000 tickets instead of one")
		return
	}
	c.add(source.LevelOK, "batches", "several requests are sent as one")
}

// first says what a first collection takes. An answer of this size takes an
// instance a second or two; the requests of a page go side by side.
func (c *checker) first(total int, h http.Header) {
	lists := 1
	switch {
	case c.s.cfg.History == HistoryObserved && !c.s.cfg.Comments:
		lists = 0
	case c.s.cfg.History != HistoryObserved && c.s.cfg.Comments:
		lists = 2
	}
	// A page, its histories and comments, and the names that are new in it.
	parts := lists * ((c.s.cfg.PageSize*33 + c.s.cfg.MaxURLBytes - 1) / c.s.cfg.MaxURLBytes)
	batches := 0
	if size := c.s.client.batching.size(); c.s.cfg.Batch && size > 1 {
		batches, parts = (parts+size-1)/size, 0
	}
	pages := (total + c.s.cfg.PageSize - 1) / c.s.cfg.PageSize
	requests := pages * (1 + parts + batches + 1)
	// A batch answers its requests one after the other.
	seconds := float64(pages) * (2 + 1.5*float64(parts)/parallelRequests + 10*float64(batches))
	says := fmt.Sprintf("at most %d tickets, about %d requests, and %s", total, requests, roughly(seconds))
	if limit, err := strconv.Atoi(h.Get("X-RateLimit-Limit")); err == nil && limit > 0 && float64(requests)/float64(limit)*3600 > seconds {
		says += fmt.Sprintf("; under the rate limit it takes %s", roughly(float64(requests)/float64(limit)*3600))
	}
	c.add(source.LevelOK, "first collection", says+"; open tickets come first")
}

// roughly is a time as one would say it.
func roughly(seconds float64) string {
	switch {
	case seconds < 90:
		return "a minute or so"
	case seconds < 90*60:
		return fmt.Sprintf("about %.0f minutes", seconds/60)
	default:
		return fmt.Sprintf("about %.0f hours", seconds/3600)
	}
}

// rate reports the rule that the account is under, if any (product
// documentation, "Inbound REST API rate limiting").
func (c *checker) rate(h http.Header) {
	limit := h.Get("X-RateLimit-Limit")
	if limit == "" {
		c.add(source.LevelOK, "rate limit", "no rule applies to this account")
		return
	}
	says := limit + " requests an hour"
	left := h.Get("X-RateLimit-Remaining")
	if left != "" {
		says += ", " + left + " left"
	}
	if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		says += ", counted anew at " + time.Unix(reset, 0).UTC().Format(time.RFC3339)
	}
	if left == "" {
		says += "; ServiceNow does not tell how many are left"
	}
	c.add(source.LevelOK, "rate limit", says)
}
