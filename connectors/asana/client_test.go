package asana

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/source/sourcetest"
)

// paced answers with the date at which a request was let through, hours after it came.
type paced struct{ clock *sourcetest.Clock }

func (p paced) RoundTrip(r *http.Request) (*http.Response, error) {
	at := p.clock.Advance(2 * time.Hour)
	return &http.Response{StatusCode: http.StatusOK, Request: r, Header: http.Header{"Date": {at.Format(http.TimeFormat)}},
		Body: io.NopCloser(strings.NewReader(`{"data":{"gid":"1"}}`))}, nil
}

// What a request waits for before it is sent does not count as Asana's clock being
// ahead.
func TestAsanasClockIsToldByAnswers(t *testing.T) {
	clock := sourcetest.NewClock(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
	c := DefaultConfig()
	c.Token, c.Projects = "a-token", []string{"12"}
	s, err := New(c, Options{Clock: clock.Now, Transport: paced{clock}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	if there := s.there(); !there.Equal(clock.Now()) {
		t.Errorf("Asana's clock is taken to show %v at %v", there, clock.Now())
	}
}
