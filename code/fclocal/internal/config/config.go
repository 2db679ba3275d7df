// Package config reads and checks an s.yaml of Serverless Devs: FC 2.0's (edition
// 1.0.0, component devsapp/fc) and FC 3.0's (edition 3.0.0, component fc3), with their
// functions and EventBridge triggers for Kafka. What differs between the two is in
// edition1.go and edition3.go.
//
// A file goes through these steps: the YAML parser; for FC 3.0 what it extends
// (extend.go); the resolver (resolve.go, for FC 3.0 evaluate.go), which replaces
// anchors, merge keys and ${...}; the edition's JSON Schema (validate.go), which knows
// keys, types, ranges and enumerations; and rules.go, which knows what one setting
// forbids another, with deploy.go for what has a bearing on a deployment only.
package config

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v4"

	"fclocal/internal/files"
)

// A Project is an s.yaml that has been checked. Where a setting is absent it
// holds the platform's default; ranges and defaults are in settings.go. A setting with a ${...} that fclocal cannot
// resolve, which is a warning, has its text as it stands, or the default where
// it is no text.
type Project struct {
	File string // absolute path of s.yaml
	Dir  string // the directory that holds it; what codeUri is relative to

	// Read are the absolute paths of other files that s.yaml takes values from: those
	// that it extends, and of FC 3.0's ${file(…)}. .env is not among them.
	Read []string

	Name        string // of the application
	Region      string
	Service     Service
	Function    Function
	Trigger     *Trigger // the EventBridge trigger for Kafka; nil if there is none
	HTTPTrigger string   // name of a trigger of type http; "" if there is none

	Build []Action // what builds the function before it is called locally, or else before it is deployed

	// Variables are those of FC's environment variables that are the same in each
	// instance, NAME=VALUE, beside what Function has: they differ between platforms.
	Variables []string

	// Notes say what of the file counts for nothing when the function runs.
	Notes []string

	// Credentials are what the function finds as those of its role; empty unless they
	// have been asked for.
	Credentials Credentials

	Overridden []string // names of the settings that Options.Set has given, sorted
}

// Credentials are an account's.
type Credentials struct{ AccessKeyID, AccessKeySecret, SecurityToken Secret }

// A Secret is a text that nothing shows: it must be converted to be used.
type Secret string

// Format shows that there is one.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, "(secret)") }

// MarshalText is for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// Service is props.service and the key of the service under services.
type Service struct {
	Key        string // under services
	Name       string
	Role       string // ARN of the RAM role; "" if none or if role is a mapping
	LogProject string // "" without a logConfig of its own
	Logstore   string // "" without a logConfig of its own
	Logs       bool   // a logConfig says where the logs go, or that FC is to make it
}

var roleAccount = regexp.MustCompile(`^acs:ram::(\d+):`)

// AccountID is the account that the role is of, or "" while that is a placeholder.
func (s Service) AccountID() string {
	if match := roleAccount.FindStringSubmatch(s.Role); match != nil {
		return match[1]
	}
	return ""
}

// Function is props.function.
type Function struct {
	Name    string
	Handler string // go1: the name of the binary in CodeURI
	CodeURI string // as in s.yaml; relative to Project.Dir unless absolute
	Runtime string // go1, custom, python3.10 and so on

	CustomRuntime CustomRuntime // of runtimes whose name begins with custom
	Layers        []string      // ARNs
	CommandHooks  []string      // FC 3.0: those of initializer and preStop that are a command, which is not read

	MemorySize          int     // MB
	Timeout             int     // seconds
	CPU                 float64 // vCPU; 0 if absent, when the platform sets it
	DiskSize            int     // MB
	InstanceConcurrency int     // calls that one instance takes at a time

	// InstanceSoftConcurrency is how many calls of an instance make FC start another
	// one: 1 to InstanceConcurrency, which is its default.
	InstanceSoftConcurrency int

	Initializer           string // "true" for go1; "" if there is none
	InitializationTimeout int    // seconds
	PreFreeze, PreStop    Hook

	EnvironmentVariables map[string]string // never nil
}

// Hook is props.function.instanceLifecycleConfig.preFreeze or .preStop.
type Hook struct {
	Handler string // "true" for go1; "" if there is no such hook
	Timeout int    // seconds; 0 if there is no such hook
}

// Trigger is a trigger of type eventbridge with eventSourceType Kafka.
type Trigger struct {
	Name      string
	Qualifier string // version or alias of the function; default LATEST (inferred)

	Enable                 bool   // triggerEnable
	AsyncInvocation        bool   // asyncInvocationType
	EventRuleFilterPattern string // an event pattern, a JSON object

	Mode        string // event-streaming, the only one for Kafka
	EventSchema string // CloudEvents or RawData

	Concurrency  int // calls in flight at a time
	MaximumTasks int // consumers

	ErrorsTolerance    string // ALL or NONE
	RetryStrategy      RetryStrategy
	DeadLetterQueueArn string // "" if there is no dead-letter queue
	BatchWindow        BatchWindow
	Kafka              Kafka
}

// RetryStrategy is runOptions.retryStrategy.
type RetryStrategy struct {
	PushRetryStrategy        string // BACKOFF_RETRY or EXPONENTIAL_DECAY_RETRY
	MaximumRetryAttempts     *int   // nil if absent, when PushRetryStrategy alone decides
	MaximumEventAgeInSeconds *int   // nil if absent, when PushRetryStrategy alone decides
}

// BatchWindow is runOptions.batchWindow. A batch is delivered as soon as either
// limit is reached.
type BatchWindow struct {
	CountBasedWindow int // events
	TimeBasedWindow  int // seconds; 0 delivers at once
}

// Kafka is eventSourceConfig.eventSourceParameters.sourceKafkaParameters.
type Kafka struct {
	RegionID      string // default: the function's region (inferred)
	InstanceID    string
	Topic         string
	ConsumerGroup string
	OffsetReset   string // earliest or latest: where a group without offsets starts
	Network       string // Default or PublicNetwork
}

// Find returns the path of s.yaml, or s.yml, in dir or the nearest directory
// above it. It is absolute.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		for _, name := range []string{"s.yaml", "s.yml"} {
			path := filepath.Join(at, name)
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				return path, nil
			}
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no s.yaml or s.yml in %s or a directory above it; -t FILE names one", dir)
		}
	}
}

// FindHere is Find from the current directory, and relative to it. Above it, in a
// directory like /tmp, anyone may have put an s.yaml that runs what they like.
func FindHere() (string, error) {
	directory, err := os.Getwd()
	if err != nil {
		return "", err
	}
	path, err := Find(directory)
	if err != nil {
		return "", err
	}
	if filepath.Dir(path) != filepath.Clean(directory) {
		switch stranger, err := files.Stranger(path); {
		case err != nil:
			return "", err
		case stranger != "":
			return "", fmt.Errorf("%s is owned by %s, and may run anything; -t %s uses it anyway", path, stranger, path)
		}
	}
	if relative, err := filepath.Rel(directory, path); err == nil {
		return relative, nil
	}
	return path, nil
}

// Options changes what Load reads and warns of.
type Options struct {
	// Set overrides settings by name before the checks: {"CountBasedWindow":
	// "1"}. An empty value removes the setting. SettingNames lists the names.
	Set map[string]string

	// Deploy also refuses what keeps the function from being deployed, but not from
	// running here: a role that is a placeholder.
	Deploy bool

	// Function is the one to use, by its name or the key that it stands under. "" is
	// the only one, or the only one with an EventBridge trigger for Kafka; with Deploy
	// it is all of them.
	Function string

	// AnyConcurrency lets Set give instanceConcurrency to a function that FC calls one
	// at a time, whatever it says: to compare what fclocal does with it.
	AnyConcurrency bool

	// FC3 also warns of what changes when the function moves to FC 3.0.
	FC3 bool
}

// Parse reads the s.yaml at path as YAML, and returns its document, which is a mapping.
// That is nil if it is none, and problems say why.
func Parse(path string) (document *yaml.Node, source []byte, problems []Problem, err error) {
	source, err = files.Read(path, maxFile)
	if err != nil {
		return nil, nil, nil, err
	}
	c := newChecker(path, source)
	root := c.parse(source)
	if root != nil && root.Kind != yaml.MappingNode {
		c.fail(placeOf(root), "", "a mapping with edition, name and services is needed")
	}
	if root != nil && len(c.problems) == 0 && c.limits(root, 1) {
		c.duplicates(root)
	}
	if problems = c.sorted(); len(problems) > 0 {
		return nil, nil, problems, nil
	}
	return c.document, source, nil, nil
}

// Load reads and checks the s.yaml at path. The error is only for a file that
// cannot be read, a name in options.Set that is no setting, and a function that
// options do not tell. Problems are sorted
// by place; the Project is nil if one of them is an error.
func Load(path string, options Options) (*Project, []Problem, error) {
	overrides, err := newOverrides(options.Set)
	if err != nil {
		return nil, nil, err
	}
	data, err := files.Read(path, maxFile)
	if err != nil {
		return nil, nil, err
	}
	file, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, err
	}
	c := newChecker(path, data)
	c.options = options
	c.check(data, overrides, options)
	problems := c.sorted()
	if c.picked != nil {
		return nil, problems, c.picked
	}
	if errors, _ := Count(problems); errors > 0 {
		return nil, problems, nil
	}
	project := c.project(file)
	project.Overridden = slices.Sorted(maps.Keys(options.Set))
	return project, problems, nil
}
