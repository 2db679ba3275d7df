package trigger

import (
	"fmt"
	"testing"
	"time"
)

// Calls fill instances, have others created, get 429 when no more may exist, and leave
// instances that go away when they are idle.
func TestCalls(t *testing.T) {
	c := NewCalls(Config{InstanceConcurrency: 2, MaxInstances: 5, InstanceBurst: 1, InstanceGrowth: 1, IdleTimeout: 3 * time.Minute, PreStop: true})
	start := func(now time.Duration, want string) {
		t.Helper()
		id, actions, err := c.Start(now)
		if got := fmt.Sprint(id, actions, err); got != want {
			t.Errorf("at %v: %s, want %s", now, got, want)
		}
	}
	start(0, "1 [{1}] <nil>")
	start(0, "1 [] <nil>")
	start(0, "0 [] "+ErrThrottled.Error()) // a burst of 1
	c.InstanceReady(time.Second, 1)
	start(time.Minute, "2 [{2}] <nil>")
	c.End(time.Minute, 2)
	c.End(time.Minute, 1)
	start(time.Minute, "1 [] <nil>")
	c.InstanceEnded(time.Minute, 1) // with its calls
	c.End(time.Minute, 1)
	start(time.Minute, "2 [] <nil>")
	c.End(2*time.Minute, 2)
	if at, ok := c.NextWake(); at != 5*time.Minute || !ok {
		t.Errorf("the next wake: %v, %v", at, ok)
	}
	if got := fmt.Sprint(c.Advance(5 * time.Minute)); got != "[{2}]" {
		t.Errorf("idle for 3 minutes: %s", got)
	}
	start(5*time.Minute, "3 [{3}] <nil>") // 2 stops, and is none that calls go to
	c.InstanceEnded(5*time.Minute, 2)
	if got := c.Created(); got != 3 {
		t.Errorf("%d were created", got)
	}
}
