package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"

	"countersign/internal/fault"
	"countersign/kiosk/mirror"
)

// Display is a customer's screen at one counter; it is what the customer's screens ask.
type Display struct {
	*Client
}

// Snapshots delivers what the customer may see until ctx ends. While the service is lost it delivers nothing: silence
// is the curtain.
func (d *Display) Snapshots(ctx context.Context) <-chan mirror.Snapshot {
	out := make(chan mirror.Snapshot, 1)
	go func() {
		defer close(out)
		listen(ctx, d.Client, "/v1/display/events", func(s mirror.Snapshot) {
			for {
				select {
				case out <- s:
					return
				default:
				}
				select {
				case <-out:
				default:
				}
			}
		}, func(error) bool { return true })
	}()
	return out
}

func (d *Display) act(ctx context.Context, in Act) error {
	_, err := call[Done](ctx, d.Client, http.MethodPost, "/v1/display/act", in)
	return err
}

// Language chooses the language of the customer's screen.
func (d *Display) Language(ctx context.Context, lang string) error {
	return d.act(ctx, Act{Act: "language", Lang: lang})
}

// Object finds a field wrong.
func (d *Display) Object(ctx context.Context, order, field string, reason int) error {
	return d.act(ctx, Act{Act: "object", Order: order, Field: field, Reason: reason})
}

// Accept finds an objected field right now.
func (d *Display) Accept(ctx context.Context, order, field string) error {
	return d.act(ctx, Act{Act: "accept", Order: order, Field: field})
}

// AgreeForm finds all rows right.
func (d *Display) AgreeForm(ctx context.Context, order string) error {
	return d.act(ctx, Act{Act: "agree_form", Order: order})
}

// ShowPage tells which page is on the screen.
func (d *Display) ShowPage(ctx context.Context, order string, page int) error {
	return d.act(ctx, Act{Act: "page", Order: order, Page: page})
}

// Help asks for an explanation of the page.
func (d *Display) Help(ctx context.Context, order string) error {
	return d.act(ctx, Act{Act: "help", Order: order})
}

// Agree agrees with the whole text that carries digest.
func (d *Display) Agree(ctx context.Context, order, digest string) error {
	return d.act(ctx, Act{Act: "agree", Order: order, Digest: digest})
}

// Retake asks for another picture.
func (d *Display) Retake(ctx context.Context, order string) error {
	return d.act(ctx, Act{Act: "retake", Order: order})
}

// Stop stops here; the order is kept.
func (d *Display) Stop(ctx context.Context, order string) error {
	return d.act(ctx, Act{Act: "stop", Order: order})
}

// Portrait fetches the picture that was just taken.
func (d *Display) Portrait(ctx context.Context, order string) ([]byte, error) {
	return d.bytes(ctx, "/v1/display/portrait/"+url.PathEscape(order))
}

// Channel chooses how to confirm.
func (d *Display) Channel(ctx context.Context, order, method string) error {
	return d.act(ctx, Act{Act: "channel", Order: order, Method: method})
}

// Digits tells how many digits are typed, never which.
func (d *Display) Digits(ctx context.Context, order string, n int) error {
	return d.act(ctx, Act{Act: "digits", Order: order, N: n})
}

// Code sends the code.
func (d *Display) Code(ctx context.Context, order, code string) error {
	return d.act(ctx, Act{Act: "code", Order: order, Code: code})
}

// Resend asks for another code to the same address.
func (d *Display) Resend(ctx context.Context, order string) error {
	return d.act(ctx, Act{Act: "channel", Order: order, Method: "mail"})
}

// Write hands the customer's handwriting in: a stroke file.
func (d *Display) Write(ctx context.Context, order string, strokes []byte) error {
	return d.act(ctx, Act{Act: "write", Order: order, Strokes: string(strokes)})
}

// Remote asks the customer's telephone to sign, by one of the providers.
func (d *Display) Remote(ctx context.Context, order string, provider int) error {
	return d.act(ctx, Act{Act: "remote", Order: order, N: provider})
}

// PrepareOwn prepares the order for the key of a certificate on the customer's token; the key signs the digest.
func (d *Display) PrepareOwn(ctx context.Context, order string, chain [][]byte) (digest [32]byte, err error) {
	var in prepareOwn
	in.Body.Order = order
	for _, der := range chain {
		in.Body.Chain = append(in.Body.Chain, base64.StdEncoding.EncodeToString(der))
	}
	out, err := call[ToSign](ctx, d.Client, http.MethodPost, "/v1/display/own/prepare", in.Body)
	if err != nil {
		return digest, err
	}
	if n, err := hex.Decode(digest[:], []byte(out.Digest)); err != nil || n != len(digest) {
		return digest, fault.Wrap(err, fault.Internal, "service.answer", fault.Args{"status": "digest"})
	}
	return digest, nil
}

// FinishOwn hands in what the customer's token made.
func (d *Display) FinishOwn(ctx context.Context, order string, signature []byte) error {
	var in finishOwn
	in.Body.Order, in.Body.Signature = order, base64.StdEncoding.EncodeToString(signature)
	_, err := call[Done](ctx, d.Client, http.MethodPost, "/v1/display/own/finish", in.Body)
	return err
}

// Receipt chooses the medium.
func (d *Display) Receipt(ctx context.Context, order, medium string) error {
	return d.act(ctx, Act{Act: "receipt", Order: order, Medium: medium})
}

// WrongMail finds the address for the receipt wrong.
func (d *Display) WrongMail(ctx context.Context, order string) error {
	return d.act(ctx, Act{Act: "wrong_mail", Order: order})
}

// Rate rates, or skips with 0.
func (d *Display) Rate(ctx context.Context, order string, n int) error {
	return d.act(ctx, Act{Act: "rate", Order: order, N: n})
}

// Done clears the thanks.
func (d *Display) Done(ctx context.Context, order string) error {
	return d.act(ctx, Act{Act: "done", Order: order})
}

// Touch tells that a key was pressed.
func (d *Display) Touch(ctx context.Context) error { return d.act(ctx, Act{Act: "touch"}) }
