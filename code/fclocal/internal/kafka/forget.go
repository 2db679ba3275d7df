package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// forgetInterval is the time between two deletions of what is finished.
const forgetInterval = 10 * time.Second

// Forget deletes from the topic what the group has committed, again and again until
// ctx ends: kfake has something in memory for each batch, and at a slow rate each
// record is one. It is for a cluster that ends with the run and that nobody else
// reads. An error is passed over: the records are deleted the next time.
func (e *Embedded) Forget(ctx context.Context, group, topic string) {
	client, err := e.cluster.client()
	if err != nil {
		return
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	ticker := time.NewTicker(forgetInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			e.forget(ctx, admin, group, topic)
		}
	}
}

func (e *Embedded) forget(ctx context.Context, admin *kadm.Client, group, topic string) {
	committed, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return
	}
	finished := kadm.Offsets{}
	committed.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic && o.Err == nil && o.At > 0 {
			finished.AddOffset(topic, o.Partition, o.At, -1)
		}
	})
	admin.DeleteRecords(ctx, finished)
}
