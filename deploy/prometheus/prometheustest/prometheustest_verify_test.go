//go:build verify

package prometheustest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A Prometheus answers from history alone, and says what it cannot evaluate.
func TestVerifyHistoryIsQueried(t *testing.T) {
	at := time.Now().Add(-40 * 24 * time.Hour).Truncate(time.Second).UTC()
	file := filepath.Join(t.TempDir(), "h.om")
	text := fmt.Sprintf("# TYPE x gauge\nx{a=\"1\"} 5 %d\n# EOF\n", at.Unix())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Start(t, Options{History: []string{file}})
	list, err := p.Query(t.Context(), `x{a="1"} * 2`, at.Add(time.Minute))
	if err != nil || len(list) != 1 || list[0].Values[0].Float() != 10 {
		t.Errorf("%v, %v", list, err)
	}
	list, err = p.QueryRange(t.Context(), "last_over_time(x[1d])", at, at.Add(24*time.Hour), time.Hour)
	if err != nil || len(list) != 1 || len(list[0].Values) < 24 || list[0].Labels["a"] != "1" {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := p.Query(t.Context(), "x +", at); err == nil {
		t.Error("nonsense is evaluated")
	}
}
