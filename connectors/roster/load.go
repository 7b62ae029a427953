package roster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is a part of a roster in memory. The name says what it is: YAML by
// .yaml or .yml, else one of the CSV files by its name.
type File struct {
	Name string
	Text []byte
}

// maxFile is the greatest size of one file, in bytes.
const maxFile = 64 << 20

// Load reads a roster from files and folders; of a folder, every .yaml, .yml and
// .csv file in it, and nothing else. The error is one line: an *Error, or what
// kept a file from being read.
func Load(paths ...string) (*Roster, error) {
	var files []File
	for _, path := range paths {
		list, err := expand(path)
		if err != nil {
			return nil, err
		}
		for _, name := range list {
			text, err := read(name)
			if err != nil {
				return nil, err
			}
			files = append(files, File{name, text})
		}
	}
	return Parse(files...)
}

// expand is path itself or, for a folder, the files in it, by name.
func expand(path string) ([]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{File: path, Problem: "there is no such file or folder", Remedy: "correct the path of the roster"}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the roster: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("reading the roster: %w", err)
	}
	var list []string
	for _, e := range entries {
		if kind := extension(e.Name()); !strings.HasPrefix(e.Name(), ".") && (kind == ".csv" || kind == ".yaml") {
			list = append(list, filepath.Join(path, e.Name()))
		}
	}
	if len(list) == 0 {
		return nil, &Error{File: path, Problem: "the folder holds no .yaml and no .csv file", Remedy: "put the roster there, or correct the path"}
	}
	return list, nil
}

func read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("reading the roster: %w", err)
	}
	if info.Size() > maxFile {
		return nil, tooLarge(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the roster: %w", err)
	}
	return text, nil
}

func tooLarge(name string) error {
	return &Error{File: name, Problem: "the file is greater than 64 MiB", Remedy: "leave out what is long over"}
}

// extension is .yaml for both spellings.
func extension(name string) string {
	kind := strings.ToLower(filepath.Ext(name))
	if kind == ".yml" {
		return ".yaml"
	}
	return kind
}

// Parse makes a roster of files, together. The error is an *Error.
func Parse(files ...File) (*Roster, error) {
	d := &draft{}
	for i, f := range files {
		if slices.ContainsFunc(files[:i], func(g File) bool { return g.Name == f.Name }) {
			return nil, &Error{File: f.Name, Problem: "the file is named twice", Remedy: "name it once"}
		}
		if len(f.Text) > maxFile {
			return nil, tooLarge(f.Name)
		}
		if d.anywhere.file == "" {
			d.anywhere.file = f.Name
		}
		var err error
		switch extension(f.Name) {
		case ".yaml":
			err = d.readYAML(f)
		case ".csv":
			err = d.readCSV(f)
		default:
			err = &Error{File: f.Name, Problem: "the file is neither YAML nor CSV by its name", Remedy: "let it end in .yaml or .csv"}
		}
		if err != nil {
			return nil, err
		}
	}
	return d.roster()
}
