#include "hash.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

/* libsodium's SHA-256 rather than OpenSSL's: no allocation and no fetch a call, and these run several times a
 * record. */
void hash_parts(uint8_t out[HASH_SIZE], const char *label, const struct part *parts, size_t count)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)label, strlen(label));
	for (size_t i = 0; i < count; i++)
		crypto_hash_sha256_update(&state, parts[i].data, parts[i].n);
	crypto_hash_sha256_final(&state, out);
}

void hash_op(uint8_t out[HASH_SIZE], const void *bytes, size_t n)
{
	hash_parts(out, "jg op bytes", &(struct part){bytes, n}, 1);
}

void hash_genesis(uint8_t out[HASH_SIZE], const uint8_t device[ID_SIZE], uint32_t incarnation)
{
	uint8_t number[4];

	put_be32(number, incarnation);
	hash_parts(out, "jg genesis", (struct part[]){{device, ID_SIZE}, {number, 4}}, 2);
}

void hash_chain(
	uint8_t out[HASH_SIZE], const uint8_t hash[HASH_SIZE], uint64_t op_no, const uint8_t sha[HASH_SIZE])
{
	uint8_t number[8];

	put_be64(number, op_no);
	hash_parts(out, "jg op", (struct part[]){{hash, HASH_SIZE}, {number, 8}, {sha, HASH_SIZE}}, 3);
}

void hash_record(uint8_t out[HASH_SIZE], const void *bytes, size_t n)
{
	hash_parts(out, "jg record", &(struct part){bytes, n}, 1);
}

void hash_lanes(uint32_t out[LANES], const uint8_t id[ID_SIZE], uint64_t ver, uint32_t kind,
	const uint8_t record[HASH_SIZE])
{
	uint8_t numbers[12], sum[HASH_SIZE];

	put_be64(numbers, ver);
	put_be32(numbers + 8, kind);
	hash_parts(sum, "jg lane", (struct part[]){{id, ID_SIZE}, {numbers, 12}, {record, 8}}, 3);
	for (int i = 0; i < LANES; i++)
		out[i] = get_be32(sum + 4 * i);
}

void lanes_add(uint32_t sum[LANES], const uint32_t lanes[LANES])
{
	for (int i = 0; i < LANES; i++)
		sum[i] += lanes[i];
}

void lanes_sub(uint32_t sum[LANES], const uint32_t lanes[LANES])
{
	for (int i = 0; i < LANES; i++)
		sum[i] -= lanes[i];
}

void audit_entry(uint8_t out[AUDIT_ENTRY_SIZE], const uint8_t id[ID_SIZE], uint64_t ver, uint32_t kind,
	uint8_t action, uint8_t groups, const uint8_t record[HASH_SIZE])
{
	memcpy(out, id, ID_SIZE);
	put_be64(out + 16, ver);
	put_be32(out + 24, kind);
	out[28] = action;
	out[29] = groups;
	out[30] = out[31] = 0;
	memcpy(out + 32, record, HASH_SIZE);
}

void audit_head_message(
	uint8_t out[HEAD_MESSAGE_SIZE], int64_t stream, uint64_t n, const uint8_t head[HASH_SIZE])
{
	memcpy(out, "jg head", 7);
	put_be64(out + 7, (uint64_t)stream);
	put_be64(out + 15, n);
	memcpy(out + 23, head, HASH_SIZE);
}

void audit_part(struct buf *parts, const char *author, const uint8_t device[ID_SIZE], uint64_t first,
	uint64_t last, uint32_t count)
{
	buf_add(parts, author, strlen(author) + 1);
	buf_add(parts, device, ID_SIZE);
	buf_be64(parts, first);
	buf_be64(parts, last);
	buf_be32(parts, count);
}

void audit_root(uint8_t out[HASH_SIZE], const uint8_t *parts, size_t n)
{
	hash_parts(out, "jg root", &(struct part){parts, n}, 1);
}

void audit_next(uint8_t head[HASH_SIZE], uint64_t n, const uint8_t root[HASH_SIZE])
{
	uint8_t number[8];

	put_be64(number, n);
	hash_parts(head, "jg audit", (struct part[]){{head, HASH_SIZE}, {number, 8}, {root, HASH_SIZE}}, 3);
}
