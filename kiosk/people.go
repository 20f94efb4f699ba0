package kiosk

import (
	"time"

	"countersign/kiosk/idcard"
)

// Visit is one customer's stay at one counter. A card read and an identity checked serve every order of the visit.
type Visit struct {
	Key      string       `json:"key"`
	Unit     string       `json:"unit"`
	Counter  string       `json:"counter"`
	Serial   int          `json:"serial"` // 01, 02, ... of the day, as the clerk's home screen numbers them
	Day      string       `json:"day"`    // 2026-11-21, business time
	Customer string       `json:"customer"`
	Name     string       `json:"name"` // as far as it is known
	Language string       `json:"language"`
	Card     *idcard.Card `json:"card,omitempty"`
	CardAt   time.Time    `json:"card_at"`
	Carried  string       `json:"carried"` // what was typed into the search and found nobody: it fills the form
	Opened   time.Time    `json:"opened"`
	Orders   []string     `json:"orders"`
	By       string       `json:"by"`
}

// Customer is a person or organisation that the unit already serves.
type Customer struct {
	ID       string `json:"id"` // customer code: PA05050000017
	Unit     string `json:"unit"`
	Kind     string `json:"kind"` // person, organisation, agency
	Name     string `json:"name"`
	Birth    string `json:"birth"` // ISO date
	Sex      string `json:"sex"`   // M, F
	IDNumber string `json:"id_number"`
	TaxCode  string `json:"tax_code"`
	Phone    string `json:"phone"`
	Email    string `json:"email"`
	Address  string `json:"address"`
	// Facts are the back office's fields about the customer's contract: "cmis.capacity" and the like.
	Facts   map[string]string `json:"facts"`
	FactsAt time.Time         `json:"facts_at"`
	// App is the secret of the authenticator app that the customer enrolled; empty when there is none.
	App     string `json:"app"`
	AppStep int64  `json:"app_step"` // last accepted time step, so that no code is taken twice
	Rev     int64  `json:"rev"`
}

// Role is what a member of staff may do; a person may have several.
type Role string

// The roles. What each may do is in rights.go.
const (
	RoleClerk      Role = "clerk"      // giao dịch viên
	RoleSigner     Role = "signer"     // may apply seals that were granted
	RoleSupervisor Role = "supervisor" // sees every order of the unit and the journal
	RoleAdmin      Role = "admin"      // users, seals, keys; no orders
	RoleAgent      Role = "agent"      // works at the helpdesk, which knows what its people may do there
)

// User is a member of staff. The hashes are argon2id in PHC string form.
type User struct {
	Name         string    `json:"name"` // login name
	FullName     string    `json:"full_name"`
	StaffID      string    `json:"staff_id"`
	Unit         string    `json:"unit"`
	Roles        []Role    `json:"roles"`
	Password     string    `json:"password"`
	UnlockCode   string    `json:"unlock_code"`
	Locked       bool      `json:"locked"`
	Expires      time.Time `json:"expires"`
	PasswordAt   time.Time `json:"password_at"`
	MustChange   bool      `json:"must_change"` // somebody else chose the password; nothing but its change is allowed
	Failures     int       `json:"failures"`    // since the last success
	LastFailure  time.Time `json:"last_failure"`
	FailurePlace string    `json:"failure_place"`
	LastSignIn   time.Time `json:"last_sign_in"`
	LastPlace    string    `json:"last_place"`
	EndedAt      time.Time `json:"ended_at"` // sessions that were open then are over
	// OwnKey signs the user's requests for seals; it rests locked under the password. OwnPublic is what the keeper of the
	// seals enrolls.
	OwnKey    []byte `json:"own_key,omitempty"`
	OwnPublic []byte `json:"own_public,omitempty"`
	Rev       int64  `json:"rev"`
}

// Has reports whether the user has a role.
func (u User) Has(r Role) bool {
	for _, have := range u.Roles {
		if have == r {
			return true
		}
	}
	return false
}

// Session is one clerk at one counter, or one display. Only the token's hash is stored.
type Session struct {
	TokenSHA256 string    `json:"token_sha256"`
	Kind        string    `json:"kind"`             // clerk, display
	Mobile      bool      `json:"mobile,omitempty"` // a display that is an application on the customer's telephone
	User        string    `json:"user"`
	Unit        string    `json:"unit"`
	Counter     string    `json:"counter"`
	Opened      time.Time `json:"opened"`
	Seen        time.Time `json:"seen"` // last act of the clerk or of the customer at this counter
	Locked      bool      `json:"locked"`
	Visit       string    `json:"visit"`
	Order       string    `json:"order"`
	OwnKey      []byte    `json:"own_key,omitempty"` // the user's, locked under the token
}

// Actor is who does something now: taken from a session, never from a request's body.
type Actor struct {
	User    User
	Unit    string
	Counter string
	Token   string // SHA-256 of the session's token: names the session
	Visit   string
	Order   string
	Locked  bool
	Mobile  bool // the customer acts in an application on their telephone

	token string // as it was shown; empty for who did not come with one
}

// person is the actor as an order remembers a member of staff.
func (a Actor) person() Person {
	return Person{User: a.User.Name, Name: a.User.FullName, StaffID: a.User.StaffID, Counter: a.Counter}
}

// Unit is an organisation's branch: its names, seals and back office.
type Unit struct {
	Code       string `json:"code"` // PA0505
	Name       string `json:"name"` // Điện lực Bắc Giang
	Parent     string `json:"parent"`
	Place      string `json:"place"` // for "Bắc Giang, ngày 21 tháng 11 năm 2026"
	Hotline    string `json:"hotline"`
	BackOffice string `json:"back_office"` // CMIS
}

// Query finds customers of one unit: exactly by number, or by the beginnings of the name's words without diacritics.
type Query struct {
	Unit  string
	Text  string
	Limit int
}
