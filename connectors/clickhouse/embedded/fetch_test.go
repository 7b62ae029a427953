package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// fetching is a copy of deploy/embedded that fetches from an npm of the test's
// own, into a cache of the test's own.
type fetching struct {
	folder, home, bin string
}

// newFetching makes one. npm will give the tarball, and pinned is the hash in the
// lock for this platform; "" pins nothing.
func newFetching(t *testing.T, tarball []byte, pinned string) fetching {
	t.Helper()
	dir := t.TempDir()
	f := fetching{folder: filepath.Join(dir, "deploy"), home: filepath.Join(dir, "a home"), bin: filepath.Join(dir, "bin")}
	for _, d := range []string{f.folder, f.home, f.bin} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"fetch.sh", "package.json"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "embedded", name))
		if err != nil {
			t.Fatal(err)
		}
		f.write(t, filepath.Join(f.folder, name), string(b), 0o600)
	}
	entry := ""
	if pinned != "" {
		entry = fmt.Sprintf(`"node_modules/@chdb/lib-%s": {"version": %q, "integrity": %q}`, platform(t), Version, pinned)
	}
	f.write(t, filepath.Join(f.folder, "package-lock.json"), `{"packages": {`+entry+`}}`, 0o600)
	f.write(t, filepath.Join(dir, "package.tgz"), string(tarball), 0o600)
	f.write(t, filepath.Join(f.bin, "npm"), `#!/bin/sh
echo "$*" >>`+dir+`/npm.log
while [ $# -gt 0 ]; do
	if [ "$1" = --pack-destination ]; then cp `+dir+`/package.tgz "$2/lib.tgz"; fi
	shift
done
`, 0o700)
	return f
}

func (f fetching) write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// run runs the script and returns what it printed.
func (f fetching) run(env ...string) (stdout, stderr string, err error) {
	cmd := exec.Command("sh", filepath.Join(f.folder, "fetch.sh"))
	cmd.Env = append([]string{"HOME=" + f.home, "PATH=" + f.bin + ":" + os.Getenv("PATH")}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func (f fetching) npmRuns(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(filepath.Dir(f.bin), "npm.log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Count(string(b), "\n")
}

// leftovers are the files in the cache.
func (f fetching) leftovers(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(f.home, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() || strings.HasPrefix(d.Name(), ".fetch") {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func platform(t *testing.T) string {
	t.Helper()
	name, ok := map[string]string{"linux/amd64": "linux-x64-gnu", "linux/arm64": "linux-arm64-gnu", "darwin/amd64": "darwin-x64", "darwin/arm64": "darwin-arm64"}[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		t.Fatalf("no library is made for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	return name
}

// tarball is a package as npm gives it, and its integrity.
func tarball(t *testing.T) (content []byte, integrity string) {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	for name, content := range map[string]string{"package/package.json": "{}", "package/libchdb.so": "the library", "package/chdb_node.node": "not wanted"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(b.Bytes())
	return b.Bytes(), "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// expected is where the code looks for the library under this home.
func (f fetching) expected(t *testing.T) string {
	t.Helper()
	t.Setenv("HOME", f.home)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("FAIRLEAD_LIBCHDB", "")
	path, err := LibraryPath()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFetchPutsTheLibraryWhereTheCodeLooks(t *testing.T) {
	content, integrity := tarball(t)
	f := newFetching(t, content, integrity)
	want := f.expected(t)
	for range 3 {
		out, errs, err := f.run()
		if err != nil || out != want+"\n" {
			t.Fatalf("it printed %q, %q, %v, want %s", out, errs, err, want)
		}
	}
	if n := f.npmRuns(t); n != 1 {
		t.Errorf("npm ran %d times for three fetches, want once", n)
	}
	if b, err := os.ReadFile(want); err != nil || string(b) != "the library" {
		t.Errorf("there is %q, %v", b, err)
	}
	if left := f.leftovers(t); len(left) != 1 {
		t.Errorf("left over: %v", left)
	}
}

func TestFetchHonoursTheCacheFolder(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // XDG_CACHE_HOME means nothing there
	}
	content, integrity := tarball(t)
	f := newFetching(t, content, integrity)
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("FAIRLEAD_LIBCHDB", "")
	want, err := LibraryPath()
	if err != nil {
		t.Fatal(err)
	}
	if out, errs, err := f.run("XDG_CACHE_HOME=" + cache); err != nil || out != want+"\n" {
		t.Errorf("it printed %q, %q, %v, want %s", out, errs, err, want)
	}
}

func TestFetchRefusesAnotherHash(t *testing.T) {
	content, integrity := tarball(t)
	f := newFetching(t, append(content, 0), integrity)
	out, errs, err := f.run()
	if err == nil || out != "" || !strings.Contains(errs, "wrong hash") || !strings.Contains(errs, integrity) {
		t.Errorf("it printed %q, %q, %v", out, errs, err)
	}
	if left := f.leftovers(t); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestFetchRefusesWhatIsNotPinned(t *testing.T) {
	content, _ := tarball(t)
	f := newFetching(t, content, "")
	out, errs, err := f.run()
	if err == nil || out != "" || !strings.Contains(errs, "fetch.sh --pin") || !strings.Contains(errs, "clickhouse.dsn") || strings.Count(errs, "\n") != 1 {
		t.Errorf("it printed %q, %q, %v", out, errs, err)
	}
	if n := f.npmRuns(t); n != 0 {
		t.Errorf("npm ran %d times", n)
	}
}

func TestFetchTwiceAtOnce(t *testing.T) {
	content, integrity := tarball(t)
	f := newFetching(t, content, integrity)
	want := f.expected(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if out, errs, err := f.run(); err != nil || out != want+"\n" {
				t.Errorf("it printed %q, %q, %v", out, errs, err)
			}
		})
	}
	group.Wait()
	if left := f.leftovers(t); len(left) != 1 {
		t.Errorf("left over: %v", left)
	}
}

func TestFetchTakesALibraryOfOnesOwn(t *testing.T) {
	content, integrity := tarball(t)
	f := newFetching(t, content, integrity)
	own := filepath.Join(t.TempDir(), "libchdb.so")
	if _, errs, err := f.run("FAIRLEAD_LIBCHDB=" + own); err == nil || !strings.Contains(errs, own) {
		t.Errorf("a missing one gives %q, %v", errs, err)
	}
	f.write(t, own, "mine", 0o600)
	if out, _, err := f.run("FAIRLEAD_LIBCHDB=" + own); err != nil || out != own+"\n" || f.npmRuns(t) != 0 {
		t.Errorf("it printed %q, %v", out, err)
	}
}

func TestFetchOnAnotherSystem(t *testing.T) {
	content, integrity := tarball(t)
	f := newFetching(t, content, integrity)
	f.write(t, filepath.Join(f.bin, "uname"), "#!/bin/sh\n[ \"$1\" = -s ] && echo FreeBSD || echo riscv64\n", 0o700)
	if _, errs, err := f.run(); err == nil || !strings.Contains(errs, "not made for FreeBSD on riscv64") || !strings.Contains(errs, "clickhouse.dsn") {
		t.Errorf("it printed %q, %v", errs, err)
	}
}
