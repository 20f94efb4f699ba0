package demo

import (
	"crypto"
	"crypto/x509"
	"time"

	"countersign/kiosk"
	"countersign/kiosk/idcard"
	"countersign/signing/remote"
	"countersign/signing/remote/standin"
)

// ProviderName is how the screens name the stand-in for a provider of remote signatures.
const ProviderName = "SmartCA (MÔ PHỎNG)"

// The stand-in's telephone rings so long, and is looked at so often.
const (
	phonePatience = 2 * time.Minute
	phoneEvery    = 500 * time.Millisecond
)

// telephone starts the stand-in for a person's telephone with the provider behind it, and returns the way to it.
func (w *World) telephone(p idcard.Person) (*standin.Phone, kiosk.Remote, error) {
	phone, err := standin.New(p.Number, func(public crypto.PublicKey) ([]*x509.Certificate, error) {
		return w.Service.Issuing.IssueToken(public, p.Name, p.Number, 365*24*time.Hour)
	})
	if err != nil {
		return nil, kiosk.Remote{}, err
	}
	address, err := w.serve("tcp", "127.0.0.1:0", phone)
	if err != nil {
		return nil, kiosk.Remote{}, err
	}
	w.PhoneURL = "http://" + address + "/phone"
	provider, err := remote.NewSmartCA("http://"+address+"/sca/sp769/", standin.Account, standin.Password, false, 10*time.Second, w.Service.Options.Clock)
	if err != nil {
		return nil, kiosk.Remote{}, err
	}
	return phone, kiosk.Remote{Name: ProviderName, Provider: provider, Patience: remote.Patience{Whole: phonePatience, Every: phoneEvery}}, nil
}
