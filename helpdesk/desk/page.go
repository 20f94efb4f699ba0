package desk

import "countersign/internal/tui"

// page is one screen between the head and the seam.
type page interface {
	// keys is the part of the key table that holds on this page.
	keys() []binding
	// typed takes the keys that the table does not name: text for a field.
	typed(a *App, k tui.Key) tui.Cmd
	// draw fills the canvas except its last three rows.
	draw(a *App, c *tui.Canvas)
	// seam says what colleagues do.
	seam(a *App) string
	// hint is what row 23 says when there is no message.
	hint(a *App) string
}

// quiet is the part of a page that takes no text.
type quiet struct{}

func (quiet) typed(*App, tui.Key) tui.Cmd { return nil }

// opener is a page that has work to do when it comes up, also after the lock.
type opener interface{ open(a *App) tui.Cmd }

// paster is a page that takes pasted text.
type paster interface {
	paste(a *App, p tui.Paste) tui.Cmd
}

// hearer is a page that wants to know what has changed; ticket is "" when it may be anything.
type hearer interface {
	hear(a *App, ticket string) tui.Cmd
}

// ticker is a page that counts time.
type ticker interface{ tick(a *App) tui.Cmd }

// turn brings a page up.
func (a *App) turn(p page) tui.Cmd {
	a.page = p
	if o, ok := p.(opener); ok {
		return o.open(a)
	}
	return nil
}

// toQueue goes back to the list, on the row that was open last.
func (a *App) toQueue() tui.Cmd { return a.turn(a.queue) }
