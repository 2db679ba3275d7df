package trigger

// partition is a partition for as long as a task owns it. After a rebalance
// there is a new one, so that what was begun for the old is told apart.
type partition struct {
	id        int32
	task      int
	revoked   bool
	next      int64 // the first offset not yet told
	committed int64

	// The segments that are not finished, in order of offset. The first one
	// alone decides what can be committed, so out-of-order completions need no
	// memory.
	first, last *segment

	history *history
}

// segment is a range of a batch: records of one partition with consecutive
// offsets.
type segment struct {
	partition      *partition
	delivery       *delivery
	offset         int64 // of the first record
	count          int
	bytes          int64 // of the events and a separator each
	units          int64 // that the events count as
	previous, next *segment
}

func (s *segment) end() int64 { return s.offset + int64(s.count) }

func (p *partition) append(s *segment) {
	s.previous = p.last
	if p.last != nil {
		p.last.next = s
	} else {
		p.first = s
	}
	p.last = s
}

func (p *partition) remove(s *segment) {
	if s.previous != nil {
		s.previous.next = s.next
	} else {
		p.first = s.next
	}
	if s.next != nil {
		s.next.previous = s.previous
	} else {
		p.last = s.previous
	}
}

// finishedTo returns the lowest offset that is not finished.
func (p *partition) finishedTo() int64 {
	if p.first != nil {
		return p.first.offset
	}
	return p.next
}

// history tells records that reach their end for the first time from those
// that do so again after a rebalance. It outlives the partition's owners, and
// is as small as what was unfinished when the partition changed hands.
type history struct {
	known      int64  // below it every record has reached its end, but for unfinished
	unfinished []span // in order
}

// span is the offsets from first up to, not including, end.
type span struct{ first, end int64 }

// remember takes over what is known of a partition that is revoked.
func (h *history) remember(p *partition) {
	for s := p.first; s != nil; s = s.next {
		if first := max(s.offset, h.known); first < s.end() {
			h.unfinished = append(h.unfinished, span{first, s.end()})
		}
	}
	h.known = max(h.known, p.next)
}

// settle says that all below offset has reached its end and returns how many offsets
// had not.
func (h *history) settle(offset int64) (settled int64) {
	var rest []span
	for _, u := range h.unfinished {
		settled += max(0, min(u.end, offset)-u.first)
		if u.end > offset {
			rest = append(rest, span{max(u.first, offset), u.end})
		}
	}
	h.unfinished = rest
	settled += max(0, offset-h.known)
	h.known = max(h.known, offset)
	return settled
}

// finish says that the segment has reached its end and returns how many of its
// records have done so for the first time.
func (h *history) finish(s *segment) int {
	if s.offset >= h.known {
		return s.count
	}
	fresh := max(0, s.end()-h.known)
	var rest []span
	for _, u := range h.unfinished {
		first, end := max(u.first, s.offset), min(u.end, s.end())
		if first >= end {
			rest = append(rest, u)
			continue
		}
		fresh += end - first
		if u.first < first {
			rest = append(rest, span{u.first, first})
		}
		if end < u.end {
			rest = append(rest, span{end, u.end})
		}
	}
	h.unfinished = rest
	return int(fresh)
}
