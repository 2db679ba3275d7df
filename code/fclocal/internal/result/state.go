package result

// A State is how far a stream has come.
type State struct {
	Label string // which run it is, where there are several; may be empty

	Produced        int64
	Delivered       int64
	InFlight        int // calls
	Instances       int
	EventsPerSecond float64
	Lag             int64 // messages that are not finished
	Retries         int64
}

// A PlanState is how far plans have come, or what comes before them.
type PlanState struct {
	Label    string // what is done; may be empty
	Finished int    // runs
	Runs     int
	Done     float64 // share of all that is to be done, 0 to 1
}
