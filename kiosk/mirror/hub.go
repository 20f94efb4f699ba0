package mirror

import (
	"context"
	"sync"
	"time"

	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
)

// Reader is what the hub asks of the hall.
type Reader interface {
	Station(ctx context.Context, unit, counter string) (kiosk.Station, error)
	View(ctx context.Context, st kiosk.Station) (kiosk.OrderView, error)
}

// Hub keeps the newest snapshot of each counter and the newest view for its clerk. Delivery is latest-wins: a watcher
// has a mailbox of one, a slow one skips states and never blocks anybody. What must not be lost is in the store; the
// hub holds only what may vanish with the process: the text being typed, the count of digits, the last key.
type Hub struct {
	Hall   Reader
	Source func(source string, l locale.Lang) string
	Clock  clock.Clock
	OnErr  func(error) // told of a station that can't be read; the customer's screen shows the curtain

	mu       sync.Mutex
	counters map[string]*counter
}

// counter is one counter's watchers and what vanishes with the process.
type counter struct {
	unit, name string
	seq        int64
	typing     Typing
	digits     int
	active     time.Time // last key of the customer
	acted      time.Time // last act of the clerk; zero when the counter was told idle
	lang       string
	cleared    string // order whose thanks are over
	shown      *catalog.Service
	displays   map[chan Snapshot]bool
	clerks     map[chan kiosk.ClerkEvent]bool
	wake       chan struct{}
	running    bool // somebody watches, so a loop publishes
	orderKey   string
}

func (h *Hub) at(unit, name string) *counter {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.atLocked(unit, name)
}

func (h *Hub) atLocked(unit, name string) *counter {
	key := unit + "/" + name
	if h.counters == nil {
		h.counters = map[string]*counter{}
	}
	c, ok := h.counters[key]
	if !ok {
		c = &counter{unit: unit, name: name, displays: map[chan Snapshot]bool{}, clerks: map[chan kiosk.ClerkEvent]bool{}, wake: make(chan struct{}, 1)}
		h.counters[key] = c
	}
	return c
}

// OrderChanged wakes the counters that have the order in hand.
func (h *Hub) OrderChanged(o *kiosk.Order) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.counters {
		if c.unit == o.Unit && (c.name == o.Counter || c.orderKey == o.Key) {
			if c.typing.Set && c.typing.Order == o.Key {
				c.typing.Set = false
			}
			c.poke()
		}
	}
}

// CounterChanged wakes one counter.
func (h *Hub) CounterChanged(unit, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c, ok := h.counters[unit+"/"+name]; ok {
		c.poke()
	}
}

func (c *counter) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Type shows unfinished text, or with set false only moves the mark.
func (h *Hub) Type(unit, name string, t Typing) {
	c := h.at(unit, name)
	h.mu.Lock()
	c.typing = t
	h.mu.Unlock()
	c.poke()
}

// Digits tells how many digits of a code the customer has typed.
func (h *Hub) Digits(unit, name string, n int) {
	c := h.at(unit, name)
	h.mu.Lock()
	c.digits = n
	h.mu.Unlock()
	h.Touch(unit, name)
}

// Touch records a key of the customer, which counts as activity at the counter.
func (h *Hub) Touch(unit, name string) {
	c := h.at(unit, name)
	h.mu.Lock()
	c.active = h.Clock.Now()
	h.mu.Unlock()
	c.poke()
}

// Show puts the card of a service on the customer's screen while there is no form; nil takes it away.
func (h *Hub) Show(unit, name string, service *catalog.Service) {
	c := h.at(unit, name)
	h.mu.Lock()
	c.shown = service
	h.mu.Unlock()
	c.poke()
}

// Busy records an act of the clerk at a counter.
func (h *Hub) Busy(unit, name string) {
	c := h.at(unit, name)
	h.mu.Lock()
	defer h.mu.Unlock()
	c.acted = h.Clock.Now()
}

// Idle lists the counters at which neither side has pressed a key for as long as limit; each is told once.
func (h *Hub) Idle(limit time.Duration) [][2]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out [][2]string
	for _, c := range h.counters {
		last := c.acted
		if c.active.After(last) {
			last = c.active
		}
		if !c.acted.IsZero() && h.Clock.Now().Sub(last) >= limit {
			c.acted = time.Time{}
			out = append(out, [2]string{c.unit, c.name})
		}
	}
	return out
}

// Language sets the language of a counter's screen before a visit exists.
func (h *Hub) Language(unit, name, lang string) {
	c := h.at(unit, name)
	h.mu.Lock()
	c.lang = lang
	h.mu.Unlock()
	c.poke()
}

// Clear takes an order off the customer's screen for good.
func (h *Hub) Clear(unit, name, order string) {
	c := h.at(unit, name)
	h.mu.Lock()
	c.cleared, c.lang = order, ""
	h.mu.Unlock()
	c.poke()
}

// Display watches a counter as its customer's screen until ctx ends. Every two seconds the newest state comes again.
func (h *Hub) Display(ctx context.Context, unit, name string, beat <-chan time.Time) <-chan Snapshot {
	ch := make(chan Snapshot, 1)
	watch(ctx, h, unit, name, beat, func(c *counter) map[chan Snapshot]bool { return c.displays }, ch)
	return ch
}

// Clerk watches a counter as its clerk's terminal until ctx ends.
func (h *Hub) Clerk(ctx context.Context, unit, name string, beat <-chan time.Time) <-chan kiosk.ClerkEvent {
	ch := make(chan kiosk.ClerkEvent, 1)
	watch(ctx, h, unit, name, beat, func(c *counter) map[chan kiosk.ClerkEvent]bool { return c.clerks }, ch)
	return ch
}

// watch adds a mailbox to a counter; the counter's first watcher starts its loop, which ends with the last.
func watch[T any](ctx context.Context, h *Hub, unit, name string, beat <-chan time.Time, in func(*counter) map[chan T]bool, ch chan T) {
	c := h.at(unit, name)
	h.mu.Lock()
	idle := !c.running
	in(c)[ch], c.running = true, true
	h.mu.Unlock()
	if idle {
		go h.run(c)
	}
	c.poke()
	go func() {
		for {
			select {
			case <-ctx.Done():
				h.mu.Lock()
				delete(in(c), ch)
				h.mu.Unlock()
				c.poke()
				return
			case <-beat:
				c.poke()
			}
		}
	}()
}

// run publishes a counter's state whenever it is woken, until nobody watches.
func (h *Hub) run(c *counter) {
	for range c.wake {
		snap, event, err := h.state(c)
		if err != nil {
			h.OnErr(err)
		}
		if !h.publish(c, snap, event) {
			return
		}
	}
}

// state reads what is at a counter. When that fails, the customer sees the curtain rather than what was before, and the
// clerk, whose own acts tell of failures, keeps it: then event is nil.
func (h *Hub) state(c *counter) (Snapshot, *kiosk.ClerkEvent, error) {
	st, err := h.Hall.Station(context.Background(), c.unit, c.name)
	if err != nil {
		return Project(Scene{Counter: c.name, Locked: true, Now: h.Clock.Now()}), nil, err
	}
	scene := h.scene(c, st)
	event := &kiosk.ClerkEvent{Home: true, Locked: st.Locked, Seam: CustomerSeam(scene), Lang: scene.Lang}
	if st.Order == nil || st.Locked || !h.watched(c) {
		return Project(scene), event, nil
	}
	view, err := h.Hall.View(context.Background(), st)
	if err != nil {
		return Project(scene), nil, err
	}
	view.Seam = event.Seam
	if view.Challenge != nil {
		view.Challenge.Digits = scene.Digits
	}
	event.Order = &view
	return Project(scene), event, nil
}

func (h *Hub) watched(c *counter) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(c.clerks) > 0
}

// scene joins the stored station with what vanishes with the process.
func (h *Hub) scene(c *counter, st kiosk.Station) Scene {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Scene{Unit: st.Unit, Counter: st.Counter, Clerk: st.Clerk, Present: st.Present, Locked: st.Locked, Lang: st.Lang, Now: h.Clock.Now(),
		Order: st.Order, Service: st.Service, Source: h.Source, Amount: st.Amount, Lines: st.Lines, Challenge: st.Challenge,
		Enrol: st.Enrol, HasApp: st.HasApp, Offers: st.Offers, Purpose: st.Purpose, Providers: st.Providers, Typing: c.typing, Digits: c.digits}
	if s.Lang == "" {
		s.Lang = c.lang
	}
	for _, p := range st.Promises {
		s.Promises = append(s.Promises, Promise{Label: p.Label, Value: p.Value})
	}
	if st.Order == nil {
		c.orderKey, s.Shown = "", c.shown
		return s
	}
	c.shown = nil
	if c.orderKey != st.Order.Key {
		c.orderKey, c.digits, c.typing = st.Order.Key, 0, Typing{}
	}
	if st.Order.State != kiosk.Confirming {
		c.digits, s.Digits = 0, 0
	}
	s.Cleared = c.cleared == st.Order.Key
	return s
}

// publish puts the newest state into every mailbox and reports whether anybody watches. That nobody does and that the
// loop ends is one decision: whoever comes next starts another.
func (h *Hub) publish(c *counter, snap Snapshot, event *kiosk.ClerkEvent) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.seq++
	snap.Seq = c.seq
	for ch := range c.displays {
		replace(ch, snap)
	}
	if event != nil {
		event.Seq, event.Active = c.seq, c.active
		for ch := range c.clerks {
			replace(ch, *event)
		}
	}
	c.running = len(c.displays)+len(c.clerks) > 0
	return c.running
}

// replace puts v into a mailbox of one, over what was not yet taken.
func replace[T any](ch chan T, v T) {
	for {
		select {
		case ch <- v:
			return
		default:
		}
		select {
		case <-ch:
		default:
		}
	}
}
