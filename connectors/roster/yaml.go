package roster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks the nodes of a YAML file. It reads them by hand, since only so an
// error can say on which line, and what to do.
type reader struct {
	*draft
	file string
}

func (r reader) at(n *yaml.Node) place { return place{r.file, n.Line} }

func (d *draft) readYAML(f File) error {
	decoder := yaml.NewDecoder(bytes.NewReader(f.Text))
	var doc yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil // empty, or comments only
	case err != nil:
		return badYAML(f.Name, err)
	}
	var more yaml.Node
	switch err := decoder.Decode(&more); {
	case err == nil:
		return place{f.Name, more.Line}.fail("make one of them, or two files", "the file holds two documents")
	case !errors.Is(err, io.EOF):
		return badYAML(f.Name, err)
	}
	r := reader{d, f.Name}
	if root := doc.Content[0]; root.Kind != yaml.ScalarNode || root.Tag != "!!null" {
		return r.fields(root, "the file", fields{
			"defaults": r.readDefaults, "holidays": r.readHolidays, "people": r.readPeople, "teams": r.readTeams, "bots": r.readBots,
		})
	}
	return nil
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// badYAML says where the text is no YAML.
func badYAML(name string, err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	line := 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	return &Error{File: name, Line: line, Problem: text, Remedy: "mend the YAML: mind indentation, and quote values with special characters"}
}

// fields are the keys that a mapping may have.
type fields map[string]func(*yaml.Node) error

// fields reads a mapping with known keys.
func (r reader) fields(n *yaml.Node, what string, known fields) error {
	return r.pairs(n, what, func(key, value *yaml.Node) error {
		read, ok := known[key.Value]
		if !ok {
			names := make([]string, 0, len(known))
			for name := range known {
				names = append(names, name)
			}
			slices.Sort(names)
			return r.at(key).fail(orNearest("the keys here are "+strings.Join(names, ", "), key.Value, names), "%s has no key %q", what, key.Value)
		}
		return read(value)
	})
}

// pairs reads a mapping with any keys, each once.
func (r reader) pairs(n *yaml.Node, what string, each func(key, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return r.shape(n, what+" is to be a list of keys with values", "write key: value, indented")
	}
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return r.shape(key, "a key of "+what+" is no plain text", "write key: value")
		}
		if first, ok := seen[key.Value]; ok {
			return r.at(key).fail("remove one, or put them together", "%s has %q twice, also at %s", what, key.Value, place{r.file, first}.here())
		}
		seen[key.Value] = key.Line
		if empty(value) {
			return r.at(key).fail("give it a value, or remove the line", "%q of %s has no value", key.Value, what)
		}
		if err := each(key, value); err != nil {
			return err
		}
	}
	return nil
}

// shape is the error of a node that is not of the kind it should be.
func (r reader) shape(n *yaml.Node, problem, remedy string) error {
	if n.Kind == yaml.AliasNode {
		problem, remedy = "anchors and aliases are not read here", "write the value out, or use defaults:"
	}
	return r.at(n).fail(remedy, "%s", problem)
}

func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || n.Value == "")
}

// list calls each for every entry of a list, or for the one that stands alone.
func (r reader) list(n *yaml.Node, what string, each func(*yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return each(n)
	}
	for _, entry := range n.Content {
		if empty(entry) {
			return r.at(entry).fail("give it a value, or remove the line", "an entry of %s is empty", what)
		}
		if err := each(entry); err != nil {
			return err
		}
	}
	return nil
}

func (r reader) text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", r.shape(n, what+" is to be a single value", "write it on one line")
	}
	return strings.TrimSpace(n.Value), nil
}

// into makes readers of single values.

func (r reader) string(what string, into *string) func(*yaml.Node) error {
	return func(n *yaml.Node) (err error) {
		*into, err = r.text(n, what)
		return err
	}
}

func (r reader) strings(what string, into *[]string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.list(n, what, func(n *yaml.Node) error {
			s, err := r.text(n, what)
			*into = append(*into, s)
			return err
		})
	}
}

func (r reader) day(what string, into *Day) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		s, err := r.text(n, what)
		if err == nil {
			*into, err = r.at(n).day(what, s)
		}
		return err
	}
}

func (r reader) number(what string, into *float64) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		s, err := r.text(n, what)
		if err == nil {
			*into, err = r.at(n).number(what, s)
		}
		return err
	}
}

func (r reader) moment(what string, into *moment) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		s, err := r.text(n, what)
		if err == nil {
			*into, err = r.at(n).moment(what, s)
		}
		return err
	}
}

// pattern adds the keys of a pattern to others.
func (r reader) pattern(p *pattern, others fields) fields {
	others["zone"] = func(n *yaml.Node) (err error) {
		if p.zone, err = r.text(n, "zone"); err != nil {
			return err
		}
		return checkZone(r.at(n), p.zone)
	}
	others["hours"] = func(n *yaml.Node) error {
		s, err := r.text(n, "hours")
		if err == nil {
			p.hours, err = r.at(n).hours(s)
		}
		return err
	}
	others["holidays"] = func(n *yaml.Node) error {
		p.says.holidays, p.calendar = true, r.at(n)
		return r.strings("holidays", &p.holidays)(n)
	}
	others["fte"] = func(n *yaml.Node) error {
		s, err := r.text(n, "fte")
		if err == nil {
			p.says.fte = true
			p.fte, err = r.at(n).fte(s)
		}
		return err
	}
	return others
}

// period adds from and to to other keys.
func (r reader) period(p *Period, others fields) fields {
	others["from"], others["to"] = r.day("from", &p.From), r.day("to", &p.To)
	return others
}

// needs says which keys an entry lacks.
func (r reader) needs(n *yaml.Node, what string, keys ...string) error {
	for _, key := range keys {
		found := false
		for i := 0; i < len(n.Content); i += 2 {
			found = found || n.Content[i].Value == key
		}
		if !found {
			return r.at(n).fail("add it", "%s has no %s", what, key)
		}
	}
	return nil
}

func (r reader) readDefaults(n *yaml.Node) error {
	if r.defaults != nil {
		return r.at(n).fail("put them together", "there are defaults twice, also at %s", r.defaults.at.here())
	}
	p := &pattern{at: r.at(n)}
	r.defaults = p
	return r.fields(n, "defaults", r.pattern(p, fields{}))
}

func (r reader) readHolidays(n *yaml.Node) error {
	return r.pairs(n, "holidays", func(key, value *yaml.Node) error {
		what := "calendar " + key.Value
		if value.Kind == yaml.SequenceNode && len(value.Content) == 0 {
			return r.at(key).fail("list its days, or remove it", "%s has no days", what)
		}
		return r.list(value, what, func(n *yaml.Node) error {
			var day Day
			if err := r.day("a day of "+what, &day)(n); err != nil {
				return err
			}
			r.holiday(r.at(n), key.Value, day)
			return nil
		})
	})
}

// accountsBySource reads {source: id or [ids]}.
func (r reader) accountsBySource(n *yaml.Node, what string, add func(p place, source, id string)) error {
	return r.pairs(n, what, func(key, value *yaml.Node) error {
		return r.list(value, what, func(n *yaml.Node) error {
			id, err := r.text(n, "an account")
			add(r.at(n), key.Value, id)
			return err
		})
	})
}

func (r reader) readBots(n *yaml.Node) error { return r.accountsBySource(n, "bots", r.bot) }

func (r reader) readPeople(n *yaml.Node) error {
	return r.pairs(n, "people", func(key, value *yaml.Node) error {
		person, base := Person{ID: key.Value}, &pattern{}
		what := fmt.Sprintf("person %q", key.Value)
		var emails []string
		err := r.fields(value, what, r.pattern(base, fields{
			"name":  r.string("name", &person.Name),
			"email": r.strings("email", &emails),
			"accounts": func(n *yaml.Node) error {
				return r.accountsBySource(n, "accounts", func(p place, source, id string) { r.account(p, person.ID, source, id) })
			},
			"joined": r.day("joined", &person.Employed.From),
			"left":   r.day("left", &person.Employed.To),
			"schedules": func(n *yaml.Node) error {
				return r.list(n, "schedules", func(n *yaml.Node) error {
					o := override{person: person.ID, pattern: &pattern{at: r.at(n)}}
					err := r.fields(n, "a schedule", r.period(&o.Period, r.pattern(o.pattern, fields{})))
					r.overrides = append(r.overrides, o)
					return err
				})
			},
			"leave": func(n *yaml.Node) error {
				return r.list(n, "leave", func(n *yaml.Node) error {
					l := Leave{Person: person.ID, Part: 1}
					err := r.fields(n, "a leave", r.period(&l.Period, fields{"part": r.number("part", &l.Part)}))
					r.absence(r.at(n), l)
					return err
				})
			},
		}))
		for _, address := range emails {
			person.Emails = append(person.Emails, email(address))
		}
		r.person(r.at(key), person, base)
		return err
	})
}

func (r reader) readTeams(n *yaml.Node) error {
	return r.pairs(n, "teams", func(key, value *yaml.Node) error {
		t := Team{Name: key.Value}
		err := r.fields(value, fmt.Sprintf("team %q", key.Value), fields{
			"lead": r.leadsOf(t.Name), "notify": r.strings("notify", &t.Notify), "queues": r.queuesOf(t.Name),
			"members": r.membersOf(t.Name), "on_call": r.shiftsOf(t.Name),
		})
		r.team(r.at(key), t)
		return err
	})
}

func (r reader) leadsOf(team string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.list(n, "lead", func(n *yaml.Node) error {
			l := Lead{Team: team}
			var err error
			if n.Kind == yaml.ScalarNode {
				l.Person, err = r.text(n, "lead")
			} else {
				err = first(
					r.fields(n, "a lead", r.period(&l.Period, fields{"person": r.string("person", &l.Person)})),
					r.needs(n, "a lead", "person"))
			}
			r.lead(r.at(n), l)
			return err
		})
	}
}

func (r reader) queuesOf(team string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.list(n, "queues", func(n *yaml.Node) error {
			q := Queue{Team: team}
			err := r.fields(n, "a queue", r.period(&q.Period, fields{"source": r.string("source", &q.Source), "queue": r.string("queue", &q.Queue)}))
			r.queue(r.at(n), q)
			return first(err, r.needs(n, "a queue", "source", "queue"))
		})
	}
}

func (r reader) membersOf(team string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.list(n, "members", func(n *yaml.Node) error {
			m := Membership{Team: team, FTE: Whole}
			var err error
			if n.Kind == yaml.ScalarNode {
				m.Person, err = r.text(n, "a member")
			} else {
				err = first(
					r.fields(n, "a member", r.period(&m.Period, fields{
						"person": r.string("person", &m.Person),
						"fte": func(n *yaml.Node) error {
							s, err := r.text(n, "fte")
							if err == nil {
								m.FTE, err = r.at(n).fte(s)
							}
							return err
						},
					})),
					r.needs(n, "a member", "person"))
			}
			r.member(r.at(n), m)
			return err
		})
	}
}

func (r reader) shiftsOf(team string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		return r.list(n, "on_call", func(n *yaml.Node) error {
			s := shift{at: r.at(n), team: team}
			err := r.fields(n, "a shift", fields{
				"person": r.string("person", &s.person), "from": r.moment("from", &s.from), "to": r.moment("to", &s.to),
			})
			r.shifts = append(r.shifts, s)
			return first(err, r.needs(n, "a shift", "person", "from", "to"))
		})
	}
}
