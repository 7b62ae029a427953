//go:build verify

package asana_test

import (
	"errors"
	"testing"
	"time"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/contracttest"
)

// TestVerifyPrism lets the connector read what Prism serves of Asana's
// description: examples, and answers that it makes up. It keeps no state and
// ends no page. No request may be one that the description does not know, and
// every reading has an end. As a proxy, Prism holds requests and the fake's
// answers to the description, beside TestVerifyContract's validator.
func TestVerifyPrism(t *testing.T) {
	for _, mode := range []string{"examples", "made up"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			var args []string
			if mode == "made up" {
				args = []string{"--dynamic"}
			}
			w := contracttest.Watch(false)
			cfg := asana.DefaultConfig()
			cfg.URL, cfg.Token, cfg.Projects, cfg.Sections = contracttest.Prism(t, description(t, false), asanatest.Prefix, "mock", args...), "token", []string{"12345"}, asana.SectionsAreas
			src, err := asana.New(cfg, asana.Options{Transport: w})
			if err != nil {
				t.Fatal(err)
			}
			_, errs := contracttest.UseAll(t, src, []string{"12345"})
			for _, err := range errs {
				if !errors.Is(err, source.ErrUnreadable) {
					t.Error(err)
				}
			}
			w.Report(t)
		})
	}
	t.Run("proxy", func(t *testing.T) {
		t.Parallel()
		f := newOffice(t, asanatest.Options{})
		var gids []string
		for range 120 {
			gid := f.create("", asanatest.AddTo(f.migration, ""), asanatest.Assign(f.ann))
			f.edit(gid, f.bob, asanatest.Assign(f.bob), asanatest.SetEnum(f.phase, "In progress"), asanatest.MoveTo(f.doing))
			gids = append(gids, gid)
		}
		f.create(gids[0], asanatest.Assign(f.bob))
		f.wait(time.Hour)
		w := contracttest.Watch(true)
		url := contracttest.Prism(t, description(t, true), asanatest.Prefix, "proxy", f.server.URL)
		src := f.connect(func(c *asana.Config) { c.URL, c.Sections = url, asana.SectionsAreas }, w)
		tickets, errs := contracttest.UseAll(t, src, gids[:3])
		for _, err := range errs {
			t.Error(err)
		}
		if tickets < 121 {
			t.Errorf("%d tickets", tickets)
		}
		w.Report(t)
	})
}
