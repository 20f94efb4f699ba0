package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	c.AddCommand(a.adminInit(&file), a.adminRestore(&file), a.doctor(&file), a.adminToken(&file))
	return c
}

// adminTree adds the commands that work on an open installation.
func (a *app) adminTree(c *cobra.Command, with func(*cobra.Command, []string, administrator) error) {
	c.AddCommand(a.adminUser(with), a.adminAgent(with), a.adminDisplay(with), a.adminSeal(with), a.adminJournal(with), a.adminKey(with), a.adminBackup(with), a.adminCA(with), a.adminLink(with))
}

// onInstallation runs a command on the installation, or lets the service that has it open run it.
func (a *app) onInstallation(cmd *cobra.Command, file string, args []string, do administrator) error {
	cfg, o, err := load(file)
	if err != nil {
		return err
	}
	if running(cfg.Data.Dir) {
		return a.byService(cmd, "admin", adminSocket(cfg.Data.Dir))
	}
	s, err := service.Open(cmd.Context(), o)
	if err != nil {
		return err
	}
	if cmd.Annotations[needsRunning] != "" {
		return errors.Join(fault.New(fault.Unavailable, "cli.not_running", nil), s.Close())
	}
	return errors.Join(do(cmd.Context(), s, args), s.Close())
}

// running reports whether a service answers administrators of a data directory; a socket that was left behind does not.
func running(dir string) bool {
	conn, err := net.Dial("unix", adminSocket(dir))
	if err != nil {
		return false
	}
	// Nothing was said yet, so nothing can be lost.
	_ = conn.Close()
	return true
}

// needsRunning marks commands that change only what a running service holds in memory.
const needsRunning = "running"

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

// byService sends the command to the process that has the data open. tree is the word after which its commands begin.
func (a *app) byService(cmd *cobra.Command, tree, socket string) error {
	args, err := commandLine(cmd, tree)
	if err != nil {
		return err
	}
	in := adminOrder{Args: args, Lang: a.lang}
	if cmd.Annotations["stdin"] != "" && !cmd.Flags().Changed("token") {
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

// commandLine is the command below a tree with its flags and arguments, without those that say where the installation
// is and how to speak. Files are named from the root: the service works in another directory.
func commandLine(cmd *cobra.Command, tree string) ([]string, error) {
	_, path, _ := strings.Cut(cmd.CommandPath(), " "+tree+" ")
	out := strings.Fields(path)
	var failed error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			switch f.Name {
			case "config", "lang":
				continue
			case "to", "checkpoint", "key", "request", "from":
				abs, err := filepath.Abs(v)
				failed = errors.Join(failed, err)
				v = abs
			}
			out = append(out, "--"+f.Name+"="+v)
		}
	})
	return append(append(out, "--"), cmd.Flags().Args()...), failed
}

// adminHandler carries out administrators' commands inside the service.
func (a *app) adminHandler(s *service.Service) http.Handler {
	return treeHandler(s.Options.Log, func(inside *app, root *cobra.Command) {
		inside.adminTree(root, func(cmd *cobra.Command, args []string, do administrator) error { return do(cmd.Context(), s, args) })
		root.AddCommand(&cobra.Command{Use: "doctor", RunE: func(cmd *cobra.Command, _ []string) error {
			return inside.examine(cmd.Context(), s)
		}})
	})
}

// treeHandler carries out the commands of a tree inside the process that has the data open.
func treeHandler(log *slog.Logger, grow func(inside *app, root *cobra.Command)) http.Handler {
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
		grow(inside, root)
		strict(root)
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
			log.Warn("the administrator has gone", "err", err)
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
