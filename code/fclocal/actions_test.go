package main

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v4"
)

// What `s deploy` and `s local invoke` do first: each of s.yaml's actions builds
// the function for go1, and the same bytes wherever the project lies.
func TestActionsBuildTheFunction(t *testing.T) {
	text, err := os.ReadFile("../../s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type action struct{ Run, Path string }
	var file struct {
		Services map[string]struct{ Actions map[string][]action }
	}
	if err := yaml.Load(text, &file); err != nil {
		t.Fatal(err)
	}
	var programs [][]byte
	for _, service := range file.Services {
		for _, name := range []string{"pre-deploy", "pre-local"} {
			project := t.TempDir()
			copySources(t, filepath.Join(project, "code"))
			for _, action := range service.Actions[name] {
				command := exec.Command("sh", "-c", action.Run)
				command.Dir = filepath.Join(project, action.Path)
				if output, err := command.CombinedOutput(); err != nil {
					t.Fatalf("%s: %s: %v\n%s", name, action.Run, err, output)
				}
			}
			program, err := os.ReadFile(filepath.Join(project, "code/target/main"))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			programs = append(programs, program)
		}
	}
	if len(programs) != 2 {
		t.Fatalf("%d builds, want pre-deploy and pre-local", len(programs))
	}
	if !bytes.Equal(programs[0], programs[1]) {
		t.Error("the two builds differ")
	}
	program, err := elf.NewFile(bytes.NewReader(programs[0]))
	if err != nil {
		t.Fatal(err)
	}
	if program.Machine != elf.EM_X86_64 {
		t.Errorf("built for %v, want x86-64", program.Machine)
	}
	if slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("the program is linked dynamically")
	}
	if program.Section(".symtab") != nil || program.Section(".debug_info") != nil {
		t.Error("the program is not stripped")
	}
}

func copySources(t *testing.T, directory string) {
	if err := os.Mkdir(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"main.go", "go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
