package embedded

import (
	"context"
	"errors"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	RunChildIfAsked()
	os.Exit(m.Run())
}

// start starts an engine for the test, or skips it where there is no library
// and no CI.
func start(t *testing.T, o Options) *Engine {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	e, err := Start(context.Background(), o)
	if errors.Is(err, ErrNoLibrary) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestStartAndClose(t *testing.T) {
	e := start(t, Options{})
	if e.PID() == 0 || e.Addr() == "" || e.Err() != nil {
		t.Errorf("a started engine has pid %d, address %q, error %v", e.PID(), e.Addr(), e.Err())
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(e.Err(), ErrClosed) {
		t.Errorf("a closed engine has error %v, want ErrClosed", e.Err())
	}
	if _, err := e.Dial(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("dialling a closed engine gives %v, want ErrClosed", err)
	}
}
