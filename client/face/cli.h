/* cli.h - what the command-line programs share: the command table that feeds parsing, --help and completion,
 * the output for people and for programs, errors in three lines, passwords. Knows no command itself. One
 * thread. */
#ifndef JG_CLI_H
#define JG_CLI_H

#include <stdarg.h>
#include <stdbool.h>

#include <jansson.h>

#include "profile.h"
#include "way.h"

#define CLI_OPERANDS_MAX 256 /* PUPIL, FIELD=VALUE…: more than any record has fields */
#define CLI_COMMANDS_MAX 200
#define CLI_PARTS_MAX 40
#define CLI_OPTIONS_MAX 64 /* given on one command line, repeated ones counted */

struct cli;

struct cli_option {
	const char *name;  /* "dry-run"; NULL ends the list */
	const char *value; /* what it takes, as help shows it; NULL: a flag */
	const char *text;
};

enum cli_needs {
	CLI_PROFILE = 1,   /* the profile is opened and locked */
	CLI_ENROLLED = 2,  /* and must be a device */
	CLI_LOGGED_IN = 4, /* and somebody has logged in */
};

/* Where help lists a command. */
enum cli_section { CLI_START, CLI_TABLES, CLI_PEOPLE, CLI_HELP, CLI_WORK, CLI_REST };

struct cli_command {
	const char *words;                /* "import students" */
	const char *operands;             /* "FILE", as help shows it */
	int min, max;                     /* how many operands */
	const struct cli_option *options; /* NULL: only the common ones */
	unsigned needs;                   /* enum cli_needs */
	uint32_t roles;                   /* 1 << role that may use it; 0 = everybody */
	const char *text;                 /* what it does, one sentence */
	const char *example;              /* without the program's name */
	int (*run)(struct cli *c);
	enum cli_section section;
};

/* What one file of commands adds to a program; a service with several files joins them. */
struct cli_part {
	const struct cli_command *commands; /* ended by {0} */
	const struct way *ways;             /* ended by {0}; NULL = none */
	const struct cli_part *more;        /* the next file of the same service; NULL = none */
};

struct cli_program {
	const char *name, *text;             /* "jg", what it is */
	const struct cli_part *const *parts; /* ended by NULL; help goes by sections, then by this order */
	/* Frees what commands keep in c->data; may be NULL. Called before the profile is closed. */
	void (*finish)(struct cli *c);
	/* What options mean to all its commands, read once the profile is open: 0, or the exit code after
	 * telling. May be NULL. */
	int (*prepare)(struct cli *c);
	/* What this user does after logging in: "todo". */
	const char *(*first)(const struct cli *c);
};

struct cli {
	const struct cli_program *program;
	const struct cli_command *commands[CLI_COMMANDS_MAX]; /* of all parts, as help lists them */
	size_t command_count;
	const struct cli_command *command;
	struct profile profile; /* when the command needs it */
	bool profile_is_open;
	const char *profile_dir; /* as given, or NULL */
	bool json, verbose, reveal, progress_json;
	const char *operand[CLI_OPERANDS_MAX];
	int operands;
	struct {
		const char *name, *value;
	} option[CLI_OPTIONS_MAX];
	int options;
	struct problem problem; /* the place where functions leave what went wrong */
	void *data;             /* of the program */
	bool printed;           /* the one JSON document is out */
};

/* Runs one command line and returns the exit code. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/* Opens the profile, or takes its lock again after profile_unlock; waits while another program has it.
 * ERR_BUSY after ten seconds. */
enum err cli_lock(struct cli *c);

/* The last value of an option, NULL when it was not given; a flag's value is "". */
const char *cli_option(const struct cli *c, const char *name);
bool cli_flag(const struct cli *c, const char *name);
/* The i-th value of a repeated option, NULL behind the last. */
const char *cli_option_at(const struct cli *c, const char *name, int i);
/* The i-th operand; "-" reads one line of standard input, so that a pupil's number stays out of the shell's
 * history. */
const char *cli_operand(struct cli *c, int i);

/* ---- Output ---- */

/* The result: with --json the document (taken over), else nothing; returns code. */
int cli_result(struct cli *c, json_t *json, int code);
/* Tells c->problem in three lines on stderr and, with --json, as {"error"} on stdout unless a document is out
 * already. Returns the exit code of its error. */
int cli_fail(struct cli *c);
/* c->problem as the object behind "error", for a document that also holds a list. */
json_t *cli_error_json(const struct cli *c);
/* The same for an error set here. hint may be NULL. */
int cli_fail_with(struct cli *c, enum err code, const char *hint, const char *message, ...)
	__attribute__((format(printf, 4, 5)));
/* A line for people; nothing with --json. */
void cli_say(const struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The command that comes next, for people: "接下来：jg todo". What is not the program's name yet is a place
 * that the reader fills in. */
void cli_next(const struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something that a person should know, on stderr, also with --json. */
void cli_warn(const struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A table for people: aligned by display width, a Chinese character taking two columns. */
struct cli_table;
struct cli_table *cli_table_new(const char *const *headings, size_t columns);
/* Copies the cells; NULL is empty. */
void cli_table_row(struct cli_table *t, const char *const *cells);
/* Prints it with the number of rows (unless --json) and frees it. */
void cli_table_print(const struct cli *c, struct cli_table *t);
void cli_table_free(struct cli_table *t); /* without printing; NULL is fine */

/* Progress of something long: a bar on a terminal after the first second, or a line of JSON on stderr. */
void cli_progress(struct cli *c, const char *what, uint64_t done, uint64_t total);
void cli_progress_end(struct cli *c);

json_t *cli_time_json(int64_t us);   /* RFC 3339 with +08:00, null for 0 */
json_t *cli_date_json(int32_t date); /* "YYYY-MM-DD", null for 0 */

/* ---- Asking ---- */

/* Whether a person is there to be asked: a terminal at both ends, and no --json. */
bool cli_is_asked(const struct cli *c);
/* Whether a file may be written: there is none of that name, or --force or a yes lets it go. False: told, with
 * what to do, as ERR_EXISTS. */
bool cli_may_replace(struct cli *c, const char *path, const char *hint);
/* Asks and reads a line; true when it is the word, or one of several, "认可|accept". */
bool cli_confirm(const char *word, const char *prompt);

/* Asks and reads a line; false when nothing was typed. */
bool cli_ask(const char *prompt, char *out, size_t size);
/* From here on Ctrl-C tells what is safe before the program ends. */
void cli_catch_interrupt(struct cli *c);
/* What is safe, from what this process has done: saved here, changed at the bureau, or neither. Constant
 * text; may be asked in a signal handler. */
const char *cli_what_is_safe(const struct cli *c);

/* ---- Passwords ---- */

/* From the file that `option` names, else JG_PASSWORD (when env is set), else the prompt without echo.
 * ERR_USAGE when there is no terminal to ask at. */
enum err cli_password(
	struct cli *c, const char *option, bool env, const char *prompt, char *out, size_t size);

/* A new one: from the file that `option` names, else asked twice. */
enum err cli_new_password(struct cli *c, const char *option, char *out, size_t size);

/* ---- What commands of this kind share, jg and jgadmin alike ---- */

int cli_cmd_connect(struct cli *c);
int cli_cmd_logout(struct cli *c);
int cli_cmd_passwd(struct cli *c);
int cli_cmd_profiles(struct cli *c);
int cli_cmd_server(struct cli *c);
int cli_cmd_completion(struct cli *c);
int cli_cmd_help_codes(struct cli *c);
extern const struct cli_option cli_connect_options[], cli_login_options[], cli_passwd_options[];
/* {"user","roles","must_change"} of the session. */
json_t *cli_session_json(const struct cli *c);
/* Tells a person who is logged in now. */
void cli_login_told(const struct cli *c);
/* `login USER` of a program without an outbox: asks for the password, logs in, tells. The exit code. */
int cli_login(struct cli *c);

#endif
