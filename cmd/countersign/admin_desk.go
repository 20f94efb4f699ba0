package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"countersign/helpdesk"
	"countersign/internal/fault"
	"countersign/internal/service"
)

// operator is who keeps the helpdesk's registers from the command line.
func operator() helpdesk.Actor {
	return helpdesk.Actor{Agent: helpdesk.Agent{Name: "operator", Roles: []helpdesk.Role{helpdesk.RoleKeeper}}, Place: "cli"}
}

// adminAgent keeps the support team: the first member has nobody to be let in by.
func (a *app) adminAgent(with within) *cobra.Command {
	c := &cobra.Command{Use: "agent", Short: a.text("cli.agent", nil)}
	var g helpdesk.Agent
	var roles []string
	put := &cobra.Command{Use: "put NAME", Short: a.text("cli.agent.put", nil), Args: cobra.ExactArgs(1)}
	put.Flags().StringVar(&g.FullName, "full-name", "", a.text("cli.flag.full_name", nil))
	put.Flags().StringVar(&g.Extension, "extension", "", a.text("cli.flag.extension", nil))
	put.Flags().StringSliceVar(&roles, "role", []string{string(helpdesk.RoleAgent)}, a.text("cli.flag.desk_role", nil))
	put.Flags().StringSliceVar(&g.Skills, "skill", nil, a.text("cli.flag.skill", nil))
	put.Flags().StringSliceVar(&g.Provinces, "province", nil, a.text("cli.flag.province", nil))
	put.RunE = func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, args []string) error {
			g.Name = args[0]
			for _, r := range roles {
				if !slices.Contains(helpdesk.Roles, helpdesk.Role(r)) {
					return fault.New(fault.Invalid, "cli.role", fault.Args{"role": r})
				}
				g.Roles = append(g.Roles, helpdesk.Role(r))
			}
			return s.Desk.PutAgent(ctx, operator(), g)
		})
	}
	list := &cobra.Command{Use: "list", Short: a.text("cli.agent.list", nil), Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, args []string) error {
		return with(cmd, args, func(ctx context.Context, s *service.Service, _ []string) error {
			team, err := s.Desk.Agents(ctx)
			for _, g := range team {
				words := []string{}
				for _, r := range g.Roles {
					words = append(words, string(r))
				}
				fmt.Fprintf(a.out, "%-16s %-8s %-24s %s\n", g.Name, g.Extension, g.FullName, strings.Join(words, ", "))
			}
			return err
		})
	}}
	c.AddCommand(put, list)
	return c
}
