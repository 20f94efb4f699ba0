package clerk

import (
	"context"

	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// Service is what the clerk's terminal asks of the service. Every failure is a *fault.Error or a lost connection
// (fault kind Unavailable, code "service.lost").
type Service interface {
	// SignIn opens the shift. It tells whether the user must first replace the password or set an unlock code.
	SignIn(ctx context.Context, user, password string) (kiosk.SignedIn, error)
	SetPassword(ctx context.Context, old, password string) error
	SetUnlockCode(ctx context.Context, code string) error
	Unlock(ctx context.Context, code string) error
	Lock(ctx context.Context) error
	SignOut(ctx context.Context) error

	Home(ctx context.Context) (kiosk.HomeView, error)
	Services(ctx context.Context) ([]*catalog.Service, error)
	Find(ctx context.Context, text string) ([]kiosk.CustomerCard, error)
	Links(ctx context.Context) ([]kiosk.Link, []kiosk.OutboxRow, error)
	RetryOutbox(ctx context.Context, id int64) error

	// OpenVisit starts a visit for a customer, or for somebody new when customer is "". carried is what was typed
	// into the search.
	OpenVisit(ctx context.Context, customer, carried string) (kiosk.VisitView, error)
	// Visit returns a visit with what is known of its customer, to go on with it.
	Visit(ctx context.Context, key string) (kiosk.VisitView, error)
	// ShowService shows the customer the published card of the service that the clerk looks at. It is lossy.
	ShowService(ctx context.Context, visit, service string) error
	// ScanVisit starts (visit "") or continues a visit from a scanned card: it finds the customer by the number.
	ScanVisit(ctx context.Context, visit, scan string) (kiosk.VisitView, error)
	// StartOrder opens the form of a service; again fills it as the customer's last order of that service was.
	StartOrder(ctx context.Context, visit, service string, again bool) (kiosk.OrderView, error)
	Order(ctx context.Context, key string) (kiosk.OrderView, error)
	// Resume takes an order that was set aside, or another terminal's, to this counter.
	Resume(ctx context.Context, key string) (kiosk.OrderView, error)
	Aside(ctx context.Context, key string) error
	// Release frees the counter after an order is done; the customer's screen goes back to its welcome by itself.
	Release(ctx context.Context) error
	Cancel(ctx context.Context, key string) error

	// SetField saves a field exit; base is the canonical text before typing. It returns once the value is durable.
	SetField(ctx context.Context, key, field, base, typed string) (kiosk.OrderView, error)
	// SetSame saves in a field what "=" copies there.
	SetSame(ctx context.Context, key, field, base string) (kiosk.OrderView, error)
	// SetFile saves a file in a field; base is the SHA-256 of the file that stood there.
	SetFile(ctx context.Context, key, field, base, name string, data []byte) (kiosk.OrderView, error)
	SetRows(ctx context.Context, key, field string, rows [][]string) (kiosk.OrderView, error)
	// Typing shows unfinished text on the customer's screen; field "" clears the mark. It is lossy.
	Typing(ctx context.Context, key, field, text string) error
	Undo(ctx context.Context, key string) (kiosk.OrderView, error)
	Redo(ctx context.Context, key string) (kiosk.OrderView, error)
	Answer(ctx context.Context, key, field string) (kiosk.OrderView, error)
	// Invite arms the submission; it is refused with the problems in the view when something stops it.
	Invite(ctx context.Context, key string) (kiosk.OrderView, error)
	Reopen(ctx context.Context, key string) (kiosk.OrderView, error)

	ScanCard(ctx context.Context, key, scan string) (kiosk.OrderView, error)
	// FollowCard takes a differing field over from the card into the form (K11, choice 1).
	FollowCard(ctx context.Context, key, field string) (kiosk.OrderView, error)
	// Portrait sends a picture file's bytes.
	Portrait(ctx context.Context, key string, data []byte) (kiosk.OrderView, error)
	PortraitImage(ctx context.Context, key string) ([]byte, error)
	Judge(ctx context.Context, key string) (kiosk.OrderView, error)
	Retake(ctx context.Context, key string) (kiosk.OrderView, error)

	Resend(ctx context.Context, key string) (kiosk.OrderView, error)
	// Attest is the clerk's word that they saw the customer write; Rewrite gives the customer the pen again.
	Attest(ctx context.Context, key string) (kiosk.OrderView, error)
	Rewrite(ctx context.Context, key string) (kiosk.OrderView, error)
	Seal(ctx context.Context, key, lastFour string) (kiosk.OrderView, error)
	Reprint(ctx context.Context, key string) (kiosk.OrderView, error)
	// FixMail corrects the address for delivery of the receipt only.
	FixMail(ctx context.Context, key, address string) (kiosk.OrderView, error)
	Document(ctx context.Context, key string) ([]byte, error)
	// Page returns the text of a page that the customer reads, for reading together (F11).
	Page(ctx context.Context, key string, page int) ([]string, error)
	Evidence(ctx context.Context, key string) (Evidence, error)

	// Events delivers until ctx ends; it reconnects by itself and reports a lost service as an event with Lost set.
	Events(ctx context.Context) <-chan Update
}

// Update is one event from the service.
type Update = kiosk.ClerkUpdate

// SignedIn is what a clerk learns on signing in.
type SignedIn = kiosk.SignedIn

// Evidence is the verified account of a finished order (K16).
type Evidence = kiosk.Evidence

// EvidenceSigner is one signature as the verifier judged it.
type EvidenceSigner = kiosk.EvidenceSigner
