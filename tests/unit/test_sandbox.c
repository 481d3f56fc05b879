/* Covers server/extract/sandbox.c and common/content_type.c: what is left to a process that has read a
 * stranger's file, tried by doing each thing that it may not do; and what files are by their bytes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "content_type.h"
#include "sandbox.h"

/* What becomes of a process that does this within: its exit code, or the signal that ended it, negative. */
static int within(bool (*walls)(void), int (*deed)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!sandbox_limit() || !walls())
			_exit(99);
		_exit(deed());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int do_nothing(void)
{
	return 0;
}

static int do_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 1 : 0;
}

static int do_fork(void)
{
	return fork() < 0 ? 1 : 0;
}

static int do_write_file(void)
{
	return open("/tmp/jg-sandbox-test", O_WRONLY | O_CREAT, 0600) < 0 ? 1 : 0;
}

static int do_read_write(void)
{
	return open("/dev/null", O_RDWR) < 0 ? 1 : 0;
}

static int do_signal(void)
{
	return kill(getppid(), 0) < 0 ? 1 : 0;
}

static int do_remove(void)
{
	return unlink("/tmp/jg-sandbox-test") < 0 && errno == EPERM ? 1 : 0;
}

static int do_read_installed(void)
{
	return open("/usr/bin/pdftotext", O_RDONLY) < 0 ? 1 : 0;
}

static int do_open(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? 1 : 0;
}

static int do_execute(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static int do_remember(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return 1; /* a sanitizer has its own idea of memory */
#else
	volatile char *p = malloc(1u << 30);

	return p ? 0 : 1;
#endif
}

static int do_turn(void)
{
	volatile unsigned turns = 1;

	while (turns)
		turns |= 1;
	return 0;
}

static void a_program_reads_and_nothing_else(void **state)
{
	static int (*const refused[])(void) = {
		do_socket, do_fork, do_write_file, do_read_write, do_signal, do_remove, do_remember};

	(void)state;
	assert_int_equal(within(sandbox_for_program, do_nothing), 0);
	assert_int_equal(within(sandbox_for_program, do_read_installed), 0);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_int_equal(within(sandbox_for_program, refused[i]), 1);
	assert_int_equal(access("/tmp/jg-sandbox-test", F_OK), -1);
}

static void our_readers_open_nothing(void **state)
{
	static int (*const deadly[])(void) = {
		do_socket, do_fork, do_write_file, do_open, do_execute, do_signal, do_remove};

	(void)state;
	assert_int_equal(within(sandbox_close, do_nothing), 0);
	assert_int_equal(within(sandbox_close, do_remember), 1);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		assert_int_equal(within(sandbox_close, deadly[i]), -SIGSYS);
}

static void who_turns_in_circles_is_ended(void **state)
{
	(void)state;
	int ended = within(sandbox_close, do_turn);
	assert_true(ended == -SIGXCPU || ended == -SIGKILL);
}

/* ---- What files are ---- */

static void is(const char *bytes, size_t n, const char *type, bool cut)
{
	bool found;

	assert_string_equal(content_type(bytes, n, &found), type);
	assert_int_equal(found, cut);
}
#define IS(text, type, cut) is(text, sizeof(text) - 1, type, cut)

#define ENTRY(length, name)                                                                                  \
	"PK\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" length                                      \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" name
#define END(at) "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0" at "\0\0\0\0\0"

static void files_are_what_they_hold(void **state)
{
	(void)state;
	IS("%PDF-1.4\n...%%EOF\n", "pdf", false);
	IS("%PDF-1.4\n...", "pdf", true);
	IS("\x89PNG\r\n\x1a\n....IEND\xae\x42\x60\x82", "png", false);
	IS("\xff\xd8\xff\xe0....", "jpg", true);
	IS("\xff\xd8\xff\xe0....\xff\xd9", "jpg", false);
	IS("PK\3\4" ENTRY("\x11", "word/document.xml") END("\4"), "docx", false);
	IS("PK\3\4" ENTRY("\x0f", "xl/workbook.xml") END("\4"), "xlsx", false);
	IS("PK\3\4" ENTRY("\7", "OFD.xml") END("\4"), "ofd", false);
	IS("PK\3\4" ENTRY("\7", "evil.sh") END("\4"), "", false);
	IS("PK\3\4" ENTRY("\x11", "word/document.xml"), "", true);
	/* A directory that points behind the end, or a name that is longer than the file. */
	IS("PK\3\4" ENTRY("\x11", "word/document.xml") END("\xff"), "", true);
	IS("PK\3\4" ENTRY("\xff", "x") END("\4"), "", false);
	IS("MZ\0\0", "", false);
	IS("", "", false);
	IS("\xd6\xd0\xce\xc4,1\r\n", "txt", false);
	assert_true(content_type_fits("txt", "名单.CSV"));
	assert_true(content_type_fits("jpg", "照片.jpg"));
	assert_false(content_type_fits("txt", "名单.pdf"));
	assert_false(content_type_fits("", "名单.pdf"));
	assert_false(content_type_fits("pdf", "名单"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_program_reads_and_nothing_else),
		cmocka_unit_test(our_readers_open_nothing), cmocka_unit_test(who_turns_in_circles_is_ended),
		cmocka_unit_test(files_are_what_they_hold)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
