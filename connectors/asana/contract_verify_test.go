//go:build verify

package asana_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/rest"
	"fairlead/connectors/source/contracttest"
)

// description is Asana's own of its API. With mended, what it says and Asana does
// not do is corrected, for answers that are not made from it.
func description(t *testing.T, mended bool) *openapi3.T {
	t.Helper()
	doc := contracttest.Description(t, "asana.yaml.gz")
	if mended {
		contracttest.Mend(doc, mend)
		// It has the 402 in its words only: "a search request using credentials of
		// a non-premium user will result in a 402 Payment Required error".
		answers := doc.Paths.Value("/workspaces/{workspace_gid}/tasks/search").Get.Responses
		answers.Set("402", answers.Value("403"))
	}
	return doc
}

// mend corrects what the description says and Asana's own documentation and
// examples do otherwise.
//
//   - What is not set is null: an assignee, a parent, a section, the author of a
//     story that the system wrote, the value of a custom field.
//   - A number of a custom field may have decimals ("Custom fields", precision);
//     the description of stories takes it for a whole one.
func mend(s *openapi3.Schema) {
	for name, p := range s.Properties {
		switch name {
		case "assignee", "parent", "completed_by", "completed_at", "created_by", "user", "team", "section",
			"enum_value", "number_value", "old_enum_value", "new_enum_value", "old_number_value", "new_number_value":
			if p.Value == nil {
				continue
			}
			loose := *p.Value
			loose.Nullable = true
			loose.AllOf = slices.Clone(loose.AllOf)
			for i, part := range loose.AllOf {
				if part.Value != nil {
					inner := *part.Value
					inner.Nullable = true
					loose.AllOf[i] = &openapi3.SchemaRef{Value: &inner}
				}
			}
			if strings.HasSuffix(name, "_number_value") {
				loose.Type = &openapi3.Types{"number"}
			}
			s.Properties[name] = &openapi3.SchemaRef{Value: &loose}
		}
	}
}

// Everything that the connector asks, and everything that the fake answers, is
// as Asana describes it; inside a batch, too.
func TestVerifyContract(t *testing.T) {
	for name, free := range map[string]bool{"batches and search": false, "neither": true} {
		t.Run(name, func(t *testing.T) {
			held := contracttest.Hold(t, description(t, true), asanatest.Prefix, true)
			f := newOffice(t, asanatest.Options{NoBatch: free, Free: free})
			half := 2.5
			var gids []string
			for i := range 130 {
				gid := f.create("", asanatest.AddTo(f.migration, ""), asanatest.Assign(f.ann), asanatest.SetEnum(f.kind, "Bug"))
				f.edit(gid, f.bob, asanatest.Assign(f.bob), asanatest.SetEnum(f.phase, "In progress"), asanatest.SetNumber(f.points, &half))
				f.edit(gid, f.bob, asanatest.MoveTo(f.doing), asanatest.AddTo(f.help, ""), asanatest.Comment("Done."))
				if i%3 == 0 {
					f.edit(gid, f.bob, asanatest.Complete(true), asanatest.RemoveFrom(f.help), asanatest.Assign(""))
				}
				if i%10 == 0 {
					f.create(gid, asanatest.Assign(f.gone))
				}
				gids = append(gids, gid)
			}
			for range 60 { // more stories than a page has
				f.edit(gids[0], f.ann, asanatest.Assign(f.bob))
				f.edit(gids[0], f.bob, asanatest.Assign(f.ann))
			}
			f.wait(time.Hour)
			src := f.connect(func(c *asana.Config) {
				c.StatusField, c.KindField, c.Sections, c.Teams = "Phase", "Type", asana.SectionsAreas, []string{f.platform}
			}, rest.New("contract", rest.Config{}, held, nil, nil))
			if report, err := src.Check(t.Context()); err != nil {
				t.Error(err)
			} else {
				for _, fact := range report.Facts {
					t.Log(fact.Level, fact.What+":", fact.Says)
				}
			}
			c := collect(t, src)
			if len(c.tickets) != 143 {
				t.Errorf("%d tickets came, want 143", len(c.tickets))
			}
			f.wait(10 * time.Minute)
			f.edit(gids[4], f.ann, asanatest.Comment("More."))
			c.poll()
			if _, err := src.ByID(t.Context(), append(gids[:20:20], "99")); err != nil {
				t.Error(err)
			}
			for _, err := range src.IDs(t.Context()) {
				if err != nil {
					t.Error(err)
				}
			}
			if _, err := src.Discover(t.Context()); err != nil {
				t.Error(err)
			}
			held.Report(t)
		})
	}
}
