/* cmd_documents.h - the files of a school's 办文 commands. Main thread. */
#ifndef JG_CLI_CMD_DOCUMENTS_H
#define JG_CLI_CMD_DOCUMENTS_H

#include "cli.h"

#define DOCUMENT_PEOPLE (1u << ROLE_CLERK | 1u << ROLE_HEAD) /* of a school: who has to do with papers */

struct item;
struct view;
extern const struct cli_part jg_documents_orders, jg_meetings, jg_documents_print, jg_documents_keep,
	jg_documents_verify;
/* The paper that the i-th operand names. NULL: told, exit code in *code. */
struct item *documents_pick(struct cli *c, struct view *v, int i, int *code);

#endif
