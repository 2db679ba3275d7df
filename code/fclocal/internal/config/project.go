package config

import "path/filepath"

const defaultMemorySize = 128 // MB (inferred)

// LongestTriggerCall is how long a trigger allows a call to take, in seconds
// (documented).
const LongestTriggerCall = 300

// TriggerTimeout is how long a call by the trigger may take, in seconds.
func (f Function) TriggerTimeout() int { return min(f.Timeout, LongestTriggerCall) }

// InstancesBound is the most instances that FC creates for the trigger's calls:
// ⌈concurrency / instanceConcurrency⌉.
func (p *Project) InstancesBound() int {
	each := p.Function.InstanceConcurrency
	return (p.Trigger.Concurrency + each - 1) / each
}

// project makes the Project of a file without errors.
func (c *checker) project(file string) *Project {
	service := c.functionService()
	props := service.value.at("props")
	project := &Project{
		File:     file,
		Dir:      filepath.Dir(file),
		Name:     c.root.string("", "name"),
		Region:   props.string("", "region"),
		Function: newFunction(props.at("function")),
		Service: Service{
			Key:        service.key,
			Name:       props.string("", "service", "name"),
			Role:       props.string("", "service", "role"),
			LogProject: props.string("", "service", "logConfig", "project"),
			Logstore:   props.string("", "service", "logConfig", "logstore"),
		},
	}
	if trigger, _ := c.kafkaTrigger(props); trigger != nil {
		project.Trigger = newTrigger(trigger, project.Region)
	}
	return project
}

func newFunction(n *node) Function {
	variables := map[string]string{}
	if environment := n.at("environmentVariables"); environment != nil {
		for _, f := range environment.fields {
			variables[f.key] = f.value.text
		}
	}
	return Function{
		Name:                 n.string("", "name"),
		Handler:              n.string("", "handler"),
		CodeURI:              n.string("", "codeUri"),
		Runtime:              n.string("", "runtime"),
		MemorySize:           n.whole(defaultMemorySize, "memorySize"),
		Timeout:              n.whole(60, "timeout"),
		CPU:                  n.number(0, "cpu"),
		DiskSize:             n.whole(512, "diskSize"),
		InstanceConcurrency:  n.whole(1, "instanceConcurrency"),
		EnvironmentVariables: variables,
	}
}

func newTrigger(n *node, region string) *Trigger {
	config := n.at("config")
	delivery := config.at("eventSinkConfig", "deliveryOption")
	run := config.at("runOptions")
	kafka := config.at("eventSourceConfig", "eventSourceParameters", "sourceKafkaParameters")
	return &Trigger{
		Name:                   n.string("", "name"),
		Qualifier:              n.string("LATEST", "qualifier"),
		Enable:                 config.bool(true, "triggerEnable"),
		AsyncInvocation:        config.bool(false, "asyncInvocationType"),
		EventRuleFilterPattern: config.string("", "eventRuleFilterPattern"),
		Mode:                   run.string(delivery.string("", "mode"), "mode"),
		EventSchema:            delivery.string("CloudEvents", "eventSchema"),
		Concurrency:            delivery.whole(1, "concurrency"),
		MaximumTasks:           run.whole(1, "maximumTasks"),
		ErrorsTolerance:        run.string("NONE", "errorsTolerance"),
		RetryStrategy: RetryStrategy{
			PushRetryStrategy:        run.string("BACKOFF_RETRY", "retryStrategy", "PushRetryStrategy"),
			MaximumRetryAttempts:     optional(run, "retryStrategy", "MaximumRetryAttempts"),
			MaximumEventAgeInSeconds: optional(run, "retryStrategy", "MaximumEventAgeInSeconds"),
		},
		DeadLetterQueueArn: run.string("", "deadLetterQueue", "Arn"),
		BatchWindow: BatchWindow{
			CountBasedWindow: run.whole(1, "batchWindow", "CountBasedWindow"),
			TimeBasedWindow:  run.whole(0, "batchWindow", "TimeBasedWindow"),
		},
		Kafka: Kafka{
			RegionID:      kafka.string(region, "RegionId"),
			InstanceID:    kafka.string("", "InstanceId"),
			Topic:         kafka.string("", "Topic"),
			ConsumerGroup: kafka.string("", "ConsumerGroup"),
			OffsetReset:   kafka.string("", "OffsetReset"),
			Network:       kafka.string("Default", "Network"),
		},
	}
}

// optional returns the whole number under the keys, nil if there is none.
func optional(n *node, keys ...string) *int {
	if number := n.whole(-1, keys...); number >= 0 {
		return &number
	}
	return nil
}
