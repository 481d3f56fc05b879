#include "file_name.h"

#include <errno.h>
#include <string.h>

#include "csv_decode.h"
#include "err.h"
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
	default:
		return strerror(error);
	}
}
