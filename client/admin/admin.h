/* admin.h - the commands of jgadmin and what they share: one call over the link, rows as JSON and as a table.
 * Main thread. */
#ifndef JG_ADMIN_H
#define JG_ADMIN_H

#include "cli.h"
#include "codes.h"
#include "face.h"
#include "link.h"

#define ADMIN_NEEDS (CLI_PROFILE | CLI_ENROLLED | CLI_LOGGED_IN) /* what nearly every command needs */

/* Opens the link as the logged-in user, asks, closes. The reply lives in *arena, which is initialised here
 * and is the caller's to arena_free, also after an error. Fills c->problem. */
enum err admin_ask(struct cli *c, uint16_t method, const ProtobufCMessage *request, struct arena *arena,
	const ProtobufCMessage **reply);
/* The same for a streamed method. */
enum err admin_stream(
	struct cli *c, uint16_t method, const ProtobufCMessage *request, link_reply_fn page, void *data);

/* --year, required. False: the usage has been told and *code is the exit code. */
bool admin_year(struct cli *c, int32_t *year, int *code);
json_t *admin_text(const char *text);             /* null for NULL or "" */
json_t *admin_texts(char *const *list, size_t n); /* [] when there are none */
json_t *admin_pupil(const pb_pupil *p);
/* Certificate number and name for a table: masked unless --reveal. */
void admin_pupil_cells(
	const struct cli *c, const pb_pupil *p, char *no, size_t no_size, char *name, size_t name_size);

/* ---- As people read it (admin_face.c). None of these texts is in --json. ---- */

/* Fetches the names of the schools for admin_school, once; nothing with --json. */
void admin_schools(struct cli *c);
/* What was typed for a school, a person, a paper becomes its code, log-in, number or id, before any
 * command looks at it (admin_operands.c). 0, or the exit code after telling. */
int admin_prepare(struct cli *c);
/* What this user does after logging in, by role. */
const char *admin_choose_first(const struct cli *c);
/* Frees what admin_schools keeps. */
void admin_finish(struct cli *c);
/* The name of a school, 县局 for "bureau", the code where the register does not have it. */
const char *admin_school(const struct cli *c, const char *code);
const char *admin_school_list(const struct cli *c, char *const *codes, size_t n, char *out, size_t size);
/* The word of a code; the code itself where the list does not have it. */
const char *admin_word(const struct code_list *list, const char *code);
const char *admin_words(const struct code_list *list, char *const *codes, size_t n, char *out, size_t size);
/* The state of a pupil in words, 名单外 for OUTSIDE. */
const char *admin_state(const char *state);
/* A field of a kind by its label, and a value of it in words: codes, schools, dates, yes and no. */
const char *admin_field(uint32_t kind, const char *name);
const char *admin_value(
	const struct cli *c, uint32_t kind, const char *name, const char *text, char *out, size_t size);
/* A method and a result of the trace in words; and back, so that what a list shows can be searched for. */
const char *admin_method(const char *name);
const char *admin_result(const char *name);
/* Why: the phase that was moved to and the reason, a refusal; free text as it is. */
const char *admin_purpose(const char *purpose, char *out, size_t size);
const char *admin_method_called(const char *text);
const char *admin_time(int64_t us, char out[FACE_SIZE]); /* "" for 0 */
const char *admin_term(int64_t us, char out[FACE_SIZE]);
/* Remembers which record each short number of a list means ({"3": id}; taken over), in the profile: ids only,
 * nothing of a pupil. */
void admin_shown_keep(const struct cli *c, const char *list, json_t *ids);
/* *operand, when it is a short number of that list, becomes the record's id. False: there is no such number,
 * it has been told, exit 3. command: what lists it, "transition mismatches --year 2026". */
bool admin_shown_find(struct cli *c, const char *list, const char *command, const char **operand);

/* Before an acceptance (admin_case.c): says which evidence of the case the caller has never fetched, by what
 * the server's access log knows, and that the two schools of a slip contradict each other; at a terminal he
 * is asked, a script is only told. `method`: ShowSlip or ShowProof. False: he said no, and *code is the exit
 * code. */
bool admin_eyes_open(struct cli *c, uint16_t method, int32_t year, const char *name, int *code);

int cmd_login(struct cli *c);
int cmd_catchments_list(struct cli *c);
int cmd_catchments_set(struct cli *c);
int cmd_catchments_remove(struct cli *c);
int cmd_users_import(struct cli *c);
int cmd_users_teachers(struct cli *c);
int cmd_pair_list(struct cli *c);
int cmd_progress(struct cli *c);
int cmd_mismatches(struct cli *c);
int cmd_slips_list(struct cli *c);
int cmd_slips_show(struct cli *c);
int cmd_proof_show(struct cli *c);
int cmd_proof_list(struct cli *c);
int cmd_summary(struct cli *c);
int cmd_diff(struct cli *c);

/* report_html.c: text as HTML has it, and how every report looks. */
void report_text(FILE *out, const char *text);
extern const char report_style[];
/* The summary and the open mismatches as one HTML file without scripts. */
enum err report_html(const struct cli *c, const char *path, const pb_summary_reply *summary,
	json_t *mismatches, int32_t year, struct problem *p);

#endif
