package message

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// Marks of a winmail.dat ([MS-OXTNEF] §2.1.3): its signature and the attributes that carry files and text.
const (
	tnefSignature  = 0x223e9f78
	tnefRenderData = 0x00069002 // begins an attachment
	tnefTitle      = 0x00018010
	tnefData       = 0x0006800f
	tnefProperties = 0x00069005 // MAPI properties of an attachment
	tnefBody       = 0x0002800c

	mapiLongName = 0x3707
	mapiMimeTag  = 0x370e
)

// tnef unpacks the files and the plain text of a winmail.dat, as far as it is whole.
func tnef(b []byte) (files []packed, text string) {
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != tnefSignature {
		return nil, ""
	}
	for pos := 6; pos+9 <= len(b) && len(files) <= 200; {
		id := binary.LittleEndian.Uint32(b[pos+1:])
		size := int(binary.LittleEndian.Uint32(b[pos+5:]))
		start := pos + 9
		if size < 0 || size > len(b)-start {
			break
		}
		data := b[start : start+size]
		pos = start + size + 2
		if id == tnefRenderData {
			files = append(files, packed{kind: "application/octet-stream"})
			continue
		}
		if id == tnefBody {
			s, _ := decode(zeroEnd(data), "")
			text = lines(s)
		}
		if len(files) == 0 {
			continue
		}
		f := &files[len(files)-1]
		switch id {
		case tnefTitle:
			if f.name == "" {
				f.name, _ = decode(zeroEnd(data), "")
			}
		case tnefData:
			f.data = data
		case tnefProperties:
			f.properties(data)
		}
	}
	return files, text
}

func zeroEnd(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}

// properties reads the long name and the type from MAPI properties, and stops at the first form that it does not know.
func (f *packed) properties(b []byte) {
	if len(b) < 4 {
		return
	}
	count := binary.LittleEndian.Uint32(b)
	b = b[4:]
	for range min(count, 200) {
		if len(b) < 4 {
			return
		}
		kind, id := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
		b = b[4:]
		if id >= 0x8000 {
			return
		}
		value, rest, ok := mapiValue(kind, b)
		if !ok {
			return
		}
		b = rest
		if text := mapiText(kind, value); text != "" && id == mapiLongName {
			f.name = text
		} else if text != "" && id == mapiMimeTag {
			f.kind = strings.ToLower(text)
		}
	}
}

// mapiValue cuts one property's value off.
func mapiValue(kind uint16, b []byte) (value, rest []byte, ok bool) {
	size := 0
	switch kind {
	case 0x0002, 0x0003, 0x0004, 0x000a, 0x000b:
		size = 4
	case 0x0005, 0x0006, 0x0007, 0x0014, 0x0040:
		size = 8
	case 0x0048:
		size = 16
	case 0x001e, 0x001f, 0x0102, 0x000d:
		if len(b) < 8 || binary.LittleEndian.Uint32(b) != 1 {
			return nil, nil, false
		}
		size = int(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		padded := (size + 3) &^ 3
		if size < 0 || padded > len(b) {
			return nil, nil, false
		}
		return b[:size], b[padded:], true
	default:
		return nil, nil, false
	}
	if size > len(b) {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

func mapiText(kind uint16, b []byte) string {
	switch kind {
	case 0x001e:
		s, _ := decode(zeroEnd(b), "")
		return s
	case 0x001f:
		units := make([]uint16, 0, len(b)/2)
		for i := 0; i+1 < len(b); i += 2 {
			if u := binary.LittleEndian.Uint16(b[i:]); u != 0 {
				units = append(units, u)
			}
		}
		return string(utf16.Decode(units))
	}
	return ""
}
