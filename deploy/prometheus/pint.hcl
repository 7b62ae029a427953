# How pint judges the rules: `make verify`. Strict about what it knows of rules
# in general, and that every alert is whole.
parser {
  schema = "prometheus"
}

rule {
  match {
    kind = "alerting"
  }

  label "severity" {
    required = true
    value    = "info|warning|critical"
    severity = "bug"
  }

  label "owner" {
    required = true
    value    = "lead|operations"
    severity = "bug"
  }

  label "about" {
    required = true
    value    = "person|team|area|service"
    severity = "bug"
  }

  annotation "summary" {
    required = true
    severity = "bug"
  }

  annotation "description" {
    required = true
    severity = "bug"
  }

  annotation "dashboard_url" {
    required = true
    severity = "bug"
  }

  annotation "runbook_url" {
    required = true
    value    = "https?://.+/runbooks/.+"
    severity = "bug"
  }

  for {
    min      = "5m"
    max      = "15m"
    severity = "bug"
  }

  keep_firing_for {
    min      = "5m"
    severity = "bug"
  }
}
