package build

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"fclocal/internal/config"
	"fclocal/internal/files"
)

// Sources are the files that a function is made of.
type Sources struct {
	Modules  []string // directories of the Go modules on this machine that it is built from
	Files    []string // beside their Go files: go.work, and what is embedded
	Trees    []string // directories of which all counts
	Program  string   // what a build makes in Trees, or ""
	Actions  bool     // the file's actions build it, and may write into Trees
	Compared bool     // two builds whose programs are alike are the same function
}

// SourcesOf finds a project's sources. What the go command cannot tell, as there is a
// mistake in the code, is left out.
func SourcesOf(ctx context.Context, p *config.Project) Sources {
	custom := p.Function.IsCustom()
	module := ""
	if hasModule(p) {
		module = files.Above("go.mod", p.Code(), p.Dir)
	}
	s := Sources{Compared: module != "" && !custom}
	if module != "" {
		s.listed(ctx, module)
	} else if len(p.Build) > 0 {
		s.Actions = true
		for _, action := range p.Build {
			s.Trees = append(s.Trees, action.Path)
		}
		if !custom {
			s.Program = filepath.Join(p.Code(), p.Function.Handler)
		}
	}
	if !s.Compared {
		s.Trees = append(s.Trees, p.Code())
	}
	return s
}

// listed asks the go command what a module's program is built from.
func (s *Sources) listed(ctx context.Context, module string) {
	s.Modules = []string{module}
	goCommand := func(arguments ...string) io.Reader {
		command := exec.CommandContext(ctx, "go", arguments...)
		command.Dir = module
		command.Env = forHere()
		output, err := command.Output()
		if errors.As(err, new(*exec.ExitError)) && ctx.Err() == nil {
			err = nil // it has told what it could
		}
		if err != nil {
			output = nil
		}
		return strings.NewReader(string(output))
	}
	workspace, _ := io.ReadAll(goCommand("env", "GOWORK"))
	if path := strings.TrimSpace(string(workspace)); filepath.IsAbs(path) {
		s.Files = append(s.Files, path)
	}
	packages := json.NewDecoder(goCommand("list", "-deps", "-e", "-json=Dir,Module,EmbedFiles", "."))
	for {
		var p struct {
			Dir        string
			EmbedFiles []string
			Module     *struct {
				Dir     string
				Main    bool
				Replace *struct{ Version string }
			}
		}
		if packages.Decode(&p) != nil {
			break
		}
		m := p.Module
		if m == nil || m.Dir == "" || !m.Main && (m.Replace == nil || m.Replace.Version != "") {
			continue
		}
		if !slices.Contains(s.Modules, m.Dir) {
			s.Modules = append(s.Modules, m.Dir)
		}
		for _, name := range p.EmbedFiles {
			if directory, _, below := strings.Cut(filepath.ToSlash(name), "/"); below { // with those that come
				if directory = filepath.Join(p.Dir, directory); !slices.Contains(s.Trees, directory) {
					s.Trees = append(s.Trees, directory)
				}
			} else {
				s.Files = append(s.Files, filepath.Join(p.Dir, name))
			}
		}
	}
}
