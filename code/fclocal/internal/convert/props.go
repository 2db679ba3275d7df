package convert

import (
	"encoding/json"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A resource is the props of a resource while they are put together.
type resource struct {
	*converter
	props   *yaml.Node
	name    string // of the service's key
	service *yaml.Node
	runtime string
	kafka   bool   // there is a trigger for Kafka
	comment string // of a key that has gone, for the next one
}

// props makes those of a resource of those of a service.
func (c *converter) props(name, props *yaml.Node) *yaml.Node {
	made := *props
	made.Content = nil
	r := resource{converter: c, props: &made, name: name.Value}
	var function *yaml.Node
	for _, p := range c.pairs(props) {
		switch p.key.Value {
		case "service":
			r.service = p.value
		case "function":
			function = p.value
		}
	}
	r.runtime = r.text(function, "runtime")
	for _, p := range c.pairs(props) {
		if triggers := c.follow(p.value); p.key.Value == "triggers" {
			for _, trigger := range triggers.Content {
				source := c.follow(value(c.follow(value(c.follow(trigger), "config")), "eventSourceConfig"))
				r.kafka = r.kafka || value(source, "eventSourceType") != nil && value(source, "eventSourceType").Value == "Kafka"
			}
		}
	}
	for _, p := range c.pairs(props) {
		switch p.key.Value {
		case "service":
			if function == nil {
				r.addService(p)
			}
		case "function":
			r.hold(p)
			r.addFunction(p)
			if r.service != nil {
				r.addService(pair{key(props, "service"), r.service})
			}
		case "triggers":
			p.value = c.written(p.value)
			for i, trigger := range p.value.Content {
				p.value.Content[i] = c.trigger(trigger)
			}
			r.add(p.key, p.value)
		case "customDomains":
			c.note(p.key, "customDomains are left out: in FC 3.0 each is a resource of component fc3-domain")
		default:
			r.add(p.key, p.value)
		}
	}
	return r.props
}

// text is the text under a key of a mapping, "" where a variable has none.
func (r *resource) text(n *yaml.Node, name string) string {
	for _, p := range r.pairs(n) {
		if p.key.Value == name {
			if found := r.follow(p.value); found.Kind == yaml.ScalarNode {
				return found.Value
			}
		}
	}
	return ""
}

// hold keeps the comments of a key that goes away, for the one after it.
func (r *resource) hold(p pair) {
	for _, n := range []*yaml.Node{p.key, p.value} {
		if n != nil {
			for _, comment := range []string{n.HeadComment, n.LineComment} {
				if comment != "" {
					r.comment = strings.TrimPrefix(r.comment+"\n"+comment, "\n")
				}
			}
		}
	}
}

func (r *resource) add(k, v *yaml.Node) {
	if r.comment != "" {
		k.HeadComment = strings.TrimSuffix(r.comment+"\n"+k.HeadComment, "\n")
		r.comment = ""
	}
	r.props.Content = append(r.props.Content, k, v)
}

func (r *resource) addAs(name string, p pair) {
	p.key.Value = name
	r.add(p.key, p.value)
}

func (r *resource) addFunction(function pair) {
	var lifecycle, code, custom, gpu []*yaml.Node // with others, in one mapping
	given := map[string]bool{}
	all := r.pairs(function.value)
	for _, p := range all {
		given[p.key.Value] = true
	}
	for _, p := range all {
		switch name := p.key.Value; name {
		case "name":
			r.addAs("functionName", p)
			shares := ""
			if r.kafka {
				shares = ", and shares the messages of the consumer group"
			}
			r.note(p.key, "functionName is the function's name alone, as FC 3.0 has no services; what FC 2.0's file has deployed stays until it is removed with that file%s", shares)
		case "codeUri":
			r.addAs("code", p)
		case "ossBucket":
			code = append(code, renamed(p, "ossBucketName")...)
		case "ossKey":
			code = append(code, renamed(p, "ossObjectName")...)
		case "initializer":
			lifecycle = append(lifecycle, scalar("initializer"), mapping(renamed(p, "handler")...))
		case "initializationTimeout":
			if !given["initializer"] {
				r.note(p.key, "initializationTimeout is left out, as there is no initializer")
			}
		case "instanceLifecycleConfig":
			for _, hook := range r.pairs(p.value) {
				if hook.key.Value == "preFreeze" {
					r.note(hook.key, "preFreeze is left out: FC 3.0 has no such hook")
				} else {
					lifecycle = append(lifecycle, hook.key, hook.value)
				}
			}
		case "asyncConfiguration":
			r.addAsync(p)
		case "instanceType":
			if strings.HasPrefix(p.value.Value, "fc.gpu") {
				gpu = append(gpu, renamed(p, "gpuType")...)
			} else {
				r.note(p.key, "instanceType %s is left out: FC 3.0 has none", p.value.Value)
			}
		case "gpuMemorySize":
			gpu = append(gpu, p.key, p.value)
		case "instanceSoftConcurrency":
			r.note(p.key, "instanceSoftConcurrency is left out: FC 3.0 has none")
		case "instanceConcurrency":
			r.add(p.key, p.value)
			if !strings.HasPrefix(r.runtime, "custom") {
				r.note(p.key, "instanceConcurrency %s counts as 1 in FC 3.0 on %s: each call in flight needs an instance of its own; only custom runtimes take more", r.follow(p.value).Value, r.runtime)
			}
		case "caPort":
			custom = append(custom, renamed(p, "port")...)
		case "customHealthCheckConfig":
			custom = append(custom, renamed(p, "healthCheckConfig")...)
		case "customRuntimeConfig":
			for _, part := range r.pairs(p.value) {
				custom = append(custom, part.key, part.value)
			}
		case "customContainerConfig":
			custom = append(custom, r.container(p.value)...)
		case "runtime":
			if old := r.follow(p.value).Value; old == "nodejs6" || old == "nodejs4.4" {
				r.note(p.value, "runtime %s is not in FC 3.0: take a newer one", old)
			}
			r.add(p.key, p.value)
		default:
			r.add(p.key, p.value)
		}
	}
	for _, p := range all {
		if p.key.Value == "initializationTimeout" && given["initializer"] {
			for i := 0; i < len(lifecycle); i += 2 {
				if lifecycle[i].Value == "initializer" {
					lifecycle[i+1].Content = append(lifecycle[i+1].Content, renamed(p, "timeout")...)
				}
			}
		}
	}
	// What FC 2.0 takes where nothing is given (inferred): FC 3.0 takes something else.
	for _, setting := range [][2]string{{"memorySize", "128"}, {"timeout", "60"}} {
		if !given[setting[0]] {
			r.add(scalar(setting[0]), number(setting[1]))
			r.note(function.key, "%s is %s, which FC 2.0 takes where none is given: FC 3.0 takes another", setting[0], setting[1])
		}
	}
	if code != nil {
		r.add(scalar("code"), mapping(code...))
	}
	if lifecycle != nil {
		r.add(scalar("instanceLifecycleConfig"), mapping(lifecycle...))
	}
	if gpu != nil {
		r.add(scalar("gpuConfig"), mapping(gpu...))
	}
	switch {
	case custom == nil:
	case r.runtime == "custom-container":
		r.add(scalar("customContainerConfig"), mapping(custom...))
	default:
		r.add(scalar("customRuntimeConfig"), mapping(custom...))
	}
}

func renamed(p pair, name string) []*yaml.Node {
	p.key.Value = name
	return []*yaml.Node{p.key, p.value}
}

// container is the content of customContainerConfig. Its command and args are JSON in
// FC 2.0's file.
func (r *resource) container(n *yaml.Node) []*yaml.Node {
	var content []*yaml.Node
	for _, p := range r.pairs(n) {
		switch p.key.Value {
		case "command", "args":
			var words []string
			if json.Unmarshal([]byte(p.value.Value), &words) == nil {
				p.value = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", LineComment: p.value.LineComment}
				for _, word := range words {
					p.value.Content = append(p.value.Content, scalar(word))
				}
			}
			content = append(content, renamed(p, map[string]string{"command": "entrypoint", "args": "command"}[p.key.Value])...)
		case "instanceID":
			content = append(content, renamed(p, "acrInstanceId")...)
		case "webServerMode":
			r.note(p.key, "webServerMode is left out: FC 3.0 has none")
		default:
			content = append(content, p.key, p.value)
		}
	}
	return content
}

func (r *resource) addAsync(async pair) {
	content := mapping()
	for _, p := range r.pairs(async.value) {
		switch p.key.Value {
		case "destination":
			destinations := mapping()
			for _, to := range r.pairs(p.value) {
				destinations.Content = append(destinations.Content, to.key, mapping(scalar("destination"), to.value))
				if strings.Contains(r.follow(to.value).Value, "/services/") || strings.HasPrefix(r.follow(to.value).Value, "acs:fc:::") {
					r.note(to.value, "%s of asyncInvokeConfig names a function of FC 2.0: FC 3.0 writes acs:fc:REGION:ACCOUNT:functions/NAME", to.key.Value)
				}
			}
			p.key.Value = "destinationConfig"
			content.Content = append(content.Content, p.key, destinations)
		case "statefulInvocation":
			content.Content = append(content.Content, renamed(p, "asyncTask")...)
		default:
			content.Content = append(content.Content, p.key, p.value)
		}
	}
	if len(content.Content) > 0 {
		async.key.Value = "asyncInvokeConfig"
		r.add(async.key, content)
	}
}

func (r *resource) addService(service pair) {
	if service.key != nil {
		r.hold(pair{service.key, nil})
	}
	if target := r.follow(service.value); target.Kind == yaml.ScalarNode && target.ShortTag() != "!!null" {
		r.note(service.value, "service %s is not resolved, and left out: write its role, logConfig, vpcConfig and so on into props", target.Value)
	}
	for _, p := range r.pairs(service.value) {
		target := r.follow(p.value)
		switch name := p.key.Value; {
		case name == "name":
		case target.ShortTag() == "!!null":
		case name == "description":
			if key(r.props, "description") == nil {
				r.add(p.key, p.value)
			}
		case name == "tracingConfig" && target.Kind == yaml.ScalarNode:
			if target.Value != "Disable" {
				r.note(p.key, "tracingConfig %s is left out: FC 3.0 wants a mapping with type and params, say type: Jaeger", target.Value)
			}
		case name == "role" && target.Kind == yaml.MappingNode:
			r.note(p.key, "role is the name of the role alone: FC 3.0's tools make no role, and attach no policies")
			if role := r.text(p.value, "name"); role != "" {
				r.add(p.key, scalar(role))
			}
		case strings.EqualFold(target.Value, "auto") && target.Kind == yaml.ScalarNode && name != "role":
			p.value = scalar("auto")
			r.add(p.key, p.value)
			if name == "logConfig" {
				r.note(p.key, "logConfig auto makes a project and a logstore of other names in FC 3.0: serverless-REGION-… and default-logs")
			}
		case name == "vpcConfig":
			p.value = r.changed(p.value, func(n *yaml.Node) {
				if k := key(n, "vswitchIds"); k != nil {
					k.Value = "vSwitchIds"
				}
			})
			r.add(p.key, p.value)
		case name == "nasConfig":
			p.value = r.changed(p.value, r.nas)
			r.add(p.key, p.value)
		case name == "vpcBinding" && target.Kind == yaml.SequenceNode:
			r.add(p.key, mapping(scalar("vpcIds"), p.value))
		default:
			r.add(p.key, p.value)
		}
	}
	r.comment = ""
}

// changed changes a value where it stands, in vars or here.
func (r *resource) changed(n *yaml.Node, change func(*yaml.Node)) *yaml.Node {
	if target := r.follow(n); target.Kind == yaml.MappingNode {
		change(target)
	}
	return n
}

func (r *resource) nas(n *yaml.Node) {
	points := r.follow(value(n, "mountPoints"))
	if points == nil {
		return
	}
	for _, point := range points.Content {
		server, directory := value(point, "serverAddr"), value(point, "nasDir")
		if server != nil && directory != nil && point.Kind == yaml.MappingNode {
			server.Value += ":" + directory.Value
			for i := 0; i+1 < len(point.Content); i += 2 {
				if point.Content[i].Value == "nasDir" {
					point.Content = append(point.Content[:i], point.Content[i+2:]...)
					break
				}
			}
		}
		if k := key(point, "fcDir"); k != nil {
			k.Value = "mountDir"
		}
	}
}

// trigger changes a trigger. What stands in the config of most is the same.
func (c *converter) trigger(n *yaml.Node) *yaml.Node {
	n = c.written(n)
	made := *n
	made.Content = nil
	var kind string
	for _, p := range c.pairs(n) {
		switch p.key.Value {
		case "name":
			p.key.Value = "triggerName"
		case "type":
			p.key.Value = "triggerType"
			kind = c.follow(p.value).Value
		case "config":
			p.key.Value = "triggerConfig"
			if kind == "oss" || c.follow(value(n, "type")) != nil && c.follow(value(n, "type")).Value == "oss" {
				p.value = c.ossConfig(p.value)
			}
		case "role":
			p.key.Value = "invocationRole"
		}
		made.Content = append(made.Content, p.key, p.value)
	}
	if kind == "http" {
		c.note(n, "the http trigger calls the function with an event that holds the request: FC 3.0 has HTTP handlers, such as those of fc.StartHttp, no more")
	}
	return &made
}

func (c *converter) ossConfig(n *yaml.Node) *yaml.Node {
	n = c.written(n)
	if bucket := key(n, "bucketName"); bucket != nil {
		c.note(bucket, "bucketName is no setting of FC 3.0: give sourceArn acs:oss:REGION:ACCOUNT:%s to the trigger, beside triggerConfig", value(n, "bucketName").Value)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i] == bucket {
				n.Content = append(n.Content[:i], n.Content[i+2:]...)
				break
			}
		}
	}
	if filter := c.follow(value(n, "filter")); filter != nil {
		lower(filter)
	}
	return n
}

// lower makes the first letters of keys small.
func lower(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; k.Value != "" {
			k.Value = strings.ToLower(k.Value[:1]) + k.Value[1:]
		}
		lower(n.Content[i+1])
	}
}

var (
	anyExpression = regexp.MustCompile(`\$\{([^{}]*)\}`)
	oldCall       = regexp.MustCompile(`^(env|config|file)\(\s*([^\s,()'"]+)\s*(?:,\s*(.*?)\s*)?\)$`)
	oldEnv        = regexp.MustCompile(`^env\.([A-Za-z_]\w*)$`)
	shellVariable = regexp.MustCompile(`^[A-Za-z_]\w*$`)
)

// expressions changes the ${...} of all texts at n and below.
func (c *converter) expressions(n *yaml.Node, at string, seen map[*yaml.Node]bool) {
	if seen[n] || n.Kind == yaml.AliasNode {
		return
	}
	seen[n] = true
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			c.expressions(n.Content[i+1], n.Content[i].Value, seen)
		}
		return
	}
	for _, child := range n.Content {
		c.expressions(child, at, seen)
	}
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "${") {
		n.Value = anyExpression.ReplaceAllStringFunc(n.Value, func(whole string) string {
			return c.expression(n, whole, strings.TrimSpace(whole[2:len(whole)-1]), at == "run")
		})
	}
}

func (c *converter) expression(n *yaml.Node, whole, inner string, command bool) string {
	if call := oldCall.FindStringSubmatch(inner); call != nil {
		if call[3] != "" || strings.Contains(inner, ",") {
			return "${" + call[1] + "('" + call[2] + "', '" + strings.ReplaceAll(strings.Trim(call[3], `'"`), "'", `\'`) + "')}"
		}
		return "${" + call[1] + "('" + call[2] + "')}"
	}
	if env := oldEnv.FindStringSubmatch(inner); env != nil {
		return "${env('" + env[1] + "')}"
	}
	name, rest, _ := strings.Cut(inner, ".")
	switch {
	case name == "vars":
		return whole
	case c.services[name]:
		return "${resources." + name + "." + c.path(n, rest) + "}"
	case name == "this":
		return "${this." + c.path(n, rest) + "}"
	case command && shellVariable.MatchString(inner):
		c.note(n, "%s of the shell is now written $%s: in FC 3.0's file %s is a variable of s", whole, inner, whole)
		return "$" + inner
	}
	c.note(n, "%s is left as it is: see whether FC 3.0's tools know it", whole)
	return whole
}

// path changes the path of a setting below a service.
func (c *converter) path(n *yaml.Node, path string) string {
	for old, name := range map[string]string{
		"props.function.name": "props.functionName", "props.function.codeUri": "props.code",
	} {
		if path == old {
			return name
		}
	}
	if path == "props.service.name" {
		c.note(n, "%s is the name of a service: FC 3.0 has none", path)
	}
	return strings.Replace(strings.Replace(path, "props.function.", "props.", 1), "props.service.", "props.", 1)
}
