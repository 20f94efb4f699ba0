package cms

import "bytes"

// maxNesting bounds how deep BER elements may lie in each other.
const maxNesting = 32

// Element returns how many bytes the BER element has that b begins with: of definite length, or of indefinite length as
// many programs write CMS messages (X.690 §8.1.3.6).
func Element(b []byte) (size int, ok bool) { return element(b, 0) }

func element(b []byte, depth int) (int, bool) {
	head, length, ok := header(b)
	if !ok || depth > maxNesting {
		return 0, false
	}
	if length >= 0 {
		return head + length, length <= len(b)-head
	}
	at := head
	for {
		if at+2 > len(b) {
			return 0, false
		}
		if b[at] == 0 && b[at+1] == 0 {
			return at + 2, true
		}
		n, ok := element(b[at:], depth+1)
		if !ok {
			return 0, false
		}
		at += n
	}
}

// header reads the tag and length that b begins with; length is -1 when it is indefinite.
func header(b []byte) (head, length int, ok bool) {
	if len(b) < 2 {
		return 0, 0, false
	}
	head = 1
	if b[0]&0x1f == 0x1f {
		for head < len(b) && head < 6 && b[head]&0x80 != 0 {
			head++
		}
		head++
	}
	if head >= len(b) {
		return 0, 0, false
	}
	first := b[head]
	head++
	if first < 0x80 {
		return head, int(first), true
	}
	if first == 0x80 {
		return head, -1, b[0]&0x20 != 0
	}
	count := int(first - 0x80)
	if count > 4 || head+count > len(b) {
		return 0, 0, false
	}
	for _, c := range b[head : head+count] {
		length = length<<8 | int(c)
	}
	return head + count, length, length <= maxMessage
}

// definite returns an element with definite and shortest lengths and with its strings in one piece. It keeps the order
// of sets: what was signed is not to be changed.
func definite(b []byte) ([]byte, bool) {
	out, size, ok := rewrite(b, 0)
	return out, ok && size == len(b)
}

func rewrite(b []byte, depth int) (out []byte, size int, ok bool) {
	head, length, ok := header(b)
	whole, complete := element(b, depth)
	switch {
	case !ok || !complete:
		return nil, 0, false
	case length >= 0:
		b = b[:whole]
	default:
		b = b[:whole-2]
	}
	size = len(b)
	if b[head-1] == 0x80 {
		size += 2
	}
	if b[0]&0x20 == 0 || b[0]&0x1f == 0x1f {
		return tlvOf(b[:head], b[head:]), size, true
	}
	joined := b[0] == tagOctets|0x20 // an octet string in pieces
	var parts [][]byte
	for at := head; at < len(b); {
		part, n, ok := rewrite(b[at:], depth+1)
		if !ok || depth > maxNesting {
			return nil, 0, false
		}
		if joined {
			h, _, ok := header(part)
			if !ok || part[0] != tagOctets {
				return nil, 0, false
			}
			part = part[h:]
		}
		parts = append(parts, part)
		at += n
	}
	if joined {
		return tlv(tagOctets, parts...), size, true
	}
	return tlv(b[0], parts...), size, true
}

// tlvOf writes an element of any tag whose old header is given.
func tlvOf(head, content []byte) []byte {
	if head[0]&0x1f != 0x1f {
		return tlv(head[0], content)
	}
	return bytes.Join([][]byte{head, content}, nil)
}
