package trigger

import (
	"fmt"
	"slices"
	"time"
)

// Body limits of a call's payload (documented; that MB and KB are binary is
// inferred).
const (
	BodyLimitSynchronous  = 32 << 20
	BodyLimitAsynchronous = 128 << 10
)

// DefaultMaxInstances is how many instances a new account has in a region
// (documented); others have up to 300 and more.
const DefaultMaxInstances = 100

// DefaultIdleTimeout is the lower end of the 3 to 5 minutes after which FC "usually"
// ends an idle instance (documented).
const DefaultIdleTimeout = 3 * time.Minute

// largeRegions are those where more instances may be created at a time (documented).
var largeRegions = []string{"cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-zhangjiakou", "cn-shenzhen"}

// GrowthOf returns the default of InstanceBurst and InstanceGrowth in a region
// (documented).
func GrowthOf(region string) (burst, perMinute int) {
	if slices.Contains(largeRegions, region) {
		return 300, 300
	}
	return 100, 100
}

// A RetryStrategy is a PushRetryStrategy of s.yaml. Any other text is
// BackoffRetry, the documented default.
type RetryStrategy string

// The retry strategies.
const (
	BackoffRetry          RetryStrategy = "BACKOFF_RETRY"
	ExponentialDecayRetry RetryStrategy = "EXPONENTIAL_DECAY_RETRY"
)

// Config is what the rules need to know of s.yaml and of the account.
type Config struct {
	MaximumTasks     int           // consumers, 1 or more
	Concurrency      int           // calls in flight at a time over all tasks, 1 to 300
	CountBasedWindow int           // records in a batch, 1 to 10000
	TimeBasedWindow  time.Duration // 0 to 15 s; 0 delivers at once
	BodyLimit        int64         // bytes of a call's payload, 1 or more

	RetryStrategy        RetryStrategy
	MaximumRetryAttempts int           // 0: RetryStrategy alone decides
	MaximumEventAge      time.Duration // period in which retries start; 0: RetryStrategy alone decides
	RetryScale           float64       // multiplies retry waits and MaximumEventAge; 1: real waits, 0: retries at once
	ErrorsTolerated      bool          // errorsTolerance ALL; else NONE
	DeadLetterQueue      bool          // counts only with ErrorsTolerated

	InstanceConcurrency     int // calls in an instance at a time, 1 to 200
	InstanceSoftConcurrency int // calls in an instance that start another one when exceeded, up to InstanceConcurrency; 0: as that

	MaxInstances   int           // that exist at a time, 1 or more
	InstanceBurst  int           // that may exist at once; 0: MaxInstances
	InstanceGrowth int           // that each minute may bring more, beyond InstanceBurst
	IdleTimeout    time.Duration // after which an instance without a call goes away; 0: never
	PreStop        bool          // the function has a preStop, so that an instance exists until InstanceEnded

	Seed uint64 // of the random waits of BackoffRetry
}

// OneInstance is the configuration for a single instance that never goes away: there
// are no more calls than it takes, so that none gets 429.
func (c Config) OneInstance() Config {
	c.MaxInstances, c.IdleTimeout = 1, 0
	c.Concurrency = min(c.Concurrency, c.InstanceConcurrency)
	return c
}

// mustBeUsable panics where a limit below 1 would keep the stream from ever
// moving: s.yaml has been checked, so it is a mistake in the program.
func (c Config) mustBeUsable() {
	for _, limit := range []struct {
		name  string
		value int64
	}{
		{"MaximumTasks", int64(c.MaximumTasks)},
		{"Concurrency", int64(c.Concurrency)},
		{"CountBasedWindow", int64(c.CountBasedWindow)},
		{"BodyLimit", c.BodyLimit},
		{"InstanceConcurrency", int64(c.InstanceConcurrency)},
		{"MaxInstances", int64(c.MaxInstances)},
	} {
		if limit.value < 1 {
			panic(fmt.Sprintf("trigger: Config.%s is %d, below 1", limit.name, limit.value))
		}
	}
}

// mustBecome panics where a run cannot go on with another configuration.
func (c Config) mustBecome(next Config, function bool) {
	of := func(c Config) [3]any {
		return [3]any{c.InstanceConcurrency, c.InstanceSoftConcurrency, c.PreStop}
	}
	if c.MaximumTasks != next.MaximumTasks || c.BodyLimit != next.BodyLimit || !function && of(c) != of(next) {
		panic(fmt.Sprintf("trigger: a run with %+v cannot go on with %+v", c, next))
	}
}
