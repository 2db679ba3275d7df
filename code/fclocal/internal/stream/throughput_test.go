package stream

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/eventbridge"
	"fclocal/internal/instance"
	"fclocal/internal/kafka"
	"fclocal/internal/result"
)

// BenchmarkThroughput compares a stream with a backlog in batches of 100 with a
// bare runtime API that feeds the same function the same batches: what Kafka, the
// rules and the accounting cost beside the function.
func BenchmarkThroughput(b *testing.B) {
	const records = 200_000
	project, _, err := config.Load("../../../../s.yaml", config.Options{Set: map[string]string{"CountBasedWindow": "100"}})
	if err != nil {
		b.Fatal(err)
	}
	binary := buildFunction(b)
	converter, err := Options{Project: project}.converter()
	if err != nil {
		b.Fatal(err)
	}
	message := kafka.Message{Value: []byte(`{"name":"shaouai","age":28,"department":"IT"}`), Partition: kafka.AnyPartition}
	var streamed, bare time.Duration
	for b.Loop() {
		embedded, err := kafka.StartEmbedded(b.Context(), kafka.EmbeddedOptions{Topic: project.Trigger.Kafka.Topic, Partitions: 1})
		if err != nil {
			b.Fatal(err)
		}
		produced := newEnds(map[int32]int64{0: 0})
		if _, err := embedded.Produce(b.Context(), kafka.Repeat(func() kafka.Message { return message }, records), kafka.ProduceOptions{Topic: project.Trigger.Kafka.Topic, Acknowledged: produced.add}); err != nil {
			b.Fatal(err)
		}
		produced.finish()
		ran, err := run(b.Context(), Options{Project: project, Binary: binary, Logs: b.TempDir(), Rules: project.Rules()},
			embedded.Cluster(), source{ends: produced, load: result.Load{Partitions: 1}})
		if err != nil || ran.Delivered != records {
			b.Fatal(ran.Delivered, err)
		}
		if err := embedded.Close(); err != nil {
			b.Fatal(err)
		}
		streamed += time.Duration(ran.WallSeconds * float64(time.Second))

		batch := []byte{'['}
		for offset := range int64(100) {
			batch = append(converter.Append(batch, &eventbridge.Record{Value: message.Value, Offset: offset, Timestamp: time.Now()}), ',')
		}
		batch[len(batch)-1] = ']'
		bare += feed(b, project, binary, batch, records/100)
	}
	b.ReportMetric(float64(bare)/float64(streamed), "throughput-ratio")
	b.ReportMetric(float64(records*b.N)/streamed.Seconds(), "events/s")
}

func buildFunction(tb testing.TB) string {
	binary := filepath.Join(tb.TempDir(), "main")
	command := exec.Command("go", "build", "-o", binary, ".")
	command.Dir = "../../.."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, output)
	}
	return binary
}

// feed makes the calls as fast as instanceConcurrency lets it.
func feed(b *testing.B, project *config.Project, binary string, batch []byte, calls int) time.Duration {
	spec := instance.Spec{Project: project, Binary: binary, CodeDir: filepath.Dir(binary)}
	host, err := instance.NewHost(b.Context(), spec, 1, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer host.Close()
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	begin := time.Now()
	spec.Logs = log
	process, err := host.Start(spec)
	if err != nil {
		b.Fatal(err)
	}
	defer process.Stop()
	var group sync.WaitGroup
	for lane := range project.Function.InstanceConcurrency {
		group.Go(func() {
			for i := lane; i < calls; i += project.Function.InstanceConcurrency {
				result, err := process.Invoke(context.Background(), instance.Call{RequestID: strconv.Itoa(i), Payload: bytes.Clone(batch)})
				if err != nil || result.Error != nil {
					b.Errorf("call %d: %v %v", i, err, result.Error)
				}
			}
		})
	}
	group.Wait()
	return time.Since(begin)
}
