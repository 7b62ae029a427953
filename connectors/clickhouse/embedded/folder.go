package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// inheritWait is how long a lock whose owner is dead may be held by its engine,
// which is still ending.
const inheritWait = childGrace + 5*time.Second

// lockFolder makes the data folder if need be and takes it for this process and
// the engine: the lock is freed when both are gone.
func lockFolder(ctx context.Context, l layout) (*os.File, error) {
	if err := os.MkdirAll(l.base(), 0o700); err != nil {
		return nil, folderError(l.root, err)
	}
	f, err := os.OpenFile(l.lock(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, folderError(l.root, err)
	}
	for deadline := time.Now().Add(inheritWait); ; {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			_ = f.Close()
			return nil, fmt.Errorf("locking data folder %s: %w: choose a folder on a local disk (--data)", l.root, err)
		}
		owner := readOwner(f)
		if alive(owner) || time.Now().After(deadline) || ctx.Err() != nil {
			_ = f.Close()
			return nil, fmt.Errorf("%w: %s is held by another fairlead (process %s): stop that one, or choose another folder (--data)", ErrInUse, l.root, ownerWord(owner))
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := writeOwner(f); err != nil {
		_ = f.Close()
		return nil, folderError(l.root, err)
	}
	return f, nil
}

// folderError says what to do about a data folder that cannot be written.
func folderError(folder string, err error) error {
	what := "cannot be used"
	switch {
	case errors.Is(err, fs.ErrPermission):
		what = "cannot be written by this user"
	case errors.Is(err, syscall.EROFS):
		what = "is read-only"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		what = "is on a full disk"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		what = "is not a folder"
	}
	return fmt.Errorf("data folder %s %s: %w: choose another (--data)", folder, what, err)
}

func writeOwner(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// readOwner returns the process id in the lock file; 0 if there is none.
func readOwner(f *os.File) int {
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, 32))
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 {
		return 0
	}
	return pid
}

func ownerWord(pid int) string {
	if pid == 0 {
		return "unknown"
	}
	return strconv.Itoa(pid)
}

// alive says whether there is a process with that id, ours or not.
func alive(pid int) bool {
	if pid == 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// prepare makes the engine's folder and throws away the temporary files of an
// earlier run. The data folder must be locked.
func (l layout) prepare() error {
	if err := os.RemoveAll(l.tmp()); err != nil {
		return folderError(l.root, err)
	}
	if err := os.MkdirAll(l.store(), 0o700); err != nil {
		return folderError(l.root, err)
	}
	return nil
}

// openOutput makes the file for what the engine prints before its log is open, and
// when it dies.
func (l layout) openOutput() (*os.File, error) {
	f, err := os.OpenFile(l.output(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, folderError(l.root, err)
	}
	return f, nil
}

// lastWords say in one line how the engine's process ended, and what it printed
// about that.
func (l layout) lastWords(wait error) string {
	how := "it ended by itself"
	if wait != nil {
		how = wait.Error()
	}
	if words := exceptionLine(l.readOutput()); words != "" {
		how += ": " + words
	}
	return how + " (see " + l.log() + ")"
}

// readOutput is the beginning of what the engine printed; "" if nothing can be
// read.
func (l layout) readOutput() string {
	f, err := os.Open(l.output())
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, 64<<10))
	return string(b)
}

// exceptionLine picks the line that says what happened: ClickHouse prints stack
// traces and advice around it.
func exceptionLine(output string) string {
	last := ""
	for line := range strings.Lines(strings.ToValidUTF8(output, "")) {
		line = strings.TrimSpace(line)
		switch {
		case strings.Contains(line, "Exception: "):
			_, line, _ = strings.Cut(line, "Exception: ")
			if len(line) > 500 {
				line = line[:500] + "…"
			}
			return line
		case line != "" && !strings.HasPrefix(line, "engine ended: unexpectedly:"):
			last = line
		}
	}
	return last
}
