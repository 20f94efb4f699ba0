package tui

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	escapeWait = 25 * time.Millisecond // a byte behind Esc within this time makes it Alt
	scanWait   = 4 * time.Millisecond  // how long a first letter is held to see whether a scanner is typing
	scanGap    = 10 * time.Millisecond // the longest pause inside a scanner's burst
	scanRate   = 30 * time.Millisecond // for every eight graphemes of a burst
	scanMin    = 8                     // a scan is longer than this
	pasteWait  = 2 * time.Second       // the longest pause inside a paste
	pasteMax   = 64 << 10
	farthest   = 10_000  // no terminal has more columns or rows
	stringMax  = 4 << 10 // the longest answer of a terminal that is listened to
)

// decoder turns a terminal's bytes into events. It never waits: feed takes what has come, expire takes the passing of
// time, and due tells when expire is next needed.
type decoder struct {
	buf     []byte // bytes that are not yet an event
	bufAt   time.Time
	paste   []byte // what was pasted so far, nil when nothing is being pasted
	pasteOn bool
	cut     bool
	held    []string // graphemes that may be the beginning of a scan
	lines   []string // lines of a scan that may have more of them
	first   time.Time
	last    time.Time
	events  []Event
}

// answer is what the terminal said about itself.
type answer struct{ kind, text string } // kind: "cursor", "kitty", "background", "attributes"

// feed takes bytes that came at the given time and returns the events that are certain now.
func (d *decoder) feed(b []byte, now time.Time) []Event {
	d.expireAt(now)
	if len(d.buf) == 0 {
		d.bufAt = now
	}
	d.buf = append(d.buf, b...)
	if d.pasteOn {
		d.bufAt = now
	}
	d.parse(now)
	return d.take()
}

// due returns when expire has to be called, the zero time when nothing is held.
func (d *decoder) due() time.Time {
	var at time.Time
	switch {
	case d.pasteOn:
		at = d.bufAt.Add(pasteWait)
	case len(d.buf) > 0:
		at = d.bufAt.Add(escapeWait)
	}
	if len(d.held) > 0 || len(d.lines) > 0 {
		if held := d.heldUntil(); at.IsZero() || held.Before(at) {
			at = held
		}
	}
	return at
}

func (d *decoder) heldUntil() time.Time {
	if len(d.held) == 1 && len(d.lines) == 0 {
		return d.last.Add(scanWait)
	}
	return d.last.Add(scanGap)
}

// expire returns the events that the passing of time has made certain.
func (d *decoder) expire(now time.Time) []Event {
	d.expireAt(now)
	return d.take()
}

func (d *decoder) expireAt(now time.Time) {
	if (len(d.held) > 0 || len(d.lines) > 0) && !now.Before(d.heldUntil()) {
		d.release()
	}
	if d.pasteOn {
		if !now.Before(d.bufAt.Add(pasteWait)) {
			d.endPaste() // Its end was lost; the keyboard must not stay dead.
			d.buf = nil
		}
		return
	}
	if len(d.buf) == 0 || now.Before(d.bufAt.Add(escapeWait)) {
		return
	}
	if d.buf[0] == 0x1b {
		rest := d.buf[1:]
		d.buf = nil
		d.press("esc")
		// A sequence that never got its end is dropped whole: its letters are not typing.
		if len(rest) > 0 && rest[0] != '[' && rest[0] != 'O' && rest[0] != ']' && rest[0] != '_' && rest[0] != 'P' {
			d.buf, d.bufAt = append([]byte(nil), rest...), now
			d.parse(now)
		}
		return
	}
	d.buf = nil // Half a character, whose other half never came.
}

func (d *decoder) take() []Event {
	out := d.events
	d.events = nil
	return out
}

// parse turns the bytes in buf into events as far as they go.
func (d *decoder) parse(now time.Time) {
	for len(d.buf) > 0 {
		var n int
		switch {
		case d.pasteOn:
			n = d.inPaste()
		case d.scanning(now) && d.buf[0] != '\r' && d.buf[0] != '\n' && (d.buf[0] < 0x20 || d.buf[0] == 0x7f):
			n = 1 // A code may hold any byte; none of them may act as a key.
		case d.buf[0] == 0x1b:
			n = d.escape()
		case d.buf[0] < 0x20 || d.buf[0] == 0x7f:
			d.control(d.buf[0], now)
			n = 1
		default:
			n = d.text(now)
		}
		if n == 0 {
			return
		}
		d.buf, d.bufAt = d.buf[n:], now
	}
	d.buf = nil
}

// press emits a named key after whatever text came before it.
func (d *decoder) press(name string) {
	d.release()
	d.events = append(d.events, Key{Name: twin(name)})
}

// release gives out the held graphemes as keys: no scanner typed them.
func (d *decoder) release() {
	if len(d.lines) > 0 {
		d.events = append(d.events, Scan{Text: strings.Join(d.lines, "\n")})
		d.lines = nil
	}
	for _, g := range d.held {
		d.events = append(d.events, Key{Name: "rune", Text: g})
	}
	d.held = nil
}

// scanning reports whether what is held came faster than hands type.
func (d *decoder) scanning(now time.Time) bool {
	n := len(d.held)
	return n > scanMin && now.Sub(d.first) <= scanRate*time.Duration(n)/scanMin
}

// text takes the printable characters up to the next control.
func (d *decoder) text(now time.Time) int {
	n := 0
	for n < len(d.buf) && d.buf[n] >= 0x20 && d.buf[n] != 0x7f {
		if !utf8.FullRune(d.buf[n:]) {
			break
		}
		_, size := utf8.DecodeRune(d.buf[n:])
		n += size
	}
	if n == 0 {
		return 0
	}
	if len(d.held) == 0 {
		d.first = now
	}
	typed := strings.ReplaceAll(strings.ToValidUTF8(string(d.buf[:n]), ""), "\uFFFD", "")
	d.held = append(d.held, Graphemes(typed)...)
	d.last = now
	return n
}

// control handles one control character.
func (d *decoder) control(b byte, now time.Time) {
	switch b {
	case '\r', '\n':
		switch {
		case d.scanning(now):
			// A machine-readable zone has three lines; they are one scan.
			d.lines, d.held, d.last = append(d.lines, strings.Join(d.held, "")), nil, now
			return
		case len(d.lines) > 0 && len(d.held) == 0:
			return // The second half of a scanner's CR LF.
		}
		d.press("enter")
	case '\t':
		d.press("tab")
	case 0x7f, '\b':
		d.press("backspace")
	case 0:
		d.press("ctrl+@")
	default:
		if b < 27 {
			d.press("ctrl+" + string(rune('a'+b-1)))
			return
		}
		d.press("ctrl+" + string(rune('@'+b)))
	}
}

// escape handles what begins with Esc and returns how many bytes it took, none when more have to come.
func (d *decoder) escape() int {
	if len(d.buf) == 1 {
		return 0
	}
	switch b := d.buf[1]; {
	case b == 0x1b:
		d.press("esc")
		return 1
	case b == '[':
		return d.csi()
	case b == 'O':
		return d.ss3()
	case b == ']' || b == '_' || b == 'P' || b == '^' || b == 'X':
		return d.answered()
	case b == '\r' || b == '\n':
		d.press("alt+enter")
		return 2
	case b < 0x20 || b == 0x7f:
		d.press("esc")
		return 1
	case !utf8.FullRune(d.buf[1:]):
		return 0
	default:
		r, n := utf8.DecodeRune(d.buf[1:])
		d.press("alt+" + string(r))
		return 1 + n
	}
}

// csi handles ESC [ parameters intermediates final.
func (d *decoder) csi() int {
	if len(d.buf) > 2 && d.buf[2] == '[' { // The Linux console's F1 to F5.
		if len(d.buf) < 4 {
			return 0
		}
		if k := d.buf[3]; k >= 'A' && k <= 'E' {
			d.press("f" + string(rune('1'+k-'A')))
		}
		return 4
	}
	end := 2
	for end < len(d.buf) && d.buf[end] >= 0x20 && d.buf[end] < 0x40 {
		if end++; end > 64 {
			return end // Nothing that a keyboard sends.
		}
	}
	if end == len(d.buf) {
		return 0
	}
	final, params := d.buf[end], string(d.buf[2:end])
	if final < 0x40 || final > 0x7e {
		return end // Broken off by another character, which is looked at by itself.
	}
	d.sequence(final, params)
	return end + 1
}

func (d *decoder) sequence(final byte, params string) {
	p := strings.Split(params, ";")
	switch {
	case final == '~' && params == "200":
		d.release()
		d.pasteOn, d.paste, d.cut = true, nil, false
	case final == 'I' && params == "", final == 'O' && params == "":
		d.release()
		d.events = append(d.events, Focus{In: final == 'I'})
	case (final == 'M' || final == 'm') && strings.HasPrefix(params, "<"):
		d.pointer(final, p)
	case final == 'R' && len(p) == 2:
		d.events = append(d.events, answer{kind: "cursor", text: p[1]})
	case final == 'c':
		d.events = append(d.events, answer{kind: "attributes", text: params})
	case final == '~' && p[0] == "27" && len(p) == 3:
		d.coded(p[2], p[1])
	case final == 'u' && params != "" && params[0] != '?':
		mod := "1"
		if len(p) > 1 {
			mod, _, _ = strings.Cut(p[1], ":")
		}
		code, _, _ := strings.Cut(p[0], ":")
		d.coded(code, mod)
	case final == '~':
		d.modified(tildeKey(p[0]), p)
	default:
		d.modified(letterKey(final), p)
	}
}

// pointer handles ESC [ < button ; column ; row M or m (xterm's SGR mouse mode): the first button only, whatever modifier
// is held.
func (d *decoder) pointer(final byte, p []string) {
	if len(p) != 3 {
		return
	}
	button, err1 := strconv.Atoi(p[0][1:])
	x, err2 := strconv.Atoi(p[1])
	y, err3 := strconv.Atoi(p[2])
	if err1 != nil || err2 != nil || err3 != nil || x < 1 || y < 1 || x > farthest || y > farthest {
		return
	}
	const modifiers, moving = 4 + 8 + 16, 32
	ev := Pointer{X: x - 1, Y: y - 1}
	switch button &^ modifiers {
	case 0:
		if final == 'm' {
			ev.Act = PointerUp
		}
	case moving:
		ev.Act = PointerMove
	default:
		return // Another button, the wheel, or a movement with nothing held.
	}
	d.release()
	d.events = append(d.events, ev)
}

// modified presses a named key; with Alt it may be a twin, other modifiers make no difference.
func (d *decoder) modified(name string, p []string) {
	if name == "" {
		return
	}
	if len(p) > 1 && hasModifier(p[1], 2) {
		name = "alt+" + name
	}
	d.press(name)
}

// hasModifier reports whether xterm's modifier parameter (1 + bits) has the bit.
func hasModifier(param string, bit int) bool {
	m, err := strconv.Atoi(param)
	return err == nil && (m-1)&bit != 0
}

// coded handles keys that a terminal sends as a character code with modifiers.
func (d *decoder) coded(code, mod string) {
	n, err := strconv.Atoi(code)
	if err != nil || n < 0 || n > utf8.MaxRune {
		return
	}
	alt, ctrl := hasModifier(mod, 2), hasModifier(mod, 4)
	name := ""
	switch n {
	case 13, 57414:
		name = "enter"
	case 9:
		name = "tab"
		if hasModifier(mod, 1) {
			name = "shift+tab"
		}
	case 27:
		name = "esc"
	case 8, 127:
		name = "backspace"
	default:
		if n < 0x20 || n >= 0xe000 && n < 0xf900 {
			return
		}
		name = string(rune(n))
		if ctrl {
			d.press("ctrl+" + strings.ToLower(name))
			return
		}
		if !alt {
			d.release()
			for _, g := range Graphemes(name) {
				d.events = append(d.events, Key{Name: "rune", Text: g})
			}
			return
		}
	}
	if alt {
		name = "alt+" + name
	}
	d.press(name)
}

// ss3 handles ESC O letter: cursor keys, F1 to F4 and the keypad in application mode.
func (d *decoder) ss3() int {
	if len(d.buf) < 3 {
		return 0
	}
	b := d.buf[2]
	switch {
	case b == 'M':
		d.press("enter")
	case b >= 'j' && b <= 'y':
		d.release()
		d.events = append(d.events, Key{Name: "rune", Text: string(rune(b - 'j' + '*'))})
	case b == 'X':
		d.release()
		d.events = append(d.events, Key{Name: "rune", Text: "="})
	default:
		if name := letterKey(b); name != "" {
			d.press(name)
		}
	}
	return 3
}

// letterKey names the key of a final letter in xterm's and the VT's sequences.
func letterKey(b byte) string {
	switch b {
	case 'A':
		return "up"
	case 'B':
		return "down"
	case 'C':
		return "right"
	case 'D':
		return "left"
	case 'H':
		return "home"
	case 'F':
		return "end"
	case 'Z':
		return "shift+tab"
	case 'P', 'Q', 'R', 'S':
		return "f" + string(rune('1'+b-'P'))
	}
	return ""
}

// tildeKey names the key of a number in ESC [ number ~.
func tildeKey(n string) string {
	switch n {
	case "1", "7":
		return "home"
	case "2":
		return "insert"
	case "3":
		return "delete"
	case "4", "8":
		return "end"
	case "5":
		return "pgup"
	case "6":
		return "pgdn"
	}
	f, err := strconv.Atoi(n)
	switch {
	case err != nil:
		return ""
	case f >= 11 && f <= 15:
		return "f" + strconv.Itoa(f-10)
	case f >= 17 && f <= 21:
		return "f" + strconv.Itoa(f-11)
	case f == 23 || f == 24:
		return "f" + strconv.Itoa(f-12)
	}
	return ""
}

// twin returns the key that a key stands for.
func twin(name string) string {
	switch name {
	case "alt+1", "alt+2", "alt+3", "alt+4", "alt+5", "alt+6", "alt+7", "alt+8", "alt+9":
		return "f" + name[4:]
	case "alt+0", "ctrl+s":
		return "f10"
	case "alt+=":
		return "f11"
	case "alt+-", "f12":
		return "esc"
	case "alt+z", "alt+Z":
		return "ctrl+z"
	case "alt+y", "alt+Y":
		return "ctrl+y"
	case "alt+enter":
		return "enter"
	}
	return name
}

// answered handles a string that the terminal sent: an OSC, an APC or a DCS. It ends with BEL or ST.
func (d *decoder) answered() int {
	body := d.buf[2:]
	end, size := bytes.IndexByte(body, '\a'), 1
	if st := bytes.Index(body, []byte("\x1b\\")); st >= 0 && (end < 0 || st < end) {
		end, size = st, 2
	}
	if end < 0 {
		if len(body) > stringMax {
			return len(d.buf)
		}
		return 0
	}
	text := string(body[:end])
	switch {
	case d.buf[1] == '_' && strings.HasPrefix(text, "G"):
		d.events = append(d.events, answer{kind: "kitty", text: text})
	case d.buf[1] == ']' && strings.HasPrefix(text, "11;"):
		d.events = append(d.events, answer{kind: "background", text: text[3:]})
	}
	return 2 + end + size
}

// inPaste collects pasted bytes up to the end mark; what is beyond the limit is counted and forgotten.
func (d *decoder) inPaste() int {
	const mark = "\x1b[201~"
	end := bytes.Index(d.buf, []byte(mark))
	n := end
	if end < 0 {
		// The mark may be cut in two.
		n = len(d.buf)
		for k := min(len(mark)-1, n); k > 0; k-- {
			if strings.HasPrefix(mark, string(d.buf[n-k:])) {
				n -= k
				break
			}
		}
	}
	room := pasteMax - len(d.paste)
	d.cut = d.cut || n > room
	d.paste = append(d.paste, d.buf[:min(n, room)]...)
	if end < 0 {
		return n
	}
	d.endPaste()
	return n + len(mark)
}

// endPaste gives out what was pasted.
func (d *decoder) endPaste() {
	text := strings.ToValidUTF8(strings.ReplaceAll(string(d.paste), "\r\n", "\n"), "")
	d.events = append(d.events, Paste{Text: Sanitize(text), Cut: d.cut})
	d.pasteOn, d.paste, d.cut = false, nil, false
}

// Decode returns the events of bytes that come at once from a terminal, with nothing behind them.
func Decode(b []byte) []Event {
	var d decoder
	start := time.Unix(0, 0)
	events := d.feed(b, start)
	for due := d.due(); !due.IsZero(); due = d.due() {
		events = append(events, d.expire(due)...)
	}
	return events
}
