#include "file_name.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv_decode.h"
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

const char *file_error_text(int error)
{
	switch (error) {
	case ENOENT:
		return tr("没有这个文件或文件夹", "there is no such file or folder");
	case ENOTDIR:
		return tr("路径里有一段不是文件夹", "a part of the path is no folder");
	case EISDIR:
		return tr("这是文件夹", "it is a folder");
	case EACCES:
	case EPERM:
		return tr("没有权限", "no permission");
	case EROFS:
		return tr("磁盘是只读的", "the disk is read-only");
	case ENAMETOOLONG:
		return tr("名字太长", "the name is too long");
	case ENOSPC:
	case EDQUOT:
		return tr("磁盘已满", "the disk is full");
	case EEXIST:
		return tr("已经有同名的文件或文件夹", "a file or folder of that name is there");
	case EBUSY:
	case ETXTBSY:
		return tr("别的程序正在用它", "another program is using it");
	case EIO:
		return tr("磁盘读写出错", "the disk does not read or write");
	case ELOOP:
		return tr("它是一个链接，不是文件", "it is a link, not a file");
	default:
		return strerror(error);
	}
}

enum err file_problem(struct problem *p, const char *path, int error)
{
	char name[FILE_PATH_TEXT_MAX];

	file_path_text(name, sizeof name, path);
	if (error == ENOSPC || error == EDQUOT)
		return problem_set(p, ERR_DISK_FULL, NULL, NULL,
			tr("磁盘已满，写不了 %s", "the disk is full, cannot write %s"), name);
	if (error == ENOMEM)
		return problem_set(p, ERR_NOMEM, NULL, NULL, NULL);
	return problem_set(p, ERR_FILE_IO, NULL,
		tr("请换一个能写的文件夹，例如“桌面”", "choose a folder that you may write to"),
		tr("写不了 %s：%s", "cannot write %s: %s"), name, file_error_text(error));
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
	problem_set(p, ERR_FILE_IO, NULL, tr("请核对文件名和所在的文件夹", "check the name and the folder"),
		tr("打不开 %s：%s", "cannot read %s: %s"), name,
		error ? file_error_text(error)
		      : tr("它不是文件，是文件夹、管道或设备",
				"it is no file but a folder, a pipe or a device"));
	return -1;
}
