package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// lookInterval is the time between two looks at the topic, unless one is asked for.
	lookInterval = time.Second

	// lookTimeout is how long the cluster may take for one before it counts as away.
	lookTimeout = 3 * time.Second

	// goneLooks is how many looks in a row do not find the topic when it is deleted. A
	// broker that has just started may not know it yet.
	goneLooks = 3
)

// DefaultBrokerTimeout is how long a cluster may be away.
const DefaultBrokerTimeout = time.Minute

// watch looks at the topic again and again, and tells what has become of it and of
// the cluster. It decides when to give up.
func (c *Consumers) watch() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var first kadm.TopicID
	missing := 0
	for {
		select {
		case <-timer.C:
		case <-c.lookNow:
		case <-c.running.Done():
			return
		}
		ctx, stop := context.WithTimeout(c.running, lookTimeout)
		topic, err := c.cluster.look(ctx, c.admin, c.options.Topic, c.options.ReadUncommitted)
		stop()
		if c.running.Err() != nil {
			return
		}
		unknown := errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID)
		switch {
		case unknown:
			if missing++; missing == goneLooks {
				c.fail(fmt.Errorf("topic %q was deleted while the stream ran", c.options.Topic))
				return
			}
		case err != nil && !passing(err):
			c.fail(c.cluster.explain(err))
			return
		case err != nil:
			c.trouble("broker", err)
		case first != (kadm.TopicID{}) && topic.id != first:
			c.fail(fmt.Errorf("topic %q was deleted while the stream ran, and created anew: offsets begin again, so a next run is to begin there, too", c.options.Topic))
			return
		default:
			missing, first = 0, topic.id
			c.well("broker")
			c.send(Update{Kind: Looked, Topic: topic})
		}
		if err := c.givenUp(); err != nil {
			c.fail(err)
			return
		}
		timer.Reset(lookInterval)
	}
}

// LookNow has the topic looked at without waiting for the next time. It does not
// block.
func (c *Consumers) LookNow() {
	select {
	case c.lookNow <- struct{}{}:
	default:
	}
}

// send hands over an update that is not of one task.
func (c *Consumers) send(u Update) {
	select {
	case c.updates <- u:
	case <-c.running.Done():
	}
}

func (c *Consumers) fail(err error) { c.send(Update{Kind: Failed, Err: err}) }

// An outage is what does not work at the moment: looks at the topic, or what a task
// wants of its group.
type outage struct {
	since time.Time
	err   error // the last one
}

// trouble says that something does not work, but may again.
func (c *Consumers) trouble(what string, err error) {
	c.outage.Lock()
	defer c.outage.Unlock()
	known, is := c.outages[what]
	if !is {
		known.since = time.Now()
	}
	known.err = err
	c.outages[what] = known
	if len(c.outages) == 1 && !is {
		c.send(Update{Kind: Away, Err: err})
	}
}

// well says that it works.
func (c *Consumers) well(what string) {
	c.outage.Lock()
	defer c.outage.Unlock()
	if _, is := c.outages[what]; !is {
		return
	}
	delete(c.outages, what)
	if len(c.outages) == 0 {
		c.send(Update{Kind: Back})
	}
}

// givenUp is an error if something has not worked for too long.
func (c *Consumers) givenUp() error {
	c.outage.Lock()
	defer c.outage.Unlock()
	for what, o := range c.outages {
		if time.Since(o.since) < c.options.BrokerTimeout {
			continue
		}
		at := strings.Join(c.cluster.Brokers, ", ")
		if what != "broker" {
			return fmt.Errorf("waited %v for group %q on the cluster at %s (--broker-timeout): %w", c.options.BrokerTimeout, c.options.Group, at, o.err)
		}
		return fmt.Errorf("waited %v for the cluster at %s to answer (--broker-timeout): %w", c.options.BrokerTimeout, at, o.err)
	}
	return nil
}

// passing tells if an error goes away by itself, or is watch's business: what can be
// tried again when the cluster is back, and what a rebalance brings along.
func passing(err error) bool {
	if churn(err) || network(err) || kerr.IsRetriable(err) {
		return true
	}
	if _, ok := errors.AsType[*kerr.Error](err); ok {
		return false
	}
	// The group is entered again, and records that are gone are passed over.
	_, loss := errors.AsType[*kgo.ErrDataLoss](err)
	_, session := errors.AsType[*kgo.ErrGroupSession](err)
	return loss || session
}

// churn tells if an error is what a rebalance brings along.
func churn(err error) bool {
	for _, known := range []error{
		kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.RebalanceInProgress, kerr.FencedInstanceID, context.Canceled,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// network tells if an error is of a connection.
func network(err error) bool {
	if _, is := errors.AsType[net.Error](err); is {
		return true
	}
	if _, is := errors.AsType[*os.SyscallError](err); is {
		return true
	}
	return kgo.IsRetryableBrokerErr(err) || errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded)
}
