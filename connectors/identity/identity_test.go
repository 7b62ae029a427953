package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.key")
	var wg sync.WaitGroup
	prints := make([]string, 8)
	for i := range prints {
		wg.Go(func() {
			key, err := LoadOrCreate(path)
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = key.Fingerprint()
		})
	}
	wg.Wait()
	for _, p := range prints {
		if p != prints[0] || p == "" {
			t.Fatalf("two keys came of one file: %q", prints)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, want 0600", info.Mode())
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	if len(entries) != 1 {
		t.Fatalf("left behind: %v", entries)
	}
}

func TestBadKeyFiles(t *testing.T) {
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"readable by others", strings.Repeat("ab", 32), 0o644, "chmod 600"},
		{"cut", "abcd", 0o600, "64 hexadecimal digits"},
		{"empty", "", 0o600, "64 hexadecimal digits"},
		{"not hexadecimal", strings.Repeat("zz", 32), 0o600, "64 hexadecimal digits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "k")
			if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := LoadOrCreate(path)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if after, _ := os.ReadFile(path); string(after) != c.text {
				t.Fatal("the file was overwritten")
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want fs.ErrNotExist", err)
	}
}

func TestSurrogate(t *testing.T) {
	key, other := newKey(make([]byte, size)), newKey([]byte(strings.Repeat("k", size)))
	if key.Surrogate("a", "") != 0 {
		t.Error("nobody has a surrogate")
	}
	if key.Surrogate("a", "bc") == key.Surrogate("ab", "c") {
		t.Error("source and account run together")
	}
	if key.Surrogate("a", "b") == other.Surrogate("a", "b") {
		t.Error("the key makes no difference")
	}
	// Stored in every ticket: it may never change.
	if got := key.Surrogate("jira", "5b10ac8d82e05b22cc7d4ef5"); got != 14701118338807059602 {
		t.Errorf("surrogate changed: %d", got)
	}
}
