package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the golden files anew")

// schemaOf describes a type as JSON Schema, with what its fields' doc tags say.
func schemaOf(t *testing.T, v reflect.Type) map[string]any {
	t.Helper()
	switch {
	case v == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case v.Kind() == reflect.Pointer:
		return map[string]any{"anyOf": []any{schemaOf(t, v.Elem()), map[string]any{"type": "null"}}}
	case v.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t, v.Elem())}
	case v.Kind() == reflect.String:
		return map[string]any{"type": "string"}
	case v.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case v.Kind() == reflect.Int:
		return map[string]any{"type": "integer"}
	case v.Kind() == reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case v.Kind() == reflect.Float64:
		return map[string]any{"type": "number"}
	case v.Kind() != reflect.Struct:
		t.Fatalf("%v has no place in a document", v)
	}
	properties, required := map[string]any{}, []string{}
	for i := range v.NumField() {
		f := v.Field(i)
		name, doc := f.Tag.Get("json"), f.Tag.Get("doc")
		if name == "" || doc == "" {
			t.Errorf("%v.%s has no name or no description", v, f.Name)
		}
		one := schemaOf(t, f.Type)
		one["description"] = doc
		properties[name] = one
		required = append(required, name)
	}
	return map[string]any{"type": "object", "additionalProperties": false, "required": required, "properties": properties}
}

func TestSchemaIsThatOfTheDocument(t *testing.T) {
	s := schemaOf(t, reflect.TypeFor[Report]())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Fairlead: the fairness report of a quarter"
	properties := s["properties"].(map[string]any)
	properties["schema"].(map[string]any)["const"] = SchemaVersion
	properties["audience"].(map[string]any)["enum"] = []Audience{Group, Lead, Self}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile("schema.json", text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(text, Schema) {
		t.Error("schema.json is not that of the document: run the tests with -update, and raise SchemaVersion if a reader would notice")
	}
}

// valid checks a report's JSON against the schema.
func valid(t testing.TB, document []byte) {
	t.Helper()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(instance); err != nil {
		t.Errorf("the document is not as its schema says: %v", err)
	}
}
