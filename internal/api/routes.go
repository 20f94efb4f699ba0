package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/mirror"
)

type empty struct{ Authed }

type signIn struct {
	Body struct {
		Unit     string `json:"unit" example:"PA0505"`
		Counter  string `json:"counter" example:"3"`
		User     string `json:"user"`
		Password string `json:"password"`
	}
}

// Session is the answer to a sign-in.
type Session struct {
	Token string `json:"token"`
	kiosk.SignedIn
}

type code struct {
	Authed
	Body struct {
		Code string `json:"code"`
	}
}

type passwords struct {
	Authed
	Body struct {
		Old string `json:"old"`
		New string `json:"new"`
	}
}

func (s *Server) sessionRoutes(api huma.API) {
	op := huma.Operation{OperationID: "sign-in", Method: http.MethodPost, Path: "/v1/session", Summary: "Open a clerk's session at a counter"}
	huma.Register(api, op, func(ctx context.Context, in *signIn) (*body[Session], error) {
		token, who, err := s.Hall.SignIn(ctx, in.Body.Unit, in.Body.Counter, in.Body.User, in.Body.Password)
		if err != nil {
			return nil, s.problem("sign-in", err)
		}
		return &body[Session]{Session{Token: token, SignedIn: who}}, nil
	})
	type unitOf struct {
		Unit string `path:"unit"`
	}
	huma.Register(api, huma.Operation{OperationID: "unit", Method: http.MethodGet, Path: "/v1/units/{unit}", Summary: "Names of a unit, as the lock screen shows them"},
		func(_ context.Context, in *unitOf) (*body[kiosk.Unit], error) {
			u, ok := s.Hall.Units[in.Unit]
			if !ok {
				return nil, s.problem("unit", fault.New(fault.NotFound, "signin.unit", fault.Args{"unit": in.Unit}))
			}
			return &body[kiosk.Unit]{u}, nil
		})
	act := func(path, id, summary string, do func(context.Context, kiosk.Actor) error) {
		clerk(s, api, http.MethodPost, path, id, summary, kiosk.RightNone, func(ctx context.Context, a kiosk.Actor, _ empty) (Done, error) {
			return Done{true}, do(ctx, a)
		})
	}
	act("/v1/session/lock", "lock", "Cover both screens of the counter", s.Hall.Lock)
	act("/v1/session/end", "sign-out", "End the session", s.Hall.SignOut)
	clerk(s, api, http.MethodPost, "/v1/session/unlock", "unlock", "Uncover both screens", kiosk.RightNone, func(ctx context.Context, a kiosk.Actor, in code) (Done, error) {
		return Done{true}, s.Hall.Unlock(ctx, a, in.Body.Code)
	})
	clerk(s, api, http.MethodPut, "/v1/session/unlock-code", "set-unlock-code", "Set the six digits that unlock", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in code) (Done, error) {
		return Done{true}, s.Hall.SetUnlockCode(ctx, a, in.Body.Code)
	})
	clerk(s, api, http.MethodPut, "/v1/session/password", "set-password", "Replace the own password", kiosk.RightOwn, func(ctx context.Context, a kiosk.Actor, in passwords) (Done, error) {
		return Done{true}, s.Hall.SetPassword(ctx, a, in.Body.Old, in.Body.New)
	})
}

type find struct {
	Authed
	Q string `query:"q" maxLength:"80"`
}

type openVisit struct {
	Authed
	Body struct {
		Customer string `json:"customer,omitempty"`
		Carried  string `json:"carried,omitempty" maxLength:"80"`
	}
}

type scanVisit struct {
	Authed
	Body struct {
		Visit string `json:"visit,omitempty"`
		Scan  string `json:"scan" maxLength:"4000"`
	}
}

type outboxItem struct {
	Authed
	ID int64 `path:"id"`
}

// LinkState is how the connected systems are and what waits.
type LinkState struct {
	Links  []kiosk.Link      `json:"links"`
	Outbox []kiosk.OutboxRow `json:"outbox"`
}

func (s *Server) counterRoutes(api huma.API) {
	clerk(s, api, http.MethodGet, "/v1/home", "home", "What waits for a person, and today's visits", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, _ empty) (kiosk.HomeView, error) {
		home, err := s.Hall.Home(ctx, a)
		if err != nil {
			return home, err
		}
		links, rows, err := s.Links.Links(ctx, a.Unit)
		home.Links = links
		home.Outbox(rows)
		return home, err
	})
	clerk(s, api, http.MethodGet, "/v1/customers", "find-customers", "Find customers of the unit by number, phone or name", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in find) ([]kiosk.CustomerCard, error) {
		return s.Hall.Find(ctx, a, in.Q)
	})
	clerk(s, api, http.MethodPost, "/v1/visits", "open-visit", "Start a visit", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in openVisit) (kiosk.VisitView, error) {
		return s.Hall.OpenVisit(ctx, a, in.Body.Customer, in.Body.Carried)
	})
	clerk(s, api, http.MethodPost, "/v1/visits/scan", "scan-visit", "Start or continue a visit from a scanned card", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in scanVisit) (kiosk.VisitView, error) {
		return s.Hall.ScanVisit(ctx, a, in.Body.Visit, in.Body.Scan)
	})
	clerk(s, api, http.MethodGet, "/v1/visits/{key}", "visit", "A visit with what is known of its customer", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in order) (kiosk.VisitView, error) {
		return s.Hall.VisitView(ctx, a, in.Key)
	})
	clerk(s, api, http.MethodPost, "/v1/visits/{key}/service", "show-service", "Show the customer the published card of a service; it is stored nowhere", kiosk.RightServe, func(_ context.Context, a kiosk.Actor, in orderText) (Done, error) {
		service, _ := s.Hall.Catalog.Service(in.Body.Text)
		s.Hub.Show(a.Unit, a.Counter, service)
		return Done{true}, nil
	})
	clerk(s, api, http.MethodGet, "/v1/links", "links", "State of the connected systems, and what waits to leave", kiosk.RightRetry, func(ctx context.Context, a kiosk.Actor, _ empty) (LinkState, error) {
		links, rows, err := s.Links.Links(ctx, a.Unit)
		return LinkState{links, rows}, err
	})
	clerk(s, api, http.MethodPost, "/v1/outbox/{id}/retry", "retry", "Send a waiting item now", kiosk.RightRetry, func(ctx context.Context, a kiosk.Actor, in outboxItem) (Done, error) {
		return Done{true}, s.Links.Retry(ctx, a.Unit, in.ID)
	})
	clerk(s, api, http.MethodPost, "/v1/counter/release", "release", "The customer is done: the counter is free", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, _ empty) (Done, error) {
		return Done{true}, s.Hall.Release(ctx, a)
	})
	s.clerkEvents(api)
}

type startOrder struct {
	Authed
	Body struct {
		Visit   string `json:"visit"`
		Service string `json:"service,omitempty" maxLength:"2"`
		Again   bool   `json:"again,omitempty" doc:"fill as the customer's last order was"`
	}
}

type order struct {
	Authed
	Key string `path:"key"`
}

type listOrders struct {
	Authed
	From  time.Time `query:"from" doc:"created at or after; default 30 days ago"`
	To    time.Time `query:"to" doc:"created before; default now"`
	Limit int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type setField struct {
	Authed
	Key   string `path:"key"`
	Field string `path:"field"`
	Body  struct {
		Base  string `json:"base" doc:"the value that the clerk saw before typing; of a file its SHA-256"`
		Typed string `json:"typed" maxLength:"4000"`
		Same  bool   `json:"same,omitempty" doc:"copy the field that the service names for it, instead of what is typed"`
	}
}

type setRows struct {
	Authed
	Key   string `path:"key"`
	Field string `path:"field"`
	Body  struct {
		Rows [][]string `json:"rows" maxItems:"200"`
	}
}

type orderText struct {
	Authed
	Key  string `path:"key"`
	Body struct {
		Text  string `json:"text,omitempty" maxLength:"4000"`
		Field string `json:"field,omitempty"`
		Set   bool   `json:"set,omitempty"`
	}
}

// OrderRow is one line of a list of orders.
type OrderRow struct {
	Key     string      `json:"key"`
	Number  string      `json:"number"`
	Service string      `json:"service"`
	State   kiosk.State `json:"state"`
	Created time.Time   `json:"created"`
	Due     time.Time   `json:"due"`
	Counter string      `json:"counter"`
	Clerk   string      `json:"clerk"`
	Ack     string      `json:"ack"`
}

// changed answers an act with the order that it changed.
func (s *Server) changed(ctx context.Context, a kiosk.Actor, o *kiosk.Order, err error) (kiosk.OrderView, error) {
	if err != nil {
		return kiosk.OrderView{}, err
	}
	return s.Hall.Changed(ctx, a, o)
}

func (s *Server) orderRoutes(api huma.API) {
	h := s.Hall
	clerk(s, api, http.MethodPost, "/v1/orders", "start-order", "Open the form of a service", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in startOrder) (kiosk.OrderView, error) {
		o, err := h.StartOrder(ctx, a, in.Body.Visit, in.Body.Service, in.Body.Again)
		return s.changed(ctx, a, o, err)
	})
	clerk(s, api, http.MethodGet, "/v1/orders", "list-orders", "Orders of the unit, newest first", kiosk.RightLook, func(ctx context.Context, a kiosk.Actor, in listOrders) ([]OrderRow, error) {
		orders, err := h.List(ctx, a, in.From, in.To, in.Limit)
		rows := []OrderRow{}
		for _, o := range orders {
			rows = append(rows, OrderRow{o.Key, o.Number, o.Service, o.State, o.Created, o.Due, o.Counter, o.Clerk.Name, o.HandOver.Ack})
		}
		return rows, err
	})
	clerk(s, api, http.MethodGet, "/v1/orders/{key}", "show-order", "An order as the clerk's screen shows it; the key may also be a number or a verify code", kiosk.RightLook, func(ctx context.Context, a kiosk.Actor, in order) (kiosk.OrderView, error) {
		o, err := h.Lookup(ctx, a, in.Key)
		return s.changed(ctx, a, o, err)
	})
	act := func(id, summary string, right kiosk.Right, do func(context.Context, kiosk.Actor, string) (*kiosk.Order, error)) {
		clerk(s, api, http.MethodPost, "/v1/orders/{key}/"+id, id+"-order", summary, right, func(ctx context.Context, a kiosk.Actor, in order) (kiosk.OrderView, error) {
			o, err := do(ctx, a, in.Key)
			return s.changed(ctx, a, o, err)
		})
	}
	act("resume", "Take an order into the hand at this counter", kiosk.RightServe, h.Resume)
	act("undo", "Take the last field exit back", kiosk.RightServe, h.Undo)
	act("redo", "Bring back what undo took", kiosk.RightServe, h.Redo)
	act("invite", "Arm the submission; the customer is asked to agree", kiosk.RightServe, h.Invite)
	act("reopen", "Back to the form; the work order is void", kiosk.RightServe, h.Reopen)
	act("judge", "The same person stands at the counter, in the picture and on the card", kiosk.RightServe, h.Judge)
	act("retake", "Discard the picture", kiosk.RightServe, h.Retake)
	act("resend", "Send another code to the same address", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, key string) (*kiosk.Order, error) {
		return h.Channel(ctx, a, key, "mail")
	})
	act("attest", "The clerk saw the customer write: the counter's key witnesses", kiosk.RightServe, h.Attest)
	act("rewrite", "Give the customer the pen again", kiosk.RightServe, h.Rewrite)
	act("reprint", "Print the paper receipt again", kiosk.RightServe, h.Reprint)
	done := func(id, summary string, do func(context.Context, kiosk.Actor, string) error) {
		clerk(s, api, http.MethodPost, "/v1/orders/{key}/"+id, id+"-order", summary, kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in order) (Done, error) {
			return Done{true}, do(ctx, a, in.Key)
		})
	}
	done("aside", "Set an order aside", h.Aside)
	done("cancel", "Stop an order before its seals", h.Cancel)
	clerk(s, api, http.MethodPut, "/v1/orders/{key}/fields/{field}", "set-field", "Save a field exit; answers when the value is durable", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in setField) (kiosk.OrderView, error) {
		if in.Body.Same {
			o, err := h.SetSame(ctx, a, in.Key, in.Field, in.Body.Base)
			return s.changed(ctx, a, o, err)
		}
		o, err := h.SetField(ctx, a, in.Key, in.Field, in.Body.Base, in.Body.Typed)
		return s.changed(ctx, a, o, err)
	})
	clerk(s, api, http.MethodPut, "/v1/orders/{key}/rows/{field}", "set-rows", "Save the rows of a table", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in setRows) (kiosk.OrderView, error) {
		o, err := h.SetRows(ctx, a, in.Key, in.Field, in.Body.Rows)
		return s.changed(ctx, a, o, err)
	})
	clerk(s, api, http.MethodPost, "/v1/orders/{key}/typing", "typing", "Show unfinished text to the customer; it is stored nowhere", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in orderText) (Done, error) {
		s.Hub.Type(a.Unit, a.Counter, mirror.Typing{Order: in.Key, Field: in.Body.Field, Text: in.Body.Text, Set: in.Body.Set})
		return Done{true}, nil
	})
	s.textRoutes(api)
	clerk(s, api, http.MethodGet, "/v1/orders/{key}/signatures", "signatures", "Signed or not, by whom, with which certificate, when, valid or not; the key may be the order's number", kiosk.RightLook, func(ctx context.Context, a kiosk.Actor, in order) ([]kiosk.SignatureState, error) {
		return h.Signatures(ctx, a, in.Key)
	})
	clerk(s, api, http.MethodGet, "/v1/orders/{key}/evidence", "evidence", "Verify a finished order and tell its evidence", kiosk.RightLook, func(ctx context.Context, a kiosk.Actor, in order) (kiosk.Evidence, error) {
		return s.Evidence.Evidence(ctx, a, in.Key)
	})
}

// textRoutes are the acts on an order that need a field's name or a text.
func (s *Server) textRoutes(api huma.API) {
	h := s.Hall
	text := func(path, id, summary string, right kiosk.Right, do func(context.Context, kiosk.Actor, orderText) (*kiosk.Order, error)) {
		clerk(s, api, http.MethodPost, "/v1/orders/{key}/"+path, id, summary, right, func(ctx context.Context, a kiosk.Actor, in orderText) (kiosk.OrderView, error) {
			o, err := do(ctx, a, in)
			return s.changed(ctx, a, o, err)
		})
	}
	text("answer", "answer", "An objected field was explained and stays", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in orderText) (*kiosk.Order, error) {
		return h.Answer(ctx, a, in.Key, in.Body.Field)
	})
	text("card", "read-card", "Take a scanned card", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in orderText) (*kiosk.Order, error) {
		return h.TakeCard(ctx, a, in.Key, in.Body.Text)
	})
	text("card/follow", "follow-card", "Take a differing field over from the card", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in orderText) (*kiosk.Order, error) {
		return h.FollowCard(ctx, a, in.Key, in.Body.Field)
	})
	text("seal", "seal", "Apply the seals; the text is the last four digits of the number", kiosk.RightSeal, func(ctx context.Context, a kiosk.Actor, in orderText) (*kiosk.Order, error) {
		return h.Seal(ctx, a, in.Key, in.Body.Text)
	})
	text("approve", "approve-seals", "Sign for the seals as the second person; the text is the last four digits of the number", kiosk.RightSeal, func(ctx context.Context, a kiosk.Actor, in orderText) (*kiosk.Order, error) {
		return h.ApproveSeals(ctx, a, in.Key, in.Body.Text)
	})
	text("delivery", "fix-mail", "Correct the address for the receipt", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in orderText) (*kiosk.Order, error) {
		return h.FixMail(ctx, a, in.Key, in.Body.Text)
	})
}
