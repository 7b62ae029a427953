package exporter

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead/analysis"
)

// HistoryOptions say what of the past is written.
type HistoryOptions struct {
	// Config is that of the metrics: a history shows what /metrics shows.
	Config Config
	// PeopleFrom is the first instant of which single engineers are written;
	// zero writes none.
	PeopleFrom time.Time
	// Dir is where samples wait that do not fit into memory, some 16 bytes
	// each; "" is the system's folder for temporary files.
	Dir string
	// Told is called for each instant that is done; nil is nobody.
	Told func(instant time.Time)
}

// HistorySummary is what was written. Dropped is the series that the cap cut,
// once for each instant.
type HistorySummary struct {
	Instants, Series, Dropped int
	Samples                   uint64
}

// WriteHistory writes Snapshots, given in order of time, as OpenMetrics text with
// a timestamp on each sample, the instant of its Snapshot: the series of Groups
// and People with the same names, labels and rules, without those about the
// service. Families are in order of their names, series of their labels, samples
// of time.
// https://prometheus.io/docs/specs/om/open_metrics_spec/
//
// What comes by instants is written by series: in between, samples beyond a
// million wait in a temporary file. After an error what was written lacks its end
// ("# EOF"), so that no reader takes it for whole.
func WriteHistory(w io.Writer, snapshots iter.Seq2[*analysis.Snapshot, error], o HistoryOptions) (HistorySummary, error) {
	return writeHistory(w, snapshots, o, spoolRecords)
}

func writeHistory(w io.Writer, snapshots iter.Seq2[*analysis.Snapshot, error], o HistoryOptions, inMemory int) (sum HistorySummary, err error) {
	h := &historyWriter{spool: spool{dir: o.Dir, most: inMemory}, ids: map[string]uint32{}}
	defer h.spool.close()
	e := New(nil, WithConfig(o.Config))
	for s, err := range snapshots {
		if err != nil {
			return sum, err
		}
		at := s.AsOf.UnixMilli()
		put := func(f *family, kind prometheus.ValueType, value float64, labels []string) {
			h.put(f, kind, at, value, labels)
		}
		groups := newBatch(o.Config.MaxSeries, put)
		e.fillGroups(groups, s)
		sum.Dropped += groups.dropped
		if !o.PeopleFrom.IsZero() && !s.AsOf.Before(o.PeopleFrom) {
			people := newBatch(o.Config.MaxSeries, put)
			e.fillPeople(people, s)
			sum.Dropped += people.dropped
		}
		if h.err != nil {
			return sum, h.err
		}
		sum.Instants++
		if o.Told != nil {
			o.Told(s.AsOf)
		}
	}
	sum.Series, sum.Samples = len(h.series), h.samples
	return sum, h.write(w)
}

// historyWriter gathers samples by series.
type historyWriter struct {
	ids     map[string]uint32
	series  []historySeries
	spool   spool
	samples uint64
	key     []byte
	err     error
}

type historySeries struct {
	f      *family
	kind   prometheus.ValueType
	labels []string
}

func (h *historyWriter) put(f *family, kind prometheus.ValueType, at int64, value float64, labels []string) {
	h.key = append(h.key[:0], f.name...)
	for _, l := range labels {
		h.key = append(append(h.key, 0xff), l...)
	}
	id, ok := h.ids[string(h.key)]
	if !ok {
		id = uint32(len(h.series))
		h.ids[string(h.key)] = id
		h.series = append(h.series, historySeries{f, kind, slices.Clone(labels)})
	}
	h.samples++
	if err := h.spool.add(id, sample{at, value}); err != nil && h.err == nil {
		h.err = err
	}
}

// write writes all samples in order.
func (h *historyWriter) write(w io.Writer) error {
	h.ids = nil
	lines := make([]string, len(h.series))
	order := make([]uint32, len(h.series))
	for i := range h.series {
		s := &h.series[i]
		lines[i], order[i] = labelText(s.f.labels, s.labels), uint32(i)
		s.labels = nil
	}
	slices.SortFunc(order, func(a, b uint32) int {
		if c := strings.Compare(h.series[a].f.name, h.series[b].f.name); c != 0 {
			return c
		}
		return strings.Compare(lines[a], lines[b])
	})
	h.spool.seal()
	out := bufio.NewWriterSize(w, 1<<16)
	var last *family
	var line []byte
	for _, id := range order {
		s := &h.series[id]
		if s.f != last {
			last = s.f
			writeMetadata(out, s.f, s.kind)
		}
		prefix := s.f.name + lines[id] + " "
		for one, err := range h.spool.of(id) {
			if err != nil {
				return err
			}
			line = append(line[:0], prefix...)
			line = append(appendFloat(line, one.value), ' ')
			line = append(appendSeconds(line, one.at), '\n')
			if _, err := out.Write(line); err != nil {
				return fmt.Errorf("writing the history: %w", err)
			}
		}
	}
	_, _ = out.WriteString("# EOF\n") // Flush tells
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the history: %w", err)
	}
	return nil
}

// units are the words at the end of a name that are its unit.
var units = []string{"seconds", "bytes", "ratio"}

var helpEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func writeMetadata(w *bufio.Writer, f *family, kind prometheus.ValueType) {
	name, what := f.name, "gauge"
	if kind == prometheus.CounterValue {
		name, what = strings.TrimSuffix(f.name, "_total"), "counter"
	}
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %[1]s %[3]s\n", name, helpEscapes.Replace(f.help), what)
	for _, unit := range units {
		if strings.HasSuffix(name, "_"+unit) {
			fmt.Fprintf(w, "# UNIT %s %s\n", name, unit)
		}
	}
}

// labelText is labels as they are written, in order of their names.
func labelText(names, values []string) string {
	if len(names) == 0 {
		return ""
	}
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = name + `="` + helpEscapes.Replace(values[i]) + `"`
	}
	slices.Sort(pairs)
	return "{" + strings.Join(pairs, ",") + "}"
}

func appendFloat(to []byte, x float64) []byte {
	if math.IsInf(x, 1) {
		return append(to, "+Inf"...)
	}
	return strconv.AppendFloat(to, x, 'g', -1, 64)
}

// appendSeconds writes milliseconds as seconds.
func appendSeconds(to []byte, ms int64) []byte {
	if ms%1000 == 0 {
		return strconv.AppendInt(to, ms/1000, 10)
	}
	return strconv.AppendFloat(to, float64(ms)/1000, 'f', 3, 64)
}

// spoolRecords is how many samples wait in memory: 24 MiB.
const spoolRecords = 1 << 20

// spool gathers samples that come in order of time, and gives them by series.
// Whenever most of them wait they are sorted by series into a chunk in a
// temporary file.
type spool struct {
	dir    string
	most   int
	loose  []looseSample
	chunks []chunk
	file   *os.File
	size   int64
}

type sample struct {
	at    int64 // Unix milliseconds
	value float64
}

type looseSample struct {
	series uint32
	sample
}

// chunk is where each series begins in a sorted run of samples; the last entry
// is its end.
type chunk struct {
	starts []uint32
	offset int64    // in the file
	memory []sample // instead, of the last chunk
}

const sampleBytes = 16

func (s *spool) add(series uint32, one sample) error {
	s.loose = append(s.loose, looseSample{series, one})
	if len(s.loose) < s.most {
		return nil
	}
	c := s.sort()
	if s.file == nil {
		file, err := os.CreateTemp(s.dir, "fairlead-history-*")
		if err != nil {
			return fmt.Errorf("making a temporary file: %w: set TMPDIR to a folder with room", err)
		}
		s.file = file
		_ = os.Remove(file.Name()) // it goes with the process; where that cannot be done, close removes it
	}
	c.offset = s.size
	buffer := make([]byte, 0, len(c.memory)*sampleBytes)
	for _, one := range c.memory {
		buffer = binary.LittleEndian.AppendUint64(buffer, uint64(one.at))
		buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(one.value))
	}
	if _, err := s.file.Write(buffer); err != nil {
		return fmt.Errorf("writing a temporary file: %w: set TMPDIR to a folder with room", err)
	}
	s.size += int64(len(buffer))
	c.memory = nil
	s.chunks = append(s.chunks, c)
	return nil
}

// sort makes a chunk of what waits.
func (s *spool) sort() chunk {
	series := uint32(0)
	for i := range s.loose {
		series = max(series, s.loose[i].series+1)
	}
	c := chunk{starts: make([]uint32, series+1), memory: make([]sample, len(s.loose))}
	for i := range s.loose {
		c.starts[s.loose[i].series+1]++
	}
	for i := range series {
		c.starts[i+1] += c.starts[i]
	}
	next := slices.Clone(c.starts)
	for i := range s.loose {
		one := &s.loose[i]
		c.memory[next[one.series]] = one.sample
		next[one.series]++
	}
	s.loose = s.loose[:0]
	return c
}

// seal ends adding.
func (s *spool) seal() {
	s.chunks = append(s.chunks, s.sort())
	s.loose = nil
}

// of gives the samples of a series, in the order in which they came.
func (s *spool) of(series uint32) iter.Seq2[sample, error] {
	return func(yield func(sample, error) bool) {
		var buffer []byte
		for i := range s.chunks {
			c := &s.chunks[i]
			if int(series)+1 >= len(c.starts) {
				continue
			}
			from, to := c.starts[series], c.starts[series+1]
			if c.memory != nil {
				for _, one := range c.memory[from:to] {
					if !yield(one, nil) {
						return
					}
				}
				continue
			}
			buffer = slices.Grow(buffer[:0], int(to-from)*sampleBytes)[:int(to-from)*sampleBytes]
			if _, err := s.file.ReadAt(buffer, c.offset+int64(from)*sampleBytes); err != nil {
				yield(sample{}, fmt.Errorf("reading a temporary file: %w", err))
				return
			}
			for b := buffer; len(b) > 0; b = b[sampleBytes:] {
				one := sample{int64(binary.LittleEndian.Uint64(b)), math.Float64frombits(binary.LittleEndian.Uint64(b[8:]))}
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}
