package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// Clerk is a clerk's terminal at one counter of one unit; it is what the clerk's screens ask.
type Clerk struct {
	*Client
	Unit    string
	Counter string
}

// UnitName returns the names of the terminal's unit, which the lock screen shows before anybody has signed in.
func (c *Clerk) UnitName(ctx context.Context) (kiosk.Unit, error) {
	return call[kiosk.Unit](ctx, c.Client, http.MethodGet, "/v1/units/"+url.PathEscape(c.Unit), nil)
}

// SignIn opens the session; its token goes with everything after.
func (c *Clerk) SignIn(ctx context.Context, user, password string) (kiosk.SignedIn, error) {
	in := map[string]string{"unit": c.Unit, "counter": c.Counter, "user": user, "password": password}
	out, err := call[Session](ctx, c.Client, http.MethodPost, "/v1/session", in)
	if err != nil {
		return kiosk.SignedIn{}, err
	}
	c.SetToken(out.Token)
	return out.SignedIn, nil
}

func (c *Clerk) post(ctx context.Context, path string, in any) error {
	_, err := call[Done](ctx, c.Client, http.MethodPost, path, in)
	return err
}

// SetUnlockCode sets the six digits that unlock the counter.
func (c *Clerk) SetUnlockCode(ctx context.Context, code string) error {
	_, err := call[Done](ctx, c.Client, http.MethodPut, "/v1/session/unlock-code", map[string]string{"code": code})
	return err
}

// SetPassword replaces the clerk's own password.
func (c *Clerk) SetPassword(ctx context.Context, old, password string) error {
	_, err := call[Done](ctx, c.Client, http.MethodPut, "/v1/session/password", map[string]string{"old": old, "new": password})
	return err
}

// Unlock uncovers both screens.
func (c *Clerk) Unlock(ctx context.Context, code string) error {
	return c.post(ctx, "/v1/session/unlock", map[string]string{"code": code})
}

// Lock covers both screens.
func (c *Clerk) Lock(ctx context.Context) error { return c.post(ctx, "/v1/session/lock", nil) }

// SignOut ends the session.
func (c *Clerk) SignOut(ctx context.Context) error { return c.post(ctx, "/v1/session/end", nil) }

// Home is what waits for a person, and today's visits.
func (c *Clerk) Home(ctx context.Context) (kiosk.HomeView, error) {
	return call[kiosk.HomeView](ctx, c.Client, http.MethodGet, "/v1/home", nil)
}

// Services are the definitions in force, by number.
func (c *Clerk) Services(ctx context.Context) ([]*catalog.Service, error) {
	cat, err := c.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	return cat.Services(), nil
}

// Find searches the unit's customers.
func (c *Clerk) Find(ctx context.Context, text string) ([]kiosk.CustomerCard, error) {
	return call[[]kiosk.CustomerCard](ctx, c.Client, http.MethodGet, "/v1/customers?q="+url.QueryEscape(text), nil)
}

// Links tells how the connected systems are and what waits.
func (c *Clerk) Links(ctx context.Context) ([]kiosk.Link, []kiosk.OutboxRow, error) {
	out, err := call[LinkState](ctx, c.Client, http.MethodGet, "/v1/links", nil)
	return out.Links, out.Outbox, err
}

// RetryOutbox sends a waiting item now.
func (c *Clerk) RetryOutbox(ctx context.Context, id int64) error {
	return c.post(ctx, "/v1/outbox/"+strconv.FormatInt(id, 10)+"/retry", nil)
}

// OpenVisit starts a visit.
func (c *Clerk) OpenVisit(ctx context.Context, customer, carried string) (kiosk.VisitView, error) {
	return call[kiosk.VisitView](ctx, c.Client, http.MethodPost, "/v1/visits", map[string]string{"customer": customer, "carried": carried})
}

// Visit returns a visit with what is known of its customer.
func (c *Clerk) Visit(ctx context.Context, key string) (kiosk.VisitView, error) {
	return call[kiosk.VisitView](ctx, c.Client, http.MethodGet, "/v1/visits/"+url.PathEscape(key), nil)
}

// ShowService shows the customer the card of the service that the clerk looks at; "" takes it away.
func (c *Clerk) ShowService(ctx context.Context, visit, service string) error {
	return c.post(ctx, "/v1/visits/"+url.PathEscape(visit)+"/service", map[string]string{"text": service})
}

// ScanVisit starts or continues a visit from a card.
func (c *Clerk) ScanVisit(ctx context.Context, visit, scan string) (kiosk.VisitView, error) {
	return call[kiosk.VisitView](ctx, c.Client, http.MethodPost, "/v1/visits/scan", map[string]string{"visit": visit, "scan": scan})
}

// StartOrder opens a form.
func (c *Clerk) StartOrder(ctx context.Context, visit, service string, again bool) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodPost, "/v1/orders", map[string]any{"visit": visit, "service": service, "again": again})
}

// Order reads an order by key, number or verify code.
func (c *Clerk) Order(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodGet, orderPath(key), nil)
}

// List lists the unit's orders of the last 30 days, newest first.
func (c *Clerk) List(ctx context.Context, limit int) ([]OrderRow, error) {
	return call[[]OrderRow](ctx, c.Client, http.MethodGet, "/v1/orders?limit="+strconv.Itoa(limit), nil)
}

func (c *Clerk) act(ctx context.Context, key, act string) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodPost, orderPath(key, act), nil)
}

func (c *Clerk) text(ctx context.Context, path, text string) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodPost, path, map[string]string{"text": text})
}

func (c *Clerk) field(ctx context.Context, path, field string) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodPost, path, map[string]string{"field": field})
}

// Resume takes an order to this counter.
func (c *Clerk) Resume(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.act(ctx, key, "resume")
}

// Aside sets an order aside.
func (c *Clerk) Aside(ctx context.Context, key string) error {
	return c.post(ctx, orderPath(key, "aside"), nil)
}

// Cancel stops an order.
func (c *Clerk) Cancel(ctx context.Context, key string) error {
	return c.post(ctx, orderPath(key, "cancel"), nil)
}

// Release frees the counter after an order is done.
func (c *Clerk) Release(ctx context.Context) error { return c.post(ctx, "/v1/counter/release", nil) }

// SetField saves a field exit.
func (c *Clerk) SetField(ctx context.Context, key, field, base, typed string) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodPut, orderPath(key, "fields", field), map[string]string{"base": base, "typed": typed})
}

// SetSame copies into a field what the service names for it.
func (c *Clerk) SetSame(ctx context.Context, key, field, base string) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodPut, orderPath(key, "fields", field), map[string]any{"base": base, "typed": "", "same": true})
}

// SetFile saves a file in a field; one that no field takes is refused before it travels.
func (c *Clerk) SetFile(ctx context.Context, key, field, base, name string, data []byte) (kiosk.OrderView, error) {
	if err := kiosk.CheckFile(data); err != nil {
		return kiosk.OrderView{}, err
	}
	query := url.Values{"name": {name}, "base": {base}}
	return c.send(ctx, orderPath(key, "files", field)+"?"+query.Encode(), data)
}

// FieldFile fetches the file that a field holds.
func (c *Clerk) FieldFile(ctx context.Context, key, field string) ([]byte, error) {
	return c.bytes(ctx, orderPath(key, "files", field))
}

// SetRows saves a table.
func (c *Clerk) SetRows(ctx context.Context, key, field string, rows [][]string) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodPut, orderPath(key, "rows", field), map[string]any{"rows": rows})
}

// Typing shows unfinished text to the customer.
func (c *Clerk) Typing(ctx context.Context, key, field, text string) error {
	return c.post(ctx, orderPath(key, "typing"), map[string]any{"field": field, "text": text, "set": text != ""})
}

// Undo takes the last exit back.
func (c *Clerk) Undo(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.act(ctx, key, "undo")
}

// Redo brings it back.
func (c *Clerk) Redo(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.act(ctx, key, "redo")
}

// Answer says that an objected field was explained.
func (c *Clerk) Answer(ctx context.Context, key, field string) (kiosk.OrderView, error) {
	return c.field(ctx, orderPath(key, "answer"), field)
}

// Invite arms the submission.
func (c *Clerk) Invite(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.act(ctx, key, "invite")
}

// Reopen leads back to the form.
func (c *Clerk) Reopen(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.act(ctx, key, "reopen")
}

// ScanCard takes a card for an order.
func (c *Clerk) ScanCard(ctx context.Context, key, scan string) (kiosk.OrderView, error) {
	return c.text(ctx, orderPath(key, "card"), scan)
}

// FollowCard takes a differing field over from the card.
func (c *Clerk) FollowCard(ctx context.Context, key, field string) (kiosk.OrderView, error) {
	return c.field(ctx, orderPath(key, "card")+"/follow", field)
}

// Portrait sends a picture; one that is too big is refused before it travels.
func (c *Clerk) Portrait(ctx context.Context, key string, data []byte) (kiosk.OrderView, error) {
	if len(data) > maxBody {
		return kiosk.OrderView{}, tooLarge()
	}
	return c.send(ctx, orderPath(key, "portrait"), data)
}

// send puts a file's bytes and reads the order's view.
func (c *Clerk) send(ctx context.Context, path string, data []byte) (kiosk.OrderView, error) {
	body, err := c.do(ctx, http.MethodPut, path, "application/octet-stream", data)
	if err != nil {
		return kiosk.OrderView{}, err
	}
	defer body.Close()
	var v kiosk.OrderView
	if err := json.NewDecoder(body).Decode(&v); err != nil {
		return v, lost(err)
	}
	return c.view(ctx, v, nil)
}

// PortraitImage fetches the normalised picture.
func (c *Clerk) PortraitImage(ctx context.Context, key string) ([]byte, error) {
	return c.bytes(ctx, orderPath(key, "portrait"))
}

// Judge records the clerk's judgement by eye.
func (c *Clerk) Judge(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.act(ctx, key, "judge")
}

// Retake discards the picture.
func (c *Clerk) Retake(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.act(ctx, key, "retake")
}

// Signatures tells who has signed an order and whether that holds; the order may be named by its number.
func (c *Clerk) Signatures(ctx context.Context, order string) ([]kiosk.SignatureState, error) {
	return call[[]kiosk.SignatureState](ctx, c.Client, http.MethodGet, orderPath(order, "signatures"), nil)
}

// Attest is the clerk's word that they saw the customer write.
func (c *Clerk) Attest(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodPost, orderPath(key, "attest"), nil)
}

// Rewrite gives the customer the pen again.
func (c *Clerk) Rewrite(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.orderCall(ctx, http.MethodPost, orderPath(key, "rewrite"), nil)
}

// Resend sends another code.
func (c *Clerk) Resend(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.act(ctx, key, "resend")
}

// Seal applies the seals.
func (c *Clerk) Seal(ctx context.Context, key, lastFour string) (kiosk.OrderView, error) {
	return c.text(ctx, orderPath(key, "seal"), lastFour)
}

// ApproveSeals signs for the seals as the second person.
func (c *Clerk) ApproveSeals(ctx context.Context, key, lastFour string) (kiosk.OrderView, error) {
	return c.text(ctx, orderPath(key, "approve"), lastFour)
}

// Reprint prints the receipt again.
func (c *Clerk) Reprint(ctx context.Context, key string) (kiosk.OrderView, error) {
	return c.act(ctx, key, "reprint")
}

// FixMail corrects the address of the receipt.
func (c *Clerk) FixMail(ctx context.Context, key, address string) (kiosk.OrderView, error) {
	return c.text(ctx, orderPath(key, "delivery"), address)
}

// Document fetches the newest file of an order.
func (c *Clerk) Document(ctx context.Context, key string) ([]byte, error) {
	return c.bytes(ctx, orderPath(key, "document"))
}

// Page is a page of the text that the customer reads.
func (c *Clerk) Page(ctx context.Context, key string, page int) ([]string, error) {
	return call[[]string](ctx, c.Client, http.MethodGet, orderPath(key, "pages", strconv.Itoa(page)), nil)
}

// Evidence verifies a finished order.
func (c *Clerk) Evidence(ctx context.Context, key string) (kiosk.Evidence, error) {
	return call[kiosk.Evidence](ctx, c.Client, http.MethodGet, orderPath(key, "evidence"), nil)
}

// Events delivers the counter's state until ctx or the session ends, and that the service is lost when it is. Latest
// wins: a screen that is slow gets the newest state, never a backlog.
func (c *Clerk) Events(ctx context.Context) <-chan kiosk.ClerkUpdate {
	out := make(chan kiosk.ClerkUpdate, 1)
	put := func(u kiosk.ClerkUpdate) {
		u.At = time.Now()
		for {
			select {
			case out <- u:
				return
			default:
			}
			select {
			case <-out:
			default:
			}
		}
	}
	go func() {
		defer close(out)
		listen(ctx, c.Client, "/v1/events", func(e kiosk.ClerkEvent) {
			if e.Order != nil {
				v, err := c.view(ctx, *e.Order, nil)
				if err != nil {
					put(kiosk.ClerkUpdate{Lost: true})
					return
				}
				e.Order = &v
			}
			put(kiosk.ClerkUpdate{Event: e})
		}, func(err error) bool {
			if fault.KindOf(err) == fault.Unauthenticated {
				return false
			}
			put(kiosk.ClerkUpdate{Lost: true})
			return true
		})
	}()
	return out
}
