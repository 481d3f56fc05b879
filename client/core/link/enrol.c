#include "enrol.h"
#include "lang.h"
#include "revoked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tables.h"
#include "tls.h"

#define ENROL_ARENA (1u << 20) /* a few certificates */

/* Takes certificate, CA and names of an answer; the CA must be the one that is believed already. */
/* A certificate that was made just now tells the server's time, a day early: a computer whose own clock is
 * years off judges the server's chain by it until WELCOME tells more. */
static int64_t issued_at_us(const ProtobufCBinaryData *der)
{
	const unsigned char *at = der->data;
	X509 *cert = d2i_X509(NULL, &at, (long)der->len);
	struct tm tm;
	int64_t us =
		cert && ASN1_TIME_to_tm(X509_get0_notBefore(cert), &tm) ? (int64_t)timegm(&tm) * 1000000 : 0;

	X509_free(cert);
	return us;
}

static enum err take_reply(
	struct profile *profile, const pb_enrol_reply *reply, const char *county, struct problem *p)
{
	if (!reply->cert.len || !reply->n_ca || !reply->device || !reply->county ||
		strcmp(reply->county, county) != 0)
		return problem_set(p, ERR_PROTOCOL, NULL, NULL, NULL);
	enum err e = profile_save_certs(
		profile, reply->cert.data, reply->cert.len, reply->ca[0].data, reply->ca[0].len, p);
	if (e)
		return e;
	int64_t issued = issued_at_us(&reply->cert);
	if (issued > profile->last_server)
		profile->last_server = issued;
	if (county != profile->county) { /* a renewal names what stands there */
		snprintf(profile->county, sizeof profile->county, "%s", county);
		/* WELCOME tells them: the folder may have been another school's */
		profile->county_name[0] = profile->school_name[0] = 0;
	}
	snprintf(profile->device, sizeof profile->device, "%s", reply->device);
	snprintf(profile->school, sizeof profile->school, "%s", reply->school ? reply->school : "");
	snprintf(profile->scope, sizeof profile->scope, "%s", reply->scope ? reply->scope : "");
	return profile_save(profile, p);
}

static enum err request_made(const struct profile *profile, unsigned char **der, size_t *n, struct problem *p)
{
	char host[64] = "";

	gethostname(host, sizeof host - 1);
	enum err e = trust_request(profile->key, host[0] ? host : "jg", der, n);
	return e ? problem_set(p, e, NULL, NULL, NULL) : ERR_OK;
}

/* The reply's CA must be the one of the code, or a man in the middle of the chain could put in another. */
static enum err check_ca(const pb_enrol_reply *reply, const struct connect_code *code, struct problem *p)
{
	const unsigned char *at = reply->n_ca ? reply->ca[0].data : NULL;
	X509 *ca = at ? d2i_X509(NULL, &at, (long)reply->ca[0].len) : NULL;
	uint8_t spki[32] = {0};
	enum err e = ca ? tls_spki(ca, spki) : tls_verdict(ERR_TLS);

	X509_free(ca);
	if (!e && memcmp(spki, code->ca_prefix, sizeof code->ca_prefix) != 0)
		e = ERR_TLS;
	return e ? problem_set(p, e, NULL, NULL, NULL) : ERR_OK;
}

static enum err enrol_call(struct profile *profile, struct link *link, const struct connect_code *code,
	const char *county, struct problem *p)
{
	pb_enrol_request request = PB_ENROL_REQUEST_INIT;
	const ProtobufCMessage *reply;
	unsigned char *der = NULL;
	char host[64] = "";
	struct arena arena;
	size_t n;
	enum err e = request_made(profile, &der, &n, p);

	gethostname(host, sizeof host - 1);
	request.has_secret = request.has_csr = 1;
	request.secret = (ProtobufCBinaryData){sizeof code->secret, (uint8_t *)code->secret};
	request.csr = (ProtobufCBinaryData){n, der};
	request.host = host;
	arena_init(&arena, ENROL_ARENA);
	if (!e)
		e = link_ask(link, METHOD_ENROL_ENROL, &request.base, &arena, &reply, p);
	if (!e)
		e = check_ca((const pb_enrol_reply *)reply, code, p);
	if (!e)
		e = take_reply(profile, (const pb_enrol_reply *)reply, county, p);
	arena_free(&arena);
	OPENSSL_free(der);
	return e;
}

enum err enrol_connect(struct profile *profile, const char *text, const char *server, struct problem *p)
{
	struct connect_code code;
	struct trust_result trust;
	struct link *link;
	enum err e = connect_code_parse(&code, text, p);

	if (e)
		return e;
	e = revoked_forget(profile, p);
	if (e)
		return e;
	if (profile_is_enrolled(profile))
		return problem_set(p, ERR_EXISTS, NULL, _("换用 --profile 另一个目录"),
			_("这个目录已经注册为设备 %s"), profile->device);
	if (!server || !*server)
		server = code.server;
	if (!*server)
		return problem_set(
			p, ERR_MISSING, "server", _("加上 --server 主机:端口"), _("连接码里没有服务器地址"));
	snprintf(profile->server, sizeof profile->server, "%s", server);
	e = profile_make_key(profile, p);
	if (!e)
		e = link_connect(&link, trust_enrol_context(&code, &trust), &trust, server, p);
	if (e)
		return e;
	e = enrol_call(profile, link, &code, trust.county, p);
	link_close(link);
	return e;
}

enum err enrol_move(struct profile *profile, const char *server, struct problem *p)
{
	char before[sizeof profile->server];
	struct link *link;

	if (strlen(server) >= sizeof profile->server)
		return problem_set(p, ERR_USAGE, "server", _("写成 主机:端口"), _("地址太长"));
	memcpy(before, profile->server, sizeof before);
	snprintf(profile->server, sizeof profile->server, "%s", server);
	/* only who has the county's key answers, and is stored */
	enum err e = link_open(&link, profile, NULL, p);
	if (!e) {
		link_close(link);
		return ERR_OK;
	}
	memcpy(profile->server, before, sizeof before);
	if (p)
		snprintf(p->safe, sizeof p->safe, _("没有改动，仍然使用 %.64s"), before);
	return e;
}

enum err enrol_renew(struct profile *profile, struct problem *p)
{
	pb_renew_request request = PB_RENEW_REQUEST_INIT;
	const ProtobufCMessage *reply;
	struct trust_result trust;
	unsigned char *der = NULL;
	struct link *link;
	struct arena arena;
	size_t n;
	enum err e = request_made(profile, &der, &n, p);

	if (e)
		return e;
	e = link_connect(&link,
		trust_context(profile->ca, profile->cert, profile->key, profile->county, true,
			profile_cert_time_s(profile), &trust),
		&trust, profile->server, p);
	if (e) {
		OPENSSL_free(der);
		return e;
	}
	request.has_csr = 1;
	request.csr = (ProtobufCBinaryData){n, der};
	arena_init(&arena, ENROL_ARENA);
	e = link_ask(link, METHOD_ENROL_RENEW, &request.base, &arena, &reply, p);
	if (!e)
		e = take_reply(profile, (const pb_enrol_reply *)reply, profile->county, p);
	arena_free(&arena);
	OPENSSL_free(der);
	link_close(link);
	return e;
}
