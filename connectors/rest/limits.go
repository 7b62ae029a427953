package rest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// nearLimit is the part of a limit below which what is left is spread over the
	// rest of the window. Jira Cloud sets X-RateLimit-NearLimit at the same part.
	nearLimit = 0.2
	// fewRequests stands for nearLimit where the source does not say how many
	// there are in a window.
	fewRequests = 10
)

// advice is what the headers of an answer ask for.
type advice struct {
	gap  time.Duration // between two requests; 0 is none
	till time.Time     // how long the gap is to be kept
	hold time.Time     // nothing before; zero is at once
}

// bucketAdvice reads the X-RateLimit headers that count requests: with few left in
// the window they are spread over the rest of it, with none all wait for the next.
// Atlassian Data Center has no window but a bucket that is filled again: there the
// rate of filling is the rate that is left. Jira Cloud's burst limit is a bucket
// too, that fills by the second and says no more of it ("Rate limiting",
// developer.atlassian.com).
func bucketAdvice(header http.Header, now time.Time) (advice, bool) {
	remaining, ok := headerNumber(header, "X-RateLimit-Remaining")
	if !ok {
		return advice{}, false
	}
	near := float64(fewRequests)
	if limit, ok := headerNumber(header, "X-RateLimit-Limit"); ok && limit > 0 {
		near = limit * nearLimit
	}
	if remaining > near && !strings.EqualFold(header.Get("X-RateLimit-NearLimit"), "true") {
		return advice{}, true
	}
	if wait, ok := untilReset(header, now); ok {
		return spread(remaining, wait, now), true
	}
	fill, filled := headerNumber(header, "X-RateLimit-FillRate")
	seconds, timed := headerNumber(header, "X-RateLimit-Interval-Seconds")
	if filled && timed && fill > 0 && seconds > 0 {
		// Until an answer says that there is room again.
		return advice{gap: min(duration(seconds/fill), maxHold), till: now.Add(maxHold)}, true
	}
	return advice{}, false
}

// spread divides a time by the requests that may be sent in it.
func spread(requests float64, wait time.Duration, now time.Time) advice {
	if requests < 1 {
		return advice{hold: now.Add(wait)}
	}
	return advice{gap: time.Duration(float64(wait) / requests), till: now.Add(wait)}
}

// hours counts requests where the source says how many there may be until when,
// and not how many are left: ServiceNow's X-RateLimit-Limit is for an hour, and
// X-RateLimit-Reset its end ("Inbound REST API rate limiting", product
// documentation). Others that ask as the same user are not seen; a 429 tells of
// them.
type hours struct {
	end  string // X-RateLimit-Reset of the hour that is counted
	sent float64
}

func (h *hours) advice(header http.Header, now time.Time) (advice, bool) {
	limit, ok := headerNumber(header, "X-RateLimit-Limit")
	end := header.Get("X-RateLimit-Reset")
	if !ok || limit <= 0 || end == "" || header.Get("X-RateLimit-Remaining") != "" {
		return advice{}, false
	}
	if end != h.end {
		h.end, h.sent = end, 0
	}
	h.sent++
	wait, ok := untilReset(header, now)
	if left := limit - h.sent; ok && left <= limit*nearLimit {
		return spread(left, wait, now), true
	}
	return advice{}, true
}

// quotas are Jira Cloud's hourly quotas of points, by their names, which apps that
// sign in by OAuth have ("Rate limiting", developer.atlassian.com): a request costs
// a point and one more for each object it reads.
//
//	RateLimit-Policy: "global-app-quota";q=65000;w=3600
//	RateLimit: "global-app-quota";r=11000;t=600
//
// q is the quota of a window of w seconds, r is what is left of it and is given
// only when that is little, t is how many seconds the window lasts. With the prefix
// Beta- they are told and not enforced yet.
type quotas map[string]quota

type quota struct {
	left float64 // of the answer before
	cost float64 // points a request, as seen; 0 is not known
}

const (
	// usualCost is what a request is taken to cost until it is known: a search
	// reads a hundred issues.
	usualCost = 100
	// betaGap is the most that a limit which is not enforced slows down.
	betaGap = 10 * time.Second
)

func (q *quotas) advice(header http.Header, now time.Time) (advice, bool) {
	var slowest advice
	spoke := false
	for _, prefix := range []string{"", "Beta-"} {
		policies := structured(header, prefix+"RateLimit-Policy")
		for name, p := range structured(header, prefix+"RateLimit") {
			spoke = true
			left, told := p["r"]
			seconds, timed := p["t"]
			if !told || !timed || left < 0 || seconds < 0 {
				continue
			}
			seconds++ // it is cut to whole ones
			cost := q.seen(name, left)
			if policy := policies[name]; policy["q"] > 0 && left > nearLimit*policy["q"] {
				continue
			}
			a := spread(left/cost, min(duration(seconds), maxHold), now)
			if prefix != "" {
				if !a.hold.IsZero() {
					a = advice{gap: betaGap, till: a.hold}
				}
				a.gap = min(a.gap, betaGap)
			}
			if a.gap > slowest.gap {
				slowest.gap, slowest.till = a.gap, a.till
			}
			if a.hold.After(slowest.hold) {
				slowest.hold = a.hold
			}
		}
	}
	return slowest, spoke
}

// seen learns from what is left what a request costs. What others spend of the same
// quota is taken for ours.
func (q *quotas) seen(name string, left float64) float64 {
	if *q == nil {
		*q = quotas{}
	}
	one, known := (*q)[name]
	if spent := one.left - left; known && spent > 0 {
		if one.cost == 0 {
			one.cost = spent
		}
		one.cost = (one.cost + spent) / 2
	}
	one.left = left
	(*q)[name] = one
	switch {
	case one.cost > 0:
		return one.cost
	case strings.Contains(name, "burst"):
		return 1
	}
	return usualCost
}

// structured reads a list of names with numbers as parameters ("Structured Field
// Values for HTTP", RFC 9651), as far as rate limits use them. What is not one is
// left out.
func structured(header http.Header, field string) map[string]map[string]float64 {
	found := map[string]map[string]float64{}
	for _, item := range strings.Split(strings.Join(header.Values(field), ","), ",") {
		parts := strings.Split(item, ";")
		name := strings.Trim(strings.TrimSpace(parts[0]), `"`)
		if name == "" {
			continue
		}
		numbers := map[string]float64{}
		for _, p := range parts[1:] {
			key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			if n, err := strconv.ParseFloat(value, 64); err == nil {
				numbers[key] = n
			}
		}
		found[name] = numbers
	}
	return found
}

// retryAfter reads Retry-After, in seconds or as a date; a date counts from
// the source's own clock where it shows it. False where there is none to obey.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) {
			return 0, false
		}
		return duration(seconds), true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	wait := at.Sub(theirNow(header, now))
	return min(wait, maxHold), wait > 0
}

// untilReset reads X-RateLimit-Reset: a time (Jira Cloud), seconds since 1970
// (ServiceNow), or seconds from now.
func untilReset(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("X-RateLimit-Reset"))
	if value == "" {
		return 0, false
	}
	var wait time.Duration
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		const epoch = 1e8 // three years: no wait, but a date
		if seconds >= epoch {
			seconds -= float64(theirNow(header, now).UnixMilli()) / 1000
		}
		if !(seconds > 0) {
			return 0, false
		}
		wait = duration(seconds)
	} else {
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			// Jira Cloud leaves the seconds out: 2026-03-02T09:05Z.
			if at, err = time.Parse("2006-01-02T15:04Z07:00", value); err != nil {
				return 0, false
			}
		}
		wait = at.Sub(theirNow(header, now))
	}
	return min(wait, maxHold), wait > 0
}

func theirNow(header http.Header, now time.Time) time.Time {
	if at, err := http.ParseTime(header.Get("Date")); err == nil {
		return at
	}
	return now
}

func duration(seconds float64) time.Duration {
	if seconds >= maxHold.Seconds() {
		return maxHold
	}
	return time.Duration(seconds * float64(time.Second))
}

func headerNumber(header http.Header, name string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(header.Get(name)), 64)
	return v, err == nil && v >= 0
}
