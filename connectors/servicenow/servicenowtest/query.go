package servicenowtest

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// query is a parsed encoded query. A row matches when it matches every clause
// of any group; it matches a clause when it matches any of its conditions. So
// ^OR binds tighter than ^, and ^NQ looser (SDK documentation, "Encoded
// Queries": "^OR binds only to the single condition immediately before and
// after it"; "^NQ starts a new independent query").
type query struct {
	groups [][]clause
	order  []ordering
}

type clause []condition

type condition struct {
	field  string
	op     string
	value  string
	values []string // of IN and NOT IN
}

type ordering struct {
	field string
	desc  bool
}

// operators, a longer one before its beginning.
var operators = []string{
	"ISNOTEMPTY", "ISEMPTY", "STARTSWITH", "ENDSWITH", "NOT LIKE", "NOTLIKE", "NOT IN", "CONTAINS", "INSTANCEOF",
	"BETWEEN", "LIKE", "ANYTHING", "IN", "!=", ">=", "<=", "=", ">", "<",
}

var errScript = errors.New("the query has a script, and this instance has no script engine")

// parseQuery reads an encoded query. What cannot be read is left out and
// returned in invalid: "the instance ignores the invalid part" (product
// documentation, Table API, sysparm_query).
func parseQuery(s string) (q query, invalid []string, err error) {
	if strings.Contains(s, "javascript:") {
		return query{}, nil, errScript
	}
	group := []clause{}
	for _, term := range splitTerms(s) {
		switch {
		case term == "" || term == "EQ":
			continue
		case strings.HasPrefix(term, "ORDERBYDESC"):
			q.order = append(q.order, ordering{field: strings.TrimPrefix(term, "ORDERBYDESC"), desc: true})
			continue
		case strings.HasPrefix(term, "ORDERBY"):
			q.order = append(q.order, ordering{field: strings.TrimPrefix(term, "ORDERBY")})
			continue
		}
		or := false
		if rest, ok := strings.CutPrefix(term, "NQ"); ok {
			q.groups = append(q.groups, group)
			group, term = []clause{}, rest
		} else if rest, ok := strings.CutPrefix(term, "OR"); ok {
			or, term = true, rest
		}
		c, ok := parseCondition(term)
		if !ok {
			invalid = append(invalid, term)
			continue
		}
		if or && len(group) > 0 {
			group[len(group)-1] = append(group[len(group)-1], c)
		} else {
			group = append(group, clause{c})
		}
	}
	q.groups = append(q.groups, group)
	return q, invalid, nil
}

// splitTerms splits at ^; ^^ is a caret within a value.
func splitTerms(s string) []string {
	var out []string
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '^' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '^' {
			b.WriteByte('^')
			i++
			continue
		}
		out = append(out, b.String())
		b.Reset()
	}
	return append(out, b.String())
}

func parseCondition(term string) (condition, bool) {
	n := 0
	for n < len(term) && (term[n] == '_' || term[n] == '.' || term[n] >= 'a' && term[n] <= 'z' || term[n] >= '0' && term[n] <= '9') {
		n++
	}
	if n == 0 {
		return condition{}, false
	}
	c := condition{field: term[:n]}
	for _, op := range operators {
		if rest, ok := strings.CutPrefix(term[n:], op); ok {
			c.op, c.value = op, rest
			if op == "IN" || op == "NOT IN" {
				c.values = strings.Split(rest, ",")
			}
			return c, true
		}
	}
	return condition{}, false
}

// valid drops the conditions whose field the tables do not have, and reports
// them: "invalid query … by including an invalid field name, the invalid part
// of the query condition is ignored" (product documentation,
// glide.invalid_query.returns_no_rows).
func (q query) valid(known func(field string) bool) (query, []string) {
	var invalid []string
	out := query{}
	for _, g := range q.groups {
		var group []clause
		for _, cl := range g {
			var keep clause
			for _, c := range cl {
				if !known(c.field) {
					invalid = append(invalid, c.field+c.op+c.value)
					continue
				}
				keep = append(keep, c)
			}
			if len(keep) > 0 {
				group = append(group, keep)
			}
		}
		out.groups = append(out.groups, group)
	}
	for _, o := range q.order {
		if !known(o.field) {
			invalid = append(invalid, "ORDERBY"+o.field)
			continue
		}
		out.order = append(out.order, o)
	}
	return out, invalid
}

func (q query) matches(get func(field string) string) bool {
	for _, g := range q.groups {
		if matchesAll(g, get) {
			return true
		}
	}
	return false
}

func matchesAll(g []clause, get func(string) string) bool {
	for _, cl := range g {
		if !slices.ContainsFunc(cl, func(c condition) bool { return c.matches(get(c.field)) }) {
			return false
		}
	}
	return true
}

func (c condition) matches(v string) bool {
	switch c.op {
	case "ISEMPTY":
		return v == ""
	case "ISNOTEMPTY":
		return v != ""
	case "ANYTHING":
		return true
	case "=":
		return strings.EqualFold(v, c.value)
	case "!=":
		return !strings.EqualFold(v, c.value)
	case "IN":
		return slices.ContainsFunc(c.values, func(x string) bool { return strings.EqualFold(v, x) })
	case "NOT IN":
		return !slices.ContainsFunc(c.values, func(x string) bool { return strings.EqualFold(v, x) })
	case "STARTSWITH":
		return strings.HasPrefix(strings.ToLower(v), strings.ToLower(c.value))
	case "ENDSWITH":
		return strings.HasSuffix(strings.ToLower(v), strings.ToLower(c.value))
	case "LIKE", "CONTAINS":
		return strings.Contains(strings.ToLower(v), strings.ToLower(c.value))
	case "NOT LIKE", "NOTLIKE":
		return !strings.Contains(strings.ToLower(v), strings.ToLower(c.value))
	case "INSTANCEOF":
		for n := v; n != ""; n = parents[n] {
			if n == c.value {
				return true
			}
		}
		return false
	}
	// An empty column is NULL in the database: no inequality holds of it.
	if v == "" {
		return false
	}
	switch c.op {
	case ">":
		return compareValues(c.field, v, c.value) > 0
	case ">=":
		return compareValues(c.field, v, c.value) >= 0
	case "<":
		return compareValues(c.field, v, c.value) < 0
	case "<=":
		return compareValues(c.field, v, c.value) <= 0
	case "BETWEEN":
		lo, hi, ok := strings.Cut(c.value, "@")
		return ok && compareValues(c.field, v, lo) >= 0 && compareValues(c.field, v, hi) <= 0
	}
	return false
}

func compareValues(field, a, b string) int {
	if integers[field] {
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		if errX == nil && errY == nil {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
}

// hit is a row with the table it is of.
type hit struct {
	t *table
	r *row
}

// run finds the rows of the tables that match, in the order asked for.
func (in *Instance) run(tables []*table, q query) []hit {
	var out []hit
	for _, t := range tables {
		t.sort()
		for _, r := range t.candidates(q) {
			if q.matches(func(f string) string { return in.walk(t, r, f) }) {
				out = append(out, hit{t, r})
			}
		}
	}
	if len(q.order) == 0 || len(tables) == 1 && tables[0].updated >= 0 && inKeyOrder(q.order) {
		return out
	}
	slices.SortStableFunc(out, func(a, b hit) int {
		for _, o := range q.order {
			c := compareValues(o.field, in.walk(a.t, a.r, o.field), in.walk(b.t, b.r, o.field))
			if o.desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return out
}

func inKeyOrder(o []ordering) bool {
	return len(o) == 2 && o[0] == ordering{field: "sys_updated_on"} && o[1] == ordering{field: "sys_id"}
}

// candidates are rows among which all that match are: by an index where every
// group has a clause that one serves, else a range of the ordered rows. They
// come in the order of the table, each once.
func (t *table) candidates(q query) []*row {
	var found []*row
	for _, g := range q.groups {
		rows, ok := t.byIndex(g)
		if !ok {
			return t.byRange(q)
		}
		found = append(found, rows...)
	}
	slices.SortStableFunc(found, t.compare)
	seen := make(map[*row]bool, len(found))
	return slices.DeleteFunc(found, func(r *row) bool {
		if seen[r] {
			return true
		}
		seen[r] = true
		return false
	})
}

func (t *table) byIndex(g []clause) ([]*row, bool) {
next:
	for _, cl := range g {
		var rows []*row
		for _, c := range cl {
			values := c.values
			switch {
			case c.op == "=":
				values = []string{c.value}
			case c.op != "IN":
				continue next
			}
			idx, ok := t.hash[c.field]
			if !ok && c.field != "sys_id" {
				continue next
			}
			for _, v := range values {
				if ok {
					rows = append(rows, idx[strings.ToLower(v)]...)
				} else if r := t.rows[v]; r != nil {
					rows = append(rows, r)
				}
			}
		}
		return rows, true
	}
	return nil, false
}

func (t *table) byRange(q query) []*row {
	if t.updated < 0 || len(q.groups) != 1 {
		return t.ordered
	}
	from, to := 0, len(t.ordered)
	at := func(v string, after bool) int {
		i, _ := slices.BinarySearchFunc(t.ordered, v, func(r *row, v string) int {
			c := cmp.Compare(t.get(r, t.updated), v)
			if c == 0 && after {
				return -1
			}
			return c
		})
		return i
	}
	for _, cl := range q.groups[0] {
		if len(cl) != 1 || cl[0].field != "sys_updated_on" {
			continue
		}
		switch v := cl[0].value; cl[0].op {
		case ">=":
			from = max(from, at(v, false))
		case ">":
			from = max(from, at(v, true))
		case "<=":
			to = min(to, at(v, true))
		case "<":
			to = min(to, at(v, false))
		}
	}
	if from >= to {
		return nil
	}
	return t.ordered[from:to]
}

// walk reads a column, through references where the name is dotted.
func (in *Instance) walk(t *table, r *row, field string) string {
	name, rest, dotted := strings.Cut(field, ".")
	v, _ := t.value(r, name)
	if !dotted {
		return v
	}
	for _, target := range in.family(references[name]) {
		if o := target.rows[v]; o != nil {
			return in.walk(target, o, rest)
		}
	}
	return ""
}

// known says whether the tables have a column, through references where the
// name is dotted.
func (in *Instance) known(tables []*table, field string) bool {
	name, rest, dotted := strings.Cut(field, ".")
	for _, t := range tables {
		if _, ok := t.columns[name]; ok {
			return !dotted || in.known(in.family(references[name]), rest)
		}
	}
	return false
}
