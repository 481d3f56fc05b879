/* cmd_documents.h - the files of a school's 办文 commands. */
#ifndef JG_CLI_CMD_DOCUMENTS_H
#define JG_CLI_CMD_DOCUMENTS_H

#include "cli.h"

extern const struct cli_part jg_documents_orders;

#endif
