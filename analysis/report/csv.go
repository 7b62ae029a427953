package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// CSVHeader is the columns of the CSV form: one value a row. Section, figure and
// the names are those of the JSON form. Team, area, engineer and source say what
// the value is of, and are empty where it is of all; place is the number of an
// entry of a list, or the quarter or week that it is of. A value is a number, true
// or false, a time (RFC 3339), or a text.
var CSVHeader = []string{"section", "figure", "team", "area", "engineer", "source", "place", "value"}

// CSV writes every value that is defined, one a row, in the order of the
// document. A text that a spreadsheet would take for a formula has an apostrophe
// before it.
func (r *Report) CSV(w io.Writer) error {
	t := &table{}
	t.rows = append(t.rows, CSVHeader)
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("json")
		if f := v.Field(i); f.Kind() == reflect.Struct && f.Type() != reflect.TypeFor[time.Time]() {
			t.object(f, key{section: name}, "")
			continue
		}
		t.value(v.Field(i), key{section: "report"}, name)
	}
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	if err := out.WriteAll(t.rows); err != nil {
		return fmt.Errorf("writing the report as CSV: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// key says what a value is of.
type key struct{ section, team, area, engineer, source, place string }

type table struct{ rows [][]string }

func (t *table) put(k key, figure, value string) {
	t.rows = append(t.rows, []string{k.section, figure, Cell(k.team), Cell(k.area), Cell(k.engineer), Cell(k.source), Cell(k.place), value})
}

// object writes a struct: first it looks for what it is of.
func (t *table) object(v reflect.Value, k key, path string) {
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() != reflect.String {
			continue
		}
		switch v.Type().Field(i).Tag.Get("json") {
		case "team":
			k.team = f.String()
		case "area":
			k.area = f.String()
		case "engineer":
			k.engineer = f.String()
		case "source":
			k.source = f.String()
		case "quarter", "ticket", "what":
			k.place = f.String()
		}
		if v.Type() == reflect.TypeFor[Signal]() && v.Type().Field(i).Tag.Get("json") == "name" {
			k.place = f.String()
		}
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("json")
		switch name {
		case "team", "area", "source", "ticket", "what":
			continue // stands in a column
		case "engineer", "quarter":
			if path != "" {
				continue
			}
		}
		t.value(v.Field(i), k, join(path, name))
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (t *table) value(v reflect.Value, k key, path string) {
	switch {
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			t.value(v.Elem(), k, path)
		}
	case v.Type() == reflect.TypeFor[time.Time]():
		if at := v.Interface().(time.Time); !at.IsZero() {
			t.put(k, path, at.Format(time.RFC3339Nano))
		}
	case v.Kind() == reflect.Struct:
		t.object(v, k, path)
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			one := k
			if v.Index(i).Kind() != reflect.Struct || v.Type().Elem() == reflect.TypeFor[time.Time]() {
				one.place = itoa(i + 1)
			}
			t.value(v.Index(i), one, path)
		}
	case v.Kind() == reflect.String:
		if v.String() != "" {
			t.put(k, path, Cell(v.String()))
		}
	default:
		text, err := json.Marshal(v.Interface())
		if err == nil { // numbers and booleans that are finite: New lets no other in
			t.put(k, path, strings.TrimSpace(string(text)))
		}
	}
}
