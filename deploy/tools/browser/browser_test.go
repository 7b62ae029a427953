// Package browser holds the pages and the report to what a person with a browser
// meets: Chromium at three widths, keyboard and screen reader by axe-core, and
// paper.
//
// It needs FAIRLEAD_BINARY, chromium on the path (Debian: chromium), and
// axe-core, which `npm ci` in this folder fetches.
package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is for a machine that does much else.
const patience = 3 * time.Minute

// serveDemo runs the program on the generated organisation and returns its address.
func serveDemo(t *testing.T, args ...string) string {
	t.Helper()
	binary := os.Getenv("FAIRLEAD_BINARY")
	if binary == "" {
		t.Fatal("FAIRLEAD_BINARY is not set: run make verify")
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, binary, append([]string{"demo", "--now", "2026-09-30", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, args...)...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait() // it was interrupted
	})
	serving := regexp.MustCompile(`Serving (http://[^/]+)/`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := serving.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() {
				}
			}()
			return m[1]
		}
	}
	t.Fatalf("the demonstration did not serve: %s", said.String())
	return ""
}

// tab is a page of the browser that notes what goes wrong.
type tab struct {
	ctx context.Context

	mu       sync.Mutex
	trouble  []string
	requests []string
}

func open(t *testing.T) *tab {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is not installed (Debian: chromium)")
	}
	// No sandbox: it does not work as root in a container, and only our own pages are shown.
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(browser), chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, done := chromedp.NewContext(allocator)
	ctx, cancel := context.WithTimeout(ctx, 10*patience)
	t.Cleanup(func() { cancel(); done(); stop() })
	one := &tab{ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		one.mu.Lock()
		defer one.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				one.trouble = append(one.trouble, fmt.Sprintf("console: %v", e.Args))
			}
		case *runtime.EventExceptionThrown:
			one.trouble = append(one.trouble, "exception: "+e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			one.trouble = append(one.trouble, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			one.requests = append(one.requests, e.Request.URL)
		}
	})
	if err := chromedp.Run(ctx, network.Enable(), log.Enable(), runtime.Enable()); err != nil {
		t.Fatal(err)
	}
	return one
}

// visit goes to an address and says what went wrong since.
func (b *tab) visit(t *testing.T, address string, width int64, dark bool) (trouble []string) {
	t.Helper()
	b.mu.Lock()
	b.trouble, b.requests = nil, nil
	b.mu.Unlock()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	if err := chromedp.Run(b.ctx,
		emulation.SetDeviceMetricsOverride(width, 900, 1, width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.Navigate(address),
		chromedp.WaitReady("main"),
	); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	var scrolls bool
	if err := chromedp.Run(b.ctx, chromedp.Evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth + 1`, &scrolls)); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	trouble = slices.Clone(b.trouble)
	if scrolls {
		trouble = append(trouble, "the page is wider than the window")
	}
	from, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range b.requests {
		if u, err := url.Parse(r); err != nil || u.Scheme != "data" && (u.Scheme != from.Scheme || u.Host != from.Host) {
			trouble = append(trouble, "it asks for "+r)
		}
	}
	return trouble
}

// axe reports what axe-core finds serious.
func (b *tab) axe(t *testing.T) (findings []string) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v: run npm ci in this folder", err)
	}
	var result string
	err = chromedp.Run(b.ctx,
		chromedp.Evaluate(string(script)+"; true", nil),
		chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary)}))))`, &result,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
	)
	if err != nil {
		t.Fatal(err)
	}
	var violations []struct {
		ID, Impact, Help string
		Nodes            []string
	}
	if err := json.Unmarshal([]byte(result), &violations); err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			findings = append(findings, fmt.Sprintf("%s (%s): %s\n%s", v.ID, v.Impact, v.Help, strings.Join(v.Nodes, "\n")))
		}
	}
	return findings
}

// print makes a PDF and says how many sheets it has.
func (b *tab) print(t *testing.T, wide, high float64) (sheets int) {
	t.Helper()
	var pdf []byte
	if err := chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().WithPaperWidth(wide).WithPaperHeight(high).WithPrintBackground(true).Do(ctx)
		return err
	})); err != nil {
		t.Fatal(err)
	}
	return len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1))
}

func TestPages(t *testing.T) {
	base := serveDemo(t)
	b := open(t)
	paths := []string{"/", "/areas", "/collection", "/method", "/access", "/reports", "/team?team=Payments", "/area?area=Billing+ledger"}

	// The page of somebody, as one comes to it: by a link of a team.
	if trouble := b.visit(t, base+"/team?team=Payments", 1280, false); len(trouble) > 0 {
		t.Fatal(trouble)
	}
	var link string
	if err := chromedp.Run(b.ctx, chromedp.AttributeValue(`a[href^="/engineer"]`, "href", &link, nil, chromedp.ByQuery)); err != nil {
		t.Fatal(err)
	}
	paths = append(paths, link)

	for _, path := range paths {
		for _, width := range []int64{360, 1280, 3840} {
			for _, dark := range []bool{false, true} {
				for _, trouble := range b.visit(t, base+path, width, dark) {
					t.Errorf("%s at %d px, dark %v: %s", path, width, dark, trouble)
				}
				if width == 3840 {
					continue // only wider
				}
				for _, finding := range b.axe(t) {
					t.Errorf("%s at %d px, dark %v: %s", path, width, dark, finding)
				}
			}
		}
		for paper, size := range map[string][2]float64{"A4": {8.27, 11.69}, "Letter": {8.5, 11}} {
			if sheets := b.print(t, size[0], size[1]); sheets < 1 || sheets > 12 {
				t.Errorf("%s takes %d sheets of %s", path, sheets, paper)
			}
		}
	}

	// With the keyboard alone: the first stop leads to the content.
	b.visit(t, base+"/", 1280, false)
	var first, where string
	if err := chromedp.Run(b.ctx, chromedp.KeyEvent("\t"), chromedp.Evaluate(`document.activeElement.textContent`, &first), chromedp.KeyEvent("\r"), chromedp.Evaluate(`location.hash`, &where)); err != nil {
		t.Fatal(err)
	}
	if first != "To the content" || where != "#content" {
		t.Errorf("the first stop is %q and leads to %q", first, where)
	}

	// What cannot be had says so, and is a page like the others.
	for _, trouble := range b.visit(t, base+"/team?team=none", 360, false) {
		if !strings.Contains(trouble, "404") {
			t.Error(trouble)
		}
	}
	for _, finding := range b.axe(t) {
		t.Error(finding)
	}
}

// Without a roster the pages say that what they show are queues.
func TestQueues(t *testing.T) {
	base := serveDemo(t, "--no-roster")
	b := open(t)
	for _, path := range []string{"/", "/team?team=PAY", "/collection"} {
		for _, width := range []int64{360, 1280} {
			for _, trouble := range b.visit(t, base+path, width, false) {
				t.Errorf("%s at %d px: %s", path, width, trouble)
			}
		}
		for _, finding := range b.axe(t) {
			t.Errorf("%s: %s", path, finding)
		}
		var text string
		if err := chromedp.Run(b.ctx, chromedp.Evaluate(`document.body.innerText`, &text)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, "these are queues, not teams") {
			t.Errorf("%s does not say that queues are not teams:\n%s", path, text)
		}
	}
}
