package embedded

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCgroupLimit(t *testing.T) {
	root := t.TempDir()
	for path, content := range map[string]string{
		"memory.max":                      "max\n",
		"system.slice/memory.max":         "2147483648\n",
		"system.slice/x.service/none":     "",
		"system.slice/y.scope/memory.max": "1073741824\n",
		"self":                            "12:cpu:/other\n0::/system.slice/x.service\n",
		"self.y":                          "0::/system.slice/y.scope\n",
		"self.root":                       "0::/\n",
		"self.v1":                         "4:memory:/x\n",
	} {
		file := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for self, want := range map[string]uint64{
		"self":      2 << 30, // from above
		"self.y":    1 << 30,
		"self.root": 0,
		"self.v1":   0,
		"missing":   0,
	} {
		if got := cgroupLimit(filepath.Join(root, self), root); got != want {
			t.Errorf("%s: %d, want %d", self, got, want)
		}
	}
}
