package jiratest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenQuoted
	tokenOperator // = != < <= > >= ~ !~
	tokenOpen
	tokenClose
	tokenComma
	tokenAnd
	tokenOr
	tokenNot
)

type jqlToken struct {
	kind tokenKind
	text string
	at   int // character position, from 1
}

// is reports whether the token is the unquoted word, whatever its case.
func (t jqlToken) is(word string) bool {
	return t.kind == tokenWord && strings.EqualFold(t.text, word)
}

// queryError is what Jira says of a query that it refuses.
type queryError struct{ message string }

func (e *queryError) Error() string { return e.message }

func refuse(format string, args ...any) error {
	return &queryError{fmt.Sprintf(format, args...)}
}

// lex splits JQL. Keywords are recognised here, since a quoted one is a value.
func lex(jql string) ([]jqlToken, error) {
	if !utf8.ValidString(jql) {
		return nil, refuse("Error in the JQL Query: The character at position 1 is not valid.")
	}
	var tokens []jqlToken
	for at := 0; at < len(jql); {
		r, size := utf8.DecodeRuneInString(jql[at:])
		rest := jql[at:]
		add := func(kind tokenKind, length int) {
			tokens = append(tokens, jqlToken{kind, rest[:length], at + 1})
			at += length
		}
		switch {
		case unicode.IsSpace(r):
			at += size
		case r == '(':
			add(tokenOpen, 1)
		case r == ')':
			add(tokenClose, 1)
		case r == ',':
			add(tokenComma, 1)
		case strings.HasPrefix(rest, "&&"):
			add(tokenAnd, 2)
		case strings.HasPrefix(rest, "||"):
			add(tokenOr, 2)
		case r == '&':
			add(tokenAnd, 1)
		case r == '|':
			add(tokenOr, 1)
		case strings.HasPrefix(rest, "!="), strings.HasPrefix(rest, "!~"), strings.HasPrefix(rest, "<="), strings.HasPrefix(rest, ">="):
			add(tokenOperator, 2)
		case r == '!':
			add(tokenNot, 1)
		case strings.ContainsRune("=<>~", r):
			add(tokenOperator, 1)
		case r == '"' || r == '\'':
			text, length, err := lexQuoted(rest, byte(r), at+1)
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, jqlToken{tokenQuoted, text, at + 1})
			at += length
		case unicode.IsControl(r) || strings.ContainsRune("{}[]*/%+$#@?;^`", r):
			return nil, refuse("Error in the JQL Query: The character '%c' is a reserved JQL character. You must enclose it in a string or use the escape '\\u%04x' instead. (line 1, character %d)", r, r, at+1)
		default:
			length := strings.IndexFunc(rest, func(r rune) bool {
				return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("()=!<>~,&|'\"{}[]*/%+$#@?;^`", r)
			})
			if length < 0 {
				length = len(rest)
			}
			kind := tokenWord
			switch strings.ToLower(rest[:length]) {
			case "and":
				kind = tokenAnd
			case "or":
				kind = tokenOr
			case "not":
				kind = tokenNot
			}
			add(kind, length)
		}
	}
	return append(tokens, jqlToken{tokenEnd, "", len(jql) + 1}), nil
}

func lexQuoted(s string, quote byte, at int) (text string, length int, err error) {
	var b strings.Builder
	for n := 1; n < len(s); n++ {
		switch c := s[n]; {
		case c == quote:
			return b.String(), n + 1, nil
		case c == '\\' && n+1 < len(s):
			n++
			switch s[n] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			case '"', '\'', '\\', ' ':
				b.WriteByte(s[n])
			default:
				return "", 0, refuse("Error in the JQL Query: '\\%c' is an illegal JQL escape sequence. (line 1, character %d)", s[n], at+n)
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, refuse("Error in the JQL Query: The quoted string '%s' has not been completed. (line 1, character %d)", s[1:], at)
}
