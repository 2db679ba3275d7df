package kafka

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPaced(t *testing.T) {
	tests := map[string]struct {
		rate float64
		slow time.Duration // what the first step takes
		want []time.Duration
	}{
		"all at once":             {0, 0, []time.Duration{0, 0, 0, 0}},
		"10 a second":             {10, 0, []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond}},
		"one in 4 seconds":        {0.25, 0, []time.Duration{0, 4 * time.Second, 8 * time.Second, 12 * time.Second}},
		"what is late catches up": {10, 250 * time.Millisecond, []time.Duration{0, 250 * time.Millisecond, 250 * time.Millisecond, 300 * time.Millisecond}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // its clock runs by itself
				start := time.Now()
				var got []time.Duration
				err := paced(context.Background(), test.rate, func() error {
					got = append(got, time.Since(start))
					if len(got) == 1 {
						time.Sleep(test.slow)
					}
					if len(got) == len(test.want) {
						return io.EOF
					}
					return nil
				})
				if diff := cmp.Diff(test.want, got); diff != "" || err != io.EOF {
					t.Errorf("error %v, %s", err, diff)
				}
			})
		})
	}
}

func TestPacedCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
		defer cancel()
		steps := 0
		err := paced(ctx, 0.1, func() error { steps++; return nil })
		if steps != 3 || err != context.DeadlineExceeded {
			t.Errorf("%d steps, error %v", steps, err)
		}
	})
}
