// Package clickhouse is the warehouse: the connection to ClickHouse, embedded or
// by DSN, the schema and its migrations, the writer of whole tickets and the
// typed reads of the collector.
//
// A write that returns nil is durable: every data table is synced to disk with
// each insert, and a distributed insert waits for its shards. A write that
// returns an error may have happened all the same (the answer was lost); writing
// the same again is harmless, since rows replace each other by version.
package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/connectors/clickhouse/embedded"
)

// Options say how to open the warehouse.
type Options struct {
	Config Config
	// DataDir is the folder of the embedded engine, used when Config.DSN and
	// Engine are empty.
	DataDir string
	// Engine, if given, is an engine that runs already; it is not closed with
	// the DB.
	Engine *embedded.Engine
	// Surrogate gives the id under which an account stands in tickets. It is
	// keyed, and never 0 for an account that is not empty. Writing needs it.
	Surrogate func(source, account string) uint64
	Logger    *slog.Logger // nil logs nothing
}

// DB is an open warehouse. It is safe for concurrent use.
type DB struct {
	conn      driver.Conn
	schema    schema
	surrogate func(source, account string) uint64
	where     string // for errors: the address, or "the embedded warehouse"
	user      string

	engine *embedded.Engine // nil when reached by DSN
	owned  bool             // the engine ends with the DB

	clockMu sync.Mutex
	clock   map[string]uint64 // last version given, by table
}

const (
	connectTimeout = 15 * time.Second
	// comment is the log_comment of queries that set none.
	comment = "fairlead"
)

// Open connects to the server of the DSN, or starts the embedded engine, and
// verifies version and rights. It does not migrate. Its errors are one line that
// says what to do; they wrap ErrUnreachable, ErrCredentials, ErrRights, ErrTooOld,
// embedded.ErrInUse or embedded.ErrNoLibrary where they apply.
func Open(ctx context.Context, o Options) (*DB, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	d := &DB{surrogate: o.Surrogate, clock: make(map[string]uint64)}
	options, err := d.connection(ctx, o)
	if err != nil {
		return nil, err
	}
	if options.Settings == nil {
		options.Settings = clickhouse.Settings{}
	}
	options.Settings["log_comment"] = comment
	options.ClientInfo.Products = append(options.ClientInfo.Products, struct{ Name, Version string }{"fairlead", ""})
	options.MaxOpenConns = 16
	options.MaxIdleConns = 8
	if options.DialTimeout == 0 {
		options.DialTimeout = connectTimeout
	}
	d.user = options.Auth.Username
	if d.user == "" {
		d.user = "default"
	}
	if d.conn, err = clickhouse.Open(options); err != nil {
		return nil, errors.Join(fmt.Errorf("configuring the ClickHouse client: %w", err), d.closeEngine())
	}
	if err := d.verify(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// connection finds out whom to connect to, starting the engine if need be.
func (d *DB) connection(ctx context.Context, o Options) (*clickhouse.Options, error) {
	if o.Engine == nil && o.Config.DSN != "" {
		options, database, err := o.Config.parse()
		if err != nil {
			return nil, err
		}
		password, err := o.Config.readPassword()
		if err != nil {
			return nil, err
		}
		if password != "" {
			options.Auth.Password = password
		}
		if options.Compression == nil {
			options.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
		}
		d.schema = schema{database: database}
		d.where = "ClickHouse at " + strings.Join(options.Addr, ", ")
		return options, nil
	}
	d.engine = o.Engine
	if d.engine == nil {
		if o.DataDir == "" {
			return nil, errors.New("no data folder for the embedded warehouse: name one with --data")
		}
		var err error
		if d.engine, err = embedded.Start(ctx, embedded.Options{
			Dir:         o.DataDir,
			Library:     o.Config.Embedded.Library,
			MemoryLimit: uint64(o.Config.Embedded.MemoryLimit),
			Logger:      o.Logger,
		}); err != nil {
			return nil, err
		}
		d.owned = true
	}
	d.schema = schema{database: o.Config.database()}
	d.where = "the embedded warehouse"
	engine := d.engine
	return &clickhouse.Options{
		Auth:        clickhouse.Auth{Username: engine.User(), Password: engine.Password()},
		DialContext: func(ctx context.Context, _ string) (net.Conn, error) { return engine.Dial(ctx) },
	}, nil
}

// Close ends the connection and, if Open started it, the engine.
func (d *DB) Close() error {
	var err error
	if d.conn != nil {
		if err = d.conn.Close(); err != nil {
			err = fmt.Errorf("closing connection to the warehouse: %w", err)
		}
	}
	return errors.Join(err, d.closeEngine())
}

func (d *DB) closeEngine() error {
	if d.engine == nil || !d.owned {
		return nil
	}
	return d.engine.Close()
}

// Done is closed when the embedded engine has ended for good and nothing more
// can be read or written; Err then says why. For a server it never is.
func (d *DB) Done() <-chan struct{} {
	if d.engine == nil {
		return nil
	}
	return d.engine.Done()
}

// Err is why Done was closed; nil until then.
func (d *DB) Err() error {
	if d.engine == nil {
		return nil
	}
	return d.engine.Err()
}

// Conn is the connection, for SQL of one's own. Table names come from Table, and
// a query's purpose is told by Comment.
func (d *DB) Conn() driver.Conn { return d.conn }

// Table is the quoted name under which SQL reads or writes a table.
func (d *DB) Table(name string) string { return d.schema.table(name) }

// Database is the name of the database that holds the tables.
func (d *DB) Database() string { return d.schema.database }

// Comment marks the queries made with ctx in the server's query log: log_comment
// is "fairlead: " and purpose.
func Comment(ctx context.Context, purpose string) context.Context {
	return withSettings(ctx, purpose, nil)
}

func withSettings(ctx context.Context, purpose string, settings clickhouse.Settings) context.Context {
	all := clickhouse.Settings{"log_comment": comment + ": " + purpose}
	for k, v := range settings {
		all[k] = v
	}
	return clickhouse.Context(ctx, clickhouse.WithSettings(all))
}

// writing is the context of every insert: acknowledged when done, not before.
func writing(ctx context.Context, purpose string) context.Context {
	return withSettings(ctx, purpose, clickhouse.Settings{
		"async_insert":                  0,
		"distributed_foreground_insert": 1,
	})
}
