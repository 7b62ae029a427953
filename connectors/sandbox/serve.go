package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server serves a fake on a loopback port of its own.
type Server struct {
	URL string // base URL without a trailing slash

	http   http.Server
	served chan error
}

// Serve starts to serve a fake's handler on a free port of 127.0.0.1. The
// caller closes the Server.
func Serve(handler http.Handler) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for a generated system: %w", err)
	}
	s := &Server{
		URL:    "http://" + l.Addr().String(),
		http:   http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second},
		served: make(chan error, 1),
	}
	go func() { s.served <- s.http.Serve(l) }()
	return s, nil
}

// Close ends the server within a second, breaking off what is under way then,
// and waits for it.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("closing a generated system: %w", err)
	}
	return nil
}
