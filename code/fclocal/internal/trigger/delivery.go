package trigger

import (
	"slices"
	"time"
)

// delivery is a batch from its first record to its end.
type delivery struct {
	batch    *Batch // nil while its window is open
	task     int
	opened   time.Duration
	closed   time.Duration
	fetching time.Duration // see Batch
	segments []*segment
	records  int
	bytes    int64 // of the payload
	units    int64 // that the events count as
	tooLarge bool

	attempts     int
	call         CallID
	instance     *instance
	firstFailure time.Duration
	due          time.Duration // of the retry

	spent   Spent
	since   time.Duration // the end of what is in spent
	refused bool          // the last attempt, with 429
}

// add puts records into the window of the partition's task and closes it as
// often as it is full.
func (m *Model) add(p *partition, offset int64, count int, sizes sizes) {
	m.stats.Pending += int64(count)
	bytes, units := sizes.sum(offset, count)
	m.usage.events(m.now, count, units, bytes)
	t := &m.tasks[p.task]
	for count > 0 {
		n := m.room(t.window, offset, count, sizes)
		if n == 0 && t.window != nil {
			m.close(t.window)
			continue
		}
		d := t.window
		if d == nil {
			d = &delivery{task: p.task, opened: m.now, fetching: t.fetching, bytes: 1}
			t.window = d
			m.opened.push(d)
		}
		if n == 0 { // not even alone
			n, d.tooLarge = 1, true
		}
		d.add(p, offset, n, sizes)
		offset += int64(n)
		count -= n
		if d.tooLarge || d.records == m.config.CountBasedWindow {
			m.close(d)
		}
	}
}

// room returns how many of the next records a window takes; an empty one is nil.
func (m *Model) room(d *delivery, offset int64, count int, sizes sizes) int {
	records, bytes := 0, int64(1)
	if d != nil {
		records, bytes = d.records, d.bytes
	}
	return sizes.within(m.config.BodyLimit-bytes, offset, min(count, m.config.CountBasedWindow-records))
}

// add appends records to the window. An array of n events has n-1 commas and
// two brackets: a separator for each event and one more byte.
func (d *delivery) add(p *partition, offset int64, count int, sizes sizes) {
	bytes, units := sizes.sum(offset, count)
	bytes += int64(count)
	d.records += count
	d.bytes += bytes
	d.units += units
	// A partition's records join its last segment, so that a batch has few ranges
	// even when the partitions take turns.
	if last := p.last; last != nil && last.delivery == d && last.end() == offset {
		last.count += count
		last.bytes += bytes
		last.units += units
		return
	}
	s := &segment{partition: p, delivery: d, offset: offset, count: count, bytes: bytes, units: units}
	p.append(s)
	d.segments = append(d.segments, s)
}

// close makes a batch of a window and lets it wait for its turn.
func (m *Model) close(d *delivery) {
	m.batches++
	d.closed, d.since = m.now, m.now
	d.seal(m.batches)
	t := &m.tasks[d.task]
	t.window = nil
	t.waiting++
	m.waiting.push(d)
}

// waitsNoMore says that a batch has its turn, or is dropped.
func (m *Model) waitsNoMore(d *delivery) {
	t := &m.tasks[d.task]
	if t.waiting--; t.waiting == 0 {
		t.fetching = m.now
	}
}

func (d *delivery) seal(id int64) {
	ranges := make([]Range, len(d.segments))
	for i, s := range d.segments {
		ranges[i] = Range{s.partition.id, s.offset, s.count}
	}
	d.batch = &Batch{
		ID: id, Task: d.task, Ranges: ranges, Records: d.records, Bytes: d.bytes,
		Opened: d.opened, Closed: d.closed, Fetching: d.fetching,
	}
}

// oldestWindow returns the window that was opened first, or nil if all are
// empty.
func (m *Model) oldestWindow() *delivery {
	for !m.opened.empty() {
		d := m.opened.peek()
		if d.batch == nil && d.records > 0 {
			return d
		}
		m.opened.pop() // closed, or emptied by a rebalance
	}
	return nil
}

func (m *Model) disown(p *partition) {
	p.revoked = true
	delete(m.partitions, p.id)
	p.history.remember(p)
	for s := p.first; s != nil; s = s.next {
		m.stats.Pending -= int64(s.count)
	}
}

// dropRevoked drops the records of revoked partitions from all that is not in
// flight; see fail for what is.
func (m *Model) dropRevoked() {
	for i := range m.tasks {
		if d := m.tasks[i].window; d != nil && !d.keepOwned() {
			m.tasks[i].window = nil
		}
	}
	m.waiting.deleteFunc(func(d *delivery) bool {
		if d.keepOwned() {
			return false
		}
		m.waitsNoMore(d)
		return true
	})
	m.retrying = slices.DeleteFunc(m.retrying, func(d *delivery) bool {
		if d.keepOwned() {
			return false
		}
		m.slots--
		return true
	})
}

// keepOwned drops the records of revoked partitions and reports whether any are
// left. A window that loses its first record closes no later than it would have.
func (d *delivery) keepOwned() bool {
	owned := slices.DeleteFunc(d.segments, func(s *segment) bool {
		if s.partition.revoked {
			d.records -= s.count
			d.bytes -= s.bytes
			d.units -= s.units
		}
		return s.partition.revoked
	})
	if changed := len(owned) < len(d.segments); changed {
		d.segments = owned
		if d.batch != nil {
			d.seal(d.batch.ID)
		}
	}
	return len(owned) > 0
}
