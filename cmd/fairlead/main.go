// Command fairlead collects tickets with their history from Jira and
// ServiceNow into ClickHouse, measures how the work is spread over people, and
// serves the result to Prometheus.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"fairlead/connectors/clickhouse/embedded"
)

// version is set by the linker.
var version = "unknown"

func main() {
	embedded.RunChildIfAsked()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The command line. Every command has the flags of globals.
type commandLine struct {
	globals

	Init      initCmd      `cmd:"" help:"Ask what is needed, look at the systems, and write a commented configuration."`
	Demo      demoCmd      `cmd:"" help:"Collect a generated organisation, or a real log, through the real connectors; analyse and serve it."`
	Collect   collectCmd   `cmd:"" help:"Collect what changed at the configured sources, once."`
	Analyze   analyzeCmd   `cmd:"" help:"Print how the work was spread at any day, from the stored histories."`
	Explain   explainCmd   `cmd:"" help:"Say where a published number comes from: formula, values, tickets."`
	Rebalance rebalanceCmd `cmd:"" help:"Suggest the fewest moves of open tickets that make a team's work even. Nothing is carried out."`
	Report    reportCmd    `cmd:"" help:"Make the fairness report of a quarter, for everybody, a team's lead or one engineer."`
	Serve     serveCmd     `cmd:"" help:"Collect and analyse on a schedule, and serve the metrics."`
	History   historyCmd   `cmd:"" help:"Write the past as OpenMetrics, so that a new Prometheus shows the last year at once."`
	Rules     rulesCmd     `cmd:"" help:"Write the rules of Prometheus and the routes of Alertmanager, from the configuration and the roster."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the warehouse's tables up to this version."`
	Check     checkCmd     `cmd:"" help:"Say whether the configuration, the credentials and the permissions do."`
	Roster    rosterCmd    `cmd:"" help:"Who works in which team: check the roster, or draft one."`
	Whois     whoisCmd     `cmd:"" help:"Say which person a pseudonym stands for. It is logged."`
	Forget    forgetCmd    `cmd:"" help:"Erase a person, for good: names, addresses, accounts, pseudonym. Figures of teams stay."`
	Prune     pruneCmd     `cmd:"" help:"Delete what is older than it is kept. serve does so once a day."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

type globals struct {
	Config string `help:"Configuration file (default: ./fairlead.yaml, else /etc/fairlead/fairlead.yaml)." type:"path" placeholder:"FILE" env:"FAIRLEAD_CONFIG"`
	Data   string `help:"Folder of the embedded warehouse and of the key." type:"path" placeholder:"DIR"`
}

// app is what every command works with.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	globals        globals

	cfg  *Config
	read string // configuration file that was read, or ""
	log  *slog.Logger
}

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 2
)

// run is the whole program, but for the process around it. Whatever goes wrong
// is one line on stderr and a status that is not zero.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	var cli commandLine
	fail := func(status int, err error) int {
		fmt.Fprintf(stderr, "fairlead: %v\n", oneLine(err))
		return status
	}
	parser, err := kong.New(&cli,
		kong.Name("fairlead"),
		kong.Description("Shows how the work of an IT organisation is spread over its people, and where knowledge sits with too few of them."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { panic(exited{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return fail(exitUsage, err)
	}
	defer func() { // --help prints and ends
		if r := recover(); r != nil {
			if _, ok := r.(exited); !ok {
				panic(r)
			}
			code = 0
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		return fail(exitUsage, fmt.Errorf("%w (fairlead --help lists the commands and flags)", err))
	}

	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, environ: environ, globals: cli.globals}
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run(a)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return fail(exitFailed, errors.New("stopped; what was stored is kept, and the next run goes on from there"))
	default:
		return fail(exitFailed, err)
	}
}

type exited struct{}

// configure reads the configuration and sets up the log.
func (a *app) configure() error {
	cfg, read, unknown, err := loadConfig(a.globals.Config, a.environ)
	if err != nil {
		return err
	}
	a.cfg, a.read = cfg, read
	a.log = newLogger(a.stderr, cfg.Log)
	if len(unknown) > 0 {
		a.log.Warn("environment variables name no key and are ignored", "variables", strings.Join(unknown, " "))
	}
	return nil
}

type versionCmd struct{}

func (versionCmd) Run(a *app) error {
	clickhouse := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/ClickHouse/clickhouse-go/v2" {
				clickhouse = m.Version
			}
		}
	}
	_, err := fmt.Fprintf(a.stdout, "fairlead %s (%s %s/%s, clickhouse-go %s, embedded ClickHouse %s)\n",
		version, runtime.Version(), runtime.GOOS, runtime.GOARCH, clickhouse, embedded.Version)
	return err
}
