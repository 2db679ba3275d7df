// Package build makes a function's program for this machine from its source.
package build

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"fclocal/internal/escape"
	"fclocal/internal/failure"
	"fclocal/internal/files"
	"fclocal/internal/process"
)

// ErrNoModule is returned when no Go module holds codeUri.
var ErrNoModule = errors.New("no go.mod")

// buildEnd is how long a build that is interrupted may take to clean up.
const buildEnd = 2 * time.Second

// A Binary is a program that no build replaces before it is released.
type Binary struct {
	Path      string
	Args      []string
	Directory string // of its own, which goes with it; "" of a program that was not built here
	Release   func()
}

// A Variant is how a program is built, and kept apart from others.
type Variant string

// The variants.
const (
	Usual    Variant = ""
	Debugged Variant = "debugged" // without optimizations
	Raced    Variant = "raced"    // with the race detector
)

// options are those of go build. But for the usual programs, they have the paths that
// their user knows.
func (v Variant) options() []string {
	switch v {
	case Debugged:
		return []string{"-gcflags", "all=-N -l"}
	case Raced:
		return []string{"-race"}
	default:
		return []string{"-trimpath"}
	}
}

// Function builds the module that holds codeUri, which need not exist, in the
// user's cache directory, so that a next build has little to do. It looks for
// go.mod in codeUri and above it, up to top. What `go build` prints goes to output.
//
// Builds of the same module wait for each other. What is returned is the caller's
// own, so that nobody waits while it runs.
func Function(ctx context.Context, codeURI, top, handler string, variant Variant, output io.Writer) (Binary, error) {
	if filepath.Base(handler) != handler || handler == "." || handler == ".." {
		return Binary{}, fmt.Errorf("the function cannot be built: handler %q is not the name of a file", handler) // it would lie anywhere
	}
	module := files.Above("go.mod", codeURI, top)
	if module == "" {
		return Binary{}, fmt.Errorf("%w in codeUri %s nor above it, up to %s: put the function's source there, or use --no-build", ErrNoModule, codeURI, top)
	}
	source := module
	if variant != Usual {
		source += "\x00" + string(variant)
	}
	directory, unlock, err := begin(ctx, source, output)
	if err != nil {
		return Binary{}, err
	}
	defer unlock()
	removeAbandoned(directory)
	removeUnused(filepath.Dir(directory))
	program := filepath.Join(directory, builtName, handler)
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if err := compile(ctx, module, program, variant, output); err != nil {
		return Binary{}, err
	}
	binary, err := private(directory, program)
	if err != nil {
		return Binary{}, fmt.Errorf("the function cannot be built: %w", err)
	}
	return binary, nil
}

// begin makes the directory for the builds of a source, and locks it.
func begin(ctx context.Context, source string, output io.Writer) (directory string, unlock func(), err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", nil, fmt.Errorf("there is no cache directory to build the function in: %w", err)
	}
	directory = filepath.Join(cache, "fclocal", fmt.Sprintf("%x", sha256.Sum256([]byte(source)))[:16])
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", nil, fmt.Errorf("the function cannot be built: %w", err)
	}
	unlock, err = lock(ctx, filepath.Join(directory, lockName), output)
	return directory, unlock, err
}

// run runs a command of a build. When ctx ends, so does all that it has started.
func run(ctx context.Context, command *exec.Cmd) error {
	process.OwnGroup(command)
	command.Cancel = func() error { return process.InterruptGroup(command.Process.Pid) }
	command.WaitDelay = buildEnd
	err := command.Run()
	if ctx.Err() == nil {
		return err
	}
	if command.Process != nil {
		process.KillGroup(command.Process.Pid) // what did not heed the interrupt
	}
	return failure.New("interrupted")
}

// forHere is the environment of a build for this machine, which is otherwise as by
// s.yaml's actions.
func forHere() []string {
	return append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "CGO_ENABLED=0")
}

// raceNeedsC says whether programs with the race detector are linked with C.
const raceNeedsC = runtime.GOOS != "darwin"

// checkC finds out whether there is the C compiler that the race detector needs.
func checkC(ctx context.Context) error {
	if !raceNeedsC {
		return nil
	}
	output, err := exec.CommandContext(ctx, "go", "env", "CC").Output()
	compiler := strings.Fields(string(output))
	switch {
	case ctx.Err() != nil:
		return failure.New("interrupted")
	case err != nil || len(compiler) == 0:
		return nil // go build says why
	}
	if _, err := exec.LookPath(compiler[0]); err != nil {
		return fmt.Errorf("--race needs a C compiler, and %s, which go env CC names, is not there: install it, or set CC to another one: %w", compiler[0], err)
	}
	return nil
}

// Install puts a program of a module, PACKAGE@VERSION, into a directory. What the go
// command prints goes to output.
func Install(ctx context.Context, program, directory string, output io.Writer) error {
	command := exec.CommandContext(ctx, "go", "install", program)
	command.Env = append(forHere(), "GOBIN="+directory, "GOFLAGS=-trimpath")
	command.Stdout, command.Stderr = output, output
	return run(ctx, command)
}

// compile makes the program.
func compile(ctx context.Context, module, program string, variant Variant, output io.Writer) error {
	command := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-buildvcs=false", "-o", program}, variant.options(), []string{"."})...)
	command.Dir = module
	command.Env = forHere()
	if variant == Raced && raceNeedsC {
		command.Env = append(command.Env, "CGO_ENABLED=1")
	}
	said := escape.NewWriter(output)
	command.Stdout, command.Stderr = said, said
	err := run(ctx, command)
	said.Flush()
	switch {
	case ctx.Err() != nil:
		return err
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("the function cannot be built: install Go, or use --no-build: %w", err)
	case err != nil:
		return fmt.Errorf("the function does not build: go build in %s: %w", module, err)
	}
	return nil
}

// Existing is the program that lies in codeUri already.
func Existing(codeURI, handler string) (Binary, error) {
	program := filepath.Join(codeURI, handler)
	switch info, err := os.Stat(program); {
	case errors.Is(err, os.ErrNotExist):
		return Binary{}, fmt.Errorf("%s does not exist: handler is the program's name in codeUri; build it, or leave --no-build out", program)
	case err != nil:
		return Binary{}, fmt.Errorf("the function cannot be run: %w", err)
	case info.IsDir():
		return Binary{}, fmt.Errorf("%s is a directory: handler is the program's name in codeUri", program)
	case !info.Mode().IsRegular():
		return Binary{}, fmt.Errorf("%s is not a regular file: handler is the program's name in codeUri", program)
	case info.Mode()&0o111 == 0 && runtime.GOOS != "windows":
		return Binary{}, fmt.Errorf("%s is not executable: chmod +x makes it so, on FC too", program)
	}
	return Binary{Path: program, Release: func() {}}, nil
}
