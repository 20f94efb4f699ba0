package message

// Limits are the gate before any parsing: what is beyond them is not looked at. The zero value means Default.
type Limits struct {
	Size       int // of the whole mail, in bytes; a longer one is "too_big" and only its header is read
	Depth      int // of parts in parts and mails in mails; what is deeper stays one attachment
	Parts      int // of the whole mail; the rest stays one attachment
	Fields     int // of one header; the rest is left out
	HeaderLine int // of one header field, unfolded, in bytes; a longer one is cut
	Text       int // of the text that people read, in bytes; a longer one is cut, and says so
}

// Default returns the limits that a helpdesk works with.
func Default() Limits {
	return Limits{Size: 25 << 20, Depth: 10, Parts: 200, Fields: 1000, HeaderLine: 64 << 10, Text: 1 << 20}
}
