package clerk

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg" // The stored portrait is a JPEG.
	"image/png"

	"countersign/internal/tui"
	"countersign/kiosk"
	"countersign/kiosk/portrait"
)

// The picture's place on K12, in cells.
const (
	pictureW, pictureH = 26, 12
	pictureID          = 0xC512
)

// portraitPage is K12: the picture, its facts with their limits, and one judgement by eye.
type portraitPage struct {
	quiet
	cells  [][]tui.Cell // the picture as half blocks
	kitty  bool         // the terminal has the picture itself
	of     string       // the stored picture that cells show
	seen   string       // the one that is being fetched
	stop   context.CancelFunc
	away   error // why no picture comes
	asking bool
}

func (p *portraitPage) open(a *App) tui.Cmd { return tui.Batch(p.fetch(a), p.watch(a)) }

// closePage ends the wait for a picture: a later one is another customer's.
func (p *portraitPage) closePage() {
	if p.stop != nil {
		p.stop()
		p.stop = nil
	}
}

// watch waits for the next picture from the camera or its folder.
func (p *portraitPage) watch(a *App) tui.Cmd {
	if a.opt.Portraits == nil || p.stop != nil || p.has(a) {
		return nil
	}
	gone, stop := context.WithCancel(context.Background())
	p.stop, p.away = stop, nil
	next, key, since := a.opt.Portraits, a.order().Key, a.order().Created
	return call(a, func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(gone, cancel)()
		return next(ctx, since)
	}, func(data []byte, err error) tui.Cmd {
		p.stop = nil
		if a.page != page(p) || a.order().Key != key {
			return nil
		}
		if err != nil {
			p.away = err
			return a.failed(err)
		}
		return p.send(a, data)
	})
}

// send gives a picture to the service, which judges its quality.
func (p *portraitPage) send(a *App, data []byte) tui.Cmd {
	p.asking = true
	key := a.order().Key
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Portrait(ctx, key, data) },
		func(err error) tui.Cmd {
			p.asking = false
			if err != nil {
				return tui.Batch(a.failed(err), p.watch(a))
			}
			return tui.Batch(a.follow(), p.fetch(a))
		})
}

// has reports whether a picture waits for the clerk's judgement.
func (p *portraitPage) has(a *App) bool {
	o := a.order()
	return o.Portrait != nil && o.Portrait.DocumentID != ""
}

// good reports whether the picture may be accepted: every fact holds.
func (p *portraitPage) good(a *App) bool { return p.has(a) && a.order().Portrait.Facts.Err() == nil }

// picture is the stored picture, ready to be shown.
type picture struct {
	cells [][]tui.Cell
	png   []byte
}

// fetch brings the picture of this order to the screen.
func (p *portraitPage) fetch(a *App) tui.Cmd {
	if !p.has(a) || a.opt.NoPictures {
		return nil
	}
	id, key := a.order().Portrait.DocumentID, a.order().Key
	if p.of == id || p.seen == id {
		return nil
	}
	p.seen = id
	kitty := a.kitty
	return call(a, func(ctx context.Context) (picture, error) {
		data, err := a.svc.PortraitImage(ctx, key)
		if err != nil {
			return picture{}, err
		}
		return decode(data, pictureW, pictureH, kitty)
	}, func(pic picture, err error) tui.Cmd {
		if p.seen != id {
			return nil
		}
		p.seen = ""
		if err != nil {
			return nil // The facts stay; the picture is only their illustration.
		}
		p.of, p.cells, p.kitty = id, pic.cells, pic.png != nil
		if pic.png != nil {
			return tui.Transmit(pictureID, pic.png, pictureW, pictureH)
		}
		return nil
	})
}

// decode makes the stored picture showable.
func decode(data []byte, w, h int, kitty bool) (picture, error) {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return picture{}, err
	}
	var out picture
	for _, row := range portrait.Blocks(img, w, h) {
		cells := make([]tui.Cell, 0, len(row))
		for _, px := range row {
			cells = append(cells, tui.Cell{Upper: px.Upper, Lower: px.Lower})
		}
		out.cells = append(out.cells, cells)
	}
	if kitty {
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			return picture{}, err
		}
		out.png = b.Bytes()
	}
	return out, nil
}

// tick fetches a picture that came with an event, and waits for another one after the customer asked for a retake.
func (p *portraitPage) tick(a *App) tui.Cmd {
	cmds := []tui.Cmd{p.fetch(a)}
	if !p.has(a) && p.away == nil && !p.asking {
		cmds = append(cmds, p.watch(a))
	}
	return tui.Batch(cmds...)
}

func (p *portraitPage) keys() []binding {
	return []binding{
		{show: "1-3", label: "clerk.key.choose", rank: 1, on: when((*portraitPage).good, "")},
		{names: []string{"1"}, label: "clerk.key.right_person", on: when((*portraitPage).good, "clerk.why.bad_portrait"), do: act((*portraitPage).judge)},
		{show: "2 3", label: "clerk.key.choose", rank: 1, on: when((*portraitPage).bad, "")},
		{names: []string{"2"}, label: "clerk.key.retake", on: when((*portraitPage).has, "clerk.why.no_portrait"), do: act((*portraitPage).retake)},
		{show: "3", label: "clerk.key.wrong_person", rank: 3, on: when((*portraitPage).none, "")},
		{names: []string{"3"}, label: "clerk.key.wrong_person", do: func(a *App, _ tui.Key) tui.Cmd { return a.cancel() }},
		{names: []string{"f5"}, show: "F5", label: "clerk.key.shoot", rank: 4, do: act((*portraitPage).retake)},
		{names: []string{"f11"}, show: "F11", label: "clerk.key.large", rank: 5, on: when((*portraitPage).has, "clerk.why.no_portrait"), do: act((*portraitPage).large)},
		keyAside().wider(),
		{names: []string{"esc"}, show: "Esc", label: "clerk.key.stop", rank: 1, do: func(a *App, _ tui.Key) tui.Cmd { return a.aside() }},
		keyHelp().wider(),
		keyLock().wider(),
	}
}

// bad reports whether a picture is there that can't be accepted, none whether there is no picture.
func (p *portraitPage) bad(a *App) bool  { return p.has(a) && !p.good(a) }
func (p *portraitPage) none(a *App) bool { return !p.has(a) }

func (p *portraitPage) judge(a *App) tui.Cmd {
	key := a.order().Key
	return a.openOrder("clerk.wait.base", func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Judge(ctx, key) })
}

// retake discards the picture and waits for another one; without a picture it asks the camera again.
func (p *portraitPage) retake(a *App) tui.Cmd {
	p.away = nil
	if !p.has(a) {
		p.closePage()
		return p.watch(a)
	}
	key := a.order().Key
	p.cells, p.of = nil, ""
	return a.onOrder(func(ctx context.Context) (kiosk.OrderView, error) { return a.svc.Retake(ctx, key) }, func(err error) tui.Cmd {
		if err != nil {
			return a.failed(err)
		}
		return p.watch(a)
	})
}

func (p *portraitPage) hint(a *App) string {
	switch {
	case p.asking:
		return "~ " + a.t("clerk.wait.portrait", nil)
	case !p.has(a) && a.opt.Portraits == nil:
		return a.t("clerk.hint.no_camera", nil)
	case !p.has(a):
		return "~ " + a.t("clerk.hint.camera", nil)
	}
	return a.t("clerk.hint.portrait", nil)
}
