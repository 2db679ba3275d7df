package config

import (
	_ "embed"
	"regexp"
)

//go:embed edition1.schema.json
var schema1 []byte

var component1 = regexp.MustCompile(`^(devsapp/)?fc(@.+)?$`) // as in the schema

// edition1 is FC 2.0's: services of component devsapp/fc, each with one function.
var edition1 = edition{
	version:    "1.0.0",
	platform:   "FC 2.0",
	component:  "devsapp/fc",
	isFunction: func(service *node) bool { return component1.MatchString(service.string("", "component")) },
	wrongComponents: func(component string) string {
		if component3.MatchString(component) {
			return "FC 3.0's; FC 2.0's is devsapp/fc"
		}
		return ""
	},
	schema:   schema1,
	units:    "services",
	service:  []string{"service"},
	function: []string{"function"},
	keys: keys{
		function: "name", code: "codeUri",
		trigger: "name", triggerType: "type", triggerConfig: "config",
		port: []string{"caPort"}, health: []string{"customHealthCheckConfig"},
	},
	syntax:   oldSyntax,
	reserved: []string{"FC_SERVICE_NAME", "FC_QUALIFIER"},
	renamed: map[string]map[string]string{
		"": {
			"resources": "=services",
			"template":  "FC 2.0's file has none",
			"extend":    "FC 2.0's file has none",
			"env":       "FC 2.0's file has none",
		},
		"props": {
			"functionName": "FC 2.0's file has it as function.name",
			"runtime":      "it stands in function in FC 2.0's file",
			"handler":      "it stands in function in FC 2.0's file",
			"code":         "FC 2.0's file has it as function.codeUri",
			"memorySize":   "it stands in function in FC 2.0's file",
			"role":         "it stands in service in FC 2.0's file",
			"logConfig":    "it stands in service in FC 2.0's file",
			"vpcConfig":    "it stands in service in FC 2.0's file",
		},
		"function": {
			"functionName":      "=name",
			"code":              "=codeUri",
			"asyncInvokeConfig": "=asyncConfiguration",
			"gpuConfig":         "FC 2.0's file calls it instanceType and gpuMemorySize",
			"role":              "it stands in service in FC 2.0's file",
			"logConfig":         "it stands in service in FC 2.0's file",
			"vpcConfig":         "it stands in service in FC 2.0's file",
			"internetAccess":    "it stands in service in FC 2.0's file",
		},
		"lifecycle": {
			"initializer": "FC 2.0's file has function.initializer and initializationTimeout",
		},
		"trigger": {
			"triggerName":    "=name",
			"triggerType":    "=type",
			"triggerConfig":  "=config",
			"invocationRole": "=role",
		},
	},
	rules: func(c *checker, u *unit, deploy bool) {
		function := u.function.node()
		if key := function.field("ossKey"); key != nil && function.at("codeUri") != nil {
			c.fail(key.place, join(u.functionPath, "ossKey"), "ossKey stands beside codeUri; one of them is allowed")
		}
		if deploy {
			c.nameRule(u.service.node().at("name"), join(u.servicePath, "name"), longestServiceName)
			c.arnRule(u.service.node().at("role"), join(u.servicePath, "role"))
		}
	},
	complete: func(_ *checker, u *unit, p *Project) {
		p.Service.Name = u.service.node().string("", "name")
		p.Variables = append(p.Variables, "FC_SERVICE_NAME="+p.Service.Name)
		if p.Trigger != nil {
			p.Variables = append(p.Variables, "FC_QUALIFIER="+p.Trigger.Qualifier)
		} else {
			p.Variables = append(p.Variables, "FC_QUALIFIER="+latest)
		}
		p.Function.PreFreeze = hook(u.function.node(), "preFreeze")
		p.HTTPTrigger = httpTrigger(u.props.node())
	},
}

// httpTrigger is the name of one of the triggers of type http, which in FC 2.0 makes
// of a go1 function one that takes HTTP requests (documented); "" if there is none.
func httpTrigger(props *node) string {
	if triggers := props.at("triggers"); triggers != nil {
		for _, trigger := range triggers.items {
			if trigger.string("", "type") == "http" {
				return trigger.string("", "name")
			}
		}
	}
	return ""
}
