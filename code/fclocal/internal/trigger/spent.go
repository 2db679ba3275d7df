package trigger

import "time"

// A Cause is what a message's latency is spent on.
type Cause int

// The causes. A message has only one at a time: a batch that waits for a retry keeps its
// slot, and those that wait for one because of it wait for a slot.
const (
	Kafka     Cause = iota // until a task fetched it: batches of the task waited for their turn
	Window                 // until its batch closed
	Slot                   // until its batch had its place in Config.Concurrency
	Instance               // after attempts that were refused with 429
	Retries                // in attempts that failed otherwise, and after them
	ColdStart              // until the instance was ready, its initializer included; of the driver
	CPU                    // for the instance's cpu, beside its other calls; of the driver
	InCall                 // in the attempt that succeeded, beside these two

	Causes = iota // how many there are
)

// Spent is a latency by its causes, which sum to it.
type Spent [Causes]time.Duration

// Gather sets in spent what a message of a delivered batch has spent until the batch closed,
// which it could be fetched from readable on and was at fetched. The rest is d.Spent's.
//
// With a TimeBasedWindow of 0 nothing waits for a window: a batch that does not go at once
// waits for a slot.
func (m *Model) Gather(spent *Spent, d Delivered, readable, fetched time.Duration) {
	spent[Kafka] = max(fetched-readable, 0)
	cause := Window
	if m.config.TimeBasedWindow == 0 {
		cause = Slot
	}
	spent[cause] = d.Spent[cause] + max(d.Batch.Closed-fetched, 0)
}
