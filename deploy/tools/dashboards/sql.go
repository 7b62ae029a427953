package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// clickhouse is the plugin of the data source. A query as its version 3 writes
// them (that is the one for Grafana 9.3) is read by version 4 and later too.
const clickhouse = "grafana-clickhouse-datasource"

// warehouse is the ClickHouse that the reader chooses.
var warehouse = common.DataSourceRef{Type: cog.ToPtr(clickhouse), Uid: cog.ToPtr("${clickhouse}")}

// Formats of an answer, as the plugin counts them.
const (
	asSeries = 0
	asTable  = 1
)

// sqlQuery is a query of the plugin, which the SDK does not know.
type sqlQuery struct {
	Datasource common.DataSourceRef `json:"datasource"`
	RefID      string               `json:"refId"`
	QueryType  string               `json:"queryType"`
	Format     int                  `json:"format"`
	RawSQL     string               `json:"rawSql"`
}

func (sqlQuery) ImplementsDataqueryVariant()            {}
func (sqlQuery) DataqueryType() string                  { return clickhouse }
func (sqlQuery) Validate() error                        { return nil }
func (q sqlQuery) Equals(other variants.Dataquery) bool { return q == other }
func (q sqlQuery) Build() (variants.Dataquery, error)   { return q, nil }

func sql(i, format int, text string) cog.Builder[variants.Dataquery] {
	return sqlQuery{warehouse, refID(i), "sql", format, text}
}

// chosen adds a variable filled by SQL, of which several can be chosen. All are
// those that are listed.
func (p *page) chosen(name, title, text string) *page {
	p.WithVariable(everything(dashboard.NewQueryVariableBuilder(name).Label(title).Datasource(warehouse).
		Query(dashboard.StringOrMap{String: cog.ToPtr(text)}).Definition(text).
		Refresh(dashboard.VariableRefreshOnDashboardLoad).Sort(dashboard.VariableSortAlphabeticalCaseInsensitiveAsc)))
	return p
}

// counted shows one value of a query.
func (p *page) counted(width uint32, title, about, unit, text string, levels ...level) {
	p.WithPanel(stat.NewPanelBuilder().Id(p.next()).Title(title).Description(about).Datasource(warehouse).
		Span(width).Height(4).Unit(unit).Thresholds(steps(levels)).NoValue("not known").Orientation(common.VizOrientationAuto).
		GraphMode(common.BigValueGraphModeNone).ColorMode(common.BigValueColorModeValue).ReduceOptions(last()).
		WithTarget(sql(0, asTable, text)))
}

// listing shows the rows of a query, its columns under their own names. Those
// given are numbers; the others are words.
func (p *page) listing(width, height uint32, title, about, text string, columns ...column) {
	b := table.NewPanelBuilder().Id(p.next()).Title(title).Description(about).Datasource(warehouse).
		Span(width).Height(height).NoValue("").Filterable(true).MinWidth(narrow).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{"sum"})).
		WithTarget(sql(0, asTable, text))
	for _, c := range columns {
		b.OverrideByName(c.name, c.properties())
	}
	p.WithPanel(b)
}

// course shows how values of queries went; each gives a time and its numbers.
func (p *page) course(width, height uint32, title, about, unit string, texts ...string) {
	b := p.plain(width, height, title, about, unit).Datasource(warehouse)
	for i, text := range texts {
		b.WithTarget(sql(i, asSeries, text))
	}
	p.WithPanel(b)
}

var _ variants.Dataquery = sqlQuery{}
