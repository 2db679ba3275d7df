Instances, calls in flight and events per second over time
partitions 1, maximumTasks 4, concurrency 26, CountBasedWindow 1, TimeBasedWindow 0 s, errorsTolerance ALL,
PushRetryStrategy BACKOFF_RETRY, eventSchema CloudEvents, memorySize 512 MB, timeout 60 s
instanceConcurrency 26
instanceConcurrency 13
instanceConcurrency 5
instanceConcurrency 2
instanceConcurrency 1
instances
0
5
10
15
20
25
calls in flight
0
5
10
15
20
25
time since start (s)
0.0
0.5
1.0
1.5
2.0
2.5
events per second
0
10
20
30
40
50
