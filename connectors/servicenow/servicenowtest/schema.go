package servicenowtest

// parents is the part of the table hierarchy that is served: a query on a table
// also finds the records of those that extend it.
var parents = map[string]string{
	"incident":         "task",
	"problem":          "task",
	"change_request":   "task",
	"sc_request":       "task",
	"sc_req_item":      "task",
	"sc_task":          "task",
	"incident_task":    "task",
	"problem_task":     "task",
	"change_task":      "task",
	"rm_story":         "task",
	"cmdb_ci_service":  "cmdb_ci",
	"cmdb_ci_server":   "cmdb_ci",
	"cmdb_ci_appl":     "cmdb_ci",
	"cmdb_ci_database": "cmdb_ci",
}

var sysColumns = []string{"sys_id", "sys_created_on", "sys_created_by", "sys_updated_on", "sys_updated_by", "sys_mod_count"}

var taskColumns = append([]string{
	"number", "sys_class_name", "state", "active", "assigned_to", "assignment_group", "priority", "parent",
	"cmdb_ci", "business_service", "opened_at", "opened_by", "closed_at", "closed_by", "reassignment_count",
	"impact", "urgency", "made_sla", "contact_type", "location", "knowledge", "short_description", "description",
}, sysColumns...)

// baseColumns are the columns that the base system's tables have. A column that
// a loader names is added to its table, as a custom one would be.
var baseColumns = map[string][]string{
	"task": taskColumns,
	"incident": append([]string{
		"incident_state", "category", "subcategory", "caller_id", "resolved_at", "resolved_by", "close_code",
		"reopen_count", "problem_id", "rfc", "caused_by", "parent_incident", "notify",
	}, taskColumns...),
	"problem":        append([]string{"problem_state", "category", "subcategory", "resolved_at", "resolved_by"}, taskColumns...),
	"change_request": append([]string{"category", "type", "risk", "close_code"}, taskColumns...),
	"sc_request":     append([]string{"request_state", "requested_for"}, taskColumns...),
	"sc_req_item":    append([]string{"stage", "request", "cat_item"}, taskColumns...),
	"sc_task":        append([]string{"request", "request_item"}, taskColumns...),
	"incident_task":  append([]string{"incident"}, taskColumns...),
	"problem_task":   append([]string{"problem"}, taskColumns...),
	"change_task":    append([]string{"change_request"}, taskColumns...),
	"rm_story":       append([]string{"story_points"}, taskColumns...),
	"sys_audit": {
		"sys_id", "tablename", "documentkey", "fieldname", "oldvalue", "newvalue", "user",
		"sys_created_on", "sys_created_by", "record_checkpoint", "reason",
	},
	"sys_user": append([]string{
		"user_name", "name", "email", "active", "web_service_access_only", "internal_integration_user",
		"time_zone", "manager", "department",
	}, sysColumns...),
	"sys_user_group":    append([]string{"name", "manager", "email", "active"}, sysColumns...),
	"sys_user_grmember": append([]string{"group", "user"}, sysColumns...),
	"sys_journal_field": {"sys_id", "name", "element", "element_id", "value", "sys_created_on", "sys_created_by"},
	"metric_definition": append([]string{"name", "table", "field", "type", "active", "script"}, sysColumns...),
	"metric_instance": append([]string{
		"table", "id", "definition", "field", "field_value", "value", "start", "end", "duration", "calculation_complete",
	}, sysColumns...),
	"sys_choice":      append([]string{"name", "element", "value", "label", "language", "inactive", "sequence", "dependent_value"}, sysColumns...),
	"sys_properties":  append([]string{"name", "value"}, sysColumns...),
	"cmdb_ci":         append([]string{"name", "sys_class_name"}, sysColumns...),
	"cmdb_ci_service": append([]string{"name", "sys_class_name"}, sysColumns...),
}

// references says which table a reference column points at.
var references = map[string]string{
	"assigned_to": "sys_user", "opened_by": "sys_user", "closed_by": "sys_user", "resolved_by": "sys_user",
	"caller_id": "sys_user", "manager": "sys_user", "requested_for": "sys_user",
	"assignment_group": "sys_user_group", "group": "sys_user_group", "user": "sys_user", "definition": "metric_definition",
	"cmdb_ci": "cmdb_ci", "business_service": "cmdb_ci_service",
	"parent": "task", "problem_id": "problem", "parent_incident": "incident", "rfc": "change_request",
	"caused_by": "change_request", "request": "sc_request", "request_item": "sc_req_item",
}

// integers are the columns that compare as numbers.
var integers = map[string]bool{
	"state": true, "incident_state": true, "problem_state": true, "priority": true, "impact": true, "urgency": true,
	"sys_mod_count": true, "record_checkpoint": true, "reassignment_count": true, "reopen_count": true,
	"sequence": true, "story_points": true,
}

// indexed are the columns by which equality is found without reading the table.
var indexed = map[string][]string{
	"sys_audit":         {"documentkey"},
	"sys_journal_field": {"element_id"},
	"metric_instance":   {"id"},
	"sys_user_grmember": {"group"},
	"sys_user":          {"user_name"},
	"sys_choice":        {"name"},
	"sys_properties":    {"name"},
}

// inactiveStates are the states in which the base system's business rules make
// a record inactive.
var inactiveStates = map[string]map[string]bool{
	"incident":       {"7": true, "8": true},
	"problem":        {"107": true},
	"change_request": {"3": true, "4": true},
	"task":           {"3": true, "4": true, "7": true},
}

func choices(table, element string, pairs ...string) []Choice {
	var out []Choice
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, Choice{Table: table, Element: element, Value: pairs[i], Label: pairs[i+1], Sequence: i / 2})
	}
	return out
}

// baseChoices are the labels that the base system ships with.
var baseChoices = concat(
	choices("task", "state", "-5", "Pending", "1", "Open", "2", "Work in Progress", "3", "Closed Complete",
		"4", "Closed Incomplete", "7", "Closed Skipped"),
	choices("task", "priority", "1", "1 - Critical", "2", "2 - High", "3", "3 - Moderate", "4", "4 - Low", "5", "5 - Planning"),
	choices("incident", "state", "1", "New", "2", "In Progress", "3", "On Hold", "6", "Resolved", "7", "Closed", "8", "Canceled"),
	choices("incident", "incident_state", "1", "New", "2", "In Progress", "3", "On Hold", "6", "Resolved", "7", "Closed", "8", "Canceled"),
	choices("incident", "category", "inquiry", "Inquiry / Help", "software", "Software", "hardware", "Hardware",
		"network", "Network", "database", "Database"),
	choices("problem", "state", "101", "New", "102", "Assess", "103", "Root Cause Analysis", "104", "Fix in Progress",
		"106", "Resolved", "107", "Closed"),
	choices("change_request", "state", "-5", "New", "-4", "Assess", "-3", "Authorize", "-2", "Scheduled",
		"-1", "Implement", "0", "Review", "3", "Closed", "4", "Canceled"),
)

func concat(lists ...[]Choice) []Choice {
	var out []Choice
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}
