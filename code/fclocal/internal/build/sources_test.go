package build

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fclocal/internal/config"
)

func TestSources(t *testing.T) {
	directory, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(directory, filepath.FromSlash(name)) }
	for name, content := range map[string]string{
		"code/go.mod":            "module f\ngo 1.26\nrequire example.com/lib v0.0.0\nrequire example.com/unused v0.0.0\nreplace example.com/lib => ../lib\nreplace example.com/unused => ../unused",
		"code/main.go":           "package main\nimport (_ \"embed\"; \"example.com/lib\")\n//go:embed one.txt texts/deep\nvar _ string\nfunc main() { lib.F() }",
		"code/one.txt":           "",
		"code/texts/deep/of.txt": "",
		"lib/go.mod":             "module example.com/lib",
		"lib/lib.go":             "package lib\nfunc F() {}",
		"unused/go.mod":          "module example.com/unused",
		"go.work":                "go 1.26\nuse ./code",
		"js/app.js":              "",
	} {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOWORK", "")
	t.Setenv("GOFLAGS", "")
	project := func(runtime, code string, actions ...string) *config.Project {
		p := &config.Project{Dir: directory, Function: config.Function{Runtime: runtime, CodeURI: code, Handler: "main"}}
		for _, path := range actions {
			p.Build = append(p.Build, config.Action{Run: "make", Path: at(path)})
		}
		return p
	}
	for name, test := range map[string]struct {
		project *config.Project
		want    Sources
	}{
		"go1": {project("go1", "code/target"), Sources{
			Modules: []string{at("code"), at("lib")}, Files: []string{at("go.work"), at("code/one.txt")}, Trees: []string{at("code/texts")}, Compared: true}},
		"a custom runtime in Go": {project("custom", "code"), Sources{
			Modules: []string{at("code"), at("lib")}, Files: []string{at("go.work"), at("code/one.txt")}, Trees: []string{at("code/texts"), at("code")}}},
		"a script":               {project("custom", "js", "."), Sources{Trees: []string{at("."), at("js")}, Actions: true}},
		"a script as it is":      {project("custom", "js"), Sources{Trees: []string{at("js")}}},
		"a program by an action": {project("go1", "js", "lib"), Sources{Trees: []string{at("lib"), at("js")}, Program: at("js/main"), Actions: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got := SourcesOf(t.Context(), test.project)
			same := slices.Equal(got.Modules, test.want.Modules) && slices.Equal(got.Files, test.want.Files) && slices.Equal(got.Trees, test.want.Trees)
			if !same || got.Program != test.want.Program || got.Actions != test.want.Actions || got.Compared != test.want.Compared {
				t.Errorf("%+v\nwant %+v", got, test.want)
			}
		})
	}
}
