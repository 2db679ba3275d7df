package trigger

import "slices"

// queue is a first-in, first-out queue.
type queue[T any] struct {
	items []T
	start int // of the items that are left
}

func (q *queue[T]) empty() bool { return q.start == len(q.items) }
func (q *queue[T]) peek() T     { return q.items[q.start] }

func (q *queue[T]) push(item T) {
	if q.start > len(q.items)/2 { // reuse the space
		q.items = slices.Delete(q.items, 0, q.start)
		q.start = 0
	}
	q.items = append(q.items, item)
}

func (q *queue[T]) pop() T {
	item := q.items[q.start]
	var zero T
	q.items[q.start] = zero
	q.start++
	return item
}

func (q *queue[T]) deleteFunc(del func(T) bool) {
	q.items = slices.DeleteFunc(slices.Delete(q.items, 0, q.start), del)
	q.start = 0
}
