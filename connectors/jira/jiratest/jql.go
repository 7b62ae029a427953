package jiratest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is JQL that was parsed and bound to an Instance's catalogue: what it
// matches and in which order.
type query struct {
	match   func(*record) bool
	order   []orderTerm
	bounded bool      // it has a restriction
	since   time.Time // no match was updated before it
}

type orderTerm struct {
	field string
	desc  bool
}

// maxOrder is how many fields a search can be ordered by.
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/
const maxOrder = 7

// fields of JQL by every name that they have there.
var jqlFields = map[string]string{
	"project": "project", "key": "key", "issuekey": "key", "id": "key", "issue": "key",
	"updated": "updated", "updateddate": "updated", "created": "created", "createddate": "created",
	"status": "status", "statuscategory": "statusCategory", "assignee": "assignee", "reporter": "reporter",
	"creator": "creator", "issuetype": "issuetype", "type": "issuetype", "priority": "priority",
	"component": "component", "parent": "parent",
}

// compile parses jql at an instant, which relative dates count from.
func (in *Instance) compile(jql string, now time.Time) (*query, error) {
	tokens, err := lex(jql)
	if err != nil {
		return nil, err
	}
	p := &jqlParser{in: in, tokens: tokens, now: now}
	q := &query{match: func(*record) bool { return true }}
	if !p.peek().is("order") && p.peek().kind != tokenEnd {
		q.bounded = true
		if q.match, err = p.or(0); err != nil {
			return nil, err
		}
		// Only conjunctions bound all that matches.
		if !p.disjunction {
			q.since = p.since
		}
	}
	if p.peek().is("order") {
		if q.order, err = p.orderBy(); err != nil {
			return nil, err
		}
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, refuse("Error in the JQL Query: Expecting either 'OR' or 'AND' but got '%s'. (line 1, character %d)", t.text, t.at)
	}
	return q, nil
}

// maxDepth bounds how deep clauses nest.
const maxDepth = 200

type jqlParser struct {
	in          *Instance
	tokens      []jqlToken
	next        int
	now         time.Time
	since       time.Time
	disjunction bool // an OR or NOT was met
}

func (p *jqlParser) peek() jqlToken { return p.tokens[p.next] }

func (p *jqlParser) take() jqlToken {
	t := p.tokens[p.next]
	if t.kind != tokenEnd {
		p.next++
	}
	return t
}

type predicate = func(*record) bool

func (p *jqlParser) or(depth int) (predicate, error) {
	left, err := p.and(depth)
	for err == nil && p.peek().kind == tokenOr {
		p.take()
		p.disjunction = true
		var right predicate
		if right, err = p.and(depth); err == nil {
			a := left
			left = func(r *record) bool { return a(r) || right(r) }
		}
	}
	return left, err
}

func (p *jqlParser) and(depth int) (predicate, error) {
	left, err := p.not(depth)
	for err == nil && p.peek().kind == tokenAnd {
		p.take()
		var right predicate
		if right, err = p.not(depth); err == nil {
			a := left
			left = func(r *record) bool { return a(r) && right(r) }
		}
	}
	return left, err
}

func (p *jqlParser) not(depth int) (predicate, error) {
	if depth > maxDepth {
		return nil, refuse("Error in the JQL Query: The query is nested too deeply.")
	}
	switch p.peek().kind {
	case tokenNot:
		p.take()
		p.disjunction = true
		inner, err := p.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return func(r *record) bool { return !inner(r) }, nil
	case tokenOpen:
		p.take()
		inner, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if t := p.take(); t.kind != tokenClose {
			if t.kind == tokenEnd {
				return nil, refuse("Error in the JQL Query: Expecting ')' before the end of the query.")
			}
			return nil, refuse("Error in the JQL Query: Expecting ')' but got '%s'. (line 1, character %d)", t.text, t.at)
		}
		return inner, nil
	default:
		return p.clause()
	}
}

// clause is field operator operand.
func (p *jqlParser) clause() (predicate, error) {
	name := p.take()
	if name.kind != tokenWord && name.kind != tokenQuoted {
		if name.kind == tokenEnd {
			return nil, refuse("Error in the JQL Query: Expecting a field name at the end of the query.")
		}
		return nil, refuse("Error in the JQL Query: Expecting a field name but got '%s'. You must surround '%s' in quotation marks to use it as a field name. (line 1, character %d)", name.text, name.text, name.at)
	}
	field, ok := jqlFields[strings.ToLower(name.text)]
	operator, err := p.operator(name)
	if err != nil {
		return nil, err
	}
	values, err := p.operand(operator)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse("Field '%s' does not exist or you do not have permission to view it.", name.text)
	}
	if field == "updated" || field == "created" {
		return p.dateClause(field, operator, values)
	}
	return p.setClause(field, name.text, operator, values)
}

func (p *jqlParser) operator(field jqlToken) (string, error) {
	t := p.take()
	switch {
	case t.kind == tokenOperator:
		return t.text, nil
	case t.is("in"):
		return "in", nil
	case t.kind == tokenNot && p.peek().is("in"):
		p.take()
		return "not in", nil
	case t.is("is") && p.peek().kind == tokenNot:
		p.take()
		return "is not", nil
	case t.is("is"):
		return "is", nil
	case t.kind == tokenEnd:
		return "", refuse("Error in the JQL Query: Expecting operator before the end of the query. The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'.")
	}
	return "", refuse("Error in the JQL Query: Expecting operator but got '%s'. The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'. (line 1, character %d, field '%s')", t.text, t.at, field.text)
}

// value is an operand: its text, or EMPTY, or a function's name.
type value struct {
	text     string
	empty    bool
	function bool
}

func (p *jqlParser) operand(operator string) ([]value, error) {
	list := operator == "in" || operator == "not in"
	if p.peek().kind != tokenOpen {
		if list {
			return nil, refuse("Operator '%s' requires a list of values.", operator)
		}
		v, err := p.value()
		return []value{v}, err
	}
	if !list {
		return nil, refuse("Operator '%s' does not support a list of values.", operator)
	}
	p.take()
	var values []value
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		switch t := p.take(); t.kind {
		case tokenClose:
			return values, nil
		case tokenComma:
		case tokenEnd:
			return nil, refuse("Error in the JQL Query: Expecting ')' before the end of the query.")
		default:
			return nil, refuse("Error in the JQL Query: Expecting ')' or ',' but got '%s'. (line 1, character %d)", t.text, t.at)
		}
	}
}

func (p *jqlParser) value() (value, error) {
	t := p.take()
	switch {
	case t.kind == tokenEnd:
		return value{}, refuse("Error in the JQL Query: Expecting either a value, list or function before the end of the query.")
	case t.kind == tokenQuoted:
		return value{text: t.text}, nil
	case t.kind != tokenWord:
		return value{}, refuse("Error in the JQL Query: Expecting either a value, list or function but got '%s'. You must surround '%s' in quotation marks to use it as a value. (line 1, character %d)", t.text, t.text, t.at)
	case t.is("empty"), t.is("null"):
		return value{empty: true}, nil
	case p.peek().kind == tokenOpen:
		p.take()
		if c := p.take(); c.kind != tokenClose {
			return value{}, refuse("Error in the JQL Query: Expecting ')' but got '%s'. (line 1, character %d)", c.text, c.at)
		}
		return value{text: strings.ToLower(t.text), function: true}, nil
	}
	return value{text: t.text}, nil
}

func (p *jqlParser) dateClause(field, operator string, values []value) (predicate, error) {
	get := func(r *record) time.Time { return r.Updated }
	if field == "created" {
		get = func(r *record) time.Time { return r.Created }
	}
	if operator == "is" || operator == "is not" {
		if !values[0].empty {
			return nil, refuse("The operator '%s' is not supported by the '%s' field.", operator, field)
		}
		return func(*record) bool { return operator == "is not" }, nil
	}
	if strings.Contains(operator, "~") {
		return nil, refuse("The operator '%s' is not supported by the '%s' field.", operator, field)
	}
	instants := make([]time.Time, len(values))
	for n, v := range values {
		var err error
		if instants[n], err = p.date(field, v); err != nil {
			return nil, err
		}
	}
	at := instants[0]
	switch operator {
	case "=", "in":
		return func(r *record) bool { return slices.ContainsFunc(instants, get(r).Equal) }, nil
	case "!=", "not in":
		return func(r *record) bool { return !slices.ContainsFunc(instants, get(r).Equal) }, nil
	case ">", ">=":
		if field == "updated" && at.After(p.since) {
			p.since = at
		}
		if operator == ">" {
			return func(r *record) bool { return get(r).After(at) }, nil
		}
		return func(r *record) bool { return !get(r).Before(at) }, nil
	case "<":
		return func(r *record) bool { return get(r).Before(at) }, nil
	default: // "<="
		return func(r *record) bool { return !get(r).After(at) }, nil
	}
}

// date reads a date of JQL: to the minute at best, in the account's zone.
// https://support.atlassian.com/jira-software-cloud/docs/jql-fields/ (Updated)
func (p *jqlParser) date(field string, v value) (time.Time, error) {
	bad := refuse("Date value '%s' for field '%s' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.", v.text, field)
	if v.function {
		if v.text == "now" {
			return p.now, nil
		}
		return time.Time{}, refuse("Unable to find JQL function '%s()'.", v.text)
	}
	if v.empty {
		return time.Time{}, bad
	}
	for _, layout := range []string{"2006/01/02 15:04", "2006-01-02 15:04", "2006/01/02", "2006-01-02"} {
		if wall, err := time.Parse(layout, v.text); err == nil {
			return instantOf(wall, p.in.zone, p.in.opts.LaterOffset), nil
		}
	}
	if millis, err := strconv.ParseInt(v.text, 10, 64); err == nil && millis >= 0 {
		return time.UnixMilli(millis), nil
	}
	if offset, ok := parsePeriod(v.text); ok {
		return p.now.Add(offset), nil
	}
	return time.Time{}, bad
}

// instantOf reads a wall-clock time, written as UTC, in a zone. Where clocks
// are set back it occurs twice, and later chooses the second; where they are
// set forward it does not occur, and moves on by the gap, as in Java.
func instantOf(wall time.Time, zone *time.Location, later bool) time.Time {
	_, before := wall.AddDate(0, 0, -1).In(zone).Zone()
	_, after := wall.AddDate(0, 0, 1).In(zone).Zone()
	candidates := []time.Time{wall.Add(-time.Duration(before) * time.Second), wall.Add(-time.Duration(after) * time.Second)}
	valid := slices.DeleteFunc(slices.Clone(candidates), func(t time.Time) bool {
		_, offset := t.In(zone).Zone()
		return !t.Add(time.Duration(offset) * time.Second).Equal(wall)
	})
	if len(valid) == 0 {
		return candidates[0]
	}
	slices.SortFunc(valid, time.Time.Compare)
	if later {
		return valid[len(valid)-1]
	}
	return valid[0]
}

var periodUnits = map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parsePeriod reads "-5d" or "4w 2d".
func parsePeriod(s string) (time.Duration, bool) {
	sign := time.Duration(1)
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = -1, rest
	}
	var total time.Duration
	parts := strings.Fields(s)
	for _, part := range parts {
		unit, ok := periodUnits[part[len(part)-1]]
		n, err := strconv.Atoi(part[:len(part)-1])
		if !ok || err != nil || n < 0 || n > 100_000 {
			return 0, false
		}
		total += time.Duration(n) * unit
	}
	return sign * total, len(parts) > 0
}

func (p *jqlParser) orderBy() ([]orderTerm, error) {
	p.take()
	if t := p.take(); !t.is("by") {
		return nil, refuse("Error in the JQL Query: Expecting 'by' but got '%s'. (line 1, character %d)", t.text, t.at)
	}
	var order []orderTerm
	for {
		t := p.take()
		if t.kind != tokenWord && t.kind != tokenQuoted {
			return nil, refuse("Error in the JQL Query: Expecting a field name but got '%s'. (line 1, character %d)", t.text, t.at)
		}
		field, ok := jqlFields[strings.ToLower(t.text)]
		if !ok {
			return nil, refuse("Not able to sort using field '%s'.", t.text)
		}
		term := orderTerm{field: field}
		if p.peek().is("asc") {
			p.take()
		} else if p.peek().is("desc") {
			p.take()
			term.desc = true
		}
		if order = append(order, term); len(order) > maxOrder {
			return nil, refuse("JQL can be ordered by at most %d fields.", maxOrder)
		}
		if p.peek().kind != tokenComma {
			return order, nil
		}
		p.take()
	}
}

// compare orders two records as the query says; at last by key, so that the
// order is total.
func (q *query) compare(a, b *record) int {
	for _, term := range q.order {
		c := 0
		switch term.field {
		case "updated":
			c = a.Updated.Compare(b.Updated)
		case "created":
			c = a.Created.Compare(b.Created)
		case "key":
			c = compareKeys(a, b)
		case "project":
			c = strings.Compare(a.projectKey, b.projectKey)
		case "status":
			c = compareIDs(a.Status, b.Status)
		case "priority":
			c = compareIDs(a.Priority, b.Priority)
		case "issuetype":
			c = compareIDs(a.Type, b.Type)
		case "assignee":
			c = strings.Compare(a.Assignee, b.Assignee)
		}
		if term.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return compareKeys(a, b)
}

func compareKeys(a, b *record) int {
	return cmp.Or(strings.Compare(a.projectKey, b.projectKey), cmp.Compare(a.number, b.number))
}

// byUpdated reports whether the order is that of the Instance's sorted list.
func (q *query) byUpdated() bool {
	return len(q.order) > 0 && q.order[0] == orderTerm{field: "updated"} &&
		(len(q.order) == 1 || q.order[1] == orderTerm{field: "key"})
}
