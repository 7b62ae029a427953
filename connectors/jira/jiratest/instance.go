package jiratest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Instance is one Jira site.
type Instance struct {
	opts Options
	zone *time.Location
	mux  *http.ServeMux

	mu         sync.RWMutex
	users      map[string]*User // by lower-case name
	byAlias    map[string]*User // by lower-case key and name; a key wins
	byAccount  map[string]*User
	userOrder  []*User
	projects   map[string]*Project
	statuses   map[string]*Status
	types      map[string]*IssueType
	priorities map[string]*Priority
	components map[string]*Component
	issues     map[int64]*issue
	byKey      map[string]*issue // present and earlier keys
	lagging    map[int64]*issue  // those that the index shows as they were
	sorted     []*issue          // by updated, project key, number; nil when out of date
	nextNumber map[string]int64  // by project id
	lastIssue  int64
	lastEntry  int64 // ids of histories, comments and worklogs

	traffic traffic
}

// issue is an issue of the store. Its record is replaced whole by an edit, so
// that a reader may keep an older one.
type issue struct {
	id      int64
	now     *record
	earlier []*lagged
	denied  bool
}

// record is one state of an issue; immutable.
type record struct {
	Issue
	id         int64
	number     int64
	projectKey string
	assignee   *User
	category   Category
}

// lagged is what the search index shows of an issue until a time; a nil record
// is an issue that it does not know yet.
type lagged struct {
	record *record
	until  time.Time
}

// serviceAccount is the user name of the account that asks.
const serviceAccount = "fairlead-collector"

// New makes an empty site. It panics if o names an unknown zone or flavour,
// since only a mistake in the calling program can cause that.
func New(o Options) *Instance {
	o.Flavour = cmp.Or(o.Flavour, Cloud)
	if o.Flavour != Cloud && o.Flavour != DataCenter {
		panic("jiratest: unknown flavour " + string(o.Flavour))
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.TimeZone = cmp.Or(o.TimeZone, "Etc/UTC")
	o.TokenLife = cmp.Or(o.TokenLife, 7*24*time.Hour)
	zone, err := time.LoadLocation(o.TimeZone)
	if err != nil {
		panic("jiratest: " + err.Error())
	}
	if o.Flavour == Cloud {
		o.PageCap = cmp.Or(o.PageCap, 100)
		o.EmbeddedComments = cmp.Or(o.EmbeddedComments, 20)
		o.EmbeddedWorklogs = cmp.Or(o.EmbeddedWorklogs, 20)
		o.EmbeddedHistories = cmp.Or(o.EmbeddedHistories, 40)
		o.Version = cmp.Or(o.Version, "1001.0.0-SNAPSHOT")
	} else {
		o.PageCap = cmp.Or(o.PageCap, 1000)
		o.EmbeddedWorklogs = cmp.Or(o.EmbeddedWorklogs, 20)
		o.Version = cmp.Or(o.Version, "10.3.24")
	}
	in := &Instance{
		opts: o, zone: zone,
		users: map[string]*User{}, byAlias: map[string]*User{}, byAccount: map[string]*User{},
		projects: map[string]*Project{}, statuses: map[string]*Status{}, types: map[string]*IssueType{},
		priorities: map[string]*Priority{}, components: map[string]*Component{},
		issues: map[int64]*issue{}, byKey: map[string]*issue{}, lagging: map[int64]*issue{},
		nextNumber: map[string]int64{}, lastIssue: 10000, lastEntry: 100000,
	}
	for i, name := range []string{"Highest", "High", "Medium", "Low", "Lowest"} {
		id := strconv.Itoa(i + 1)
		in.priorities[id] = &Priority{ID: id, Name: name}
	}
	account := &User{
		Name: serviceAccount, Key: "JIRAUSER10000", AccountID: AccountID(serviceAccount),
		DisplayName: "Collector", Email: serviceAccount + "@example.invalid", TimeZone: o.TimeZone,
	}
	in.users[serviceAccount] = account
	in.userOrder = append(in.userOrder, account)
	in.indexUser(account)
	in.traffic.requests = map[string]int{}
	in.mux = in.routes()
	return in
}

// Flavour is the flavour that the Instance was made with.
func (in *Instance) Flavour() Flavour { return in.opts.Flavour }

// AccountID is the Cloud account id that a user gets who was given none: the
// same for the same name, whatever its case.
func AccountID(name string) string {
	sum := sha256.Sum256([]byte("jiratest account " + strings.ToLower(name)))
	return "557058:" + hex.EncodeToString(sum[:12])
}

// AddUser adds a user, or replaces the one of that name.
func (in *Instance) AddUser(u User) error {
	if u.Name == "" {
		return fmt.Errorf("adding user: no name")
	}
	u.DisplayName = cmp.Or(u.DisplayName, u.Name)
	u.AccountID = cmp.Or(u.AccountID, AccountID(u.Name))
	u.TimeZone = cmp.Or(u.TimeZone, in.opts.TimeZone)
	in.mu.Lock()
	defer in.mu.Unlock()
	name := strings.ToLower(u.Name)
	if old, ok := in.users[name]; ok {
		delete(in.byAccount, old.AccountID)
		*old = u
	} else {
		in.users[name] = &u
		in.userOrder = append(in.userOrder, &u)
	}
	in.indexUser(in.users[name])
	return nil
}

func (in *Instance) indexUser(u *User) {
	in.byAccount[u.AccountID] = u
	name, key := strings.ToLower(u.Name), strings.ToLower(u.Key)
	if other, ok := in.byAlias[name]; !ok || !strings.EqualFold(other.Key, u.Name) {
		in.byAlias[name] = u
	}
	if key != "" {
		in.byAlias[key] = u
	}
}

// AddProject adds or replaces a project.
func (in *Instance) AddProject(p Project) error {
	if p.ID == "" || p.Key == "" {
		return fmt.Errorf("adding project %q: it needs an id and a key", p.Key)
	}
	p.Name = cmp.Or(p.Name, p.Key)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.projects[p.ID] = &p
	return nil
}

// AddStatus adds or replaces a status.
func (in *Instance) AddStatus(s Status) error {
	if s.ID == "" || s.Name == "" {
		return fmt.Errorf("adding status %q: it needs an id and a name", s.Name)
	}
	if s.Category != ToDo && s.Category != InProgress && s.Category != Done {
		return fmt.Errorf("adding status %q: no category %q", s.Name, s.Category)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.statuses[s.ID] = &s
	return nil
}

// AddIssueType adds or replaces an issue type.
func (in *Instance) AddIssueType(t IssueType) error {
	if t.ID == "" || t.Name == "" {
		return fmt.Errorf("adding issue type %q: it needs an id and a name", t.Name)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.types[t.ID] = &t
	return nil
}

// AddPriority adds or replaces a priority.
func (in *Instance) AddPriority(p Priority) error {
	if p.ID == "" || p.Name == "" {
		return fmt.Errorf("adding priority %q: it needs an id and a name", p.Name)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.priorities[p.ID] = &p
	return nil
}

// AddComponent adds or replaces a component.
func (in *Instance) AddComponent(c Component) error {
	if c.ID == "" || c.Name == "" {
		return fmt.Errorf("adding component %q: it needs an id and a name", c.Name)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.components[c.ID] = &c
	return nil
}

// AddIssue adds an issue and returns its id. It is an error to name a project,
// type, status, priority, component or user that the Instance does not have;
// Items may name anything, since histories outlive what they mention.
func (in *Instance) AddIssue(i Issue) (string, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.addIssue(i)
}

func (in *Instance) addIssue(i Issue) (string, error) {
	fail := func(what, id string) (string, error) {
		return "", fmt.Errorf("adding issue %s: no %s %q", cmp.Or(i.Key, i.ID), what, id)
	}
	project, ok := in.projects[i.Project]
	if !ok {
		return fail("project", i.Project)
	}
	if _, ok := in.statuses[i.Status]; !ok {
		return fail("status", i.Status)
	}
	if _, ok := in.types[i.Type]; !ok {
		return fail("issue type", i.Type)
	}
	if _, ok := in.priorities[i.Priority]; !ok && i.Priority != "" {
		return fail("priority", i.Priority)
	}
	for _, c := range i.Components {
		if _, ok := in.components[c]; !ok {
			return fail("component", c)
		}
	}
	for _, name := range []string{i.Assignee, i.Reporter, i.Creator} {
		if _, ok := in.users[strings.ToLower(name)]; !ok && name != "" {
			return fail("user", name)
		}
	}
	if i.Created.IsZero() {
		return "", fmt.Errorf("adding issue %s: no creation time", cmp.Or(i.Key, i.ID))
	}
	if i.ID == "" {
		i.ID = strconv.FormatInt(in.lastIssue+1, 10)
	}
	id, err := strconv.ParseInt(i.ID, 10, 64)
	if err != nil || id < 1 {
		return fail("issue id such as", i.ID)
	}
	if _, ok := in.issues[id]; ok {
		return "", fmt.Errorf("adding issue %s: there is one with id %s", i.Key, i.ID)
	}
	if i.Key == "" {
		i.Key = project.Key + "-" + strconv.FormatInt(in.nextNumber[i.Project]+1, 10)
	}
	prefix, number, ok := splitKey(i.Key)
	if !ok {
		return fail("issue key such as", i.Key)
	}
	if _, ok := in.byKey[i.Key]; ok {
		return "", fmt.Errorf("adding issue %s: there is one with that key", i.Key)
	}
	in.lastIssue = max(in.lastIssue, id)
	in.nextNumber[i.Project] = max(in.nextNumber[i.Project], number)

	i.Components = slices.Clone(i.Components)
	i.Extra = maps.Clone(i.Extra)
	i.Histories = slices.Clone(i.Histories)
	for n := range i.Histories {
		in.fillID(&i.Histories[n].ID)
	}
	slices.SortStableFunc(i.Histories, func(a, b History) int {
		return cmp.Or(a.Created.Compare(b.Created), compareIDs(a.ID, b.ID))
	})
	if i.Updated.IsZero() {
		i.Updated = i.Created
		if n := len(i.Histories); n > 0 && i.Histories[n-1].Created.After(i.Updated) {
			i.Updated = i.Histories[n-1].Created
		}
	}
	i.Comments = slices.Clone(i.Comments)
	for n := range i.Comments {
		in.fillID(&i.Comments[n].ID)
	}
	i.Worklogs = slices.Clone(i.Worklogs)
	for n := range i.Worklogs {
		in.fillID(&i.Worklogs[n].ID)
		if i.Worklogs[n].Started.IsZero() {
			i.Worklogs[n].Started = i.Worklogs[n].Created
		}
	}
	r := &record{Issue: i, id: id, number: number, projectKey: prefix}
	in.resolve(r)
	is := &issue{id: id, now: r}
	in.issues[id] = is
	in.byKey[i.Key] = is
	in.sorted = nil
	return i.ID, nil
}

// resolve fills what searches need of a record's catalogue entries.
func (in *Instance) resolve(r *record) {
	r.assignee = in.users[strings.ToLower(r.Assignee)]
	r.category = in.statuses[r.Status].Category
}

func (in *Instance) fillID(id *string) {
	if *id == "" {
		in.lastEntry++
		*id = strconv.FormatInt(in.lastEntry, 10)
		return
	}
	if n, err := strconv.ParseInt(*id, 10, 64); err == nil {
		in.lastEntry = max(in.lastEntry, n)
	}
}

func compareIDs(a, b string) int {
	x, errA := strconv.ParseInt(a, 10, 64)
	y, errB := strconv.ParseInt(b, 10, 64)
	if errA != nil || errB != nil {
		return strings.Compare(a, b)
	}
	return cmp.Compare(x, y)
}

func splitKey(key string) (project string, number int64, ok bool) {
	n := strings.LastIndexByte(key, '-')
	if n < 1 {
		return "", 0, false
	}
	number, err := strconv.ParseInt(key[n+1:], 10, 64)
	return key[:n], number, err == nil && number > 0
}

// Counts says how many issues, changelog entries and changes of assignee the
// Instance holds.
func (in *Instance) Counts() (issues, histories, assigneeChanges int) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	for _, is := range in.issues {
		issues++
		histories += len(is.now.Histories)
		for _, h := range is.now.Histories {
			for _, item := range h.Items {
				if item.Field == "assignee" {
					assigneeChanges++
				}
			}
		}
	}
	return issues, histories, assigneeChanges
}

// Issue returns an issue as it is now, by id or key.
func (in *Instance) Issue(idOrKey string) (Issue, bool) {
	in.mu.RLock()
	defer in.mu.RUnlock()
	is := in.find(idOrKey)
	if is == nil {
		return Issue{}, false
	}
	return is.now.Issue, true
}

// IDs lists the ids of all issues in order of number.
func (in *Instance) IDs() []string {
	in.mu.RLock()
	defer in.mu.RUnlock()
	ids := make([]string, 0, len(in.issues))
	for _, id := range slices.Sorted(maps.Keys(in.issues)) {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	return ids
}

func (in *Instance) find(idOrKey string) *issue {
	if id, err := strconv.ParseInt(idOrKey, 10, 64); err == nil {
		return in.issues[id]
	}
	return in.byKey[strings.ToUpper(idOrKey)]
}
