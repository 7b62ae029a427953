package analysis

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/connectors/ticket"
)

// never is after every time that ClickHouse can hold, and far enough from the
// greatest Int64 for a window to be added.
const never = 1 << 60

// historySQL selects all tickets created before {to:Int64}, each as one string
// in ClickHouse's RowBinary format, which is read several times faster than
// arrays are scanned. readTicket knows its fields.
func historySQL(table string) string {
	fields := make([]string, len(spellFields))
	for i, f := range spellFields {
		fields[i] = "'" + string(f) + "'"
	}
	millis := func(column string) string { return `arrayMap(x -> toUnixTimestamp64Milli(x), ` + column + `)` }
	orNever := func(column string) string {
		return `arrayMap(x -> toInt64(ifNull(toUnixTimestamp64Milli(x), ` + numberParameter(never) + `)), ` + column + `)`
	}
	parents := func(column string) string {
		return `arrayFilter((x, f) -> f = 'parent', ` + column + `, changes.field)`
	}
	return `SELECT formatRow('RowBinary', ` + strings.Join([]string{
		`toString(source)`, `cityHash64(ticket_id)`,
		`toUnixTimestamp64Milli(created)`, `toInt64(ifNull(toUnixTimestamp64Milli(deleted), ` + numberParameter(never) + `))`,
		`parent`, parents(millis("changes.at")), parents("changes.from"), parents("changes.to"),
		`arrayMap(f -> toUInt8(indexOf([` + strings.Join(fields, ", ") + `], f)), spells.field)`,
		`spells.value`, millis("spells.from"), orNever("spells.to"),
		`assignments.actor`, `arrayMap(g -> toString(g), assignments.group)`, millis("assignments.from"), orNever("assignments.to"),
	}, ",\n\t") + `)
FROM ` + table + ` FINAL
WHERE created < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`
}

// spellFields are those whose spells are read; the rest are passed over.
var spellFields = []ticket.Field{ticket.FieldStatus, ticket.FieldGroup, ticket.FieldArea, ticket.FieldKind, ticket.FieldPriority, ticket.FieldEffort}

// Places in spellFields.
const (
	statusSpells = iota
	groupSpells
	areaSpells
	kindSpells
	prioritySpells
	effortSpells
	spellKinds
)

// word is the number of an interned string.
type word int32

// words interns strings; word 0 is the empty one.
type words struct {
	numbers map[string]word
	list    []string
}

func newWords() *words { return &words{numbers: map[string]word{"": 0}, list: []string{""}} }

func (w *words) of(text []byte) word {
	if n, ok := w.numbers[string(text)]; ok {
		return n
	}
	return w.ofString(string(text))
}

func (w *words) ofString(text string) word {
	n, ok := w.numbers[text]
	if !ok {
		n = word(len(w.list))
		w.numbers[text] = n
		w.list = append(w.list, text)
	}
	return n
}

// lasting is a value that held in [from, to).
type lasting struct {
	from, to int64
	value    word
}

// holding is an assignment.
type holding struct {
	from, to int64
	actor    uint64
	group    word
}

type parentage struct {
	at       int64
	from, to word
}

// pastTicket is the history of a ticket. Lists are in the order of the store.
type pastTicket struct {
	source           word
	id               uint64
	created, deleted int64
	parent           word // at present
	parents          []parentage
	spells           [spellKinds][]lasting
	holdings         []holding
}

// lastBefore is the place of the last of some spells that began before an instant;
// −1 for none.
func lastBefore(spells []lasting, at int64) int {
	i := len(spells) - 1
	for i >= 0 && spells[i].from >= at {
		i--
	}
	return i
}

// valueBefore is that of the last of some spells that began before an instant.
func valueBefore(spells []lasting, at int64) word {
	if i := lastBefore(spells, at); i >= 0 {
		return spells[i].value
	}
	return 0
}

// parentAt is the parent just before an instant: by its changes, else the
// present one. Before the first change it was what that change replaced.
func (t *pastTicket) parentAt(at int64) word {
	if len(t.parents) == 0 {
		return t.parent
	}
	if t.parents[0].at >= at {
		return t.parents[0].from
	}
	i := len(t.parents) - 1
	for t.parents[i].at >= at {
		i--
	}
	return t.parents[i].to
}

var errRowBinary = errors.New("a row of history ends early")

// binaryRow reads ClickHouse's RowBinary.
type binaryRow struct {
	rest   []byte
	broken bool
}

func (b *binaryRow) take(n int) []byte {
	if n < 0 || n > len(b.rest) {
		b.broken, b.rest = true, nil
		return nil
	}
	part := b.rest[:n]
	b.rest = b.rest[n:]
	return part
}

func (b *binaryRow) length() int {
	n, size := binary.Uvarint(b.rest)
	if size <= 0 || n > math.MaxInt32 {
		b.take(-1)
		return 0
	}
	b.take(size)
	return int(n)
}

func (b *binaryRow) text() []byte { return b.take(b.length()) }

func (b *binaryRow) number() uint64 {
	if part := b.take(8); part != nil {
		return binary.LittleEndian.Uint64(part)
	}
	return 0
}

func (b *binaryRow) millis() int64 { return int64(b.number()) }

// array reads a length, and an element at a time as long as the row lasts.
func (b *binaryRow) array(each func(i int)) {
	n := b.length()
	for i := 0; i < n && !b.broken; i++ {
		each(i)
	}
}

// readTicket reads a row into t, whose lists are used again.
func (t *pastTicket) readTicket(row []byte, w *words) error {
	b := binaryRow{rest: row}
	t.source = w.of(b.text())
	t.id = b.number()
	t.created, t.deleted = b.millis(), b.millis()
	t.parent = w.of(b.text())

	t.parents = t.parents[:0]
	b.array(func(int) { t.parents = append(t.parents, parentage{at: b.millis()}) })
	// Arrays of one row are equally long; guard makes of one that is not an
	// error instead of a panic.
	guard := func(i, n int) bool {
		b.broken = b.broken || i >= n
		return !b.broken
	}
	b.array(func(i int) {
		if text := b.text(); guard(i, len(t.parents)) {
			t.parents[i].from = w.of(text)
		}
	})
	b.array(func(i int) {
		if text := b.text(); guard(i, len(t.parents)) {
			t.parents[i].to = w.of(text)
		}
	})

	for i := range t.spells {
		t.spells[i] = t.spells[i][:0]
	}
	fields := b.take(b.length())
	var places [16]int
	place := places[:0]
	for _, f := range fields {
		if f < 1 || f > spellKinds {
			place = append(place, 0)
			continue
		}
		place = append(place, len(t.spells[f-1]))
		t.spells[f-1] = append(t.spells[f-1], lasting{})
	}
	spell := func(i int) *lasting {
		if !guard(i, len(fields)) || fields[i] < 1 || fields[i] > spellKinds {
			return &lasting{}
		}
		return &t.spells[fields[i]-1][place[i]]
	}
	b.array(func(i int) {
		text := b.text()
		if guard(i, len(fields)) && fields[i] >= 1 && fields[i] <= spellKinds {
			spell(i).value = w.of(text)
		}
	})
	b.array(func(i int) { spell(i).from = b.millis() })
	b.array(func(i int) { spell(i).to = b.millis() })

	t.holdings = t.holdings[:0]
	b.array(func(int) { t.holdings = append(t.holdings, holding{actor: b.number()}) })
	b.array(func(i int) {
		if text := b.text(); guard(i, len(t.holdings)) {
			t.holdings[i].group = w.of(text)
		}
	})
	b.array(func(i int) {
		if at := b.millis(); guard(i, len(t.holdings)) {
			t.holdings[i].from = at
		}
	})
	b.array(func(i int) {
		if at := b.millis(); guard(i, len(t.holdings)) {
			t.holdings[i].to = at
		}
	})
	if b.broken || len(b.rest) > 0 {
		return errRowBinary
	}
	return nil
}

// eachTicket reads the history of all tickets created before an instant. What
// is passed on is overwritten by the next.
func (e *Engine) eachTicket(ctx context.Context, w *world, to int64, text *words, each func(*pastTicket)) error {
	var row []byte
	var t pastTicket
	return e.each(ctx, "histories", historySQL(e.db.Table("tickets")), w.parameters(to), func(rows driver.Rows) error {
		var s string
		if err := rows.Scan(&s); err != nil {
			return err
		}
		row = append(row[:0], s...)
		if err := t.readTicket(row, text); err != nil {
			return err
		}
		each(&t)
		return nil
	})
}
