package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"strings"
	"sync"
	"time"

	"countersign/internal/api"
	"countersign/internal/demo"
	"countersign/kiosk"
	"countersign/kiosk/idcard"
	"countersign/kiosk/portrait"
)

// steps is how many steps an order has.
const steps = 8

// counter is one simulated counter: a clerk who is signed in and the customer's screen, each with its own client and
// connection, as two programs have.
type counter struct {
	clerk   *api.Clerk
	display *api.Display
}

// openCounters signs a clerk in at each counter and pairs its screen.
func openCounters(ctx context.Context, w *demo.World, n int) ([]counter, error) {
	out := make([]counter, n)
	for i := range out {
		place, user := fmt.Sprint(i+1), fmt.Sprint("quay", i+1)
		if place == demo.Counter {
			user = demo.User
		}
		clerk := &api.Clerk{Client: w.Client(), Unit: demo.Unit, Counter: place}
		if _, err := clerk.SignIn(ctx, user, demo.Password); err != nil {
			return nil, fmt.Errorf("sign in at counter %s: %w", place, err)
		}
		if _, err := clerk.Catalog(ctx); err != nil {
			return nil, err
		}
		token, err := w.Service.Hall.PairDisplay(ctx, kiosk.Actor{User: kiosk.User{Name: "admin"}, Unit: demo.Unit, Counter: place}, demo.Unit, place)
		if err != nil {
			return nil, err
		}
		out[i] = counter{clerk, &api.Display{Client: w.Client()}}
		out[i].display.SetToken(token)
	}
	return out, nil
}

// customer is one invented person.
type customer struct {
	person idcard.Person
	mail   string
}

// addCustomers makes n customers whom the unit knows already; from numbers them.
func addCustomers(ctx context.Context, w *demo.World, from, n int) ([]customer, error) {
	out := make([]customer, n)
	now := w.Service.Options.Clock.Now()
	err := w.Service.Store.Update(ctx, func(tx kiosk.Tx) error {
		for i := range out {
			id := from + i
			p := idcard.Person{Number: fmt.Sprintf("001090%06d", 100000+id), Name: "NGUYỄN VĂN MẪU " + letters(id), Birth: "1990-01-01", Sex: "M",
				Address: "12 phố Mẫu, phường Thử, Bắc Giang", Issued: "2021-06-01", Expires: "2030-01-01"}
			out[i] = customer{p, fmt.Sprintf("khach%d@mau.example", id)}
			code := fmt.Sprintf("PA0505%07d", 1000000+id)
			c := kiosk.Customer{ID: code, Unit: demo.Unit, Kind: "person", Name: p.Name, Birth: p.Birth, Sex: p.Sex, IDNumber: p.Number,
				Phone: fmt.Sprintf("09%08d", id), Email: out[i].mail, Address: p.Address, FactsAt: now,
				Facts: map[string]string{"customer_code": code, "address": p.Address, "capacity": "3.0", "phases": "1", "purpose": "1", "households": "2", "area": "urban",
					"contract": "Sinh hoạt, 1 pha, 2 hộ", "debt": "không", "same_open": "no", "overdue": "no"}}
			if err := tx.PutCustomer(&c); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// letters writes a number as letters, because a name has no digits.
func letters(n int) string {
	var s strings.Builder
	for ; n > 0; n /= 26 {
		s.WriteByte(byte('A' + n%26))
	}
	return s.String()
}

// timings are how long each step took, over all orders.
type timings struct {
	mu    sync.Mutex
	steps [steps][]float64 // milliseconds
}

// serve walks a customer through the eight steps. The receipt is printed.
func (c counter) serve(ctx context.Context, inbox *demo.Inbox, who customer, picture []byte, t *timings) error {
	last := time.Now()
	j := &demo.Journey{Clerk: c.clerk, Display: c.display, Inbox: inbox, Person: who.person, Mail: who.mail, Service: "11", Picture: picture, Medium: "print",
		Values: []demo.FieldValue{{Field: "papers_check", Typed: "1"}, {Field: "phone", Typed: "0900000018"}, {Field: "capacity", Typed: "7,5"},
			{Field: "phases", Typed: "1"}, {Field: "papers_state", Typed: "1"}, {Field: "notice", Typed: "2"}},
		Rows: map[string][][]string{"appliances": {{"Điều hòa", "2", "1200", "8"}, {"Bếp từ", "1", "3600", "2"}}}}
	j.Step = func(n int, _ string) {
		now := time.Now()
		t.mu.Lock()
		t.steps[n-1] = append(t.steps[n-1], milliseconds(now.Sub(last)))
		t.mu.Unlock()
		last = now
	}
	return j.Run(ctx)
}

// picture is a portrait of 480 × 640 pixels, as a camera at a counter gives.
func picture() ([]byte, error) {
	const w, h = 480, 640
	large := portrait.Synthetic(1990)
	b := large.Bounds()
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			small.SetRGBA(x, y, large.RGBAAt(x*b.Dx()/w, y*b.Dy()/h))
		}
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, small, &jpeg.Options{Quality: 90})
	return out.Bytes(), err
}
