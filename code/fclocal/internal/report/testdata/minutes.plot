Instances, calls in flight, events per second and lag over time
partitions 1, maximumTasks 4, concurrency 26, CountBasedWindow 1, TimeBasedWindow 0 s, errorsTolerance ALL,
PushRetryStrategy BACKOFF_RETRY, eventSchema CloudEvents, instanceConcurrency 5, memorySize 512 MB,
timeout 60 s
Instances
0
200
400
600
800
1,000
0
1
2
3
4
5
6
7
8
9
10
Calls in flight
0
1,000
2,000
3,000
4,000
0
1
2
3
4
5
6
7
8
9
10
Events per second
0.0
0.2
0.4
0.6
0.8
1.0
0
1
2
3
4
5
6
7
8
9
10
Lag: messages not finished
0
1
0
1
2
3
4
5
6
7
8
9
10
time since start (min)
