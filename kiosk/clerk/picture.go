package clerk

import (
	"context"
	"strings"

	"countersign/internal/tui"
)

// picturePage shows a portrait as large as the screen allows (F11 on K12).
type picturePage struct {
	quiet
	under *portraitPage
	key   string
	cells [][]tui.Cell
}

// large opens the picture of this order.
func (p *portraitPage) large(a *App) tui.Cmd {
	return a.turnOver(&picturePage{under: p, key: a.order().Key})
}

func (p *picturePage) open(a *App) tui.Cmd {
	if a.opt.NoPictures {
		return nil
	}
	w, h := a.pictureWidth(), max(a.h-6, 4)
	return call(a, func(ctx context.Context) (picture, error) {
		data, err := a.svc.PortraitImage(ctx, p.key)
		if err != nil {
			return picture{}, err
		}
		return decode(data, w, h, false)
	}, func(pic picture, err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		p.cells = pic.cells
		return nil
	})
}

// pictureWidth is how many cells a large picture may take.
func (a *App) pictureWidth() int { return max(min(a.w, design)-2, 4) }

func (p *picturePage) keys() []binding {
	return []binding{
		{names: []string{"esc", "f11", "enter"}, show: "Esc", label: "clerk.key.back", rank: 1, do: act((*picturePage).close)},
		keyLock(),
	}
}

func (p *picturePage) close(a *App) tui.Cmd {
	a.page = p.under
	return a.follow()
}

func (p *picturePage) hint(a *App) string { return a.t("clerk.hint.large", nil) }

func (p *picturePage) draw(a *App, c *tui.Canvas) {
	a.head(c, a.orderTitle("clerk.portrait.title"))
	a.steps(c)
	if p.cells == nil {
		if o := a.order(); o.Portrait != nil {
			c.PutMax(2, 3, width(c)-4, strings.Join(o.Portrait.Facts.Lines(a.lang), "   "), tui.Text)
		}
		return
	}
	for i, row := range p.cells {
		c.Image((width(c)-len(row))/2, 2+i, [][]tui.Cell{row})
	}
}
