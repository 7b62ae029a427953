package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/text"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// The files must load in Grafana 9.3 and later. So they keep its schema and
// plugin version, from which later ones migrate, and its options, such as
// custom.displayMode of table cells.
const (
	schemaVersion = 37
	pluginVersion = "9.3.0"
)

// tag joins the dashboards to each other.
const tag = "fairlead"

// source is the Prometheus that the reader chooses.
var source = common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${datasource}")}

// level is from which value on a colour holds. The first of a list holds below.
type level struct {
	from  float64
	color string
}

const (
	green  = "green"
	yellow = "yellow"
	orange = "orange"
	red    = "red"
	blue   = "blue"
	plain  = "text"
)

// query is an expression and how its series are called.
type query struct{ expr, legend string }

// column is of a table: what stands in it for each row.
type column struct {
	name, expr, unit string
	levels           []level
	words            map[string]string // instead of numbers
	link             string            // of the label column: where a row leads
}

// page is a dashboard while it is made.
type page struct {
	*dashboard.DashboardBuilder
	ids uint32
}

func newPage(uid, title, about, from string) *page {
	p := &page{DashboardBuilder: dashboard.NewDashboardBuilder(title)}
	p.Uid(uid).Description(about).Tags([]string{tag}).Timezone("browser").
		Time(from, "now").Refresh("5m").Readonly().Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Link(dashboard.NewDashboardLinkBuilder("Fairlead").Type(dashboard.DashboardLinkTypeDashboards).
			Tags([]string{tag}).IncludeVars(true).KeepTime(true)).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Prometheus").Type("prometheus"))
	return p
}

// choice adds a variable filled with the values of a label.
func (p *page) choice(name, label, metric string, several bool) *page {
	definition := fmt.Sprintf("label_values(%s, %s)", metric, name)
	v := dashboard.NewQueryVariableBuilder(name).Label(label).Datasource(source).
		Query(dashboard.StringOrMap{Map: map[string]any{"query": definition, "refId": "variable-" + name}}).
		Definition(definition).Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalCaseInsensitiveAsc)
	if several {
		all := dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}}
		v.Multi(true).IncludeAll(true).AllValue(".*").Current(dashboard.VariableOption{
			Selected: cog.ToPtr(true), Text: all, Value: dashboard.StringOrArrayOfString{ArrayOfString: []string{"$__all"}},
		})
	}
	if name == "window" {
		longest := dashboard.StringOrArrayOfString{String: cog.ToPtr("90d")}
		v.Current(dashboard.VariableOption{Selected: cog.ToPtr(true), Text: longest, Value: longest})
	}
	p.WithVariable(v)
	return p
}

func (p *page) row(title string) { p.WithRow(dashboard.NewRowBuilder(title)) }

func (p *page) next() uint32 { p.ids++; return p.ids }

func steps(levels []level) cog.Builder[dashboard.ThresholdsConfig] {
	all := []dashboard.Threshold{}
	for i, l := range levels {
		t := dashboard.Threshold{Color: l.color}
		if i > 0 {
			t.Value = cog.ToPtr(l.from)
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		all = []dashboard.Threshold{{Color: blue}}
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(all)
}

func mapping(words map[string]string) []dashboard.ValueMapping {
	if len(words) == 0 {
		return nil
	}
	options := map[string]dashboard.ValueMappingResult{}
	for value, word := range words {
		options[value] = dashboard.ValueMappingResult{Text: cog.ToPtr(word)}
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
}

func refID(i int) string { return string(rune('A' + i)) }

func now(i int, q query) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().Datasource(source).RefId(refID(i)).Expr(q.expr).LegendFormat(q.legend).
		Instant().Format(prometheus.PromQueryFormatTimeSeries).EditorMode(prometheus.QueryEditorModeCode)
}

func last() cog.Builder[common.ReduceDataOptions] {
	return common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})
}

// note is text, in Markdown.
func (p *page) note(height uint32, title, content string) {
	p.WithPanel(text.NewPanelBuilder().Id(p.next()).Title(title).Description("What this page shows, in words.").
		Span(24).Height(height).Mode(text.TextModeMarkdown).Content(content))
}

// number shows one value of now.
func (p *page) number(width uint32, title, about, unit, expr string, words map[string]string, levels ...level) {
	b := stat.NewPanelBuilder().Id(p.next()).Title(title).Description(about).Datasource(source).
		Span(width).Height(4).Unit(unit).Thresholds(steps(levels)).Mappings(mapping(words)).NoValue("not known").
		GraphMode(common.BigValueGraphModeNone).ColorMode(common.BigValueColorModeValue).ReduceOptions(last()).
		WithTarget(now(0, query{expr, ""}))
	p.WithPanel(b)
}

// bars shows the values of now beside each other, the greatest first.
func (p *page) bars(width, height uint32, title, about, unit string, q query, levels ...level) {
	q.expr = "sort_desc(" + q.expr + ")"
	p.WithPanel(bargauge.NewPanelBuilder().Id(p.next()).Title(title).Description(about).Datasource(source).
		Span(width).Height(height).Unit(unit).Min(0).Thresholds(steps(levels)).NoValue("nothing to show").
		Orientation(common.VizOrientationHorizontal).DisplayMode(common.BarGaugeDisplayModeBasic).
		ShowUnfilled(true).ReduceOptions(last()).WithTarget(now(0, q)))
}

// lines shows how values went.
func (p *page) lines(width, height uint32, title, about, unit string, queries ...query) *timeseries.PanelBuilder {
	b := timeseries.NewPanelBuilder().Id(p.next()).Title(title).Description(about).Datasource(source).
		Span(width).Height(height).Unit(unit).AxisSoftMin(0).LineWidth(2).FillOpacity(0).NoValue("nothing to show").
		ShowPoints(common.VisibilityModeAuto).SpanNulls(common.BoolOrFloat64{Bool: cog.ToPtr(false)}).
		Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).ShowLegend(true)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	for i, q := range queries {
		b.WithTarget(prometheus.NewDataqueryBuilder().Datasource(source).RefId(refID(i)).Expr(q.expr).LegendFormat(q.legend).
			Range().Format(prometheus.PromQueryFormatTimeSeries).EditorMode(prometheus.QueryEditorModeCode))
	}
	p.WithPanel(b)
	return b
}

// rows shows a table of now. The labels are its first columns, under the names
// given; each expression has to have these labels and no others.
func (p *page) rows(width, height uint32, title, about string, labels []column, columns ...column) {
	b := table.NewPanelBuilder().Id(p.next()).Title(title).Description(about).Datasource(source).
		Span(width).Height(height).NoValue("").Filterable(true).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{"sum"}))
	exclude, rename, order := map[string]bool{"Time": true}, map[string]string{}, map[string]int{}
	for i, l := range labels {
		rename[l.expr], order[l.expr] = l.name, i
		if l.link != "" {
			b.OverrideByName(l.name, []dashboard.DynamicConfigValue{{Id: "links", Value: []map[string]any{{"title": "Open", "url": l.link}}}})
		}
	}
	for i, c := range columns {
		field := "Value"
		if len(columns) > 1 {
			field = "Value #" + refID(i)
		}
		rename[field], order[field] = c.name, len(labels)+i
		b.WithTarget(now(i, query{c.expr, ""}).Format(prometheus.PromQueryFormatTable))
		set := []dashboard.DynamicConfigValue{{Id: "unit", Value: c.unit}}
		if c.unit == "none" || c.unit == "percentunit" {
			decimals := 0
			if len(c.levels) > 0 && c.levels[len(c.levels)-1].from < 1 && c.unit == "none" {
				decimals = 2
			}
			set = append(set, dashboard.DynamicConfigValue{Id: "decimals", Value: decimals})
		}
		if len(c.words) > 0 {
			set = append(set, dashboard.DynamicConfigValue{Id: "mappings", Value: mapping(c.words)})
		}
		if len(c.levels) > 0 {
			config, err := steps(c.levels).Build()
			if err != nil {
				panic(err)
			}
			set = append(set, dashboard.DynamicConfigValue{Id: "thresholds", Value: config},
				dashboard.DynamicConfigValue{Id: "custom.displayMode", Value: "color-text"})
		}
		b.OverrideByName(c.name, set)
	}
	b.WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}}).
		WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
			"excludeByName": exclude, "renameByName": rename, "indexByName": order,
		}})
	p.WithPanel(b)
}

// build is the dashboard as it is written.
func (p *page) build() (dashboard.Dashboard, error) {
	d, err := p.Build()
	if err != nil {
		return d, err
	}
	d.SchemaVersion = schemaVersion
	for i := range d.Panels {
		if panel := d.Panels[i].Panel; panel != nil {
			panel.PluginVersion = cog.ToPtr(pluginVersion)
		}
	}
	return d, nil
}
