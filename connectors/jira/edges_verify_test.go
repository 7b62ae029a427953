//go:build verify

package jira_test

import "testing"

// TestVerifyRequestsPerThousand counts them at the size that the budget is made for.
func TestVerifyRequestsPerThousand(t *testing.T) { requestsPerThousand(t, 10_000) }
