// Package genuine answers whether something is really ours: a mail, a call, a person who says that they are our staff.
//
// By mail (mail.go) only one person ever gets an answer: the recorded receiver of the very mail that is asked about, when
// their own mail was proven to be theirs and carries the code of that mail, or the mail itself with our signature on it.
// Everybody else hears nothing, whatever is wrong: no number can be tried out, and nobody can make us write to others.
// Every question costs the same reads and the same hash.
//
// At the desk (check.go) what a caller claims is held against our records: the ticket's number, the mailbox, the call from
// the switchboard. All three have to hold. Whether a number exists is told only to who also names its unit or a code, and
// an unknown number reads like a right one with a wrong unit.
//
// A mail as a file (file.go) is judged by its signatures alone; no record is asked. Start reading at Office.Answer.
package genuine
