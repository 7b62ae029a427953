package analysis

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/distribution"
	"fairlead/analysis/people"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/ticket"
)

// Options are what an Engine needs besides the warehouse.
type Options struct {
	Key    []byte // for pseudonyms, at least people.MinKey bytes
	Config Config // the zero Config is DefaultConfig
	Logger *slog.Logger
	Clock  func() time.Time // when a Snapshot was made; nil is time.Now
	Draws  int              // of each lottery; 0 is as many as are published
	// MinPeople is the smallest group that is shown to others; 0 is MinPeople.
	MinPeople int
	// Queried is told what each query was for, in constant words, and how long
	// it took to its last row; nil is nobody. It is called from several
	// goroutines at once.
	Queried func(purpose string, took time.Duration)
}

// Engine answers queries over one warehouse. It keeps no state between calls and
// is safe for concurrent use.
type Engine struct {
	db     *clickhouse.DB
	key    []byte
	config Config
	log    *slog.Logger
	now    func() time.Time
	draws  int // of each lottery
	least  int // people in a group that is shown to others
	told   func(purpose string, took time.Duration)
}

// New makes an engine; it does nothing until it is asked.
func New(db *clickhouse.DB, o Options) *Engine {
	e := &Engine{db: db, key: o.Key, config: o.Config, log: o.Logger, now: o.Clock, draws: distribution.Draws, least: cmp.Or(o.MinPeople, MinPeople), told: o.Queried}
	if len(e.config.Windows) == 0 {
		e.config = DefaultConfig()
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.now == nil {
		e.now = time.Now
	}
	if e.told == nil {
		e.told = func(string, time.Duration) {}
	}
	if o.Draws > 0 {
		e.draws = o.Draws
	}
	return e
}

// world is what ids mean and who is who, read once for an analysis.
type world struct {
	people *people.Directory
	groups map[string]string // termKey → name
	areas  map[string]string

	done, progress    []string // statuses, as termKey writes them
	kinds, kindValues []string
	unknownStatuses   int

	crew *crew // nil without a roster

	engineers map[uint64]*people.Engineer // cache by surrogate
}

func (e *Engine) world(ctx context.Context) (*world, error) {
	stored, err := e.db.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	terms, err := e.db.Terms(ctx)
	if err != nil {
		return nil, err
	}
	staff, err := e.db.Roster(ctx)
	if err != nil {
		return nil, err
	}
	erased, err := e.db.Erased(ctx)
	if err != nil {
		return nil, err
	}
	w := &world{groups: map[string]string{}, areas: map[string]string{}, engineers: map[uint64]*people.Engineer{}}
	w.people, err = people.ResolveRoster(e.key, accountsOf(stored), staff.Roster, accountsOf(staff.Accounts), erased)
	if err != nil {
		return nil, fmt.Errorf("resolving engineers: %w", err)
	}
	if staff.Roster != nil {
		w.crew = newCrew(staff.Roster, w.people.Persons())
		if w.crew.earliest, err = e.earliest(ctx); err != nil {
			return nil, err
		}
	}
	for _, t := range terms {
		key := termKey(t.Source, t.ID)
		switch t.Field {
		case ticket.FieldGroup:
			w.groups[key] = t.Name
		case ticket.FieldArea:
			w.areas[key] = t.Name
		case ticket.FieldKind:
			w.kinds, w.kindValues = append(w.kinds, key), append(w.kindValues, cmp.Or(t.Value, string(ticket.KindOther)))
		case ticket.FieldStatus:
			switch ticket.Category(t.Value) {
			case ticket.CategoryDone:
				w.done = append(w.done, key)
			case ticket.CategoryInProgress:
				if !e.config.Effort.Waits(t.Name) {
					w.progress = append(w.progress, key)
				}
			case ticket.CategoryTodo:
			default:
				w.unknownStatuses++
			}
		}
	}
	return w, nil
}

func accountsOf(stored []clickhouse.StoredAccount) []people.Account {
	accounts := make([]people.Account, len(stored))
	for i, a := range stored {
		accounts[i] = people.Account{Surrogate: a.ID, Account: a.Account}
	}
	return accounts
}

// engineer is who has a surrogate; the same pointer for the same engineer's
// surrogate within a world. Not safe for concurrent use.
func (w *world) engineer(surrogate uint64) *people.Engineer {
	if p, ok := w.engineers[surrogate]; ok {
		return p
	}
	p := w.people.Of(surrogate)
	w.engineers[surrogate] = &p
	return &p
}

// groupName and areaName are what people call it; NoName for none, the id where
// no term tells.
func (w *world) groupName(source, id string) string { return nameIn(w.groups, source, id) }
func (w *world) areaName(source, id string) string  { return nameIn(w.areas, source, id) }

func nameIn(names map[string]string, source, id string) string {
	if id == "" {
		return NoName
	}
	return cmp.Or(names[termKey(source, id)], id)
}

// query runs SQL with bound parameters, capped as configured and marked with its
// purpose in the server's query log.
func (e *Engine) query(ctx context.Context, purpose, sql string, parameters map[string]string) (driver.Rows, error) {
	settings := ch.Settings{
		"log_comment": "fairlead: analysis " + purpose,
		"max_threads": e.config.MaxThreads,
	}
	if e.config.MaxMemory > 0 {
		settings["max_memory_usage"] = e.config.MaxMemory
	}
	rows, err := e.db.Conn().Query(ch.Context(ctx, ch.WithSettings(settings), ch.WithParameters(parameters)), sql)
	if err != nil {
		return nil, fmt.Errorf("analysing %s: %w", purpose, err)
	}
	return rows, nil
}

// each reads all rows; scan reads one.
func (e *Engine) each(ctx context.Context, purpose, sql string, parameters map[string]string, scan func(driver.Rows) error) error {
	begun := time.Now()
	defer func() { e.told(purpose, time.Since(begun)) }()
	rows, err := e.query(ctx, purpose, sql, parameters)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("reading %s: %w", purpose, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("analysing %s: %w", purpose, err)
	}
	return nil
}

// parameters of every query, for a window's end.
func (w *world) parameters(to int64) map[string]string {
	kinds, values := w.kinds, w.kindValues
	if len(kinds) == 0 {
		// transform() takes no empty array; no key is empty.
		kinds, values = []string{""}, []string{string(ticket.KindOther)}
	}
	return map[string]string{
		"to":          numberParameter(to),
		"done":        stringsParameter(w.done),
		"progress":    stringsParameter(w.progress),
		"kinds":       stringsParameter(kinds),
		"kind_values": stringsParameter(values),
	}
}

// stringsParameter writes a parameter of type Array(String). The server parses
// it as a value, so that nothing in it can become SQL.
func stringsParameter(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = "'" + parameterEscapes.Replace(s) + "'"
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

var parameterEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`, "\x00", `\0`)

func numberParameter(n int64) string { return strconv.FormatInt(n, 10) }

func numbersParameter(list []int64) string {
	text := make([]string, len(list))
	for i, n := range list {
		text[i] = numberParameter(n)
	}
	return arrayParameter(text)
}

// arrayParameter writes numbers as a parameter of an array's type.
func arrayParameter(numbers []string) string { return "[" + strings.Join(numbers, ",") + "]" }

// beginning stands for a window without a start. It is before every time that
// ClickHouse can hold, and far enough from the least Int64 to be added to.
const beginning = -1 << 60

func millis(t time.Time) int64 {
	if t.IsZero() {
		return beginning
	}
	return t.UnixMilli()
}

// LastChange is the first instant at which every change that is stored lies in
// the past: the millisecond after the last. As an as_of it sees everything. It
// is the zero time when there are no tickets.
func (e *Engine) LastChange(ctx context.Context) (time.Time, error) {
	var tickets uint64
	var last int64
	err := e.each(ctx, "last change", lastChangeSQL(e.db.Table("tickets")), nil, func(rows driver.Rows) error {
		return rows.Scan(&tickets, &last)
	})
	if err != nil || tickets == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(last + 1).UTC(), nil
}

// earliest is when the first ticket was created; the zero time without any.
func (e *Engine) earliest(ctx context.Context) (time.Time, error) {
	var tickets uint64
	var first int64
	err := e.each(ctx, "first ticket", "SELECT count(), toUnixTimestamp64Milli(min(created)) FROM "+e.db.Table("tickets"), nil, func(rows driver.Rows) error {
		return rows.Scan(&tickets, &first)
	})
	if err != nil || tickets == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(first).UTC(), nil
}

// Whois is the engineer with a pseudonym.
func (e *Engine) Whois(ctx context.Context, pseudonym string) (people.Engineer, bool, error) {
	w, err := e.world(ctx)
	if err != nil {
		return people.Engineer{}, false, err
	}
	p, ok := w.people.Find(pseudonym)
	return p, ok, nil
}

// alone is the same world with a cache of its own.
func (w *world) alone() *world {
	own := *w
	own.engineers = map[uint64]*people.Engineer{}
	return &own
}
