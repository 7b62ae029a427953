package web

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"

	"fairlead/analysis"
)

// AccessConfig says who is who on the pages. Engineers and leads are known from
// their accounts and from the roster; managers and auditors are named here.
type AccessConfig struct {
	// Header names the request header in which a proxy that people sign in to
	// gives their e-mail address, such as X-Forwarded-Email. Without it pages are
	// served on loopback only.
	Header string `yaml:"header"`
	// Proxies are the addresses, or ranges of them (10.0.0.0/8), whose header is
	// believed; nobody else is answered.
	Proxies []string `yaml:"proxies"`
	// Managers are by e-mail address the teams that each is responsible for.
	Managers map[string][]string `yaml:"managers"`
	// Auditors are e-mail addresses: a works council, a data-protection officer.
	Auditors []string `yaml:"auditors"`
}

// DefaultAccessConfig believes a header from this machine only, and reads none.
func DefaultAccessConfig() AccessConfig {
	return AccessConfig{Proxies: []string{"127.0.0.1", "::1"}}
}

// Validate names the key that is wrong and says what to do.
func (c AccessConfig) Validate() error {
	if c.Header != "" && !headerName(c.Header) {
		return fmt.Errorf("header is %q: give the name of a request header, such as X-Forwarded-Email", c.Header)
	}
	if c.Header != "" && len(c.Proxies) == 0 {
		return fmt.Errorf("proxies is empty: give the addresses whose %s is believed, such as 127.0.0.1", c.Header)
	}
	for _, p := range c.Proxies {
		if _, err := prefix(p); err != nil {
			return fmt.Errorf("proxies has %q: give addresses or ranges, such as 127.0.0.1 or 10.0.0.0/8", p)
		}
	}
	for address, teams := range c.Managers {
		if !strings.Contains(address, "@") {
			return fmt.Errorf("managers has %q: give e-mail addresses", address)
		}
		if len(teams) == 0 {
			return fmt.Errorf("managers.%s is empty: give the names of teams", address)
		}
	}
	for _, address := range c.Auditors {
		if !strings.Contains(address, "@") {
			return fmt.Errorf("auditors has %q: give e-mail addresses", address)
		}
	}
	return nil
}

func headerName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func prefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// Viewer is somebody who looks at a page, and what they may see. All decisions
// of who sees what are its methods. The zero Viewer sees nothing.
type Viewer struct {
	Address string // that they signed in with; "" for Local

	// Local is whoever reaches the loopback address of a service that no proxy
	// stands before: who runs it.
	Local    bool
	Self     analysis.Colleague // the engineer that they are; zero if none
	Manages  []string           // teams
	Auditor  bool
	minGroup int
	people   bool // whether anything about single engineers is shown at all
}

// Engineer reports whether the viewer is one of those who are measured.
func (v Viewer) Engineer() bool { return v.Self.Pseudonym != "" }

// Anybody reports whether the viewer is known here in any role.
func (v Viewer) Anybody() bool {
	return v.Local || v.Auditor || len(v.Manages) > 0 || v.Engineer()
}

// Team reports whether the figures of a team of so many people may be seen. Those
// of a group of at least the configured size are open to everybody here: they
// are about nobody. Of a smaller one, what one does not know of oneself is about
// the few others, so only its lead, who may see them singly, sees it.
func (v Viewer) Team(team string, people int) bool {
	return v.Anybody() && (people >= v.minGroup || v.Members(team))
}

// Area reports whether figures of an area of a team, that so many people could
// know, may be seen.
func (v Viewer) Area(team string, people int) bool { return v.Team(team, people) }

// Members reports whether the single members of a team may be seen: by its lead,
// whose conversation it is, and by who runs the service. Not by a manager above,
// who is shown teams, and not by an auditor, who sees who looked.
func (v Viewer) Members(team string) bool {
	return v.people && (v.Local || slices.Contains(v.Self.Leads, team))
}

// Person reports whether the page of an engineer in these teams may be seen.
func (v Viewer) Person(pseudonym string, teams []string) bool {
	if !v.people || pseudonym == "" {
		return false
	}
	return v.Local || pseudonym == v.Self.Pseudonym || slices.ContainsFunc(teams, v.Members)
}

// Accesses reports whether the whole access log may be seen. Everybody sees who
// looked at themselves.
func (v Viewer) Accesses() bool { return v.Local || v.Auditor }

// Name is what the access log and the head of a page call the viewer.
func (v Viewer) Name() string {
	switch {
	case v.Self.Pseudonym != "":
		return v.Self.Pseudonym
	case v.Address != "":
		return v.Address
	}
	return operator
}

// operator is what the access log calls whoever looks on the machine itself.
const operator = "local"

// Roles are the viewer's, in words.
func (v Viewer) Roles() []string {
	var roles []string
	if v.Local {
		roles = append(roles, "the operator of this machine")
	}
	if v.Engineer() {
		roles = append(roles, "an engineer")
	}
	if len(v.Self.Leads) > 0 {
		roles = append(roles, "the lead of "+strings.Join(v.Self.Leads, ", "))
	}
	if len(v.Manages) > 0 {
		roles = append(roles, "a manager of "+strings.Join(v.Manages, ", "))
	}
	if v.Auditor {
		roles = append(roles, "an auditor")
	}
	return roles
}

// gate tells who a request is from.
type gate struct {
	header   string
	proxies  []netip.Prefix
	managers map[string][]string
	auditors map[string]bool
	hosts    map[string]bool // names by which a page without sign-in may be asked for
	minGroup int
	people   bool
}

func newGate(c AccessConfig, listen string, minGroup int, people bool) (*gate, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g := &gate{
		header: textproto.CanonicalMIMEHeaderKey(c.Header), managers: map[string][]string{}, auditors: map[string]bool{},
		hosts: map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}, minGroup: minGroup, people: people,
	}
	if host, _, err := net.SplitHostPort(listen); err == nil {
		g.hosts[host] = true
	}
	for _, p := range c.Proxies {
		one, err := prefix(p)
		if err != nil {
			return nil, err
		}
		g.proxies = append(g.proxies, one)
	}
	for address, teams := range c.Managers {
		g.managers[fold(address)] = teams
	}
	for _, address := range c.Auditors {
		g.auditors[fold(address)] = true
	}
	return g, nil
}

func fold(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// refusal is why a request is not answered, for who sent it.
type refusal struct {
	status int
	says   string
}

func (r *refusal) Error() string { return r.says }

// viewer is who sends a request. The error is a *refusal.
func (g *gate) viewer(r *http.Request, known *analysis.Colleagues) (Viewer, error) {
	v := Viewer{minGroup: g.minGroup, people: g.people}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return Viewer{}, &refusal{http.StatusForbidden, "It cannot be told where this request comes from."}
	}
	address := from.Addr().Unmap()
	if g.header == "" {
		// A page of another site can make a browser ask for any address, under
		// a name of its own: that name is in Host.
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !address.IsLoopback() || !g.hosts[strings.Trim(host, "[]")] {
			return Viewer{}, &refusal{http.StatusForbidden, "Pages are shown on this machine only. For others, put a proxy that people sign in to before Fairlead, and name its header in web.access.header."}
		}
		v.Local = true
		return v, nil
	}
	if !slices.ContainsFunc(g.proxies, func(p netip.Prefix) bool { return p.Contains(address) }) {
		return Viewer{}, &refusal{http.StatusForbidden, "Pages are shown through the proxy that people sign in to. This request came past it; see web.access.proxies."}
	}
	signed := r.Header.Values(g.header)
	if len(signed) != 1 || fold(signed[0]) == "" {
		return Viewer{}, &refusal{http.StatusUnauthorized, "The proxy did not say who is signed in."}
	}
	v.Address = fold(signed[0])
	v.Self, _ = known.Signed(v.Address)
	v.Manages, v.Auditor = g.managers[v.Address], g.auditors[v.Address]
	if !v.Anybody() {
		return Viewer{}, &refusal{http.StatusForbidden, "You are signed in as " + v.Address + ", who is nobody here: no account of a source and no person of the roster has that address, and it is no manager's or auditor's."}
	}
	return v, nil
}

// inWords joins a list as a sentence does.
func inWords(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// sortedBy is a copy in order of a key.
func sortedBy[T any, K cmp.Ordered](list []T, key func(T) K) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return list
}
