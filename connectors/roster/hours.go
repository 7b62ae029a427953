package roster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Hours is a part of a day, in minutes from local midnight: half-open, at most
// a day long, and past 1440 on the day after.
type Hours struct{ From, To int }

const dayMinutes = 24 * 60

// Week is the agreed hours by time.Weekday, each day's in order.
type Week [7][]Hours

// DefaultWeek stands in where no hours are known: Monday to Friday, 09:00 to
// 17:00.
func DefaultWeek() Week {
	var w Week
	for day := time.Monday; day <= time.Friday; day++ {
		w[day] = []Hours{{9 * 60, 17 * 60}}
	}
	return w
}

// Length is the agreed time of a week.
func (w Week) Length() time.Duration {
	minutes := 0
	for _, day := range w {
		for _, h := range day {
			minutes += h.To - h.From
		}
	}
	return time.Duration(minutes) * time.Minute
}

var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// String writes the week as ParseHours reads it, each day once, from Monday on,
// days with the same hours together.
func (w Week) String() string {
	var parts []string
	written := [7]bool{}
	for i := range 7 {
		day := (i + 1) % 7
		if written[day] || len(w[day]) == 0 {
			continue
		}
		var days []string
		for j := i; j < 7; j++ {
			same := (j + 1) % 7
			if !slices.Equal(w[same], w[day]) {
				continue
			}
			written[same] = true
			days = append(days, dayNames[same])
		}
		text := strings.Join(days, ",")
		for _, h := range w[day] {
			text += " " + clock(h.From) + "-" + clock((h.To-1)%dayMinutes+1)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// ParseHours reads a week such as
//
//	mon-thu 09:00-12:30 13:00-17:30; fri 09:00-14:00
//
// where days are separated by commas and hours by spaces. Hours that end at or
// before their start end on the next day; 24:00 is midnight at the end of a day.
// The error says what is wrong, without the text.
func ParseHours(s string) (Week, error) {
	var w Week
	named := [7]bool{}
	for part := range strings.SplitSeq(s, ";") {
		words := strings.Fields(part)
		if len(words) < 2 {
			return Week{}, errors.New("each part needs days and hours")
		}
		days, err := parseDays(words[0])
		if err != nil {
			return Week{}, err
		}
		var hours []Hours
		for _, word := range words[1:] {
			h, ok := parseSpan(word)
			if !ok {
				return Week{}, fmt.Errorf("%q is not a span of hours such as 09:00-17:00", word)
			}
			hours = append(hours, h)
		}
		slices.SortFunc(hours, func(a, b Hours) int { return a.From - b.From })
		for _, day := range days {
			if named[day] {
				return Week{}, fmt.Errorf("%s is there twice", dayNames[day])
			}
			named[day], w[day] = true, slices.Clone(hours)
		}
	}
	return w, w.check()
}

// check refuses hours that overlap within the day or reach into the next day's,
// and a week without any.
func (w Week) check() error {
	if w.Length() == 0 {
		return errors.New("a week has no hours: time without work is leave")
	}
	for day, hours := range w {
		for i, h := range hours {
			if h.From < 0 || h.From >= dayMinutes || h.To <= h.From || h.To > h.From+dayMinutes {
				return fmt.Errorf("the hours of %s are out of range", dayNames[day])
			}
			next, offset := w[(day+1)%7], dayMinutes
			if i+1 < len(hours) {
				next, offset = hours[i+1:], 0
			}
			if len(next) > 0 && h.To > next[0].From+offset {
				return fmt.Errorf("hours of %s overlap: %s-%s and what follows", dayNames[day], clock(h.From), clock((h.To-1)%dayMinutes+1))
			}
		}
	}
	return nil
}

func parseDays(s string) ([]int, error) {
	var days []int
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		a := slices.Index(dayNames[:], strings.ToLower(first))
		b := a
		if isRange {
			b = slices.Index(dayNames[:], strings.ToLower(last))
		}
		if a < 0 || b < 0 {
			return nil, fmt.Errorf("%q is not a day or range of days such as mon or mon-fri", part)
		}
		for day := a; ; day = (day + 1) % 7 {
			days = append(days, day)
			if day == b {
				break
			}
		}
	}
	return days, nil
}

func parseSpan(s string) (Hours, bool) {
	first, last, ok := strings.Cut(s, "-")
	from, ok1 := parseClock(first)
	to, ok2 := parseClock(last)
	if !ok || !ok1 || !ok2 || from == dayMinutes {
		return Hours{}, false
	}
	if to <= from {
		to += dayMinutes
	}
	return Hours{from, to}, true
}

// parseClock reads 09:00 or 9:00, up to 24:00.
func parseClock(s string) (int, bool) {
	h, m, ok := strings.Cut(s, ":")
	if !ok || len(h) < 1 || len(h) > 2 || len(m) != 2 || strings.Trim(h+m, "0123456789") != "" {
		return 0, false
	}
	hour, minute := int(h[0]-'0'), int(m[0]-'0')*10+int(m[1]-'0')
	if len(h) == 2 {
		hour = hour*10 + int(h[1]-'0')
	}
	if minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return 0, false
	}
	return hour*60 + minute, true
}
