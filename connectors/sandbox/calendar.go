package sandbox

import (
	"slices"
	"time"
	_ "time/tzdata" // zones on machines without a zone database
)

// holidays gives the public holidays of a country in a year, as month*100+day.
// Only nationwide ones; close enough to a payroll's list to be believed.
func holidays(country string, year int) []int {
	easter := easterSunday(year)
	moving := func(days int) int { return dayCode(easter.AddDate(0, 0, days)) }
	switch country {
	case "DE":
		return []int{101, moving(-2), moving(1), 501, moving(39), moving(50), 1003, 1225, 1226}
	case "GB":
		return []int{101, moving(-2), moving(1), weekdayOf(year, time.May, time.Monday, 1),
			weekdayOf(year, time.May, time.Monday, -1), weekdayOf(year, time.August, time.Monday, -1), 1225, 1226}
	case "PL":
		return []int{101, 106, moving(1), 501, 503, moving(60), 815, 1101, 1111, 1225, 1226}
	case "ES":
		return []int{101, 106, moving(-2), 501, 815, 1012, 1101, 1206, 1208, 1225}
	case "US":
		return []int{101, weekdayOf(year, time.January, time.Monday, 3), weekdayOf(year, time.May, time.Monday, -1),
			619, 704, weekdayOf(year, time.September, time.Monday, 1), weekdayOf(year, time.November, time.Thursday, 4),
			weekdayOf(year, time.November, time.Thursday, 4) + 1, 1225}
	case "IN":
		return []int{126, 501, 815, 1002, 1225}
	}
	return nil
}

// easterSunday is the date of Easter in the Gregorian calendar, by the
// anonymous algorithm (Meeus, Astronomical Algorithms, ch. 8).
func easterSunday(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}

// weekdayOf is the nth such weekday of the month, from the end if n is negative.
func weekdayOf(year int, month time.Month, day time.Weekday, n int) int {
	if n < 0 {
		last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
		back := (int(last.Weekday()) - int(day) + 7) % 7
		return dayCode(last.AddDate(0, 0, -back+7*(n+1)))
	}
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	ahead := (int(day) - int(first.Weekday()) + 7) % 7
	return dayCode(first.AddDate(0, 0, ahead+7*(n-1)))
}

func dayCode(t time.Time) int { return int(t.Month())*100 + t.Day() }

// PublicHolidays lists the days in [from, to) on which the country rests, at
// midnight UTC, in order.
func PublicHolidays(country string, from, to time.Time) []time.Time {
	var days []time.Time
	for year := from.Year(); year <= to.Year(); year++ {
		for _, code := range holidays(country, year) {
			day := time.Date(year, time.Month(code/100), code%100, 0, 0, 0, 0, time.UTC)
			if !day.Before(from) && day.Before(to) {
				days = append(days, day)
			}
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	return days
}

// workTime is when someone is at work: disjoint spans in order, milliseconds
// since 1970, with the working time that lies before each.
type workTime struct {
	start, end, before []int64
}

// never lies behind everything that a generated year can reach.
const never = int64(1) << 52

func (w *workTime) add(start, end int64) {
	if n := len(w.end); n > 0 && start < w.end[n-1] {
		start = w.end[n-1]
	}
	if start >= end {
		return
	}
	sum := int64(0)
	if n := len(w.end); n > 0 {
		sum = w.before[n-1] + w.end[n-1] - w.start[n-1]
	}
	w.start, w.end, w.before = append(w.start, start), append(w.end, end), append(w.before, sum)
}

// span is the index of the first span that ends after t.
func (w *workTime) span(t int64) int {
	i, found := slices.BinarySearch(w.end, t)
	if found {
		i++
	}
	return i
}

// next is the first instant at or after t at which they are at work.
func (w *workTime) next(t int64) int64 {
	i := w.span(t)
	if i == len(w.end) {
		return never
	}
	return max(t, w.start[i])
}

// after is the instant by which d of working time has passed since t.
func (w *workTime) after(t, d int64) int64 {
	i := w.span(t)
	if i == len(w.end) {
		return never
	}
	goal := w.before[i] + max(0, t-w.start[i]) + d
	j, found := slices.BinarySearch(w.before, goal)
	if !found {
		j--
	}
	if j > i && w.before[j] == goal {
		j-- // at the end of one span rather than the start of the next
	}
	at := w.start[j] + goal - w.before[j]
	if at > w.end[j] {
		return never
	}
	return at
}

// timetable lays out when the person works from start to end: their hours on
// every day that is no holiday, leave, or outside their employment.
func (p *Person) timetable(start, end time.Time) {
	free := map[time.Time]bool{}
	for _, day := range PublicHolidays(p.Country, start, end) {
		free[day] = true
	}
	p.work = workTime{}
	leave := 0
	for day := start; day.Before(end); day = day.AddDate(0, 0, 1) {
		hours := p.Hours[day.Weekday()]
		if hours.Start == hours.End || free[day] {
			continue
		}
		local := func(minute int) time.Time {
			return time.Date(day.Year(), day.Month(), day.Day(), minute/60, minute%60, 0, 0, p.location)
		}
		from, to := local(hours.Start), local(hours.End)
		for leave < len(p.Leave) && !p.Leave[leave].To.After(from) {
			leave++
		}
		away := leave < len(p.Leave) && p.Leave[leave].From.Before(to)
		employed := !from.Before(p.Joined) && (p.Left.IsZero() || from.Before(p.Left))
		if !away && employed {
			p.work.add(from.UnixMilli(), to.UnixMilli())
		}
	}
}
