// Package servicenowtest is a ServiceNow instance in memory, served over HTTP:
// the Table API and the OAuth token endpoint as the platform behaves, over the
// tables that a ticket's history needs. It is loaded with records as they
// stand, or edited through Insert, Update and Delete, which keep the audit as
// the platform does.
//
// Sources for its behaviour are cited where it is not obvious; they are titles
// of ServiceNow's product documentation and knowledge base.
package servicenowtest

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// timeLayout is how the platform stores and, with sysparm_display_value=false,
// returns a date and time: in UTC, to the second.
const timeLayout = "2006-01-02 15:04:05"

// Record is one row: database values by column name. An absent column is empty.
type Record map[string]string

// User is a row of sys_user.
type User struct {
	ID       string // sys_id; made from UserName when empty
	UserName string
	Name     string
	Email    string
	Inactive bool
	// WebServiceOnly and Integration are the platform's two marks of an account
	// that is not a person: web_service_access_only, internal_integration_user.
	WebServiceOnly bool
	Integration    bool
	Fields         Record // further columns
}

// Group is a row of sys_user_group.
type Group struct {
	ID       string // sys_id; made from Name when empty
	Name     string
	Manager  string // sys_id of a user
	Inactive bool
	Fields   Record
}

// CI is a configuration item.
type CI struct {
	ID     string // sys_id; made from Class and Name when empty
	Name   string
	Class  string // table: cmdb_ci when empty, cmdb_ci_service for a business service
	Fields Record
}

// Choice is a row of sys_choice: the label of one value of a choice column.
type Choice struct {
	Table    string
	Element  string
	Value    string
	Label    string
	Language string // en when empty
	Sequence int
}

// AuditRow is a row of sys_audit: one change of one column in one update.
type AuditRow struct {
	Table      string
	Key        string // sys_id of the record that changed
	Field      string
	Old, New   string
	User       string // user_name, not sys_id
	At         time.Time
	Checkpoint int // the record's update count after the change
}

// Options of an instance. The zero value is usable.
type Options struct {
	Clock func() time.Time // the instance's clock, time.Now when nil

	// Username and Password are accepted by basic authentication and by the
	// OAuth password grant; "fairlead" and "fairlead" when empty.
	Username, Password string
	// ClientID and ClientSecret are the OAuth application's. No token is given
	// out while ClientID is empty.
	ClientID, ClientSecret string
	TokenLife              time.Duration // of an access token; 30 minutes when zero

	MaxURL int // longest request line's target in bytes before 414; 8,192 when zero

	// MaxRecords is the most records in an answer, whatever is asked for; as
	// many as asked for when zero.
	MaxRecords int

	Version string // glide.war, "glide-zurich-07-01-2025__patch4" when empty
}

// Instance is one ServiceNow instance. Its methods are safe for concurrent use.
type Instance struct {
	opts Options

	mu       sync.Mutex
	tables   map[string]*table
	strings  map[string]string // one copy of each repeated value
	serial   uint64
	auditing bool
	access   access
	faults   faults
	invalid  []string
	tokens   map[string]time.Time
	batches  int // requests of a batch that are served; see LimitBatches

	listener net.Listener
	server   *http.Server
	served   chan struct{}
}

// New makes an instance as it ships: the labels of the base system's states and
// priorities, its version, and the account that calls the API.
func New(o Options) *Instance {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Username == "" {
		o.Username, o.Password = "fairlead", "fairlead"
	}
	if o.TokenLife == 0 {
		o.TokenLife = 30 * time.Minute
	}
	if o.MaxURL == 0 {
		o.MaxURL = 8192
	}
	if o.Version == "" {
		o.Version = "glide-zurich-07-01-2025__patch4"
	}
	in := &Instance{opts: o, tables: map[string]*table{}, strings: map[string]string{}, tokens: map[string]time.Time{}, auditing: true}
	in.access.init()
	in.faults.init()
	for name := range baseColumns {
		in.table(name)
	}
	for _, c := range baseChoices {
		in.AddChoice(c)
	}
	in.AddUser(User{UserName: o.Username, Name: "Fairlead integration", WebServiceOnly: true})
	in.AddUser(User{UserName: "system", Name: "System"})
	in.Put("sys_properties", Record{"sys_id": SysID("sys_properties", "glide.war"), "name": "glide.war", "value": o.Version})
	return in
}

// SysID makes the sys_id of a thing from its table and a name that is unique in
// it: the same 32 hexadecimal digits every time.
func SysID(table, name string) string {
	sum := md5.Sum([]byte(table + "\x00" + name))
	return hex.EncodeToString(sum[:])
}

// FormatTime gives t as the platform stores it.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// AddUser stores a user and returns its sys_id.
func (in *Instance) AddUser(u User) string {
	if u.ID == "" {
		u.ID = SysID("sys_user", u.UserName)
	}
	rec := Record{
		"sys_id": u.ID, "user_name": u.UserName, "name": u.Name, "email": u.Email,
		"active":                    strconv.FormatBool(!u.Inactive),
		"web_service_access_only":   strconv.FormatBool(u.WebServiceOnly),
		"internal_integration_user": strconv.FormatBool(u.Integration),
	}
	return in.putBase("sys_user", rec, u.Fields)
}

// AddGroup stores an assignment group and returns its sys_id.
func (in *Instance) AddGroup(g Group) string {
	if g.ID == "" {
		g.ID = SysID("sys_user_group", g.Name)
	}
	rec := Record{"sys_id": g.ID, "name": g.Name, "manager": g.Manager, "active": strconv.FormatBool(!g.Inactive)}
	return in.putBase("sys_user_group", rec, g.Fields)
}

// AddCI stores a configuration item and returns its sys_id.
func (in *Instance) AddCI(c CI) string {
	if c.Class == "" {
		c.Class = "cmdb_ci"
	}
	if c.ID == "" {
		c.ID = SysID(c.Class, c.Name)
	}
	rec := Record{"sys_id": c.ID, "name": c.Name, "sys_class_name": c.Class}
	return in.putBase(c.Class, rec, c.Fields)
}

// AddChoice stores the label of a value; one that is there already is replaced.
func (in *Instance) AddChoice(c Choice) string {
	if c.Language == "" {
		c.Language = "en"
	}
	return in.putBase("sys_choice", Record{
		"sys_id": SysID("sys_choice", fmt.Sprintf("%s.%s.%s.%s", c.Table, c.Element, c.Value, c.Language)),
		"name":   c.Table, "element": c.Element, "value": c.Value, "label": c.Label,
		"language": c.Language, "inactive": "false", "sequence": strconv.Itoa(c.Sequence),
	}, nil)
}

// Put stores a record as it stands, in place of one with the same sys_id, and
// returns the sys_id, which is made when rec has none. It writes no audit and
// touches no other column, save sys_class_name where the table is one of a
// family and rec does not say. A table that is not known yet is created.
func (in *Instance) Put(table string, rec Record) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.put(table, rec)
}

func (in *Instance) put(name string, rec Record) string {
	t := in.table(name)
	id := rec["sys_id"]
	if id == "" {
		in.serial++
		id = SysID(name, "#"+strconv.FormatUint(in.serial, 10))
	}
	r := t.newRow(in, rec, id)
	if _, ok := t.columns["sys_class_name"]; ok && rec["sys_class_name"] == "" {
		r.set(t, "sys_class_name", name)
	}
	t.store(r)
	return id
}

// Audit stores a row of sys_audit as it stands.
func (in *Instance) Audit(rows ...AuditRow) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, a := range rows {
		in.audit(a)
	}
}

func (in *Instance) audit(a AuditRow) {
	t := in.table("sys_audit")
	in.serial++
	id := SysID("sys_audit", a.Key+"#"+strconv.FormatUint(in.serial, 10))
	at, user := in.intern(FormatTime(a.At)), in.intern(a.User)
	// In the order of baseColumns.
	vals := []string{
		id, in.intern(a.Table), in.intern(a.Key), in.intern(a.Field), in.intern(a.Old), in.intern(a.New), user,
		at, user, in.intern(strconv.Itoa(a.Checkpoint)), "",
	}
	t.store(&row{id: id, vals: vals})
}

// Get returns a copy of a record, or nil.
func (in *Instance) Get(table, id string) Record {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, t := range in.family(table) {
		if r := t.rows[id]; r != nil {
			return t.record(r)
		}
	}
	return nil
}

// Records returns copies of all records of a table and of those that extend it,
// in no particular order.
func (in *Instance) Records(table string) []Record {
	in.mu.Lock()
	defer in.mu.Unlock()
	var out []Record
	for _, t := range in.family(table) {
		for _, r := range t.rows {
			out = append(out, t.record(r))
		}
	}
	return out
}

// Count says how many records a table has, with those that extend it.
func (in *Instance) Count(table string) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for _, t := range in.family(table) {
		n += len(t.rows)
	}
	return n
}

// installed is when the records that are not tickets were made and last changed.
const installed = "2015-01-01 00:00:00"

// putBase stores a record of the kinds that stand beside the tickets.
func (in *Instance) putBase(table string, rec, more Record) string {
	rec["sys_created_on"], rec["sys_updated_on"], rec["sys_mod_count"] = installed, installed, "0"
	rec["sys_created_by"], rec["sys_updated_by"] = "admin", "admin"
	merge(rec, more)
	return in.Put(table, rec)
}

func merge(rec, more Record) {
	for k, v := range more {
		rec[k] = v
	}
}
