#include "frame.h"

#include <stdlib.h>
#include <string.h>

void frame_header_put(uint8_t out[FRAME_HEADER], const struct frame *f)
{
	put_be32(out, f->length);
	out[4] = f->type;
	out[5] = f->flags;
	out[6] = (uint8_t)(f->method >> 8);
	out[7] = (uint8_t)f->method;
	put_be32(out + 8, f->call);
	put_be32(out + 12, f->deadline_ms);
}

enum err frame_header_get(struct frame *f, const uint8_t in[FRAME_HEADER])
{
	*f = (struct frame){
		.length = get_be32(in),
		.type = in[4],
		.flags = in[5],
		.method = get_be16(in + 6),
		.call = get_be32(in + 8),
		.deadline_ms = get_be32(in + 12),
	};
	/* Only an answer comes in parts. */
	if (f->type == 0 || f->type > FRAME_TYPE_MAX ||
		(f->flags & ~(f->type == FRAME_REPLY ? FRAME_FLAGS : 0)))
		return ERR_PROTOCOL;
	return ERR_OK;
}

void frame_append(struct buf *out, const struct frame *f)
{
	uint8_t *to = buf_reserve(out, FRAME_HEADER + (size_t)f->length);

	if (!to)
		return;
	frame_header_put(to, f);
	if (f->length)
		memcpy(to + FRAME_HEADER, f->body, f->length);
	out->len += FRAME_HEADER + (size_t)f->length;
}

void frame_reader_free(struct frame_reader *r)
{
	free(r->body);
	r->body = NULL;
	r->head_len = r->body_len = 0;
}

/* A frame that was delivered from r->body is released when the next bytes come. */
static void release_delivered(struct frame_reader *r)
{
	if (r->head_len == FRAME_HEADER && r->body && r->body_len == r->frame.length)
		frame_reader_free(r);
}

enum err frame_reader_feed(struct frame_reader *r, const uint8_t **data, size_t *n, frame_cap_fn cap,
	void *cap_data, struct frame *out, bool *done)
{
	*done = false;
	release_delivered(r);
	if (r->head_len < FRAME_HEADER) {
		size_t take = FRAME_HEADER - r->head_len < *n ? FRAME_HEADER - r->head_len : *n;
		memcpy(r->head + r->head_len, *data, take);
		r->head_len += take;
		*data += take;
		*n -= take;
		if (r->head_len < FRAME_HEADER)
			return ERR_OK;
		enum err e = frame_header_get(&r->frame, r->head);
		*out = r->frame;
		if (e)
			return e;
		if (r->frame.length > cap(cap_data, &r->frame))
			return ERR_TOO_LARGE;
	}
	if (!r->body && *n >= r->frame.length) {
		/* The whole body lies in the caller's buffer: no copy. */
		*out = r->frame;
		out->body = *data;
		*data += r->frame.length;
		*n -= r->frame.length;
		r->head_len = 0;
		*done = true;
		return ERR_OK;
	}
	if (*n == 0)
		return ERR_OK;
	if (!r->body && !(r->body = malloc(r->frame.length)))
		return ERR_NOMEM;
	size_t take = r->frame.length - r->body_len < *n ? r->frame.length - r->body_len : *n;
	memcpy(r->body + r->body_len, *data, take);
	r->body_len += take;
	*data += take;
	*n -= take;
	if (r->body_len == r->frame.length) {
		*out = r->frame;
		out->body = r->body;
		*done = true;
	}
	return ERR_OK;
}
