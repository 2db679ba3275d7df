package stream

import (
	"os"
	"path/filepath"
	"testing"

	"fclocal/internal/trigger"
)

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "delivered")
	deliver := func(j *journal, want int64, runs ...trigger.Range) {
		t.Helper()
		if again, err := j.delivered(&trigger.Batch{Ranges: runs}); err != nil || again != want {
			t.Errorf("%v: %d delivered again, %v; want %d", runs, again, err, want)
		}
	}
	open := func() *journal {
		t.Helper()
		j, err := openJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	first := open()
	deliver(first, 0, trigger.Range{Partition: 1, FirstOffset: 20, Count: 10}, trigger.Range{Partition: 0, FirstOffset: 0, Count: 5})
	deliver(first, 0, trigger.Range{Partition: 1, FirstOffset: 5, Count: 10})
	deliver(first, 0, trigger.Range{Partition: 1, FirstOffset: 20, Count: 10}) // again in the same run: the model counts that
	if err := first.close(false); err != nil {
		t.Fatal(err)
	}
	if err := appendText(path, "1 30"); err != nil { // killed while it wrote
		t.Fatal(err)
	}
	if err := open().close(false); err != nil {
		t.Fatal(err)
	}
	second := open()
	deliver(second, 9+1, trigger.Range{Partition: 1, FirstOffset: 6, Count: 15}) // 6 to 14, and 20
	deliver(second, 0, trigger.Range{Partition: 2, FirstOffset: 0, Count: 50})
	deliver(second, 5, trigger.Range{Partition: 0, FirstOffset: 0, Count: 50})
	if err := second.close(false); err != nil {
		t.Fatal(err)
	}
	if err := open().close(true); err != nil {
		t.Fatal(err)
	}
	third := open()
	deliver(third, 0, trigger.Range{Partition: 1, FirstOffset: 0, Count: 50})
	if err := third.close(false); err != nil {
		t.Fatal(err)
	}
	if err := appendText(path, "no run\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(path); err == nil || err.Error() != path+`: "no run\n" is no range of records: expected integer` {
		t.Error(err)
	}
}

func appendText(path, text string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(text)
	return err
}
