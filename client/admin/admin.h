/* admin.h - the commands of jgadmin and what they share: one call over the link, rows as JSON and as a table. */
#ifndef JG_ADMIN_H
#define JG_ADMIN_H

#include "cli.h"
#include "link.h"

/* Opens the link as the logged-in user, asks, closes. The reply lives in *arena, which is initialised here and is the
 * caller's to arena_free, also after an error. Fills c->problem. */
enum err admin_ask(struct cli *c, uint16_t method, const ProtobufCMessage *request, struct arena *arena, const ProtobufCMessage **reply);
/* The same for a streamed method. */
enum err admin_stream(struct cli *c, uint16_t method, const ProtobufCMessage *request, link_reply_fn page, void *data);

/* --year, required. False: the usage has been told and *code is the exit code. */
bool admin_year(struct cli *c, int32_t *year, int *code);
json_t *admin_text(const char *text);		   /* null for NULL or "" */
json_t *admin_texts(char *const *list, size_t n); /* [] when there are none */
json_t *admin_pupil(const pb_pupil *p);
/* Certificate number and name for a table: masked unless --reveal. */
void admin_pupil_cells(const struct cli *c, const pb_pupil *p, char *no, size_t no_size, char *name, size_t name_size);
/* "2026-09-04 08:00" of a time in the county's zone, "" for 0. */
const char *admin_time(int64_t us, char out[32]);

/* Before an acceptance (cmd_case.c): says which evidence of the case the caller has never fetched, by what
 * the server's access log knows; at a terminal he is asked, a script is only told. `method`: ShowSlip or
 * ShowProof. False: he said no, and *code is the exit code. */
bool admin_eyes_open(struct cli *c, uint16_t method, int32_t year, const char *name, int *code);

int cmd_login(struct cli *c);
int cmd_schools_import(struct cli *c);
int cmd_schools_list(struct cli *c);
int cmd_catchments_import(struct cli *c);
int cmd_users_add(struct cli *c);
int cmd_users_list(struct cli *c);
int cmd_users_reset(struct cli *c);
int cmd_users_set(struct cli *c);
int cmd_users_grant(struct cli *c);
int cmd_users_disable(struct cli *c);
int cmd_users_unlock(struct cli *c);
int cmd_devices_invite(struct cli *c);
int cmd_devices_list(struct cli *c);
int cmd_devices_revoke(struct cli *c);
int cmd_open(struct cli *c);
int cmd_cancel(struct cli *c);
int cmd_phase(struct cli *c);
int cmd_progress(struct cli *c);
int cmd_reconcile(struct cli *c);
int cmd_mismatches(struct cli *c);
int cmd_slips_issue(struct cli *c);
int cmd_slips_list(struct cli *c);
int cmd_slips_review(struct cli *c);
int cmd_slips_show(struct cli *c);
int cmd_proof_show(struct cli *c);
int cmd_proof_list(struct cli *c);
int cmd_proof_accept(struct cli *c);
int cmd_proof_refute(struct cli *c);
int cmd_same(struct cli *c);
int cmd_different(struct cli *c);
int cmd_baseline_add(struct cli *c);
int cmd_baseline_remove(struct cli *c);
int cmd_summary(struct cli *c);
int cmd_diff(struct cli *c);
int cmd_audit_verify(struct cli *c);
int cmd_audit_search(struct cli *c);
int cmd_server_status(struct cli *c);
int cmd_server_clock(struct cli *c);

/* report_html.c: the summary and the open mismatches as one HTML file without scripts. */
enum err report_html(const char *path, const pb_summary_reply *summary, json_t *mismatches, int32_t year, struct problem *p);

#endif
