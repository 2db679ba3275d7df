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

// A Journal keeps in a file what has been delivered, so that a next run can
// count what it delivers again because the one before was killed before it had
// committed. It has a line for each run of records: partition, offset, count.
type Journal struct {
	file   *os.File
	before map[int32][]trigger.Run // of earlier runs; sorted, without overlaps
}

// OpenJournal reads the file, or makes it.
func OpenJournal(path string) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	j := &Journal{file: file, before: map[int32][]trigger.Run{}}
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
		var run trigger.Run
		if _, err := fmt.Sscanf(string(line), "%d %d %d\n", &run.Partition, &run.FirstOffset, &run.Count); err != nil {
			file.Close()
			return nil, fmt.Errorf("%s: %q is no run of records: %w", path, line, err)
		}
		j.before[run.Partition] = append(j.before[run.Partition], run)
	}
	for partition, runs := range j.before {
		slices.SortFunc(runs, func(a, b trigger.Run) int { return int(a.FirstOffset - b.FirstOffset) })
		merged := runs[:1]
		for _, run := range runs[1:] {
			last := &merged[len(merged)-1]
			if run.FirstOffset > last.FirstOffset+int64(last.Count) {
				merged = append(merged, run)
			} else {
				last.Count = max(last.Count, int(run.FirstOffset-last.FirstOffset)+run.Count)
			}
		}
		j.before[partition] = merged
	}
	return j, nil
}

// delivered notes a batch and returns how many of its records an earlier run had
// delivered.
func (j *Journal) delivered(batch *trigger.Batch) (again int64, err error) {
	var lines bytes.Buffer
	for _, run := range batch.Runs {
		fmt.Fprintln(&lines, run.Partition, run.FirstOffset, run.Count)
		end := run.FirstOffset + int64(run.Count)
		for _, b := range j.before[run.Partition] {
			again += max(0, min(end, b.FirstOffset+int64(b.Count))-max(run.FirstOffset, b.FirstOffset))
		}
	}
	_, err = j.file.Write(lines.Bytes())
	return again, err
}

// Close empties the file if all that was delivered has been committed.
func (j *Journal) Close(committed bool) error {
	var err error
	if committed {
		err = j.file.Truncate(0)
	}
	if closeErr := j.file.Close(); err == nil {
		err = closeErr
	}
	return err
}
