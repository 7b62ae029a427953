package chart

// Heat is a value for each name and week, darker for more.
type Heat struct {
	ID, Title, Says string
	Columns         []string // short: they stand over cells
	Digits          int
	Rows            []HeatRow
}

// HeatRow is one row; a nil value is not known.
type HeatRow struct {
	Name   string
	Values []*float64
}

type heatCell struct {
	X, Y, Width, Middle, Base, Text string
	Level                           int
	Known                           bool
}

type heatDrawing struct {
	Heads []tick
	Rows  []heatRowDrawing
}

type heatRowDrawing struct {
	spanRow
	Cells []heatCell
}

const (
	heatTop    = 26
	heatLevels = 5
)

// Figure draws the cells.
func (h Heat) Figure() (Figure, error) {
	high := 0.0
	for _, r := range h.Rows {
		for _, v := range r.Values {
			if v != nil {
				if err := finite(h.ID, *v); err != nil {
					return Figure{}, err
				}
				high = max(high, *v)
			}
		}
	}
	n := max(1, len(h.Columns))
	cell := float64(width-nameWidth) / float64(n)
	d := heatDrawing{}
	t := Table{Columns: []string{""}}
	for i, c := range h.Columns {
		// At least 34 units a label.
		if every := int(34/cell) + 1; i%every == 0 {
			d.Heads = append(d.Heads, tick{px(min(nameWidth+cell*(float64(i)+0.5), width-20)), c})
		}
		t.Columns = append(t.Columns, c)
	}
	for i, r := range h.Rows {
		y := float64(heatTop + rowHeight*i)
		row := heatRowDrawing{spanRow: spanRow{Name: short(r.Name), Full: r.Name, Middle: px(y + rowHeight/2)}}
		cells := []string{r.Name}
		for k, v := range r.Values {
			c := heatCell{X: px(nameWidth + cell*float64(k) + 1), Y: px(y + 1), Width: px(cell - 2), Middle: px(nameWidth + cell*(float64(k)+0.5)), Base: px(y + rowHeight/2)}
			if v != nil {
				c.Known, c.Text = true, Number(v, h.Digits)
				if high > 0 {
					c.Level = min(heatLevels-1, int(heatLevels**v/high))
				}
			}
			row.Cells = append(row.Cells, c)
			cells = append(cells, Number(v, h.Digits))
		}
		for len(cells) < len(t.Columns) {
			cells = append(cells, "–")
		}
		d.Rows, t.Rows = append(d.Rows, row), append(t.Rows, cells)
	}
	return draw("heat", h.ID, h.Title, h.Says, float64(heatTop+rowHeight*len(h.Rows)+4), d, t)
}
