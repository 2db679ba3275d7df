package stream

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"

	"fclocal/internal/trigger"
)

// A journal keeps in a file what has been delivered, so that a next run can
// count what it delivers again because the one before was killed before it had
// committed. It has a line for each range of records: partition, offset, count.
type journal struct {
	file   *os.File
	before map[int32][]trigger.Range // of earlier runs; sorted, without overlaps
}

// openJournal reads the file, or makes it.
func openJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	j := &journal{file: file, before: map[int32][]trigger.Range{}}
	lines, length := bufio.NewReader(file), int64(0)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF { // what is behind the last line break was cut short by a kill
			err = file.Truncate(length)
			if err == nil {
				break
			}
		}
		length += int64(len(line))
		if err != nil {
			file.Close()
			return nil, err
		}
		var part trigger.Range
		if _, err := fmt.Sscanf(string(line), "%d %d %d\n", &part.Partition, &part.FirstOffset, &part.Count); err != nil {
			file.Close()
			return nil, fmt.Errorf("%s: %q is no range of records: %w", path, line, err)
		}
		j.before[part.Partition] = append(j.before[part.Partition], part)
	}
	for partition, parts := range j.before {
		slices.SortFunc(parts, func(a, b trigger.Range) int { return int(a.FirstOffset - b.FirstOffset) })
		merged := parts[:1]
		for _, part := range parts[1:] {
			last := &merged[len(merged)-1]
			if part.FirstOffset > last.FirstOffset+int64(last.Count) {
				merged = append(merged, part)
			} else {
				last.Count = max(last.Count, int(part.FirstOffset-last.FirstOffset)+part.Count)
			}
		}
		j.before[partition] = merged
	}
	return j, nil
}

// delivered notes a batch and returns how many of its records an earlier run had
// delivered.
func (j *journal) delivered(batch *trigger.Batch) (again int64, err error) {
	var lines bytes.Buffer
	for _, part := range batch.Ranges {
		fmt.Fprintln(&lines, part.Partition, part.FirstOffset, part.Count)
		end := part.FirstOffset + int64(part.Count)
		for _, b := range j.before[part.Partition] {
			again += max(0, min(end, b.FirstOffset+int64(b.Count))-max(part.FirstOffset, b.FirstOffset))
		}
	}
	_, err = j.file.Write(lines.Bytes())
	return again, err
}

// close empties the file if all that was delivered has been committed.
func (j *journal) close(committed bool) error {
	var err error
	if committed {
		err = j.file.Truncate(0)
	}
	if closeErr := j.file.Close(); err == nil {
		err = closeErr
	}
	return err
}
