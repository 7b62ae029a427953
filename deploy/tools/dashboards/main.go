// Dashboards writes the Grafana dashboards of Fairlead, one JSON file each.
//
//	go run ./dashboards -out ../grafana          writes them
//	go run ./dashboards -out ../grafana -check   fails where they differ
//
// With -fairlead URL they link to the pages of a Fairlead that is elsewhere.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	out := flag.String("out", "../grafana", "folder of the files")
	check := flag.Bool("check", false, "write nothing; fail where a file differs")
	address := flag.String("fairlead", home, "address of Fairlead's pages, for the links")
	flag.Parse()
	if err := run(*out, *address, *check); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func run(out, address string, check bool) error {
	files, err := generate(address)
	if err != nil {
		return err
	}
	if check {
		return compare(out, files)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(out, name), content, 0o644); err != nil {
			return fmt.Errorf("writing a dashboard: %w", err)
		}
	}
	return nil
}

// compare says which of the files in a folder are not as they are generated.
func compare(out string, files map[string][]byte) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		got, err := os.ReadFile(filepath.Join(out, name))
		switch {
		case err != nil:
			errs = append(errs, err)
		case !bytes.Equal(got, files[name]):
			errs = append(errs, fmt.Errorf("%s is not what the program writes: run make dashboards", name))
		}
	}
	present, err := filepath.Glob(filepath.Join(out, "*.json"))
	if err != nil {
		return err
	}
	for _, path := range present {
		if _, known := files[filepath.Base(path)]; !known {
			errs = append(errs, fmt.Errorf("%s is of no dashboard", filepath.Base(path)))
		}
	}
	return errors.Join(errs...)
}

// generate makes all files, by name.
func generate(address string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, p := range map[string]*page{
		"overview.json": overview(), "team.json": team(), "knowledge.json": knowledge(),
		"engineer.json": engineer(), "quarter.json": quarter(), "itself.json": itself(),
		"drilldown.json": drilldown(),
	} {
		d, err := p.build(strings.TrimSuffix(address, "/"))
		if err != nil {
			return nil, fmt.Errorf("building %s: %w", name, err)
		}
		content, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", name, err)
		}
		files[name] = append(content, '\n')
	}
	return files, nil
}
