Instances, calls in flight, events per second and lag over time
partitions 1, maximumTasks 4, concurrency 26, CountBasedWindow 1, TimeBasedWindow 0 s, errorsTolerance ALL,
PushRetryStrategy BACKOFF_RETRY, eventSchema CloudEvents, instanceConcurrency 5, memorySize 512 MB,
timeout 60 s
Instances
0
1
2
3
4
5
6
0.0
0.1
0.2
0.3
0.4
0.5
0.6
0.7
0.8
0.9
1.0
Calls in flight
0
5
10
15
20
25
0.0
0.1
0.2
0.3
0.4
0.5
0.6
0.7
0.8
0.9
1.0
Events per second
0
10
20
30
40
50
0.0
0.1
0.2
0.3
0.4
0.5
0.6
0.7
0.8
0.9
1.0
Lag: messages not finished
0
1
0.0
0.1
0.2
0.3
0.4
0.5
0.6
0.7
0.8
0.9
1.0
time since start (s)
