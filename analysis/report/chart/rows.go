package chart

import (
	"math"
	"strconv"
)

// Mark is the shape of a value.
type Mark string

// The marks.
const (
	Circle  Mark = "circle"  // as expected
	Diamond Mark = "diamond" // beyond
	Square  Mark = "square"  // less than expected
	Ring    Mark = "ring"    // not judged
)

// Spans is a value for each name, beside the span in which luck alone would
// leave it.
type Spans struct {
	ID, Title, Says string
	Value, Span     string // what they are, for the table's head: "Gini", "by luck"
	MarkSays        map[Mark]string
	Digits          int
	Rows            []Span
}

// Span is one row of Spans. Low and High are nil where there is no band.
type Span struct {
	Name      string
	Value     *float64
	Low, High *float64
	Mark      Mark
}

type spanRow struct {
	Name, Full, Middle, Text, X string
	Line                        string
	Band                        bool
	From, Width                 string
	Mark                        Mark
	Known                       bool
	TextX, TextAnchor           string
}

type rowsDrawing struct {
	X           []tick
	Top, Bottom string
	Label       string // where the ticks' labels stand
	Rows        []spanRow
	Reference   string
	Legend      []legend
}

type legend struct {
	Mark        Mark
	Pattern     int
	X, Y, TextX string
	Says        string
}

const rowsTop = 8

// labelWidth is what a number of four characters takes.
const labelWidth = 28

// Figure draws the spans.
func (s Spans) Figure() (Figure, error) {
	high := 0.0
	for _, r := range s.Rows {
		for _, v := range []*float64{r.Value, r.Low, r.High} {
			if v != nil {
				if err := finite(s.ID, *v); err != nil {
					return Figure{}, err
				}
				high = max(high, *v)
			}
		}
	}
	x := newAxis(0, high, nameWidth, width-nameWidth-50)
	bottom := float64(rowsTop + rowHeight*len(s.Rows))
	d := rowsDrawing{X: x.ticks(plain), Top: px(rowsTop), Bottom: px(bottom), Label: px(bottom + 16)}
	t := Table{Columns: []string{"", s.Value, s.Span + ", from", s.Span + ", to", "reads as"}}
	used := map[Mark]bool{}
	for i, r := range s.Rows {
		row := place(r.Name, i)
		row.Mark = r.Mark
		if r.Low != nil && r.High != nil {
			row.Band, row.From, row.Width = true, px(x.at(*r.Low)), px(max(2, x.at(*r.High)-x.at(*r.Low)))
		}
		if r.Value != nil {
			used[r.Mark] = true
			row.Known, row.X, row.Text = true, px(x.at(*r.Value)), Number(r.Value, s.Digits)
			end := x.at(*r.Value)
			if r.High != nil {
				end = max(end, x.at(*r.High))
			}
			row.TextX = px(end + 10)
		}
		d.Rows = append(d.Rows, row)
		t.Rows = append(t.Rows, []string{r.Name, Number(r.Value, s.Digits), Number(r.Low, s.Digits), Number(r.High, s.Digits), s.MarkSays[r.Mark]})
	}
	at := bottom + 36
	for _, m := range []Mark{Circle, Diamond, Square, Ring} {
		if used[m] && s.MarkSays[m] != "" {
			d.Legend = append(d.Legend, legend{Mark: m, X: px(nameWidth + 6), Y: px(at), TextX: px(nameWidth + 18), Says: s.MarkSays[m]})
			at += 18
		}
	}
	return draw("spans", s.ID, s.Title, s.Says, at, d, t)
}

// place is a row with its name and its lines.
func place(name string, i int) spanRow {
	middle := float64(rowsTop+rowHeight*i) + rowHeight/2
	return spanRow{Name: short(name), Full: name, Middle: px(middle), Line: px(middle - 7)}
}

// Bars is a value for each name, with a line where all would be alike.
type Bars struct {
	ID, Title, Says string
	Value           string   // what it is, for the table's head
	Reference       *float64 // 1 where 1 is an even share
	Digits          int
	Rows            []Bar
}

// Bar is one row. Note stands in the table only.
type Bar struct {
	Name  string
	Value *float64
	Note  string
}

// Figure draws the bars.
func (b Bars) Figure() (Figure, error) {
	high := 0.0
	if b.Reference != nil {
		high = *b.Reference
	}
	noted := false
	for _, r := range b.Rows {
		if r.Value != nil {
			if err := finite(b.ID, *r.Value); err != nil {
				return Figure{}, err
			}
			high = max(high, *r.Value)
		}
		noted = noted || r.Note != ""
	}
	x := newAxis(0, high, nameWidth, width-nameWidth-50)
	bottom := float64(rowsTop + rowHeight*len(b.Rows))
	d := rowsDrawing{X: x.ticks(plain), Top: px(rowsTop), Bottom: px(bottom), Label: px(bottom + 16)}
	if b.Reference != nil {
		d.Reference = px(x.at(*b.Reference))
	}
	t := Table{Columns: []string{"", b.Value}}
	if noted {
		t.Columns = append(t.Columns, "remark")
	}
	for i, r := range b.Rows {
		row := place(r.Name, i)
		if r.Value != nil {
			row.Known, row.Width, row.From, row.Text = true, px(max(1, x.at(*r.Value)-x.begin)), px(x.begin), Number(r.Value, b.Digits)
			at := x.at(*r.Value) + 6
			if b.Reference != nil {
				if line := x.at(*b.Reference); at-4 < line && line < at+labelWidth {
					at = line + 6 // not under the line
				}
			}
			row.TextX = px(at)
		}
		d.Rows = append(d.Rows, row)
		cells := []string{r.Name, Number(r.Value, b.Digits)}
		if noted {
			cells = append(cells, r.Note)
		}
		t.Rows = append(t.Rows, cells)
	}
	return draw("bars", b.ID, b.Title, b.Says, bottom+26, d, t)
}

// Parts is a score for each name as the sum of its parts.
type Parts struct {
	ID, Title, Says string
	Names           []string // of the parts, at most three
	Total           string   // what their sum is
	Rows            []Part
}

// Part is one row; Values are in the order of Names and add up to the score.
type Part struct {
	Name   string
	Values []float64
}

type partRow struct {
	spanRow
	Pieces []piece
}

type piece struct {
	X, Width string
	Pattern  int
}

// Figure draws the stacked bars.
func (p Parts) Figure() (Figure, error) {
	high := 0.0
	for _, r := range p.Rows {
		sum := 0.0
		for _, v := range r.Values {
			sum += v
		}
		high = max(high, sum)
	}
	x := newAxis(0, max(1, high), nameWidth, width-nameWidth-50)
	bottom := float64(rowsTop + rowHeight*len(p.Rows))
	type drawing struct {
		rowsDrawing
		Rows []partRow
	}
	d := drawing{rowsDrawing: rowsDrawing{X: x.ticks(plain), Top: px(rowsTop), Bottom: px(bottom), Label: px(bottom + 16)}}
	t := Table{Columns: append(append([]string{""}, p.Names...), p.Total)}
	for i, r := range p.Rows {
		row := partRow{spanRow: place(r.Name, i)}
		cells := []string{r.Name}
		sum := 0.0
		for k, v := range r.Values {
			if err := finite(p.ID, v); err != nil {
				return Figure{}, err
			}
			row.Pieces = append(row.Pieces, piece{px(x.at(sum)), px(x.at(sum+v) - x.at(sum)), k})
			sum += v
			cells = append(cells, Number(&v, 2))
		}
		row.Text, row.TextX = Number(&sum, 2), px(x.at(sum)+6)
		d.Rows = append(d.Rows, row)
		t.Rows = append(t.Rows, append(cells, Number(&sum, 2)))
	}
	at := bottom + 38
	for k, name := range p.Names {
		d.Legend = append(d.Legend, legend{Pattern: k, X: px(nameWidth), Y: px(at - 10), TextX: px(nameWidth + 20), Says: name})
		if d.Legend[k].Says = name; k+1 < len(p.Names) {
			at += 18
		}
	}
	for i := range d.Legend {
		y, _ := strconv.ParseFloat(d.Legend[i].Y, 64)
		d.Legend[i].Y = px(math.Round(y))
	}
	return draw("parts", p.ID, p.Title, p.Says, at+12, d, t)
}
