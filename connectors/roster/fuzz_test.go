package roster

import (
	"errors"
	"strings"
	"testing"
)

// survives holds any text to what a parser owes: a roster that is whole, or one
// line that says where and what.
func survives(t *testing.T, files ...File) {
	r, err := Parse(files...)
	if err != nil {
		var wrong *Error
		if !errors.As(err, &wrong) || wrong.Problem == "" || wrong.Remedy == "" || wrong.File == "" {
			t.Fatalf("error is %#v", err)
		}
		if strings.ContainsAny(strings.TrimPrefix(err.Error(), wrong.File), "\n\r\x1b") {
			t.Fatalf("error is not one line: %q", err)
		}
		return
	}
	again, err := New(r.Data())
	if err != nil {
		t.Fatalf("what it says is refused: %v", err)
	}
	if again.Hash() != r.Hash() {
		t.Fatal("what it says is another roster")
	}
	for _, p := range r.People() {
		r.Presence(p.ID, utc("2026-03-01"), utc("2026-04-01"))
	}
}

func FuzzYAML(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("people: {a: {zone: UTC, leave: {from: 2026-01-01}}}"))
	f.Add([]byte("people: &a {<<: *a}"))
	f.Add([]byte("? [a]\n: b"))
	f.Fuzz(func(t *testing.T, text []byte) { survives(t, File{"r.yaml", text}) })
}

func FuzzCSV(f *testing.F) {
	for name, text := range smallCSV {
		f.Add(strings.TrimSuffix(name, ".csv"), []byte(text))
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		if _, ok := tables[name]; !ok {
			return
		}
		if name == "people" {
			survives(t, File{"people.csv", text})
			return
		}
		survives(t, File{"r.yaml", []byte("defaults: {zone: Europe/Berlin}\npeople: {ann: {name: A}, bob: {name: B}}\nteams: {Payments: {members: ann}}")}, File{name + ".csv", text})
	})
}

func FuzzHours(f *testing.F) {
	f.Add("mon-thu 09:00-12:30 13:00-17:30; fri 22:00-06:00")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := ParseHours(text)
		if err != nil {
			return
		}
		again, err := ParseHours(w.String())
		if err != nil || again.String() != w.String() || again.Length() != w.Length() {
			t.Fatalf("%q is %q, read again %q: %v", text, w, again, err)
		}
	})
}
