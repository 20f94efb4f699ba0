package remote

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
)

// maxHook is the longest webhook body.
const maxHook = 64 << 10

// Hooks receives SmartCA's webhooks. All that the protocol lets one know of their sender is the house's own sp_id, which is
// no secret, so the address that is given to the provider holds one: ?key=…. Even then a webhook is a hint only: whoever
// waits is woken to ask the provider, and what the webhook says of signatures is not looked at. It is an http.Handler.
type Hooks struct {
	account string
	key     [32]byte

	mu      sync.Mutex
	waiting map[string]chan struct{}
}

// NewHooks returns a receiver for the account (sp_id) and the key in the address, of at least 16 characters.
func NewHooks(account, key string) (*Hooks, error) {
	if account == "" || len(key) < 16 {
		return nil, errors.New("receive webhooks: the account is missing, or the key in the address is shorter than 16 characters")
	}
	return &Hooks{account: account, key: sha256.Sum256([]byte(key)), waiting: map[string]chan struct{}{}}, nil
}

// Await returns what is told when a webhook about a pending signature comes, for Patience.Hint, and the function that ends
// the waiting.
func (h *Hooks) Await(p Pending) (<-chan struct{}, func()) {
	hint := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting[p.ID()] = hint
	return hint, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.waiting[p.ID()] == hint {
			delete(h.waiting, p.ID())
		}
	}
}

// ServeHTTP wakes who waits. A caller without the key learns nothing; one with it is thanked whether anybody waits or not,
// so that the address answers no questions about transactions.
func (h *Hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := sha256.Sum256([]byte(r.URL.Query().Get("key")))
	if r.Method != http.MethodPost || subtle.ConstantTimeCompare(key[:], h.key[:]) != 1 {
		http.NotFound(w, r)
		return
	}
	var said struct {
		Account     string `json:"sp_id"`
		Transaction string `json:"transaction_id"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxHook)).Decode(&said); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	if said.Account == h.account {
		h.wake(said.Transaction)
	}
	w.WriteHeader(http.StatusOK)
}

func (h *Hooks) wake(transaction string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case h.waiting[transaction] <- struct{}{}:
	default:
		// Nobody waits, or they were woken already.
	}
}
