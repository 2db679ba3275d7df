Instances, calls in flight and events per second over time
partitions 0
instances
0
1
calls in flight
0
1
time since start (s)
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
events per second
0.0
0.2
0.4
0.6
0.8
1.0
