package clickhouse

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"fairlead/connectors/clickhouse/embedded"
)

// Config says where the warehouse is. With an empty DSN it is the embedded
// engine.
type Config struct {
	// DSN of a ClickHouse server's native port: clickhouse://host:9000/database,
	// with ?secure=true for TLS (port 9440). Name and password need not be in it.
	DSN          string `yaml:"dsn"`
	User         string `yaml:"user"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file"` // read when Open is called; trailing white space is dropped

	// Database holds the tables and is made by Migrate if missing; "fairlead" by
	// default.
	Database string `yaml:"database"`

	Embedded EmbeddedConfig `yaml:"embedded"`
}

// EmbeddedConfig is about the embedded engine alone.
type EmbeddedConfig struct {
	Library     string `yaml:"library"`      // path of libchdb; empty: FAIRLEAD_LIBCHDB, else the user's cache folder
	MemoryLimit Size   `yaml:"memory_limit"` // 0 derives it: half of the memory, at least 512 MiB, at most 4 GiB
}

const defaultDatabase = "fairlead"

// DefaultConfig is the embedded engine with limits derived from the machine.
func DefaultConfig() Config { return Config{} }

// databaseName is what a database may be called: quoting is ours, but names
// travel into other tools.
var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// Validate checks what can be known without connecting. Its errors name the key
// and never hold a credential.
func (c Config) Validate() error {
	if c.Database != "" && !databaseName.MatchString(c.Database) {
		return fmt.Errorf("clickhouse.database is %q: use letters, digits and _, at most 63", c.Database)
	}
	if c.Password != "" && c.PasswordFile != "" {
		return errors.New("clickhouse.password and clickhouse.password_file are both set: keep one")
	}
	if m := c.Embedded.MemoryLimit; m != 0 && m < embedded.MinMemoryLimit {
		return fmt.Errorf("clickhouse.embedded.memory_limit is %s: it must be at least 512MiB, or 0 to derive it", m)
	}
	if c.DSN == "" {
		if c.User != "" || c.Password != "" || c.PasswordFile != "" {
			return errors.New("clickhouse.user or a password is set without clickhouse.dsn: set the DSN, or remove them to use the embedded engine")
		}
		return nil
	}
	_, _, err := c.parse()
	return err
}

// parse turns the DSN into the client's options, without the credentials of a
// file, and says which database the tables are in.
func (c Config) parse() (*clickhouse.Options, string, error) {
	const form = "write it as clickhouse://host:9000/database, with ?secure=true for TLS"
	u, err := url.Parse(c.DSN)
	if err != nil || u.Host == "" {
		// The parser's own message may quote the password.
		return nil, "", errors.New("clickhouse.dsn is not an address: " + form)
	}
	switch u.Scheme {
	case "clickhouse", "native", "tcp":
	case "http", "https":
		return nil, "", fmt.Errorf("clickhouse.dsn speaks %s: fairlead needs the native protocol: %s", u.Scheme, form)
	default:
		return nil, "", fmt.Errorf("clickhouse.dsn has the scheme %q: %s", u.Scheme, form)
	}
	o, err := clickhouse.ParseDSN(c.DSN)
	if err != nil {
		return nil, "", errors.New("clickhouse.dsn has a parameter that cannot be read: " + form)
	}
	port := "9000"
	if o.TLS != nil {
		port = "9440"
	}
	for i, addr := range o.Addr {
		if !hasPort.MatchString(addr) {
			o.Addr[i] = addr + ":" + port
		}
	}
	if c.User != "" {
		o.Auth.Username = c.User
	}
	if c.Password != "" {
		o.Auth.Password = c.Password
	}
	database := o.Auth.Database
	switch {
	case database == "":
		database = c.database()
	case c.Database != "" && c.Database != database:
		return nil, "", fmt.Errorf("clickhouse.dsn names the database %q and clickhouse.database %q: keep one", database, c.Database)
	case !databaseName.MatchString(database):
		return nil, "", fmt.Errorf("clickhouse.dsn names the database %q: use letters, digits and _, at most 63", database)
	}
	// The database may not exist yet; names are qualified instead.
	o.Auth.Database = ""
	return o, database, nil
}

// hasPort finds a port at the end of a host, in brackets or not.
var hasPort = regexp.MustCompile(`(^[^:]*|\]):[0-9]+$`)

func (c Config) database() string {
	if c.Database == "" {
		return defaultDatabase
	}
	return c.Database
}

// readPassword returns the password of the file, if one is configured.
func (c Config) readPassword() (string, error) {
	if c.PasswordFile == "" {
		return c.Password, nil
	}
	b, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("reading clickhouse.password_file: %w", err)
	}
	password := strings.TrimRight(string(b), " \t\r\n")
	if password == "" {
		return "", fmt.Errorf("clickhouse.password_file %s is empty", c.PasswordFile)
	}
	return password, nil
}

// Size is a number of bytes, written as 2GiB, 512MiB, 1.5GB or a plain number.
type Size uint64

var sizeUnits = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// UnmarshalText reads a size; a unit is required unless the number is whole.
func (s *Size) UnmarshalText(text []byte) error {
	word := strings.TrimSpace(string(text))
	number, factor := word, 1.0
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(word, u.suffix); ok {
			number, factor = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if bytes := n * factor; err != nil || math.IsNaN(n) || bytes < 0 || bytes >= 1<<63 || bytes != math.Trunc(bytes) {
		return fmt.Errorf("%q is not a size: write it as 2GiB or 512MiB", word)
	}
	*s = Size(n * factor)
	return nil
}

// MarshalText writes the size with the largest unit that keeps it whole.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s Size) String() string {
	for i := 3; i >= 0; i-- {
		if unit := Size(sizeUnits[i].bytes); s != 0 && s%unit == 0 {
			return fmt.Sprintf("%d%s", s/unit, sizeUnits[i].suffix)
		}
	}
	return strconv.FormatUint(uint64(s), 10)
}

// Times that a ticket may have. ClickHouse's DateTime64(3) covers 1900 to 2299,
// and the client library counts nanoseconds in 64 bits, which end in 2262.
var (
	earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2262, 4, 11, 23, 47, 16, 0, time.UTC)
)
