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

// The files must load in Grafana 9.3 and later, so they are of its schema and
// plugin version, from which later ones migrate. What that rules out here:
//   - cell options of tables (custom.cellOptions, schema 38): it is
//     custom.displayMode, which is migrated;
//   - links and variables in the controls menu, which 12 has;
//   - the panels and transformations that came later, and libraries of panels;
//   - $__rate_interval is there, and @ end() wherever Prometheus is 2.33 or later.
const (
	schemaVersion = 37
	pluginVersion = "9.3.0"
)

// narrow and named are how wide, in pixels, a column of numbers and one of names
// is at least: so that the widest table fits a laptop without being moved
// sideways (Grafana's own least width is 150 for every column).
const (
	narrow = 70
	named  = 160
)

// tag joins the dashboards to each other.
const tag = "fairlead"

// home is where Fairlead's own pages are found, unless told otherwise. It is a
// hidden variable of each dashboard, to be changed in one place.
const home = "http://127.0.0.1:9464"

// yesterday and lastWeek, in milliseconds, are how long a line goes on to the next
// point: one sample a day, or where the history has no more one a week, makes a
// line, and more time without any is a gap.
const (
	yesterday = 26 * 60 * 60 * 1000
	lastWeek  = 8 * 24 * 60 * 60 * 1000
)

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

// level0 is for what has no threshold.
var level0 = []level{{0, plain}}

// column is of a table: what stands in it for each row.
type column struct {
	name, expr, unit string
	decimals         int
	levels           []level
	words            map[string]string // instead of numbers
	link             string            // where the cell leads
	hidden           bool              // of a query that is there for its label alone
}

// page is a dashboard while it is made.
type page struct {
	*dashboard.DashboardBuilder
	ids      uint32
	windowed bool // has the variable window
	lonely   bool // its choices are not carried along by the links above the panels
}

func newPage(uid, title, about, from, own, ownPath string) *page {
	return (&page{DashboardBuilder: dashboard.NewDashboardBuilder(title)}).frame(uid, about, from, own, ownPath).
		source("datasource", "Prometheus", "prometheus")
}

// frame is what all dashboards have, links to Fairlead's own page of the same
// matter and to its reports among it.
func (p *page) frame(uid, about, from, own, ownPath string) *page {
	link := func(title, path, tip string) cog.Builder[dashboard.DashboardLink] {
		return dashboard.NewDashboardLinkBuilder(title).Type(dashboard.DashboardLinkTypeLink).Icon("external link").
			Url("${fairlead}" + path).Tooltip(tip).TargetBlank(true)
	}
	p.Uid(uid).Description(about).Tags([]string{tag}).Timezone("browser").
		Time(from, "now").Refresh("5m").Readonly().Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Link(dashboard.NewDashboardLinkBuilder("Fairlead").Type(dashboard.DashboardLinkTypeDashboards).
			Tags([]string{tag}).AsDropdown(true).IncludeVars(true).KeepTime(true).Tooltip("The other dashboards of Fairlead")).
		Link(link(own, ownPath, "The same on Fairlead's own pages, with the tickets behind it for those who may see them")).
		Link(link("Reports", "/reports", "The report of each quarter, in words and with intervals")).
		Link(link("How it is measured", "/method", "What each figure is, and where it comes from"))
	p.WithVariable(dashboard.NewConstantVariableBuilder("fairlead").Label("Address of Fairlead").
		Value(dashboard.StringOrMap{String: cog.ToPtr(home)}))
	return p
}

// source adds the variable by which the reader chooses a data source.
func (p *page) source(name, label, kind string) *page {
	p.WithVariable(dashboard.NewDatasourceVariableBuilder(name).Label(label).Type(kind))
	return p
}

// choice adds a variable filled with the values of a label. Of several, All are
// whatever there is, listed or not.
func (p *page) choice(name, title, metric string, several bool) *page {
	return p.choiceOf(name, name, title, metric, several)
}

// choiceOf is choice under another name than the label's: links carry variables
// along by name, and where one page wants one team and another several, All
// would be no team.
func (p *page) choiceOf(name, label, title, metric string, several bool) *page {
	v := p.values(name, label, title, metric)
	if several {
		everything(v).AllValue(".*")
	}
	if name == "window" {
		p.windowed = true
		longest := dashboard.StringOrArrayOfString{String: cog.ToPtr("90d")}
		v.Current(dashboard.VariableOption{Selected: cog.ToPtr(true), Text: longest, Value: longest})
	}
	p.WithVariable(v)
	return p
}

// listed is choice for several, where All are those that are listed.
func (p *page) listed(name, label, title, metric string) *page {
	p.WithVariable(everything(p.values(name, label, title, metric)))
	return p
}

func (p *page) values(name, label, title, metric string) *dashboard.QueryVariableBuilder {
	definition := fmt.Sprintf("label_values(%s, %s)", metric, label)
	return dashboard.NewQueryVariableBuilder(name).Label(title).Datasource(source).
		Query(dashboard.StringOrMap{Map: map[string]any{"query": definition, "refId": "variable-" + name}}).
		Definition(definition).Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalCaseInsensitiveAsc)
}

func everything(v *dashboard.QueryVariableBuilder) *dashboard.QueryVariableBuilder {
	all := dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}}
	return v.Multi(true).IncludeAll(true).Current(dashboard.VariableOption{
		Selected: cog.ToPtr(true), Text: all, Value: dashboard.StringOrArrayOfString{ArrayOfString: []string{"$__all"}},
	})
}

// to leads to the dashboard of something, which its variable names. The time
// and the data source go along, and the window where this page has it.
func (p *page) to(uid, variable, value string) string {
	address := "/d/" + uid + "?${datasource:queryparam}&${__url_time_range}"
	if p.windowed {
		address += "&${window:queryparam}"
	}
	return address + "&var-" + variable + "=" + value
}

// Where a name leads that stands in a cell, or is a label of a line or a bar.
func (p *page) toTeam(value string) string     { return p.to("fairlead-team", "team", value) }
func (p *page) toArea(value string) string     { return p.to("fairlead-knowledge", "area", value) }
func (p *page) toEngineer(value string) string { return p.to("fairlead-engineer", "engineer", value) }

const cell = "${__value.raw:percentencode}"

func label(name string) string { return "${__field.labels." + name + ":percentencode}" }

// leads is the property by which all of a panel's values lead somewhere.
func leads(title, address string) []dashboard.DynamicConfigValue {
	return []dashboard.DynamicConfigValue{{Id: "links", Value: []map[string]any{{"title": title, "url": address}}}}
}

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

// between is, among words, for what is neither 0 nor 1 but between them. A value
// that is named by itself comes before.
const between = "between"

func mapping(words map[string]string) []dashboard.ValueMapping {
	if len(words) == 0 {
		return nil
	}
	options := map[string]dashboard.ValueMappingResult{}
	list := []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
	for value, word := range words {
		result := dashboard.ValueMappingResult{Text: cog.ToPtr(word)}
		if value == between {
			list = append(list, dashboard.ValueMapping{RangeMap: &dashboard.RangeMap{Type: dashboard.MappingTypeRangeToText, Options: dashboard.DashboardRangeMapOptions{
				From: cog.ToPtr(0.0), To: cog.ToPtr(1.0), Result: result,
			}}})
			continue
		}
		options[value] = result
	}
	return list
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
func (p *page) note(width, height uint32, content string) {
	p.WithPanel(text.NewPanelBuilder().Id(p.next()).Title("How to read this").Description("What this page shows, in words.").
		Span(width).Height(height).Mode(text.TextModeMarkdown).Content(content))
}

// number shows one value of now.
func (p *page) number(width uint32, title, about, unit, expr string, words map[string]string, levels ...level) *stat.PanelBuilder {
	b := stat.NewPanelBuilder().Id(p.next()).Title(title).Description(about).Datasource(source).
		Span(width).Height(4).Unit(unit).Thresholds(steps(levels)).Mappings(mapping(words)).NoValue("not known").Orientation(common.VizOrientationAuto).
		GraphMode(common.BigValueGraphModeNone).ColorMode(common.BigValueColorModeValue).ReduceOptions(last()).
		WithTarget(now(0, query{expr, ""}))
	p.WithPanel(b)
	return b
}

// bars shows the values of now beside each other, the greatest first, from 0 on.
func (p *page) bars(width, height uint32, title, about, unit string, q query, levels ...level) *bargauge.PanelBuilder {
	return p.balance(width, height, title, about, unit, q, levels...).Min(0)
}

// balance is bars for values on both sides of 0.
func (p *page) balance(width, height uint32, title, about, unit string, q query, levels ...level) *bargauge.PanelBuilder {
	q.expr = "sort_desc(" + q.expr + ")"
	b := bargauge.NewPanelBuilder().Id(p.next()).Title(title).Description(about).Datasource(source).
		Span(width).Height(height).Unit(unit).Thresholds(steps(levels)).NoValue("nothing to show").
		Orientation(common.VizOrientationHorizontal).DisplayMode(common.BarGaugeDisplayModeBasic).
		ShowUnfilled(true).ReduceOptions(last()).WithTarget(now(0, q))
	p.WithPanel(b)
	return b
}

// lines shows how values went.
func (p *page) lines(width, height uint32, title, about, unit string, queries ...query) *timeseries.PanelBuilder {
	b := p.plain(width, height, title, about, unit).Datasource(source)
	for i, q := range queries {
		if weekly.MatchString(q.expr) {
			b.SpanNulls(common.BoolOrFloat64{Float64: cog.ToPtr[float64](lastWeek)})
		}
		b.WithTarget(prometheus.NewDataqueryBuilder().Datasource(source).RefId(refID(i)).Expr(q.expr).LegendFormat(q.legend).
			Range().Interval("1m").Format(prometheus.PromQueryFormatTimeSeries).EditorMode(prometheus.QueryEditorModeCode))
	}
	p.WithPanel(b)
	return b
}

// plain is a panel of lines without queries.
func (p *page) plain(width, height uint32, title, about, unit string) *timeseries.PanelBuilder {
	return timeseries.NewPanelBuilder().Id(p.next()).Title(title).Description(about).
		Span(width).Height(height).Unit(unit).AxisSoftMin(0).LineWidth(2).FillOpacity(0).NoValue("nothing to show").
		ShowPoints(common.VisibilityModeAuto).SpanNulls(common.BoolOrFloat64{Float64: cog.ToPtr[float64](yesterday)}).
		Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).ShowLegend(true)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
}

// rows shows a table of now. The labels are its first columns, under the names
// given; each expression has to have these labels and no others.
func (p *page) rows(width, height uint32, title, about string, labels []column, columns ...column) {
	b := table.NewPanelBuilder().Id(p.next()).Title(title).Description(about).Datasource(source).
		Span(width).Height(height).NoValue("").MinWidth(narrow).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{"sum"}))
	if len(columns) > 1 {
		// What is greatest in the first column comes first, then in the second.
		b.SortBy([]cog.Builder[common.TableSortByFieldState]{
			common.NewTableSortByFieldStateBuilder().DisplayName(columns[0].name).Desc(true),
			common.NewTableSortByFieldStateBuilder().DisplayName(columns[1].name).Desc(true),
		})
	}
	exclude, rename, order := map[string]bool{"Time": true}, map[string]string{}, map[string]int{}
	for i, l := range labels {
		rename[l.expr], order[l.expr] = l.name, i
		set := []dashboard.DynamicConfigValue{{Id: "custom.filterable", Value: true}}
		if l.link != "" {
			set = append(set, leads("Open", l.link)...)
			set = append(set, dashboard.DynamicConfigValue{Id: "custom.minWidth", Value: named})
		}
		if len(l.words) > 0 {
			set = append(set, dashboard.DynamicConfigValue{Id: "mappings", Value: mapping(l.words)})
		}
		b.OverrideByName(l.name, set)
	}
	for i, c := range columns {
		field := "Value"
		if len(columns) > 1 {
			field = "Value #" + refID(i)
		}
		b.WithTarget(now(i, query{c.expr, ""}).Format(prometheus.PromQueryFormatTable))
		if c.hidden {
			exclude[field] = true
			continue
		}
		rename[field], order[field] = c.name, len(labels)+i
		b.OverrideByName(c.name, c.properties())
	}
	b.WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}}).
		WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
			"excludeByName": exclude, "renameByName": rename, "indexByName": order,
		}})
	p.WithPanel(b)
}

// properties are how a column of numbers looks.
func (c column) properties() []dashboard.DynamicConfigValue {
	set := []dashboard.DynamicConfigValue{{Id: "unit", Value: c.unit}}
	if c.unit != "s" {
		set = append(set, dashboard.DynamicConfigValue{Id: "decimals", Value: c.decimals})
	}
	if c.link != "" {
		set = append(set, leads("Open", c.link)...)
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
	return set
}

// build is the dashboard as it is written.
func (p *page) build(address string) (dashboard.Dashboard, error) {
	d, err := p.Build()
	if err != nil {
		return d, err
	}
	d.SchemaVersion = schemaVersion
	for i := range d.Templating.List {
		if v := &d.Templating.List[i]; v.Type == dashboard.VariableTypeConstant {
			v.Query = &dashboard.StringOrMap{String: &address}
			v.SkipUrlSync = cog.ToPtr(true)
		}
	}
	for i := range d.Links {
		d.Links[i].Placement = nil // above the panels, as it was before there was a choice
		d.Links[i].IncludeVars = d.Links[i].IncludeVars && !p.lonely
	}
	for i := range d.Panels {
		if panel := d.Panels[i].Panel; panel != nil {
			panel.PluginVersion = cog.ToPtr(pluginVersion)
		}
	}
	return d, nil
}
