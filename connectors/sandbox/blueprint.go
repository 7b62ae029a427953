package sandbox

// policy is how a team gives out its tickets.
type policy uint8

const (
	// balanced draws in proportion to capacity and knack, and against what
	// someone has open already.
	balanced policy = iota
	// goTo is balanced until the team falls into the habit of giving every third
	// ticket to the one who always gets it done.
	goTo
	// keeper is balanced, but for one area that only one person understands.
	keeper
	// lot draws uniformly among those who are there.
	lot
	// turns gives to whoever has waited longest for one.
	turns
	// skills gives in turn among those who have the skill that the area needs.
	skills
)

// site is where someone sits.
type site struct{ country, zone string }

var (
	berlin  = site{"DE", "Europe/Berlin"}
	london  = site{"GB", "Europe/London"}
	warsaw  = site{"PL", "Europe/Warsaw"}
	madrid  = site{"ES", "Europe/Madrid"}
	newYork = site{"US", "America/New_York"}
	chicago = site{"US", "America/Chicago"}
	kolkata = site{"IN", "Asia/Kolkata"}
)

// teamPlan is a team as it is meant to be. Days count back from the end of
// the year.
type teamPlan struct {
	name   string
	policy policy
	onCall bool
	sites  []site      // one a founding member
	part   map[int]int // member → days a week, where fewer than five
	leaves map[int]int // member → how many days ago they left
	joins  []join
	queues []queuePlan
	steady bool // the same hours for all, and leave spread evenly over the quarters
}

type join struct {
	daysAgo int
	site    site
	from    string // the team they moved over from; "" for a new colleague
}

// queuePlan is a queue and what comes to it.
type queuePlan struct {
	system  System
	name    string
	key     string
	volume  float64 // tickets of its own in a year of DefaultTickets
	fixed   bool    // the volume does not follow Options.Tickets
	mix     []share
	areas   []areaPlan
	desk    float64 // share that reaches it by way of the service desk
	night   float64 // share that monitoring raises, at any hour
	pass    float64 // chance that whoever gets a ticket passes it on
	stray   float64 // of those passed on, the share that goes to another queue
	hours   float64 // median hands-on hours
	spread  float64 // sigma of their logarithm
	stretch float64 // working hours that pass for each hands-on hour
	wait    float64 // chance of a time on hold
	uneven  bool    // more work at the end of the month
}

type share struct {
	kind   Type
	weight float64
}

type areaPlan struct {
	name     string
	weight   float64
	kind     AreaKind
	category string
	skilled  []int // members who have the skill, where the policy asks for it
}

const serviceDesk = "Service Desk"

// overloadDays is for how long the team with the go-to person has had the
// habit: since a colleague left.
const overloadDays = 190

var blueprint = []teamPlan{
	{
		name:   serviceDesk,
		sites:  []site{warsaw, warsaw, warsaw, warsaw, berlin, kolkata, kolkata, kolkata, newYork, newYork, newYork},
		part:   map[int]int{4: 4},
		leaves: map[int]int{3: 250, 2: 38},
		joins:  []join{{236, warsaw, ""}},
		queues: []queuePlan{{
			system: ServiceNow, name: serviceDesk, volume: 14_300,
			mix:  []share{{Incident, 0.58}, {CatalogTask, 0.42}},
			pass: 0.05, stray: 0.2, hours: 0.55, spread: 0.7, stretch: 3, wait: 0.2,
			areas: []areaPlan{
				{"Laptops and desktops", 22, AreaService, "hardware", nil},
				{"E-mail and calendar", 17, AreaService, "software", nil},
				{"Remote access", 14, AreaService, "network", nil},
				{"Printing", 11, AreaService, "hardware", nil},
				{"Mobile devices", 10, AreaService, "hardware", nil},
				{"Meeting rooms", 7, AreaService, "hardware", nil},
				{"Office applications", 13, AreaService, "software", nil},
				{"General enquiries", 6, AreaService, "inquiry", nil},
			},
		}},
	},
	{
		name: "Network", policy: skills, onCall: true, steady: true,
		sites: []site{berlin, berlin, berlin, berlin, berlin, berlin, berlin, berlin},
		queues: []queuePlan{{
			system: ServiceNow, name: "Network Operations", volume: 5_200,
			mix:  []share{{Incident, 0.62}, {CatalogTask, 0.22}, {ChangeRequest, 0.13}, {Problem, 0.03}},
			desk: 0.25, night: 0.06, pass: 0.06, stray: 0.3, hours: 1.5, spread: 0.8, stretch: 4, wait: 0.22,
			areas: []areaPlan{
				{"Firewall cluster", 50, AreaCI, "network", []int{0, 1, 2, 3}},
				{"Office switching", 20, AreaCI, "network", []int{0, 1, 2, 4}},
				{"Wide-area links", 14, AreaCI, "network", []int{3, 5, 6, 7}},
				{"Wireless", 16, AreaCI, "network", []int{4, 5, 6, 7}},
			},
		}},
	},
	{
		name: "Database", policy: keeper, onCall: true,
		sites: []site{london, london, london, madrid, madrid, london, madrid},
		part:  map[int]int{5: 4},
		queues: []queuePlan{{
			system: ServiceNow, name: "Database Administration", volume: 4_600,
			mix:  []share{{Incident, 0.52}, {CatalogTask, 0.30}, {ChangeRequest, 0.14}, {Problem, 0.04}},
			desk: 0.15, night: 0.08, pass: 0.09, stray: 0.3, hours: 1.7, spread: 0.8, stretch: 4, wait: 0.2,
			areas: []areaPlan{
				{"Billing ledger", 14, AreaCI, "database", nil}, // the keeper's
				{"Customer master data", 22, AreaCI, "database", nil},
				{"Order database", 24, AreaCI, "database", nil},
				{"Reporting cluster", 21, AreaCI, "database", nil},
				{"Backup and restore", 19, AreaCI, "database", nil},
			},
		}},
	},
	{
		name: "Identity and Access", policy: turns, steady: true,
		sites: []site{madrid, madrid, madrid, madrid, madrid, madrid, madrid},
		queues: []queuePlan{{
			system: ServiceNow, name: "Identity and Access", volume: 5_700,
			mix:  []share{{Incident, 0.38}, {CatalogTask, 0.58}, {ChangeRequest, 0.04}},
			desk: 0.2, pass: 0.04, stray: 0.4, hours: 1.1, spread: 0.6, stretch: 3.5, wait: 0.25,
			areas: []areaPlan{
				{"Directory", 28, AreaService, "access", nil},
				{"Single sign-on", 26, AreaService, "access", nil},
				{"Access reviews", 18, AreaService, "access", nil},
				{"Privileged access", 14, AreaService, "access", nil},
				{"Certificates", 14, AreaService, "access", nil},
			},
		}},
	},
	{
		name: "Payments", policy: goTo, onCall: true,
		sites:  []site{london, london, warsaw, warsaw, warsaw, london, warsaw, london},
		leaves: map[int]int{6: overloadDays},
		queues: []queuePlan{
			{
				system: Jira, name: "Payments", key: "PAY", volume: 2_200,
				mix:  []share{{Bug, 0.34}, {Story, 0.30}, {Task, 0.24}, {ServiceRequest, 0.12}},
				pass: 0.07, hours: 3.2, spread: 0.7, stretch: 6, wait: 0.14, uneven: true,
				areas: []areaPlan{
					{"Checkout", 26, AreaComponent, "", nil},
					{"Settlement", 22, AreaComponent, "", nil},
					{"Refunds", 18, AreaComponent, "", nil},
					{"Fraud rules", 18, AreaComponent, "", nil},
					{"Invoicing", 16, AreaComponent, "", nil},
				},
			},
			{
				system: ServiceNow, name: "Payments Support", volume: 800,
				mix:  []share{{Incident, 0.8}, {Problem, 0.06}, {ChangeRequest, 0.14}},
				desk: 0.15, night: 0.12, pass: 0.06, stray: 0.2, hours: 1.8, spread: 0.7, stretch: 4, wait: 0.15,
				areas: []areaPlan{
					{"Card processing", 55, AreaService, "software", nil},
					{"Payment gateway", 45, AreaService, "software", nil},
				},
			},
		},
	},
	{
		name:   "Web",
		sites:  []site{berlin, berlin, madrid, madrid, newYork, newYork, berlin, madrid},
		part:   map[int]int{2: 4},
		leaves: map[int]int{5: 130},
		joins:  []join{{115, newYork, ""}},
		queues: []queuePlan{{
			system: Jira, name: "Web and Mobile", key: "WEB", volume: 2_500,
			mix:  []share{{Bug, 0.36}, {Story, 0.34}, {Task, 0.22}, {ServiceRequest, 0.08}},
			pass: 0.07, stray: 0.15, hours: 3.4, spread: 0.7, stretch: 6, wait: 0.12,
			areas: []areaPlan{
				{"Storefront", 28, AreaComponent, "", nil},
				{"Search", 18, AreaComponent, "", nil},
				{"Account pages", 20, AreaComponent, "", nil},
				{"Mobile app", 22, AreaComponent, "", nil},
				{"Content pages", 12, AreaComponent, "", nil},
			},
		}},
	},
	{
		name: "Platform", onCall: true,
		sites: []site{berlin, berlin, warsaw, warsaw, kolkata, kolkata, kolkata},
		joins: []join{{170, berlin, "Web"}},
		queues: []queuePlan{
			{
				system: Jira, name: "Platform Engineering", key: "PLAT", volume: 1_800,
				mix:  []share{{Bug, 0.2}, {Story, 0.26}, {Task, 0.36}, {ServiceRequest, 0.18}},
				pass: 0.06, stray: 0.1, hours: 3.2, spread: 0.7, stretch: 6, wait: 0.12,
				areas: []areaPlan{
					{"Build pipeline", 28, AreaComponent, "", nil},
					{"Kubernetes", 28, AreaComponent, "", nil},
					{"Observability", 22, AreaComponent, "", nil},
					{"Secrets", 22, AreaComponent, "", nil},
				},
			},
			{
				system: ServiceNow, name: "Platform Operations", volume: 1_300,
				mix:  []share{{Incident, 0.76}, {ChangeRequest, 0.2}, {Problem, 0.04}},
				desk: 0.1, night: 0.12, pass: 0.08, stray: 0.3, hours: 1.6, spread: 0.7, stretch: 4, wait: 0.15,
				areas: []areaPlan{
					{"Container hosting", 55, AreaService, "software", nil},
					{"Monitoring", 45, AreaService, "software", nil},
				},
			},
		},
	},
	{
		name: "Data", policy: lot, steady: true,
		sites: []site{london, london, london, london, london, london, london, london},
		queues: []queuePlan{{
			system: Jira, name: "Data Engineering", key: "DATA", volume: 360, fixed: true,
			mix:  []share{{Story, 0.62}, {Task, 0.26}, {Bug, 0.12}},
			pass: 0.02, hours: 16, spread: 0.4, stretch: 2, wait: 0.1,
			areas: []areaPlan{
				{"Warehouse models", 32, AreaComponent, "", nil},
				{"Event streams", 26, AreaComponent, "", nil},
				{"Forecasting", 22, AreaComponent, "", nil},
				{"Data quality", 20, AreaComponent, "", nil},
			},
		}},
	},
}

// The names are drawn independently, so that a full name belongs to nobody.
var givenNames = []string{
	"Aarav", "Adaeze", "Agnieszka", "Aiko", "Alejandro", "Amara", "Ananya", "Anders", "Astrid", "Ayşe", "Beatriz",
	"Bongani", "Camille", "Chiara", "Daan", "Devi", "Dimitra", "Elif", "Emeka", "Eszter", "Farid", "Fiona", "Gaurav",
	"Hana", "Héctor", "Ingrid", "Isha", "Ivan", "Jelena", "João", "Kavya", "Kenji", "Kwame", "Laila", "Leila", "Linh",
	"Lucía", "Łukasz", "Magda", "Malik", "Marek", "Mei", "Milan", "Naledi", "Nikhil", "Noor", "Olga", "Omar", "Oskar",
	"Pilar", "Priya", "Rafael", "Ravi", "Renske", "Rosa", "Sanna", "Siobhán", "Sofia", "Tadeusz", "Tariq", "Thabo",
	"Tomás", "Uma", "Viktor", "Wanjiru", "Xiomara", "Yael", "Yusuf", "Zofia", "Zsolt",
}

var familyNames = []string{
	"Abara", "Achterberg", "Adeyemi", "Almeida", "Andersson", "Antoniou", "Bakker", "Banerjee", "Baranek", "Bellini",
	"Bhatt", "Brandvold", "Castellano", "Chaudhary", "Cisneros", "Dahlberg", "Delacroix", "Demir", "Dlamini", "Dvorak",
	"Eriksen", "Fekete", "Ferreira", "Fontaine", "Gallagher", "Georgiou", "Ghosh", "Grabowski", "Haddad", "Halvorsen",
	"Hashimoto", "Horvat", "Ibarra", "Iyer", "Jankowski", "Kamau", "Karlsson", "Kaya", "Khoury", "Kovacs", "Krawczyk",
	"Lindqvist", "Mahlangu", "Marchetti", "Mbeki", "Mehta", "Mizrahi", "Moreau", "Mukherjee", "Nakagawa", "Ndiaye",
	"Novotny", "Nyström", "Obi", "Okafor", "Olszewski", "Osei", "Papadakis", "Pereira", "Petrov", "Quispe", "Raman",
	"Rautio", "Rossi", "Sadeghi", "Salgado", "Sandoval", "Sato", "Schreiber", "Serrano", "Sithole", "Soroka", "Szabo",
	"Takahashi", "Tanaka", "Thorsen", "Tran", "Uribe", "Van Dijk", "Vargas", "Virtanen", "Wieczorek", "Yamada",
	"Yilmaz", "Zapata", "Ziegler",
}
