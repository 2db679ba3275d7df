package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"fclocal/internal/files"
)

// CustomRuntime is how a function of a custom runtime is started and where it listens.
// In FC 2.0's file it is customRuntimeConfig, caPort and customHealthCheckConfig.
type CustomRuntime struct {
	Command []string // with the arguments; none: an executable bootstrap in the code (documented)
	Port    int
	Health  *HealthCheck // nil if there is none
}

// HealthCheck is healthCheckConfig. Ranges and defaults are documented.
type HealthCheck struct {
	Path             string // httpGetUrl
	InitialDelay     int    // seconds, 0 to 120; default 0
	Period           int    // seconds, 1 to 120; default 3
	Timeout          int    // seconds, 1 to 3; default 1
	FailureThreshold int    // 1 to 120; default 3
}

// An Action is a step of actions.pre-local or actions.pre-deploy.
type Action struct {
	Hook         string // such as pre-deploy
	Run          string // a command of the shell, "" if it is another kind of action
	Path         string // where it runs; absolute
	Other        string // what else it is, such as "component: fc3 build"
	AllowFailure bool   // FC 3.0: that it fails does no harm
}

// defaultPort is documented.
const defaultPort = 9000

// customRuntime reads customRuntimeConfig, with port and healthCheckConfig from where
// the edition has them.
func customRuntime(config, port, health *node) CustomRuntime {
	c := CustomRuntime{
		Command: append(texts(config.at("command")), texts(config.at("args"))...),
		Port:    port.whole(defaultPort),
	}
	if path := health.string("", "httpGetUrl"); path != "" {
		c.Health = &HealthCheck{
			Path:             path,
			InitialDelay:     health.whole(0, "initialDelaySeconds"),
			Period:           health.whole(3, "periodSeconds"),
			Timeout:          health.whole(1, "timeoutSeconds"),
			FailureThreshold: health.whole(3, "failureThreshold"),
		}
	}
	return c
}

// texts are those of a list.
func texts(list *node) (all []string) {
	if list != nil {
		for _, item := range list.items {
			all = append(all, item.string(""))
		}
	}
	return all
}

// regexHook is a key of actions that stands for several: pre-${regex('deploy|local')}.
var regexHook = regexp.MustCompile(`^pre-\$\{regex\((['"]?)(.*?)['"]?\)\}$`)

// buildActions are those before `local`, or else those before `deploy`, of all the
// mappings of actions.
func buildActions(directory string, all ...*node) []Action {
	for _, command := range []string{"local", "deploy"} {
		var found []Action
		for _, actions := range all {
			if actions == nil {
				continue
			}
			for _, f := range actions.fields {
				if isHook(f.key, command) {
					for _, item := range f.value.items {
						found = append(found, action(directory, "pre-"+command, item))
					}
				}
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// isHook says whether a key of actions stands for what comes before a command.
func isHook(key, command string) bool {
	if key == "pre-"+command {
		return true
	}
	parts := regexHook.FindStringSubmatch(key)
	if parts == nil {
		return false
	}
	pattern, err := regexp.Compile(parts[2])
	return err == nil && pattern.MatchString(command)
}

func action(directory, hook string, item *node) Action {
	path := item.string(".", "path")
	if !filepath.IsAbs(path) {
		path = filepath.Join(directory, path)
	}
	a := Action{Hook: hook, Run: item.string("", "run"), Path: path, AllowFailure: item.bool(false, "allow_failure")}
	for _, kind := range []string{"component", "plugin"} {
		if other := item.string("", kind); other != "" && a.Run == "" {
			a.Other = kind + ": " + other
		}
	}
	return a
}

// IsCustom says whether the function is an HTTP server that it brings itself.
func (f Function) IsCustom() bool {
	return strings.HasPrefix(f.Runtime, "custom") && f.Runtime != "custom-container"
}

// Runnable is an error if fclocal cannot run the function, which says what to do.
func (p *Project) Runnable() error {
	switch runtime := p.Function.Runtime; {
	case runtime == "go1" && p.HTTPTrigger != "":
		return fmt.Errorf("%s: trigger %s is of type http: FC sends the function HTTP requests, and fclocal runs functions that take events", p.File, quote(p.HTTPTrigger))
	case runtime == "go1" || p.Function.IsCustom():
		return nil
	case runtime == "custom-container":
		return fmt.Errorf("%s: runtime is %s: fclocal runs no images; with runtime custom.debian10 it runs the same HTTP server, started by customRuntimeConfig.command", p.File, runtime)
	default:
		return fmt.Errorf("%s: runtime is %s: fclocal runs go1 and custom runtimes; with runtime custom.debian10, and customRuntimeConfig.command to start an HTTP server that takes POST /invoke, it runs a function in any language", p.File, runtime)
	}
}

// CodeRoot is where FC has the function's code (documented); here it is codeUri.
const CodeRoot = "/code"

// Here is a path of FC, or several as in PATH, on this machine: with codeUri in place of
// /code.
func (p *Project) Here(paths string) string {
	parts := strings.Split(paths, ":")
	for i, part := range parts {
		if below, is := strings.CutPrefix(part, CodeRoot); is && (below == "" || below[0] == '/') {
			parts[i] = filepath.Join(p.Code(), below)
		}
	}
	return strings.Join(parts, ":")
}

// SearchPath is where a function of a custom runtime finds programs: where its own PATH
// says, and then where this machine has them.
func (p *Project) SearchPath() string {
	const separator = string(filepath.ListSeparator)
	return strings.Trim(p.Here(p.Function.EnvironmentVariables["PATH"])+separator+os.Getenv("PATH"), separator)
}

// BootstrapName is the file that starts a function of a custom runtime without a
// command (documented).
const BootstrapName = "bootstrap"

// bootstrapRule warns of a function that nothing starts: where codeUri is there, and
// nothing is to build it.
func (c *checker) bootstrapRule(u *unit) {
	function := u.function.value
	f := Function{Runtime: function.string("", "runtime"), CodeURI: function.string("", u.keys.code)}
	command := []string{"customRuntimeConfig", "command"}
	file, err := filepath.Abs(c.file)
	if err != nil || !f.IsCustom() || f.CodeURI == "" || u.at.value.at("actions") != nil || c.root.at("actions") != nil ||
		function.unclear(u.keys.code) || function.unclear(command...) || function.at(command...) != nil {
		return
	}
	p := Project{Dir: filepath.Dir(file), Function: f}
	if info, err := os.Stat(p.Code()); err != nil || !info.IsDir() || files.Above("go.mod", p.Code(), p.Dir) != "" {
		return
	}
	if _, err := os.Stat(filepath.Join(p.Code(), BootstrapName)); os.IsNotExist(err) {
		c.warn(function.place, u.functionPath, "nothing starts the function: there is no customRuntimeConfig.command, nor a file bootstrap in %s", function.at(u.keys.code).show())
	}
}
