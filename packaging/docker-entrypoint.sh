#!/bin/sh
# First start: makes the data directory; every start: brings the schema up to date and serves.
set -eu
data=/var/lib/jingguan/data
if [ ! -f "$data/jgd.ini" ]; then
	PGPASSWORD=$(cat "$JINGGUAN_DATABASE_PASSWORD_FILE")
	export PGPASSWORD
	jgd init --data "$data" --county "$JINGGUAN_COUNTY" --name "$JINGGUAN_NAME" \
		--database "host=${JINGGUAN_DATABASE_HOST:-postgres} dbname=jingguan user=jingguan password=$PGPASSWORD sslmode=${JINGGUAN_DATABASE_SSLMODE:-verify-full}"
fi
jgd migrate --data "$data"
exec jgd serve --data "$data"
