package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
)

// administrator is where an admin command works: on the open installation.
type administrator func(context.Context, *service.Service, []string) error

// admin is the tree of administrators' commands. Each opens the installation itself; while a service runs on it, the
// same command line is carried out by that service, over a socket that only its user may open.
func (a *app) admin() *cobra.Command {
	var file string
	c := &cobra.Command{Use: "admin", Short: a.text("cli.admin", nil)}
	c.PersistentFlags().StringVar(&file, "config", "countersign.toml", a.text("cli.flag.config", nil))
	a.adminTree(c, func(cmd *cobra.Command, args []string, do administrator) error {
		return a.onInstallation(cmd, file, args, do)
	})
	c.AddCommand(a.adminInit(&file), a.adminRestore(&file), a.doctor(&file))
	return c
}

// adminTree adds the commands that work on an open installation.
func (a *app) adminTree(c *cobra.Command, with func(*cobra.Command, []string, administrator) error) {
	c.AddCommand(a.adminUser(with), a.adminDisplay(with), a.adminSeal(with), a.adminJournal(with), a.adminKey(with), a.adminBackup(with))
}

// onInstallation runs a command on the installation, or lets the service that has it open run it.
func (a *app) onInstallation(cmd *cobra.Command, file string, args []string, do administrator) error {
	cfg, o, err := load(file)
	if err != nil {
		return err
	}
	s, err := service.Open(cmd.Context(), o)
	if fault.Is(err, "store.locked") {
		return a.byService(cmd, adminSocket(cfg.Data.Dir))
	}
	if err != nil {
		return err
	}
	return errors.Join(do(cmd.Context(), s, args), s.Close())
}

// adminOrder goes to a running service: the command line after "admin", what stands on standard input, and the language.
type adminOrder struct {
	Args  []string    `json:"args"`
	Input string      `json:"input"`
	Lang  locale.Lang `json:"lang"`
}

// adminAnswer comes from a running service.
type adminAnswer struct {
	Output string `json:"output"`
	Errors string `json:"errors"`
	Code   int    `json:"code"`
}

// byService sends the command to the service that has the installation open.
func (a *app) byService(cmd *cobra.Command, socket string) error {
	in := adminOrder{Args: commandLine(cmd), Lang: a.lang}
	if cmd.Annotations["stdin"] != "" {
		data, err := io.ReadAll(io.LimitReader(a.in, 64<<10))
		if err != nil {
			return err
		}
		in.Input = string(data)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial}}
	req, err := http.NewRequestWithContext(cmd.Context(), http.MethodPost, "http://admin/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "cli.admin_busy", nil)
	}
	defer resp.Body.Close()
	var out adminAnswer
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return fmt.Errorf("read the service's answer: %w", err)
	}
	fmt.Fprint(a.out, out.Output)
	fmt.Fprint(a.err, out.Errors)
	if out.Code != 0 {
		return exit(out.Code)
	}
	return nil
}

// commandLine is what was typed after "admin", without the flags that say where the installation is.
func commandLine(cmd *cobra.Command) []string {
	_, rest, found := cut(os.Args[1:], "admin")
	if !found {
		return nil
	}
	out := []string{}
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == "--config":
			i++
		case strings.HasPrefix(rest[i], "--config="):
		default:
			out = append(out, rest[i])
		}
	}
	return out
}

func cut(args []string, at string) (before, after []string, found bool) {
	for i, arg := range args {
		if arg == at {
			return args[:i], args[i+1:], true
		}
	}
	return args, nil, false
}

// adminHandler carries out administrators' commands inside the service.
func (a *app) adminHandler(s *service.Service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in adminOrder
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in); err != nil {
			http.Error(w, "the order can't be read", http.StatusBadRequest)
			return
		}
		var out, errOut bytes.Buffer
		inside := &app{lang: in.Lang, in: strings.NewReader(in.Input), out: &out, err: &errOut}
		root := &cobra.Command{Use: "admin", SilenceErrors: true, SilenceUsage: true}
		root.PersistentFlags().String("lang", "", "")
		inside.adminTree(root, func(cmd *cobra.Command, args []string, do administrator) error { return do(cmd.Context(), s, args) })
		root.SetArgs(in.Args)
		root.SetOut(&out)
		root.SetErr(&errOut)
		result := adminAnswer{}
		var code exit
		switch err := root.ExecuteContext(r.Context()); {
		case errors.As(err, &code):
			result.Code = int(code)
		case err != nil:
			fmt.Fprintf(&errOut, "countersign: %s\n", inside.sentence(err))
			result.Code = 1
		}
		result.Output, result.Errors = out.String(), errOut.String()
		if err := json.NewEncoder(w).Encode(result); err != nil {
			s.Options.Log.Warn("the administrator has gone", "err", err)
		}
	})
}

// password reads the first line of standard input.
func (a *app) password() (string, error) {
	data, err := io.ReadAll(io.LimitReader(a.in, 4096))
	if err != nil {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimRight(line, "\r"), nil
}
