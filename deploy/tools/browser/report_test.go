package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// reportsOf makes the reports of the generated organisation for all audiences and
// returns their files.
func reportsOf(t *testing.T) map[string]string {
	t.Helper()
	binary := os.Getenv("FAIRLEAD_BINARY")
	if binary == "" {
		t.Fatal("FAIRLEAD_BINARY is not set: run make verify")
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), binary, append(args, "--data", data)...).CombinedOutput()
		if err != nil {
			t.Fatalf("fairlead %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	said := run("demo", "--once", "--now", "2026-10-05")
	if !strings.Contains(said, "The fairness report of the last quarter: "+data) {
		t.Errorf("the demonstration does not say where the report is:\n%s", said)
	}
	who := regexp.MustCompile(`- ([a-z]+-[a-z]+-[a-z0-9]{4}) carries`).FindStringSubmatch(said)
	if who == nil {
		t.Fatalf("nobody stands out in the demonstration:\n%s", said)
	}
	files := map[string]string{}
	for audience, args := range map[string][]string{"group": nil, "lead": {"--team", "Payments", "--names"}, "self": {"--engineer", who[1]}} {
		files[audience] = filepath.Join(dir, audience+".html")
		run(append([]string{"report", "--audience", audience, "--output", files[audience]}, args...)...)
	}
	return files
}

// TestReport: the report as a file, on screens and on paper.
func TestReport(t *testing.T) {
	files := reportsOf(t)
	b := open(t)
	for audience, file := range files {
		address := "file://" + file
		for _, width := range []int64{360, 1280, 3840} {
			for _, dark := range []bool{false, true} {
				for _, trouble := range b.visit(t, address, width, dark) {
					t.Errorf("%s at %d px, dark %v: %s", audience, width, dark, trouble)
				}
				if width == 3840 {
					continue // only wider
				}
				for _, finding := range b.axe(t) {
					t.Errorf("%s at %d px, dark %v: %s", audience, width, dark, finding)
				}
			}
		}
		// Paper: the width and height inside the margins, in CSS pixels.
		for paper, size := range map[string]struct {
			wide, high    float64
			inside, depth int64
		}{"A4": {8.27, 11.69, 680, 990}, "Letter": {8.5, 11, 702, 923}} {
			if sheets := b.print(t, size.wide, size.high); sheets < 5 || sheets > 16 {
				t.Errorf("%s takes %d sheets of %s", audience, sheets, paper)
			}
			var broken []string
			if err := chromedp.Run(b.ctx,
				emulation.SetDeviceMetricsOverride(size.inside, size.depth, 1, false),
				emulation.SetEmulatedMedia().WithMedia("print"),
				chromedp.Evaluate(`[...document.querySelectorAll("figure, tr, .plain")].filter(e => e.getBoundingClientRect().height > innerHeight || getComputedStyle(e).breakInside !== "avoid" && e.tagName !== "P").map(e => e.tagName + " " + e.id)`, &broken),
			); err != nil {
				t.Fatal(err)
			}
			if len(broken) > 0 {
				t.Errorf("%s on %s would be cut: %v", audience, paper, broken)
			}
			var wide []string
			if err := chromedp.Run(b.ctx, chromedp.Evaluate(`[...document.querySelectorAll("table, svg, h2")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + " " + e.textContent.slice(0, 60))`, &wide)); err != nil {
				t.Fatal(err)
			}
			if len(wide) > 0 {
				t.Errorf("%s on %s is cut at the right: %v", audience, paper, wide)
			}
			var colours string
			if err := chromedp.Run(b.ctx, chromedp.Evaluate(`getComputedStyle(document.documentElement).backgroundColor`, &colours)); err != nil {
				t.Fatal(err)
			}
			if colours != "rgb(255, 255, 255)" {
				t.Errorf("%s prints on %s", audience, colours)
			}
		}
		if err := chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
			return emulation.SetEmulatedMedia().WithMedia("").Do(ctx)
		})); err != nil {
			t.Fatal(err)
		}
	}
}
