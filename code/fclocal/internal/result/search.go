package result

// A Search is the answer to which settings keep some goals at the lowest price.
type Search struct {
	Goals []string `json:"goals"`

	Currency string `json:"currency"`
	PricesOf string `json:"pricesOf"`           // date of the newest price
	Over     string `json:"over"`               // what prices are for: 30 days, or the run
	PartOnly string `json:"partOnly,omitempty"` // what has no price in the currency, so that it is left out

	Varied   []Varied `json:"varied"`
	Settings int      `json:"settings"` // combinations of these values
	Planned  int      `json:"planned"`  // of those: the others are dearer, or the same, or cannot keep up

	Today    Choice   `json:"today"`
	Best     *Choice  `json:"best"`              // nil if nothing keeps the goals
	Nearest  *Choice  `json:"nearest,omitempty"` // what comes nearest then
	Frontier []Choice `json:"frontier"`          // those of which none is cheaper and faster, by price: 12 at most

	// Binds says what keeps the price from being lower, or the goals from being kept.
	Binds []string `json:"binds"`
	Notes []string `json:"notes"`

	Changes []Change `json:"changes"` // of s.yaml, from today's to the best
	Diff    string   `json:"diff"`    // the same, as a unified diff; "" if there is nothing to change in place
	Applied bool     `json:"applied"` // it has been written
}

// Varied is a setting with the values that it was given.
type Varied struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit,omitempty"`
	Values []float64 `json:"values"`
}

// A Change is another value for a setting.
type Change struct {
	Name string `json:"name"`
	From string `json:"from"` // "" if s.yaml does not have it
	To   string `json:"to"`
	Line int    `json:"line,omitempty"` // of s.yaml, where it is changed

	// Instead says why it cannot be changed in place; "" if it can.
	Instead string `json:"instead,omitempty"`
}

// A Choice is a combination of settings with what it costs and does.
type Choice struct {
	Settings Settings `json:"settings"` // those that are varied
	Kept     bool     `json:"kept"`     // all goals
	Missed   []string `json:"missed,omitempty"`

	Price           float64  `json:"price"`
	FunctionCompute float64  `json:"functionCompute"`
	EventBridge     *float64 `json:"eventBridge"`          // nil: it has no price in the currency
	LogService      *float64 `json:"logService,omitempty"` // nil: it is not known

	LatencyMs    LatencyMs `json:"latencyMs"`
	LagMax       int64     `json:"lagMax"`
	LagEnd       int64     `json:"lagEnd"`
	KeepsUp      bool      `json:"keepsUp"`
	Instances    int       `json:"instances"` // most that existed at a time
	PeakInFlight int       `json:"peakInFlight"`
	PeakMemoryMB float64   `json:"peakMemoryMB"`

	// Seeds is how often it was planned: then prices are the mean and all else the
	// highest. Part says that a part of the load stands for it.
	Seeds int  `json:"seeds"`
	Part  bool `json:"part"`

	Run Run `json:"-"` // of the first seed
}
