#!/bin/sh
# First start: makes the data directory (interrupted, the next start goes on with it); every start: brings the schema up to date and
# serves. A database that has a county whose directory is gone is not made anew: docker compose run --entrypoint jgd jgd restore …
set -eu
data=/var/lib/jingguan/data
if [ ! -f "$data/jgd.ini" ]; then
	# Quoted as libpq reads it: a password may hold blanks, quotes and backslashes.
	password=$(sed "s/[\\\\']/\\\\&/g" "$JINGGUAN_DATABASE_PASSWORD_FILE")
	jgd init --data "$data" --county "$JINGGUAN_COUNTY" --name "$JINGGUAN_NAME" \
		--database "host=${JINGGUAN_DATABASE_HOST:-postgres} dbname=jingguan user=jingguan password='$password' sslmode=${JINGGUAN_DATABASE_SSLMODE:-verify-full}"
fi
jgd migrate --data "$data"
exec jgd serve --data "$data"
