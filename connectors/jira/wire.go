package jira

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The wire types hold what is collected and nothing else: decoding drops the
// texts of comments and worklogs, which the API cannot leave out.

// searchAnswer is a page of a search: Cloud has tokens, Data Center offsets. Total
// is nil where a server does not tell.
type searchAnswer struct {
	Issues        []wireIssue `json:"issues"`
	NextPageToken string      `json:"nextPageToken"`
	IsLast        bool        `json:"isLast"`
	StartAt       int         `json:"startAt"`
	Total         *int        `json:"total"`
}

type wireIssue struct {
	ID        string                     `json:"id"`
	Key       string                     `json:"key"`
	Fields    map[string]json.RawMessage `json:"fields"`
	Changelog *wireChangelog             `json:"changelog"`

	at *time.Time // what updated returns, once it was asked
}

type wireChangelog struct {
	extent
	Histories []wireHistory `json:"histories"`
}

func (c *wireChangelog) cut() bool { return c == nil || c.beyond(len(c.Histories)) }

// extent is what a list says of itself. A server may leave either out.
type extent struct {
	Total      *int `json:"total"`
	MaxResults int  `json:"maxResults"`
}

// beyond says whether a list may have more elements than the n that came: by its
// total, else by whether they are as many as come at once.
func (e extent) beyond(n int) bool {
	if total := told(e.Total); total != nil {
		return *total > n
	}
	return n >= cmp.Or(max(e.MaxResults, 0), leastEmbedded)
}

// told is a total, nil where a server that does not count writes a negative one.
func told(total *int) *int {
	if total != nil && *total < 0 {
		return nil
	}
	return total
}

// leastEmbedded is the fewest elements at which any Jira cuts an embedded list: 20,
// of Cloud's comments and worklogs. One of a server that says nothing of its lists
// may be cut from there on.
const leastEmbedded = 20

// wireHistory is one update. Author is nil where Jira does not know it.
type wireHistory struct {
	ID      string     `json:"id"`
	Author  *wireUser  `json:"author"`
	Created stamp      `json:"created"`
	Items   []wireItem `json:"items"`
}

// wireItem is one change of one field. FieldID is Cloud's. Atlassian's
// specification forbids null in From and FromString, but it occurs wherever a
// field was empty.
type wireItem struct {
	Field      string  `json:"field"`
	FieldID    string  `json:"fieldId"`
	FieldType  string  `json:"fieldtype"`
	From       *string `json:"from"`
	FromString *string `json:"fromString"`
	To         *string `json:"to"`
	ToString   *string `json:"toString"`
}

type wireUser struct {
	AccountID    string `json:"accountId"`   // Cloud
	AccountType  string `json:"accountType"` // Cloud
	Key          string `json:"key"`         // Data Center; servers before 6.0 have none
	Name         string `json:"name"`        // Data Center
	DisplayName  string `json:"displayName"`
	EmailAddress string `json:"emailAddress"`
	Active       bool   `json:"active"`
	TimeZone     string `json:"timeZone"`
}

// email is the address; "" where it is hidden, or masked as Data Center can be told
// to: "ann at example dot org".
func (u *wireUser) email() string {
	if !strings.Contains(u.EmailAddress, "@") {
		return ""
	}
	return u.EmailAddress
}

type wireNamed struct {
	ID   string `json:"id"`
	Key  string `json:"key"`
	Name string `json:"name"`
}

type wireStatus struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	StatusCategory struct {
		Key string `json:"key"`
	} `json:"statusCategory"`
}

type wireType struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Subtask bool   `json:"subtask"`
}

type wireField struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Custom bool   `json:"custom"`
	Schema struct {
		Type   string `json:"type"`
		Custom string `json:"custom"`
	} `json:"schema"`
}

// wireEntry is a comment or a worklog without its text.
type wireEntry struct {
	ID      string    `json:"id"`
	Author  *wireUser `json:"author"`
	Created stamp     `json:"created"`
	Started stamp     `json:"started"` // worklogs
}

// entryList is a list of comments or worklogs inside an issue, or a page of
// one. Total tells whether it was cut.
type entryList struct {
	extent
	Comments []wireEntry `json:"comments"`
	Worklogs []wireEntry `json:"worklogs"`

	unreadable bool // so it is fetched by itself
}

// UnmarshalJSON also takes a plain array, as the examples in Atlassian's
// specification have it.
func (l *entryList) UnmarshalJSON(raw []byte) error {
	if raw = bytes.TrimSpace(raw); len(raw) > 0 && raw[0] == '[' {
		*l = entryList{}
		return json.Unmarshal(raw, &l.Comments)
	}
	type plain entryList
	return json.Unmarshal(raw, (*plain)(l))
}

func (l *entryList) entries() []wireEntry {
	if l == nil {
		return nil
	}
	if l.Worklogs != nil {
		return l.Worklogs
	}
	return l.Comments
}

func (l *entryList) cut() bool { return l != nil && (l.unreadable || l.beyond(len(l.entries()))) }

// listOf is an answer that is a list. One that stands alone is taken for a list of
// one, as Data Center's description has it, and what holds a list for the list.
type listOf[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *listOf[T]) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '{' {
		return json.Unmarshal(raw, (*[]T)(l))
	}
	var held struct {
		Values []T `json:"values"`
	}
	if json.Unmarshal(raw, &held) == nil && held.Values != nil {
		*l = held.Values
		return nil
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*l = listOf[T]{one}
	return nil
}

// bulkChangelogAnswer is a page of the changelogs of several issues. An issue
// may come on several pages.
type bulkChangelogAnswer struct {
	IssueChangeLogs []struct {
		IssueID         string        `json:"issueId"`
		ChangeHistories []wireHistory `json:"changeHistories"`
	} `json:"issueChangeLogs"`
	NextPageToken string `json:"nextPageToken"`
}

// stamp is a time as Jira writes it, to the millisecond in UTC.
type stamp struct{ time.Time }

// UnmarshalJSON takes the strings that parseTime reads, numbers (seconds or
// milliseconds since 1970, as Cloud's bulk changelogs have them) and null.
func (s *stamp) UnmarshalJSON(raw []byte) error {
	if bytes.Equal(raw, []byte("null")) {
		*s = stamp{}
		return nil
	}
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		if text == "" {
			*s = stamp{}
			return nil
		}
		t, err := parseTime(text)
		*s = stamp{t}
		return err
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return fmt.Errorf("reading time: not a string or whole number")
	}
	// 1e11 is 1973 in milliseconds and the year 5138 in seconds.
	if n < 1e11 && n > -1e11 {
		n *= 1000
	}
	*s = stamp{time.UnixMilli(n).UTC()}
	return nil
}

// parseTime reads a time of Jira's: ISO 8601 with any number of decimals, and
// with Z or an offset with or without a colon.
func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(time.Millisecond), nil
		}
	}
	return time.Time{}, fmt.Errorf("reading time: not an ISO 8601 date and time with an offset")
}
