/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of the error codes, and the one way to fill a `struct bb_error`. A message that is too
 * long is cut; control characters (a file name may hold any byte) become `?`, so that an error
 * stays one line wherever it is printed. An unknown code has a text too: nothing here fails.
 */
#include <backbone/error.h>

#include <stdarg.h>
#include <stdio.h>

const char *bb_error_text(int code)
{
	switch (code) {
	case BB_OK:
		return "ok";
#define X(name, value, text)                                                                       \
	case BB_##name:                                                                            \
		return text;
		BB_ERRORS(X)
#undef X
	default:
		return "unknown error";
	}
}

int bb_error_set(struct bb_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, fmt);
	if (vsnprintf(err->msg, sizeof err->msg, fmt, args) < 0)
		err->msg[0] = '\0';
	va_end(args);
	for (char *p = err->msg; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return code;
}
