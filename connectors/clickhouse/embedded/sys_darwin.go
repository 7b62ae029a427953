package embedded

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func executable() (string, error) { return os.Executable() }

// becomeStdin makes the descriptor this process's standard input.
func becomeStdin(fd int) error { return unix.Dup2(fd, 0) }

// childAttributes give the child a process group of its own, so that Ctrl-C
// does not reach it before us. It ends with us by its standard input.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// totalMemory is the machine's memory in bytes; 0 if unknown.
func totalMemory() uint64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return n
}
