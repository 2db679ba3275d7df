package kafka

import (
	"context"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts an embedded cluster that is closed with the test.
func start(t testing.TB, options EmbeddedOptions) *Embedded {
	t.Helper()
	e, err := StartEmbedded(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// produce sends n messages "0", "1" ... to the partitions in turn.
func produce(t testing.TB, e *Embedded, topic string, n int) {
	t.Helper()
	if _, err := e.Produce(context.Background(), &numbers{n: n}, ProduceOptions{Topic: topic}); err != nil {
		t.Fatal(err)
	}
}

func header(key string, value []byte) kgo.RecordHeader {
	return kgo.RecordHeader{Key: key, Value: value}
}

// checkError compares an error's text with want: "" is none, and one that ends
// in "..." is a beginning.
func checkError(t testing.TB, err error, want string) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error()
	}
	beginning, cut := strings.CutSuffix(want, "...")
	if text != want && !(cut && strings.HasPrefix(text, beginning)) {
		t.Errorf("error:\n%s\nwant:\n%s", text, want)
	}
}

// numbers yields n messages with the values from 0.
type numbers struct{ n, next int }

func (s *numbers) Next() (Message, error) {
	if s.next == s.n {
		return Message{}, io.EOF
	}
	s.next++
	return Message{Value: []byte(strconv.Itoa(s.next - 1)), Partition: AnyPartition}, nil
}
