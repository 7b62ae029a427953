package main

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const envPrefix = "FAIRLEAD_"

// sourceVariable matches a key of a source: the name ends where the source's
// type, or a key that every source has, begins.
var sourceVariable = regexp.MustCompile(`^SOURCES_([A-Z0-9_]+?)_(JIRA|SERVICENOW|ASANA|HTTP|SINCE)(?:_|$)`)

// overlay sets every key of cfg for which environ has a variable: the key's
// path in capitals, joined by underscores, after FAIRLEAD_. A source that only
// the environment names is added. It returns the variables that name no key;
// they are not an error, since others set variables too (Kubernetes does, for
// a service called fairlead).
func overlay(cfg *Config, environ []string) (unknown []string, err error) {
	vars := map[string]string{}
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if rest, ok := strings.CutPrefix(name, envPrefix); ok && !notKeys[rest] {
			vars[rest] = value
		}
	}
	for name := range vars {
		m := sourceVariable.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		key := strings.ToLower(m[1])
		for _, have := range keysOf(cfg.Sources) {
			if envName(have) == m[1] {
				key = have
			}
		}
		if cfg.Sources == nil {
			cfg.Sources = map[string]*Source{}
		}
		if cfg.Sources[key] == nil {
			cfg.Sources[key] = &Source{}
			cfg.Sources[key].setDefaults("")
		}
		cfg.Sources[key].setDefaults(strings.ToLower(m[2]))
	}
	if err := overlayStruct(reflect.ValueOf(cfg).Elem(), "", vars); err != nil {
		return nil, err
	}
	for name := range vars {
		unknown = append(unknown, envPrefix+name)
	}
	slices.Sort(unknown)
	return unknown, nil
}

// notKeys are variables that are read elsewhere and are no keys.
var notKeys = map[string]bool{"CONFIG": true, "LIBCHDB": true, "SHARED": true, "BINARY": true, "PRISM": true}

func envName(key string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(key))
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func overlayStruct(v reflect.Value, prefix string, vars map[string]string) error {
	t := v.Type()
	for i := range t.NumField() {
		field := t.Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if !field.IsExported() || tag == "-" {
			continue
		}
		if strings.Contains(options, "inline") {
			if err := overlayStruct(v.Field(i), prefix, vars); err != nil {
				return err
			}
			continue
		}
		if tag == "" {
			tag = strings.ToLower(field.Name)
		}
		if err := overlayValue(v.Field(i), prefix+envName(tag), vars); err != nil {
			return err
		}
	}
	return nil
}

func overlayValue(v reflect.Value, path string, vars map[string]string) error {
	if text, ok := vars[path]; ok {
		delete(vars, path)
		if err := decodeText(v, text); err != nil {
			return fmt.Errorf("environment variable %s%s: %w", envPrefix, path, err)
		}
		return nil
	}
	below := path
	if below != "" {
		below += "_"
	}
	switch {
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct && v.Type() != reflect.TypeFor[*time.Time]():
		if !anyHasPrefix(vars, below) {
			return nil
		}
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return overlayStruct(v.Elem(), below, vars)
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		return overlayStruct(v, below, vars)
	case v.Kind() == reflect.Map && v.Type().Elem().Kind() == reflect.Pointer:
		for _, key := range v.MapKeys() {
			if err := overlayValue(v.MapIndex(key), below+envName(key.String()), vars); err != nil {
				return err
			}
		}
	}
	return nil
}

func anyHasPrefix(vars map[string]string, prefix string) bool {
	for name := range vars {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// decodeText reads a variable as the YAML value of its key, save that a string
// is taken as it stands and a list may be written with commas.
func decodeText(v reflect.Value, text string) error {
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
		return nil
	case v.Type() == reflect.TypeFor[time.Duration]() && strings.TrimSpace(text) == "0":
		v.SetInt(0)
		return nil
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String && !strings.HasPrefix(strings.TrimSpace(text), "["):
		list := reflect.MakeSlice(v.Type(), 0, 0)
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = reflect.Append(list, reflect.ValueOf(part).Convert(v.Type().Elem()))
			}
		}
		v.Set(list)
		return nil
	}
	if err := yaml.Unmarshal([]byte(text), v.Addr().Interface()); err != nil {
		return fmt.Errorf("%q is not a %s", text, v.Type())
	}
	return nil
}
