package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// regions are those of the schema of FC 3.0's component, fc3 0.1.22.
var regions = []string{
	"cn-hangzhou", "cn-shanghai", "cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-huhehaote", "cn-wulanchabu", "cn-shenzhen",
	"cn-chengdu", "cn-hongkong", "cn-heyuan-acdr-1", "cn-shanghai-finance-1", "cn-shanghai-cloudspe",
	"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5", "ap-southeast-7", "ap-northeast-1", "ap-northeast-2", "ap-south-1",
	"eu-central-1", "eu-west-1", "us-east-1", "us-west-1", "me-central-1",
}

const (
	longestFunctionName = 64  // documented; s sends up to 128, which FC refuses
	longestServiceName  = 128 // documented
	longestTriggerName  = 128 // documented
)

var (
	roleARN  = regexp.MustCompile(`^acs:ram::[0-9]*:role/.*$`) // as s has it
	fcName   = regexp.MustCompile(`^[_a-zA-Z][-_a-zA-Z0-9]*$`) // of a service, as s has it; of a function (documented)
	isURL    = regexp.MustCompile(`^https?://`)
	harmless = regexp.MustCompile(`^(go (mod|get|vet|test|generate|version)\b|echo\b|cd\b|test\b|true$)`)
)

// deployRules checks what s refuses on its own machine, or FC after it, and what has
// no bearing on a run here.
func (c *checker) deployRules(u *unit) {
	c.regionRule(u.props.node().at("region"), join(u.propsPath, "region"))
	c.logRule(u.service.node().field("logConfig"), join(u.servicePath, "logConfig"))
	c.nameRule(u.function.value.at(u.keys.function), join(u.functionPath, u.keys.function), longestFunctionName)
	for i, trigger := range u.triggers() {
		c.nameRule(trigger.at(u.keys.trigger), fmt.Sprintf("%s.triggers[%d].%s", u.propsPath, i, u.keys.trigger), longestTriggerName)
	}
	c.shellRules(u.at.value.at("actions"), u.path+".actions")
	c.codeRule(u)
}

// judged is the text that a rule can judge, "" if there is none.
func (c *checker) judged(n *node, path string) string {
	if n == nil || n.kind != scalarKind || n.unresolved || c.failed[path] {
		return ""
	}
	return n.text
}

func (c *checker) regionRule(region *node, path string) {
	name := c.judged(region, path)
	if name == "" || slices.Contains(regions, name) {
		return
	}
	advice := "there are " + strings.Join(regions, ", ")
	if near := nearest(name, regions); near != "" {
		advice = "did you mean " + near + "?"
	}
	c.fail(region.place, path, "region is %s, where Function Compute is not; %s", region.show(), advice)
}

// arnRule checks a role that s takes as an ARN only.
func (c *checker) arnRule(role *node, path string) {
	if text := c.judged(role, path); text != "" && !roleARN.MatchString(text) {
		c.fail(role.place, path, "role is %s; s deploys with the ARN of a RAM role only: acs:ram::ACCOUNT:role/NAME, where ACCOUNT is a number", role.show())
	}
}

func (c *checker) logRule(config *field, path string) {
	if config == nil || config.value.kind != mappingKind {
		return
	}
	for _, pair := range [][2]string{{"project", "logstore"}, {"logstore", "project"}} {
		if config.value.field(pair[0]) != nil && config.value.field(pair[1]) == nil && !c.misspelt[join(path, pair[1])] {
			c.fail(config.place, path, "logConfig has %s and no %s; both or none are needed", pair[0], pair[1])
		}
	}
}

func (c *checker) nameRule(name *node, path string, longest int) {
	key := path[strings.LastIndexByte(path, '.')+1:]
	text := c.judged(name, path)
	switch {
	case text == "":
	case !fcName.MatchString(text):
		c.fail(name.place, path, "%s is %s; allowed are letters, digits, _ and -, and no digit or - at the start", key, name.show())
	case len(text) > longest:
		c.fail(name.place, path, "%s has %d characters: %s; allowed are %d", key, len(text), name.show(), longest)
	}
}

// codeRule checks that what is deployed is there, or that an action may make it.
func (c *checker) codeRule(u *unit) {
	code, path := u.function.value.at(u.keys.code), join(u.functionPath, u.keys.code)
	file, err := filepath.Abs(c.file)
	if text := c.judged(code, path); text == "" || err != nil || u.runtime() == "custom-container" || isURL.MatchString(text) {
		return
	}
	p := Project{Dir: filepath.Dir(file), Function: Function{CodeURI: code.text}}
	if _, err := os.Stat(p.Code()); !os.IsNotExist(err) {
		return
	}
	for _, list := range c.actions(u, "deploy") {
		for _, action := range list.items {
			if mayMake(action, p.Dir, p.Code()) {
				return
			}
		}
	}
	c.fail(code.place, path, "%s is %s, which does not exist, and no action of pre-deploy makes it", u.keys.code, code.show())
}

// mayMake tells whether an action may make what lies at a path: whether it builds
// something there, or is a command of which that cannot be told.
func mayMake(action *node, directory, code string) bool {
	if action.at("run") == nil || action.unclear("path") {
		return true // a plugin or a component
	}
	directory = filepath.Join(directory, action.string("", "path"))
	for _, command := range shellCommands(action.string("", "run")) {
		build := goBuild.FindStringSubmatch(command)
		if build == nil {
			if !harmless.MatchString(command) {
				return true
			}
			continue
		}
		output := buildOutput.FindStringSubmatch(build[1])
		switch {
		case output == nil: // the program lies where it is built
		case strings.ContainsAny(output[1], "$`*?"):
			return true
		default:
			made := filepath.Join(directory, strings.Trim(output[1], `"'`))
			if relative, err := filepath.Rel(code, made); err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
				return true
			}
		}
	}
	return false
}

var (
	separator  = regexp.MustCompile(`&&|\|\||[;|\n]`)
	assignment = regexp.MustCompile(`^(?:[A-Za-z_][A-Za-z0-9_]*=\S*\s+)+`)
)

// shellCommands are the commands of a line, without the variables set for them.
func shellCommands(line string) []string {
	var commands []string
	for _, command := range separator.Split(line, -1) {
		command = strings.TrimSpace(command)
		commands = append(commands, assignment.ReplaceAllString(command, ""))
	}
	return commands
}

// hostOS is the system whose shell runs the actions.
var hostOS = runtime.GOOS

// shellRules warn of builds that the shell of Windows, cmd.exe, does not understand.
func (c *checker) shellRules(actions *node, path string) {
	if hostOS != "windows" || actions == nil {
		return
	}
	for _, hook := range actions.fields {
		for i, action := range hook.value.items {
			for _, command := range separator.Split(action.string("", "run"), -1) {
				command = strings.TrimSpace(command)
				if assignment.MatchString(command) && goBuild.MatchString(command) {
					c.warn(action.at("run").place, fmt.Sprintf("%s.%s[%d].run", path, hook.key, i),
						"this sets variables as a POSIX shell does, and s runs it by cmd.exe here; run s in WSL")
					break
				}
			}
		}
	}
}
