package message

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/korean"
)

// fromUTF7 decodes UTF-7 (RFC 2152), which old programs of East Asia still write.
func fromUTF7(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); {
		if b[i] != '+' {
			out.WriteByte(b[i])
			i++
			continue
		}
		end := i + 1
		for end < len(b) && strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", b[end]) >= 0 {
			end++
		}
		switch {
		case end == i+1:
			out.WriteByte('+')
		default:
			raw, err := base64.RawStdEncoding.DecodeString(string(b[i+1 : end]))
			if err != nil && len(raw) == 0 {
				out.Write(b[i:end])
				break
			}
			units := make([]uint16, len(raw)/2)
			for k := range units {
				units[k] = binary.BigEndian.Uint16(raw[2*k:])
			}
			out.WriteString(string(utf16.Decode(units)))
		}
		if i = end; i < len(b) && b[i] == '-' {
			i++
		}
	}
	return out.String()
}

// fromISO2022KR decodes ISO-2022-KR (RFC 1557): SO and SI switch to Korean and back.
func fromISO2022KR(b []byte) string {
	var euc []byte
	inside := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == 0x1b && i+3 < len(b) && b[i+1] == '$' && b[i+2] == ')' && b[i+3] == 'C':
			i += 3
		case c == 0x0e:
			inside = true
		case c == 0x0f:
			inside = false
		case c == '\n':
			inside = false
			euc = append(euc, c)
		case inside && c > 0x20 && c < 0x7f:
			euc = append(euc, c|0x80)
		default:
			euc = append(euc, c)
		}
	}
	out, err := korean.EUCKR.NewDecoder().Bytes(euc)
	if err != nil {
		return string(b)
	}
	return string(out)
}
