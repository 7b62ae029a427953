package collector_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/rest"
	"fairlead/connectors/source/sourcetest"
)

// Unchanged tasks cost nothing: once all is collected, a poll asks for no task
// and no history, and after so many changes for so many histories, however often
// it looks back over them.
func TestUnchangedAsanaTasksCostNothing(t *testing.T) {
	for name, free := range map[string]bool{"by search": false, "by events": true} {
		t.Run(name, func(t *testing.T) {
			clock := sourcetest.NewClock(epoch)
			in := asanatest.New(asanatest.Options{Clock: clock.Now, Free: free})
			ann, bob := in.AddUser(asanatest.User{Name: "Ann"}), in.AddUser(asanatest.User{Name: "Bob"})
			team := in.AddTeam("Network")
			projects := []string{in.AddProject("NET", team), in.AddProject("DB", team), in.AddProject("WEB", team)}
			var tasks, parts []string
			create := func(parent string, changes ...asanatest.Change) string {
				gid, err := in.Create(asanatest.Task{At: clock.Advance(30 * time.Second), By: ann, Parent: parent, Changes: changes})
				if err != nil {
					t.Fatal(err)
				}
				return gid
			}
			edit := func(gid string) {
				for _, who := range []string{bob, ann} {
					if err := in.Edit(gid, ann, clock.Advance(3*time.Second), asanatest.Assign(who), asanatest.Comment("x")); err != nil {
						t.Fatal(err)
					}
				}
			}
			// The last of them just before the collection begins.
			for n := range 300 {
				tasks = append(tasks, create("", asanatest.AddTo(projects[n%3], ""), asanatest.Complete(n%4 == 0)))
				if n%5 == 0 {
					parts = append(parts, create(tasks[n]))
				}
			}
			server := httptest.NewServer(in)
			t.Cleanup(server.Close)
			cfg := asana.DefaultConfig()
			cfg.URL, cfg.Token, cfg.Projects = server.URL, "token", projects
			src, err := asana.New(cfg, asana.Options{Transport: rest.New("asana", rest.DefaultConfig(), nil, nil, nil), Clock: clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			store := newMemoryStore()
			c := collector.New(collector.DefaultConfig(), src, store, nil, nil, nil)
			const task = asanatest.Prefix + "/tasks/{gid}"
			poll := func(what string, histories, details, others int) {
				t.Helper()
				in.ResetRequests()
				if err := c.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
				n := in.Requests()
				if n[task+"/stories"] != histories || n[task] > details || n[task+"/subtasks"] != 0 || in.Calls() > histories+details+others {
					t.Errorf("%s costs %v", what, n)
				}
			}
			if err := c.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := in.Requests()[task+"/stories"]; n != 360 || len(store.records) != 360 {
				t.Errorf("a collection of 360 tasks reads %d histories and stores %d", n, len(store.records))
			}
			// One search, or a list of changed tasks and the events of each project.
			quiet, told := 1, 0
			if free {
				quiet, told = 6, 3
			}
			for range 3 {
				poll("nothing new", 0, 0, quiet)
				clock.Advance(time.Minute)
			}
			for _, gid := range []string{tasks[0], tasks[1], tasks[7], parts[2], parts[30], tasks[299], parts[4]} {
				edit(gid)
			}
			poll("four tasks and three subtasks that changed", 7, told, quiet)
			for range 3 {
				clock.Advance(time.Minute)
				poll("what changed a while ago", 0, 0, quiet)
			}
			clock.Advance(24 * time.Hour)
			edit(tasks[150])
			edit(parts[9])
			in.ResetRequests()
			if err := c.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := in.Requests()[task+"/stories"]; n != 2 {
				t.Errorf("after a day, with two changes, %d histories were read", n)
			}
		})
	}
}
