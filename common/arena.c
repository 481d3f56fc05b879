#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK 8192 /* a request of ordinary size needs one malloc */
#define ALIGN 16

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(ALIGN) char data[];
};

static void *pb_alloc(void *data, size_t n)
{
	return arena_alloc(data, n);
}

static void pb_free(void *data, void *pointer)
{
	(void)data;
	(void)pointer;
}

void arena_init(struct arena *a, size_t quota)
{
	*a = (struct arena){.quota = quota, .allocator = {pb_alloc, pb_free, a}};
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > a->quota - a->used) {
		a->refused = ERR_TOO_LARGE;
		return NULL;
	}
	size_t need = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct arena_block *b = a->block;

	if (!b || need > b->size - b->used) {
		size_t size = need > ARENA_BLOCK ? need : ARENA_BLOCK;
		b = malloc(sizeof *b + size);
		if (!b) {
			a->refused = ERR_NOMEM;
			return NULL;
		}
		*b = (struct arena_block){.next = a->block, .size = size};
		a->block = b;
	}
	void *out = b->data + b->used;
	b->used += need;
	a->used += n;
	return memset(out, 0, n);
}

void *arena_copy(struct arena *a, const void *data, size_t n)
{
	void *out = arena_alloc(a, n);

	if (out && n)
		memcpy(out, data, n);
	return out;
}

char *arena_text(struct arena *a, const void *data, size_t n)
{
	char *out = arena_alloc(a, n + 1);

	if (out && n)
		memcpy(out, data, n);
	return out;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *out = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (out)
		vsnprintf(out, (size_t)n + 1, format, again);
	va_end(again);
	return out;
}

void arena_free(struct arena *a)
{
	for (struct arena_block *b = a->block, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	a->block = NULL;
	a->used = 0;
}
