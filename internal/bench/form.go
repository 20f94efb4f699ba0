package main

import (
	"fmt"
	"time"

	"countersign/internal/clock"
	"countersign/signing/pdf"
	"countersign/signing/pdf/font"
	"countersign/signing/pdf/page"
	"countersign/signing/pdf/stamp"
)

// sealSide is the side of a seal's field: a Vietnamese seal in its real size.
const sealSide = 36 * page.MM

// form is a signed form as small as they get, and as large as those on which other programs were measured: a page of
// Vietnamese text with a table of 40 cells, about 26 KB. The number makes each its own document. It has a field for
// each seal, side by side.
func form(number, seals int) ([]byte, error) {
	regular := page.Style{Fonts: []*font.Font{font.Fonts().Serif}, Size: 12}
	d := page.New(page.Info{
		Title: fmt.Sprintf("Phiếu yêu cầu %06d", number), Author: "Đơn vị Thử", Language: "vi",
		Created: time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam),
	})
	p := d.AddPage(page.A4Width, page.A4Height)
	p.TextCentre(page.A4Width/2, 70, regular, "PHIẾU YÊU CẦU MUA ĐIỆN")
	p.TextCentre(page.A4Width/2, 90, regular, fmt.Sprintf("Số: WO-PA0505-20261121-%06d", number))
	y := 130.0
	for _, line := range page.Wrap("Tôi đề nghị được mua điện để sử dụng cho mục đích sinh hoạt tại địa chỉ nêu dưới đây, cam đoan những thông tin "+
		"trong phiếu này là đúng sự thật, và đồng ý với các điều khoản của hợp đồng đã được hiển thị trước khi ký.", 480, regular.Measure) {
		p.Text(56, y, regular, line)
		y += 18
	}
	for row := range 10 {
		for column := range 4 {
			box := page.Rect{X: 56 + 120*float64(column), Y: y + 20*float64(row), W: 120, H: 20}
			p.Frame(box, 0.5, page.Color{})
			p.Text(box.X+4, box.Y+14, regular, fmt.Sprintf("Mục %d.%d: %d", row+1, column+1, number*(row+3)%1000+column))
		}
	}
	for i := range seals {
		p.Field(page.Field{Name: field(i), Label: "Con dấu", Rect: page.Rect{X: 56 + 8*float64(i), Y: 600, W: sealSide, H: sealSide}})
	}
	return d.Bytes()
}

// field names a seal's field.
func field(i int) string { return fmt.Sprintf("seal_%d", i+1) }

// forms makes so many different forms for one seal.
func forms(n int) ([][]byte, error) {
	out := make([][]byte, n)
	for i := range out {
		var err error
		if out[i], err = form(i+1, 1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// look draws the seal that all forms get. The seal service draws a seal once too.
func look() (*pdf.Appearance, error) {
	a, err := stamp.Round(stamp.Seal{Geometry: "vn-company", Name: "ĐƠN VỊ THỬ NGHIỆM", Line: "PHIẾU MẪU", Arc: "HÀ NỘI", Star: true})
	if err != nil {
		return nil, err
	}
	a = stamp.Fit(stamp.Packed(a), sealSide, sealSide)
	return &a, nil
}
