package clickhouse_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
)

func TestReports(t *testing.T) {
	ctx := context.Background()
	db := clickhousetest.New(t)
	if list, err := db.Reports(ctx); err != nil || len(list) != 0 {
		t.Fatalf("an empty archive lists %v, %v", list, err)
	}
	made := time.Date(2026, 10, 4, 1, 2, 3, int(4*time.Millisecond), time.UTC)
	first := clickhouse.StoredReport{ID: "2026Q3-a", Quarter: "2026Q3", Made: made, Fairlead: "v1", Method: "m", History: "h", Roster: "r", Document: `{"a": "it's \\ \u2028 <script>"}`}
	for _, r := range []clickhouse.StoredReport{
		first,
		{ID: "2026Q2-a", Quarter: "2026Q2", Made: made.Add(time.Hour), Document: "{}"},
		{ID: "2026Q3-b", Quarter: "2026Q3", Made: made.Add(time.Minute), Document: "{}"},
		first, // again
	} {
		if err := db.SaveReport(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	list, err := db.Reports(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var ids string
	for _, r := range list {
		ids += r.ID + " "
		if r.Document != "" {
			t.Error("the list has documents")
		}
	}
	if ids != "2026Q3-b 2026Q3-a 2026Q2-a " {
		t.Errorf("the list is %s", ids)
	}
	if got, err := db.Report(ctx, first.ID); err != nil || got != first {
		t.Errorf("%+v, %v; want %+v", got, err, first)
	}
	if _, err := db.Report(ctx, "2026Q3-c' OR 1=1"); !errors.Is(err, clickhouse.ErrNoReport) {
		t.Errorf("of one that is not there: %v", err)
	}
	for _, bad := range []clickhouse.StoredReport{{}, {ID: "a", Quarter: "2026Q3", Document: "{}"}, {ID: "a", Quarter: "2026Q3", Made: made}} {
		if err := db.SaveReport(ctx, bad); err == nil {
			t.Errorf("%+v is stored", bad)
		}
	}
}
