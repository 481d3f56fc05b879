/* admin_documents.h - what the files of the 办文 commands share. Main thread. */
#ifndef JG_ADMIN_DOCUMENTS_H
#define JG_ADMIN_DOCUMENTS_H

#include "cli.h"
#include "draft.h"
#include "link.h"

extern const struct cli_part admin_documents_setup, admin_documents_paper, admin_documents_delivery,
	admin_documents_orders, admin_meetings, admin_meetings_sheet, admin_documents_reads,
	admin_documents_cost, admin_documents_archive, admin_documents_answers, admin_documents_sheet;
/* An event of a paper: its code is the command's words, its operands the paper and the file, where it has
 * them. */
int documents_event(struct cli *c);
#define DOCUMENT_ARENA                                                                                       \
	(16u << 20) /* a draft of 64 KiB and what its lists become; an answer about one paper */
/* Asks for an event of a paper, an order or a meeting, signed (documents_ask.c). The reply lives
 * in *arena, which is initialised here and is the caller's to arena_free, also after an error. Fills
 * c->problem. */
enum documents_signed { SIGNED_EVENT, SIGNED_ORDER, SIGNED_MEETING };
enum err documents_ask(struct cli *c, enum documents_signed what, ProtobufCMessage *q, struct arena *arena,
	const ProtobufCMessage **reply);
/* Operand 0 with its trace and the names that its text may have; the same of the arena. */
enum err documents_shown(struct cli *c, struct arena *arena, const pb_document_shown **out);
/* The 处理单 of a paper; fills c->problem. */
enum err documents_sheet(struct cli *c, const pb_document_shown *s, const char *path, unsigned *pages);
/* -o FILE, which may be written. False: told, and *code is the exit code. */
bool documents_output(struct cli *c, const char *example, const char **path, int *code);
/* Set as GB/T 9704 has it. Fills c->problem. */
enum err documents_print(struct cli *c, const pb_document_shown *shown, const char *path, unsigned *pages);
/* The whole of a drafted file. NULL: told in c->problem; free. */
char *documents_read_draft(struct cli *c, const char *path);
/* What a paper is called: its number, its id before it has one. */
const char *documents_called(const char *number, const char *id);
/* `documents report` without a paper: a month of them. */
int documents_month_report(struct cli *c);
/* A seal's log as JSON. */
json_t *documents_seals_json(pb_document_seal *const *list, size_t n);
/* Uploads what --attach names and puts it into the ask; documents_attach_free afterwards, also when it
 * failed. */
enum err documents_attach(struct cli *c, pb_document_ask *q);
void documents_attach_free(pb_document_ask *q);
/* Fetches the files of a paper into a folder, and hands each on. Fills c->problem. */
enum err documents_fetch(struct cli *c, const pb_document_shown *s, const char *dir,
	enum err (*take)(void *data, const pb_document_file *file, const char *path), void *data);
/* Those of them that are text, as they are printed behind the paper: in the arena. */
struct gbt_attachment;
enum err documents_texts(struct cli *c, const pb_document_shown *s, const struct draft *d,
	struct arena *arena, struct gbt_attachment **list, size_t *n);
const struct code_list *documents_states(const char *kind);
/* A paper and an open task as the lists have them. */
json_t *documents_row_json(const pb_document_row *d);
json_t *documents_task_json(const pb_document_task *t);
/* 张三（代 lisi）; returns out. */
const char *documents_with(const pb_document_task *t, char *out, size_t size);
/* `documents show`. */
int documents_show(struct cli *c);

#endif
