// Package compose holds deploy/compose.yaml, which cannot be run everywhere, to
// the Compose Specification and to what is promised of it.
package compose

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

const folder = "../.."

func TestSchema(t *testing.T) {
	text, err := os.ReadFile(folder + "/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var model map[string]any
	if err := yaml.Unmarshal(text, &model); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(model); err != nil {
		t.Error(err)
	}
	// It is a schema that can say no.
	model["services"].(map[string]any)["fairlead"].(map[string]any)["port"] = "9464"
	if schema.Validate(model) == nil {
		t.Error("a key that no service has is allowed")
	}
}

func load(t *testing.T, environment types.Mapping) (*types.Project, error) {
	t.Helper()
	dir, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml")}},
		Environment: environment,
	}, loader.WithProfiles([]string{"*"}))
}

func project(t *testing.T) *types.Project {
	t.Helper()
	p, err := load(t, types.Mapping{"FAIRLEAD_GRAFANA_SHA256": strings.Repeat("0", 64)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNothingStartsUnprepared(t *testing.T) {
	if _, err := load(t, types.Mapping{}); err == nil || !strings.Contains(err.Error(), "prepare.sh") {
		t.Errorf("without the hash: %v", err)
	}
}

var (
	pinned = regexp.MustCompile(`:v?\d+\.\d+(\.\d+)?$`)
	secret = regexp.MustCompile(`(?i)password|token|secret`)
)

func TestServices(t *testing.T) {
	p := project(t)
	outside := map[string]string{}
	for name, s := range p.Services {
		if s.Build == nil && !pinned.MatchString(s.Image) && s.Image != "fairlead" {
			t.Errorf("%s runs %s, whatever that is on the day", name, s.Image)
		}
		if len(s.Profiles) == 0 && (s.HealthCheck == nil || len(s.HealthCheck.Test) == 0) {
			t.Errorf("%s has no health check", name)
		}
		if len(s.Profiles) == 0 && s.Restart == "" {
			t.Errorf("%s does not come back", name)
		}
		if s.Privileged || s.NetworkMode == "host" {
			t.Errorf("%s is not confined", name)
		}
		if name != "clickhouse" && (len(s.CapDrop) != 1 || s.CapDrop[0] != "ALL" || len(s.SecurityOpt) != 1) {
			t.Errorf("%s keeps capabilities: %v %v", name, s.CapDrop, s.SecurityOpt)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s can be reached at %s", name, port.HostIP)
			}
			outside[name] = port.Published
		}
		for key, value := range s.Environment {
			if secret.MatchString(key) && (!strings.HasSuffix(key, "_FILE") || !strings.HasPrefix(*value, "/run/secrets/")) {
				t.Errorf("%s has %s in its environment", name, key)
			}
		}
		given := map[string]bool{}
		for _, one := range s.Secrets {
			given["/run/secrets/"+one.Source] = true
		}
		for key, value := range s.Environment {
			if value != nil && strings.HasPrefix(*value, "/run/secrets/") && !given[*value] {
				t.Errorf("%s reads %s (%s), which it is not given", name, *value, key)
			}
		}
		for _, v := range s.Volumes {
			made := map[string]bool{"fairlead.yaml": true, "web.yml": true} // by whom installs it
			if v.Type != types.VolumeTypeBind || made[filepath.Base(v.Source)] {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil || !v.ReadOnly {
				t.Errorf("%s mounts %s: %v, read only: %t", name, v.Source, err, v.ReadOnly)
			}
		}
	}
	if len(outside) != 2 || outside["fairlead"] != "9464" || outside["grafana"] != "3000" {
		t.Errorf("reachable are %v", outside)
	}
	if !p.Networks["inside"].Internal || len(p.Services["clickhouse"].Networks) != 1 || len(p.Services["prometheus"].Networks) != 1 {
		t.Error("ClickHouse or Prometheus reach the outside")
	}
	for name := range p.Secrets {
		if prepared, err := os.ReadFile(folder + "/compose/prepare.sh"); err != nil || !strings.Contains(string(prepared), "password "+name+"\n") {
			t.Errorf("nothing makes the secret %s (%v)", name, err)
		}
	}
}

// What one service is told of another must be true: names, ports, accounts.
func TestWiring(t *testing.T) {
	p := project(t)
	type sources struct {
		Datasources []struct {
			UID, Type, URL string
			JSONData       struct {
				Host, Username  string
				DefaultDatabase string `yaml:"defaultDatabase"`
				Port            int
			} `yaml:"jsonData"`
			SecureJSONData struct{ Password string } `yaml:"secureJsonData"`
		}
	}
	var prometheus, clickhouse sources
	read(t, "compose/grafana/datasources/prometheus.yml", &prometheus)
	read(t, "compose/grafana/datasources/clickhouse.yml", &clickhouse)
	if one := prometheus.Datasources[0]; one.Type != "prometheus" || one.URL != "http://prometheus:9090" {
		t.Errorf("Grafana asks %+v", one)
	}
	one := clickhouse.Datasources[0]
	if one.Type != "grafana-clickhouse-datasource" || one.JSONData.Host != "clickhouse" || one.JSONData.Port != 9000 || one.JSONData.DefaultDatabase != "fairlead" ||
		one.SecureJSONData.Password != "$__file{/run/secrets/clickhouse-grafana.password}" {
		t.Errorf("Grafana asks %+v", one)
	}
	users, err := os.ReadFile(folder + "/clickhouse/users.d/grafana.xml")
	if err != nil || !strings.Contains(string(users), "<users>\n    <"+one.JSONData.Username+">") {
		t.Errorf("there is no account %s (%v)", one.JSONData.Username, err)
	}
	if plugin := p.Services["grafana"].Environment["GF_INSTALL_PLUGINS"]; plugin == nil || !strings.HasPrefix(*plugin, one.Type+" ") {
		t.Errorf("the plugin is %v", plugin)
	}
	var scrapes struct {
		ScrapeConfigs []struct {
			MetricsPath   string                       `yaml:"metrics_path"`
			BasicAuth     struct{ Username string }    `yaml:"basic_auth"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	read(t, "compose/prometheus.yml", &scrapes)
	for _, s := range scrapes.ScrapeConfigs {
		if s.StaticConfigs[0].Targets[0] != "fairlead:9464" || s.BasicAuth.Username != "prometheus" {
			t.Errorf("Prometheus scrapes %+v", s)
		}
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// prepare.sh makes each secret once, at random, and hashes that fit them. The one
// of bcrypt comes from a program that may not be here: a stand-in notes what it
// was given.
func TestPrepare(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "compose")
	bin := filepath.Join(root, "bin")
	for _, d := range []string{dir, bin} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile(folder + "/compose/prepare.sh")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(dir, "prepare.sh"): string(script),
		filepath.Join(bin, "htpasswd"):   "#!/bin/sh\n[ \"$*\" = '-niBC 10 prometheus' ] || exit 1\nprintf 'prometheus:$2y$10$of-%s\\n\\n' \"$(cat)\"\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func() map[string]string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "prepare.sh"))
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "fairlead.yaml") {
			t.Fatalf("%v: %s", err, out)
		}
		files := map[string]string{}
		for _, name := range []string{".env", "compose/web.yml", "compose/secrets/clickhouse.password", "compose/secrets/clickhouse-grafana.password", "compose/secrets/grafana.password", "compose/secrets/metrics.password"} {
			text, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = string(text)
		}
		return files
	}
	first := run()
	seen := map[string]bool{}
	for name, text := range first {
		if strings.HasSuffix(name, ".password") {
			if !regexp.MustCompile(`^[0-9a-f]{48}$`).MatchString(text) || seen[text] {
				t.Errorf("%s holds %q", name, text)
			}
			seen[text] = true
		}
	}
	sum := sha256.Sum256([]byte(first["compose/secrets/clickhouse-grafana.password"]))
	if want := "FAIRLEAD_GRAFANA_SHA256=" + hex.EncodeToString(sum[:]) + "\n"; first[".env"] != want {
		t.Errorf(".env is %q, want %q", first[".env"], want)
	}
	if want := fmt.Sprintf("basic_auth_users:\n  prometheus: %q\n", "$2y$10$of-"+first["compose/secrets/metrics.password"]); first["compose/web.yml"] != want {
		t.Errorf("web.yml is %q, want %q", first["compose/web.yml"], want)
	}
	if info, err := os.Stat(filepath.Join(dir, "secrets")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of the secrets: %v %v", info.Mode(), err)
	}
	for name, text := range run() {
		if first[name] != text {
			t.Errorf("%s is made anew", name)
		}
	}
}

// systemd finds nothing to say of the unit, where it is there to be asked.
func TestUnit(t *testing.T) {
	systemd, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("systemd-analyze is not installed (Debian: systemd)")
		}
		t.Skip("systemd-analyze is not installed")
	}
	text, err := os.ReadFile(folder + "/systemd/fairlead.service")
	if err != nil {
		t.Fatal(err)
	}
	// It wants the program to be there.
	const program = "/usr/local/bin/fairlead"
	if !strings.Contains(string(text), "ExecStart="+program+" serve ") {
		t.Fatal("the unit does not start the program")
	}
	unit := filepath.Join(t.TempDir(), "fairlead.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), program, "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), systemd, "verify", "--recursive-errors=one", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}
