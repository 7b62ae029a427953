package overload

import (
	"encoding/binary"
	"math"
	"strconv"
	"testing"
	"time"

	"fairlead/analysis/distribution"
)

// FuzzAssess: whatever the numbers, an answer or an error, and levels that can
// be compared.
func FuzzAssess(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Add(make([]byte, 400))
	f.Fuzz(func(t *testing.T, data []byte) {
		var members []Member
		for i := 0; len(data) >= 20; i++ {
			n := int(data[0] % 12)
			data = data[1:]
			m := Member{Engineer: strconv.Itoa(i % 9)}
			for len(data) >= 19 && n > 0 {
				n--
				x := math.Float64frombits(binary.LittleEndian.Uint64(data))
				y := math.Abs(math.Float64frombits(binary.LittleEndian.Uint64(data[8:])))
				if data[16]&8 > 0 {
					y = float64(data[15]) / 7
				}
				week := Week(len(m.Records)) + Week(data[16]>>6)
				if k := len(m.Records); k > 0 {
					week = m.Records[k-1].Week + 1 + Week(data[16]>>6)
				}
				r := Record{
					Week: week, Capacity: float64(data[17] % 4),
					Load:     distribution.Weights{N: uint64(data[17]), Sum: y, Squares: y * min(y, 1)},
					Arrivals: uint64(data[17]), Completions: uint64(data[18]), Areas: []float64{y, float64(data[18])},
				}
				if data[16]&1 > 0 {
					r.Received = &Received{uint64(data[18]), y, min(math.Abs(x), y)}
				}
				if data[16]&2 > 0 {
					r.OnCall = &OnCall{time.Duration(data[17]) * time.Hour, uint64(data[18])}
				}
				if data[16]&4 > 0 {
					r.Acts = &Acts{uint64(data[17]), uint64(data[18] % (data[17]/2 + 1)), time.Duration(data[17]), 0}
				}
				m.Records = append(m.Records, r)
				data = data[19:]
			}
			members = append(members, m)
		}
		list, err := DefaultConfig().Assess(members)
		if err != nil {
			return
		}
		for _, a := range list {
			for _, s := range a.Weeks {
				for _, r := range s.Readings {
					if r.Status == Measured && (!(r.Level >= 0) || math.IsNaN(r.Value) || !(r.Threshold > 0)) {
						t.Fatalf("%s of week %d is %+v", a.Engineer, s.Week, r)
					}
				}
				if s.Overloaded && (s.Evidence == "" || s.Reasons.String() == "") {
					t.Fatalf("%s is overloaded in week %d and nothing says why", a.Engineer, s.Week)
				}
			}
		}
	})
}

// FuzzSummariseActs: acts are counted once each, and no rest is shorter than the
// least pause between acts.
func FuzzSummariseActs(f *testing.F) {
	f.Add([]byte{0, 10, 200, 3, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		var acts []Act
		at := monday.Start()
		var on uint64
		for _, b := range data {
			at = at.Add(time.Duration(b) * 7 * time.Minute)
			acts = append(acts, Act{at, Place(b % 3)})
			if Place(b%3) == OnCallShift {
				on++
			}
		}
		var n uint64
		for _, w := range SummariseActs(acts, 11*time.Hour) {
			n += w.Acts.N
			if w.Acts.Off > w.Acts.N || w.Acts.ShortestRest < 0 {
				t.Fatalf("%+v", w)
			}
		}
		if n+on != uint64(len(data)) {
			t.Fatalf("%d acts and %d on call of %d", n, on, len(data))
		}
	})
}

func BenchmarkAssess(b *testing.B) {
	for _, size := range []struct{ people, weeks int }{{8, 52}, {50, 52}, {8, 260}} {
		n := null{people: size.people, weeks: size.weeks, arriving: 2 * size.people, ending: 0.5, kinds: true, roster: true}
		members := n.draw(newRand())
		b.Run(strconv.Itoa(size.people)+"x"+strconv.Itoa(size.weeks), func(b *testing.B) {
			for b.Loop() {
				if _, err := DefaultConfig().Assess(members); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size.people*size.weeks), "ns/person-week")
		})
	}
}
