// Package kiosk is the service counter: a walk-in customer's request becomes a signed, sealed, stored work order.
//
// An Order passes eight steps: 1 identity and service, 2 form, 3 work order made, 4 read, card, portrait,
// 5 confirmed and sealed, 6 stored, 7 handed over, 8 receipt. Only the methods in order.go change its state, and
// each refuses what its step does not allow. A Hall carries out what people do at the counter: it loads the order,
// lets it change, and stores order, documents, journal entry and outbox rows in one transaction.
//
// Invariants: nothing is signed that the customer's screen did not show; the clerk's acts and the customer's acts are
// different methods with different callers; the content digest on both screens is the digest of the bytes attached
// to the signed file as order.json; a state is left only when its record is durable.
//
// Start reading at order.go, then hall.go. The package knows no SQL, no terminal and no HTTP.
package kiosk
