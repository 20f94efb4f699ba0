package message

import "strings"

// packed is a file that was inside a text or another file.
type packed struct {
	name string
	kind string
	data []byte
}

// uuFiles takes uuencoded files out of a text and returns the text without them.
func uuFiles(text string) (files []packed, rest string) {
	if !strings.Contains(text, "begin ") || !strings.Contains(text, "\nend") {
		return nil, text
	}
	all := strings.SplitAfter(text, "\n")
	var kept strings.Builder
	for i := 0; i < len(all); i++ {
		name, ok := uuBegin(all[i])
		end := -1
		if ok && len(files) < 50 {
			end = uuEnd(all, i+1)
		}
		if end < 0 {
			kept.WriteString(all[i])
			continue
		}
		var data []byte
		for _, l := range all[i+1 : end] {
			data = append(data, uuLine(strings.TrimRight(l, "\r\n"))...)
		}
		files = append(files, packed{name: name, kind: "application/octet-stream", data: data})
		i = end
	}
	if len(files) == 0 {
		return nil, text
	}
	return files, kept.String()
}

// uuBegin reads "begin 644 name".
func uuBegin(l string) (string, bool) {
	fields := strings.SplitN(strings.TrimRight(l, "\r\n"), " ", 3)
	if len(fields) != 3 || fields[0] != "begin" || len(fields[1]) < 3 || len(fields[1]) > 4 || strings.Trim(fields[1], "01234567") != "" {
		return "", false
	}
	return fields[2], true
}

func uuEnd(all []string, from int) int {
	for i := from; i < len(all); i++ {
		l := strings.TrimRight(all[i], "\r\n")
		if l == "end" {
			return i
		}
		if len(l) > 0 && (l[0] < ' ' || l[0] > '`' || len(l) > 90) {
			return -1
		}
	}
	return -1
}

func uuLine(l string) []byte {
	if l == "" {
		return nil
	}
	n := int(l[0]-' ') & 63
	out := make([]byte, 0, n+3)
	at := func(i int) byte {
		if i < len(l) {
			return (l[i] - ' ') & 63
		}
		return 0
	}
	for i := 1; len(out) < n; i += 4 {
		a, b, c, d := at(i), at(i+1), at(i+2), at(i+3)
		out = append(out, a<<2|b>>4, b<<4|c>>2, c<<6|d)
	}
	return out[:n]
}
