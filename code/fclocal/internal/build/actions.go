package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"fclocal/internal/config"
	"fclocal/internal/escape"
	"fclocal/internal/failure"
)

// shownOutput is how much of what an action writes is shown when it fails: the end.
const shownOutput = 16 << 10

// runActions runs the file's actions as `s local` does, or else `s deploy`, in the
// environment of who calls fclocal. What is run is said, its output shown if it fails,
// which is a failure.
func runActions(ctx context.Context, p *config.Project, output io.Writer) error {
	if len(p.Build) == 0 {
		return nil
	}
	_, unlock, err := begin(ctx, p.Code(), output)
	if err != nil {
		return err
	}
	defer unlock()
	for _, action := range p.Build {
		if action.Run == "" {
			fmt.Fprintf(output, "fclocal: %s: %s is left out: run it with s if the function needs it\n", action.Hook, escape.Line(action.Other))
			continue
		}
		where := ""
		if relative, err := filepath.Rel(p.Dir, action.Path); err == nil && relative != "." {
			where = " (in " + escape.Line(relative) + ")"
		}
		fmt.Fprintf(output, "fclocal: %s: %s%s\n", action.Hook, escape.Line(action.Run), where)
		err := runAction(ctx, action, output)
		switch {
		case ctx.Err() != nil:
			return err
		case err != nil && action.AllowFailure:
			fmt.Fprintf(output, "fclocal: it failed, which allow_failure allows: %v\n", err)
		case err != nil:
			return failure.Of(fmt.Errorf("the function does not build: %s: %s: %w", action.Hook, action.Run, err))
		}
	}
	return nil
}

func runAction(ctx context.Context, action config.Action, output io.Writer) error {
	if info, err := os.Stat(action.Path); err != nil || !info.IsDir() {
		return fmt.Errorf("its path %s is not a directory", action.Path)
	}
	shell := []string{"sh", "-c", action.Run}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C", action.Run}
	}
	command := exec.CommandContext(ctx, shell[0], shell[1:]...)
	command.Dir = action.Path
	var written end
	command.Stdout, command.Stderr = &written, &written
	err := run(ctx, command)
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it has left something behind that holds its output open
	}
	if err != nil && ctx.Err() == nil && len(written.text) > 0 {
		text := strings.ToValidUTF8(string(written.text), "")
		fmt.Fprintln(output, escape.Text(strings.TrimSuffix(text, "\n")))
	}
	return err
}

// An end is the end of what is written.
type end struct{ text []byte }

func (e *end) Write(text []byte) (int, error) {
	e.text = append(e.text, text[max(0, len(text)-shownOutput):]...)
	e.text = e.text[max(0, len(e.text)-shownOutput):]
	return len(text), nil
}
