// Package pdf reads PDF files strictly and fills signature fields by append-only updates.
//
// There is one grammar and no repair: what a lenient reader would mend is an error here, with its offset, because
// two readers that mend differently show two documents under one signature. An object that breaks the grammar reads as
// Null and is noted in its Revision.Odd, so that the signatures can be judged all the same. Only what has one meaning
// for all readers is read though the standard wants it otherwise: bytes before the first line, white space between revisions and before an object, a line end of one byte in a table or behind
// the keyword stream, a table that lists again what did not change. Hybrid and linearized files, and files encrypted for
// the empty user password, are read; other encryption is not. A file is a chain of revisions, each
// ending at its own %%EOF; an update adds a revision and changes no byte before it. Parse checks a whole file;
// Prepare reads only what it needs of a base document that we made. The package knows no cryptography but SHA-256
// over the bytes to be signed. Start reading at File and Prepare.
package pdf

import (
	"errors"
	"fmt"
)

// Limits of what is read. They bound time and memory for files from outside.
const (
	maxFile      = 128 << 20 // bytes of a file
	maxValues    = 3 << 19   // values in a file, counting each number, name, array …
	maxObjects   = 1 << 18   // indirect objects of one revision
	maxRevisions = 512
	maxOdd       = 256      // objects of a revision that break the grammar
	maxDepth     = 48       // of nested arrays and dictionaries, and of trees
	maxDecoded   = 64 << 20 // bytes that all compressed streams of a file may give together
)

// Reason says what kind of thing is wrong with a file.
type Reason string

// The reasons.
const (
	Malformed   Reason = "malformed"   // it breaks the grammar
	Unsupported Reason = "unsupported" // it may be right, but this reader does not read it
	TooLarge    Reason = "too_large"   // it exceeds a limit
)

// Error says what is wrong in a file, and where.
type Error struct {
	Reason Reason
	Offset int // in bytes from the start of the file; -1 when it has no place
	What   string
}

// Error renders the failure with its offset.
func (e *Error) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("PDF file %s: %s", e.Reason, e.What)
	}
	return fmt.Sprintf("PDF file %s at byte %d: %s", e.Reason, e.Offset, e.What)
}

// ErrNoAttachment says that a file has no attachment of the wanted name.
var ErrNoAttachment = errors.New("no such attachment")

func malformed(at int, format string, args ...any) error {
	return &Error{Malformed, at, fmt.Sprintf(format, args...)}
}

func unsupported(at int, format string, args ...any) error {
	return &Error{Unsupported, at, fmt.Sprintf(format, args...)}
}

func tooLarge(at int, format string, args ...any) error {
	return &Error{TooLarge, at, fmt.Sprintf(format, args...)}
}
