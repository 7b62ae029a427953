package analysis

import (
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

var testKey = []byte("a key for tests, of enough bytes")

// engine is one over a warehouse, with a clock that stands still, and with few
// draws of each lottery: how well these draw is for package distribution to test.
func engine(db *clickhouse.DB) *Engine {
	e := fullEngine(db)
	e.draws = 399
	return e
}

// fullEngine draws as often as is published.
func fullEngine(db *clickhouse.DB) *Engine {
	return New(db, Options{Key: testKey, Clock: func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }})
}
