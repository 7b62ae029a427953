package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func at(x float64) *float64 { return &x }

const hostile = "<script>alert(1)</script>\" onload=\"x' &amp; \u202egnp.exe"

// every is one figure of each kind, with a name in it.
func every(name string) map[string]func() (Figure, error) {
	return map[string]func() (Figure, error){
		"lorenz": Lorenz{
			ID: "lorenz", Title: "Open work of " + name, Says: "Most lies with few.",
			Curve: []Point{{0, 0}, {0.25, 0.1}, {0.5, 0.3}, {0.75, 0.55}, {1, 1}},
			Low:   []float64{0, 0.15, 0.35, 0.6, 1}, High: []float64{0, 0.25, 0.5, 0.75, 1},
		}.Figure,
		"spans": Spans{
			ID: "spans", Title: "Teams", Says: "Two teams.", Value: "Gini", Span: "by luck", Digits: 2,
			MarkSays: map[Mark]string{Diamond: "beyond chance", Circle: "within chance", Ring: "too few tickets to say", Square: "levelled"},
			Rows: []Span{
				{Name: name, Value: at(0.35), Low: at(0.05), High: at(0.2), Mark: Diamond}, {Name: "Network", Value: at(0.1), Low: at(0.05), High: at(0.2), Mark: Circle},
				{Name: "Nobody"}, {Name: "Few", Value: at(0.3), Mark: Ring}, {Name: "Even", Value: at(0.01), Low: at(0.05), High: at(0.2), Mark: Square},
			},
		}.Figure,
		"bars":  Bars{ID: "bars", Title: "Load", Says: "By person.", Value: "× even", Reference: at(1), Digits: 1, Rows: []Bar{{Name: name, Value: at(2.3), Note: name}, {Name: "b"}, {Name: "c", Value: at(0.4)}}}.Figure,
		"heat":  Heat{ID: "heat", Title: "Weeks", Says: "By week.", Columns: []string{"29 Jun", "6 Jul", "13 Jul", "20 Jul"}, Digits: 1, Rows: []HeatRow{{name, []*float64{at(0), at(1.2), nil, at(5)}}, {"b", []*float64{at(2), at(3), at(4), nil}}}}.Figure,
		"trend": Trend{ID: "trend", Title: "Quarters", Says: "Up.", Periods: []string{"25Q4", "26Q1", "26Q2"}, Digits: 2, Zero: "what luck gives", Series: []Series{{Name: name, Values: []*float64{at(-0.02), nil, at(0.12)}, Mark: Circle}}}.Figure,
		"parts": Parts{ID: "parts", Title: "Areas", Says: "Three parts.", Names: []string{"concentration", "missing backup", "touched by one person"}, Total: "silo score", Rows: []Part{{name, []float64{0.4, 0.3, 0.2}}, {"b", []float64{0.1, 0, 0.05}}}}.Figure,
	}
}

func TestFigures(t *testing.T) {
	for kind, figure := range every(hostile) {
		t.Run(kind, func(t *testing.T) {
			f, err := figure()
			if err != nil {
				t.Fatal(err)
			}
			text, err := f.HTML()
			if err != nil {
				t.Fatal(err)
			}
			html := string(text)
			for _, bad := range []string{"<script", "style=", "http:", "https:", "onload=\"x", "ZgotmplZ", "NaN", "%!"} {
				if strings.Contains(html, bad) {
					t.Errorf("there is %q in it:\n%s", bad, html)
				}
			}
			if kind != "lorenz" && !strings.Contains(html, "&lt;script&gt;") {
				t.Error("the name is not in it")
			}
			titles, tables := 0, 0
			for d := xml.NewDecoder(strings.NewReader(html)); ; {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("not well formed: %v\n%s", err, html)
				}
				if e, ok := token.(xml.StartElement); ok {
					switch e.Name.Local {
					case "title", "desc":
						titles++
					case "table":
						tables++
					}
				}
			}
			if titles != 2 || tables != 1 {
				t.Errorf("%d of title and desc, %d tables; want 2 and 1", titles, tables)
			}
			again, err := figure()
			if err != nil || again.Drawing != f.Drawing {
				t.Error("the same data give other bytes")
			}
			if len(f.Table.Rows) == 0 {
				t.Error("no numbers behind it")
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		says   string
		figure func() (Figure, error)
	}{
		{"small letters", Bars{ID: `a" onload="x`, Rows: []Bar{{Name: "a"}}}.Figure},
		{"small letters", Bars{ID: "1", Rows: []Bar{{Name: "a"}}}.Figure},
		{"without an id", Bars{Rows: []Bar{{Name: "a"}}}.Figure},
		{"cannot be drawn", Bars{ID: "a", Rows: []Bar{{Name: "a", Value: at(math.NaN())}}}.Figure},
		{"cannot be drawn", Heat{ID: "a", Columns: []string{"1"}, Rows: []HeatRow{{"a", []*float64{at(math.Inf(1))}}}}.Figure},
		{"cannot be drawn", Trend{ID: "a", Periods: []string{"1"}, Series: []Series{{Name: "a", Values: []*float64{at(math.NaN())}}}}.Figure},
		{"cannot be drawn", Parts{ID: "a", Names: []string{"1"}, Rows: []Part{{"a", []float64{math.NaN()}}}}.Figure},
		{"cannot be drawn", Lorenz{ID: "a", Curve: []Point{{math.NaN(), 0}}}.Figure},
		{"cannot be drawn", Spans{ID: "a", Rows: []Span{{Name: "a", Low: at(math.Inf(-1))}}}.Figure},
		{"3 cells under 2", Parts{ID: "a", Rows: []Part{{"a", []float64{1}}}}.Figure},
	} {
		if _, err := c.figure(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want it to say %q", err, c.says)
		}
	}
}

func TestAxis(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0, 1, "0 0.25 0.5 0.75 1"},
		{0, 0.38, "0 0.1 0.2 0.3 0.4"},
		{0, 2.3, "0 1 2 3"},
		{-0.02, 0.12, "-0.05 0 0.05 0.1 0.15"},
		{0, 0, "0 0.25 0.5 0.75 1"},
		{0, 1234, "0 500 1000 1500"},
	} {
		var got []string
		for _, tick := range newAxis(c.low, c.high, 0, 100).ticks(plain) {
			got = append(got, tick.Label)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("from %v to %v: %v, want %s", c.low, c.high, got, c.want)
		}
	}
}
