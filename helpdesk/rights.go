package helpdesk

import (
	"slices"

	"countersign/internal/fault"
)

// Role is what a member of the support team may do; a person may have several.
type Role string

// The roles.
const (
	RoleAgent    Role = "agent"    // answers
	RoleLead     Role = "lead"     // gives work, approves, merges for others, sees reports
	RoleSecurity Role = "security" // suspected fakes, sealed originals
	RoleProvince Role = "province" // a province's board: its own tickets and notices
	RoleKeeper   Role = "keeper"   // agents, units, texts, erasure; no tickets
)

// Right is one thing that a role may do.
type Right string

// The rights.
const (
	RightSee      Right = "see"      // tickets
	RightAnswer   Right = "answer"   // take, note, reply, call, close
	RightAssign   Right = "assign"   // give to others, escalate, merge different senders, approve
	RightReport   Right = "report"   // figures and exports
	RightSecurity Right = "security" // suspected fakes, originals that hold secrets
	RightNotice   Right = "notice"   // notices and broadcasts
	RightKeep     Right = "keep"     // registers, erasure
)

var rightsOf = map[Role][]Right{
	RoleAgent:    {RightSee, RightAnswer},
	RoleLead:     {RightSee, RightAnswer, RightAssign, RightReport, RightNotice},
	RoleSecurity: {RightSee, RightSecurity, RightReport, RightNotice},
	RoleProvince: {RightSee, RightNotice},
	RoleKeeper:   {RightKeep, RightReport},
}

// Roles lists the roles in the order in which they are shown.
var Roles = []Role{RoleAgent, RoleLead, RoleSecurity, RoleProvince, RoleKeeper}

// Actor is who does something, and from where.
type Actor struct {
	Agent Agent
	Place string
}

// May refuses an act that none of the actor's roles allows.
func (a Actor) May(right Right) error {
	for _, role := range a.Agent.Roles {
		if slices.Contains(rightsOf[role], right) {
			return nil
		}
	}
	return fault.New(fault.Forbidden, "ticket.right", fault.Args{"right": "@ticket.right." + string(right)})
}

// Sees reports whether a ticket is the actor's to see: a province's board sees its own province.
func (a Actor) Sees(t *Ticket) bool {
	if len(a.Agent.Provinces) == 0 {
		return true
	}
	for _, r := range a.Agent.Roles {
		if r != RoleProvince {
			return true
		}
	}
	return slices.Contains(a.Agent.Provinces, t.Route.Province)
}
