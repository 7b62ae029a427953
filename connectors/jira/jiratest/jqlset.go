package jiratest

import (
	"slices"
	"strconv"
	"strings"
)

// setClause is a clause of a field that holds ids: equality and membership. A
// value that does not exist is an error in Jira, not an empty result.
func (p *jqlParser) setClause(field, name, operator string, values []value) (predicate, error) {
	negated := false
	switch operator {
	case "=", "in":
	case "is":
		if !values[0].empty {
			return nil, refuse("The operator 'is' can only be used with the values EMPTY and NULL.")
		}
	case "is not":
		if !values[0].empty {
			return nil, refuse("The operator 'is not' can only be used with the values EMPTY and NULL.")
		}
		negated = true
	case "!=", "not in":
		negated = true
	default:
		if field != "key" || len(values) != 1 || strings.Contains(operator, "~") {
			return nil, refuse("The operator '%s' is not supported by the '%s' field.", operator, name)
		}
		return p.keyRange(name, operator, values[0])
	}
	var wanted []string
	for _, v := range values {
		ids, err := p.resolve(field, name, v)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, ids...)
	}
	set := make(map[string]bool, len(wanted))
	for _, id := range wanted {
		set[id] = true
	}
	return func(r *record) bool {
		have := r.values(field)
		// In JQL, "field != x" does not match an issue whose field is empty.
		if negated && len(have) == 0 {
			return operator == "is not" && !set[""]
		}
		if len(have) == 0 {
			return set[""]
		}
		return slices.ContainsFunc(have, func(id string) bool { return set[id] }) != negated
	}, nil
}

// values is what a record's field holds, in the form that resolve returns.
func (r *record) values(field string) []string {
	var v string
	switch field {
	case "project":
		v = r.Project
	case "key":
		v = r.ID
	case "status":
		v = r.Status
	case "statusCategory":
		v = string(r.category)
	case "assignee":
		v = strings.ToLower(r.Assignee)
	case "reporter":
		v = strings.ToLower(r.Reporter)
	case "creator":
		v = strings.ToLower(r.Creator)
	case "issuetype":
		v = r.Type
	case "priority":
		v = r.Priority
	case "parent":
		v = r.Parent
	case "component":
		return r.Components
	}
	if v == "" {
		return nil
	}
	return []string{v}
}

// resolve finds the ids that a value of a field means: by id, key or name.
func (p *jqlParser) resolve(field, name string, v value) ([]string, error) {
	in := p.in
	if v.empty {
		return []string{""}, nil
	}
	if v.function {
		if v.text == "currentuser" && (field == "assignee" || field == "reporter" || field == "creator") {
			return []string{strings.ToLower(serviceAccount)}, nil
		}
		return nil, refuse("Unable to find JQL function '%s()'.", v.text)
	}
	var ids []string
	add := func(id, text string) {
		if id == v.text || strings.EqualFold(text, v.text) {
			ids = append(ids, id)
		}
	}
	switch field {
	case "key", "parent":
		if is := in.find(v.text); is != nil && !is.denied {
			return []string{strconv.FormatInt(is.id, 10)}, nil
		}
		if _, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return nil, refuse("A value with ID '%s' does not exist for the field '%s'.", v.text, name)
		}
		return nil, refuse("An issue with key '%s' does not exist for field '%s'.", v.text, name)
	case "project":
		for _, x := range in.projects {
			add(x.ID, x.Key)
			if len(ids) == 0 {
				add(x.ID, x.Name)
			}
		}
	case "status":
		for _, x := range in.statuses {
			add(x.ID, x.Name)
		}
	case "statusCategory":
		for _, c := range categories {
			if strings.EqualFold(v.text, c.name) || strings.EqualFold(v.text, string(c.key)) || v.text == strconv.Itoa(c.id) {
				ids = append(ids, string(c.key))
			}
		}
	case "issuetype":
		for _, x := range in.types {
			add(x.ID, x.Name)
		}
	case "priority":
		for _, x := range in.priorities {
			add(x.ID, x.Name)
		}
	case "component":
		for _, x := range in.components {
			add(x.ID, x.Name)
		}
	default:
		if u := in.account(v.text); u != nil {
			ids = append(ids, strings.ToLower(u.Name))
		}
	}
	if len(ids) == 0 {
		return nil, refuse("The value '%s' does not exist for the field '%s'.", v.text, name)
	}
	return ids, nil
}

// keyRange compares keys within one project.
func (p *jqlParser) keyRange(name, operator string, v value) (predicate, error) {
	is := p.in.find(v.text)
	if is == nil || is.denied {
		return nil, refuse("An issue with key '%s' does not exist for field '%s'.", v.text, name)
	}
	project, number := is.now.projectKey, is.now.number
	return func(r *record) bool {
		if r.projectKey != project {
			return false
		}
		switch operator {
		case "<":
			return r.number < number
		case "<=":
			return r.number <= number
		case ">":
			return r.number > number
		default:
			return r.number >= number
		}
	}, nil
}

// account finds a user by what the flavour names people with.
func (in *Instance) account(id string) *User {
	if in.opts.Flavour == Cloud {
		return in.byAccount[id]
	}
	return in.byAlias[strings.ToLower(id)]
}
