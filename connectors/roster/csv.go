package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// table is one of the CSV files: its columns, those that must be filled first,
// and what a line of it means.
type table struct {
	required, optional []string
	read               func(*draft, row) error
}

// row is a line of a CSV file.
type row struct {
	place
	cell map[string]string
}

var tables = map[string]table{
	"people": {
		[]string{"person"}, []string{"name", "email", "joined", "left", "zone", "hours", "holidays", "fte"},
		func(d *draft, r row) error {
			joined, err1 := r.day("joined", r.cell["joined"])
			left, err2 := r.day("left", r.cell["left"])
			base, err3 := r.pattern()
			if err := first(err1, err2, err3); err != nil {
				return err
			}
			p := Person{ID: r.cell["person"], Name: r.cell["name"], Employed: Period{joined, left}}
			for _, address := range strings.Fields(r.cell["email"]) {
				p.Emails = append(p.Emails, email(address))
			}
			d.person(r.place, p, base)
			return nil
		},
	},
	"schedules": {
		[]string{"person"}, []string{"from", "to", "zone", "hours", "holidays", "fte"},
		func(d *draft, r row) error {
			period, err1 := r.period()
			p, err2 := r.pattern()
			d.overrides = append(d.overrides, override{r.cell["person"], period, p})
			return first(err1, err2)
		},
	},
	"accounts": {[]string{"person", "source", "account"}, nil, func(d *draft, r row) error {
		d.account(r.place, r.cell["person"], r.cell["source"], r.cell["account"])
		return nil
	}},
	"bots": {[]string{"source", "account"}, nil, func(d *draft, r row) error {
		d.bot(r.place, r.cell["source"], r.cell["account"])
		return nil
	}},
	"leave": {[]string{"person", "from"}, []string{"to", "part"}, func(d *draft, r row) error {
		period, err1 := r.period()
		part, err2 := 1.0, error(nil)
		if s := r.cell["part"]; s != "" {
			part, err2 = r.number("part", s)
		}
		d.absence(r.place, Leave{r.cell["person"], period, part})
		return first(err1, err2)
	}},
	"holidays": {[]string{"calendar", "day"}, nil, func(d *draft, r row) error {
		day, err := r.day("day", r.cell["day"])
		d.holiday(r.place, r.cell["calendar"], day)
		return err
	}},
	"teams": {[]string{"team"}, []string{"notify", "lead", "from", "to"}, func(d *draft, r row) error {
		period, err := r.period()
		if err != nil {
			return err
		}
		return d.teamLine(r, period)
	}},
	"queues": {[]string{"team", "source", "queue"}, []string{"from", "to"}, func(d *draft, r row) error {
		period, err := r.period()
		d.queue(r.place, Queue{r.cell["team"], r.cell["source"], r.cell["queue"], period})
		return err
	}},
	"members": {[]string{"team", "person"}, []string{"fte", "from", "to"}, func(d *draft, r row) error {
		period, err1 := r.period()
		fte, err2 := float64(Whole), error(nil)
		if s := r.cell["fte"]; s != "" {
			fte, err2 = r.fte(s)
		}
		d.member(r.place, Membership{r.cell["team"], r.cell["person"], period, fte})
		return first(err1, err2)
	}},
	"on_call": {[]string{"team", "person", "from", "to"}, nil, func(d *draft, r row) error {
		from, err1 := r.moment("from", r.cell["from"])
		to, err2 := r.moment("to", r.cell["to"])
		d.shifts = append(d.shifts, shift{r.place, r.cell["team"], r.cell["person"], from, to})
		return first(err1, err2)
	}},
}

// first of the errors that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// teamLine adds a team at its first line, and its lead and receivers at each.
func (d *draft) teamLine(r row, period Period) error {
	name, lead := r.cell["team"], r.cell["lead"]
	if lead == "" && period != (Period{}) {
		return r.fail("name the lead, or leave from and to empty", "a line of team %q has days and no lead", name)
	}
	i := slices.IndexFunc(d.data.Teams, func(t Team) bool { return t.Name == name })
	if i < 0 || d.teams[i].file != r.file {
		d.team(r.place, Team{Name: name})
		i = len(d.data.Teams) - 1
	} else if lead == "" {
		return r.fail("give a line for each lead, or one", "team %q is there twice, also at %s", name, d.teams[i].here())
	}
	t := &d.data.Teams[i]
	if n := r.cell["notify"]; n != "" && !slices.Contains(t.Notify, n) {
		t.Notify = append(t.Notify, n)
	}
	if lead != "" {
		d.lead(r.place, Lead{name, lead, period})
	}
	return nil
}

func (r row) period() (Period, error) {
	from, err1 := r.day("from", r.cell["from"])
	to, err2 := r.day("to", r.cell["to"])
	return Period{from, to}, first(err1, err2)
}

func (r row) pattern() (*pattern, error) {
	p := &pattern{at: r.place, zone: r.cell["zone"], holidays: strings.Fields(r.cell["holidays"])}
	if p.zone != "" {
		if err := checkZone(r.place, p.zone); err != nil {
			return nil, err
		}
	}
	if len(p.holidays) > 0 {
		p.says.holidays, p.calendar = true, r.place
	}
	if s := r.cell["hours"]; s != "" {
		week, err := r.hours(s)
		if err != nil {
			return nil, err
		}
		p.hours = week
	}
	if s := r.cell["fte"]; s != "" {
		fte, err := r.fte(s)
		if err != nil {
			return nil, err
		}
		p.fte, p.says.fte = fte, true
	}
	return p, nil
}

func (d *draft) readCSV(f File) error {
	name := strings.ToLower(strings.TrimSuffix(filepath.Base(f.Name), filepath.Ext(f.Name)))
	top := place{f.Name, 1}
	t, ok := tables[name]
	if !ok {
		var names []string
		for known := range tables {
			names = append(names, known)
		}
		slices.Sort(names)
		return &Error{File: f.Name, Problem: "no table of a roster has this name",
			Remedy: orNearest("name it "+strings.Join(names, ".csv, ")+".csv, or move it away", name, names)}
	}
	text := bytes.TrimPrefix(f.Text, []byte("\ufeff"))
	reader := csv.NewReader(bytes.NewReader(text))
	reader.Comment = '#'
	reader.TrimLeadingSpace = true
	reader.Comma = separator(text)
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return top.fail("begin it with the line "+strings.Join(slices.Concat(t.required, t.optional), ","), "the file is empty")
	}
	if err != nil {
		return badCSV(f.Name, err)
	}
	line, _ := reader.FieldPos(0)
	top.line = line
	columns, err := t.columns(top, header)
	if err != nil {
		return err
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return badCSV(f.Name, err)
		}
		line, _ := reader.FieldPos(0)
		r := row{place{f.Name, line}, make(map[string]string, len(columns))}
		filled := false
		for i, column := range columns {
			r.cell[column] = strings.TrimSpace(record[i])
			filled = filled || r.cell[column] != ""
		}
		if !filled {
			continue // a line of separators only, as spreadsheets leave them
		}
		for _, column := range t.required {
			if r.cell[column] == "" {
				return r.fail("fill it", "column %s is empty", column)
			}
		}
		if err := t.read(d, r); err != nil {
			return err
		}
	}
}

// separator is a semicolon where the header has one and no comma.
func separator(text []byte) rune {
	for line := range bytes.Lines(text) {
		if trimmed := bytes.TrimSpace(line); len(trimmed) == 0 || trimmed[0] == '#' {
			continue
		}
		if bytes.ContainsRune(line, ';') && !bytes.ContainsRune(line, ',') {
			return ';'
		}
		break
	}
	return ','
}

// columns names the columns of a header in order.
func (t table) columns(top place, header []string) ([]string, error) {
	all := slices.Concat(t.required, t.optional)
	columns := make([]string, len(header))
	for i, text := range header {
		name := strings.ToLower(strings.TrimSpace(text))
		switch {
		case !slices.Contains(all, name):
			return nil, top.fail(orNearest("the columns are "+strings.Join(all, ", "), name, all), "there is no column %q", strings.TrimSpace(text))
		case slices.Contains(columns[:i], name):
			return nil, top.fail("remove one", "column %s is there twice", name)
		}
		columns[i] = name
	}
	for _, name := range t.required {
		if !slices.Contains(columns, name) {
			return nil, top.fail("add it; the columns are "+strings.Join(all, ", "), "there is no column %s", name)
		}
	}
	return columns, nil
}

// badCSV says where the text is no CSV.
func badCSV(name string, err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return &Error{File: name, Problem: fmt.Sprint(err), Remedy: "save it as UTF-8 text"}
	}
	remedy := "put a value that has quotes in it between quotes, and double them"
	if errors.Is(err, csv.ErrFieldCount) {
		remedy = "give each line as many values as the header has, and put a value with a separator in it between quotes"
	}
	return &Error{File: name, Line: parse.Line, Problem: parse.Err.Error(), Remedy: remedy}
}
