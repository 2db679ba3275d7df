package instance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"fclocal/internal/config"
)

// BenchmarkCost compares the project's function, with the settings of s.yaml,
// with one written the plain way and without its environmentVariables: each in a
// process of its own, in turn, with the same payloads. Ratios below 1 (for calls
// per second: above 1) are in the function's favour.
func BenchmarkCost(b *testing.B) {
	project, _, err := config.Load("../../../../s.yaml", config.Options{})
	if err != nil {
		b.Fatal(err)
	}
	project.Function.MemorySize = 4096 // the plain function would be killed
	plain := *project
	plain.Function.EnvironmentVariables = map[string]string{"TZ": project.Function.EnvironmentVariables["TZ"]}
	directory := b.TempDir()
	specs := []Spec{
		{Project: project, Binary: buildProgram(b, "../../..", directory), CodeDir: directory},
		{Project: &plain, Binary: buildProgram(b, "testdata/plain", directory), CodeDir: directory},
	}
	event := compactEvent(b)
	for _, load := range []struct{ batch, inFlight, calls int }{
		{10, project.Function.InstanceConcurrency, 10_000},
		{10_000, 4, 16},
	} {
		b.Run(fmt.Sprintf("batch=%d/inFlight=%d", load.batch, load.inFlight), func(b *testing.B) {
			payload := slicesOf(event, load.batch)
			var cpu, wall [2]time.Duration
			var memory [2]int64
			for b.Loop() {
				for which, spec := range specs {
					c, w, m := measure(b, spec, payload, load.inFlight, load.calls)
					cpu[which] += c
					wall[which] += w
					memory[which] = max(m, memory[which])
				}
			}
			b.ReportMetric(float64(cpu[0])/float64(cpu[1]), "cpu-ratio")
			b.ReportMetric(float64(wall[1])/float64(wall[0]), "calls/s-ratio")
			b.ReportMetric(float64(memory[0])/float64(memory[1]), "peak-memory-ratio")
			b.ReportMetric(float64(memory[0])/(1<<20), "peak-MB")
			b.ReportMetric(float64(b.N*load.calls)/wall[0].Seconds(), "calls/s")
		})
	}
}

// BenchmarkWatch is what it takes to look at the memory of 26 instances that do
// nothing, on a machine on which nothing starts and on one on which much does.
func BenchmarkWatch(b *testing.B) {
	project, _, err := config.Load("../../testdata/faulty/s.yaml", config.Options{})
	if err != nil {
		b.Fatal(err)
	}
	directory := b.TempDir()
	spec := Spec{Project: project, Binary: buildProgram(b, "../../testdata/faulty/code", directory), CodeDir: directory, Logs: io.Discard}
	host, err := NewHost(b.Context(), spec, 1, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer host.Close()
	for range 26 {
		instance, err := host.Start(spec)
		if err != nil {
			b.Fatal(err)
		}
		defer instance.Stop()
	}
	for _, starts := range []bool{false, true} {
		b.Run(fmt.Sprintf("starts=%t", starts), func(b *testing.B) {
			done := make(chan struct{})
			var group sync.WaitGroup
			if starts { // not from here: that would be counted
				command := exec.Command("sh", "-c", "while :; do /bin/true; done")
				if err := command.Start(); err != nil {
					b.Fatal(err)
				}
				group.Go(func() {
					<-done
					command.Process.Kill()
					command.Wait()
				})
			}
			before, _ := OwnCPUTime()
			begin := time.Now()
			for b.Loop() {
				time.Sleep(time.Second)
			}
			after, _ := OwnCPUTime()
			b.ReportMetric(100*(after-before).Seconds()/time.Since(begin).Seconds(), "%-of-a-core")
			close(done)
			group.Wait()
		})
	}
}

func buildProgram(b testing.TB, source, directory string) string {
	program := filepath.Join(directory, filepath.Base(source)+".program")
	command := exec.Command("go", "build", "-trimpath", "-o", program, ".")
	command.Dir = source
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	return program
}

func compactEvent(b *testing.B) []byte {
	batch, err := os.ReadFile("../../../../event.json")
	if err != nil {
		b.Fatal(err)
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(batch, &elements); err != nil {
		b.Fatal(err)
	}
	var event bytes.Buffer
	if err := json.Compact(&event, elements[0]); err != nil {
		b.Fatal(err)
	}
	return event.Bytes()
}

func slicesOf(event []byte, count int) []byte {
	return append(append([]byte("["), bytes.TrimSuffix(bytes.Repeat(append(event, ','), count), []byte(","))...), ']')
}

// measure makes the calls, always inFlight at a time, and returns what they cost.
func measure(b *testing.B, spec Spec, payload []byte, inFlight, calls int) (cpu, wall time.Duration, memory int64) {
	host, err := NewHost(b.Context(), spec, 1, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer host.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	go io.Copy(io.Discard, reader)
	spec.Logs = writer
	instance, err := host.Start(spec)
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	var group sync.WaitGroup
	for lane := range inFlight {
		group.Go(func() {
			for i := lane; i < calls; i += inFlight {
				result, err := instance.Invoke(context.Background(), Call{RequestID: fmt.Sprint(i), Payload: payload})
				if err != nil || result.Error != nil {
					b.Errorf("call %d: %v %v", i, err, result.Error)
				}
			}
		})
	}
	group.Wait()
	wall = time.Since(begin)
	cpu, _ = instance.CPUTime()
	instance.Stop()
	writer.Close()
	return cpu, wall, instance.PeakMemory()
}
