package kiosk

import (
	"crypto/sha256"
	"sync"
	"time"
)

// strangers counts the failed sign-ins of names that nobody has, as a user's own are counted, so that the waits and the
// lock-out don't tell an outsider which names exist. It lives in memory: there is nothing to protect over a restart.
type strangers struct {
	mu    sync.Mutex
	names map[[32]byte]User // by the name's SHA-256, however long it is; Failures and LastFailure only
}

// maxStrangers bounds what guesses can make us remember.
const maxStrangers = 4096

// recall is a user without a name who has failed as often as the name has.
func (s *strangers) recall(name string) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[sha256.Sum256([]byte(name))]
}

// failed counts one more failure and returns how many there are.
func (s *strangers) failed(name string, now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = map[[32]byte]User{}
	}
	key := sha256.Sum256([]byte(name))
	u, known := s.names[key]
	if !known && len(s.names) >= maxStrangers {
		s.forgetOldest()
	}
	u.Failures++
	u.LastFailure = now
	s.names[key] = u
	return u.Failures
}

func (s *strangers) forgetOldest() {
	var oldest [32]byte
	var since time.Time
	for key, u := range s.names {
		if since.IsZero() || u.LastFailure.Before(since) {
			oldest, since = key, u.LastFailure
		}
	}
	delete(s.names, oldest)
}
