package asana

import (
	"encoding/json"
	"errors"
	"time"
)

// The wire types hold what is collected and nothing else: neither the name of a
// task nor the text of a story is asked for.

// ref is an object within another. Name is that of a person, a section, an
// option or a custom field, never of a task.
type ref struct {
	GID  string `json:"gid"`
	Name string `json:"name"`
}

func (r *ref) gid() string {
	if r == nil {
		return ""
	}
	return r.GID
}

type wireTask struct {
	GID         string       `json:"gid"`
	Subtype     string       `json:"resource_subtype"`
	Created     stamp        `json:"created_at"`
	Modified    stamp        `json:"modified_at"`
	Completed   bool         `json:"completed"`
	CompletedAt stamp        `json:"completed_at"`
	CompletedBy *ref         `json:"completed_by"`
	Assignee    *ref         `json:"assignee"`
	Memberships []membership `json:"memberships"`
	Parent      *ref         `json:"parent"`
	NumSubtasks int          `json:"num_subtasks"`
	Fields      []wireField  `json:"custom_fields"`
}

type membership struct {
	Project *ref `json:"project"`
	Section *ref `json:"section"`
}

type wireField struct {
	GID    string   `json:"gid"`
	Name   string   `json:"name"`
	Enum   *ref     `json:"enum_value"`
	Number *float64 `json:"number_value"`
}

// taskFields are what is asked for of a task ("Input/output options").
var taskFields = []string{
	"resource_subtype", "created_at", "modified_at", "completed", "completed_at", "completed_by.name", "assignee.name",
	"memberships.project", "memberships.section.name", "parent", "num_subtasks",
	"custom_fields.name", "custom_fields.enum_value.name", "custom_fields.number_value",
}

// wireStory is one entry of a task's history; which fields it has depends on
// resource_subtype ("Stories").
type wireStory struct {
	GID        string   `json:"gid"`
	At         stamp    `json:"created_at"`
	By         *ref     `json:"created_by"`
	Subtype    string   `json:"resource_subtype"`
	Assignee   *ref     `json:"assignee"`
	Project    *ref     `json:"project"`
	OldSection *ref     `json:"old_section"`
	NewSection *ref     `json:"new_section"`
	Task       *ref     `json:"task"`
	Field      *ref     `json:"custom_field"`
	OldEnum    *ref     `json:"old_enum_value"`
	NewEnum    *ref     `json:"new_enum_value"`
	OldNumber  *float64 `json:"old_number_value"`
	NewNumber  *float64 `json:"new_number_value"`
	OldType    string   `json:"old_resource_subtype"`
	NewType    string   `json:"new_resource_subtype"`
}

var storyFields = []string{
	"created_at", "created_by.name", "resource_subtype", "assignee.name", "project", "old_section.name", "new_section.name", "task",
	"custom_field.name", "old_enum_value.name", "new_enum_value.name", "old_number_value", "new_number_value",
	"old_resource_subtype", "new_resource_subtype",
}

// stamp is a time as Asana writes it, to the millisecond in UTC.
type stamp struct{ time.Time }

// UnmarshalJSON takes an ISO 8601 string, or null.
func (s *stamp) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return errors.New("reading time: not a string")
	}
	*s = stamp{}
	if text == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return errors.New("reading time: not an ISO 8601 date and time with an offset")
	}
	s.Time = t.UTC().Truncate(time.Millisecond)
	return nil
}
