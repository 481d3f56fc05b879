#include "pki.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sodium.h>

#include "buf.h"
#include "hash.h"
#include "lang.h"
#include "log.h"
#include "tls.h"

#define CA_DAYS 7300 /* twenty years: the CA's hash is printed on connect codes */
#define SERVER_DAYS 3650
#define BACKDATE_S 86400 /* a school's clock may be a day slow */

static _Atomic int64_t clock_shift;

void pki_set_clock_shift(int64_t seconds)
{
	atomic_store(&clock_shift, seconds);
}

static enum err openssl_failed(struct problem *p, const char *what)
{
	return problem_set(p, ERR_INTERNAL, NULL, NULL, "%s: %s", what, tls_fault());
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool done = extension && X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	return done;
}

static bool set_name(X509 *cert, const char *organization, const char *common)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_NAME_add_entry_by_txt(
		       name, "O", MBSTRING_UTF8, (const unsigned char *)organization, -1, -1, 0) &&
		X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_UTF8, (const unsigned char *)common, -1, -1, 0);
}

/* An unsigned certificate with a random serial, valid from a day before now_s for so many days. */
static X509 *blank_cert(EVP_PKEY *key, const char *organization, const char *common, int64_t now_s, int days)
{
	X509 *cert = X509_new();
	unsigned char serial[16];
	BIGNUM *number = NULL;
	time_t at = (time_t)now_s;

	randombytes_buf(serial, sizeof serial);
	serial[0] &= 0x7F;
	bool done = cert && X509_set_version(cert, 2) && (number = BN_bin2bn(serial, sizeof serial, NULL)) &&
		BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) &&
		X509_time_adj_ex(X509_getm_notBefore(cert), 0, -BACKDATE_S, &at) &&
		X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, &at) &&
		set_name(cert, organization, common) && X509_set_pubkey(cert, key);
	BN_free(number);
	if (done)
		return cert;
	X509_free(cert);
	return NULL;
}

static enum err write_pem(
	const struct conf *conf, const char *name, X509 *cert, EVP_PKEY *key, struct problem *p)
{
	char path[600];

	snprintf(path, sizeof path, "%s/%s", conf->dir, name);
	char made[620];
	snprintf(made, sizeof made, "%s.new", path);
	mode_t before = umask(key ? 077 : 022);
	FILE *out = fopen(made, "w");
	umask(before);
	bool done = out &&
		(key ? PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL)
		     : PEM_write_X509(out, cert)) &&
		fflush(out) == 0 && fsync(fileno(out)) == 0;
	if (out && fclose(out))
		done = false;
	if (done && rename(made, path) == 0)
		return ERR_OK;
	problem_set(p, errno == ENOSPC ? ERR_DISK_FULL : ERR_FILE_IO, NULL,
		_("腾出磁盘空间，检查目录是否可写"), _("写不了 %s"), path);
	unlink(made);
	return p ? p->code : ERR_FILE_IO;
}

static X509 *server_cert(const struct conf *conf, X509 *ca, EVP_PKEY *ca_key, EVP_PKEY *key)
{
	char san[64], common[64];

	snprintf(common, sizeof common, "jgd.%d", conf->county);
	snprintf(san, sizeof san, "DNS:jgd.%d", conf->county);
	X509 *cert = ca && key ? blank_cert(key, conf->name, common, time(NULL), SERVER_DAYS) : NULL;
	if (cert && X509_set_issuer_name(cert, X509_get_subject_name(ca)) &&
		add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
		add_extension(cert, ca, NID_key_usage, "critical,digitalSignature") &&
		add_extension(cert, ca, NID_ext_key_usage, "serverAuth") &&
		add_extension(cert, ca, NID_subject_alt_name, san) && X509_sign(cert, ca_key, EVP_sha256()))
		return cert;
	X509_free(cert);
	return NULL;
}

enum err pki_create(const struct conf *conf, struct problem *p)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	enum err e = ERR_OK;
	X509 *ca = ca_key ? blank_cert(ca_key, conf->name, "Jingguan CA", time(NULL), CA_DAYS) : NULL;
	bool done = ca && X509_set_issuer_name(ca, X509_get_subject_name(ca)) &&
		add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
		add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
		add_extension(ca, ca, NID_subject_key_identifier, "hash") &&
		X509_sign(ca, ca_key, EVP_sha256());
	X509 *cert = done ? server_cert(conf, ca, ca_key, key) : NULL;

	if (!cert)
		e = openssl_failed(p, "certificates");
	if (!e && !(e = write_pem(conf, "ca.pem", ca, NULL, p)) &&
		!(e = write_pem(conf, "ca.key", NULL, ca_key, p)) &&
		!(e = write_pem(conf, "server.pem", cert, NULL, p)))
		e = write_pem(conf, "server.key", NULL, key, p);
	X509_free(ca);
	X509_free(cert);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return e;
}

/* On the enrolling ALPN an expired certificate still says who asks for a new one. */
static int tolerate_expired(int ok, X509_STORE_CTX *ctx)
{
	return ok || X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_HAS_EXPIRED;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
	unsigned in_len, void *data)
{
	static const unsigned char offers[] = "\x0ajingguan/1\x10jingguan-enrol/1";
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, offers, sizeof offers - 1, in, in_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), time(NULL) + (time_t)atomic_load(&clock_shift));
	if (*out_len == strlen(ALPN_ENROL)) {
		SSL_set_verify(ssl, SSL_VERIFY_PEER, tolerate_expired);
		/* Who enrols has only the CA's hash and needs the CA itself; a device has it and is spared
		 * the bytes. */
		if (SSL_add1_chain_cert(ssl, data) != 1)
			return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	return SSL_TLSEXT_ERR_OK;
}

static EVP_PKEY *read_key(const struct conf *conf, const char *name)
{
	char path[600];

	snprintf(path, sizeof path, "%s/%s", conf->dir, name);
	FILE *in = fopen(path, "r");
	EVP_PKEY *key = in ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;
	if (in)
		fclose(in);
	return key;
}

static X509 *read_cert(const struct conf *conf, const char *name)
{
	char path[600];

	snprintf(path, sizeof path, "%s/%s", conf->dir, name);
	FILE *in = fopen(path, "r");
	X509 *cert = in ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;
	if (in)
		fclose(in);
	return cert;
}

struct keys {
	X509 *ca, *cert;
	EVP_PKEY *ca_key, *key;
};

static bool read_keys(const struct conf *conf, struct keys *k)
{
	char name[32];

	snprintf(name, sizeof name, "jgd.%d", conf->county);
	*k = (struct keys){read_cert(conf, "ca.pem"), read_cert(conf, "server.pem"), read_key(conf, "ca.key"),
		read_key(conf, "server.key")};
	return k->ca && k->cert && k->ca_key && k->key && X509_check_private_key(k->ca, k->ca_key) == 1 &&
		X509_check_private_key(k->cert, k->key) == 1 && X509_verify(k->cert, k->ca_key) == 1 &&
		X509_check_host(k->cert, name, 0, 0, NULL) == 1;
}

static void free_keys(struct keys *k)
{
	X509_free(k->ca);
	X509_free(k->cert);
	EVP_PKEY_free(k->ca_key);
	EVP_PKEY_free(k->key);
	ERR_clear_error();
}

static time_t end_of(const X509 *cert)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) ? timegm(&tm) : 0;
}

enum err pki_check(const struct conf *conf, time_t *until, struct problem *p)
{
	struct keys k;
	bool good = read_keys(conf, &k);

	*until = good ? end_of(k.cert) : 0;
	free_keys(&k);
	return good ? ERR_OK
		    : problem_set(p, ERR_FILE_DAMAGED, NULL, NULL, _("证书和密钥读不出来，或不是一对"));
}

enum err pki_renew_server(const struct conf *conf, struct problem *p)
{
	struct keys k;
	enum err e = ERR_OK;

	if (read_keys(conf, &k) && end_of(k.cert) - time(NULL) <= (time_t)PKI_RENEW_DAYS * 86400) {
		X509 *cert = server_cert(conf, k.ca, k.ca_key, k.key);
		e = cert ? write_pem(conf, "server.pem", cert, NULL, p) : openssl_failed(p, "server.pem");
		X509_free(cert);
		if (!e)
			log_info("the server certificate was renewed for %d days", SERVER_DAYS);
	}
	free_keys(&k);
	return e;
}

enum err pki_load(const struct conf *conf, SSL_CTX *ctx, X509 **ca, EVP_PKEY **ca_key, EVP_PKEY **sign_key,
	struct problem *p)
{
	X509 *cert = read_cert(conf, "server.pem");

	*ca = read_cert(conf, "ca.pem");
	*ca_key = read_key(conf, "ca.key");
	*sign_key = read_key(conf, "server.key");
	bool done = cert && *ca && *ca_key && *sign_key && SSL_CTX_use_certificate(ctx, cert) == 1 &&
		SSL_CTX_use_PrivateKey(ctx, *sign_key) == 1 &&
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), *ca) == 1;
	X509_free(cert);
	if (!done)
		return openssl_failed(p, _("读不到证书或密钥"));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, *ca);
	/* or every handshake would look for the CA and check its signature */
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	return ERR_OK;
}

static enum err look_at_request(const uint8_t *csr, size_t n, EVP_PKEY **out)
{
	const unsigned char *at = csr;

	ERR_clear_error();
	X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)n);
	EVP_PKEY *key = req && at == csr + n ? X509_REQ_get_pubkey(req) : NULL;
	char group[32] = "";

	if (key &&
		(X509_REQ_verify(req, key) != 1 ||
			!EVP_PKEY_get_utf8_string_param(key, "group", group, sizeof group, NULL) ||
			strcmp(group, "prime256v1") != 0)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	X509_REQ_free(req);
	enum err e = tls_verdict(ERR_INVALID);
	*out = key;
	return key ? ERR_OK : e;
}

/* *out is NULL unless ERR_OK. OpenSSL does not always say that it was memory that it lacked: bad is what
 * was bad twice. */
static enum err request_key(const uint8_t *csr, size_t n, EVP_PKEY **out)
{
	enum err e = look_at_request(csr, n, out);

	return e == ERR_INVALID ? look_at_request(csr, n, out) : e;
}

enum err pki_issue(X509 *ca, EVP_PKEY *ca_key, const uint8_t *csr, size_t csr_len, const struct pki_device *d,
	int county, unsigned char **der, int *der_len, uint8_t spki[32])
{
	EVP_PKEY *key;
	char organization[64], epoch[24];
	enum err e = request_key(csr, csr_len, &key);

	*der = NULL;
	if (e)
		return e;
	snprintf(organization, sizeof organization, "%d/%s", county, d->school);
	snprintf(epoch, sizeof epoch, "%lld", (long long)d->epoch);
	X509 *cert = blank_cert(key, organization, d->device, d->now_s, CERT_DAYS);
	bool done = cert &&
		X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "OU", MBSTRING_UTF8,
			(const unsigned char *)epoch, -1, -1, 0) &&
		X509_set_issuer_name(cert, X509_get_subject_name(ca)) &&
		add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
		add_extension(cert, ca, NID_key_usage, "critical,digitalSignature") &&
		add_extension(cert, ca, NID_ext_key_usage, "clientAuth") &&
		X509_sign(cert, ca_key, EVP_sha256()) && !tls_spki(cert, spki);
	*der_len = done ? i2d_X509(cert, der) : 0;
	X509_free(cert);
	EVP_PKEY_free(key);
	e = tls_verdict(ERR_INTERNAL);
	return *der_len > 0 ? ERR_OK : e;
}

bool pki_device_of(X509 *cert, int county, struct pki_device *d)
{
	X509_NAME *name = X509_get_subject_name(cert);
	char organization[64] = "", mine[16], epoch[24] = "";
	int n = snprintf(mine, sizeof mine, "%d/", county);

	*d = (struct pki_device){.until_s = end_of(cert)};
	if (X509_NAME_get_text_by_NID(name, NID_organizationName, organization, sizeof organization) < n ||
		strncmp(organization, mine, (size_t)n) != 0 || strlen(organization + n) >= sizeof d->school ||
		X509_NAME_get_text_by_NID(name, NID_commonName, d->device, sizeof d->device) != 36)
		return false;
	snprintf(d->school, sizeof d->school, "%s", organization + n);
	if (X509_NAME_get_text_by_NID(name, NID_organizationalUnitName, epoch, sizeof epoch) > 0)
		d->epoch = strtoll(epoch, NULL, 10);
	return d->until_s > 0;
}

enum err pki_connect_code(
	char out[CONNECT_CODE_TEXT + 160], X509 *ca, const uint8_t secret[SECRET_SIZE], const char *server)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t bytes[20], hash[32];
	char *to = out;

	*out = 0;
	if (tls_spki(ca, hash))
		return tls_verdict(ERR_NOMEM);
	memcpy(bytes, hash, 10);
	memcpy(bytes + 10, secret, SECRET_SIZE);
	hash_parts(hash, "jg connect code", &(struct part){bytes, 18}, 1);
	memcpy(bytes + 18, hash, 2);
	for (int i = 0; i < 32; i++) { /* 5 bits each, most significant first */
		int bit = i * 5, pair = bytes[bit / 8] << 8 | (bit / 8 + 1 < 20 ? bytes[bit / 8 + 1] : 0);
		if (i && i % 4 == 0)
			*to++ = '-';
		*to++ = alphabet[pair >> (11 - bit % 8) & 31];
	}
	*to = 0;
	if (server[0])
		snprintf(to, 160, "@%s", server);
	return ERR_OK;
}

size_t pki_sign_head(
	EVP_PKEY *key, int64_t stream, uint64_t n, const uint8_t head[32], uint8_t out[SIGNATURE_MAX])
{
	uint8_t message[HEAD_MESSAGE_SIZE];

	audit_head_message(message, stream, n, head);
	return signature_make(key, message, sizeof message, out);
}
