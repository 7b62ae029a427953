package jira_test

import (
	"testing"
	"time"

	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/ticket"
)

// TestEveryFieldThatIsEditedIsRead: an edit of any field that matters comes as a
// change from what was to what is, and one that leaves no entry, as a plugin's or an
// import's, as the present value alone.
func TestEveryFieldThatIsEditedIsRead(t *testing.T) {
	three := 3.0
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		t.Run(string(flavour), func(t *testing.T) {
			o := jiratest.Options{Flavour: flavour, Token: testToken}
			if flavour == jiratest.Cloud {
				o.Email = testEmail
			}
			site := newSite(t, o)
			must(t, site.AddPriority(jiratest.Priority{ID: "1", Name: "High"}))
			begun := serverNow.Add(-90 * time.Hour)
			epic, id := add(t, site, begun), add(t, site, begun)
			edit := func(hours int, e jiratest.Edit) {
				must(t, site.Edit(id, "ann", begun.Add(time.Duration(hours)*time.Hour), e))
			}
			edit(1, jiratest.SetPriority("1"))
			edit(2, jiratest.SetType("11"))
			edit(3, jiratest.SetPoints(&three))
			edit(4, jiratest.SetParent(epic))
			edit(5, jiratest.SetComponents("100", "101"))
			edit(6, jiratest.SetComponents("101"))
			edit(7, jiratest.Unrecorded(jiratest.Assign("bob")))
			page, err := connect(t, site, flavour, nil).ByID(t.Context(), []string{id})
			must(t, err)
			if len(page.Tickets) != 1 {
				t.Fatalf("%d tickets came", len(page.Tickets))
			}
			tk := page.Tickets[0]
			if tk.Priority != "1" || tk.Kind != "11" || tk.Parent != epic || tk.Effort == nil || *tk.Effort != 3 || len(tk.Areas) != 1 || tk.Assignee == "" {
				t.Errorf("it is %+v", tk)
			}
			last := map[ticket.Field]ticket.Change{}
			for _, c := range tk.Changes {
				last[c.Field] = c
			}
			for field, to := range map[ticket.Field]string{
				ticket.FieldPriority: "1", ticket.FieldKind: "11", ticket.FieldEffort: "3", ticket.FieldParent: epic,
			} {
				if c, ok := last[field]; !ok || c.To != to || c.Actor == "" || !c.At.After(begun) {
					t.Errorf("the last change of %s is %+v, want one to %q", field, c, to)
				}
			}
			if last[ticket.FieldArea].At != begun.Add(6*time.Hour) {
				t.Errorf("the last change of areas is %+v", last[ticket.FieldArea])
			}
			if c, ok := last[ticket.FieldAssignee]; ok {
				t.Errorf("nothing is recorded of the assignee, and there is %+v", c)
			}
		})
	}
}
