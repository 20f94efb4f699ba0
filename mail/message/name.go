package message

import (
	"bytes"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is how long a file's name may be, in bytes: what file systems take.
const maxName = 200

// safeName makes a name that can be shown and stored under: the last piece of a path, without control characters and
// direction marks, with its extension. tricks says what it had to take away.
func safeName(given, fallback string) (name string, tricks []string) {
	name = norm.NFC.String(strings.ToValidUTF8(given, "\uFFFD"))
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
		tricks = append(tricks, "path")
	}
	control, direction := false, false
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			control = true
			return ' '
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			control = true
			return -1
		case unicode.Is(unicode.Cf, r):
			direction = true
			return -1
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if trimmed := strings.TrimLeft(name, "."); trimmed != name && strings.Trim(name, ".") == "" {
		name = trimmed
		tricks = append(tricks, "path")
	}
	name = strings.TrimRight(name, ". ")
	if control {
		tricks = append(tricks, "control")
	}
	if direction {
		tricks = append(tricks, "direction")
	}
	if name == "" {
		return fallback, tricks
	}
	if len(name) > maxName {
		ext := path.Ext(name)
		if len(ext) > 20 {
			ext = ""
		}
		keep := maxName - len(ext)
		for keep > 0 && !utf8.RuneStart(name[keep]) {
			keep--
		}
		name = name[:keep] + ext
	}
	return name, tricks
}

func fallbackName(kind string) string {
	ext := map[string]string{
		"text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "text/csv": ".csv", "application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg",
		"image/gif": ".gif", "message/rfc822": ".eml", "application/zip": ".zip", "message/delivery-status": ".txt", "application/pkcs7-signature": ".p7s", "application/x-pkcs7-signature": ".p7s",
	}[kind]
	if ext == "" {
		ext = ".bin"
	}
	return "file" + ext
}

// programs are endings under which systems start what they open.
const programs = " .exe .scr .com .pif .bat .cmd .js .jse .vbs .vbe .wsf .wsh .hta .msi .lnk .ps1 .jar .cpl .reg .iso .img .apk .chm .dll .html .htm .svg .docm .xlsm .pptm "

// contentTricks says what is wrong between a file's name, its declared type and its first bytes.
func contentTricks(name, kind string, data []byte) []string {
	var out []string
	ext := strings.ToLower(path.Ext(name))
	inner := strings.ToLower(path.Ext(strings.TrimRight(strings.TrimSuffix(name, path.Ext(name)), " ")))
	if ext != "" && strings.Contains(programs, " "+ext+" ") {
		out = append(out, "program")
		if len(inner) >= 4 && len(inner) <= 5 && strings.Contains(" .pdf .doc .docx .xls .xlsx .jpg .jpeg .png .txt .gif .zip .eml ", " "+inner+" ") {
			out = append(out, "double_extension")
		}
	}
	real := sniff(data)
	switch {
	case real == "program" && !strings.Contains(programs, " "+ext+" "):
		out = append(out, "program", "type_mismatch")
	case real == "":
	case strings.HasPrefix(kind, "image/") != strings.HasPrefix(real, "image/") && strings.HasPrefix(kind, "image/"), kind == "application/pdf" && real != kind:
		out = append(out, "type_mismatch")
	}
	return out
}

// sniff tells a few kinds of files by their first bytes.
func sniff(b []byte) string {
	for _, known := range []struct{ mark, kind string }{
		{"%PDF-", "application/pdf"}, {"\x89PNG", "image/png"}, {"\xff\xd8\xff", "image/jpeg"}, {"GIF8", "image/gif"}, {"PK\x03\x04", "application/zip"},
		{"Rar!", "application/rar"}, {"7z\xbc\xaf", "application/7z"}, {"\x7fELF", "program"}, {"#!/", "program"},
	} {
		if bytes.HasPrefix(b, []byte(known.mark)) {
			return known.kind
		}
	}
	if len(b) > 64 && b[0] == 'M' && b[1] == 'Z' {
		return "program"
	}
	return ""
}
