package page

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func inflate(t *testing.T, packed []byte) []byte {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheLibraryUnpacksWhatWePack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	noise := make([]byte, 100<<10)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	// Repetitions of every length at many distances.
	var pieces bytes.Buffer
	for n := range 600 {
		pieces.Write(noise[n*37 : n*37+n%300])
		pieces.Write(noise[:n%7])
	}
	for name, data := range map[string][]byte{
		"nothing": {}, "one byte": {7}, "three bytes": {1, 2, 3}, "every byte": allBytes(), "noise": noise, "pieces": pieces.Bytes(),
		"zeros": make([]byte, 70<<10), "far apart": append(append(bytes.Clone(noise[:50<<10]), noise[:50<<10]...), noise[17<<10:20<<10]...),
		"a page": []byte(strings.Repeat("/F1 13 Tf\n12 -17 Td(\x00\x12\x00\x34)Tj\n", 400)),
	} {
		packed := appendDeflate([]byte("before"), data)
		if string(packed[:6]) != "before" {
			t.Errorf("%s: what was there is gone", name)
		}
		if got := inflate(t, packed[6:]); !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes came back, want %d", name, len(got), len(data))
		}
	}
	if n := len(appendDeflate(nil, make([]byte, 70<<10))); n > 700 {
		t.Errorf("70 kB of zeros take %d bytes", n)
	}
}

func allBytes() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func FuzzDeflate(f *testing.F) {
	f.Add([]byte("abcabcabcabcabcabcd"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := inflate(t, appendDeflate(nil, data)); !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back, want %d", len(got), len(data))
		}
	})
}
