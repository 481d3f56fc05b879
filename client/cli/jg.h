/* jg.h - the commands of jg, one function a row of the table in jg.c, and what they share. Main thread. */
#ifndef JG_JG_H
#define JG_JG_H

#include "cli.h"
#include "cycle.h"
#include "lang.h"
#include "outbox.h"
#include "shown.h"
#include "store.h"
#include "sync.h"
#include "tables.h"
#include "view.h"

/* Who may use a command, and what it needs. */
#define EVERYBODY (CLI_PROFILE | CLI_LOGGED_IN)
#define TEACHERS (1u << ROLE_REGISTRAR | 1u << ROLE_CLASS_TEACHER)
#define READERS (TEACHERS | 1u << ROLE_HEAD)
#define TYPISTS (READERS | 1u << ROLE_CLERK) /* who may have something in the outbox */
#define OFFICERS (1u << ROLE_REGISTRAR | 1u << ROLE_HEAD)
#define REGISTRARS (1u << ROLE_REGISTRAR)

/* Of one command line; in cli.data. */
struct jg {
	struct store *store;
	struct view *view;
};

/* The store of the profile, opened on first use; NULL after telling the error (exit code in *code). */
struct store *jg_store(struct cli *c, int *code);
/* The kinds in one view, kept until the command ends; NULL after telling the error. */
struct view *jg_view(struct cli *c, const uint32_t *kinds, int *code);
void jg_finish(struct cli *c);
const char *jg_choose_first(const struct cli *c); /* what is done after logging in */

/* One synchronisation to its end, with a bar unless `quiet`; errors and `keep` as sync_end. */
enum err jg_sync(struct cli *c, bool quiet, struct sync_report *report, struct link **keep);
/* Pushes and pulls now, for a command that queued something. 0, or the exit code after telling why it
 * waits. */
int jg_sync_now(struct cli *c, unsigned budget_ms, struct sync_report *report);
/* A refusal that the command tells itself: nothing of it is left for the tray. */
void jg_told(struct cli *c, struct store *s, const struct op_row *row);
/* Runs `fn` in a transaction of the store. */
enum err jg_commit(struct cli *c, enum err e);

/* The cycle as last heard; 0, or the exit code after telling why not. */
int jg_cycle(struct cli *c, struct cycle *cycle);
/* Where to turn when a year is closed. */
const char *jg_closed_hint(void);
/* Sends what row n of the outbox queued and tells the server's word: json (taken over) with its state, or the
 * refusal. */
int jg_answer(struct cli *c, int64_t n, json_t *json);

/* The code of an operation's state. */
const char *jg_op_state(enum op_state state);
/* id as UUID text. */
const char *jg_format_id(const uint8_t id[ID_SIZE], char out[37]);
/* What was typed for a record: the number of a row of the last list becomes its id, or the number of the
 * pupil where the command wants another kind of record of him; anything else stays. Lies in `room`, or is
 * text itself. NULL after telling why not (exit code in *code). The view is the one that the command looks it
 * up in. */
#define JG_PICK_SIZE 64
const char *jg_pick(struct cli *c, const struct view *v, const struct shown_list *list, const char *text,
	char room[JG_PICK_SIZE], int *code);

/* The ids of a list as it is printed, for jg_pick of the next command. Programs have ids: nothing is kept for
 * them. */
struct jg_ids {
	uint8_t (*ids)[ID_SIZE];
	size_t n, room;
};
/* Adds a row and gives its number on the screen. */
const char *jg_ids_add(struct jg_ids *list, const uint8_t id[ID_SIZE], char number[16]);
/* Remembers them; frees the list when it is the last use. */
void jg_ids_keep(struct cli *c, struct jg_ids *list, const struct shown_list *of);
void jg_ids_free(struct jg_ids *list);
/* Warns of files of --evidence whose content is not what their names say. */
void jg_doubt_files(struct cli *c);
/* Says that so many files do not reach the bureau; nothing for none. */
void jg_tell_failed_files(struct cli *c, size_t failed);
/* Says what of before a revocation is still sealed on this computer, and who opens it; nothing for none. */
void jg_tell_sealed(struct cli *c);
#define JG_NAMESAKES_MAX 50
/* The item of this name; *out NULL: nobody. Of several, the exit code: they were listed with numbers of
 * `list`, of which the next command takes one. */
int jg_named(struct cli *c, const struct shown_list *list, const char *text, struct item *const *items,
	size_t n, struct item **out);
/* Whether the person may see this class; class teachers see their own. */
bool jg_class_allowed(const struct cli *c, const struct record *r);
/* Reads FIELD=VALUE operands from the first-th on into *r; *groups: the groups they touch. 0, or the exit
 * code. */
int jg_take_fields(struct cli *c, int first, struct view *v, struct record *r, uint32_t *groups);
/* Whether the numbers that `want` brings are not another pupil's of this school: the bureau would refuse them
 * days later. item: who is to get them, NULL when he is not there yet. 0, or the exit code. */
int jg_number_is_free(
	struct cli *c, const struct view *v, const struct item *item, const struct record *want);

int cmd_login(struct cli *c);
int cmd_doctor(struct cli *c);
int cmd_import(struct cli *c); /* `import NAME`: the import of that name */
int cmd_import_list(struct cli *c);
int cmd_import_undo(struct cli *c);
int cmd_sync(struct cli *c);
int cmd_status(struct cli *c);
int cmd_todo(struct cli *c);
int cmd_outbox_list(struct cli *c);
int cmd_outbox_show(struct cli *c);
int cmd_outbox_fix(struct cli *c);
int cmd_outbox_revert(struct cli *c);
int cmd_outbox_withdraw(struct cli *c);
int cmd_verify_submit(struct cli *c);
int cmd_conflicts_list(struct cli *c);
int cmd_conflicts_show(struct cli *c);
int cmd_conflicts_resolve(struct cli *c);
int cmd_export(struct cli *c); /* `export NAME`: the export of that name */
int cmd_help_fields(struct cli *c);

/* What every import takes; one that asks for more has a list of its own, `import_options` is it for the
 * others. */
#define IMPORT_OPTIONS                                                                                       \
	{"dry-run", NULL, N_("只检查，不保存")}, {"all-or-nothing", NULL, N_("有一行不合格就一行也不保存")}, \
		{"errors", "OUT.xlsx", N_("把不合格的行写到一份工作簿")},                                    \
		{"map", N_("列=字段"), N_("文件里的列名对应哪个字段")},                                      \
	{                                                                                                    \
		"sheet", "NAME", N_("只读这张工作表（不写时读列相同的各张）")                                \
	}
/* The formatter counts the bytes of wide characters here. */
/* clang-format off */
#define IMPORT_FORCE \
	{"force", NULL, N_("核对过了：改动姓名、年级、班级等身份信息的行、疑似错行的表也导入，" \
		"--errors 的同名文件换掉")}
/* clang-format on */

extern const struct cli_option import_options[], sync_options[], todo_options[], outbox_list_options[],
	outbox_withdraw_options[], conflicts_resolve_options[], export_options[];

#endif
