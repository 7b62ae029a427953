package servicenowtest

import (
	"cmp"
	"slices"
	"strings"
)

// table holds rows by sys_id and, save for the audit, in the order of
// (sys_updated_on, sys_id), which is the order that pages are asked in.
type table struct {
	name    string
	names   []string       // of the columns
	columns map[string]int // name → place in row.vals

	rows     map[string]*row
	ordered  []*row
	unsorted bool // ordered has to be sorted, and rid of rows that are gone, before it is read
	updated  int  // place of sys_updated_on, -1 where the table has none

	hash map[string]map[string][]*row // column → value in lower case → rows
}

// row is never changed once it is stored: an update stores another one.
type row struct {
	id   string
	vals []string
}

func (in *Instance) table(name string) *table {
	if t := in.tables[name]; t != nil {
		return t
	}
	t := &table{name: name, columns: map[string]int{}, rows: map[string]*row{}, updated: -1, hash: map[string]map[string][]*row{}}
	cols := baseColumns[name]
	if cols == nil {
		cols = sysColumns
		if parents[name] != "" {
			cols = baseColumns[parents[name]]
		}
	}
	for _, c := range cols {
		t.column(c)
	}
	if i, ok := t.columns["sys_updated_on"]; ok {
		t.updated = i
	}
	for _, c := range indexed[name] {
		t.hash[c] = map[string][]*row{}
	}
	in.tables[name] = t
	return t
}

// family is the table and all that extend it.
func (in *Instance) family(name string) []*table {
	var out []*table
	for _, t := range in.tables {
		for n := t.name; n != ""; n = parents[n] {
			if n == name {
				out = append(out, t)
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b *table) int { return cmp.Compare(a.name, b.name) })
	return out
}

func (t *table) column(name string) int {
	i, ok := t.columns[name]
	if !ok {
		i = len(t.names)
		t.columns[name] = i
		t.names = append(t.names, name)
	}
	return i
}

// intern keeps one copy of a value that many rows share. Long values are the
// ones that rarely repeat.
func (in *Instance) intern(s string) string {
	if len(s) > 40 {
		return s
	}
	if c, ok := in.strings[s]; ok {
		return c
	}
	in.strings[s] = s
	return s
}

func (t *table) newRow(in *Instance, rec Record, id string) *row {
	for k := range rec {
		t.column(k)
	}
	r := &row{id: id, vals: make([]string, len(t.names))}
	for k, v := range rec {
		r.vals[t.columns[k]] = in.intern(v)
	}
	r.vals[t.columns["sys_id"]] = id
	return r
}

func (r *row) set(t *table, col, v string) { r.vals[t.columns[col]] = v }

// get reads a column; a row is shorter than the table where columns were added
// after it.
func (t *table) get(r *row, col int) string {
	if col >= len(r.vals) {
		return ""
	}
	return r.vals[col]
}

func (t *table) value(r *row, col string) (string, bool) {
	i, ok := t.columns[col]
	if !ok {
		return "", false
	}
	return t.get(r, i), true
}

func (t *table) record(r *row) Record {
	rec := Record{}
	for i, n := range t.names {
		if v := t.get(r, i); v != "" {
			rec[n] = v
		}
	}
	return rec
}

func (t *table) compare(a, b *row) int {
	if t.updated < 0 {
		return 0
	}
	return cmp.Or(cmp.Compare(t.get(a, t.updated), t.get(b, t.updated)), cmp.Compare(a.id, b.id))
}

func (t *table) store(r *row) {
	t.remove(r.id)
	t.rows[r.id] = r
	switch last := len(t.ordered) - 1; {
	case t.unsorted || last < 0 || t.compare(t.ordered[last], r) <= 0:
		t.ordered = append(t.ordered, r)
	default:
		// Far from the end while the table is loaded in any order: sorting once
		// is cheaper than making room each time.
		i, _ := slices.BinarySearchFunc(t.ordered, r, t.compare)
		if len(t.ordered)-i > 4096 {
			t.ordered, t.unsorted = append(t.ordered, r), true
			break
		}
		t.ordered = slices.Insert(t.ordered, i, r)
	}
	for col, idx := range t.hash {
		v := strings.ToLower(t.get(r, t.columns[col]))
		idx[v] = append(idx[v], r)
	}
}

func (t *table) remove(id string) {
	old := t.rows[id]
	if old == nil {
		return
	}
	delete(t.rows, id)
	same := func(o *row) bool { return o == old }
	if !t.unsorted {
		if i, ok := slices.BinarySearchFunc(t.ordered, old, t.compare); ok && t.ordered[i] == old {
			t.ordered = slices.Delete(t.ordered, i, i+1)
		} else {
			t.ordered = slices.DeleteFunc(t.ordered, same)
		}
	}
	for col, idx := range t.hash {
		v := strings.ToLower(t.get(old, t.columns[col]))
		idx[v] = slices.DeleteFunc(idx[v], same)
	}
}

// sort puts the rows in order after a load. The audit stays as it was written.
func (t *table) sort() {
	if !t.unsorted {
		return
	}
	t.ordered = slices.DeleteFunc(t.ordered, func(r *row) bool { return t.rows[r.id] != r })
	if t.updated >= 0 {
		slices.SortFunc(t.ordered, t.compare)
	}
	t.unsorted = false
}
