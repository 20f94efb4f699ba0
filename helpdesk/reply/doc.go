// Package reply makes the helpdesk's mails and sends them.
//
// A mail of ours is an Outgoing that an act wrote down. Postman.Handle builds its bytes once: text and footer (Compose),
// S/MIME signature by the agent's own certificate, or the desk's for automatic mails, then DKIM. The bytes are parsed back
// and verified as a receiver would before they are stored, and they are stored, and in the journal, before they leave; each
// further try sends the same bytes with the same Message-ID. Automatic mails hold nothing that the sender wrote and leave
// with an empty return path (RFC 3834). Text that an agent wrote passes Lint or does not leave; nobody can let it pass.
// Start reading at Postman.Handle, then Writer.Write.
package reply
