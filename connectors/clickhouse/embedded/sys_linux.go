package embedded

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// executable names this very binary, even when its file was replaced since.
func executable() (string, error) { return "/proc/self/exe", nil }

// becomeStdin makes the descriptor this process's standard input.
func becomeStdin(fd int) error { return unix.Dup3(fd, 0, 0) }

// childAttributes give the child a process group of its own, so that Ctrl-C
// does not reach it before us, and end it with the thread that started it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// totalMemory is what this process may use: the machine's memory or the
// control group's limit, whichever is less. 0 if unknown.
func totalMemory() uint64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	total := info.Totalram * uint64(info.Unit)
	if limit := cgroupLimit("/proc/self/cgroup", "/sys/fs/cgroup"); limit > 0 && limit < total {
		total = limit
	}
	return total
}

// cgroupLimit is the least memory limit of the process's control group (v2) and
// those above it; 0 if there is none.
func cgroupLimit(self, root string) uint64 {
	b, err := os.ReadFile(self)
	if err != nil {
		return 0
	}
	var least uint64
	for line := range strings.Lines(string(b)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for path = filepath.Clean("/" + path); ; path = filepath.Dir(path) {
			if v, err := os.ReadFile(filepath.Join(root, path, "memory.max")); err == nil {
				if n, err := strconv.ParseUint(strings.TrimSpace(string(v)), 10, 64); err == nil && (least == 0 || n < least) {
					least = n
				}
			}
			if path == "/" {
				break
			}
		}
	}
	return least
}
