package chart

import "strconv"

// Lorenz is how a sum of work lies with those who carry it, ordered from the
// least relative load, beside the band in which luck alone would leave it.
type Lorenz struct {
	ID, Title, Says string
	// Curve begins at (0, 0) and ends at (1, 1): the share of the work that lies
	// with so much of the capacity. Low and High are the ends of the chance band
	// at the same places; both nil without one.
	Curve     []Point
	Low, High []float64
}

// Point is a place on a curve.
type Point struct{ X, Y float64 }

type lorenzDrawing struct {
	Curve, Band string
	X, Y        []tick
	Dots        []Dot
}

// Dot is a place in a drawing.
type Dot struct{ X, Y string }

const (
	lorenzSide   = 300
	lorenzLeft   = 60
	lorenzTop    = 12
	lorenzHeight = lorenzTop + lorenzSide + 48
)

// Figure draws the curve.
func (l Lorenz) Figure() (Figure, error) {
	x := axis{low: 0, high: 1, step: 0.25, begin: lorenzLeft, length: lorenzSide}
	y := axis{low: 0, high: 1, step: 0.25, begin: lorenzTop + lorenzSide, length: -lorenzSide}
	d := lorenzDrawing{X: x.ticks(percent), Y: y.ticks(percent)}
	t := Table{Columns: []string{"share of the capacity, least loaded first", "share of the work", "if even"}}
	band := len(l.Low) == len(l.Curve) && len(l.High) == len(l.Curve) && len(l.Curve) > 0
	if band {
		t.Columns = append(t.Columns, "by luck, from", "by luck, to")
	}
	back := ""
	for i, p := range l.Curve {
		if err := finite(l.ID, p.X, p.Y); err != nil {
			return Figure{}, err
		}
		place := px(x.at(p.X)) + "," + px(y.at(p.Y))
		d.Curve += place + " "
		if i > 0 && i+1 < len(l.Curve) {
			d.Dots = append(d.Dots, Dot{px(x.at(p.X)), px(y.at(p.Y))})
		}
		row := []string{fine(p.X), fine(p.Y), fine(p.X)}
		if band {
			if err := finite(l.ID, l.Low[i], l.High[i]); err != nil {
				return Figure{}, err
			}
			d.Band += px(x.at(p.X)) + "," + px(y.at(l.High[i])) + " "
			back = px(x.at(p.X)) + "," + px(y.at(l.Low[i])) + " " + back
			row = append(row, fine(l.Low[i]), fine(l.High[i]))
		}
		t.Rows = append(t.Rows, row)
	}
	d.Band += back
	return draw("lorenz", l.ID, l.Title, l.Says, lorenzHeight, d, t)
}

func fine(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + " %" }
