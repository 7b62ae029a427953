package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"go.yaml.in/yaml/v3"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
)

func open(t *testing.T, c clickhouse.Config) (*clickhouse.DB, error) {
	t.Helper()
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{Config: c, Surrogate: clickhousetest.Surrogate})
	if err == nil {
		t.Cleanup(func() { _ = db.Close() })
	}
	return db, err
}

func TestServerByDSN(t *testing.T) {
	engine := clickhousetest.Engine(t)
	passwordFile := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(passwordFile, []byte(engine.Password()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]clickhouse.Config{
		"credentials apart":    clickhousetest.Server(t, "by_dsn"),
		"credentials in it":    {DSN: fmt.Sprintf("clickhouse://%s:%s@%s/by_dsn", engine.User(), engine.Password(), engine.Addr())},
		"password in a file":   {DSN: "clickhouse://" + engine.Addr() + "/by_dsn", User: engine.User(), PasswordFile: passwordFile},
		"file before DSN":      {DSN: "clickhouse://x:y@" + engine.Addr() + "/by_dsn", User: engine.User(), PasswordFile: passwordFile},
		"database apart":       {DSN: "tcp://" + engine.Addr(), User: engine.User(), Password: engine.Password(), Database: "by_dsn"},
		"with compression off": {DSN: "clickhouse://" + engine.Addr() + "/by_dsn?compress=none", User: engine.User(), Password: engine.Password()},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := open(t, c)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := db.WriteTickets(t.Context(), []ticket.Record{record("1", 1)}); err != nil {
				t.Fatal(err)
			}
			if n := count(t, db); n != 1 || db.Table("tickets") != "`by_dsn`.`tickets`" {
				t.Errorf("%d tickets are in %s", n, db.Table("tickets"))
			}
			select {
			case <-db.Done():
				t.Error("a server has ended for good")
			default:
			}
		})
	}
}

// failsWith checks an error of Open: its kind, its words, that it is one line and
// holds no password.
func failsWith(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("it gives %v, want %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the message %q does not have %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the message has several lines or a password: %q", err)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	_, err = open(t, clickhouse.Config{DSN: "clickhouse://u:hunter2@" + closed})
	failsWith(t, err, clickhouse.ErrUnreachable, closed, "clickhouse.dsn", "refused")

	_, err = open(t, clickhouse.Config{DSN: "clickhouse://u:hunter2@no-such-host.invalid:9000"})
	failsWith(t, err, clickhouse.ErrUnreachable, "no-such-host.invalid", "clickhouse.dsn")
}

func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = open(t, clickhouse.Config{DSN: "clickhouse://u:hunter2@" + l.Addr().String() + "?dial_timeout=100ms"})
	failsWith(t, err, clickhouse.ErrUnreachable, "native port")
}

func TestHTTPPort(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	_, err := open(t, clickhouse.Config{DSN: "clickhouse://u:hunter2@" + s.Listener.Addr().String() + "?dial_timeout=200ms"})
	failsWith(t, err, clickhouse.ErrUnreachable, "native port (9000")
}

func TestPlainPortWithTLS(t *testing.T) {
	c := clickhousetest.Server(t, "x")
	c.DSN += "?secure=true"
	_, err := open(t, c)
	failsWith(t, err, clickhouse.ErrUnreachable, "native port (9000", "9440 with secure=true")
}

func TestWrongPassword(t *testing.T) {
	c := clickhousetest.Server(t, "x")
	c.Password = "hunter2"
	_, err := open(t, c)
	failsWith(t, err, clickhouse.ErrCredentials, `refused user "fairlead"`, "clickhouse.user")
	c.User = "nobody"
	_, err = open(t, c)
	failsWith(t, err, clickhouse.ErrCredentials, `refused user "nobody"`)
}

// TestMissingRights by what the real engine's account lacks.
func TestMissingRights(t *testing.T) {
	db := clickhousetest.New(t)
	err := db.CheckRights(t.Context(), "SELECT", "CREATE ROW POLICY", "DROP ROW POLICY")
	failsWith(t, err, clickhouse.ErrRights, "lacks CREATE ROW POLICY, DROP ROW POLICY on database", "GRANT CREATE ROW POLICY, DROP ROW POLICY ON "+db.Database()+".* TO fairlead")
	if err := db.CheckRights(t.Context(), "SELECT", "INSERT", "CREATE TABLE"); err != nil {
		t.Error(err)
	}

	err = db.Explain("making it", db.Conn().Exec(t.Context(), "CREATE ROW POLICY p ON "+db.Table("tickets")+" USING 1"))
	failsWith(t, err, clickhouse.ErrRights, "making it", `user "fairlead" needs the grant CREATE ROW POLICY`)

	ctx := driver.Context(t.Context(), driver.WithSettings(driver.Settings{"readonly": 1}))
	err = db.Explain("writing", db.Conn().Exec(ctx, "INSERT INTO "+db.Table("key_claims")+" SELECT 'x', now64(3)"))
	failsWith(t, err, clickhouse.ErrRights, "may only read", "readonly")
}

// TestTooOldServer: a server that greets as 24.8 did.
func TestTooOldServer(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go greet(l, 24, 8)
	_, err = open(t, clickhouse.Config{DSN: "clickhouse://" + l.Addr().String()})
	failsWith(t, err, clickhouse.ErrTooOld, "ClickHouse 24.8.1", clickhouse.MinServerVersion+" or newer")
}

// greet answers hello and ping as a server of that version, by the native
// protocol (clickhouse.com/docs/native-protocol/server).
func greet(l net.Listener, major, minor int) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			// The client's hello is one packet, read in whatever pieces it comes.
			if _, err := c.Read(make([]byte, 4096)); err != nil {
				return
			}
			var b proto.Buffer
			hello := proto.ServerHello{Name: "ClickHouse", Major: major, Minor: minor, Revision: 54440, Timezone: "UTC", DisplayName: "old", Patch: 1}
			hello.EncodeAware(&b, 54440)
			if _, err := c.Write(b.Buf); err != nil {
				return
			}
			for {
				p := make([]byte, 1)
				if _, err := c.Read(p); err != nil {
					return
				}
				if proto.ClientCode(p[0]) == proto.ClientCodePing {
					if _, err := c.Write([]byte{byte(proto.ServerCodePong)}); err != nil {
						return
					}
				}
			}
		}()
	}
}

func TestOpenCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	engine := clickhousetest.Engine(t)
	_, err := clickhouse.Open(ctx, clickhouse.Options{Engine: engine})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled open gives %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	for name, c := range map[string]struct {
		config clickhouse.Config
		want   string
	}{
		"no address":           {clickhouse.Config{DSN: "hunter2"}, "clickhouse.dsn is not an address"},
		"unreadable":           {clickhouse.Config{DSN: "clickhouse://u:hunter2@host:port:9000/%zz"}, "clickhouse.dsn is not an address"},
		"HTTP":                 {clickhouse.Config{DSN: "https://u:hunter2@host:8443"}, "speaks https"},
		"another scheme":       {clickhouse.Config{DSN: "postgres://u:hunter2@host"}, `scheme "postgres"`},
		"unreadable parameter": {clickhouse.Config{DSN: "clickhouse://u:hunter2@host:9000?dial_timeout=soon"}, "parameter"},
		"two databases":        {clickhouse.Config{DSN: "clickhouse://host:9000/a", Database: "b"}, "clickhouse.database"},
		"odd database":         {clickhouse.Config{Database: "a b"}, "clickhouse.database"},
		"odd database in DSN":  {clickhouse.Config{DSN: "clickhouse://host:9000/a-b"}, "clickhouse.dsn names the database"},
		"two passwords":        {clickhouse.Config{DSN: "clickhouse://host", Password: "hunter2", PasswordFile: "f"}, "keep one"},
		"user without DSN":     {clickhouse.Config{User: "u"}, "without clickhouse.dsn"},
		"small memory":         {clickhouse.Config{Embedded: clickhouse.EmbeddedConfig{MemoryLimit: 1 << 20}}, "memory_limit is 1MiB"},
	} {
		err := c.config.Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s gives %v, want %q", name, err, c.want)
		}
		if _, open := open(t, c.config); open == nil || open.Error() != err.Error() {
			t.Errorf("%s: Open gives %v", name, open)
		}
	}
	for name, c := range map[string]clickhouse.Config{
		"the default": clickhouse.DefaultConfig(),
		"no port":     {DSN: "clickhouse://host/db?secure=true"},
		"IPv6":        {DSN: "clickhouse://[::1]/db"},
		"two hosts":   {DSN: "clickhouse://a:9000,b:9000/db"},
	} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

func TestPasswordFileErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{empty: "is empty", filepath.Join(t.TempDir(), "missing"): "reading clickhouse.password_file"} {
		_, err := open(t, clickhouse.Config{DSN: "clickhouse://127.0.0.1:1", PasswordFile: file})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v", file, err)
		}
	}
}

func TestNoDataFolder(t *testing.T) {
	if _, err := open(t, clickhouse.Config{}); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("without a data folder it gives %v", err)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]clickhouse.Size{
		"0": 0, "1024": 1024, "512MiB": 512 << 20, "2GiB": 2 << 30, "1.5GiB": 3 << 29, "2GB": 2e9, " 1 KiB ": 1024, "7B": 7,
	} {
		var c struct{ Size clickhouse.Size }
		if err := yaml.Unmarshal([]byte(fmt.Sprintf("size: %q", text)), &c); err != nil || c.Size != want {
			t.Errorf("%q is %d, %v, want %d", text, c.Size, err, want)
		}
		var again clickhouse.Size
		if err := again.UnmarshalText([]byte(want.String())); err != nil || again != want {
			t.Errorf("%d is written as %s and read as %d, %v", want, want, again, err)
		}
	}
	for _, text := range []string{"", "GiB", "-1MiB", "1.0000001B", "lots", "1e30GiB", "NaN", "Inf"} {
		var s clickhouse.Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a size: %d", text, s)
		}
	}
}

func TestEmbeddedRestartIsBounded(t *testing.T) {
	db := clickhousetest.NewFolder(t, t.TempDir())
	if db.Err() != nil {
		t.Error(db.Err())
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-db.Done():
	case <-time.After(time.Minute):
		t.Error("Done is open after Close")
	}
	if db.Err() == nil {
		t.Error("Err is nil after Close")
	}
}
