// Package job carries work to systems outside the transaction that asked for it: mails, prints, hand-overs.
//
// A Job is enqueued in the same transaction as the act that needs it, under a stable key, so that it exists exactly
// when the act does and is never added twice. A Runner claims due jobs with a lease and a fencing number, carries
// them out, and completes them only while the fence still holds; a job therefore runs at least once, and the
// receiver tells repeats by the key. Start reading at Runner.
package job

import (
	"errors"
	"time"
)

// State is where a job stands.
type State string

// The states of a job. Dead jobs stay visible until a person asks for another try.
const (
	Waiting State = "waiting"
	Running State = "running"
	Done    State = "done"
	Dead    State = "dead"
)

// Job is one piece of work for an outside system.
type Job struct {
	ID      int64
	Key     string // stable: the receiver may be told twice and must act once
	Kind    string // handover, mail, print
	Order   string // key of the order that it belongs to
	Payload []byte // JSON; encrypted at rest
	State   State
	RunAt   time.Time
	Tries   int
	Fence   int64
	Leased  time.Time // until when the claim holds
	LastErr string    // without personal data
	Created time.Time
	Ended   time.Time
}

// Scope is which jobs a worker claims.
type Scope struct {
	Kind string
	// Ordered keeps the jobs of one order in the order in which they were enqueued: a later one waits while an earlier
	// one of its kind is not done, dead ones included.
	Ordered bool
}

// ErrFenced says that a claim no longer holds: somebody else has claimed the job since.
var ErrFenced = errors.New("the job was claimed by somebody else")
