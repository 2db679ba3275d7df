package trigger

import (
	"math/rand/v2"
	"time"
)

// Retries of each strategy (documented). Those of EXPONENTIAL_DECAY_RETRY take
// 86,015 s in all, 23 h 53 min 35 s: 1+2+…+256 s and 167 times 512 s. The
// documents call it 24 hours.
const (
	backoffRetries          = 3
	exponentialDecayRetries = 176
)

// retries returns how many retries a batch gets at most. MaximumRetryAttempts
// can only lower what the strategy gives (inferred).
func (c Config) retries() int {
	limit := backoffRetries
	if c.RetryStrategy == ExponentialDecayRetry {
		limit = exponentialDecayRetries
	}
	if c.MaximumRetryAttempts > 0 {
		limit = min(limit, c.MaximumRetryAttempts)
	}
	return limit
}

// retryWait returns the wait between a failure and retry number n, from 1:
// a random 10 to 20 s, or 1, 2, 4 … 512 s and 512 s from then on (documented).
func (c Config) retryWait(n int, random *rand.Rand) time.Duration {
	var wait time.Duration
	if c.RetryStrategy == ExponentialDecayRetry {
		wait = time.Second << min(n-1, 9)
	} else {
		wait = 10*time.Second + time.Duration(random.Int64N(int64(10*time.Second)+1))
	}
	return c.scaled(wait)
}

// inRetryPeriod reports whether a retry may start that long after the batch's
// first failure. MaximumEventAgeInSeconds is "the maximum period during which
// retries can be performed" (documented); that it begins at the first failure
// and includes its end is inferred.
func (c Config) inRetryPeriod(sinceFirstFailure time.Duration) bool {
	return c.MaximumEventAge == 0 || sinceFirstFailure <= c.scaled(c.MaximumEventAge)
}

func (c Config) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * c.RetryScale)
}
