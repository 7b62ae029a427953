package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is how many characters of a name are kept.
const longest = 80

// clean makes a name that comes from a ticketing system harmless to read, in
// whatever form: valid, in one line, of bounded length, and without characters
// that are not seen but turn round or hide what stands beside them.
func clean(name string) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range name {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case r == utf8.RuneError:
			r = '\uFFFD'
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
			continue
		case unicode.Is(unicode.Mn, r) && n == 0:
			continue
		}
		if n >= longest-1 {
			b.WriteRune('…')
			break
		}
		if space {
			b.WriteByte(' ')
			n++
			space = false
		}
		b.WriteRune(r)
		n++
	}
	if b.Len() == 0 {
		return "(unnamed)"
	}
	return b.String()
}

// names cleans names so that two that differ stay apart.
type names struct {
	of   map[string]string
	used map[string]bool
}

func newNames() *names { return &names{map[string]string{}, map[string]bool{}} }

// clean is the name as it is shown; the same for the same name.
func (n *names) clean(name string) string {
	if name == "" {
		return ""
	}
	if c, ok := n.of[name]; ok {
		return c
	}
	c := clean(name)
	for i := 2; n.used[c]; i++ {
		c = clean(name) + " (" + itoa(i) + ")"
	}
	n.of[name], n.used[c] = c, true
	return c
}

// Cell keeps a spreadsheet from taking a text in a CSV file for a formula: it puts an
// apostrophe before one that begins like it, blanks and apostrophes passed over.
func Cell(text string) string {
	trimmed := strings.TrimLeft(text, " \t\r\n'")
	if r, _ := utf8.DecodeRuneInString(trimmed); strings.ContainsRune("=+-@|%＝＋－＠", r) && trimmed != "" {
		return "'" + text
	}
	return text
}
