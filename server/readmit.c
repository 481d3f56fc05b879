#include "readmit.h"

#include <string.h>

#include "access_log.h"
#include "clock.h"
#include "hash.h"
#include "log.h"
#include "pki.h"
#include "tables.h"
#include "tls.h"

/* Two connections of one computer may come at once: the second finds the row of the first. */
static const struct db_stmt write_again = {
	"WITH c AS (SELECT"
	" FROM county"
	" WHERE county = app_county() AND epoch > $6::bigint"
	" AND NOT EXISTS (SELECT FROM deny_list WHERE county = app_county() AND spki = $3::bytea)),"
	" u AS (UPDATE device d"
	" SET cert_spki = $3::bytea, cert_until = $4::timestamptz, next_spki = NULL, next_until = NULL"
	" FROM c"
	" WHERE d.county = app_county() AND d.device_id = $1::uuid AND d.school = $2::text"
	" AND d.revoked_at IS NULL AND d.cert_until < $4::timestamptz"
	" RETURNING 1),"
	" i AS (INSERT INTO device (county, device_id, school, cert_spki, cert_until, last_hash)"
	" SELECT app_county(), $1::uuid, $2::text, $3::bytea, $4::timestamptz, $5::bytea"
	" FROM c"
	" WHERE NOT EXISTS (SELECT FROM device WHERE county = app_county() AND device_id = $1::uuid)"
	" ON CONFLICT DO NOTHING"
	" RETURNING 1)"
	" SELECT (SELECT count(*) FROM i), (SELECT count(*) FROM u)"};
enum { AGAIN_MADE, AGAIN_RENEWED };

/* Who it is, by the certificate that this connection was opened with. */
static bool read_cert(struct request *r, struct pki_device *d)
{
	X509 *cert =
		r->conn && !stream_is_closing(&r->conn->stream) ? tls_peer_cert(&r->conn->stream.tls) : NULL;

	return cert && pki_device_of(cert, r->worker->server->conf.county, d);
}

bool readmit_query(struct request *r)
{
	struct db_params p = {0};
	struct pki_device d;
	uint8_t id[ID_SIZE], genesis[32];

	if (!read_cert(r, &d) || id_parse(id, d.device))
		return false;
	hash_genesis(genesis, id, 1);
	db_bytes(&p, id, sizeof id);
	db_text(&p, arena_printf(&r->arena, "%s", d.school));
	request_key(r, &p);
	db_time(&p, d.until_s * 1000000);
	db_bytes(&p, genesis, sizeof genesis);
	db_int8(&p, d.epoch);
	request_query(r, &write_again, &p);
	return true;
}

void readmit_tell(struct request *r)
{
	const PGresult *rows = request_result(r, &write_again);
	struct caller who = r->caller;
	struct pki_device d;

	if (!db_get_int(rows, 0, AGAIN_MADE) && !db_get_int(rows, 0, AGAIN_RENEWED))
		return;
	if (!read_cert(r, &d) || id_parse(who.device, d.device))
		return; /* it has gone meanwhile: nobody is left to name */
	snprintf(who.school, sizeof who.school, "%s", d.school);
	who.has_device = true;
	log_warn("device=%s school=%s is of a history that is gone: %s written again from its certificate",
		d.device, d.school, db_get_int(rows, 0, AGAIN_MADE) ? "its row was" : "its renewed key was");
	access_log_add(r->worker, &who, method_by_number(METHOD_ENROL_ENROL)->name, "READMITTED", 1, "enrol",
		r->ref);
}
