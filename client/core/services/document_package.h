/* document_package.h - a paper as it goes into an archive: what was printed and typed, who did what with every
 * signature, the certificates, and a list of all that the server has signed. In the shape of DA/T 48-2009
 * 《基于XML的电子文件封装规范》, no conformity claimed. Making and checking need no network. One thread. */
#ifndef JG_DOCUMENT_PACKAGE_H
#define JG_DOCUMENT_PACKAGE_H

#include <openssl/x509.h>

#include "arena.h"
#include "bundle.h"
#include "document_trace.h"
#include "pb.h"

/* A file of the paper: role is 处理单, 正本, 附件, 定稿 or 来文, in that order; name: as it was called, of
 * 附件 and 来文. */
struct document_part {
	const char *role, *extension, *name;
	const void *bytes;
	size_t n;
};
/* A file of lines; one that has none is not there. */
struct document_lines {
	const char *path;
	const char **line;
	size_t n;
};
struct document_package {
	const pb_document_evidence *paper;
	const struct document_lines *files; /* trace.jsonl, and what stands beside it */
	size_t file_count;
	const char *organ; /* whose archive it is */
	int64_t made;      /* microseconds */
	const struct document_part *parts;
	size_t part_count;
	X509 *ca;
};

/* All but the signature, and the list that is to be signed; *manifest is malloc, the caller's. ERR_NOMEM,
 * ERR_FILE_LIMIT; *b is the caller's to bundle_free, also after an error. */
enum err document_package_make(struct bundle *b, const struct document_package *x, char **manifest);
/* Adds the list and the server's signature over it. */
enum err document_package_sign(struct bundle *b, const char *manifest, const void *sig, size_t n);

/* Reads what somebody brings. county: the CA of the county that this computer belongs to, whose word alone
 * counts then; NULL: the package's own does, which is the caller's to tell. ERR_FILE_IO, ERR_FILE_DAMAGED,
 * ERR_CHAIN; b and *ca (X509_free) are the caller's, also after an error. */
enum err document_package_open(
	struct bundle *b, const char *path, const X509 *county, X509 **ca, struct problem *p);

#define PACKAGE_FAULTS_MAX 40
struct document_check {
	bool authentic, complete, usable, safe; /* 真实 完整 可用 安全 */
	struct document_verdict trace;
	const char *faults[PACKAGE_FAULTS_MAX]; /* what is wrong, in the user's language */
	size_t fault_count;
};
/* The four checks of an archive (DA/T 70), with what this computer was told of its trace. ERR_NOMEM: not
 * known. Text lives in the arena. */
enum err document_package_check(const struct bundle *b, X509 *ca, const struct document_tails *seen,
	struct document_check *out, struct arena *arena);

#endif
