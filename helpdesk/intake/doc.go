// Package intake brings every mail that came to its one fate.
//
// A source hands mails to Reception.Arrive and tells its server of them only after that. Reception.Drain reads what waits,
// on all cores, and files each mail in a transaction: a ticket, a message or bounce on a ticket, or a row that people see
// and can release. It may be killed at any point and called again.
//
// Invariants: a mail's fate, the ticket and the receipt that it causes are written together; a mail joins a ticket only by
// a reference of the ticket's own and from a proven participant (join.go); an automatic mail goes only to a proven sender
// who is no program, within budgets, and holds nothing that the sender wrote (opening.go); secrets are taken out of the
// text before it is stored (mask.go), while the original stays sealed as evidence; a mail over a budget gets no number.
//
// A part of it asks no record and changes nothing: the grammar of subjects (subject.go), the table of offices (office.go),
// what a mail is and who sent it (inspect.go), and what the helpdesk would do with it (decide.go); `countersign mail inspect`
// uses that part alone.
//
// Start reading at Reception, then filing.go.
package intake
