package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// at feeds chunks of bytes, each the given number of milliseconds after the last, lets all waiting end, and returns
// the events as text.
func at(chunks ...any) string {
	var d decoder
	now := time.Unix(0, 0)
	var events []Event
	for _, c := range chunks {
		switch c := c.(type) {
		case int:
			until := now.Add(time.Duration(c) * time.Millisecond)
			for due := d.due(); !due.IsZero() && !due.After(until); due = d.due() {
				events = append(events, d.expire(due)...)
			}
			now = until
		case string:
			events = append(events, d.feed([]byte(c), now)...)
		}
	}
	for due := d.due(); !due.IsZero(); due = d.due() {
		events = append(events, d.expire(due)...)
	}
	var out []string
	for _, ev := range events {
		switch ev := ev.(type) {
		case Key:
			if ev.Name == "rune" {
				out = append(out, ev.Text)
				continue
			}
			out = append(out, "<"+ev.Name+">")
		case Scan:
			out = append(out, "scan:"+ev.Text)
		case Paste:
			out = append(out, fmt.Sprintf("paste:%s:%v", ev.Text, ev.Cut))
		default:
			out = append(out, fmt.Sprintf("%v", ev))
		}
	}
	return strings.Join(out, " ")
}

func TestBytesBecomeEvents(t *testing.T) {
	for name, tc := range map[string]struct {
		chunks []any
		want   string
	}{
		"one burst is many keys":                   {[]any{"ệt1"}, "ệ t 1"},
		"a letter cut in two by the read":          {[]any{"\xe1\xbb", 1, "\x87"}, "ệ"},
		"half a letter alone is dropped":           {[]any{"\xe1\xbb", 30, "a"}, "a"},
		"bytes that are not text are dropped":      {[]any{"a\xff\x9bb"}, "a b"},
		"letter and marks become one":              {[]any{"e\u0302\u0323"}, "ệ"},
		"Esc alone":                                {[]any{"\x1b"}, "<esc>"},
		"Esc and a letter at once are Alt":         {[]any{"\x1bq"}, "<alt+q>"},
		"Esc and a letter within 25 ms are Alt":    {[]any{"\x1b", 20, "4"}, "<f4>"},
		"Esc and a letter after 25 ms are two":     {[]any{"\x1b", 26, "4"}, "<esc> 4"},
		"Esc twice":                                {[]any{"\x1b\x1b"}, "<esc> <esc>"},
		"a sequence cut in two by the read":        {[]any{"\x1b[2", 5, "1~"}, "<f10>"},
		"a sequence without an end is only Esc":    {[]any{"\x1b[2", 30, "a"}, "<esc> a"},
		"a sequence nobody knows is nothing":       {[]any{"\x1b[99;3Xa"}, "a"},
		"F1 of xterm, Linux console and rxvt":      {[]any{"\x1bOP\x1b[[A\x1b[11~\x1b[1;2P"}, "<f1> <f1> <f1> <f1>"},
		"F5 with Alt is not F5":                    {[]any{"\x1b[15;3~"}, "<alt+f5>"},
		"twins":                                    {[]any{"\x1b1\x1b9\x1b0\x1b=\x1b-\x13\x1b[24~"}, "<f1> <f9> <f10> <f11> <esc> <f10> <esc>"},
		"keypad in application mode":               {[]any{"\x1bOp\x1bOy\x1bOk\x1bOm\x1bOM"}, "0 9 + - <enter>"},
		"both backspaces and both enters":          {[]any{"\x7f\b\r\n"}, "<backspace> <backspace> <enter> <enter>"},
		"keys as codes":                            {[]any{"\x1b[13;2u\x1b[9;2u\x1b[97;5u\x1b[27;2;13~\x1b[49;3u"}, "<enter> <shift+tab> <ctrl+a> <enter> <f1>"},
		"focus":                                    {[]any{"\x1b[I\x1b[O"}, "{true} {false}"},
		"answers of the terminal are not keys":     {[]any{"\x1b[1;4R\x1b]11;rgb:1111/1515/1a1a\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62;c"}, "{cursor 4} {background rgb:1111/1515/1a1a} {kitty Gi=31;OK} {attributes ?62;}"},
		"typing nine letters in 40 ms and Enter":   {[]any{"a", 5, "b", 5, "c", 5, "d", 5, "e", 5, "f", 5, "g", 5, "h", 5, "i", 1, "\r"}, "a b c d e f g h i <enter>"},
		"a scanner that sends it all at once":      {[]any{"001090000017\r"}, "scan:001090000017"},
		"a scanner that sends letter by letter":    {[]any{"0", 3, "0", 3, "1", 3, "0", 3, "9", 3, "0", 3, "0", 3, "0", 3, "0", 3, "\r"}, "scan:001090000"},
		"a scanner that ends with CR LF":           {[]any{"001090000017\r\n", 20, "\r"}, "scan:001090000017 <enter>"},
		"eight letters are no scan":                {[]any{"00109000\r"}, "0 0 1 0 9 0 0 0 <enter>"},
		"a burst without Enter is typing":          {[]any{"0010900000", 20, "\r"}, "0 0 1 0 9 0 0 0 0 0 <enter>"},
		"three lines are one scan":                 {[]any{"IDVNM0900000170\r", 2, "9001011M4001016\r\n", 2, "NGUYEN<<VAN<THU\r"}, "scan:IDVNM0900000170\n9001011M4001016\nNGUYEN<<VAN<THU"},
		"a scan, then typing":                      {[]any{"0010900000\r", 1, "x", 20, "y"}, "scan:0010900000 x y"},
		"keys inside a scanned code do not act":    {[]any{"123456789\x1b[21~\x1303\x7f\x03\r"}, "scan:123456789[21~03"},
		"fake-backspace Telex":                     {[]any{"\x7f\x7fệt"}, "<backspace> <backspace> ệ t"},
		"a paste is one event and presses nothing": {[]any{"\x1b[200~a\r\nb\tc\x1b[21~\u202ed\x1b[201~e"}, "paste:a b c[21~d:false e"},
		"a paste in pieces":                        {[]any{"\x1b[200~ab\x1b[2", 100, "01~c"}, "paste:ab:false c"},
		"a paste whose end was lost":               {[]any{"\x1b[200~ab", 2100, "c"}, "paste:ab:false c"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := at(tc.chunks...); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

func TestPasteIsBounded(t *testing.T) {
	var d decoder
	now := time.Unix(0, 0)
	events := d.feed([]byte("\x1b[200~"), now)
	for range 1000 {
		events = append(events, d.feed([]byte(strings.Repeat("Ế", 1000)), now)...)
	}
	if len(d.paste) > pasteMax {
		t.Errorf("%d bytes are held", len(d.paste))
	}
	events = append(events, d.feed([]byte("\x1b[201~"), now)...)
	p, ok := events[0].(Paste)
	if len(events) != 1 || !ok || !p.Cut || strings.Trim(p.Text, "Ế") != "" {
		t.Errorf("got %d events, cut %v", len(events), p.Cut)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a", "\x1b[1;3A", "\x1b[200~x\x1b[201~", "001090000017\r", "\x1b]11;rgb:0/0/0\a", "\xe1\xbb", "\x1bO", "\x1b[[A"} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, cut uint8) {
		var d decoder
		now := time.Unix(0, 0)
		n := int(cut) % (len(b) + 1)
		events := d.feed(b[:n], now)
		now = now.Add(time.Duration(cut) * time.Millisecond)
		events = append(events, d.feed(b[n:], now)...)
		for i := 0; ; i++ {
			due := d.due()
			if due.IsZero() {
				break
			}
			if i > len(b)+8 {
				t.Fatal("never done waiting")
			}
			events = append(events, d.expire(due)...)
		}
		for _, ev := range events {
			var text string
			switch ev := ev.(type) {
			case Key:
				text = ev.Text
			case Scan:
				text = strings.ReplaceAll(ev.Text, "\n", "")
			case Paste:
				text = ev.Text
			}
			clean(t, text)
		}
	})
}

// clean fails when text holds what must never reach a terminal.
func clean(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%q is not UTF-8", text)
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Co, r) {
			t.Errorf("%q holds %U", text, r)
		}
	}
}

func FuzzCanvasHoldsNoSequences(f *testing.F) {
	for _, s := range []string{"Nguyễn Văn Ế", "赵试", "\x1b]0;x\a", "a\u202eb", "e\u0301\u0301\u0301\u0301\u0301\u0301", "👩‍👩‍👧", "\u009b31m", "ก็", "\xff"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, x int) {
		clean(t, Sanitize(s))
		if again := Sanitize(Sanitize(s)); again != Sanitize(s) {
			t.Errorf("Sanitize is not stable: %q, %q", Sanitize(s), again)
		}
		c := NewCanvas(20, 3)
		end := c.Put(x%25, 0, s, Danger|Bold)
		if w := Width(s); x >= 0 && end > x%25+w {
			t.Errorf("%q of width %d ends at %d from %d", s, w, end, x%25)
		}
		c.PutMax(0, 1, 9, s, Text)
		c.PutRight(19, 2, s, Text)
		c.Box(2, 0, 9, 3, s)
		cells := 0
		for _, cl := range c.cells {
			clean(t, cl.text)
			if cl.text != "" {
				cells++
			}
			if cl.wide {
				cells++
			}
		}
		if cells != len(c.cells) {
			t.Errorf("%d cells are accounted for, want %d", cells, len(c.cells))
		}
		for _, line := range Wrap(s, 7) {
			if Width(line) > 7 {
				t.Errorf("wrapped line %q is too wide", line)
			}
		}
	})
}

func TestAPointersReportsBecomeEventsAndOtherButtonsNothing(t *testing.T) {
	for in, want := range map[string][]Event{
		"\x1b[<0;1;1M":                        {Pointer{0, 0, PointerDown}},
		"\x1b[<32;80;24M":                     {Pointer{79, 23, PointerMove}},
		"\x1b[<0;5;6m":                        {Pointer{4, 5, PointerUp}},
		"\x1b[<4;5;6M\x1b[<36;6;6M":           {Pointer{4, 5, PointerDown}, Pointer{5, 5, PointerMove}}, // with Shift held
		"\x1b[<1;5;6M":                        nil,                                                      // the middle button
		"\x1b[<64;5;6M\x1b[<65;5;6M":          nil,                                                      // the wheel
		"\x1b[<35;5;6M":                       nil,                                                      // a movement with nothing held
		"\x1b[<0;0;6M\x1b[<0;5M\x1b[<0;5;;1M": nil,
		"\x1b[<0;99999;6M":                    nil,
		"7\x1b[<0;2;2M":                       {Key{Name: "rune", Text: "7"}, Pointer{1, 1, PointerDown}},
	} {
		if got := Decode([]byte(in)); !slices.Equal(got, want) {
			t.Errorf("%q is %v, want %v", in, got, want)
		}
	}
}
