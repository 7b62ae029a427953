package privacy

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/people"
	"fairlead/analysis/web"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/roster"
)

// knows is an engine that knows one person.
type knows struct{ who analysis.Identity }

func (k knows) Identities(context.Context, string) ([]analysis.Identity, error) {
	return []analysis.Identity{k.who}, nil
}

// broken is a warehouse whose erasure is cut short.
type broken struct{ Warehouse }

func (broken) Forget(context.Context, []roster.AccountRef, []string) (clickhouse.Forgotten, error) {
	return clickhouse.Forgotten{}, errors.New("the server went away")
}

func (broken) WouldForget(context.Context, []roster.AccountRef, []string) (clickhouse.Forgotten, error) {
	return clickhouse.Forgotten{}, nil
}

// TestNothingIsShownOfWhoIsErased: neither until the next analysis nor where there
// comes none, and by no pseudonym; a dry run leaves all as it is.
func TestNothingIsShownOfWhoIsErased(t *testing.T) {
	var shown analysis.Published
	shown.Store(&analysis.Snapshot{Overload: []analysis.EngineerOverload{{Pseudonym: "amber-otter"}, {Pseudonym: "old-otter"}, {Pseudonym: "blue-heron"}}})
	f := Forgetter{
		Engine:    knows{analysis.Identity{Engineer: people.Engineer{Pseudonym: "amber-otter", Aliases: []string{"old-otter"}}}},
		Warehouse: broken{}, Journal: web.NewJournal(filepath.Join(t.TempDir(), "access.log")), Shown: &shown, Now: time.Now,
	}
	if _, err := f.Forget(t.Context(), "amber-otter", "root", true); err != nil || len(shown.Load().Overload) != 3 {
		t.Errorf("after a dry run %d are shown: %v", len(shown.Load().Overload), err)
	}
	if _, err := f.Forget(t.Context(), "amber-otter", "root", false); err == nil {
		t.Error("an erasure that was cut short is told as done")
	}
	if list := shown.Load().Overload; len(list) != 1 || list[0].Pseudonym != "blue-heron" {
		t.Errorf("shown are %+v", list)
	}
}
