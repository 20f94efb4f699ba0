// Package fault separates what a person may read about a failure from what the operator needs.
//
// A *fault.Error names the failure by a stable code with arguments; the sentence for people is in the
// catalogues of internal/locale under "fault." + code, in every language. The wrapped cause is for the
// log only. Anything that is not a *fault.Error is "internal" to the person who sees it.
package fault

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind says whose move it is after a failure; the HTTP status and the exit code follow from it.
type Kind string

// The kinds of failure.
const (
	Invalid         Kind = "invalid"         // what was given can't be accepted as it stands
	NotFound        Kind = "not_found"       // no such thing, or none that this person may see
	Conflict        Kind = "conflict"        // somebody else was first
	Forbidden       Kind = "forbidden"       // the person may not
	Unauthenticated Kind = "unauthenticated" // nobody is signed in
	TooMany         Kind = "too_many"        // tries are used up for now
	Unavailable     Kind = "unavailable"     // another system is away; later may work
	Internal        Kind = "internal"        // our own fault
)

// Args fill the placeholders of the sentence. They must hold nothing that a log may not hold.
type Args map[string]string

// Error is a failure that a person will read about.
type Error struct {
	Kind Kind
	Code string // stable, dotted, lower case: "otp.wrong"
	Args Args
	Err  error // the cause, for the operator; may be nil
}

// New returns a failure of the given kind and code.
func New(kind Kind, code string, args Args) *Error {
	return &Error{Kind: kind, Code: code, Args: args}
}

// Wrap returns a failure that keeps its cause for the operator.
func Wrap(err error, kind Kind, code string, args Args) *Error {
	return &Error{Kind: kind, Code: code, Args: args, Err: err}
}

// Error renders the failure for logs: code, arguments in order, cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code)
	names := make([]string, 0, len(e.Args))
	for name := range e.Args {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(&b, " %s=%q", name, e.Args[name])
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// CodeOf returns the code of the first *Error in err's chain, "internal" when there is none.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return "internal"
}

// Is reports whether err carries the given code.
func Is(err error, code string) bool { return CodeOf(err) == code }
