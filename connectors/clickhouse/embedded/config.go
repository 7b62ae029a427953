package embedded

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// user is the service's account in the engine.
const user = "fairlead"

// layout is where the engine's files are, all inside the data folder.
type layout struct {
	root string // the data folder
}

func (l layout) lock() string   { return filepath.Join(l.root, "fairlead.lock") }
func (l layout) base() string   { return filepath.Join(l.root, "clickhouse") }
func (l layout) store() string  { return filepath.Join(l.base(), "store") }
func (l layout) tmp() string    { return filepath.Join(l.store(), "tmp") }
func (l layout) config() string { return filepath.Join(l.base(), "config.xml") }
func (l layout) users() string  { return filepath.Join(l.base(), "users.xml") }
func (l layout) log() string    { return filepath.Join(l.base(), "engine.log") }
func (l layout) output() string { return filepath.Join(l.base(), "output.log") }

// secrets are made anew for every Start.
type secrets struct {
	password string // of the service's account
	proof    string // a macro of the engine: who can tell it is no impostor on the port
}

func newSecrets() secrets {
	return secrets{password: rand.Text() + rand.Text(), proof: rand.Text()}
}

// The limits are what a warehouse for one service on a shared machine needs:
// caches and pools of the defaults are made for a server of its own.
var configTemplate = template.Must(template.New("config.xml").Funcs(template.FuncMap{"xml": escape}).Parse(`<clickhouse>
  <users_config>{{xml .Users}}</users_config>
  <log-level>warning</log-level>
  <logger>
    <console>false</console>
    <log>{{xml .Log}}</log>
    <size>10M</size>
    <count>2</count>
  </logger>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>{{.Port}}</tcp_port>
  <macros><fairlead_proof>{{xml .Proof}}</fairlead_proof></macros>
  <timezone>UTC</timezone>
  <max_connections>256</max_connections>
  <max_server_memory_usage>{{.Memory}}</max_server_memory_usage>
  <mark_cache_size>{{.MarkCache}}</mark_cache_size>
  <index_mark_cache_size>{{.SmallCache}}</index_mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <index_uncompressed_cache_size>0</index_uncompressed_cache_size>
  <mmap_cache_size>0</mmap_cache_size>
  <compiled_expression_cache_size>{{.SmallCache}}</compiled_expression_cache_size>
</clickhouse>
`))

// The session inside the process, which keeps the engine up, needs an account
// "default" without a password, from 127.0.0.1, as anybody on this machine can
// come from. Few grants are not enough to make that harmless: in local mode
// file('/any/path') needs none. So its profile lets no query be parsed, and
// nobody may change that profile's settings; the command line lifts it, after
// the checks, for the session inside (liftLock).
var usersTemplate = template.Must(template.New("users.xml").Funcs(template.FuncMap{"xml": escape}).Parse(`<clickhouse>
  <profiles>
    <default/>
    <locked>
      <readonly>1</readonly>
      <max_query_size>1</max_query_size>
      <max_ast_elements>1</max_ast_elements>
      <max_ast_depth>1</max_ast_depth>
      <constraints>
        <readonly><readonly/></readonly>
        <max_query_size><readonly/></max_query_size>
        <max_ast_elements><readonly/></max_ast_elements>
        <max_ast_depth><readonly/></max_ast_depth>
      </constraints>
    </locked>
    <service>
      <max_memory_usage>{{.QueryMemory}}</max_memory_usage>
      <max_bytes_before_external_group_by>{{.SpillMemory}}</max_bytes_before_external_group_by>
      <max_bytes_before_external_sort>{{.SpillMemory}}</max_bytes_before_external_sort>
      <async_insert>0</async_insert>
    </service>
  </profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>locked</profile>
      <quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
    </default>
    <{{.User}}>
      <password_sha256_hex>{{.PasswordHash}}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>service</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY, CREATE TEMPORARY TABLE, CREATE FUNCTION, DROP, TRUNCATE, OPTIMIZE, KILL QUERY, dictGet, TABLE ENGINE ON *.*</query>
        <query>GRANT SYSTEM MERGES, SYSTEM DROP CACHE, SYSTEM FLUSH ON *.*</query>
      </grants>
    </{{.User}}>
  </users>
</clickhouse>
`))

// liftLock are the command-line arguments that undo the profile "locked".
var liftLock = []string{"--readonly=0", "--max_query_size=262144", "--max_ast_elements=50000", "--max_ast_depth=1000"}

// writeConfig writes what the engine reads at its start. memory is its cap in
// bytes.
func writeConfig(l layout, s secrets, port int, memory uint64) error {
	hash := sha256.Sum256([]byte(s.password))
	var config, users bytes.Buffer
	if err := configTemplate.Execute(&config, map[string]any{
		"Users":      l.users(),
		"Log":        l.log(),
		"Proof":      s.proof,
		"Port":       port,
		"Memory":     memory,
		"MarkCache":  memory / 16,
		"SmallCache": memory / 64,
	}); err != nil {
		return fmt.Errorf("making the engine's configuration: %w", err)
	}
	if err := usersTemplate.Execute(&users, map[string]any{
		"User":         user,
		"PasswordHash": hex.EncodeToString(hash[:]),
		"QueryMemory":  memory / 4 * 3,
		"SpillMemory":  memory / 4,
	}); err != nil {
		return fmt.Errorf("making the engine's configuration: %w", err)
	}
	for path, content := range map[string][]byte{
		l.config(): config.Bytes(),
		l.users():  users.Bytes(),
	} {
		if err := writePrivate(path, content); err != nil {
			return folderError(l.root, err)
		}
	}
	return nil
}

// writePrivate replaces the file by one that this user alone may read. An
// existing file would keep its mode, so it goes first.
func writePrivate(path string, content []byte) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

func escape(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}
