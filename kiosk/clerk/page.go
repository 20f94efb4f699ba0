package clerk

import (
	"reflect"

	"countersign/internal/tui"
	"countersign/kiosk"
)

// page is one screen between the head and the seam.
type page interface {
	// keys is the part of the key table that holds on this page.
	keys() []binding
	// typed takes the keys that the table does not name: text for a field.
	typed(a *App, k tui.Key) tui.Cmd
	// input takes tui.Scan and tui.Paste.
	input(a *App, ev tui.Event) tui.Cmd
	// draw fills the canvas except its last three rows.
	draw(a *App, c *tui.Canvas)
	// hint is what row 23 says when there is no message.
	hint(a *App) string
}

// quiet is the part of a page that takes neither text nor scans.
type quiet struct{}

func (quiet) typed(*App, tui.Key) tui.Cmd   { return nil }
func (quiet) input(*App, tui.Event) tui.Cmd { return nil }

// opener is a page that has work to do when it comes up.
type opener interface{ open(a *App) tui.Cmd }

// closer is a page that has something to end when it goes.
type closer interface{ closePage() }

// ticker is a page that counts time.
type ticker interface{ tick(a *App) tui.Cmd }

// turn brings a page up.
func (a *App) turn(p page) tui.Cmd {
	for _, old := range []page{a.page, a.under} {
		if c, ok := old.(closer); ok && old != p {
			c.closePage()
		}
	}
	a.page, a.under = p, nil
	if o, ok := p.(opener); ok {
		return o.open(a)
	}
	return nil
}

// home lets go of the order and the visit in hand.
func (a *App) home() tui.Cmd {
	a.visit, a.view = nil, nil
	a.saves = saves{}
	a.seam = kiosk.Seam{}
	return a.turn(&homePage{})
}

// begin takes an order into the hand and brings up the page of its step.
func (a *App) begin(v kiosk.OrderView) tui.Cmd {
	if a.order().Key != v.Order.Key {
		a.view, a.saves = nil, saves{}
	}
	a.adopt(v)
	return a.turn(a.stepPage())
}

// stepPage returns the page of the step at which the order in hand stands.
func (a *App) stepPage() page {
	o := a.order()
	switch o.State {
	case kiosk.Draft:
		return newFormPage(a)
	case kiosk.Invited:
		return &checkPage{}
	case kiosk.Reading:
		return &readingPage{}
	case kiosk.Agreed:
		switch {
		case !o.Card.OK():
			return &cardPage{}
		case o.Portrait == nil || o.Portrait.Judged.IsZero():
			return &portraitPage{}
		}
		return &codePage{}
	case kiosk.Confirming:
		return &codePage{}
	case kiosk.Confirmed:
		return &sealPage{}
	case kiosk.Sealed, kiosk.Closed:
		return &donePage{}
	}
	return &homePage{}
}

// follow brings up the page to which the customer's act, or the service, has led the order.
func (a *App) follow() tui.Cmd {
	if a.view == nil {
		return nil
	}
	want := a.stepPage()
	at := a.page
	if a.under != nil {
		at = a.under
	}
	switch at := at.(type) {
	case *formPage, *checkPage:
		if o := a.order(); o.State == kiosk.Draft || o.State == kiosk.Invited {
			if c, ok := a.page.(*checkPage); ok {
				return c.disarmed(a)
			}
			return nil
		}
	case *togetherPage:
		if sameKind(at.under, want) {
			return nil
		}
	case *picturePage:
		if _, still := want.(*portraitPage); still {
			return nil
		}
	case *homePage, *findPage, *pickPage, *evidencePage, *healthPage:
		return nil // The clerk has left the order; it does not pull them back.
	}
	if sameKind(at, want) {
		return nil
	}
	return a.turn(want)
}

// sameKind reports whether two pages are of one kind.
func sameKind(x, y page) bool { return reflect.TypeOf(x) == reflect.TypeOf(y) }
