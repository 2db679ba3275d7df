package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fclocal/internal/files"
)

// ReservedVariables are the environment variables that every platform sets: one of
// the function's own with such a name would take its place.
var ReservedVariables = []string{
	"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN",
	"FC_ACCOUNT_ID", "FC_CUSTOM_LISTEN_PORT", "FC_FUNC_CODE_PATH", "FC_FUNCTION_HANDLER", "FC_FUNCTION_MEMORY_SIZE",
	"FC_FUNCTION_NAME", "FC_INSTANCE_ID", "FC_REGION", "FC_RUNTIME_API", "FC_SERVER_PORT",
}

// environmentRules checks what no schema says of environmentVariables.
func (c *checker) environmentRules(u *unit) {
	path := u.functionPath + ".environmentVariables"
	variables := u.function.value.field("environmentVariables")
	if variables == nil {
		return
	}
	size := 0
	for _, f := range variables.value.fields {
		size += len(f.key) + len(f.value.text)
		at := join(path, f.key)
		switch {
		case nameFault(f.key, u.reserved) != "":
			c.fail(f.place, at, "%s", nameFault(f.key, u.reserved))
		case strings.Contains(f.value.text, "\x00"):
			c.fail(f.value.place, at, "%s", nulFault(f.key))
		case f.key == "GOMEMLIMIT" && !f.value.unresolved && !c.failed[at]:
			c.memoryLimitRule(u, f.value, at)
		}
	}
	if size > environmentLimit {
		c.fail(variables.place, path, "environmentVariables are %d bytes; allowed are %d for all names and values", size, environmentLimit)
	}
}

// nameFault is what is wrong with a variable's name, or "". reserved are names beside
// ReservedVariables.
func nameFault(name string, reserved []string) string {
	switch {
	case name == "":
		return "the name of an environment variable is empty"
	case strings.ContainsAny(name, "=\x00\n"):
		return fmt.Sprintf("the name of the environment variable %s has a character that none can have: =, NUL or a line break", quote(name))
	case slices.Contains(ReservedVariables, name) || slices.Contains(reserved, name):
		return name + " is an environment variable that the platform sets; give yours another name"
	}
	return ""
}

func nulFault(name string) string {
	return "the value of " + name + " has a NUL in it, which no environment variable can have"
}

// AddVariables adds to the function's environmentVariables, or replaces some, by the
// rules for those. No error shows a value.
func (p *Project) AddVariables(variables map[string]string) error {
	var reserved []string
	for _, variable := range p.Variables {
		name, _, _ := strings.Cut(variable, "=")
		reserved = append(reserved, name)
	}
	all := maps.Clone(p.Function.EnvironmentVariables)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if fault := nameFault(name, reserved); fault != "" {
			return errors.New(fault)
		}
		if strings.Contains(variables[name], "\x00") {
			return errors.New(nulFault(name))
		}
		all[name] = variables[name]
	}
	size := 0
	for name, value := range all {
		size += len(name) + len(value)
	}
	if size > environmentLimit {
		return fmt.Errorf("the environment variables, with those of s.yaml, are %d bytes; allowed are %d for all names and values", size, environmentLimit)
	}
	p.Function.EnvironmentVariables = all
	return nil
}

// memoryLimitRule warns of a GOMEMLIMIT that does nothing, or keeps the function from
// starting.
func (c *checker) memoryLimitRule(u *unit, limit *node, path string) {
	bytes, ok := byteCount(limit.text)
	memoryPath := u.functionPath + ".memorySize"
	switch memory := u.memory(); {
	case !ok:
		c.warn(limit.place, path, "GOMEMLIMIT is %s, with which a Go program does not start; allowed is a number of bytes, or one with B, KiB, MiB, GiB or TiB", limit.show())
	case u.function.value.unclear("memorySize") || c.failed[memoryPath] || c.misspelt[memoryPath]:
	case bytes > int64(memory)<<20:
		c.warn(limit.place, path, "GOMEMLIMIT is %s, above memorySize, which is %d MB: the function is killed before the limit does anything", limit.show(), memory)
	}
}

// byteCount reads a GOMEMLIMIT as the Go runtime does. It is 0 without a limit.
func byteCount(text string) (bytes int64, ok bool) {
	if text == "" || text == "off" {
		return 0, true
	}
	number, unit := text, int64(1)
	if digits := strings.TrimSuffix(text, "B"); digits != text {
		number = digits
		for power, prefix := range []string{"Ki", "Mi", "Gi", "Ti"} {
			if digits := strings.TrimSuffix(number, prefix); digits != number {
				number, unit = digits, 1<<(10*(power+1))
				break
			}
		}
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/unit {
		return 0, false
	}
	return int64(n) * unit, true
}

// programRules checks that the handler of a go1 function is the program in its code.
func (c *checker) programRules(u *unit) {
	function := u.function.value
	handler, codeURI := function.at("handler"), function.at(u.keys.code)
	handlerPath, codePath := u.functionPath+".handler", join(u.functionPath, u.keys.code)
	if runtime := u.runtime(); runtime != "go1" && runtime != "" {
		return
	}
	if handler == nil || handler.kind != scalarKind || c.failed[handlerPath] {
		return
	}
	// Also where it is not resolved: it is used as it stands.
	if handler.text == "." || handler.text == ".." || strings.ContainsAny(handler.text, "/\\\x00") {
		c.fail(handler.place, handlerPath, "handler is %s; the name of the binary in %s is needed, without a directory", handler.show(), u.keys.code)
		return
	}
	if handler.unresolved {
		return
	}
	if built := builtPrograms(c.actions(u, "deploy")); built != nil && !slices.Contains(built, handler.text) {
		c.warn(handler.place, handlerPath, "handler is %s; the action pre-deploy builds %s", handler.show(), quote(strings.Join(built, ", ")))
	}
	file, err := filepath.Abs(c.file)
	if err != nil || codeURI == nil || codeURI.kind != scalarKind || codeURI.unresolved || c.failed[codePath] {
		return
	}
	p := Project{Dir: filepath.Dir(file), Function: Function{CodeURI: codeURI.text}}
	if info, err := os.Stat(p.Code()); err != nil || !info.IsDir() {
		return
	}
	if _, err := os.Stat(filepath.Join(p.Code(), handler.text)); os.IsNotExist(err) && files.Above("go.mod", p.Code(), p.Dir) == "" {
		c.warn(codeURI.place, codePath, "%s is %s, where no program %s is, nor a go.mod there or above to build it from", u.keys.code, codeURI.show(), handler.show())
	}
}

var (
	goBuild     = regexp.MustCompile(`\bgo\s(?:[^;&|\n]*\s)?build\s([^;&|\n]*)`)
	buildOutput = regexp.MustCompile(`(?:^|\s)-o(?:=|\s+)("[^"]*"|'[^']*'|\S+)`)
)

// builtPrograms are the names of what `go build -o` makes in the actions, as far as
// they can be told without a shell.
func builtPrograms(lists []*node) []string {
	var actions []*node
	for _, list := range lists {
		actions = append(actions, list.items...)
	}
	var names []string
	for _, action := range actions {
		for _, build := range goBuild.FindAllStringSubmatch(action.string("", "run"), -1) {
			output := buildOutput.FindStringSubmatch(build[1])
			if output == nil {
				continue
			}
			program := strings.Trim(output[1], `"'`)
			if name := path.Base(program); !strings.HasSuffix(program, "/") && !strings.ContainsAny(name, "$`*?") && strings.Trim(name, ".") != "" {
				names = append(names, name)
			}
		}
	}
	return names
}
