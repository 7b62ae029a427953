#!/bin/sh
# Makes what compose.yaml needs and no repository may hold: a password for each of
# ClickHouse, Grafana's account in it, Grafana itself and the scrape of Fairlead,
# each at random, and the two hashes of them that are configuration. What is there
# stays as it is.
#
# The containers run as users of their own, whom the files must be readable for; so
# the folder is closed to the other users of this host instead.
set -eu
umask 022
cd "$(dirname "$0")"

password() {
	[ -s "secrets/$1" ] || openssl rand -hex 24 | tr -d '\n' >"secrets/$1"
}

mkdir -p secrets
chmod 0700 secrets
password clickhouse.password
password clickhouse-grafana.password
password grafana.password
password metrics.password

if [ ! -s web.yml ]; then
	# bcrypt, of which Prometheus's web configuration wants the hash.
	if command -v htpasswd >/dev/null; then
		line=$(htpasswd -niBC 10 prometheus <secrets/metrics.password)
	else
		line=$(docker run --rm -i httpd:2.4.65 htpasswd -niBC 10 prometheus <secrets/metrics.password)
	fi
	printf 'basic_auth_users:\n  prometheus: "%s"\n' "${line#prometheus:}" >web.yml.new
	mv web.yml.new web.yml
fi
if [ ! -s ../.env ]; then
	printf 'FAIRLEAD_GRAFANA_SHA256=%s\n' "$(openssl dgst -sha256 -r <secrets/clickhouse-grafana.password | cut -d ' ' -f 1)" >../.env
fi
if [ ! -e fairlead.yaml ]; then
	echo "next: write $(pwd)/fairlead.yaml (fairlead init asks what it needs)" >&2
fi
