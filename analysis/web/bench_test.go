package web

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkPages is a page under load over HTTP, beside the standard library
// serving the same bytes: the metric is how many times as long a page takes.
func BenchmarkPages(b *testing.B) {
	pages, _, _ := house(b, nil)
	for _, path := range []string{"/", "/team?team=Payments", "/areas", "/method"} {
		b.Run(path, func(b *testing.B) {
			var bare float64
			body := fetched(b, pages, path)
			for _, one := range []struct {
				name    string
				handler http.Handler
			}{
				{"bare", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/html; charset=utf-8")
					_, _ = w.Write(body)
				})},
				{"page", signedIn(pages)},
			} {
				b.Run(one.name, func(b *testing.B) {
					server := httptest.NewServer(one.handler)
					defer server.Close()
					b.ResetTimer()
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							response, err := http.Get(server.URL + path)
							if err != nil {
								b.Error(err)
								return
							}
							_, _ = io.Copy(io.Discard, response.Body)
							response.Body.Close()
						}
					})
					took := b.Elapsed().Seconds() / float64(b.N)
					if one.name == "bare" {
						bare = took
						return
					}
					b.ReportMetric(took/bare, "×bare")
					b.ReportMetric(float64(len(body)), "bytes")
				})
			}
		})
	}
}

// signedIn lets every request come through the proxy, from somebody who leads no
// team: what is logged would else be measured.
func signedIn(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.1:1"
		r.Header.Set("X-Forwarded-Email", "one@example.org")
		h.ServeHTTP(w, r)
	})
}

func fetched(b *testing.B, h http.Handler, path string) []byte {
	w := httptest.NewRecorder()
	signedIn(h).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		b.Fatal(w.Code)
	}
	return bytes.Clone(w.Body.Bytes())
}
