package page

import (
	"encoding/binary"
	"hash/adler32"
	"math/bits"
)

// Page contents are compressed here, not by compress/zlib, for two reasons: a page is a few kilobytes, of which the
// library spends most of its time on code tables of the page's own, where the fixed tables of RFC 1951 do nearly as
// well; and the bytes of a document must not change with the version of the library.

const (
	matchLeast = 4
	matchMost  = 258
	window     = 32 << 10
	hashBits   = 12
	endOfBlock = 256
	fixedBlock = 0b011 // last block, fixed codes
	zlibHeader = "\x78\x01"
	hashFactor = 2654435761
)

// bitWriter packs bits, the lowest first.
type bitWriter struct {
	out []byte
	acc uint64
	n   uint
}

func (w *bitWriter) put(v uint64, width uint) {
	w.acc |= v << w.n
	w.n += width
	if w.n >= 32 {
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(w.acc))
		w.acc >>= 32
		w.n -= 32
	}
}

func (w *bitWriter) flush() {
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

// symbol writes a literal or length symbol in the fixed code (RFC 1951, 3.2.6), whose bits go highest first.
func (w *bitWriter) symbol(s uint) {
	switch {
	case s < 144:
		w.put(uint64(bits.Reverse8(uint8(0x30+s))), 8)
	case s < 256:
		w.put(uint64(bits.Reverse16(uint16(0x190+s-144))>>7), 9)
	case s < 280:
		w.put(uint64(bits.Reverse8(uint8(s-256))>>1), 7)
	default:
		w.put(uint64(bits.Reverse8(uint8(0xC0+s-280))), 8)
	}
}

// match writes a repetition: so many bytes from so far back.
func (w *bitWriter) match(length, distance int) {
	switch l := uint(length - 3); {
	case length == matchMost:
		w.symbol(285)
	case l < 8:
		w.symbol(257 + l)
	default:
		extra := uint(bits.Len(l)) - 3
		w.symbol(257 + extra<<2 + l>>extra)
		w.put(uint64(l&(1<<extra-1)), extra)
	}
	d := uint(distance - 1)
	if d < 4 {
		w.put(uint64(bits.Reverse8(uint8(d))>>3), 5)
		return
	}
	extra := uint(bits.Len(d)) - 2
	w.put(uint64(bits.Reverse8(uint8(extra<<1+d>>extra))>>3), 5)
	w.put(uint64(d&(1<<extra-1)), extra)
}

// Deflate returns data as a zlib stream. The same data gives the same bytes for ever.
func Deflate(data []byte) []byte { return appendDeflate(nil, data) }

// appendDeflate appends data, compressed as a zlib stream, to dst.
func appendDeflate(dst, data []byte) []byte {
	w := bitWriter{out: append(dst, zlibHeader...)}
	w.put(fixedBlock, 3)
	var last [1 << hashBits]int32 // where four bytes of this hash stood last, plus one
	at := 0
	for at+matchLeast <= len(data) {
		word := binary.LittleEndian.Uint32(data[at:])
		slot := &last[word*hashFactor>>(32-hashBits)]
		from := int(*slot) - 1
		*slot = int32(at + 1)
		if from < 0 || at-from > window || binary.LittleEndian.Uint32(data[from:]) != word {
			w.symbol(uint(data[at]))
			at++
			continue
		}
		n := matchLeast
		for n < matchMost && at+n < len(data) && data[from+n] == data[at+n] {
			n++
		}
		w.match(n, at-from)
		for i := at + 1; i < at+n && i+matchLeast <= len(data); i++ {
			last[binary.LittleEndian.Uint32(data[i:])*hashFactor>>(32-hashBits)] = int32(i + 1)
		}
		at += n
	}
	for ; at < len(data); at++ {
		w.symbol(uint(data[at]))
	}
	w.symbol(endOfBlock)
	w.flush()
	return binary.BigEndian.AppendUint32(w.out, adler32.Checksum(data))
}
