package seal

import (
	"countersign/signing/key"
)

// Cost is what a guess at the password of a locked Hand costs.
type Cost = key.Cost

// Hand is a member of staff's own key while it is open: it signs statements for one person.
type Hand struct {
	staff string
	own   *key.Own
}

// NewHand makes a key for a member of staff.
func NewHand(staff string) (Hand, error) {
	own, err := key.NewOwn(staff)
	return Hand{staff, own}, err
}

// OpenHand opens a locked key with the password or token under which it rests. The fault is key.own.
func OpenHand(staff string, locked, secret []byte) (Hand, error) {
	own, err := key.OpenOwn(staff, locked, secret)
	return Hand{staff, own}, err
}

// Public is the key that the keeper of the seals enrolls.
func (h Hand) Public() []byte { return h.own.Public() }

// UnderPassword locks the key for the person's record.
func (h Hand) UnderPassword(password string, c Cost) ([]byte, error) {
	return h.own.UnderPassword([]byte(password), c)
}

// UnderToken locks the key for the record of a session; the token is not kept with it.
func (h Hand) UnderToken(token string) ([]byte, error) { return h.own.UnderToken([]byte(token)) }

// Approve signs a statement, as this person.
func (h Hand) Approve(s Statement) (*Approval, error) {
	s.Staff = h.staff
	signature, err := h.own.Sign(s.Bytes())
	if err != nil {
		return nil, err
	}
	return &Approval{Staff: h.staff, At: s.At, Signature: signature}, nil
}
