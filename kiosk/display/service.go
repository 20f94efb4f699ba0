package display

import (
	"context"

	"countersign/kiosk/mirror"
)

// Service is what the customer's screen asks of the service. Every act names the order that the screen shows, and
// the digest where there is one, so that a late key never touches something else.
type Service interface {
	// Snapshots delivers until ctx ends; it reconnects by itself. Silence for five seconds is a curtain: the
	// service sends a heartbeat (the same snapshot again) every two seconds.
	Snapshots(ctx context.Context) <-chan mirror.Snapshot

	Language(ctx context.Context, lang string) error
	Object(ctx context.Context, order, field string, reason int) error
	Accept(ctx context.Context, order, field string) error // the objected field is right now
	AgreeForm(ctx context.Context, order string) error     // C2: all rows are right
	ShowPage(ctx context.Context, order string, page int) error
	Help(ctx context.Context, order string) error
	Agree(ctx context.Context, order, digest string) error // C4
	Retake(ctx context.Context, order string) error
	Stop(ctx context.Context, order string) error // C5, C6: the customer wants to stop here; the order is kept

	Portrait(ctx context.Context, order string) ([]byte, error)

	// Channel asks for a confirmation: by the words of kiosk.Method.
	Channel(ctx context.Context, order, method string) error
	Digits(ctx context.Context, order string, n int) error // how many digits are typed, never which
	Code(ctx context.Context, order, code string) error
	Resend(ctx context.Context, order string) error
	Write(ctx context.Context, order string, strokes []byte) error // handwriting, as a stroke file

	// PrepareOwn tells the service which certificate of the customer's token is to sign, and returns the digest that its key
	// signs; FinishOwn hands the signature in.
	PrepareOwn(ctx context.Context, order string, chain [][]byte) (digest [32]byte, err error)
	// Remote asks the customer's telephone to sign, by one of the providers.
	Remote(ctx context.Context, order string, provider int) error
	FinishOwn(ctx context.Context, order string, signature []byte) error

	Receipt(ctx context.Context, order, medium string) error // mail, print, both, none
	WrongMail(ctx context.Context, order string) error
	Rate(ctx context.Context, order string, n int) error // 0 skips
	Done(ctx context.Context, order string) error        // C9: clear now
	Touch(ctx context.Context) error                     // a key was pressed: counts as activity
}
