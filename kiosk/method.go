package kiosk

import (
	"slices"
	"strings"

	"countersign/internal/fault"
	"countersign/kiosk/catalog"
	"countersign/signing"
)

// Method is a way in which a customer confirms a work order. A service's file says which ways it takes; what a way is
// worth is its rank, which both screens, the signature and the receipt name.
type Method string

// The methods, under the words of the service files.
const (
	ByMail   Method = "mail"   // a code that we send
	ByApp    Method = "app"    // a code of the customer's authenticator app
	ByInk    Method = "ink"    // handwriting that the clerk witnesses
	ByToken  Method = "token"  // the customer's own key on a token or card, plugged in beside their screen
	ByRemote Method = "remote" // the customer's own key at a provider, confirmed on their telephone
)

// Methods lists the methods in the order of the digits that choose them on the customer's screen. A digit never moves.
var Methods = []Method{ByMail, ByApp, ByInk, ByToken, ByRemote}

// Rank is what a confirmation by this method is worth; 0 is no method.
func (m Method) Rank() signing.Rank {
	switch m {
	case ByMail, ByApp:
		return signing.OneTimeCode
	case ByInk:
		return signing.Witnessed
	case ByToken, ByRemote:
		return signing.OwnKey
	}
	return 0
}

// Code reports whether the method asks for a one-time code.
func (m Method) Code() bool { return m == ByMail || m == ByApp }

// codePrefix begins the name under which an order records a confirmation by code.
const codePrefix = "otp_"

// Record is the name under which orders and screens know the method: "otp_mail", "ink".
func (m Method) Record() string {
	if m.Code() {
		return codePrefix + string(m)
	}
	return string(m)
}

// Rank is what the confirmation is worth.
func (c *Confirmation) Rank() signing.Rank {
	return Method(strings.TrimPrefix(c.Method, codePrefix)).Rank()
}

// LeastRank is the rank that a service asks of a customer's confirmation: that of the lowest method that it takes.
func LeastRank(s *catalog.Service) signing.Rank {
	least := signing.OwnKey
	for _, m := range s.Confirm {
		least = min(least, Method(m).Rank())
	}
	return least
}

// Offer is a method with its rank, and why the customer can't choose it now; "" when they can.
type Offer struct {
	Method Method       `json:"method"`
	Rank   signing.Rank `json:"rank"`
	Why    string       `json:"why"` // catalogue id under "offer."
}

// Why a method is not offered.
const (
	WhyDevice   = "device"    // the customer's key is in an HSM or a PCI card, which no counter reaches
	WhyMobile   = "mobile"    // there is no place for a token in a telephone
	whyService  = "service"   // the service's file does not take it
	whyNoMail   = "no_mail"   // the form has no address
	whyNoRemote = "no_remote" // the house has no provider
	whyNobody   = "nobody"    // the house accepts nobody's certificates
)

// DeviceFact is the back office's fact about a customer that says on what their certificate is: usb, sim, app, pci or hsm.
const DeviceFact = "certificate_device"

// offers lists every method, in the order of Methods, with what stands against it.
func (h *Hall) offers(o *Order, s *catalog.Service, c *Customer) []Offer {
	out := make([]Offer, len(Methods))
	for i, m := range Methods {
		out[i] = Offer{Method: m, Rank: m.Rank(), Why: h.against(o, s, c, m)}
	}
	return out
}

// against says what keeps the customer of an order from a method.
func (h *Hall) against(o *Order, s *catalog.Service, c *Customer, m Method) string {
	switch {
	case !slices.Contains(s.Confirm, string(m)):
		return whyService
	case m == ByMail && o.mail(s) == "":
		return whyNoMail
	case m.Rank() == signing.OwnKey && h.Owners == nil:
		return whyNobody
	case m == ByRemote && len(h.Remotes) == 0:
		return whyNoRemote
	case m == ByToken && (c.Facts[DeviceFact] == "pci" || c.Facts[DeviceFact] == "hsm"):
		return WhyDevice
	}
	return ""
}

// mayChoose refuses a method that is not offered.
func (h *Hall) mayChoose(a Actor, o *Order, s *catalog.Service, c *Customer, m Method) error {
	if a.Mobile && m == ByToken {
		return fault.New(fault.Forbidden, "confirm."+WhyMobile, nil)
	}
	if m.Rank() == 0 {
		return fault.New(fault.Invalid, "otp.method", nil)
	}
	if why := h.against(o, s, c, m); why != "" {
		return fault.New(fault.Forbidden, "confirm."+why, nil)
	}
	return nil
}
