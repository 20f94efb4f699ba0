package pdf

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns a text string as UTF-8: UTF-16BE and UTF-8 by their marks, else bytes of PDFDocEncoding, of which
// only the part that is Latin-1 is told apart.
func (v Value) Text() string {
	b := v.Bytes()
	switch {
	case len(b) >= 2 && b[0] == 0xfe && b[1] == 0xff:
		units := make([]uint16, 0, len(b)/2)
		for i := 2; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
		}
		return string(utf16.Decode(units))
	case len(b) >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf && utf8.Valid(b[3:]):
		return string(b[3:])
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// appendText writes a text string: a literal for ASCII, else UTF-16BE in hexadecimal digits.
func appendText(out []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
		out = append(out, '(')
		for i := range len(s) {
			if c := s[i]; c == '(' || c == ')' || c == '\\' {
				out = append(out, '\\')
			}
			out = append(out, s[i])
		}
		return append(out, ')')
	}
	out = append(out, "<feff"...)
	for _, u := range utf16.Encode([]rune(s)) {
		out = hex.AppendEncode(out, []byte{byte(u >> 8), byte(u)})
	}
	return append(out, '>')
}

// appendDate writes a date string with its zone: (D:20261121093000+07'00').
func appendDate(out []byte, t time.Time) []byte {
	out = append(out, "(D:"...)
	out = t.AppendFormat(out, "20060102150405-07'00'")
	return append(out, ')')
}

// ParseDate reads a date string; what it leaves out is its earliest, and no zone means UTC.
func ParseDate(s string) (time.Time, bool) {
	if len(s) >= 2 && s[:2] == "D:" {
		s = s[2:]
	}
	digits := 0
	for digits < len(s) && digits < 14 && isDigit(s[digits]) {
		digits++
	}
	if digits < 4 || digits%2 != 0 {
		return time.Time{}, false
	}
	t, err := time.Parse("20060102150405"[:digits], s[:digits])
	if err != nil {
		return time.Time{}, false
	}
	zone := s[digits:]
	if zone == "" || zone == "Z" || zone == "Z00'00'" || zone == "Z00'00" {
		return t, true
	}
	if len(zone) < 3 || zone[0] != '+' && zone[0] != '-' {
		return time.Time{}, false
	}
	hours, err := strconv.ParseUint(zone[1:3], 10, 8)
	minutes := uint64(0)
	if err == nil && len(zone) > 3 {
		rest := zone[3:]
		if len(rest) == 4 && rest[3] == '\'' {
			rest = rest[:3]
		}
		if len(rest) != 3 || rest[0] != '\'' {
			return time.Time{}, false
		}
		minutes, err = strconv.ParseUint(rest[1:], 10, 8)
	}
	if err != nil || hours > 14 || minutes > 59 {
		return time.Time{}, false
	}
	offset := int(hours)*3600 + int(minutes)*60
	if zone[0] == '-' {
		offset = -offset
	}
	return t.Add(-time.Duration(offset) * time.Second).In(time.FixedZone("", offset)), true
}
