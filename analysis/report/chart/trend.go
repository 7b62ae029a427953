package chart

// Trend is how a value went from period to period, each series with a mark of
// its own.
type Trend struct {
	ID, Title, Says string
	Periods         []string
	Digits          int
	Zero            string // what 0 means: it is drawn as a line
	Series          []Series
}

// Series is one line; a nil value is not known.
type Series struct {
	Name   string
	Values []*float64
	Mark   Mark
}

type trendSeries struct {
	Name, Text, TextX, TextY string
	Lines                    []string // a gap where a value is not known
	Dash                     int
	Dots                     []trendDot
}

type trendDot struct {
	X, Y, Text, TextY string
	Mark              Mark
}

type trendDrawing struct {
	X, Y         []tick
	Left, Right  string
	Bottom       string
	Zero, ZeroAt string
	Series       []trendSeries
}

const (
	trendLeft   = 48
	trendRight  = width - 110
	trendHeight = 220
	trendTop    = 16
)

// Figure draws the lines.
func (t Trend) Figure() (Figure, error) {
	low, high := 0.0, 0.0
	for _, s := range t.Series {
		for _, v := range s.Values {
			if v != nil {
				if err := finite(t.ID, *v); err != nil {
					return Figure{}, err
				}
				low, high = min(low, *v), max(high, *v)
			}
		}
	}
	y := newAxis(low, high, trendHeight-30, -(trendHeight - 30 - trendTop))
	n := len(t.Periods)
	at := func(i int) float64 {
		if n < 2 {
			return (trendLeft + trendRight) / 2
		}
		return trendLeft + 12 + float64(i)*float64(trendRight-trendLeft-24)/float64(n-1)
	}
	d := trendDrawing{Y: y.ticks(plain), Left: px(trendLeft), Right: px(trendRight), Bottom: px(trendHeight - 12), Zero: t.Zero, ZeroAt: px(y.at(0))}
	table := Table{Columns: []string{""}}
	for i, p := range t.Periods {
		d.X = append(d.X, tick{px(at(i)), p})
		table.Columns = append(table.Columns, p)
	}
	for k, s := range t.Series {
		one := trendSeries{Name: s.Name, Dash: k % 3, TextX: px(trendRight + 8)}
		row := []string{s.Name}
		gap := true
		for i := range t.Periods {
			var v *float64
			if i < len(s.Values) {
				v = s.Values[i]
			}
			row = append(row, Number(v, t.Digits))
			if v == nil {
				gap = true
				continue
			}
			x, h := px(at(i)), px(y.at(*v))
			if gap {
				one.Lines = append(one.Lines, "")
			}
			gap = false
			one.Lines[len(one.Lines)-1] += x + "," + h + " "
			dot := trendDot{X: x, Y: h, Mark: s.Mark, Text: Number(v, t.Digits), TextY: px(y.at(*v) - 8)}
			one.Dots = append(one.Dots, dot)
			one.TextY = h
		}
		one.Text = short(s.Name)
		d.Series, table.Rows = append(d.Series, one), append(table.Rows, row)
	}
	return draw("trend", t.ID, t.Title, t.Says, trendHeight, d, table)
}
