#include "upload.h"

#include "fault.h"
#include "hash.h"
#include "tables.h"
#include "wire_limits.h"

#define REPLY_BYTES 65536

static enum err ask(struct upload *u, uint16_t method, const ProtobufCMessage *request, struct problem *p)
{
	const ProtobufCMessage *message;
	struct arena arena;

	arena_init(&arena, REPLY_BYTES);
	enum err e = link_ask(u->link, method, request, &arena, &message, p);
	if (!e) {
		u->have = ((const pb_blob_state *)message)->have;
		u->complete = ((const pb_blob_state *)message)->complete;
	}
	arena_free(&arena);
	return e;
}

static enum err tell(struct upload *u, struct problem *p)
{
	return u->told ? u->told(u->data, u, p) : ERR_OK;
}

static enum err send_chunks(struct upload *u, struct problem *p)
{
	enum err e = ERR_OK;

	while (!e && !u->complete && u->have < u->chunks) {
		pb_blob_chunk chunk = PB_BLOB_CHUNK_INIT;
		uint32_t n = u->have;
		size_t from = (size_t)n * CHUNK_BYTES,
		       len = u->size - from < CHUNK_BYTES ? u->size - from : CHUNK_BYTES;
		chunk.has_sha = chunk.has_size = chunk.has_n = chunk.has_data = 1;
		chunk.sha = (ProtobufCBinaryData){HASH_SIZE, (uint8_t *)(uintptr_t)u->sha};
		chunk.size = u->size;
		chunk.n = n;
		chunk.data = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)u->bytes + from};
		e = ask(u, METHOD_SYNC_PUT_CHUNK, &chunk.base, p);
		fault_point(FAULT_JG_FILE_SENT);
		if (!e && !u->complete && u->have <= n)
			e = problem_set(p, ERR_PROTOCOL, "have", NULL, NULL);
		if (!e)
			e = tell(u, p);
	}
	return e;
}

enum err upload_file(struct upload *u, struct problem *p)
{
	pb_blob_ref ref = PB_BLOB_REF_INIT;

	u->chunks = (uint32_t)((u->size + CHUNK_BYTES - 1) / CHUNK_BYTES);
	ref.has_sha = ref.has_size = 1;
	ref.sha = (ProtobufCBinaryData){HASH_SIZE, (uint8_t *)(uintptr_t)u->sha};
	ref.size = u->size;
	enum err e = ask(u, METHOD_SYNC_STAT_BLOB, &ref.base, p);
	if (e == ERR_NOT_FOUND) { /* the server has nothing of it yet */
		e = ERR_OK;
		u->have = 0;
	}
	if (!e)
		e = u->complete ? tell(u, p) : send_chunks(u, p);
	if (e == ERR_FILE_DAMAGED) { /* what somebody had begun there was not this file; it is gone now */
		u->have = 0;
		e = send_chunks(u, p);
	}
	return e;
}
