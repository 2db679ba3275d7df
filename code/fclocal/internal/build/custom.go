package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"fclocal/internal/config"
)

// custom is what starts a function of a custom runtime: customRuntimeConfig's command,
// or bootstrap. A program in the code that a Go module is there for is built; else the
// file's actions are run.
func custom(ctx context.Context, p *config.Project, existing bool, variant Variant, output io.Writer) (Binary, error) {
	command := p.Function.CustomRuntime.Command
	if len(command) == 0 {
		command = []string{config.CodeRoot + "/" + config.BootstrapName}
	}
	tellDifferences(p, output)
	binary := Binary{Release: func() {}}
	var err error
	if name, inCode := inCode(command[0]); !existing && inCode && hasModule(p) && !isScript(filepath.Join(p.Code(), name)) {
		binary, err = compiled(ctx, p, path.Base(name), variant, output)
	} else if variant == Raced {
		err = errNoRaceBuild
	} else {
		if !existing {
			err = runActions(ctx, p, output)
		}
		if err == nil {
			binary.Path, err = start(p, command[0], existing)
		}
	}
	if err != nil {
		return Binary{}, err
	}
	for _, argument := range command[1:] {
		binary.Args = append(binary.Args, p.Here(argument))
	}
	return binary, nil
}

// tellDifferences says what the function finds otherwise than on FC.
func tellDifferences(p *config.Project, output io.Writer) {
	if len(p.Function.Layers) > 0 {
		fmt.Fprintln(output, "fclocal: layers are not loaded: the function finds what is installed on this machine, and not what they have in /opt")
	}
	if _, err := os.Stat(filepath.Join(p.Code(), ".fcignore")); err == nil {
		fmt.Fprintln(output, "fclocal: .fcignore is not heeded: the function also finds the files that it keeps from being deployed")
	}
}

// inCode is the name of a program below codeUri. One without a directory is looked for
// in PATH, as a shell does.
func inCode(program string) (name string, is bool) {
	if name, is = strings.CutPrefix(program, config.CodeRoot+"/"); is {
		return path.Clean(name), true
	}
	return path.Clean(program), strings.Contains(program, "/") && !path.IsAbs(program)
}

// isScript says whether a file is a program in text.
func isScript(name string) bool {
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	start := make([]byte, 2)
	_, err = io.ReadFull(file, start)
	return err == nil && string(start) == "#!"
}

// start is the file of the program that starts the function.
func start(p *config.Project, program string, existing bool) (string, error) {
	name, inCode := inCode(program)
	if info, err := os.Stat(p.Code()); err != nil || !info.IsDir() {
		return "", fmt.Errorf("the code, %s, is not a directory, and fclocal runs what lies in one: build it, or unpack the archive", p.Code())
	}
	if inCode {
		path := filepath.Join(p.Code(), filepath.FromSlash(name))
		advice := ""
		if existing {
			advice = "; build it, or leave --no-build out"
		}
		switch info, err := os.Stat(path); {
		case errors.Is(err, os.ErrNotExist) && len(p.Function.CustomRuntime.Command) == 0:
			return "", fmt.Errorf("%s does not exist: it starts the function, as customRuntimeConfig has no command%s", path, advice)
		case errors.Is(err, os.ErrNotExist):
			return "", fmt.Errorf("%s does not exist: customRuntimeConfig.command starts the function with it%s", path, advice)
		case err != nil:
			return "", fmt.Errorf("the function cannot be run: %w", err)
		case !info.Mode().IsRegular():
			return "", fmt.Errorf("%s is not a regular file: customRuntimeConfig.command starts the function with it", path)
		case info.Mode()&0o111 == 0 && runtime.GOOS != "windows":
			return "", fmt.Errorf("%s is not executable: chmod +x makes it so, on FC too", path)
		}
		return path, nil
	}
	path, err := lookPath(name, p.SearchPath())
	if _, missing := os.Stat(filepath.Join(p.Code(), name)); err != nil && missing == nil && !filepath.IsAbs(name) {
		return "", fmt.Errorf("customRuntimeConfig.command starts the function with %s, which is looked for in PATH, and is not there: %s/%s is the one in the code", program, config.CodeRoot, name)
	}
	if err != nil {
		return "", fmt.Errorf("customRuntimeConfig.command starts the function with %s, which is not on this machine: install it", program)
	}
	return path, nil
}

// lookPath is exec.LookPath for another PATH.
func lookPath(name, searchPath string) (string, error) {
	if strings.ContainsAny(name, `/\`) {
		return exec.LookPath(name)
	}
	for _, directory := range filepath.SplitList(searchPath) {
		if filepath.IsAbs(directory) {
			if path, err := exec.LookPath(filepath.Join(directory, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", exec.ErrNotFound
}
