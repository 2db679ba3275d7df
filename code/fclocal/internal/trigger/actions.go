package trigger

import (
	"errors"
	"time"
)

// Errors that the model itself gives as the reason of a failure.
var (
	// ErrThrottled: FC answered 429, as all instances were full and there were as many
	// as may exist at the time.
	ErrThrottled = errors.New("429: all instances are full and no more may be created")

	// ErrTooLarge: the event of a single record exceeds the body limit.
	ErrTooLarge = errors.New("the event of a single record exceeds the body limit")
)

// CallID identifies a call, one attempt to deliver a batch. The first is 1.
type CallID int64

// InstanceID identifies an instance of the function. The first is 1.
type InstanceID int64

// A Range is Count records of a partition with consecutive offsets.
type Range struct {
	Partition   int32
	FirstOffset int64
	Count       int
}

// An Arrival is a range of records that a task has fetched and that the filter
// lets pass.
type Arrival struct {
	Range
	EventBytes int   // size of each record's event in the payload
	Sizes      Sizes // where they differ, in place of EventBytes; else nil

	// Filtered, with a Count of 0, says that the record before FirstOffset was fetched and
	// held back by the filter: it is billed, too.
	Filtered bool
}

// A Batch is the records of one payload, the JSON array of their events. It
// never changes; a batch that loses a partition between two attempts becomes
// a new Batch with the same ID.
type Batch struct {
	ID   int64 // in order of closing; the first is 1
	Task int

	// Ranges has the records in the payload's order: a partition's are in order
	// of their offsets.
	Ranges  []Range
	Records int   // in Ranges
	Bytes   int64 // of the payload

	Opened time.Duration // when its first record arrived
	Closed time.Duration // when its window did

	// Fetching is since when the task had no closed batch that waited for its turn, when
	// the window was opened. A driver that holds records back meanwhile has fetched those
	// that were there by then at that moment.
	Fetching time.Duration
}

// An Action is something that the driver has to do.
type Action interface{ action() }

type (
	// CreateInstance starts an instance. The calls that follow for it wait until
	// it is ready, which the driver says by InstanceReady.
	CreateInstance struct{ Instance InstanceID }

	// RemoveInstance ends an instance that has been idle for IdleTimeout, or that is
	// replaced and has no call. With a preStop the driver answers with InstanceEnded.
	RemoveInstance struct{ Instance InstanceID }

	// StartCall calls the function in an instance. The driver answers with
	// CallEnded or InstanceEnded.
	StartCall struct {
		Call     CallID
		Instance InstanceID
		Batch    *Batch
		Attempt  int // 1 is the first
	}

	// Retry reports that a batch has failed and is tried again; there is nothing
	// to do but to wake the model at At, which NextWake says too.
	Retry struct {
		Batch   *Batch
		Attempt int // the one to come: 2 is the first retry
		At      time.Duration
		Err     error // why the attempt before it failed
	}

	// Delivered reports that a call with the batch succeeded.
	Delivered struct {
		Batch    *Batch
		Attempts int
		Spent    *Spent // since Batch.Closed; what InCall has of ColdStart and CPU, the driver knows
	}

	// DeadLetter sends the batch's events to the dead-letter queue.
	DeadLetter struct {
		Batch    *Batch
		Attempts int   // 0 with ErrTooLarge
		Err      error // why the last one failed
	}

	// Discard reports that the batch is skipped, as there is no dead-letter
	// queue.
	Discard struct {
		Batch    *Batch
		Attempts int   // 0 with ErrTooLarge
		Err      error // why the last one failed
	}

	// Commit commits Offset, the next to be read, for a partition that Task
	// owns. It comes after the actions that make it true.
	Commit struct {
		Task      int
		Partition int32
		Offset    int64
	}

	// Stop reports that the stream makes no more calls because of a batch that
	// has failed for good while errors are not tolerated. It comes once at most.
	// Calls in flight still end, and the batch is never committed.
	Stop struct {
		Batch    *Batch
		Attempts int   // 0 with ErrTooLarge
		Err      error // why the last one failed
	}
)

func (CreateInstance) action() {}
func (RemoveInstance) action() {}
func (StartCall) action()      {}
func (Retry) action()          {}
func (Delivered) action()      {}
func (DeadLetter) action()     {}
func (Discard) action()        {}
func (Commit) action()         {}
func (Stop) action()           {}
