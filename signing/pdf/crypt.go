package pdf

import (
	"bytes"
	"crypto/aes"
	gocipher "crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
)

// cipher reads files that anybody may open: those encrypted by the standard handler for the empty user password
// (ISO 32000-1 §7.6.3, ISO 32000-2 §7.6.4). Their permissions are promises of readers, not of cryptography.
type cipher struct {
	key      []byte
	revision int64 // of the standard handler
	aes      bool
	strings  bool // whether strings are encrypted
	streams  bool
	metadata bool
	left     int // bytes that may still be decrypted: objects are read more than once, but not without end
	dict     int // the number of the encryption dictionary, whose own strings are plain
}

// padding stands for the empty password.
var padding = []byte("\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A")

// unlock finds the key of an encrypted file.
func (f *File) unlock() error {
	last := len(f.Revisions) - 1
	ref := f.last().Trailer.Get("Encrypt")
	if ref.Kind == Null {
		return nil
	}
	d, err := f.Resolve(ref, last)
	if err != nil {
		return err
	}
	if d.Kind != Dict || !d.Get("Filter").Is("Standard") {
		return unsupported(ref.Start, "it is encrypted for certain readers")
	}
	c := &cipher{revision: d.Get("R").Int, strings: true, streams: true, metadata: true, left: 4*len(f.data) + 1<<20}
	if ref.Kind == Reference {
		c.dict = int(ref.Int)
	}
	if m := d.Get("EncryptMetadata"); m.Kind == Bool && m.Int == 0 {
		c.metadata = false
	}
	size := 5
	switch v := d.Get("V"); v.Int {
	case 1:
	case 2:
		if n := d.Get("Length"); n.Kind == Integer && n.Int >= 40 && n.Int <= 128 {
			size = int(n.Int / 8)
		}
	case 4, 5:
		size = 16
		var known1, known2 bool
		c.streams, known1 = c.filter(d, "StmF")
		c.strings, known2 = c.filter(d, "StrF")
		if !known1 || !known2 {
			return unsupported(d.Start, "it is encrypted in a way that is not read")
		}
	default:
		return unsupported(d.Start, "it is encrypted in a way that is not read")
	}
	var id []byte
	if ids := f.last().Trailer.Get("ID").Items; len(ids) > 0 {
		id = ids[0].Bytes()
	}
	ok := false
	switch {
	case c.revision >= 2 && c.revision <= 4:
		ok = c.oldKey(d, id, size)
	case c.revision == 5 || c.revision == 6:
		ok = c.newKey(d)
	}
	if !ok {
		return unsupported(d.Start, "it is encrypted, and not for the empty password")
	}
	f.cipher = c
	return nil
}

// filter says whether a crypt filter encrypts, and whether it is one that is read.
func (c *cipher) filter(d Value, key string) (encrypts, known bool) {
	name := d.Get(key)
	if name.Kind == Null || name.Is("Identity") {
		return false, true
	}
	switch method := d.Get("CF").Get(string(name.Raw)).Get("CFM"); {
	case method.Is("None"):
		return false, true
	case method.Is("V2"):
		return true, true
	case method.Is("AESV2"), method.Is("AESV3"):
		c.aes = true
		return true, true
	}
	return false, false
}

// oldKey is algorithm 2, and 4 and 5 to check it.
func (c *cipher) oldKey(d Value, id []byte, size int) bool {
	o, u := d.Get("O").Bytes(), d.Get("U").Bytes()
	if len(o) < 32 || len(u) < 16 {
		return false
	}
	h := md5.New()
	h.Write(padding)
	h.Write(o[:32])
	_ = binary.Write(h, binary.LittleEndian, uint32(d.Get("P").Int)) // a hash takes all
	h.Write(id)
	if c.revision >= 4 && !c.metadata {
		h.Write([]byte{0xff, 0xff, 0xff, 0xff})
	}
	key := h.Sum(nil)
	if c.revision >= 3 {
		for range 50 {
			sum := md5.Sum(key[:size])
			key = sum[:]
		}
	}
	c.key = key[:size]
	if c.revision == 2 {
		return len(u) >= 32 && bytes.Equal(cryptRC4(c.key, padding), u[:32])
	}
	sum := md5.Sum(append(bytes.Clone(padding), id...))
	out := sum[:]
	for i := range 20 {
		round := bytes.Clone(c.key)
		for k := range round {
			round[k] ^= byte(i)
		}
		out = cryptRC4(round, out)
	}
	return bytes.Equal(out, u[:16])
}

// newKey is algorithm 2.A for the empty user password.
func (c *cipher) newKey(d Value) bool {
	u, ue := d.Get("U").Bytes(), d.Get("UE").Bytes()
	if len(u) < 48 || len(ue) != 32 || !bytes.Equal(c.hash(u[32:40]), u[:32]) {
		return false
	}
	block, err := aes.NewCipher(c.hash(u[40:48]))
	if err != nil {
		return false
	}
	c.key = make([]byte, 32)
	gocipher.NewCBCDecrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(c.key, ue)
	return true
}

// hash is algorithm 2.B for the empty user password.
func (c *cipher) hash(salt []byte) []byte {
	sum := sha256.Sum256(salt)
	k := sum[:]
	if c.revision == 5 {
		return k
	}
	for round := 0; ; round++ {
		e := bytes.Repeat(k, 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		gocipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(e, e)
		rest := 0
		for _, b := range e[:16] {
			rest += int(b)
		}
		switch rest % 3 {
		case 0:
			s := sha256.Sum256(e)
			k = s[:]
		case 1:
			s := sha512.Sum384(e)
			k = s[:]
		default:
			s := sha512.Sum512(e)
			k = s[:]
		}
		if round >= 63 && int(e[len(e)-1]) <= round-31 {
			return k[:32]
		}
	}
}

func cryptRC4(key, data []byte) []byte {
	out := make([]byte, len(data))
	if s, err := rc4.NewCipher(key); err == nil {
		s.XORKeyStream(out, data)
	}
	return out
}

// object decrypts the strings and the stream of an object that stands in no object stream.
func (c *cipher) object(o *Object) {
	if o.Num == c.dict || o.Value.Kind == Stream && o.Value.Get("Type").Is("XRef") {
		return
	}
	key := c.keyOf(o.Num, o.Gen)
	if c.strings {
		c.plain(&o.Value, key)
	}
	if o.Value.Kind == Stream && c.streams && (c.metadata || !o.Value.Get("Type").Is("Metadata")) && !identity(o.Value) {
		o.Value.Raw = c.decrypt(key, o.Value.Raw)
	}
}

// keyOf returns the key of an object (algorithm 1).
func (c *cipher) keyOf(num, gen int) []byte {
	if c.revision >= 5 {
		return c.key
	}
	seed := append(bytes.Clone(c.key), byte(num), byte(num>>8), byte(num>>16), byte(gen), byte(gen>>8))
	if c.aes {
		seed = append(seed, "sAlT"...)
	}
	sum := md5.Sum(seed)
	return sum[:min(len(c.key)+5, 16)]
}

// identity reports whether a stream says that it is not encrypted.
func identity(v Value) bool {
	filter := v.Get("Filter")
	if filter.Kind == Array && len(filter.Items) > 0 {
		filter = filter.Items[0]
	}
	return filter.Is("Crypt")
}

// plain decrypts the strings of a value in their place. The value of a signature is not encrypted.
func (c *cipher) plain(v *Value, key []byte) {
	switch v.Kind {
	case String:
		text := c.decrypt(key, v.Bytes())
		v.Raw = append(hex.AppendEncode([]byte{'<'}, text), '>')
	case Array:
		for i := range v.Items {
			c.plain(&v.Items[i], key)
		}
	case Dict, Stream:
		signature := v.Get("ByteRange").Kind != Null
		for i := range v.Pairs {
			if !signature || string(v.Pairs[i].Key) != "Contents" {
				c.plain(&v.Pairs[i].Value, key)
			}
		}
	}
}

// decrypt returns data as it is when it can't have been encrypted.
func (c *cipher) decrypt(key, data []byte) []byte {
	if !c.aes {
		return cryptRC4(key, data)
	}
	if len(data) < 2*aes.BlockSize || len(data)%aes.BlockSize != 0 {
		return data
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return data
	}
	out := make([]byte, len(data)-aes.BlockSize)
	gocipher.NewCBCDecrypter(block, data[:aes.BlockSize]).CryptBlocks(out, data[aes.BlockSize:])
	if pad := int(out[len(out)-1]); pad >= 1 && pad <= aes.BlockSize {
		return out[:len(out)-pad]
	}
	return out
}

// PaddedBlind reports whether a string of an encrypted file, of which the first size bytes were overwritten, was all
// zeros before: some programs encrypt the space for a signature, which they ought to leave plain.
func (f *File) PaddedBlind(num int, v Value, size int) bool {
	if f.cipher == nil || !f.cipher.strings {
		return false
	}
	e, _, ok := f.Find(num, len(f.Revisions)-1)
	raw := v.Bytes()
	if !ok || size > len(raw) {
		return false
	}
	key := f.cipher.keyOf(num, e.Gen)
	if !f.cipher.aes {
		return len(bytes.Trim(cryptRC4(key, raw)[size:], "\x00")) == 0
	}
	block, err := aes.NewCipher(key)
	from := (size/aes.BlockSize + 1) * aes.BlockSize
	if err != nil || len(raw)%aes.BlockSize != 0 || from+2*aes.BlockSize > len(raw) {
		return false
	}
	out := make([]byte, len(raw)-from-aes.BlockSize)
	gocipher.NewCBCDecrypter(block, raw[from:from+aes.BlockSize]).CryptBlocks(out, raw[from+aes.BlockSize:])
	pad := int(out[len(out)-1])
	return pad <= aes.BlockSize && len(bytes.Trim(out[:len(out)-pad], "\x00")) == 0
}
