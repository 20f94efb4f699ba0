package demo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"countersign/helpdesk"
	"countersign/internal/api"
	"countersign/kiosk"
	"countersign/services"
)

// needs says what each operation of a clerk's session needs. It is written down apart from the code, so that neither
// changes alone.
var needs = map[string]kiosk.Right{
	"lock": kiosk.RightNone, "unlock": kiosk.RightNone, "sign-out": kiosk.RightNone,
	"set-unlock-code": kiosk.RightServe, "set-password": kiosk.RightOwn,
	"home": kiosk.RightServe, "find-customers": kiosk.RightServe, "open-visit": kiosk.RightServe, "scan-visit": kiosk.RightServe, "visit": kiosk.RightServe,
	"show-service": kiosk.RightServe, "links": kiosk.RightRetry, "retry": kiosk.RightRetry, "release": kiosk.RightServe, "events": kiosk.RightServe,
	"start-order": kiosk.RightServe, "list-orders": kiosk.RightLook, "show-order": kiosk.RightLook, "resume-order": kiosk.RightServe,
	"undo-order": kiosk.RightServe, "redo-order": kiosk.RightServe, "invite-order": kiosk.RightServe, "reopen-order": kiosk.RightServe,
	"judge-order": kiosk.RightServe, "attest-order": kiosk.RightServe, "rewrite-order": kiosk.RightServe, "retake-order": kiosk.RightServe, "resend-order": kiosk.RightServe, "reprint-order": kiosk.RightServe,
	"aside-order": kiosk.RightServe, "cancel-order": kiosk.RightServe, "set-field": kiosk.RightServe, "set-rows": kiosk.RightServe,
	"typing": kiosk.RightServe, "answer": kiosk.RightServe, "read-card": kiosk.RightServe, "follow-card": kiosk.RightServe, "seal": kiosk.RightSeal, "approve-seals": kiosk.RightSeal,
	"fix-mail": kiosk.RightServe, "evidence": kiosk.RightLook, "signatures": kiosk.RightLook, "document": kiosk.RightLook, "last-good": kiosk.RightLook, "portrait": kiosk.RightServe, "catalog": kiosk.RightServe,
	"enrol": kiosk.RightServe, "test-certificate": kiosk.RightServe, "report-loss": kiosk.RightServe, "certificates": kiosk.RightServe,
	"take-portrait": kiosk.RightServe, "set-file": kiosk.RightServe, "field-file": kiosk.RightServe, "page": kiosk.RightServe,
}

// roles are who may what, by mission and threat T23, written down apart from the code as well.
var roles = map[kiosk.Role][]kiosk.Right{
	kiosk.RoleClerk:      {kiosk.RightServe, kiosk.RightLook, kiosk.RightRetry, kiosk.RightOwn},
	kiosk.RoleSigner:     {kiosk.RightSeal, kiosk.RightOwn},
	kiosk.RoleSupervisor: {kiosk.RightLook, kiosk.RightRetry, kiosk.RightJournal, kiosk.RightOwn},
	kiosk.RoleAdmin:      {kiosk.RightAdmin, kiosk.RightJournal, kiosk.RightOwn},
	kiosk.RoleAgent:      {kiosk.RightDesk, kiosk.RightOwn},
}

// ofDesk reports whether an operation is one of the helpdesk's, all of which need the same right of the counter's side;
// what they need of the helpdesk's own is for its team to say.
func ofDesk(op operation) bool { return strings.HasPrefix(op.OperationID, "desk-") }

// operation is one route with a request that its schema lets through.
type operation struct {
	*huma.Operation
	doc *huma.OpenAPI
}

func operations(t *testing.T, o *office) []operation {
	t.Helper()
	s := o.Service
	_, description := api.New(&api.Server{Hall: s.Hall, Hub: s.Hub, Links: s, Evidence: s.Hall, Services: services.Files, Log: s.Options.Log, Beat: api.Ticks})
	doc := description.OpenAPI()
	var out []operation
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if op != nil {
				out = append(out, operation{op, doc})
			}
		}
	}
	if len(out) < 40 {
		t.Fatalf("the description has %d operations", len(out))
	}
	return out
}

func (op operation) scheme() string {
	for _, s := range op.Security {
		for name := range s {
			return name
		}
	}
	return ""
}

// path puts names into the holes of the path.
func (op operation) path(names map[string]string) string {
	out := op.Path
	for name, v := range names {
		out = strings.ReplaceAll(out, "{"+name+"}", v)
	}
	return out
}

// body is a smallest request that the schema lets through.
func (op operation) body(t *testing.T) (contentType, body string) {
	if op.RequestBody == nil {
		return "application/json", ""
	}
	for kind, media := range op.RequestBody.Content {
		if kind != "application/json" {
			return kind, "no picture"
		}
		data, err := json.Marshal(op.sample(media.Schema))
		if err != nil {
			t.Fatal(err)
		}
		return kind, string(data)
	}
	return "", ""
}

func (op operation) sample(s *huma.Schema) any {
	if s.Ref != "" {
		s = op.doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	if s.ContentEncoding == "base64" {
		return "eA=="
	}
	switch s.Type {
	case "object":
		out := map[string]any{}
		for _, name := range s.Required {
			out[name] = op.sample(s.Properties[name])
		}
		return out
	case "array":
		return []any{}
	case "integer", "number":
		return 1
	case "boolean":
		return false
	}
	if s.Format == "date-time" {
		return "2026-11-21T09:00:00+07:00"
	}
	return "x"
}

// ask sends the operation's smallest request.
func (o *office) ask(t *testing.T, op operation, token string, names map[string]string) (int, string) {
	t.Helper()
	kind, body := op.body(t)
	path := op.path(names)
	query := url.Values{}
	for _, p := range op.Parameters {
		if p.In == "query" && (p.Required || p.Name == "q") {
			query.Set(p.Name, fmt.Sprint(op.sample(p.Schema)))
		}
	}
	path += "?" + query.Encode()
	return o.send(t, token, op.Method, path, kind, strings.NewReader(body))
}

var nowhere = map[string]string{"key": "ffffffffffffffffffff", "field": "phone", "page": "1", "id": "999999", "unit": "PA0000", "sha256": "ff", "customer": "PA0000"}

func TestEveryRouteAsksForTheRightTokenAndTheRightRole(t *testing.T) {
	o := ownOffice(t)
	screen := o.screenToken(t, Counter)
	listed := map[string]bool{}
	tokens := map[kiosk.Role]string{}
	for role := range roles {
		u := kiosk.User{Name: "vai-" + string(role), FullName: "Vai Thử", StaffID: "7" + string(role), Unit: Unit, Roles: []kiosk.Role{role}}
		if err := o.Service.AddUser(t.Context(), u, Password, Unlock); err != nil {
			t.Fatal(err)
		}
	}
	everything := helpdesk.Agent{Name: "vai-" + string(kiosk.RoleAgent), Roles: helpdesk.Roles}
	if err := o.Service.Desk.PutAgent(t.Context(), helpdesk.Actor{Agent: everything}, everything); err != nil {
		t.Fatal(err)
	}
	for _, op := range operations(t, o) {
		right, known := needs[op.OperationID]
		if ofDesk(op) {
			right, known = kiosk.RightDesk, true
		}
		listed[op.OperationID] = true
		want := func(who, token string, status int) {
			t.Helper()
			got, body := o.ask(t, op, token, nowhere)
			if got != status {
				t.Errorf("%s by %s: %d, want %d: %.200s", op.OperationID, who, got, status, body)
			}
		}
		switch op.scheme() {
		case "session":
			if !known {
				t.Errorf("nobody has said what %s needs", op.OperationID)
				continue
			}
			want("nobody", "", http.StatusUnauthorized)
			want("a stranger", "bm90IGEgdG9rZW4", http.StatusUnauthorized)
			want("a customer's screen", screen, http.StatusUnauthorized)
			for role, has := range roles {
				// Sign-out ends a session, lock locks it: each asks with a fresh one.
				if tokens[role] == "" || right == kiosk.RightNone {
					tokens[role] = o.openSession(t, "vai-"+string(role), "v-"+string(role))
				}
				if right != kiosk.RightNone && !slices.Contains(has, right) {
					want(string(role), tokens[role], http.StatusForbidden)
				} else if got, body := o.ask(t, op, tokens[role], nowhere); got == http.StatusUnauthorized && !strings.Contains(body, "signin.wrong") && !strings.Contains(body, "signin.code") || got == http.StatusForbidden {
					t.Errorf("%s by %s: %d %s, though the role has the right", op.OperationID, role, got, body)
				}
				if right == kiosk.RightNone || op.OperationID == "set-password" {
					tokens[role] = ""
					o.clock.Advance(20 * 60 * 1e9) // what a wrong unlock code or password cost is over
				}
			}
		case "display":
			want("nobody", "", http.StatusUnauthorized)
			want("a clerk", o.openSession(t, User, Counter), http.StatusUnauthorized)
		default:
			if op.OperationID != "sign-in" && op.OperationID != "unit" {
				t.Errorf("%s is open to everybody", op.OperationID)
			}
		}
	}
	for id := range needs {
		if !listed[id] {
			t.Errorf("there is no operation %s", id)
		}
	}
}

func (o *office) screenToken(t *testing.T, counter string) string {
	t.Helper()
	_, token := o.screenAt(t, counter)
	return token
}

func TestALockedCounterDoesNothingButUnlock(t *testing.T) {
	o := ownOffice(t)
	d := o.sit(t)
	d.to("agree")
	d.must(d.Clerk.Lock(d.ctx))
	for _, op := range operations(t, o) {
		if op.scheme() != "session" || needs[op.OperationID] == kiosk.RightNone || op.OperationID == "events" || op.OperationID == "desk-events" {
			continue
		}
		if got, body := o.ask(t, op, d.token, map[string]string{"key": d.key(), "field": "phone", "page": "1", "id": "1"}); got != http.StatusForbidden || !strings.Contains(body, "signin.locked") {
			t.Errorf("%s at a locked counter: %d %.100s", op.OperationID, got, body)
		}
	}
	if u := <-d.Clerk.Events(d.ctx); u.Event.Order != nil || !u.Event.Locked {
		t.Errorf("a locked counter's events tell of the order in hand: locked %t", u.Event.Locked)
	}
	refused(t, d.Display.ShowPage(d.ctx, d.key(), 1), "order.gone")
	refused(t, d.Clerk.Unlock(d.ctx, "111112"), "signin.code")
	o.clock.Advance(2 * 1e9)
	d.must(d.Clerk.Unlock(d.ctx, Unlock))
	d.look()
}

func TestAnotherUnitsOrdersDoNotExist(t *testing.T) {
	o := ownOffice(t)
	const other = "PA0606"
	o.Service.Hall.Units[other] = kiosk.Unit{Code: other, Name: "Điện lực Khác"}
	o.BackOffice.Down(true)
	d := o.sit(t)
	d.to("seal")
	d.await("a first try", func(x kiosk.Order) bool { return x.HandOver.Tries > 0 })
	job := d.outbox(kiosk.JobHandOver)[0]
	u := kiosk.User{Name: "nguoikhac", FullName: "Người Khác", StaffID: "6001", Unit: other, Roles: []kiosk.Role{kiosk.RoleClerk, kiosk.RoleSigner, kiosk.RoleSupervisor}}
	d.must(o.Service.AddUser(d.ctx, u, Password, Unlock))
	stranger := &api.Clerk{Client: o.Client(), Unit: other, Counter: "1"}
	status, body := o.raw(t, "", http.MethodPost, "/v1/session", asJSON(t, map[string]string{"unit": other, "counter": "1", "user": u.Name, "password": Password}))
	var session api.Session
	if err := json.Unmarshal([]byte(body), &session); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	stranger.SetToken(session.Token)
	stored := d.stored()
	for _, op := range operations(t, o) {
		if op.scheme() != "session" || !strings.Contains(op.Path, "{") || ofDesk(op) {
			continue
		}
		names := []string{stored.Key}
		switch op.OperationID {
		case "typing", "show-service":
			continue // they move the own counter's screen only, and read nothing
		case "visit", "enrol":
			names = []string{stored.Visit}
		case "show-order", "document", "last-good", "evidence":
			names = append(names, stored.Number, stored.Document.VerifyCode)
		}
		for _, name := range names {
			got, body := o.ask(t, op, session.Token, map[string]string{"key": name, "field": "phone", "page": "1", "id": fmt.Sprint(job.ID), "sha256": name, "customer": d.customer.ID})
			if op.OperationID == "read-card" || op.OperationID == "take-portrait" {
				// What is sent is looked at first; it must be whole to get as far as the order.
				if op.OperationID == "read-card" {
					_, err := stranger.ScanCard(d.ctx, name, d.Person.QR())
					refused(t, err, "store.not_found")
				} else {
					_, err := stranger.Portrait(d.ctx, name, picture())
					refused(t, err, "store.not_found")
				}
				continue
			}
			if got != http.StatusNotFound {
				t.Errorf("%s of another unit's %s: %d %.200s", op.OperationID, name, got, body)
			}
		}
	}
	if found, err := stranger.Find(d.ctx, d.customer.IDNumber); err != nil || len(found) > 0 {
		t.Errorf("another unit's customer is found: %v %v", found, err)
	}
	_, err := stranger.OpenVisit(d.ctx, d.customer.ID, "")
	refused(t, err, "store.not_found")
	_, err = stranger.StartOrder(d.ctx, stored.Visit, "11", false)
	refused(t, err, "store.not_found")
	_, err = stranger.ScanVisit(d.ctx, stored.Visit, d.Person.QR())
	refused(t, err, "store.not_found")
	if list, err := stranger.List(d.ctx, 100); err != nil || len(list) > 0 {
		t.Errorf("another unit's orders are listed: %v %v", list, err)
	}
	if home, err := stranger.Home(d.ctx); err != nil || len(home.Visits)+len(home.Tasks) > 0 {
		t.Errorf("another unit's home is shown: %+v %v", home, err)
	}
	if _, rows, err := stranger.Links(d.ctx); err != nil || len(rows) > 0 {
		t.Errorf("another unit's outbox is shown: %+v %v", rows, err)
	}
	if now := d.outbox(kiosk.JobHandOver)[0]; now.Tries != job.Tries {
		t.Error("another unit sent the item again")
	}
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	o := theOffice(t)
	d := o.sit(t)
	d.to("open")
	c := o.Client()
	req, err := http.NewRequestWithContext(d.ctx, http.MethodGet, c.Base+"/v1/events", nil)
	d.must(err)
	req.Header.Set("Authorization", "Bearer "+d.token)
	resp, err := c.HTTP.Do(req)
	d.must(err)
	defer resp.Body.Close()
	in := bufio.NewScanner(resp.Body)
	in.Buffer(nil, 8<<20)
	if !in.Scan() || !bytes.Contains(in.Bytes(), []byte(`"order"`)) {
		t.Fatalf("the stream begins with %.100s", in.Text())
	}
	key := d.key()
	d.must(d.Clerk.SignOut(d.ctx))
	next := o.signIn(t, "quay"+d.counter, d.counter)
	if _, err := next.Resume(d.ctx, key); err != nil {
		t.Fatal(err)
	}
	for in.Scan() {
		if bytes.Contains(in.Bytes(), []byte(`"order"`)) {
			t.Fatal("a session that ended still hears of the orders at its counter")
		}
	}
	if err := d.ctx.Err(); err != nil {
		t.Error("the stream of an ended session never ends")
	}
}
