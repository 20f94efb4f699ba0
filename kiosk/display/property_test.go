package display_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"countersign/internal/tui"
	"countersign/kiosk/mirror"
)

// TestNoSizeNoStateAndNoKeyBreaksTheScreen draws whatever the service may say at whatever size, and presses keys.
func TestNoSizeNoStateAndNoKeyBreaksTheScreen(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := newDesk(t)
		for range rapid.IntRange(1, 6).Draw(r, "steps") {
			switch rapid.IntRange(0, 3).Draw(r, "event") {
			case 0:
				d.hear(anySnapshot(r))
			case 1:
				d.size(rapid.IntRange(0, 220).Draw(r, "w"), rapid.IntRange(0, 60).Draw(r, "h"))
			case 2:
				for _, k := range rapid.SliceOfN(rapid.SampledFrom([]string{"0", "1", "2", "3", "4", "5", "6", "9", "+", "-", ".", "*", "enter", "f1"}), 0, 12).Draw(r, "keys") {
					d.press(k)
				}
			case 3:
				d.pass(time.Duration(rapid.IntRange(1, 40).Draw(r, "seconds")) * time.Second)
			}
			c := tui.NewCanvas(d.w, d.h)
			d.app.Draw(c)
			if x, y, shown := c.Caret(); shown && (x >= d.w || y >= d.h) {
				r.Fatalf("the caret is at %d, %d", x, y)
			}
		}
	})
}

// anySnapshot leaves parts out and puts odd ones in.
func anySnapshot(r *rapid.T) mirror.Snapshot {
	text := rapid.StringN(0, 60, 200)
	stage := rapid.SampledFrom([]mirror.Stage{mirror.Curtain, mirror.Welcome, mirror.Visit, mirror.Form, mirror.Invite, mirror.Reading, mirror.Agree,
		mirror.Card, mirror.Channel, mirror.Enrol, mirror.Code, mirror.Waiting, mirror.Receipt, mirror.Rating, mirror.Thanks, mirror.Stopped, "?"})
	s := mirror.Snapshot{Stage: stage.Draw(r, "stage"), Lang: rapid.SampledFrom([]string{"", "vi", "en", "zh-Hant", "xx"}).Draw(r, "lang"), Unit: text.Draw(r, "unit"),
		Order: rapid.SampledFrom([]string{"", "K1", "K2"}).Draw(r, "order"), Title: text.Draw(r, "title"), Step: rapid.IntRange(-1, 10).Draw(r, "step"),
		Seam: seam(rapid.SampledFrom([]string{"", "seam.counter.form", "no.such"}).Draw(r, "seam"), "clerk", text.Draw(r, "clerk")), Hash: text.Draw(r, "hash")}
	if rapid.Bool().Draw(r, "now") {
		s.Now = at.Add(time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(r, "skew")))
	}
	for i := range rapid.IntRange(0, 40).Draw(r, "rows") {
		s.Rows = append(s.Rows, mirror.Row{Number: i + 1, Label: text.Draw(r, "label"), Value: text.Draw(r, "value"), Note: rapid.SampledFrom([]string{"", "note.source"}).Draw(r, "note"), Live: rapid.Bool().Draw(r, "live")})
	}
	if rapid.Bool().Draw(r, "question") {
		s.Question = &mirror.Question{Number: rapid.IntRange(-5, 300).Draw(r, "number"), Value: text.Draw(r, "value")}
	}
	if rapid.Bool().Draw(r, "page") {
		s.Page = &mirror.Page{Number: rapid.IntRange(-1, 9).Draw(r, "page"), Of: rapid.IntRange(-1, 9).Draw(r, "of"), Last: rapid.IntRange(-9, 999).Draw(r, "last"), Total: rapid.IntRange(-9, 200).Draw(r, "total"), End: rapid.Bool().Draw(r, "end")}
		for range rapid.IntRange(0, 30).Draw(r, "lines") {
			s.Page.Lines = append(s.Page.Lines, mirror.Line{Text: text.Draw(r, "line")})
		}
	}
	if rapid.Bool().Draw(r, "confirm") {
		s.Confirm = &mirror.Confirm{Mail: text.Draw(r, "mail"), Enrol: text.Draw(r, "enrol"), State: rapid.SampledFrom([]string{"", "open", "dead"}).Draw(r, "state"), Expires: at.Add(time.Minute)}
	}
	if rapid.Bool().Draw(r, "delivery") {
		s.Delivery = &mirror.Delivery{Mail: text.Draw(r, "mail"), Medium: rapid.SampledFrom([]string{"", "mail", "both", "?"}).Draw(r, "medium"), MailState: rapid.SampledFrom([]string{"", "failed"}).Draw(r, "state"), Print: rapid.SampledFrom([]string{"", "failed"}).Draw(r, "print")}
	}
	s.Portrait = rapid.SampledFrom([]string{"", "P1"}).Draw(r, "portrait")
	s.CardRows = []mirror.CardRow{{Field: text.Draw(r, "field"), Value: text.Draw(r, "value"), Verdict: "differs"}}
	s.CardAt = rapid.SampledFrom([]time.Time{{}, at}).Draw(r, "card at")
	s.Promises = []mirror.Promise{{Label: text.Draw(r, "label"), Value: text.Draw(r, "value")}}
	return s
}

func BenchmarkDraw(b *testing.B) {
	for name, s := range map[string]mirror.Snapshot{"form": form(), "reading": reading(2), "code": code()} {
		b.Run(name, func(b *testing.B) {
			d := newDesk(b, s)
			c := tui.NewCanvas(80, 24)
			b.ReportAllocs()
			for b.Loop() {
				c.Clear()
				d.app.Draw(c)
			}
		})
	}
}
