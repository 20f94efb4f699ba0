// Package workorder turns an order into the document that is read, agreed to, signed and sealed.
//
// Content is exactly what the customer reads and agrees to. Its canonical JSON is attached to the document as
// order.json, its digest is the hash line on both screens and on each page, and Lines gives the same text to the
// reading screen. Evidence is what the counter learned afterwards: who stood there, what was checked, what they
// answered. Build puts both on A4 after Decree 30/2020/ND-CP, with the signature fields made empty beforehand.
//
// Invariants: the same content, evidence and fonts give the same bytes; what is printed, what is read on the
// screen and what is attached come from one Content; evidence that belongs to another content is refused; the
// full identity number stands only where the form itself has it. Start reading at Content, then Build.
package workorder

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// Names of the signature fields that a document has, in the order in which they are signed.
const (
	FieldCustomer     = "customer"
	FieldClerk        = "clerk"
	FieldBusinessSeal = "business_seal"
	FieldUnitSeal     = "unit_seal"
)

// Names of the files that a document carries.
const (
	ContentFile  = "order.json"
	EvidenceFile = "evidence.json"
)

// Content is what the customer reads and agrees to. All values are already formatted for a reader.
type Content struct {
	OrderID     string    `json:"order_id"`
	Language    string    `json:"language"` // "vi", "en" or "zh-Hant"
	Created     time.Time `json:"created"`
	Unit        Unit      `json:"unit"`
	Service     Service   `json:"service"`
	Customer    string    `json:"customer"`
	Clerk       Clerk     `json:"clerk"`
	Sections    []Section `json:"sections"`
	Files       []File    `json:"files,omitempty"`
	Agreement   Agreement `json:"agreement"`
	Fee         Fee       `json:"fee"`
	Term        Term      `json:"term"`
	Signers     []Signer  `json:"signers"`
	VerifyCode  string    `json:"verify_code"`
	RetainUntil string    `json:"retain_until"`
}

// Unit is the office that takes the request; Parent is the body above it, Place the town for the date line.
type Unit struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Parent string `json:"parent"`
	Place  string `json:"place"`
}

// Service is what was asked for.
type Service struct {
	Number  string `json:"number"`
	Code    string `json:"code"`
	Title   string `json:"title"`
	Version string `json:"version"`
}

// Clerk is who took the request.
type Clerk struct {
	Name    string `json:"name"`
	StaffID string `json:"staff_id"`
	Counter string `json:"counter"`
}

// Section is a part of the form: rows, then tables.
type Section struct {
	Title  string  `json:"title"`
	Rows   []Row   `json:"rows"`
	Tables []Table `json:"tables"`
}

// Row is a field of the form; Number is the one that both screens show ("14" or "14.1"), Source where the value
// came from, empty when it was typed.
type Row struct {
	Number string `json:"number"`
	Name   string `json:"name"`
	Label  string `json:"label"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// File is a paper's copy that a field holds. It stays apart; whoever signs the content signs it by its digest.
type File struct {
	Number string `json:"number"` // of the field
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
}

// Table is a list inside a section, such as appliances.
type Table struct {
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Agreement is the named version of the terms.
type Agreement struct {
	Title   string   `json:"title"`
	Version string   `json:"version"`
	Clauses []Clause `json:"clauses"`
}

// Clause is one article. Its paragraphs are numbered by the document unless they bring their numbers.
type Clause struct {
	Number     string   `json:"number"`
	Title      string   `json:"title"`
	Paragraphs []string `json:"paragraphs"`
}

// Fee is the price in figures and in words.
type Fee struct {
	Amount string `json:"amount"`
	Words  string `json:"words"`
}

// Term is the time limit in working days and the day on which it ends.
type Term struct {
	Days int    `json:"days"`
	Due  string `json:"due"`
}

// Signer is who confirms in which signature field. A content without signers gets all four fields.
type Signer struct {
	Role  string `json:"role"`
	Name  string `json:"name"`
	Field string `json:"field"`
}

// Canonical returns the content's JSON: keys sorted, texts in NFC, times in business time to the second, nothing
// escaped that need not be. These bytes are the attachment order.json.
func (c Content) Canonical() ([]byte, error) { return canonical(c) }

// Digest returns the SHA-256 of canonical JSON.
func Digest(canonical []byte) [32]byte { return sha256.Sum256(canonical) }

// ShortHash returns the first 64 bits of a digest as people read them to each other: "3F9A 71C2 8E04 D5B6".
func ShortHash(d [32]byte) string {
	return fmt.Sprintf("%X %X %X %X", d[0:2], d[2:4], d[4:6], d[6:8])
}
