package stream

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"fclocal/internal/config"
	"fclocal/internal/kafka"
	"fclocal/internal/result"
)

// A stream leaves no goroutine, process, file or port behind.
func TestRunLeavesNothing(t *testing.T) {
	project, _, err := config.Load("../../../../s.yaml", config.Options{Set: map[string]string{"instanceConcurrency": "2"}})
	if err != nil {
		t.Fatal(err)
	}
	binary := buildFunction(t)
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)

	embedded, err := kafka.StartEmbedded(t.Context(), kafka.EmbeddedOptions{Topic: project.Trigger.Kafka.Topic, Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	produced := newEnds(map[int32]int64{0: 0, 1: 0, 2: 0})
	message := kafka.Message{Value: []byte(`{"a":1}`), Partition: kafka.AnyPartition}
	if _, err := embedded.Produce(t.Context(), kafka.Repeat(func() kafka.Message { return message }, 300), kafka.ProduceOptions{Topic: project.Trigger.Kafka.Topic, Acknowledged: produced.add}); err != nil {
		t.Fatal(err)
	}
	produced.finish()
	ran, err := run(t.Context(), Options{Project: project, Binary: binary, Logs: t.TempDir(), Rules: project.Rules()},
		embedded.Cluster(), source{ends: produced, load: result.Load{Partitions: 3}})
	if err != nil {
		t.Fatal(err)
	}
	if ran.Produced != 300 || ran.Delivered != 300 || ran.Pending != 0 || ran.Calls != 30 {
		t.Errorf("%d produced, %d delivered, %d pending in %d calls; want 300, 300, 0 in 30", ran.Produced, ran.Delivered, ran.Pending, ran.Calls)
	}
	address := embedded.Address()
	if err := embedded.Close(); err != nil {
		t.Fatal(err)
	}

	goleak.VerifyNone(t)
	if connection, err := net.Dial("tcp", address); err == nil {
		connection.Close()
		t.Errorf("the embedded Kafka still listens on %s", address)
	}
	threads, _ := filepath.Glob("/proc/self/task/*/children")
	for _, thread := range threads {
		if children, _ := os.ReadFile(thread); len(children) > 0 {
			t.Errorf("processes are left: %s", children)
		}
	}
	if files, _ := os.ReadDir(temporary); len(files) > 0 {
		t.Errorf("files are left: %v", files)
	}
}
