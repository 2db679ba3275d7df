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
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// ErrNoModule is returned when no Go module holds codeUri.
var ErrNoModule = errors.New("no go.mod")

// A Binary is a program that another build does not replace before it is released.
type Binary struct {
	Path    string
	Release func()
}

// Function builds the module that holds codeUri, which need not exist, and puts
// the program into the user's cache directory, so that a next build has little
// to do. It looks for go.mod in codeUri and above it, up to top. What `go build`
// prints goes to output.
func Function(ctx context.Context, codeURI, top, handler string, output io.Writer) (Binary, error) {
	module, err := moduleOf(codeURI, top)
	if err != nil {
		return Binary{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Binary{}, fmt.Errorf("there is no cache directory to build the function in: %w", err)
	}
	directory := filepath.Join(cache, "fclocal", fmt.Sprintf("%x", sha256.Sum256([]byte(module)))[:16])
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return Binary{}, fmt.Errorf("the function cannot be built: %w", err)
	}
	release, err := lockedfile.MutexAt(filepath.Join(directory, "lock")).Lock()
	if err != nil {
		return Binary{}, fmt.Errorf("the function cannot be built: %w", err)
	}
	program := filepath.Join(directory, handler)
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, ".")
	command.Dir = module
	// As s.yaml's actions build it, but for this machine.
	command.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "CGO_ENABLED=0")
	command.Stdout, command.Stderr = output, output
	if err := command.Run(); err != nil {
		release()
		if errors.Is(err, exec.ErrNotFound) {
			return Binary{}, fmt.Errorf("the function cannot be built: install Go, or use --no-build: %w", err)
		}
		return Binary{}, fmt.Errorf("the function does not build: go build in %s: %w", module, err)
	}
	return Binary{Path: program, Release: release}, nil
}

func moduleOf(codeURI, top string) (string, error) {
	for directory := codeURI; ; directory = filepath.Dir(directory) {
		if _, err := os.Stat(filepath.Join(directory, "go.mod")); err == nil {
			return directory, nil
		}
		if outside, err := filepath.Rel(top, directory); err != nil || outside == "." || strings.HasPrefix(outside, "..") {
			return "", fmt.Errorf("%w in codeUri %s nor above it, up to %s: put the function's source there, or use --no-build", ErrNoModule, codeURI, top)
		}
	}
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
	}
	return Binary{Path: program, Release: func() {}}, nil
}
