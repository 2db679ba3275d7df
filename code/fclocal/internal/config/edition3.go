package config

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

//go:embed edition3.schema.json
var schema3 []byte

var (
	component3 = regexp.MustCompile(`^fc3(@.+)?$`) // as in the schema
)

// edition3 is FC 3.0's: resources of component fc3, each one function. s checks next
// to nothing of it, and drops what it does not know (read in its code): what is wrong
// here is so by the reference of FC's API of 2023-03-30.
var edition3 = edition{
	version:   "3.0.0",
	platform:  "FC 3.0",
	component: "fc3",
	isFunction: func(resource *node) bool {
		component := resource.string("", "component")
		props := resource.at("props")
		// A component may also be one that lies in a directory.
		return component3.MatchString(component) || props.field("functionName") != nil && props.field("runtime") != nil
	},
	wrongComponents: func(component string) string {
		switch {
		case component1.MatchString(component):
			return "FC 2.0's; FC 3.0's is fc3"
		case strings.HasPrefix(component, "devsapp/fc3"):
			return "which cannot have a /; FC 3.0's is fc3"
		}
		return ""
	},
	schema: schema3,
	units:  "resources",
	keys: keys{
		function: "functionName", code: "code",
		trigger: "triggerName", triggerType: "triggerType", triggerConfig: "triggerConfig",
		port: []string{"customRuntimeConfig", "port"}, health: []string{"customRuntimeConfig", "healthCheckConfig"},
	},
	paths: map[string]string{
		"initializer":           lifecycle + ".initializer.handler",
		"initializationTimeout": lifecycle + ".initializer.timeout",
	},
	fallbacks: map[string]any{"memorySize": 512, "timeout": 3},
	sources:   map[string]string{"memorySize": documented, "timeout": documented},
	without:   []string{"instanceSoftConcurrency"},
	syntax:    newSyntax,
	extends:   true,
	ignored:   "FC 3.0 has none, and s drops it in silence",
	reserved: []string{"FC_RUNTIME", "FC_TIMEOUT", "FC_INITIALIZER_HANDLER", "FC_INITIALIZATION_TIMEOUT",
		"FC_SERVICE_NAME", "FC_QUALIFIER"},
	renamed: map[string]map[string]string{
		"": {
			"services": "=resources",
		},
		"function": {
			"service":                 "FC 3.0 has no services; what stood in it stands in props",
			"function":                "what stood in it stands in props",
			"customDomains":           "FC 3.0's file has a resource of component fc3-domain",
			"name":                    "=functionName",
			"codeUri":                 "=code",
			"ossBucket":               "FC 3.0's file has it as code.ossBucketName",
			"ossKey":                  "FC 3.0's file has it as code.ossObjectName",
			"initializer":             "FC 3.0's file has it as instanceLifecycleConfig.initializer.handler",
			"initializationTimeout":   "FC 3.0's file has it as instanceLifecycleConfig.initializer.timeout",
			"asyncConfiguration":      "=asyncInvokeConfig",
			"caPort":                  "FC 3.0's file has it as customRuntimeConfig.port",
			"customHealthCheckConfig": "FC 3.0's file has it as customRuntimeConfig.healthCheckConfig",
			"instanceType":            "FC 3.0 has none: leave it out",
			"gpuMemorySize":           "FC 3.0's file has it as gpuConfig.gpuMemorySize",
			"instanceSoftConcurrency": "FC 3.0 has none: leave it out",
		},
		"lifecycle": {
			"preFreeze": "FC 3.0 has no such hook",
		},
		"vpc": {
			"vswitchIds": "=vSwitchIds",
		},
		"nasMount": {
			"nasDir": "FC 3.0's file has it in serverAddr, as SERVER:DIRECTORY",
			"fcDir":  "=mountDir",
		},
		"trigger": {
			"name":   "=triggerName",
			"type":   "=triggerType",
			"config": "=triggerConfig",
			"role":   "=invocationRole",
		},
	},
	rules:    rules3,
	complete: complete3,
}

func rules3(c *checker, u *unit, deploy bool) {
	props, path := u.function.value, u.functionPath
	for _, hook := range []string{"initializer", "preStop"} {
		if command := props.at(lifecycle, hook).field("command"); command != nil && props.at(lifecycle, hook, "handler") != nil {
			c.fail(command.place, strings.Join([]string{path, lifecycle, hook, "command"}, "."), "command stands beside handler in %s; one of them is allowed", hook)
		}
	}
	if scaling := props.field("scalingConfig"); scaling != nil && props.at("provisionConfig") != nil {
		c.fail(scaling.place, path+".scalingConfig", "scalingConfig stands beside provisionConfig; one of them is allowed")
	}
	if code := props.at("code"); code != nil && code.kind == mappingKind && !code.unresolved && (code.at("ossBucketName") == nil || code.at("ossObjectName") == nil) {
		c.fail(code.place, path+".code", "code needs ossBucketName and ossObjectName, or is the directory that is deployed")
	}
	if n := props.at("instanceConcurrency"); n != nil && !u.takesMore() && u.runtime() != "" && !n.unresolved && !c.failed[path+".instanceConcurrency"] && props.whole(1, "instanceConcurrency") > 1 {
		if n.override != "" && c.options.AnyConcurrency {
			// as it is asked for
		} else if n.override != "" {
			c.fail(n.place, path+".instanceConcurrency", "instanceConcurrency is always 1 on %s in FC 3.0; only custom runtimes take more", u.runtime())
		} else {
			c.warn(n.place, path+".instanceConcurrency", "instanceConcurrency is %s, and counts as 1: in FC 3.0 a function on %s takes one call at a time; only custom runtimes take more", n.show(), u.runtime())
		}
	}
	if u.at.value.at("actions") != nil {
		for _, f := range u.at.value.at("actions").fields {
			if command, found := strings.CutPrefix(f.key, "post-"); found {
				c.warn(f.place, u.path+".actions."+f.key, "post-%s has been renamed to complete-%s", command, command)
			}
		}
	}
	if env := c.root.field("env"); env != nil {
		c.warn(env.place, "env", "env is %s; fclocal does not put in what the overlays of an environment change", env.value.show())
	}
	if deploy {
		c.roleRule(props.at("role"), path+".role")
	}
}

var roleName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// roleRule checks a role that s makes an ARN of, whatever it is.
func (c *checker) roleRule(role *node, path string) {
	switch text := c.judged(role, path); {
	case text == "" || roleARN.MatchString(text) && roleAccount.MatchString(text):
	case text == "auto":
		c.fail(role.place, path, "role is %s, which FC 3.0 takes for the name of a role; leave it out, or give one", role.show())
	case !roleName.MatchString(text):
		c.fail(role.place, path, "role is %s; the name of a RAM role is needed, or its ARN acs:ram::ACCOUNT:role/NAME: s makes acs:ram::…:role/ and this text of it", role.show())
	}
}

func complete3(c *checker, u *unit, p *Project) {
	props := u.function.value
	if given := p.Function.InstanceConcurrency; given > 1 && !u.takesMore() && !c.options.AnyConcurrency {
		p.Function.InstanceConcurrency = 1 // documented: the field takes no effect
		p.Notes = append(p.Notes, fmt.Sprintf("instanceConcurrency %d counts as 1: in FC 3.0 a function on %s takes one call at a time", given, p.Function.Runtime))
	}
	for _, limit := range [][2]string{
		{"idleTimeout", "--idle-timeout D says after how long an instance without a call goes away"},
		{"concurrencyConfig", "--max-instances N says how many instances there are at most"},
		{"scalingConfig", "fclocal begins without instances"},
		{"provisionConfig", "fclocal begins without instances"},
	} {
		if props.at(limit[0]) != nil {
			p.Notes = append(p.Notes, limit[0]+" is not heeded here; "+limit[1])
		}
	}
	p.Variables = append(p.Variables, "FC_RUNTIME="+p.Function.Runtime, "FC_TIMEOUT="+strconv.Itoa(p.Function.Timeout))
	if p.Function.Initializer != "" {
		p.Variables = append(p.Variables,
			"FC_INITIALIZER_HANDLER="+p.Function.Initializer,
			fmt.Sprintf("FC_INITIALIZATION_TIMEOUT=%d", p.Function.InitializationTimeout))
	}
	for _, hook := range []string{"initializer", "preStop"} {
		if props.at(lifecycle, hook, "command") != nil {
			p.Function.CommandHooks = append(p.Function.CommandHooks, hook)
		}
	}
	// What s sets where none of them is given (read in its code).
	if p.Function.MemorySize == 512 && props.at("cpu") == nil && props.at("diskSize") == nil {
		p.Function.CPU = 0.35
	}
}
