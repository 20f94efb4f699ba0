package service

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"countersign/signing/key"
)

// ModuleCommand is the hidden subcommand whose process serves one PKCS#11 module.
const ModuleCommand = "token-module"

// moduleGrace is how long a module's process may take to end by itself.
const moduleGrace = 2 * time.Second

// OpenTokens opens PKCS#11 modules, each in a process of its own: this program again, as ModuleCommand. inside loads them
// into this process instead, for a module that bears no other.
func OpenTokens(modules []string, inside bool) (*key.Tokens, error) {
	if inside {
		return key.OpenTokens(modules...), nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program to start it for PKCS#11 modules: %w", err)
	}
	return key.OpenTokensApart(LaunchModule(self, ModuleCommand), modules...), nil
}

// Tokens lists the tokens that PKCS#11 modules reach now. What could be read is returned beside the error for the rest.
func Tokens(modules []string, inside bool) ([]key.Token, error) {
	tokens, err := OpenTokens(modules, inside)
	if err != nil {
		return nil, err
	}
	list, err := tokens.List()
	return list, errors.Join(err, tokens.Close())
}

// The files of a module's process. Its standard output is not used: modules print there.
const (
	moduleIn  = 3
	moduleOut = 4
)

// ServeModule is the work of a module's process.
func ServeModule(path string) error {
	in, out := os.NewFile(moduleIn, "questions"), os.NewFile(moduleOut, "answers")
	if in == nil || out == nil {
		return errors.New("serve a PKCS#11 module: this is started by the program itself only")
	}
	return key.ServeModule(path, struct {
		io.Reader
		io.Writer
	}{in, out})
}

// LaunchModule starts modules' processes by a command, which gets the module's path as its last argument.
func LaunchModule(command ...string) key.Launch {
	return func(module string) (io.ReadWriteCloser, error) {
		questionsOut, questionsIn, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		answersOut, answersIn, err := os.Pipe()
		if err != nil {
			return nil, errors.Join(err, questionsOut.Close(), questionsIn.Close())
		}
		c := exec.Command(command[0], append(command[1:len(command):len(command)], module)...)
		c.ExtraFiles = []*os.File{questionsOut, answersIn}
		// Of a crash only the fact is told; what a module leaves in its last words is nobody's business.
		c.Env = append(os.Environ(), "GOTRACEBACK=none")
		// A Ctrl+C at the terminal is for us: we end the process in order.
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		err = c.Start()
		err = errors.Join(err, questionsOut.Close(), answersIn.Close())
		if err != nil {
			return nil, errors.Join(err, questionsIn.Close(), answersOut.Close())
		}
		return &moduleProcess{Reader: answersOut, Writer: questionsIn, command: c, files: []io.Closer{questionsIn, answersOut}}, nil
	}
}

// moduleProcess is the pipe to a module's process.
type moduleProcess struct {
	io.Reader
	io.Writer
	command *exec.Cmd
	files   []io.Closer
}

// Close lets the process end, and ends it when it does not.
func (p *moduleProcess) Close() error {
	late := time.AfterFunc(moduleGrace, func() {
		// It may have ended this very moment.
		_ = p.command.Process.Kill()
	})
	defer late.Stop()
	var errs []error
	for _, f := range p.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(append(errs, p.command.Wait())...)
}
