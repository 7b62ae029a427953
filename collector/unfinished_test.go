package collector_test

import (
	"context"
	"slices"
	"testing"

	"fairlead/collector"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/source"
)

type checkpoints map[string]map[string]clickhouse.Checkpoint

func (p checkpoints) Checkpoints(_ context.Context, name string) (map[string]clickhouse.Checkpoint, error) {
	return p[name], nil
}

// TestUnfinished: a first collection is complete when all its streams are, as they
// were read from the present start.
func TestUnfinished(t *testing.T) {
	const first, again = `{"start":"2026-01-01T00:00:00Z"}`, `{"start":"2026-05-01T00:00:00Z"}`
	of := func(incremental, backfill string, done int) map[string]clickhouse.Checkpoint {
		m := map[string]clickhouse.Checkpoint{string(source.StreamIncremental): {Cursor: incremental}}
		for i, stream := range source.Backfill {
			m[string(stream)] = clickhouse.Checkpoint{Cursor: backfill, Done: i < done}
		}
		return m
	}
	stored := checkpoints{"whole": of(first, first, 3), "older": of(first, first, 2), "begun anew": of(again, first, 3)}
	got, err := collector.Unfinished(t.Context(), stored, []string{"begun anew", "never begun", "older", "whole"})
	if want := []string{"begun anew", "never begun", "older"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("unfinished are %q, %v, want %q", got, err, want)
	}
	stored["whole"][string(source.StreamOpen)] = clickhouse.Checkpoint{Cursor: "{"}
	if _, err := collector.Unfinished(t.Context(), stored, []string{"whole"}); err == nil {
		t.Error("a checkpoint that cannot be read is none")
	}
}
