package kiosk

import "countersign/internal/fault"

// Right is one thing that a role may do. Every route of the API names the right that it needs.
type Right string

// The rights.
const (
	RightNone    Right = ""        // anybody who is signed in, locked or not: unlock, sign out
	RightServe   Right = "serve"   // visits, forms, work orders
	RightSeal    Right = "seal"    // ask the seal service; it checks the grants itself
	RightLook    Right = "look"    // see finished orders and their evidence
	RightRetry   Right = "retry"   // send waiting items again
	RightJournal Right = "journal" // read the journal
	RightAdmin   Right = "admin"   // users, displays, seals
	RightOwn     Right = "own"     // replace the own password; every role may
	RightDesk    Right = "desk"    // come to the helpdesk
)

// matrix is who may do what; what is not in it is refused.
var matrix = map[Role][]Right{
	RoleClerk:      {RightServe, RightLook, RightRetry, RightOwn},
	RoleSigner:     {RightSeal, RightOwn},
	RoleSupervisor: {RightLook, RightRetry, RightJournal, RightOwn},
	RoleAdmin:      {RightAdmin, RightJournal, RightOwn},
	RoleAgent:      {RightDesk, RightOwn},
}

// Roles lists the roles in the order in which they are shown.
var Roles = []Role{RoleClerk, RoleSigner, RoleSupervisor, RoleAdmin, RoleAgent}

// Rights returns what a role may do.
func (r Role) Rights() []Right { return append([]Right(nil), matrix[r]...) }

// May refuses an act that none of the actor's roles allows, everything but unlocking while the counter is locked, and
// everything but a new password while somebody else knows the present one.
func (a Actor) May(right Right) error {
	if right == RightNone {
		return nil
	}
	if a.Locked {
		return fault.New(fault.Forbidden, "signin.locked", nil)
	}
	if a.User.MustChange && right != RightOwn {
		return fault.New(fault.Forbidden, "signin.must_change", nil)
	}
	for _, role := range a.User.Roles {
		for _, have := range matrix[role] {
			if have == right {
				return nil
			}
		}
	}
	return fault.New(fault.Forbidden, "signin.right", fault.Args{"right": "@right." + string(right)})
}
