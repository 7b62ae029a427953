package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"

	"fairlead/connectors/clickhouse/embedded"
)

// MinServerVersion is the oldest server that is supported: the long-term release
// of spring 2025.
const MinServerVersion = "25.3"

// Errors that a caller may branch on. What wraps them says what to do.
var (
	ErrUnreachable = errors.New("warehouse unreachable")
	ErrCredentials = errors.New("warehouse credentials refused")
	ErrRights      = errors.New("warehouse rights missing")
	ErrTooOld      = errors.New("warehouse too old")
	ErrNotMigrated = errors.New("warehouse not migrated")
)

// ClickHouse's error codes that mean something to us (src/Common/ErrorCodes.cpp).
const (
	codeUnknownTable         = 60
	codeUnknownDatabase      = 81
	codeReadonly             = 164
	codeUnknownUser          = 192
	codeWrongPassword        = 193
	codeRequiredPassword     = 194
	codeIPNotAllowed         = 195
	codeAccessDenied         = 497
	codeAuthenticationFailed = 516
)

// explain wraps err in doing, and adds what to do where the cause is known.
func (d *DB) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	var server *clickhouse.Exception
	if errors.As(err, &server) {
		switch server.Code {
		case codeAuthenticationFailed, codeUnknownUser, codeWrongPassword, codeRequiredPassword, codeIPNotAllowed:
			return fmt.Errorf("%s: %w: %s refused user %q: check clickhouse.user, the password, and from where that user may connect", doing, ErrCredentials, d.where, d.user)
		case codeAccessDenied:
			return fmt.Errorf("%s: %w: user %q needs the %s", doing, ErrRights, d.user, neededGrant(server.Message))
		case codeReadonly:
			return fmt.Errorf("%s: %w: user %q may only read: give it a settings profile without readonly", doing, ErrRights, d.user)
		case codeUnknownTable, codeUnknownDatabase:
			return fmt.Errorf("%s: %w: run `fairlead migrate`: %w", doing, ErrNotMigrated, err)
		}
		return fmt.Errorf("%s: %w", doing, err)
	}
	if errors.Is(err, embedded.ErrClosed) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if isNetwork(err) {
		return fmt.Errorf("%s: %w: %s: %w", doing, ErrUnreachable, d.where, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// neededGrant takes from a refusal the grant that it asks for.
func neededGrant(message string) string {
	const before = "necessary to have the "
	if _, grant, ok := strings.Cut(message, before); ok {
		grant, _, _ = strings.Cut(grant, ". ")
		return strings.TrimSpace(grant)
	}
	return "grant that it lacks (" + message + ")"
}

func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, clickhouse.ErrAcquireConnTimeout) || strings.Contains(err.Error(), "handshake")
}

// verify connects, and checks the server's version and our rights.
func (d *DB) verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	const doing = "connecting to the warehouse"
	if err := d.conn.Ping(ctx); err != nil {
		err = d.explain(doing, err)
		if d.engine == nil && (errors.Is(err, ErrUnreachable) || errors.Is(err, clickhouse.ErrUnsupportedServerRevision)) {
			return fmt.Errorf("%w: check clickhouse.dsn, that the server runs, and that this is its native port (9000, or 9440 with secure=true)", err)
		}
		return err
	}
	version, err := d.conn.ServerVersion()
	if err != nil {
		return d.explain(doing, err)
	}
	if oldest := proto.ParseVersion(MinServerVersion + ".0"); !proto.CheckMinVersion(oldest, version.Version) {
		return fmt.Errorf("%w: %s is ClickHouse %s: fairlead needs %s or newer", ErrTooOld, d.where, version.Version, MinServerVersion)
	}
	return d.checkRights(Comment(ctx, "check rights"), "SELECT", "INSERT")
}

// checkRights fails with ErrRights, naming them, unless our user has all these
// rights on the database.
func (d *DB) checkRights(ctx context.Context, rights ...string) error {
	var missing []string
	for _, right := range rights {
		var granted uint8
		if err := d.conn.QueryRow(ctx, fmt.Sprintf("CHECK GRANT %s ON %s.*", right, quote(d.schema.database))).Scan(&granted); err != nil {
			return d.explain("checking rights", err)
		}
		if granted == 0 {
			missing = append(missing, right)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	grants := strings.Join(missing, ", ")
	return fmt.Errorf("%w: user %q lacks %s on database %s: GRANT %s ON %s.* TO %s", ErrRights, d.user, grants, d.schema.database, grants, d.schema.database, d.user)
}
