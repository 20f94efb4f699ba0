/* A PKCS#11 module for tests: it hands everything on to SoftHSM, and fails as a bad one does when it is told to.
 *
 * The file that TEST_MODULE_FAULT names holds one word: what the next calls do. Each login is noted in TEST_MODULE_LOGINS. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CK_PTR *
#define CK_DECLARE_FUNCTION(returns, name) returns name
#define CK_DECLARE_FUNCTION_POINTER(returns, name) returns(*name)
#define CK_CALLBACK_FUNCTION(returns, name) returns(*name)
#ifndef NULL_PTR
#define NULL_PTR 0
#endif
#include "pkcs11.h"

static CK_FUNCTION_LIST_PTR behind;
static CK_FUNCTION_LIST mine;

static int told(const char *word)
{
	char have[64] = "";
	const char *name = getenv("TEST_MODULE_FAULT");
	FILE *f = name ? fopen(name, "r") : NULL;
	if (f == NULL)
		return 0;
	if (fgets(have, sizeof have, f) == NULL)
		have[0] = 0;
	fclose(f);
	return strcmp(have, word) == 0;
}

static void crash(void)
{
	volatile int *nowhere = NULL;
	*nowhere = 1;
}

static void hang(void)
{
	for (;;)
		pause();
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG length)
{
	FILE *f = fopen(getenv("TEST_MODULE_LOGINS"), "a");
	if (f != NULL) {
		fputs("login\n", f);
		fclose(f);
	}
	if (told("login locked"))
		return CKR_PIN_LOCKED;
	if (told("login crash"))
		crash();
	return behind->C_Login(session, user, pin, length);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR out, CK_ULONG_PTR room)
{
	CK_RV rv;
	if (told("sign removed"))
		return CKR_DEVICE_REMOVED;
	if (told("sign crash"))
		crash();
	if (told("sign hang"))
		hang();
	rv = behind->C_Sign(session, data, size, out, room);
	if (rv == CKR_OK && out != NULL && told("sign wrong"))
		out[*room - 1] ^= 1;
	return rv;
}

static CK_RV slots(CK_BBOOL present, CK_SLOT_ID_PTR list, CK_ULONG_PTR count)
{
	printf("a module that talks\n");
	if (told("slots crash"))
		crash();
	if (told("slots removed") && present) {
		*count = 0;
		return CKR_OK;
	}
	return behind->C_GetSlotList(present, list, count);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
	if (behind == NULL) {
		CK_C_GetFunctionList get;
		void *lib = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
		if (lib == NULL)
			return CKR_GENERAL_ERROR;
		get = (CK_C_GetFunctionList)dlsym(lib, "C_GetFunctionList");
		if (get == NULL || get(&behind) != CKR_OK)
			return CKR_GENERAL_ERROR;
		mine = *behind;
		mine.C_GetFunctionList = C_GetFunctionList;
		mine.C_Login = login;
		mine.C_Sign = sign;
		mine.C_GetSlotList = slots;
	}
	*list = &mine;
	return CKR_OK;
}
