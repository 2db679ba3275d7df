Instances, calls in flight, events per second and lag over time
partitions 1, maximumTasks 4, concurrency 26, CountBasedWindow 1, TimeBasedWindow 0 s, errorsTolerance ALL,
PushRetryStrategy BACKOFF_RETRY, eventSchema CloudEvents, memorySize 512 MB, timeout 60 s
instanceConcurrency 26
instanceConcurrency 13
instanceConcurrency 5
instanceConcurrency 2
instanceConcurrency 1
Instances
0
5
10
15
20
25
0.0
0.5
1.0
1.5
2.0
2.5
Calls in flight
0
5
10
15
20
25
0.0
0.5
1.0
1.5
2.0
2.5
Events per second
0
10
20
30
40
50
0.0
0.5
1.0
1.5
2.0
2.5
Lag: messages not finished
0
1
0.0
0.5
1.0
1.5
2.0
2.5
time since start (s)
