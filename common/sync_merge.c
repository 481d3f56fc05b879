#include "sync_merge.h"

#include <string.h>

static struct merge_result refuse(enum merge_outcome outcome, enum err code, unsigned group)
{
	return (struct merge_result){.outcome = outcome, .code = code, .group = group};
}

static bool group_is_guarded(const struct kind *kind, unsigned group)
{
	for (size_t i = 0; i < kind->field_count; i++)
		if (kind->fields[i].group == group)
			return kind->fields[i].merge == MERGE_GUARDED;
	return false;
}

static struct merge_result insert(struct merge_state *state, const struct merge_op *op)
{
	if (op->del)
		return refuse(MERGE_REJECTED, ERR_NOT_FOUND, 0);
	state->exists = true; /* what was deleted exists: it never comes here */
	state->ver = 1;
	state->record = op->body;
	for (unsigned g = 0; g < KIND_GROUPS_MAX; g++)
		state->gver[g] = op->groups >> g & 1;
	return (struct merge_result){.outcome = MERGE_APPLIED, .changed = op->groups};
}

/* Deleting needs the whole record as the author saw it: nobody deletes what he has not read. */
static struct merge_result remove_record(struct merge_state *state, const struct merge_op *op)
{
	if (state->deleted)
		return (struct merge_result){.outcome = MERGE_APPLIED};
	if (state->record.kind->permanent)
		return refuse(MERGE_REJECTED, ERR_NOT_NOW, 0);
	for (unsigned g = 0; g < KIND_GROUPS_MAX; g++)
		if (state->gver[g] != op->seen[g])
			return refuse(MERGE_CONFLICTED, ERR_CONFLICT, g + 1);
	state->deleted = true;
	state->ver++;
	return (struct merge_result){.outcome = MERGE_APPLIED, .changed = UINT32_MAX};
}

static struct merge_result update(struct merge_state *state, const struct merge_op *op)
{
	const struct kind *kind = state->record.kind;
	struct merge_result result = {.outcome = MERGE_APPLIED};

	for (unsigned g = 1; g <= kind->group_count; g++) {
		if (!(op->groups >> (g - 1) & 1))
			continue;
		bool same = record_same_group(&state->record, &op->body, g);
		if (op->seen[g - 1] == state->gver[g - 1]) {
			result.changed |= same ? 0 : 1u << (g - 1);
			continue;
		}
		if (!same)
			return group_is_guarded(kind, g) ? refuse(MERGE_REJECTED, ERR_STALE, g)
							 : refuse(MERGE_CONFLICTED, ERR_CONFLICT, g);
		result.outcome = MERGE_MERGED; /* somebody else wrote the same values first */
	}
	if (result.changed) {
		if (kind->append_only)
			return refuse(MERGE_REJECTED, ERR_NOT_NOW, 0);
		record_take_groups(&state->record, &op->body, result.changed);
		if (op->body.ext_len) {
			state->record.ext = op->body.ext;
			state->record.ext_len = op->body.ext_len;
		}
		for (unsigned g = 0; g < KIND_GROUPS_MAX; g++)
			state->gver[g] += result.changed >> g & 1;
		state->ver++;
	}
	return result;
}

struct merge_result sync_merge(struct merge_state *state, const struct merge_op *op)
{
	if (!state->exists)
		return insert(state, op);
	if (op->del)
		return remove_record(state, op);
	if (state->deleted)
		return refuse(MERGE_REJECTED, ERR_NOT_FOUND, 0);
	return update(state, op);
}

void sync_overlay(struct merge_state *state, const struct merge_op *op)
{
	if (op->del) {
		state->deleted = true;
		return;
	}
	if (!state->exists) {
		insert(state, op);
		return;
	}
	record_take_groups(&state->record, &op->body, op->groups);
}
