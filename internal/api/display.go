package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"countersign/internal/fault"
	"countersign/kiosk"
)

// Act is one key press of the customer that means something. Which members count depends on the act.
type Act struct {
	Act     string `json:"act" enum:"language,object,accept,agree_form,page,help,agree,retake,stop,channel,digits,code,write,remote,receipt,wrong_mail,rate,done,touch"`
	Order   string `json:"order,omitempty" doc:"the order that the screen shows; another one is refused"`
	Field   string `json:"field,omitempty"`
	Reason  int    `json:"reason,omitempty"`
	Page    int    `json:"page,omitempty"`
	Digest  string `json:"digest,omitempty" doc:"of the content that the screen shows"`
	Method  string `json:"method,omitempty" enum:",mail,app,ink,token,remote"`
	Code    string `json:"code,omitempty" maxLength:"12"`
	Strokes string `json:"strokes,omitempty" maxLength:"1048576" doc:"handwriting: a stroke file as signing/ink describes it"`
	Medium  string `json:"medium,omitempty" enum:",mail,print,both,none"`
	N       int    `json:"n,omitempty"`
	Lang    string `json:"lang,omitempty"`
}

type actInput struct {
	Authed
	Body Act
}

func (s *Server) displayRoutes(api huma.API) {
	customer(s, api, http.MethodPost, "/v1/display/act", "display-act", "An act of the customer on the own screen", func(ctx context.Context, a kiosk.Actor, in actInput) (Done, error) {
		return Done{true}, s.act(ctx, a, in.Body)
	})
	s.ownRoutes(api)
	s.displayEvents(api)
	s.displayPortrait(api)
}

// act carries out what the customer pressed, on the order that the customer's screen shows and on no other.
func (s *Server) act(ctx context.Context, a kiosk.Actor, in Act) error {
	switch in.Act {
	case "touch":
		return nil
	case "language":
		s.Hub.Language(a.Unit, a.Counter, in.Lang)
		return s.Hall.ChooseLanguage(ctx, a.Unit, a.Counter, in.Lang)
	}
	if in.Order == "" || in.Order != a.Order {
		return fault.New(fault.Conflict, "order.gone", nil)
	}
	h := s.Hall
	var err error
	switch in.Act {
	case "object":
		_, err = h.Object(ctx, a, in.Order, in.Field, in.Reason)
	case "accept":
		_, err = h.Accept(ctx, a, in.Order, in.Field)
	case "agree_form":
		_, err = h.AgreeForm(ctx, a, in.Order)
	case "page":
		_, err = h.ShowPage(ctx, a, in.Order, in.Page)
	case "help":
		_, err = h.AskHelp(ctx, a, in.Order)
	case "agree":
		_, err = h.Agree(ctx, a, in.Order, in.Digest)
	case "retake":
		_, err = h.Retake(ctx, a, in.Order)
	case "stop":
		_, err = h.StopByCustomer(ctx, a, in.Order)
	case "channel":
		_, err = h.Channel(ctx, a, in.Order, in.Method)
	case "digits":
		s.Hub.Digits(a.Unit, a.Counter, in.N)
	case "code":
		_, err = h.Code(ctx, a, in.Order, in.Code)
	case "write":
		_, err = h.Write(ctx, a, in.Order, []byte(in.Strokes))
	case "remote":
		_, err = h.AskRemote(ctx, a, in.Order, in.N)
	case "receipt":
		_, err = h.ChooseReceipt(ctx, a, in.Order, in.Medium)
	case "wrong_mail":
		_, err = h.WrongMail(ctx, a, in.Order)
	case "rate":
		_, err = h.Rate(ctx, a, in.Order, in.N)
	case "done":
		s.Hub.Clear(a.Unit, a.Counter, in.Order)
	default:
		err = fault.New(fault.Invalid, "order.act", nil)
	}
	return err
}
