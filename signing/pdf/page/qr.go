package page

import (
	"errors"
	"fmt"
	"math/bits"
)

// A QR code after ISO/IEC 18004: byte mode, error correction level M, versions 1 to 10. It is made here because the
// choice of the mask, done on bit rows, is most of the work of a QR code, and each document has its own.

// qrSize says how a version splits its codewords: data codewords of each block, and check codewords of every block.
type qrSize struct {
	data  []int
	check int
	align []int // where the alignment patterns' middles lie
}

// ErrQRTooLong says that a text has no room in a QR code.
var ErrQRTooLong = errors.New("text is too long for a QR code")

func qrSizes() [10]qrSize {
	return [10]qrSize{
		{[]int{16}, 10, nil},
		{[]int{28}, 16, []int{6, 18}},
		{[]int{44}, 26, []int{6, 22}},
		{[]int{32, 32}, 18, []int{6, 26}},
		{[]int{43, 43}, 24, []int{6, 30}},
		{[]int{27, 27, 27, 27}, 16, []int{6, 34}},
		{[]int{31, 31, 31, 31}, 18, []int{6, 22, 38}},
		{[]int{38, 38, 39, 39}, 22, []int{6, 24, 42}},
		{[]int{36, 36, 36, 37, 37}, 22, []int{6, 26, 46}},
		{[]int{43, 43, 43, 43, 44}, 26, []int{6, 28, 50}},
	}
}

// qrCode is a square of modules, one bit each, a word a row; the widest version has 57.
type qrCode struct {
	n    int
	dark [57]uint64
	used [57]uint64 // modules that are not data
}

// encodeQR returns the code for a text of at most 213 bytes.
func encodeQR(text string) (*qrCode, error) {
	for i, size := range qrSizes() {
		version, room := i+1, 0
		for _, d := range size.data {
			room += d
		}
		count := 8 // bits of the length
		if version >= 10 {
			count = 16
		}
		if 4+count+8*len(text) > 8*room {
			continue
		}
		q := &qrCode{n: 17 + 4*version}
		q.patterns(version, size.align)
		q.place(interleave(dataWords(text, count, room), size))
		q.mask()
		return q, nil
	}
	return nil, fmt.Errorf("%w: %d bytes", ErrQRTooLong, len(text))
}

// dataWords writes mode, length and text, ended and padded to room codewords.
func dataWords(text string, count, room int) []byte {
	out := make([]byte, 0, room)
	acc, n := uint32(0b0100), 4
	put := func(v uint32, width int) {
		acc, n = acc<<width|v, n+width
		for n >= 8 {
			out = append(out, byte(acc>>(n-8)))
			n -= 8
		}
	}
	put(uint32(len(text)), count)
	for i := range len(text) {
		put(uint32(text[i]), 8)
	}
	// The end mark of four zero bits also fills the last byte: mode and length leave it half full.
	put(0, 4)
	for pad := byte(0xEC); len(out) < room; pad ^= 0xEC ^ 0x11 {
		out = append(out, pad)
	}
	return out[:room]
}

// interleave adds the check codewords of each block and deals the blocks out in turn.
func interleave(data []byte, size qrSize) []byte {
	generator := []byte{1}
	root := byte(1)
	for range size.check {
		next := make([]byte, len(generator)+1)
		for i, g := range generator {
			next[i] ^= g
			next[i+1] ^= gfMul(g, root)
		}
		generator, root = next, gfMul(root, 2)
	}
	var blocks, checks [][]byte
	for _, d := range size.data {
		block := data[:d]
		data = data[d:]
		rest := make([]byte, size.check)
		for _, b := range block {
			factor := b ^ rest[0]
			copy(rest, rest[1:])
			rest[size.check-1] = 0
			for i := range rest {
				rest[i] ^= gfMul(generator[i+1], factor)
			}
		}
		blocks, checks = append(blocks, block), append(checks, rest)
	}
	var out []byte
	for i := range blocks[len(blocks)-1] {
		for _, b := range blocks {
			if i < len(b) {
				out = append(out, b[i])
			}
		}
	}
	for i := range size.check {
		for _, c := range checks {
			out = append(out, c[i])
		}
	}
	return out
}

// gfMul multiplies in the field of 256 elements with the polynomial x⁸+x⁴+x³+x²+1.
func gfMul(a, b byte) byte {
	var p byte
	for ; b > 0; b >>= 1 {
		if b&1 != 0 {
			p ^= a
		}
		high := a & 0x80
		a <<= 1
		if high != 0 {
			a ^= 0x1D
		}
	}
	return p
}

// set fixes a module that is not data.
func (q *qrCode) set(x, y int, dark bool) {
	q.used[y] |= 1 << x
	q.dark[y] &^= 1 << x
	if dark {
		q.dark[y] |= 1 << x
	}
}

func (q *qrCode) is(x, y int) bool { return q.dark[y]>>x&1 != 0 }

// patterns draws what every code of a version has, and keeps the format's place free.
func (q *qrCode) patterns(version int, align []int) {
	for i := range q.n {
		q.set(6, i, i%2 == 0)
		q.set(i, 6, i%2 == 0)
	}
	far := q.n - 7
	for _, corner := range [3][2]int{{0, 0}, {far, 0}, {0, far}} {
		for dy := -1; dy <= 7; dy++ {
			for dx := -1; dx <= 7; dx++ {
				x, y := corner[0]+dx, corner[1]+dy
				if x >= 0 && y >= 0 && x < q.n && y < q.n {
					d := max(abs(dx-3), abs(dy-3))
					q.set(x, y, d != 2 && d != 4)
				}
			}
		}
	}
	for i, cy := range align {
		for j, cx := range align {
			last := len(align) - 1
			if i == 0 && j == 0 || i == 0 && j == last || i == last && j == 0 {
				continue
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					q.set(cx+dx, cy+dy, max(abs(dx), abs(dy)) != 1)
				}
			}
		}
	}
	q.format(0)
	if version >= 7 {
		rest := version
		for range 12 {
			rest = rest<<1 ^ rest>>11*0x1F25
		}
		info := version<<12 | rest
		for i := range 18 {
			dark := info>>i&1 != 0
			q.set(q.n-11+i%3, i/3, dark)
			q.set(i/3, q.n-11+i%3, dark)
		}
	}
}

// format writes level M and the mask, twice, and the module that is always dark.
func (q *qrCode) format(mask int) {
	rest := mask // level M is 00
	for range 10 {
		rest = rest<<1 ^ rest>>9*0x537
	}
	info := (mask<<10 | rest) ^ 0x5412
	bit := func(i int) bool { return info>>i&1 != 0 }
	for i := range 6 {
		q.set(8, i, bit(i))
		q.set(5-i, 8, bit(9+i))
	}
	q.set(8, 7, bit(6))
	q.set(8, 8, bit(7))
	q.set(7, 8, bit(8))
	for i := range 8 {
		q.set(q.n-1-i, 8, bit(i))
	}
	for i := 8; i < 15; i++ {
		q.set(8, q.n-15+i, bit(i))
	}
	q.set(8, q.n-8, true)
}

// place lays the codewords into the free modules: pairs of columns from the right, up and down in turn.
func (q *qrCode) place(words []byte) {
	i := 0
	up := true
	for right := q.n - 1; right > 0; right -= 2 {
		if right == 6 {
			right--
		}
		for step := range q.n {
			y := step
			if up {
				y = q.n - 1 - step
			}
			for x := right; x > right-2; x-- {
				if q.used[y]>>x&1 == 0 && i < 8*len(words) {
					q.dark[y] |= uint64(words[i/8]>>(7-i%8)&1) << x
					i++
				}
			}
		}
		up = !up
	}
}

// mask turns data modules over by the one of the eight rules that leaves the fewest misleading patterns.
func (q *qrCode) mask() {
	rules := [8]func(x, y int) bool{
		func(x, y int) bool { return (x+y)%2 == 0 },
		func(_, y int) bool { return y%2 == 0 },
		func(x, _ int) bool { return x%3 == 0 },
		func(x, y int) bool { return (x+y)%3 == 0 },
		func(x, y int) bool { return (x/3+y/2)%2 == 0 },
		func(x, y int) bool { return x*y%2+x*y%3 == 0 },
		func(x, y int) bool { return (x*y%2+x*y%3)%2 == 0 },
		func(x, y int) bool { return ((x+y)%2+x*y%3)%2 == 0 },
	}
	best, least := *q, -1
	for m, rule := range rules {
		try := *q
		for y := range q.n {
			row := uint64(0)
			for x := range q.n {
				if rule(x, y) {
					row |= 1 << x
				}
			}
			try.dark[y] ^= row &^ q.used[y]
		}
		try.format(m)
		if p := try.penalty(); least < 0 || p < least {
			best, least = try, p
		}
	}
	*q = best
}

// penalty counts runs, squares, patterns that look like a corner, and the distance from half dark (7.8.3.1).
func (q *qrCode) penalty() int {
	var columns [57]uint64
	total, dark := 0, 0
	for y := range q.n {
		dark += bits.OnesCount64(q.dark[y])
		for x := range q.n {
			columns[x] |= q.dark[y] >> x & 1 << y
		}
	}
	all := uint64(1)<<q.n - 1
	for i := range q.n {
		total += linePenalty(q.dark[i], q.n) + linePenalty(columns[i], q.n)
		if i > 0 {
			// A 2×2 square: equal to the left, equal above, equal above left.
			a, b := q.dark[i-1], q.dark[i]
			same := ^(a ^ b) & ^(b ^ b>>1) & ^(a ^ a>>1) & (all >> 1)
			total += 3 * bits.OnesCount64(same)
		}
	}
	percent := dark * 100 / (q.n * q.n)
	return total + abs(percent-50)/5*10
}

func linePenalty(line uint64, n int) int {
	// five has a bit where five equal modules begin: a run of k modules has k-4 of them and costs k-2.
	same := ^(line ^ line>>1) & (1<<(n-1) - 1)
	five := same & (same >> 1) & (same >> 2) & (same >> 3)
	total := bits.OnesCount64(five) + 2*bits.OnesCount64(five&^(five<<1))
	for _, like := range [2]uint64{0b00001011101, 0b10111010000} {
		found := uint64(1)<<(n-10) - 1
		for i := range 11 {
			if like>>i&1 != 0 {
				found &= line >> i
			} else {
				found &^= line >> i
			}
		}
		total += 40 * bits.OnesCount64(found)
	}
	return total
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
