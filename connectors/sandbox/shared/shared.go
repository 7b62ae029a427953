// Package shared gives tests the files that they read and the project does not
// hold: reference values, real logs, the vendors' descriptions of their APIs.
package shared

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Folder is the environment variable that names the folder of these files.
const Folder = "FAIRLEAD_SHARED"

// File is the path of a file of the folder, by its path in it with slashes.
// Where no folder is named the test is skipped, and fails if CI=true; where the
// file is missing it fails.
func File(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv(Folder)
	if folder == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not set: it names the folder that has %s", Folder, name)
		}
		t.Skipf("%s is not set: it names the folder that has %s", Folder, name)
	}
	path := filepath.Join(folder, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// Open opens a File. It is closed when the test ends.
func Open(t testing.TB, name string) *os.File {
	t.Helper()
	file, err := os.Open(File(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// Unzipped is the content of a File, without gzip's compression if its name ends
// in .gz.
func Unzipped(t testing.TB, name string) []byte {
	t.Helper()
	var content io.Reader = Open(t, name)
	if strings.HasSuffix(name, ".gz") {
		unzipped, err := gzip.NewReader(content)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		content = unzipped
	}
	var all bytes.Buffer
	if _, err := all.ReadFrom(content); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return all.Bytes()
}

// CSV is the rows of a CSV File, the header first.
func CSV(t testing.TB, name string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(Unzipped(t, name))).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(rows) < 2 {
		t.Fatalf("%s has no rows", name)
	}
	return rows
}

// Measure is a row of the reference values of the measures: what R, exact
// enumeration or a simulation gave for one index of one case.
type Measure struct {
	Case, Values, Weights string
	Index                 string
	Expected              string // a number, or several between blanks
	Source                string
}

// Measures is all of the reference values.
func Measures(t testing.TB) []Measure {
	t.Helper()
	var all []Measure
	for _, row := range CSV(t, "reference/measures.csv")[1:] {
		if len(row) != 6 {
			t.Fatalf("a row of the reference values has %d columns, not 6: %q", len(row), row)
		}
		all = append(all, Measure{row[0], row[1], row[2], row[3], row[4], row[5]})
	}
	return all
}
