/* Covers common/frame.c: any bytes in pieces of any size; whole and cut, the same frames come out. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static uint32_t cap_of_test(void *data, const struct frame *header)
{
	(void)data;
	return header->type == FRAME_CALL ? 4096 : 64;
}

/* Everything the reader says, appended to out: frames with bodies, and how it ended. */
static void read_in_pieces(const uint8_t *bytes, size_t n, size_t piece, struct buf *out)
{
	struct frame_reader r = {0};
	struct frame f;
	enum err e = ERR_OK;

	for (size_t i = 0; i < n && !e; i += piece) {
		size_t left = n - i < piece ? n - i : piece;
		const uint8_t *at = bytes + i;
		bool done = true;
		while (!e && done && !(e = frame_reader_feed(&r, &at, &left, cap_of_test, NULL, &f, &done)))
			if (done)
				frame_append(out, &f);
		if (!e && left)
			abort();
		if (r.body && r.frame.length > 4096)
			abort();
	}
	buf_u8(out, (uint8_t)e);
	frame_reader_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct buf whole = {0}, cut = {0};
	size_t piece = n ? 1 + bytes[0] % 64 : 1;

	read_in_pieces(bytes, n, n + 1, &whole);
	read_in_pieces(bytes, n, piece, &cut);
	if (whole.len != cut.len || memcmp(whole.data, cut.data, whole.len))
		abort();
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
