package embedded

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// childMark in the environment makes this binary run the engine and nothing
// else. Its value is the path of the library; the engine's arguments are the
// process's own.
const childMark = "FAIRLEAD_EMBEDDED_ENGINE"

// childGrace is how long a child whose parent is gone may take to end.
const childGrace = 10 * time.Second

// lockFile and lifeFile are the descriptors that the child inherits: the data
// folder's lock, and a pipe that is closed when the parent is gone.
const (
	lockFile = 3
	lifeFile = 4
)

// hooked says that RunChildIfAsked stands in this binary's main. Without it a
// child would run main again, and its child again.
var hooked atomic.Bool

// RunChildIfAsked turns the process into the engine when Start started it for
// that, and then never returns. Call it first thing in main, and in the
// TestMain of tests that use the engine.
func RunChildIfAsked() {
	library := os.Getenv(childMark)
	if library == "" {
		hooked.Store(true)
		return
	}
	os.Unsetenv(childMark)
	runtime.LockOSThread()
	go endWithParent(os.NewFile(lifeFile, "parent"))
	takeTerminal()
	// Any return is a failure: the query that keeps the engine up never ends.
	fmt.Fprintln(os.Stderr, "engine ended:", runEngine(library, os.Args[1:]))
	os.Exit(1)
}

// takeTerminal makes standard input a terminal, with nobody at it: the master
// side of a new pseudo-terminal. In a batch run the engine's local mode ends the
// whole process when any connection's thread throws, and it throws on a wrong
// password or a stray TLS hello; an interactive run does not. Where there is no
// pseudo-terminal, the engine runs all the same, and is started again when it
// dies of a stranger.
func takeTerminal() {
	terminal, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	_ = becomeStdin(terminal)
}

// endWithParent waits until the parent's end of the pipe is closed, by
// whatever death, and ends this process.
func endWithParent(parent io.Reader) {
	_, _ = io.Copy(io.Discard, parent)
	_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	time.Sleep(childGrace)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// runEngine loads the library and gives it clickhouse-local's arguments.
func runEngine(library string, args []string) error {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("loading %s: %w", library, err)
	}
	for _, name := range []string{"chdb_query_cmdline", "chdb_result_error"} {
		if _, err := purego.Dlsym(handle, name); err != nil {
			return fmt.Errorf("%s is not the engine's library: %w", library, err)
		}
	}
	var (
		queryCmdline func(argc int32, argv unsafe.Pointer) uintptr
		resultError  func(result uintptr) string
	)
	purego.RegisterLibFunc(&queryCmdline, handle, "chdb_query_cmdline")
	purego.RegisterLibFunc(&resultError, handle, "chdb_result_error")

	args = append([]string{"clickhouse"}, args...)
	argv := make([]*byte, len(args)+1)
	var pin runtime.Pinner
	defer pin.Unpin()
	for i, a := range args {
		s, err := syscall.BytePtrFromString(a)
		if err != nil {
			return fmt.Errorf("argument %d: %w", i, err)
		}
		pin.Pin(s)
		argv[i] = s
	}
	pin.Pin(&argv[0])
	result := queryCmdline(int32(len(args)), unsafe.Pointer(&argv[0]))
	if result == 0 {
		return fmt.Errorf("no result")
	}
	return fmt.Errorf("unexpectedly: %s", resultError(result))
}
