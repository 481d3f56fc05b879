/* buf.h - a growing byte buffer with a sticky error: append everything, look at `failed` once.
 * The owner calls buf_free; not thread-safe. */
#ifndef JG_BUF_H
#define JG_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t len, cap;
	bool failed; /* out of memory: the content is not complete */
};

uint8_t *buf_reserve(struct buf *b, size_t n); /* room for n more bytes, NULL when failed; len unchanged */
void buf_add(struct buf *b, const void *data, size_t n);
void buf_u8(struct buf *b, uint8_t v);
void buf_be16(struct buf *b, uint16_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_be64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);
void buf_text(struct buf *b, const char *text); /* without the NUL */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Its text, with the NUL, for the life of the process; at start alone: without memory the process stops. */
const char *buf_keep(struct buf *b);
void buf_free(struct buf *b);

void put_be32(uint8_t *to, uint32_t v);
void put_be64(uint8_t *to, uint64_t v);
uint16_t get_be16(const uint8_t *from);
uint32_t get_be32(const uint8_t *from);
uint64_t get_be64(const uint8_t *from);
/* Reads a varint and advances *at; false when it does not end before `end` or is longer than ten bytes. */
bool get_varint(const uint8_t **at, const uint8_t *end, uint64_t *v);

#endif
