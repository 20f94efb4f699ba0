package message

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

// attribute writes one attribute of a winmail.dat.
func attribute(level byte, id uint32, data []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte{level}, id)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
	out = append(out, data...)
	var sum uint16
	for _, c := range data {
		sum += uint16(c)
	}
	return binary.LittleEndian.AppendUint16(out, sum)
}

func TestFilesInAWinmailAreListed(t *testing.T) {
	var name []byte
	for _, u := range utf16.Encode([]rune("lỗi.pdf\x00")) {
		name = binary.LittleEndian.AppendUint16(name, u)
	}
	props := binary.LittleEndian.AppendUint32(nil, 1)
	props = binary.LittleEndian.AppendUint16(props, 0x001f)
	props = binary.LittleEndian.AppendUint16(props, mapiLongName)
	props = binary.LittleEndian.AppendUint32(props, 1)
	props = binary.LittleEndian.AppendUint32(props, uint32(len(name)))
	props = append(props, name...)
	dat := binary.LittleEndian.AppendUint32(nil, tnefSignature)
	dat = append(dat, 1, 0)
	dat = append(dat, attribute(1, tnefBody, []byte("Xin chao\x00"))...)
	dat = append(dat, attribute(2, tnefRenderData, make([]byte, 14))...)
	dat = append(dat, attribute(2, tnefTitle, []byte("LOI~1.PDF\x00"))...)
	dat = append(dat, attribute(2, tnefData, []byte("%PDF-1"))...)
	dat = append(dat, attribute(2, tnefProperties, props)...)
	raw := "From: a@b.example\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString(dat)
	m := Parse([]byte(raw), Limits{})
	var names []string
	for _, a := range m.Attachments {
		names = append(names, a.Name)
	}
	if strings.Join(names, " ") != "winmail.dat lỗi.pdf" || m.Attachments[1].Size != 6 || m.Text != "Xin chao" {
		t.Errorf("%v, text %q", names, m.Text)
	}
	for cut := range len(dat) {
		tnef(dat[:cut])
	}
}

func FuzzTNEF(f *testing.F) {
	f.Add([]byte{0x78, 0x9f, 0x3e, 0x22, 1, 0, 2, 5, 0x90, 6, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, b []byte) { tnef(b) })
}
