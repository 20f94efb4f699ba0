// Package helpdesk is the support desk: mails and calls become tickets, and a customer can tell genuine staff from
// impostors.
//
// A mail is an Arrival first: its raw bytes and an Intake row are durable before the mail server is told anything. Then
// helpdesk/intake reads it and, in one transaction, makes of it exactly one thing: a new Ticket, a Message on a ticket, a
// bounce on a ticket, or a row that people see (quarantined, held, automatic, duplicate). What leaves is an Outgoing row
// with a Message-ID of its own, written in the transaction of the act that caused it; helpdesk/reply builds and signs it
// later. What agents do goes through the Team.
//
// Invariants: counts in equal counts out; a Serial is a name and opens nothing; a mail joins a ticket only by a reference
// that only its correspondents know, and from a participant who was proven; nothing of what a customer wrote stands in an
// automatic mail; the journal is written with every act and holds no personal data.
//
// Start reading at ticket.go, then arrival.go and team.go. The package knows no SQL, no terminal, no HTTP and no MIME.
package helpdesk
