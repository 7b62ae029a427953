package main

import (
	"net"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"fairlead/connectors/clickhouse/embedded"
)

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	testscript.Main(m, map[string]func(){"fairlead": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			// The engine's library lies in the real user's cache, not in the script's home.
			if cache, err := os.UserCacheDir(); err == nil {
				env.Setenv("XDG_CACHE_HOME", cache)
			}
			env.Setenv("FAIRLEAD_LIBCHDB", os.Getenv("FAIRLEAD_LIBCHDB"))
			busy, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Defer(func() { busy.Close() })
			env.Setenv("BUSY", busy.Addr().String())
			return nil
		},
	})
}
