package report

import (
	"testing"
)

func TestCell(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "=cmd()": "'=cmd()", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "  =1": "'  =1",
		"＝1": "'＝1", "|x": "'|x", "a=b": "a=b", "": "", "'=1": "''=1",
	} {
		if got := Cell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	long := ""
	for range 10_000 {
		long += "x"
	}
	for name, want := range map[string]string{
		"Network": "Network", "  a \n\t b ": "a b", "\u202egnp.exe": "gnp.exe", "a\u2066b\u2069\u200f": "ab", "\x00\x07": "(unnamed)",
		"שלום": "שלום", "a\xffb": "a\uFFFDb", "<script>": "<script>", "\u200b": "(unnamed)", "\u0301e": "e",
	} {
		if got := clean(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	if got := []rune(clean(long)); len(got) != longest || got[longest-1] != '…' {
		t.Errorf("ten thousand characters become %d, the last %q", len(got), got[len(got)-1])
	}
	n := newNames()
	if a, b := n.clean(long+"a"), n.clean(long+"b"); a == b || n.clean(long+"a") != a {
		t.Errorf("two names become one: %q", a)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a", "\u202e", "a\xff", "=1", "é\u0301\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if n := len([]rune(got)); n == 0 || n > longest+1 {
			t.Errorf("%q becomes %d characters", s, n)
		}
		if again := clean(got); again != got {
			t.Errorf("%q becomes %q and then %q", s, got, again)
		}
	})
}
