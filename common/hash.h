/* hash.h - every hash of the protocol, each with its own label (proto/README.md "Hashes",
 * proto/vectors.json). Pure functions; any thread. They abort only if the crypto library itself is broken. */
#ifndef JG_HASH_H
#define JG_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define HASH_SIZE 32
#define ID_SIZE 16
#define LANES 8
#define AUDIT_ENTRY_SIZE 64

struct part {
	const void *data;
	size_t n;
};

/* SHA-256(label ‖ part ‖ part …); label without its NUL. */
void hash_parts(uint8_t out[HASH_SIZE], const char *label, const struct part *parts, size_t count);

/* "jg op bytes": over the bytes as queued and received. */
void hash_op(uint8_t out[HASH_SIZE], const void *bytes, size_t n);
/* "jg genesis": device id ‖ incarnation be32. */
void hash_genesis(uint8_t out[HASH_SIZE], const uint8_t device[ID_SIZE], uint32_t incarnation);
/* "jg op": hash ‖ op_no be64 ‖ sha. */
void hash_chain(
	uint8_t out[HASH_SIZE], const uint8_t hash[HASH_SIZE], uint64_t op_no, const uint8_t sha[HASH_SIZE]);
/* "jg record": over the canonical bytes as a stream carries them. */
void hash_record(uint8_t out[HASH_SIZE], const void *bytes, size_t n);
/* "jg lane": id ‖ ver be64 ‖ kind be32 ‖ first 8 bytes of hash_record; eight big-endian words, to be added
 * modulo 2^32. */
void hash_lanes(uint32_t out[LANES], const uint8_t id[ID_SIZE], uint64_t ver, uint32_t kind,
	const uint8_t record[HASH_SIZE]);
void lanes_add(uint32_t sum[LANES], const uint32_t lanes[LANES]);
void lanes_sub(uint32_t sum[LANES], const uint32_t lanes[LANES]);
/* One effect of the trace: id ‖ ver be64 ‖ kind be32 ‖ action ‖ groups ‖ 0 0 ‖ hash_record. */
void audit_entry(uint8_t out[AUDIT_ENTRY_SIZE], const uint8_t id[ID_SIZE], uint64_t ver, uint32_t kind,
	uint8_t action, uint8_t groups, const uint8_t record[HASH_SIZE]);
/* What the server signs of a stream's trace: "jg head" ‖ stream i64 ‖ n u64 ‖ head. */
#define HEAD_MESSAGE_SIZE (7 + 8 + 8 + HASH_SIZE)
void audit_head_message(
	uint8_t out[HEAD_MESSAGE_SIZE], int64_t stream, uint64_t n, const uint8_t head[HASH_SIZE]);
/* Parts of a trace link: per push author NUL, device id, first op be64, last op be64, count be32, count
 * entries. */
void audit_part(struct buf *parts, const char *author, const uint8_t device[ID_SIZE], uint64_t first,
	uint64_t last, uint32_t count);
/* "jg root": parts. */
void audit_root(uint8_t out[HASH_SIZE], const uint8_t *parts, size_t n);
/* "jg audit": head ‖ n be64 ‖ root. */
void audit_next(uint8_t head[HASH_SIZE], uint64_t n, const uint8_t root[HASH_SIZE]);

#endif
