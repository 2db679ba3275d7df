package result

import "testing"

func TestCounts(t *testing.T) {
	for _, test := range []struct {
		name   string
		counts Counts
		want   string // the error; "" if it adds up
	}{
		{"nothing", Counts{}, ""},
		{"all", Counts{Produced: 15, Delivered: 1, DeadLettered: 2, Discarded: 3, Filtered: 4, Pending: 5}, ""},
		{"redelivered do not count", Counts{Produced: 10, Delivered: 10, Redelivered: 3}, ""},
		{"missing", Counts{Produced: 1000, Delivered: 990, DeadLettered: 5, Pending: 3},
			"the accounting does not add up: of 1000 messages produced, 990 delivered, 5 dead-lettered, 0 discarded, 0 filtered, 3 pending: 2 missing"},
		{"too many", Counts{Produced: 10, Delivered: 10, Discarded: 1},
			"the accounting does not add up: of 10 messages produced, 10 delivered, 0 dead-lettered, 1 discarded, 0 filtered, 0 pending: 1 too many"},
		{"a negative count hides none", Counts{Produced: 10, Delivered: 12, Pending: -2},
			"the accounting does not add up: -2 messages are pending"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := test.counts.Check(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("Check:\n got %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestInstancesBound(t *testing.T) {
	for _, test := range []struct{ concurrency, each, soft, want int }{
		{26, 26, 26, 1}, {26, 26, 20, 2}, {27, 26, 26, 2}, {26, 13, 13, 2}, {26, 13, 12, 3}, {26, 5, 1, 6}, {26, 1, 1, 26}, {20, 26, 20, 1}, {21, 26, 20, 2}, {26, 26, 0, 1}, {26, 0, 0, 0},
	} {
		settings := Settings{{Name: "concurrency", Value: test.concurrency}, {Name: "instanceConcurrency", Value: test.each}, {Name: "instanceSoftConcurrency", Value: test.soft}}
		if got := (Totals{}).Run(Input{Settings: settings}).InstancesBound; got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}
