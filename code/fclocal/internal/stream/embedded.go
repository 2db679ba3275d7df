package stream

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"sync"

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

// open returns the messages, which have been read to their end, and a function that closes their file.
func (b Embedded) open(ctx context.Context, options Options) (kafka.Source, func() error, error) {
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
	event, err := options.Project.Event()
	if err != nil {
		return nil, nil, err
	}
	message, err := kafka.EventMessage(options.Project.EventFile(), event)
	if err != nil {
		return nil, nil, err
	}
	message.Key = nil // with one key all would go to one partition
	return kafka.Repeat(message, b.Number), func() error { return nil }, nil
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
func RunEmbedded(ctx context.Context, options Options, b Embedded) (_ result.Run, err error) {
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
	embedded, err := kafka.StartEmbedded(beginning, kafka.EmbeddedOptions{
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
		if closeErr := embedded.Close(); err == nil {
			err = failure.Of(closeErr)
		}
	}()
	filled, err := embedded.Cluster().Look(beginning, topic, false)
	if err != nil {
		return result.Run{}, err
	}
	listens := len(b.Listen) > 0
	if listens && b.Listening != nil {
		for _, at := range embedded.Listeners() {
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
	if !listens || options.UntilEnd {
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
	produce := func() {
		_, err := embedded.Produce(ctx, messages, kafka.ProduceOptions{Topic: topic, Rate: b.Rate, Acknowledged: func(partition int32, offset int64) {
			source.sent.add(partition, offset)
			ends.add(partition, offset)
		}})
		if err == nil {
			ends.finish()
		} else {
			stop()
		}
		producing <- err
	}
	if b.Backlog {
		produce()
	} else {
		go produce()
	}
	var forgetting sync.WaitGroup
	if b.DataDir == "" && !listens {
		forgetting.Go(func() { embedded.Forget(ctx, options.group(), topic) })
	}
	ran, err := run(ctx, options, embedded.Cluster(), source)
	stop()
	forgetting.Wait()
	produceErr := <-producing
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
