package cms

import (
	"bytes"
	"encoding/asn1"
	"sort"
)

// The tags used by SignedData.
const (
	tagInteger   = 0x02
	tagOctets    = 0x04
	tagNull      = 0x05
	tagOID       = 0x06
	tagSequence  = 0x30
	tagSet       = 0x31
	tagContext0  = 0xa0
	tagContext1  = 0xa1
	tagPrimitive = 0x80
)

// tlv returns the DER element with the given tag around the concatenated parts.
func tlv(tag byte, parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	out := appendHead(make([]byte, 0, size+6), tag, size)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// within returns the parts of an element around the given ones, which are not copied.
func within(tag byte, parts [][]byte) [][]byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	return append([][]byte{head(tag, size)}, parts...)
}

// head returns the tag and length of a DER element with so many bytes.
func head(tag byte, size int) []byte { return appendHead(make([]byte, 0, 6), tag, size) }

func appendHead(out []byte, tag byte, size int) []byte {
	out = append(out, tag)
	switch {
	case size < 0x80:
		return append(out, byte(size))
	case size < 0x100:
		return append(out, 0x81, byte(size))
	case size < 0x10000:
		return append(out, 0x82, byte(size>>8), byte(size))
	case size < 0x1000000:
		return append(out, 0x83, byte(size>>16), byte(size>>8), byte(size))
	}
	return append(out, 0x84, byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
}

// setOf returns the DER set of the given elements: sorted by their encodings (X.690 §11.6).
func setOf(tag byte, elements ...[]byte) []byte {
	sort.Slice(elements, func(i, j int) bool { return bytes.Compare(elements[i], elements[j]) < 0 })
	return tlv(tag, elements...)
}

func integer(n byte) []byte { return []byte{tagInteger, 1, n} }

// objectID encodes an object identifier whose numbers are our own constants or were read from DER before.
func objectID(id asn1.ObjectIdentifier) []byte {
	out := make([]byte, 0, 16)
	out = base128(out, id[0]*40+id[1])
	for _, n := range id[2:] {
		out = base128(out, n)
	}
	return tlv(tagOID, out)
}

func base128(out []byte, n int) []byte {
	shift := 0
	for n>>shift >= 0x80 {
		shift += 7
	}
	for ; shift > 0; shift -= 7 {
		out = append(out, byte(n>>shift)|0x80)
	}
	return append(out, byte(n)&0x7f)
}
