Instances, calls in flight, events per second and lag over time
partitions 1, maximumTasks 4, concurrency 26, CountBasedWindow 1, TimeBasedWindow 0 s, errorsTolerance ALL,
PushRetryStrategy BACKOFF_RETRY, eventSchema CloudEvents, memorySize 512 MB, timeout 60 s
instanceConcurrency 1
instanceConcurrency 2
instanceConcurrency 3
instanceConcurrency 4
instanceConcurrency 5
instanceConcurrency 6
instanceConcurrency 7
instanceConcurrency 8
instanceConcurrency 9
instanceConcurrency 10
instanceConcurrency 11
instanceConcurrency 12
Instances
0
10
20
30
40
50
60
70
80
0
2
4
6
8
10
12
14
16
18
20
22
24
Calls in flight
0
50
100
150
0
2
4
6
8
10
12
14
16
18
20
22
24
Events per second
0
10,000
20,000
30,000
40,000
0
2
4
6
8
10
12
14
16
18
20
22
24
Lag: messages not finished
0
1 M
2 M
3 M
4 M
5 M
6 M
0
2
4
6
8
10
12
14
16
18
20
22
24
time since start (h)
