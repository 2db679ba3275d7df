package stream

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"

	"fclocal/internal/failure"
	"fclocal/internal/kafka"
	"fclocal/internal/result"
)

// Embedded are what RunEmbedded fills a topic with, and how.
type Embedded struct {
	// Messages are read from the file of that name; "": Number messages are made of
	// event.json's.
	Messages string
	Format   kafka.Format // of Messages
	Number   int
	Backlog  bool    // they are all in the topic before the stream starts, and have waited for it
	Rate     float64 // messages a second; 0: all at once

	Partitions int    // of the topic, 1 to 1000
	DataDir    string // keeps the cluster for a next run; "": it ends with this one

	// AcceptLoss goes on where records of DataDir are lost; Lost is told of them.
	AcceptLoss bool
	Lost       func(string)

	// FromKcat is told when the format auto has found that kcat has written Messages.
	FromKcat func()

	// Listen is where other clients may produce, and Listening is told of each where
	// they can. The stream then does not end with the messages.
	Listen    []kafka.Listener
	Listening func(at kafka.Listener, topic string)
}

// embedded is what RunEmbedded runs.
type embedded struct {
	Embedded
	message atomic.Pointer[kafka.Message] // of event.json
	filling atomic.Bool                   // not all has been produced
	again   chan struct{}                 // receives when it is to be produced again; nil: never
}

// open returns the messages, which have been read to their end, and a function that closes their file.
func (b *embedded) open(ctx context.Context, options Options) (kafka.Source, func() error, error) {
	if b.Messages != "" {
		fromKcat, err := kafka.CheckMessages(ctx, b.Messages, b.Format, b.Partitions)
		if err != nil {
			return nil, nil, err
		}
		if fromKcat && b.FromKcat != nil {
			b.FromKcat()
		}
		messages, err := kafka.OpenMessages(b.Messages, b.Format)
		if err != nil {
			return nil, nil, err
		}
		return messages, messages.Close, nil
	}
	if err := b.readEvent(options); err != nil {
		return nil, nil, err
	}
	return kafka.Repeat(func() kafka.Message { return *b.message.Load() }, b.Number), func() error { return nil }, nil
}

// readEvent takes the message of event.json. While there is a mistake in it, that is the
// one from before.
func (b *embedded) readEvent(options Options) error {
	event, err := options.Project.Event()
	if err != nil {
		return err
	}
	message, err := kafka.EventMessage(options.Project.EventFile(), event)
	if err != nil {
		return err
	}
	message.Key = nil // with one key all would go to one partition
	b.message.Store(&message)
	return nil
}

// untilDrained is a context that ends with drain, until stop is called.
func untilDrained(parent context.Context, drain <-chan struct{}) (ctx context.Context, stop func()) {
	ctx, stop = context.WithCancel(parent)
	go func() {
		select {
		case <-drain:
			stop()
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

// RunEmbedded is Run on a Kafka cluster in this process, which it fills.
func RunEmbedded(ctx context.Context, options Options, what Embedded) (_ result.Run, err error) {
	b := &embedded{Embedded: what}
	if _, err := options.converter(); err != nil {
		return result.Run{}, err
	}
	if err := enoughFiles(options.tasks(b.Partitions)); err != nil {
		return result.Run{}, err
	}
	// Until the stream begins, there is nothing to drain.
	beginning, begun := untilDrained(ctx, options.Drain)
	defer begun()
	messages, closeMessages, err := b.open(beginning, options)
	if err != nil {
		return result.Run{}, err
	}
	defer closeMessages()
	topic := options.Project.Trigger.Kafka.Topic
	cluster, err := kafka.StartEmbedded(beginning, kafka.EmbeddedOptions{
		Topic: topic, Partitions: b.Partitions, DataDir: b.DataDir, Listen: b.Listen,
		AcceptLoss: b.AcceptLoss, Lost: b.Lost,
	})
	if beginning.Err() != nil {
		err = failure.New("interrupted before the stream began")
	}
	if err != nil {
		return result.Run{}, err
	}
	defer func() {
		if closeErr := cluster.Close(); err == nil {
			err = failure.Of(closeErr)
		}
	}()
	filled, err := cluster.Cluster().Look(beginning, topic, false)
	if err != nil {
		return result.Run{}, err
	}
	listens := len(b.Listen) > 0
	if listens && b.Listening != nil {
		for _, at := range cluster.Listeners() {
			b.Listening(at, topic)
		}
	}

	ends := newEnds(filled.Ends())
	source := source{load: result.Load{Partitions: b.Partitions, RatePerSecond: b.Rate}}
	if b.Messages == "" && b.Backlog {
		source.load.Backlog = int64(b.Number)
	} else if b.Messages == "" {
		source.load.Messages = int64(b.Number)
	}
	if b.Messages != "" {
		source.sent = &sent{partitions: map[int32]*sentTo{}}
	}
	if !listens && options.Next == nil || options.UntilEnd {
		source.ends = ends
	}
	if b.DataDir != "" {
		path := filepath.Join(b.DataDir, "delivered-"+url.PathEscape(options.group())+"-"+topic)
		if source.journal, err = openJournal(path); err != nil {
			return result.Run{}, err
		}
	}

	// The producer and the stream run side by side; the one that fails ends the other.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	producing := make(chan error, 1)
	produced := int64(0)
	produce := func(messages kafka.Source) error {
		n, err := cluster.Produce(ctx, messages, kafka.ProduceOptions{Topic: topic, Rate: b.Rate, Acknowledged: func(partition int32, offset int64) {
			source.sent.add(partition, offset)
			ends.add(partition, offset)
		}})
		produced += n
		if err == nil {
			ends.finish()
		}
		return err
	}
	if options.Next != nil && !b.Backlog {
		b.again = make(chan struct{}, 1)
		source.deployed = func() { b.deployed(options) }
	}
	b.filling.Store(true)
	fill := func() {
		err := produce(messages)
		for err == nil && !options.UntilEnd && b.more(ctx) {
			more, closeMore, openErr := b.open(ctx, options)
			if openErr != nil {
				options.tell(openErr)
				continue
			}
			err = produce(more)
			closeMore()
		}
		if err != nil {
			stop()
		}
		producing <- err
	}
	if b.Backlog {
		fill()
	} else {
		go fill()
	}
	var forgetting sync.WaitGroup
	if b.DataDir == "" && !listens {
		forgetting.Go(func() { cluster.Forget(ctx, options.group(), topic) })
	}
	ran, err := run(ctx, options, cluster.Cluster(), source)
	stop()
	forgetting.Wait()
	produceErr := <-producing
	if options.Next != nil && b.Messages == "" {
		ran.Load.Messages = produced
	}
	if source.journal != nil {
		if closeErr := source.journal.close(err == nil && ran.Pending == 0); err == nil {
			err = failure.Of(closeErr)
		}
	}
	if produceErr != nil && !errors.Is(produceErr, context.Canceled) {
		return ran, failure.Of(produceErr) // of the disk, as a rule: the messages have been checked
	}
	return ran, err
}

// deployed is told that the stream goes on with something else. What has all been produced
// is then produced once more; else what is still to come is as event.json now is.
func (b *embedded) deployed(options Options) {
	switch {
	case !b.filling.Load():
		select {
		case b.again <- struct{}{}:
		default:
		}
	case b.Messages == "":
		if err := b.readEvent(options); err != nil {
			options.tell(err)
		}
	}
}

// more waits until all that has been produced is to be produced once more. It is false if
// it never is.
func (b *embedded) more(ctx context.Context) bool {
	if b.again == nil {
		return false
	}
	b.filling.Store(false)
	select {
	case <-b.again:
		b.filling.Store(true)
		return true
	case <-ctx.Done():
		return false
	}
}
