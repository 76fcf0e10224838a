/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of requests: whatever bytes come, whole or in pieces, it ends each with a request, the
 * wish for more, or a refusal; and pieces give the same requests as the whole.
 */
#include "fuzz.h"

#include <backbone/assert.h>
#include <backbone/resp.h>

struct digest {
	uint64_t requests, bytes;
	enum bb_resp_status last;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void count(const struct bb_resp_request *req, struct digest *sum)
{
	sum->requests++;
	for (size_t i = 0; i < req->n; i++)
		for (size_t k = 0; k < req->args[i].n; k++)
			sum->bytes = sum->bytes * 31 + (unsigned char)req->args[i].p[k];
}

/* Reads `input` as it would come in pieces of `step` bytes. */
static struct digest read_all(struct bb_text input, size_t step)
{
	static struct bb_resp_request req;
	struct bb_resp_parser parser = {0};
	struct digest sum = {0, 0, BB_RESP_MORE};
	size_t have = step < input.n ? step : input.n, done = 0;

	for (;;) {
		struct bb_text window = {input.p + done, have - done};
		const char *why = NULL;
		size_t used = 0;

		sum.last = bb_resp_parse(&parser, window, &req, &used, &why);
		if (sum.last == BB_RESP_REFUSED) {
			bb_assert(why);
			return sum;
		}
		if (sum.last == BB_RESP_READY) {
			bb_assert(used > 0 && used <= window.n);
			count(&req, &sum);
			done += used;
		} else if (have == input.n) {
			return sum;
		} else {
			have = have + step < input.n ? have + step : input.n;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bb_text input = {(const char *)data, n};
	struct digest whole = read_all(input, n), one = read_all(input, 1),
		      few = read_all(input, 7);

	bb_assert(whole.requests == one.requests && whole.bytes == one.bytes);
	bb_assert(whole.last == one.last && whole.last == few.last);
	bb_assert(whole.requests == few.requests && whole.bytes == few.bytes);
	return 0;
}
