package main

import (
	"os"
	"path/filepath"
	"testing"

	"fairlead/analysis"
)

func TestWriteWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	files := map[string]outFile{"a.yml": {[]byte("a"), 0o600}, "b.yml": {[]byte("b"), 0o644}}
	for range 2 { // over what is there as well
		if err := writeWhole(dir, files); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
	for name, f := range files {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != f.mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	// What cannot be written whole replaces nothing and leaves nothing.
	if err := os.MkdirAll(filepath.Join(dir, ".b.yml.new", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	files["a.yml"] = outFile{[]byte("another"), 0o600}
	if err := writeWhole(dir, files); err == nil {
		t.Fatal("written over a folder")
	}
	if text, err := os.ReadFile(filepath.Join(dir, "a.yml")); err != nil || string(text) != "a" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".a.yml.new")); err == nil {
		t.Error("a part is left behind")
	}
}

func TestCheckLink(t *testing.T) {
	for text, good := range map[string]bool{
		"https://fairlead.example.org": true, "http://10.0.0.1:9464/f/": true,
		"fairlead.example.org": false, "ftp://x": false, "https://": false, "https://a'b": false, "https://x/{{ . }}": false, "https://x/?a=b": false, "": false,
	} {
		if err := checkLink(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestUnevenWindow(t *testing.T) {
	for _, c := range []struct {
		windows []analysis.Window
		want    string
	}{
		{[]analysis.Window{analysis.Days(28), analysis.Days(90)}, "90d"},
		{[]analysis.Window{analysis.Days(90), analysis.Days(365)}, "90d"},
		{[]analysis.Window{analysis.Days(14), analysis.Days(60), analysis.Days(7)}, "60d"},
	} {
		if got := unevenWindow(c.windows); got != c.want {
			t.Errorf("%v: %s, want %s", c.windows, got, c.want)
		}
	}
}
