package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
)

// Schema is the JSON Schema (draft 2020-12) of what JSON writes.
//
//go:embed schema.json
var Schema []byte

// JSON writes the document, indented, as Schema describes it.
func (r *Report) JSON(w io.Writer) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Decode reads what JSON wrote.
func Decode(text []byte) (*Report, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	r := &Report{}
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("reading a report: %w", err)
	}
	if r.Schema != SchemaVersion {
		return nil, fmt.Errorf("reading a report: its form is %q, this program reads %s", clean(r.Schema), SchemaVersion)
	}
	return r, nil
}
