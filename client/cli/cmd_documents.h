/* cmd_documents.h - the files of a school's 办文 commands. */
#ifndef JG_CLI_CMD_DOCUMENTS_H
#define JG_CLI_CMD_DOCUMENTS_H

#include "cli.h"

#define DOCUMENT_PEOPLE (1u << ROLE_CLERK | 1u << ROLE_HEAD) /* of a school: who has to do with papers */

extern const struct cli_part jg_documents_orders, jg_documents_print;

#endif
