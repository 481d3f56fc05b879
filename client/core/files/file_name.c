#include "file_name.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv_decode.h"
#include "lang.h"
#include "text.h"

void file_path_text(char *out, size_t size, const char *path)
{
	struct buf utf8 = {0};

	if (text_utf8_valid(path, strlen(path))) {
		text_printable(out, size, path);
		return;
	}
	if (csv_decode(path, strlen(path), "", &utf8, NULL)) {
		utf8.len = 0;
		buf_text(&utf8, path);
	}
	buf_u8(&utf8, 0);
	text_printable(out, size, utf8.failed ? "" : (char *)utf8.data);
	buf_free(&utf8);
}

void file_name_text(char *out, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');

	file_path_text(out, size, slash ? slash + 1 : path);
}

enum err file_problem(struct problem *p, const char *path, int error)
{
	char name[FILE_PATH_TEXT_MAX];

	file_path_text(name, sizeof name, path);
	if (error == ENOSPC || error == EDQUOT)
		return problem_set(p, ERR_DISK_FULL, NULL, NULL, _("磁盘已满，写不了 %s"), name);
	if (error == ENOMEM)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	return problem_set(p, ERR_FILE_IO, NULL, _("请换一个能写的文件夹，例如“桌面”"), _("写不了 %s：%s"),
		name, file_error_text(error));
}

int file_open(const char *path, size_t *size, struct problem *p)
{
	char name[FILE_NAME_TEXT_MAX];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error = fd < 0 || fstat(fd, &st) ? errno : 0;

	if (!error && S_ISREG(st.st_mode)) {
		*size = (size_t)st.st_size;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	file_name_text(name, sizeof name, path);
	problem_set(p, ERR_FILE_IO, NULL, _("请核对文件名和所在的文件夹"), _("打不开 %s：%s"), name,
		error ? file_error_text(error) : _("它不是文件，是文件夹、管道或设备"));
	return -1;
}
