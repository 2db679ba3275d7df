package trigger

import "time"

// Calls is the model of a function that is called by its clients and by no stream: of
// its instances alone, by the same rules. It is not safe for use by several goroutines.
type Calls struct {
	config    Config
	now       time.Duration
	instances instances
	growth    growth
	usage     usage
}

// NewCalls returns a function without instances. Of the configuration only what
// concerns instances counts.
func NewCalls(config Config) *Calls {
	c := &Calls{config: config}
	c.instances = newInstances(config, &c.usage)
	return c
}

// Start gives a call its instance. The actions that go before it are CreateInstance
// and RemoveInstance. The error is ErrThrottled: there is none, and no call.
func (c *Calls) Start(now time.Duration) (id InstanceID, actions []Action, err error) {
	actions = c.Advance(now)
	limit := c.growth.limit(c.config)
	i, created := c.instances.take(limit, c.now)
	if i == nil {
		return 0, actions, ErrThrottled
	}
	if created {
		actions = append(actions, CreateInstance{i.id})
	}
	if ahead := c.instances.startAhead(limit, c.now); ahead != nil {
		actions = append(actions, CreateInstance{ahead.id})
	}
	return i.id, actions, nil
}

// End says that a call in an instance has ended. If that is gone already, nothing
// changes.
func (c *Calls) End(now time.Duration, id InstanceID) []Action {
	actions := c.Advance(now)
	if i := c.instances.all[id]; i != nil && i.calls > 0 {
		c.instances.release(i, c.now)
	}
	return actions
}

// InstanceReady says that an instance has started; see Model.InstanceReady.
func (c *Calls) InstanceReady(now time.Duration, id InstanceID) []Action {
	actions := c.Advance(now)
	c.instances.ready(id, c.now)
	return actions
}

// InstanceEnded says that an instance takes no more calls, or has ended after a
// RemoveInstance. An unknown instance is ignored.
func (c *Calls) InstanceEnded(now time.Duration, id InstanceID) []Action {
	actions := c.Advance(now)
	c.instances.remove(id, c.now)
	return actions
}

// Advance says that time has passed; see NextWake. The actions are RemoveInstance.
func (c *Calls) Advance(now time.Duration) (actions []Action) {
	c.now = max(c.now, now)
	c.growth.advance(c.now, c.instances.current())
	if c.config.IdleTimeout > 0 {
		for _, id := range c.instances.stopIdle(c.now-c.config.IdleTimeout, c.now) {
			actions = append(actions, RemoveInstance{id})
		}
	}
	return actions
}

// NextWake is Model.NextWake.
func (c *Calls) NextWake() (at time.Duration, ok bool) {
	since, idle := c.instances.longestIdle()
	return since + c.config.IdleTimeout, idle && c.config.IdleTimeout > 0
}

// Created is how many instances have been created.
func (c *Calls) Created() int64 { return c.instances.created }

// growth is how many instances may exist: InstanceBurst at once, and then
// InstanceGrowth more in each minute (documented) than there were when it began
// (inferred).
type growth struct {
	minute time.Duration // of now: a number
	before int           // instances that there were when it began
}

// advance goes to the minute of now, when there are so many instances.
func (g *growth) advance(now time.Duration, instances int) {
	if minute := now / time.Minute; minute != g.minute {
		g.minute, g.before = minute, instances
	}
}

func (g *growth) limit(c Config) int {
	if c.InstanceBurst == 0 {
		return c.MaxInstances
	}
	return min(c.MaxInstances, max(c.InstanceBurst, g.before+c.InstanceGrowth))
}
