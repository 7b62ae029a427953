package sandbox

import (
	"fmt"
	"strconv"
	"strings"

	"fairlead/connectors/jira/jiratest"
)

// The catalogue of the generated Jira site.
var (
	jiraStatuses = []jiratest.Status{
		{ID: "10000", Name: "To Do", Category: jiratest.ToDo},
		{ID: "3", Name: "In Progress", Category: jiratest.InProgress},
		{ID: "10001", Name: "Blocked", Category: jiratest.InProgress},
		{ID: "10002", Name: "In Review", Category: jiratest.InProgress},
		{ID: "10003", Name: "Done", Category: jiratest.Done},
		{ID: "6", Name: "Closed", Category: jiratest.Done},
		{ID: "10004", Name: "Won't Do", Category: jiratest.Done},
		{ID: "10010", Name: "Waiting for support", Category: jiratest.ToDo},
		{ID: "10011", Name: "Waiting for customer", Category: jiratest.InProgress},
		{ID: "5", Name: "Resolved", Category: jiratest.Done},
	}
	jiraTypes = []jiratest.IssueType{
		{ID: "10100", Name: "Bug"}, {ID: "10101", Name: "Story"}, {ID: "10102", Name: "Task"},
		{ID: "10103", Name: "Service Request"}, {ID: "10104", Name: "Sub-task", Subtask: true},
	}
)

func (t Type) issueType() string { return jiraTypes[t-Bug].ID }

// status is what the workflow of a type calls a phase.
func (t Type) status(p Phase) string {
	if t == ServiceRequest {
		return [...]string{"10010", "3", "10011", "10002", "5", "6", "10004"}[p]
	}
	return [...]string{"10000", "3", "10001", "10002", "10003", "6", "10004"}[p]
}

// LoadJira fills a site with the organisation's users, projects, components and
// issues, each with its changelog, comments and worklogs. It fails only on a
// site that holds something already.
func (o *Organisation) LoadJira(in *jiratest.Instance) error {
	if err := o.jiraCatalogue(in); err != nil {
		return err
	}
	for _, p := range o.People {
		if p.JiraName == "" {
			continue
		}
		u := jiratest.User{
			Name: p.JiraName, Key: p.JiraKey, AccountID: p.JiraAccountID, DisplayName: p.Name, Email: p.JiraEmail,
			TimeZone: p.Zone, Inactive: !p.Left.IsZero(), App: p.Role == Bot, Deleted: p.Deleted,
		}
		if p.Deleted {
			u.DisplayName, u.Email = "Former user", ""
		}
		if p.EmailHidden {
			u.Email = ""
		}
		if err := in.AddUser(u); err != nil {
			return fmt.Errorf("loading user: %w", err)
		}
	}
	for _, t := range o.Tickets {
		if t.System() != Jira {
			continue
		}
		if _, err := in.AddIssue(o.issue(in, t)); err != nil {
			return fmt.Errorf("loading issue: %w", err)
		}
	}
	return nil
}

func (o *Organisation) jiraCatalogue(in *jiratest.Instance) error {
	for _, s := range jiraStatuses {
		if err := in.AddStatus(s); err != nil {
			return fmt.Errorf("loading status: %w", err)
		}
	}
	for _, t := range jiraTypes {
		if err := in.AddIssueType(t); err != nil {
			return fmt.Errorf("loading issue type: %w", err)
		}
	}
	for _, q := range o.Queues {
		if q.System != Jira {
			continue
		}
		if err := in.AddProject(jiratest.Project{ID: q.ID, Key: q.Key, Name: q.Name}); err != nil {
			return fmt.Errorf("loading project: %w", err)
		}
		for _, a := range q.Areas {
			if err := in.AddComponent(jiratest.Component{ID: a.ID, Name: a.Name, Project: q.ID}); err != nil {
				return fmt.Errorf("loading component: %w", err)
			}
		}
	}
	return nil
}

func (o *Organisation) issue(in *jiratest.Instance, t *Ticket) jiratest.Issue {
	i := jiratest.Issue{
		ID: t.ID, Key: t.Key, Project: o.Queues[t.last.queue].ID, Type: t.last.kind.issueType(),
		Status: t.last.kind.status(t.last.phase), Priority: strconv.Itoa(int(t.last.priority)),
		Assignee: o.jiraName(t.last.assignee), Reporter: t.Reporter.JiraName, Creator: t.Reporter.JiraName,
		Created: t.Created, Updated: t.Updated, Points: points(t.last.points), Summary: "Generated",
	}
	if t.Parent != nil {
		i.Parent = t.Parent.ID
	}
	if t.last.area != none {
		i.Components = []string{o.Areas[t.last.area].ID}
	}
	now, keys := t.first, t.keys
	for n := 0; n < len(t.changes); {
		h := jiratest.History{Author: o.jiraName(t.changes[n].actor), Created: instant(t.changes[n].at)}
		silent := t.changes[n].silent
		for first := true; n < len(t.changes) && (first || t.changes[n].together); n++ {
			c := t.changes[n]
			h.Items = append(h.Items, o.items(in, c, now, &keys)...)
			now.apply(c)
			first = false
		}
		if !silent {
			i.Histories = append(i.Histories, h)
		}
	}
	for _, a := range t.acts {
		by, at := o.jiraName(a.actor), instant(a.at)
		if a.worklog {
			i.Worklogs = append(i.Worklogs, jiratest.Worklog{Author: by, Created: at, Seconds: 60 * int(a.minutes)})
		} else {
			i.Comments = append(i.Comments, jiratest.Comment{Author: by, Created: at, Body: "Noted."})
		}
	}
	return i
}

// items are the changelog items of a change, made while the issue was as now.
func (o *Organisation) items(in *jiratest.Instance, c change, now values, keys *[]string) []jiratest.Item {
	switch c.field {
	case fieldAssignee:
		return []jiratest.Item{in.AssigneeItem(o.jiraName(c.from), o.jiraName(c.to))}
	case fieldQueue:
		k := *keys
		*keys = k[1:]
		return in.MoveItems(o.Queues[c.from].ID, o.Queues[c.to].ID, k[0], k[1])
	case fieldArea:
		var items []jiratest.Item
		if c.from != none {
			items = append(items, in.ComponentItem(o.Areas[c.from].ID, ""))
		}
		if c.to != none {
			items = append(items, in.ComponentItem("", o.Areas[c.to].ID))
		}
		return items
	case fieldPhase:
		items := []jiratest.Item{in.StatusItem(now.kind.status(Phase(c.from)), now.kind.status(Phase(c.to)))}
		return append(items, resolution(Phase(c.from), Phase(c.to))...)
	case fieldKind:
		return []jiratest.Item{in.TypeItem(Type(c.from).issueType(), Type(c.to).issueType())}
	case fieldPriority:
		return []jiratest.Item{in.PriorityItem(strconv.Itoa(int(c.from)), strconv.Itoa(int(c.to)))}
	default:
		return []jiratest.Item{jiratest.PointsItem(points(uint8(c.from)), points(uint8(c.to)))}
	}
}

// resolution is what Jira's workflows set and clear beside the status.
func resolution(from, to Phase) []jiratest.Item {
	id, name := "10000", "Done"
	if to == Cancelled {
		id, name = "10001", "Won't Do"
	}
	item := jiratest.Item{Field: "resolution", FieldID: "resolution", FieldType: "jira"}
	switch {
	case to.Done() && !from.Done():
		item.To, item.ToString = &id, &name
	case from.Done() && !to.Done():
		item.From, item.FromString = &id, &name
	default:
		return nil
	}
	return []jiratest.Item{item}
}

func (o *Organisation) jiraName(index int32) string {
	if index == none {
		return ""
	}
	return o.People[index].JiraName
}

func points(halves uint8) *float64 {
	if halves == 0 {
		return nil
	}
	return new(float64(halves) / 2)
}

// Jira is a new site filled with the organisation, whose clock starts at the
// end of the year and runs on from there.
func (o *Organisation) Jira(opts jiratest.Options) (*jiratest.Instance, error) {
	if opts.Clock == nil {
		opts.Clock = o.clock()
	}
	in := jiratest.New(opts)
	if err := o.LoadJira(in); err != nil {
		return nil, err
	}
	return in, nil
}

// Account is the person's account in a system as its connector names it: the
// sys_id, the Cloud account id, or the Data Center user key in lower case, since
// histories do not agree on its case; "" is none.
func (p *Person) Account(s System, flavour jiratest.Flavour) string {
	switch {
	case s == ServiceNow:
		return p.ServiceNowID
	case flavour == jiratest.DataCenter:
		return strings.ToLower(p.JiraKey)
	default:
		return p.JiraAccountID
	}
}
