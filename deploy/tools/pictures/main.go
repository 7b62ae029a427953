// Command pictures takes those of the README from a running demonstration.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// pictures are what is shown: a page, and how much of it.
var pictures = []struct {
	name, path string
	height     int64
}{
	{"teams", "/", 1760},
	{"team", "/team?team=Payments", 1500},
	{"knowledge", "/areas", 1000},
}

const width = 1100

func main() {
	url := flag.String("url", "http://127.0.0.1:9464", "address of a running demonstration")
	out := flag.String("out", "../pictures", "folder to write to")
	browser := flag.String("browser", "chromium", "the browser's command")
	flag.Parse()
	if err := take(*url, *out, *browser); err != nil {
		log.Fatal(err)
	}
}

func take(url, out, browser string) error {
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(browser), chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, done := chromedp.NewContext(allocator)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, p := range pictures {
		var png []byte
		if err := chromedp.Run(ctx,
			emulation.SetDeviceMetricsOverride(width, p.height, 1, false),
			chromedp.Navigate(url+p.path), chromedp.WaitReady("main"), chromedp.CaptureScreenshot(&png),
		); err != nil {
			return fmt.Errorf("taking %s of %s: %w", p.name, url, err)
		}
		if err := os.WriteFile(filepath.Join(out, p.name+".png"), png, 0o644); err != nil {
			return err
		}
	}
	return nil
}
