/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phone numbers through libphonenumber: parsed with the region of the namespace, checked, written
 * in E.164. That takes 15 to 35 microseconds a number, more than all else that is done to an event,
 * so each thread that has phone numbers remembers answers in a table of 8 MiB. An answer depends on
 * the number and the region alone, so remembering changes nothing but the time.
 *
 * A number that is none is an ordinary answer. The library throws nothing by itself; what a library
 * below it may throw counts as no number, except for want of memory, which aborts.
 */
#include "phone.h"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <xxhash.h>

namespace
{

using i18n::phonenumbers::NullLogger;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

constexpr const char *no_region = "ZZ"; /* the library's name for none */
constexpr size_t raw_max = 250;		/* what the library reads at most */
constexpr size_t memory_slots = 131072;

/* The library's own logger prints numbers, which are personal, to the standard output. */
PhoneNumberUtil *library()
{
	static PhoneNumberUtil *const util = [] {
		PhoneNumberUtil *instance = PhoneNumberUtil::GetInstance();

		instance->SetLogger(new NullLogger);
		return instance;
	}();

	return util;
}

struct answer {
	uint8_t raw_n, canonical_n; /* raw_n 0: an empty slot; canonical_n 0: not a number */
	char region[2];
	char raw[36];
	char canonical[BB_PHONE_E164_MAX];
};
static_assert(sizeof(answer) == 64, "one cache line");

std::string ask_or_throw(const std::string &raw, const char *region)
{
	PhoneNumberUtil *util = library();
	PhoneNumber number;
	std::string e164;

	if (util->Parse(raw, region, &number) != PhoneNumberUtil::NO_PARSING_ERROR)
		return e164;
	if (util->IsPossibleNumber(number) && util->IsValidNumber(number))
		util->Format(number, PhoneNumberUtil::E164, &e164);
	return e164;
}

/* What the library says; without raw and region, which only a slot of the memory has. */
answer ask(const char *raw, size_t n, const char *region) noexcept
{
	std::string e164;
	answer fresh = {};

	try {
		e164 = ask_or_throw(std::string(raw, n), region);
	} catch (const std::bad_alloc &) {
		std::terminate();
	} catch (...) {
		e164.clear();
	}
	if (e164.size() <= sizeof(fresh.canonical)) {
		fresh.canonical_n = (uint8_t)e164.size();
		memcpy(fresh.canonical, e164.data(), e164.size());
	}
	return fresh;
}

bool is_memorable(size_t n, const char *region)
{
	return n > 0 && n <= sizeof(answer::raw) && strlen(region) == sizeof(answer::region);
}

struct unallocate {
	void operator()(answer *slots) const
	{
		free(slots);
	}
};

answer recall_or_ask(const char *raw, size_t n, const char *region) noexcept
{
	thread_local std::unique_ptr<answer[], unallocate> memory;
	uint64_t seed = (uint64_t)(unsigned char)region[0] << 8 | (unsigned char)region[1];
	answer *slot;

	if (!memory) /* pages that no answer lies on are never touched */
		memory.reset(static_cast<answer *>(calloc(memory_slots, sizeof(answer))));
	if (!memory)
		std::terminate();
	slot = &memory[XXH3_64bits_withSeed(raw, n, seed) % memory_slots];
	if (slot->raw_n == n && memcmp(slot->raw, raw, n) == 0 &&
	    memcmp(slot->region, region, sizeof(slot->region)) == 0)
		return *slot;
	*slot = ask(raw, n, region);
	slot->raw_n = (uint8_t)n;
	memcpy(slot->raw, raw, n);
	memcpy(slot->region, region, sizeof(slot->region));
	return *slot;
}

} // namespace

bool bb_phone_canonical(const char *raw, size_t n, const char *region, char out[BB_PHONE_E164_MAX],
			size_t *ret_n)
{
	const char *where = region ? region : no_region;
	answer found;

	if (n > raw_max)
		return false;
	found = is_memorable(n, where) ? recall_or_ask(raw, n, where) : ask(raw, n, where);
	if (found.canonical_n == 0)
		return false;
	memcpy(out, found.canonical, found.canonical_n);
	*ret_n = found.canonical_n;
	return true;
}

bool bb_phone_is_region(const char *region)
{
	int code;

	try {
		code = library()->GetCountryCodeForRegion(region);
	} catch (...) {
		std::terminate(); /* only for want of memory */
	}
	return code != 0;
}
