package collector_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/clickhouse/embedded"
)

// The test binary runs itself as the service that is killed, when the
// environment names the instance to collect and the data folder or the server.
const (
	crashURL      = "FAIRLEAD_COLLECTOR_TEST_URL"
	crashDir      = "FAIRLEAD_COLLECTOR_TEST_DIR"
	crashDSN      = "FAIRLEAD_COLLECTOR_TEST_DSN"
	crashUser     = "FAIRLEAD_COLLECTOR_TEST_USER"
	crashPassword = "FAIRLEAD_COLLECTOR_TEST_PASSWORD"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(crashURL); url != "" {
		embedded.RunChildIfAsked()
		if err := service(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	clickhousetest.Main(m)
}

// service collects once into the warehouse of a data folder or a server, and says
// on its standard output when it begins.
func service(url string) error {
	ctx := context.Background()
	db, err := clickhouse.Open(ctx, clickhouse.Options{
		Config:    clickhouse.Config{DSN: os.Getenv(crashDSN), User: os.Getenv(crashUser), Password: os.Getenv(crashPassword)},
		DataDir:   os.Getenv(crashDir),
		Surrogate: clickhousetest.Surrogate,
	})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		return err
	}
	src, err := connect(url)
	if err != nil {
		return err
	}
	fmt.Println("collecting")
	return collector.New(collector.DefaultConfig(), src, db, nil, nil, nil).Once(ctx)
}

// TestKilledAtAnyMoment kills the service, warehouse and all, again and again
// while it collects, and expects the tables of an undisturbed run.
func TestKilledAtAnyMoment(t *testing.T) {
	const incidents, kills = 300, 12
	clickhousetest.Engine(t) // or skip
	in := newInstance(t, incidents)
	want := undisturbed(t, in, incidents)

	dir := t.TempDir()
	random := rand.New(rand.NewPCG(11, 13))
	killed := 0
	for done := false; !done; {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), crashURL+"="+in.url, crashDir+"="+dir)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() && lines.Text() != "collecting" {
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = io.Copy(io.Discard, out)
		}()
		if killed < kills {
			// By how much it has asked for, and not by time, so that a fast machine
			// is not done before it was killed often enough, nor a slow one killed
			// always at its start.
			select {
			case <-in.asked(1 + random.IntN(25)):
				time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			case <-ended:
			}
			if err := cmd.Process.Kill(); err == nil {
				killed++
			}
		}
		<-ended
		err = cmd.Wait()
		done = err == nil
		if !done && !strings.Contains(err.Error(), "killed") {
			t.Fatalf("the service failed: %v\n%s", err, said.String())
		}
	}
	t.Logf("killed %d times", killed)
	if killed < 3 {
		t.Errorf("the service was killed only %d times before it was done", killed)
	}
	compare(t, house(t, clickhousetest.NewFolder(t, dir)), want)
}
