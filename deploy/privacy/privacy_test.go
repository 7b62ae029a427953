// Package privacy tests that the templates speak of what there is.
package privacy

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var templates = []string{"data-protection-impact-assessment.md", "works-agreement.md", "README.md"}

// TestEveryTableIsListed: whoever adds a table says what of people is in it.
func TestEveryTableIsListed(t *testing.T) {
	assessment := read(t, "data-protection-impact-assessment.md")
	found := regexp.MustCompile("CREATE TABLE IF NOT EXISTS `?[a-z_]*`?\\.`?([a-z_]+)`?").FindAllStringSubmatch(read(t, "../../connectors/clickhouse/testdata/schema.sql"), -1)
	if len(found) < 8 {
		t.Fatalf("only %d tables are found", len(found))
	}
	for _, m := range found {
		if !strings.Contains(assessment, "`"+m[1]+"`") {
			t.Errorf("the assessment does not say what of people is in the table %s", m[1])
		}
	}
}

// TestEverySettingExists: a setting that a template relies on is one, and is
// described in the README.
func TestEverySettingExists(t *testing.T) {
	readme := read(t, "../../README.md")
	setting := regexp.MustCompile("`((?:web|metrics|privacy|report|analysis|sources)\\.[a-z_.<>]+)")
	n := 0
	for _, name := range templates {
		for _, m := range setting.FindAllStringSubmatch(read(t, name), -1) {
			n++
			if !strings.Contains(readme, "| `"+m[1]) {
				t.Errorf("%s speaks of %s, which the README does not have", name, m[1])
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d settings are found", n)
	}
}

// TestEveryCommandExists likewise.
func TestEveryCommandExists(t *testing.T) {
	readme := read(t, "../../README.md")
	for _, name := range templates {
		for _, m := range regexp.MustCompile("`fairlead ([a-z]+)").FindAllStringSubmatch(read(t, name), -1) {
			if !strings.Contains(readme, "| `"+m[1]) {
				t.Errorf("%s speaks of fairlead %s, which the README does not have", name, m[1])
			}
		}
	}
}
