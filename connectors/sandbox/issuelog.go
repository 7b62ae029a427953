package sandbox

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"fairlead/connectors/jira/jiratest"
)

// IssueLogSummary says what an issue log held.
type IssueLogSummary struct {
	Issues          int
	Histories       int // changelog entries
	AssigneeChanges int
	Comments        int
	Users           int
	LastChange      time.Time // the latest update or changelog entry
}

// LoadIssueLog reads issues of a Jira Server, one JSON document of REST API v2
// a line with the changelog expanded, plain or gzip, and fills inst with them:
// fields and histories as they are, whatever inst's flavour. A status or user
// that only histories name is gone from the site, as it would be in Jira.
//
// An error names the line; inst may then hold a part of the log.
func LoadIssueLog(r io.Reader, inst *jiratest.Instance) (IssueLogSummary, error) {
	issues, err := readIssueLog(r)
	if err != nil {
		return IssueLogSummary{}, fmt.Errorf("reading issue log: %w", err)
	}
	l := issueLog{inst: inst, seen: map[string]string{}}
	for _, i := range issues {
		if err := l.load(i); err != nil {
			return IssueLogSummary{}, fmt.Errorf("loading issue log: line %d: %w", i.line, err)
		}
	}
	return l.sum, nil
}

// readIssueLog reads and checks the whole log.
func readIssueLog(r io.Reader) ([]*logIssue, error) {
	lines, err := unpackedIssueLog(r)
	if err != nil {
		return nil, err
	}
	var issues []*logIssue
	lineOf := map[string]int{}
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return nil, fmt.Errorf("line %d: %w; the file is damaged, fetch it again", n, err)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			i, err := decodeIssue(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w; correct or remove the line, or fetch the file again", n, err)
			}
			if earlier, ok := lineOf[i.ID]; ok {
				return nil, fmt.Errorf("line %d: issue %s stands on line %d already; remove one of them", n, i.ID, earlier)
			}
			lineOf[i.ID], i.line = n, n
			issues = append(issues, i)
		}
		if last {
			break
		}
	}
	if len(issues) == 0 {
		return nil, errors.New("no issue in it; give a file of one JSON document a line")
	}
	return issues, nil
}

// unpackedIssueLog unpacks gzip, which it knows by its first two bytes.
func unpackedIssueLog(r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	if magic, err := in.Peek(2); err != nil || !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return in, nil
	}
	unpacked, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w; the file is damaged, fetch it again", err)
	}
	return bufio.NewReaderSize(unpacked, 1<<16), nil
}

// issueLog fills an instance.
type issueLog struct {
	inst *jiratest.Instance
	sum  IssueLogSummary
	seen map[string]string // catalogue entries as they were added last
}

type (
	logIssue struct {
		ID        string                     `json:"id"`
		Key       string                     `json:"key"`
		Fields    map[string]json.RawMessage `json:"fields"`
		Changelog *struct {
			Total     int          `json:"total"`
			Histories []logHistory `json:"histories"`
		} `json:"changelog"`

		line   int
		parsed *logFields
	}
	logHistory struct {
		ID      string   `json:"id"`
		Author  *logUser `json:"author"`
		Created logTime  `json:"created"`
		Items   []struct {
			Field      string  `json:"field"`
			FieldType  string  `json:"fieldtype"`
			From       *string `json:"from"`
			FromString *string `json:"fromString"`
			To         *string `json:"to"`
			ToString   *string `json:"toString"`
		} `json:"items"`
	}
	logUser struct {
		Name         string `json:"name"`
		Key          string `json:"key"`
		DisplayName  string `json:"displayName"`
		EmailAddress string `json:"emailAddress"`
		Active       bool   `json:"active"`
	}
	logNamed struct {
		ID             string `json:"id"`
		Key            string `json:"key"`
		Name           string `json:"name"`
		Subtask        bool   `json:"subtask"`
		StatusCategory struct {
			Key string `json:"key"`
		} `json:"statusCategory"`
	}
	logComments struct {
		Total    int `json:"total"`
		Comments []struct {
			ID      string   `json:"id"`
			Author  *logUser `json:"author"`
			Created logTime  `json:"created"`
		} `json:"comments"`
	}
	logTime struct{ time.Time }
)

// UnmarshalJSON reads the form in which Jira writes times.
func (t *logTime) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return errors.New("a time is not a string")
	}
	parsed, err := time.Parse("2006-01-02T15:04:05.000Z0700", s)
	if err != nil {
		return errors.New("a time is not of the form 2008-10-21T11:58:01.307+0000")
	}
	t.Time = parsed.UTC()
	return nil
}

// logFields are the fields that the instance has a place for; the others are
// kept as they are.
type logFields struct {
	project, status, kind       logNamed
	priority, parent            *logNamed
	assignee, reporter, creator *logUser
	components                  []logNamed
	created, updated            logTime
	comment                     logComments
	extra                       map[string][]byte
}

// decodeIssue reads and checks one line.
func decodeIssue(line []byte) (*logIssue, error) {
	var raw logIssue
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, fmt.Errorf("decoding issue: %w", withoutText(err))
	}
	f, err := logFieldsOf(raw)
	if err != nil {
		return nil, err
	}
	raw.parsed = f
	if raw.Changelog == nil || raw.Changelog.Total > len(raw.Changelog.Histories) {
		return nil, fmt.Errorf("issue %s: its changelog is missing or cut", raw.ID)
	}
	if f.comment.Total > len(f.comment.Comments) {
		return nil, fmt.Errorf("issue %s: its comments are cut", raw.ID)
	}
	return &raw, nil
}

func (l *issueLog) load(raw *logIssue) error {
	f := raw.parsed
	if err := l.catalogue(f); err != nil {
		return err
	}
	issue := jiratest.Issue{
		ID: raw.ID, Key: raw.Key, Project: f.project.ID, Type: f.kind.ID, Status: f.status.ID,
		Created: f.created.Time, Updated: f.updated.Time, Extra: f.extra,
	}
	if f.priority != nil {
		issue.Priority = f.priority.ID
	}
	if f.parent != nil {
		issue.Parent = f.parent.ID
	}
	for _, c := range f.components {
		issue.Components = append(issue.Components, c.ID)
	}
	for _, person := range []struct {
		user *logUser
		into *string
	}{{f.assignee, &issue.Assignee}, {f.reporter, &issue.Reporter}, {f.creator, &issue.Creator}} {
		name, err := l.user(person.user)
		if err != nil {
			return err
		}
		*person.into = name
	}
	if err := l.histories(raw, &issue); err != nil {
		return err
	}
	for _, c := range f.comment.Comments {
		author, err := l.user(c.Author)
		if err != nil {
			return err
		}
		issue.Comments = append(issue.Comments, jiratest.Comment{ID: c.ID, Author: author, Created: c.Created.Time})
		l.sum.Comments++
	}
	if _, err := l.inst.AddIssue(issue); err != nil {
		return err
	}
	l.sum.Issues++
	l.changed(issue.Updated)
	return nil
}

// withoutText drops what an encoding error quotes of the line.
func withoutText(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not JSON after %d bytes", syntax.Offset)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%s is a %s", kind.Field, kind.Value)
	}
	return err
}

func logFieldsOf(raw logIssue) (*logFields, error) {
	f := &logFields{extra: map[string][]byte{}}
	into := map[string]any{
		"project": &f.project, "status": &f.status, "issuetype": &f.kind, "priority": &f.priority, "parent": &f.parent,
		"assignee": &f.assignee, "reporter": &f.reporter, "creator": &f.creator, "components": &f.components,
		"created": &f.created, "updated": &f.updated, "comment": &f.comment,
	}
	for name, value := range raw.Fields {
		target, ok := into[name]
		if !ok {
			f.extra[name] = value
			continue
		}
		if err := json.Unmarshal(value, target); err != nil {
			return nil, fmt.Errorf("decoding field %s of issue %s: %w", name, raw.ID, withoutText(err))
		}
	}
	for name, missing := range map[string]bool{
		"id": raw.ID == "", "key": raw.Key == "", "project": f.project.ID == "", "status": f.status.ID == "",
		"issuetype": f.kind.ID == "", "created": f.created.IsZero(), "updated": f.updated.IsZero(),
	} {
		if missing {
			return nil, fmt.Errorf("not an issue: no %s", name)
		}
	}
	return f, nil
}

// catalogue adds what an issue names to the instance.
func (l *issueLog) catalogue(f *logFields) error {
	entries := []logEntry{
		{"project " + f.project.ID, f.project.Key, func() error {
			return l.inst.AddProject(jiratest.Project{ID: f.project.ID, Key: f.project.Key, Name: f.project.Name})
		}},
		{"status " + f.status.ID, f.status.Name, func() error {
			return l.inst.AddStatus(jiratest.Status{ID: f.status.ID, Name: f.status.Name, Category: jiratest.Category(f.status.StatusCategory.Key)})
		}},
		{"type " + f.kind.ID, f.kind.Name, func() error {
			return l.inst.AddIssueType(jiratest.IssueType{ID: f.kind.ID, Name: f.kind.Name, Subtask: f.kind.Subtask})
		}},
	}
	if p := f.priority; p != nil {
		entries = append(entries, logEntry{"priority " + p.ID, p.Name, func() error {
			return l.inst.AddPriority(jiratest.Priority{ID: p.ID, Name: p.Name})
		}})
	}
	for _, c := range f.components {
		entries = append(entries, logEntry{"component " + c.ID, c.Name, func() error {
			return l.inst.AddComponent(jiratest.Component{ID: c.ID, Name: c.Name, Project: f.project.ID})
		}})
	}
	for _, e := range entries {
		if err := l.once(e); err != nil {
			return err
		}
	}
	return nil
}

// logEntry is something of the catalogue, and how to add it.
type logEntry struct {
	id, content string
	add         func() error
}

// once adds an entry unless it was added with the same content.
func (l *issueLog) once(e logEntry) error {
	if old, ok := l.seen[e.id]; ok && old == e.content {
		return nil
	}
	l.seen[e.id] = e.content
	return e.add()
}

// user adds a user and returns the name; "" is nobody.
func (l *issueLog) user(u *logUser) (string, error) {
	if u == nil || u.Name == "" {
		return "", nil
	}
	id := "user " + strings.ToLower(u.Name)
	if _, ok := l.seen[id]; !ok {
		l.sum.Users++
	}
	content := strings.Join([]string{u.Name, u.Key, u.DisplayName, u.EmailAddress, strconv.FormatBool(u.Active)}, "\x00")
	return u.Name, l.once(logEntry{id, content, func() error {
		return l.inst.AddUser(jiratest.User{
			Name: u.Name, Key: u.Key, DisplayName: u.DisplayName, Email: u.EmailAddress, Inactive: !u.Active,
		})
	}})
}

// histories copies the changelog. The log has no custom fields, so the story
// points are what the last change of them says.
func (l *issueLog) histories(raw *logIssue, issue *jiratest.Issue) error {
	var pointsAt time.Time
	for _, h := range raw.Changelog.Histories {
		author, err := l.user(h.Author)
		if err != nil {
			return err
		}
		history := jiratest.History{ID: h.ID, Author: author, Created: h.Created.Time}
		for _, item := range h.Items {
			history.Items = append(history.Items, jiratest.Item{
				Field: item.Field, FieldType: item.FieldType,
				From: item.From, FromString: item.FromString, To: item.To, ToString: item.ToString,
			})
			switch {
			case item.Field == "assignee":
				l.sum.AssigneeChanges++
			case strings.EqualFold(item.Field, jiratest.PointsName) && !h.Created.Before(pointsAt):
				pointsAt, issue.Points = h.Created.Time, storyPoints(item.ToString)
			}
		}
		issue.Histories = append(issue.Histories, history)
		l.sum.Histories++
		l.changed(h.Created.Time)
	}
	return nil
}

func storyPoints(text *string) *float64 {
	if text == nil {
		return nil
	}
	f, err := strconv.ParseFloat(*text, 64)
	if err != nil {
		return nil
	}
	return &f
}

func (l *issueLog) changed(at time.Time) {
	if at.After(l.sum.LastChange) {
		l.sum.LastChange = at
	}
}
