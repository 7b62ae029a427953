package sandbox

import (
	"cmp"
	"slices"
)

// note writes a change into a ticket's history. Times never run backwards, and
// ServiceNow knows only whole seconds.
func (s *sim) note(j *job, at int64, f field, to int32, by *Person) {
	t := j.t
	from := t.last.get(f)
	if from == to {
		return
	}
	c := change{at: at, field: f, from: from, to: to, actor: none}
	if by != nil {
		c.actor = int32(by.index)
	}
	if j.queue.System == ServiceNow {
		c.at -= c.at % second
	}
	last := t.Created.UnixMilli()
	if n := len(t.changes); n > 0 {
		last = t.changes[n-1].at
	}
	c.at = max(c.at, last)
	t.changes = append(t.changes, c)
	t.last.apply(c)
}

// also is note for a further change of the same update.
func (s *sim) also(j *job, f field, to int32, by *Person) {
	t := j.t
	n := len(t.changes)
	s.note(j, t.changes[n-1].at, f, to, by)
	if len(t.changes) > n {
		t.changes[n].together = true
	}
}

func (s *sim) phase(j *job, at int64, p Phase, by *Person) {
	s.note(j, at, fieldPhase, int32(p), by)
	j.phase = p
}

func (s *sim) say(j *job, at int64, by *Person) {
	if by == nil || by.Role == Staff && j.queue.System == Jira && by.JiraName == "" {
		return
	}
	if j.queue.System == ServiceNow {
		at -= at % second
	}
	j.t.acts = append(j.t.acts, act{at: max(at, j.t.Created.UnixMilli()), actor: int32(by.index)})
}

// cut takes back what was written ahead of at.
func (s *sim) cut(j *job, at int64) {
	t := j.t
	n := len(t.changes)
	for n > 0 && t.changes[n-1].at > at {
		n--
	}
	for n > 0 && n < len(t.changes) && t.changes[n].together {
		n-- // never half an update
	}
	t.changes = t.changes[:n]
	t.acts = slices.DeleteFunc(t.acts, func(a act) bool { return a.at > at })
	t.last = t.first
	for _, c := range t.changes {
		t.last.apply(c)
	}
	j.phase = t.last.phase
	j.gen++
}

// create is the moment at which a ticket is raised.
func (s *sim) create(j *job) {
	t, at := j.t, j.t.Created.UnixMilli()
	plan := j.queue.plan
	if j.t.Parent != nil && j.holder != nil { // a sub-task for oneself
		p := j.holder
		j.holder = nil
		t.first.assignee, t.last.assignee = int32(p.index), int32(p.index)
		s.hold(j, p, at)
		return
	}
	if j.toDesk && s.chance(0.03) || j.queue == s.o.Queues[0] && s.chance(0.02) {
		s.virtualAgent(j, at)
		return
	}
	own := 0.05
	if plan.system == Jira {
		own = 0.12
	}
	if !j.toDesk && s.chance(own) {
		if p, _ := s.choose(j, at, nil); p != nil {
			t.first.assignee, t.last.assignee = int32(p.index), int32(p.index)
			if p.Role == Engineer && s.chance(0.6) {
				t.Reporter = p // noticed it, and took it
			}
			s.hold(j, p, at)
			return
		}
	}
	if !j.alarm && !j.major && s.area(j) != s.o.Truths.Hoarded && s.chance(0.025) {
		s.dismiss(j, at)
		return
	}
	s.agenda.push(entry{at: at + s.queueing(j), what: stepTriage, job: j})
}

// virtualAgent is a request that a chat bot takes, and solves within minutes.
func (s *sim) virtualAgent(j *job, at int64) {
	bot := s.o.bot(botVirtualAgent)
	s.note(j, at+20*second, fieldAssignee, int32(bot.index), bot)
	s.phase(j, at+21*second, InProgress, bot)
	s.say(j, at+40*second, bot)
	end := at + 2*minute + s.r.Int64N(8*minute)
	s.phase(j, end, Resolved, bot)
	s.closing(j, end)
}

// dismiss is a ticket that is withdrawn or a duplicate: nobody ever had it.
func (s *sim) dismiss(j *job, at int64) {
	lead := j.queue.Team.Lead
	s.phase(j, lead.work.after(at, s.r.Int64N(16*hour)), Cancelled, lead)
}

// queueing is how long a ticket waits before somebody looks at it.
func (s *sim) queueing(j *job) int64 {
	hours := 0.0
	switch j.t.Type {
	case Incident:
		hours = [...]float64{0, 0.05, 0.25, 1.2, 2.5, 6}[j.t.last.priority]
	case CatalogTask, ServiceRequest:
		hours = 3
	case ChangeRequest, Problem:
		hours = 12
	case Bug:
		hours = [...]float64{0, 0.3, 2, 12, 40, 120}[j.t.last.priority]
	case Story:
		hours = 150
	case Task:
		hours = 60
	case Subtask:
		hours = 6
	}
	if j.queue.System == Jira && j.queue.Team.policy != lot && s.chance(0.04) {
		hours = 90 * 24 // some day
	}
	return int64(s.lognormal(hours, 1, 200*24) * float64(hour))
}

// triage gives a waiting ticket to somebody, or waits until there is one.
func (s *sim) triage(j *job, at int64) {
	team := j.queue.Team
	if !urgent(j) {
		first := never
		for _, m := range team.Members {
			first = min(first, m.Person.work.next(at))
		}
		if first > at {
			s.agenda.push(entry{at: first + s.r.Int64N(40*minute), what: stepTriage, job: j})
			return
		}
	}
	var last *Person
	if n := len(j.before); n > 0 && s.chance(0.85) {
		last = j.before[n-1]
	}
	p, retry := s.choose(j, at, last)
	if p == nil {
		s.agenda.push(entry{at: max(at+10*minute, retry+s.r.Int64N(hour)), what: stepTriage, job: j})
		return
	}
	by := p
	switch {
	case team.Lead != p && s.chance(0.6):
		by = team.Lead
	case j.queue.System == ServiceNow && s.chance(0.1):
		by = s.o.bot(botSystem) // an assignment rule
	}
	if by.Role != Bot && by.work.next(at) > at && !urgent(j) {
		// Nobody hands out work in their sleep: a rule does.
		by = s.o.bot(botSystem)
		if j.queue.System == Jira {
			by = s.o.bot(botAutomation)
		}
	}
	s.note(j, at, fieldAssignee, int32(p.index), by)
	if a := s.area(j); j.t.last.area == none && s.chance(0.6) {
		s.also(j, fieldArea, int32(a.index), by)
	}
	if s.chance(0.06) && !j.major {
		to := min(5, max(1, int32(j.t.last.priority)+int32(2*s.r.IntN(2)-1)))
		s.also(j, fieldPriority, to, by)
	}
	if j.t.Type == Story && j.t.last.points == 0 && s.chance(0.7) {
		s.also(j, fieldPoints, int32(pointsOf(j.t.HandsOn*s.lognormal(1, 0.3, 3))), by)
	}
	s.hold(j, p, at)
}

// hold puts a ticket into someone's hands and plays what they do with it.
func (s *sim) hold(j *job, p *Person, at int64) {
	j.holder = p
	j.gen++
	s.held[p.index] = append(s.held[p.index], j)
	plan := j.queue.plan

	out := p.work.next(at)-at > 20*minute && urgent(j)
	elapsed := func(from int64, d int64) int64 {
		if out { // called out: the clock runs at once
			return from + d
		}
		return p.work.after(from, d)
	}
	wait := [...]float64{0, 0.05, 0.2, 2, 4, 6}[j.t.last.priority]
	j.pickup = max(at+2*second, elapsed(at, int64(s.lognormal(wait, 0.6, 12)*float64(hour))))
	if j.phase != InProgress {
		s.phase(j, j.pickup, InProgress, p)
	}
	if j.toDesk {
		s.say(j, j.pickup+3*minute, p)
		s.agenda.push(entry{at: elapsed(j.pickup, 6*minute+s.r.Int64N(35*minute)), what: stepRoute, job: j})
		return
	}
	s.split(j, p, j.pickup)
	stretch := plan.stretch * s.lognormal(1, 0.35, 2.5)
	if s.juggles(p, j.queue.Team) {
		stretch *= 1.1
	}
	if urgent(j) || j.major {
		stretch = 1 + 0.3*s.r.Float64()
	}
	work := int64(j.left * stretch * float64(hour))
	at = j.pickup
	pass := plan.pass
	if a := s.area(j); a == s.o.Truths.Hoarded {
		pass = 0.005
	}
	if s.chance(pass) && len(j.before) < 6 && !j.major {
		part := 0.1 + 0.6*s.r.Float64()
		at = elapsed(at, int64(part*float64(work)))
		j.until = at
		s.remarks(j, p, j.pickup, at)
		s.agenda.push(entry{at: at, what: stepHandOver, job: j})
		return
	}
	done := 0.0
	if s.chance(plan.wait) && !out {
		done = 0.2 + 0.5*s.r.Float64()
		at = elapsed(at, int64(done*float64(work)))
		s.phase(j, at, OnHold, p)
		s.say(j, at, p)
		at = p.work.next(at + int64(s.lognormal(26, 0.7, 6*24)*float64(hour)))
		s.phase(j, at, InProgress, p)
	}
	end := elapsed(at, int64((1-done)*float64(work)))
	if (j.t.Type == Bug || j.t.Type == Story || j.t.Type == Task) && s.chance(0.6) {
		s.phase(j, elapsed(at, int64(0.8*(1-done)*float64(work))), InReview, p)
		end = elapsed(end, s.r.Int64N(6*hour))
	}
	j.until = end
	s.remarks(j, p, j.pickup, end)
	s.agenda.push(entry{at: end, what: stepResolve, job: j})
}

// juggles reports whether someone has more than one and a half times what the
// team has open on average: everything then takes longer.
func (s *sim) juggles(p *Person, t *Team) bool {
	open, n := 0, 0
	for _, m := range t.Members {
		if m.To.IsZero() {
			open += len(s.held[m.Person.index])
			n++
		}
	}
	mine := len(s.held[p.index])
	return mine > 4 && 2*mine*n > 3*open
}

// split breaks a story down into sub-tasks, some for oneself.
func (s *sim) split(j *job, p *Person, at int64) {
	if j.asked || j.t.Type != Story || j.queue.Team.policy == lot {
		return
	}
	j.asked = true
	if !s.chance(0.22) {
		return
	}
	for i := range 2 + s.r.IntN(3) {
		a := arrival{
			at: at + int64(i+1)*(minute+s.r.Int64N(3*minute)), queue: j.queue, area: s.area(j), kind: Subtask,
			priority: j.t.last.priority, reporter: int32(p.index),
		}
		child := s.enter(a, j.t)
		if s.chance(0.6) {
			child.holder = p
		}
	}
}

// remarks are the comments and worklogs of one who works from one time to
// another, and of those who look in.
func (s *sim) remarks(j *job, p *Person, from, to int64) {
	if to >= never || to <= from {
		return
	}
	mean, most := 1.3, 8
	if j.major {
		mean, most = 40, 80
	}
	team := j.queue.Team.Members
	for range min(most, s.poisson(mean)) {
		at := from + s.r.Int64N(to-from)
		switch u := s.r.Float64(); {
		case u < 0.6:
			s.say(j, min(to, p.work.next(at)), p)
		case u < 0.8:
			if by := j.t.Reporter; by.Role != Bot {
				s.say(j, at, by)
			}
		default:
			by := team[s.r.IntN(len(team))].Person
			if at = by.work.next(at); at < to && s.area(j) != s.o.Truths.Hoarded {
				s.say(j, at, by)
			}
		}
	}
	if j.queue.System == Jira {
		for range 1 + s.r.IntN(2) {
			if at := p.work.next(from + s.r.Int64N(to-from)); at <= to && s.chance(0.6) {
				spent := uint16(min(480, 10+j.left*60*s.r.Float64()))
				j.t.acts = append(j.t.acts, act{at: at, actor: int32(p.index), worklog: true, minutes: spent})
			}
		}
	}
}

// free takes a ticket out of its holder's hands.
func (s *sim) free(j *job) {
	if j.holder == nil {
		return
	}
	mine := &s.held[j.holder.index]
	i := slices.Index(*mine, j)
	*mine = slices.Delete(*mine, i, i+1)
	j.before = append(j.before, j.holder)
	j.holder = nil
}

// interrupt stops the holder's work at a time and reckons what is left of it.
func (s *sim) interrupt(j *job, at int64) {
	if j.until > j.pickup && at > j.pickup {
		done := float64(at-j.pickup) / float64(j.until-j.pickup)
		j.left = max(0.2, j.left*(1-min(1, done)))
	}
	s.cut(j, at)
	s.free(j)
}

// route sends a ticket to the queue where it belongs.
func (s *sim) route(j *job, at int64) {
	by := j.holder
	j.toDesk = false
	s.pass(j, at, j.dest.queue, j.dest.area, by)
}

// pass moves a ticket to another queue, where it waits again or is given to
// somebody in the same update.
func (s *sim) pass(j *job, at int64, q *Queue, area *Area, by *Person) {
	s.interrupt(j, at)
	s.note(j, at, fieldQueue, int32(q.index), by)
	j.queue = q
	j.dest = arrival{queue: q, area: area, kind: j.t.last.kind}
	s.also(j, fieldArea, int32(area.index), by)
	if s.chance(0.2) {
		if p, _ := s.choose(j, at, nil); p != nil {
			s.also(j, fieldAssignee, int32(p.index), by)
			s.hold(j, p, at)
			return
		}
	}
	s.also(j, fieldAssignee, none, by)
	if j.phase == InProgress && s.chance(0.5) {
		s.also(j, fieldPhase, int32(New), by)
		j.phase = New
	}
	s.agenda.push(entry{at: at + s.queueing(j)/2 + minute, what: stepTriage, job: j})
}

// handOver passes a ticket on: to another queue, back to an earlier holder, or
// to a colleague, sometimes by way of nobody.
func (s *sim) handOver(j *job, at int64) {
	by := j.holder
	if s.chance(j.queue.plan.stray) && s.area(j) != s.o.Truths.Hoarded {
		if q := s.elsewhere(j.queue); q != nil {
			area := s.pickArea(q)
			for area == s.o.Truths.Hoarded {
				area = s.pickArea(q)
			}
			s.pass(j, at, q, area, by)
			return
		}
	}
	s.handTo(j, at, by, true)
}

// handTo finds another holder in the same queue.
func (s *sim) handTo(j *job, at int64, by *Person, mayWait bool) {
	old := j.holder
	back := s.earlier(j, at)
	s.interrupt(j, at)
	if mayWait && s.chance(0.25) {
		s.note(j, at, fieldAssignee, none, by)
		s.agenda.push(entry{at: at + int64(s.lognormal(3, 0.8, 48)*float64(hour)), what: stepTriage, job: j})
		return
	}
	p, retry := s.choose(j, at, old)
	if back != nil && s.chance(0.3) {
		p = back
	}
	if p == nil {
		s.note(j, at, fieldAssignee, none, by)
		s.agenda.push(entry{at: max(at+10*minute, retry), what: stepTriage, job: j})
		return
	}
	s.note(j, at, fieldAssignee, int32(p.index), by)
	s.hold(j, p, at)
}

// earlier is someone who had the ticket before and could take it back. Teams
// whose way of giving out is a planted truth keep to it.
func (s *sim) earlier(j *job, at int64) *Person {
	t := j.queue.Team
	if t.policy != balanced || len(j.before) == 0 {
		return nil
	}
	p := j.before[len(j.before)-1]
	for _, c := range s.candidates(t, at, 3*hour, 4*day, j.holder) {
		if c.person == p {
			return p
		}
	}
	return nil
}

// elsewhere is another queue of the same system to pass a ticket to.
func (s *sim) elsewhere(q *Queue) *Queue {
	var others []*Queue
	for _, o := range s.o.Queues {
		if o.System == q.System && o != q && o.Team.policy != lot {
			others = append(others, o)
		}
	}
	if len(others) == 0 || q.Team.policy == lot {
		return nil
	}
	return others[s.r.IntN(len(others))]
}

func (s *sim) resolve(j *job, at int64) {
	by := j.holder
	if j.t.Type == Bug && s.chance(0.03) {
		s.note(j, at, fieldKind, int32(Task), by) // was no bug after all
	}
	end := Resolved
	if s.chance(0.02) {
		end = Cancelled
	}
	s.phase(j, at, end, by)
	s.say(j, at, by)
	mine := &s.held[by.index]
	i := slices.Index(*mine, j)
	*mine = slices.Delete(*mine, i, i+1)
	j.gen++
	if end == Resolved && j.reopened < 2 && s.chance(0.04) {
		back := at + int64(s.lognormal(26, 0.7, 4*24)*float64(hour))
		s.agenda.push(entry{at: back, what: stepReopen, job: j})
		return
	}
	s.closing(j, at)
}

// closing is what ends a resolved ticket, days later.
func (s *sim) closing(j *job, at int64) {
	if j.phase != Resolved {
		return
	}
	switch j.t.Type {
	case Incident:
		s.phase(j, at+5*day+s.r.Int64N(hour), Closed, s.o.bot(botSystem))
	case Problem, ChangeRequest:
		lead := j.queue.Team.Lead
		s.phase(j, lead.work.after(at, s.r.Int64N(20*hour)), Closed, lead)
	case Bug, ServiceRequest:
		if s.chance(0.7) {
			by := j.t.Reporter
			if by.JiraName == "" {
				by = s.o.bot(botAutomation)
			}
			s.phase(j, at+day+s.r.Int64N(4*day), Closed, by)
		}
	}
}

// reopen takes a resolved ticket up again.
func (s *sim) reopen(j *job, at int64) {
	j.reopened++
	j.left = max(0.2, 0.3*j.t.HandsOn)
	p := j.holder
	by := j.t.Reporter
	if by.Role == Bot || j.queue.System == Jira && by.JiraName == "" {
		by = p
	}
	s.say(j, at, by)
	s.phase(j, at, InProgress, by)
	if p.Left.IsZero() && s.memberOf(p, j.queue.Team) {
		s.hold(j, p, at)
		return
	}
	j.holder = nil
	j.before = append(j.before, p)
	s.also(j, fieldAssignee, none, by)
	s.agenda.push(entry{at: at + s.queueing(j), what: stepTriage, job: j})
}

func (s *sim) memberOf(p *Person, t *Team) bool {
	return slices.ContainsFunc(t.Members, func(m Membership) bool { return m.Person == p && m.To.IsZero() })
}

// away hands over some of what would lie idle during a leave.
func (s *sim) away(p *Person, at int64) {
	for _, j := range s.holding(p) {
		if j.until > at+3*day && !j.toDesk && s.area(j) != s.o.Truths.Hoarded && s.chance(0.75) {
			s.handTo(j, at, p, true)
		}
	}
}

// leave hands over everything that someone has who leaves the team.
func (s *sim) leave(p *Person, t *Team, at int64) {
	for _, j := range s.holding(p) {
		if j.queue.Team != t {
			continue
		}
		s.handTo(j, at, t.Lead, false)
	}
}

// holding is a copy of what someone has, in the order of what is due first.
func (s *sim) holding(p *Person) []*job {
	list := slices.Clone(s.held[p.index])
	slices.SortStableFunc(list, func(a, b *job) int { return cmp.Compare(a.until, b.until) })
	return list
}
