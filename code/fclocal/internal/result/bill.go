package result

// A Bill is what the platform charges for a run.
type Bill struct {
	Currency string `json:"currency"`
	PricesOf string `json:"pricesOf"` // date of the newest price

	Run Charges `json:"run"`

	// Per30Days is for 30 days of a plan's load. It is nil for a backlog, which comes once,
	// and for what was not finished.
	Per30Days *Charges `json:"per30Days"`
}

// Charges are what is billed over some time. A price that is not known is nil.
type Charges struct {
	Price           *float64        `json:"price"` // of both, with EventBridge's cheaper mode, and of Log Service if that is known
	FunctionCompute FunctionCharges `json:"functionCompute"`
	EventBridge     StreamCharges   `json:"eventBridge"`
	LogService      *LogCharges     `json:"logService,omitempty"` // nil if s.yaml has no logConfig
}

// FunctionCharges are Function Compute's, in its unit CU.
type FunctionCharges struct {
	Price *float64 `json:"price"`
	CU    *float64 `json:"cu"` // each hour's rounded up to a whole one; nil if s.yaml has no cpu
	Tiers []Tier   `json:"tiers"`

	Calls           float64  `json:"calls"`
	CallsCU         float64  `json:"callsCU"`
	VCPUSeconds     *float64 `json:"vcpuSeconds"` // nil if s.yaml has no cpu
	VCPUCU          *float64 `json:"vcpuCU"`
	MemoryGBSeconds float64  `json:"memoryGBSeconds"`
	MemoryCU        float64  `json:"memoryCU"`
	DiskGBSeconds   float64  `json:"diskGBSeconds"` // beyond what is free
	DiskCU          float64  `json:"diskCU"`

	YearlyPlans *YearlyPlans `json:"yearlyPlans,omitempty"` // nil if they make 30 days no cheaper
}

// YearlyPlans are CU that are paid in advance and used within a year.
type YearlyPlans struct {
	Price float64      `json:"price"` // of 30 days, the CU beyond the plans included
	Plans []YearlyPlan `json:"plans"`
}

// A YearlyPlan is a size of plan, and how many of it are bought.
type YearlyPlan struct {
	CU    float64 `json:"cu"`
	Count float64 `json:"count"`
}

// A Tier is what falls into a month's tier.
type Tier struct {
	CU    float64 `json:"cu"`
	Price float64 `json:"price"` // of a CU
}

// StreamCharges are EventBridge's, in either of its modes.
type StreamCharges struct {
	ByEvents   EventCharges    `json:"byEvents"`
	ByCapacity CapacityCharges `json:"byCapacity"`
	Cheaper    string          `json:"cheaper,omitempty"` // ByEvents or ByCapacity
}

// The modes, as Cheaper has them.
const (
	ByEvents   = "byEvents"
	ByCapacity = "byCapacity"
)

// EventCharges are for the events pulled and retried.
type EventCharges struct {
	Price  *float64 `json:"price"`
	Events float64  `json:"events"` // one for each 64 KB begun
}

// CapacityCharges are for EventBridge's capacity units, which have nothing to do with
// Function Compute's CU.
type CapacityCharges struct {
	Price     *float64 `json:"price"`
	UnitHours float64  `json:"unitHours"`
}

// LogCharges are for what is written into Log Service.
type LogCharges struct {
	Price *float64 `json:"price"`
	GB    *float64 `json:"gb"` // of 2^30 bytes; nil if it is not known
}

// Recurs reports whether a run has a cost per 30 days: a plan with a load that comes
// again, which a backlog does not.
func (r Run) Recurs() bool {
	return r.Plan != nil && r.Load.DurationSeconds > 0 && r.Load.Backlog == 0
}

// Charges are those that a run is shown and compared by: per 30 days if its load comes
// again, else its own. They are nil if they are not known.
func (r Run) Charges() *Charges {
	switch {
	case r.Bill == nil:
		return nil
	case r.Recurs():
		return r.Bill.Per30Days
	default:
		return &r.Bill.Run
	}
}
