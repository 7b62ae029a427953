package jiratest

import "net/http"

// ServeHTTP answers as Jira does.
func (in *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in.mux.ServeHTTP(w, r)
}

func (in *Instance) routes() *http.ServeMux {
	return http.NewServeMux()
}
