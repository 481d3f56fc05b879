#include "keyring.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsecret/secret.h>
#include <sodium.h>

#include "dynlib.h"

#define SECRET_MAX 64

#define CALLS(X)                                                                                             \
	X(g_bus_get_sync)                                                                                    \
	X(g_cancellable_cancel)                                                                              \
	X(g_cancellable_new)                                                                                 \
	X(g_clear_error)                                                                                     \
	X(g_cond_clear)                                                                                      \
	X(g_cond_init)                                                                                       \
	X(g_cond_signal)                                                                                     \
	X(g_cond_wait_until)                                                                                 \
	X(g_dbus_connection_set_exit_on_close)                                                               \
	X(g_error_free)                                                                                      \
	X(g_get_monotonic_time)                                                                              \
	X(g_hash_table_unref)                                                                                \
	X(g_list_free_full)                                                                                  \
	X(g_mutex_clear)                                                                                     \
	X(g_mutex_init)                                                                                      \
	X(g_mutex_lock)                                                                                      \
	X(g_mutex_unlock)                                                                                    \
	X(g_object_unref)                                                                                    \
	X(g_thread_join)                                                                                     \
	X(g_thread_new)                                                                                      \
	X(secret_attributes_build)                                                                           \
	X(secret_collection_for_alias_sync)                                                                  \
	X(secret_collection_get_locked)                                                                      \
	X(secret_item_create_sync)                                                                           \
	X(secret_item_get_locked)                                                                            \
	X(secret_item_get_secret)                                                                            \
	X(secret_item_load_secret_sync)                                                                      \
	X(secret_service_disconnect)                                                                         \
	X(secret_service_get_sync)                                                                           \
	X(secret_service_search_sync)                                                                        \
	X(secret_service_unlock_sync)                                                                        \
	X(secret_value_get)                                                                                  \
	X(secret_value_new)                                                                                  \
	X(secret_value_unref)
LIBRARY(lib, "libsecret-1.so.0", CALLS);

static const SecretSchema schema = {.name = "cn.jingguan.store",
	.flags = SECRET_SCHEMA_NONE,
	.attributes = {{"profile", SECRET_SCHEMA_ATTRIBUTE_STRING}, {NULL, SECRET_SCHEMA_ATTRIBUTE_STRING}}};

/* Ends what takes too long: the calls are synchronous, so their patience is kept on a thread beside them. */
struct watch {
	GCancellable *cancel;
	GThread *thread;
	GMutex mutex;
	GCond changed;
	gint64 end; /* monotonic; 0: no more needed */
};

static gpointer watch_run(gpointer data)
{
	struct watch *w = data;

	lib.g_mutex_lock(&w->mutex);
	while (w->end && lib.g_get_monotonic_time() < w->end)
		lib.g_cond_wait_until(&w->changed, &w->mutex, w->end);
	if (w->end)
		lib.g_cancellable_cancel(w->cancel);
	lib.g_mutex_unlock(&w->mutex);
	return NULL;
}

static void watch_until(struct watch *w, gint64 end)
{
	lib.g_mutex_lock(&w->mutex);
	w->end = end;
	lib.g_cond_signal(&w->changed);
	lib.g_mutex_unlock(&w->mutex);
}

static gint64 seconds_from_now(int s)
{
	return lib.g_get_monotonic_time() + (gint64)s * G_USEC_PER_SEC;
}

static void watch_begin(struct watch *w)
{
	*w = (struct watch){.cancel = lib.g_cancellable_new(), .end = seconds_from_now(KEYRING_WAIT_S)};
	lib.g_mutex_init(&w->mutex);
	lib.g_cond_init(&w->changed);
	w->thread = lib.g_thread_new("keyring", watch_run, w);
}

static void watch_end(struct watch *w)
{
	watch_until(w, 0);
	lib.g_thread_join(w->thread);
	lib.g_mutex_clear(&w->mutex);
	lib.g_cond_clear(&w->changed);
	lib.g_object_unref(w->cancel);
}

/* Without this look GLib would try to start a bus of its own under X11. An empty address means: none. */
static bool has_bus(void)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
	char path[512];

	if (address)
		return *address != 0;
	snprintf(path, sizeof path, "%s/bus", runtime && *runtime ? runtime : "/nonexistent");
	return access(path, W_OK) == 0;
}

/* Somebody at a desktop can be asked; a cron job or an ssh line cannot. */
static bool has_person(void)
{
	const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

	return (x && *x) || (wayland && *wayland);
}

static SecretService *open_service(struct watch *w)
{
	GDBusConnection *bus = lib.g_bus_get_sync(G_BUS_TYPE_SESSION, w->cancel, NULL);

	if (!bus)
		return NULL;
	/* GLib's default ends the program with the bus */
	lib.g_dbus_connection_set_exit_on_close(bus, FALSE);
	SecretService *service = lib.secret_service_get_sync(SECRET_SERVICE_OPEN_SESSION, w->cancel, NULL);
	lib.g_object_unref(bus);
	return service;
}

/* After it the next call finds a service that was started anew. */
static void close_service(SecretService *service)
{
	if (service)
		lib.g_object_unref(service);
	lib.secret_service_disconnect();
}

/* Asks the person there to open the keyring that `object`, an item or a collection, is in. */
static bool unlock(struct watch *w, SecretService *service, gpointer object)
{
	GList one = {.data = object};

	if (!has_person())
		return false;
	watch_until(w, seconds_from_now(KEYRING_ASK_S));
	int n = lib.secret_service_unlock_sync(service, &one, w->cancel, NULL, NULL);
	watch_until(w, seconds_from_now(KEYRING_WAIT_S));
	return n == 1;
}

/* The keyring that new secrets go into; unlocked, after asking when `ask`. */
static enum keyring_state open_collection(
	struct watch *w, SecretService *service, bool ask, SecretCollection **out)
{
	GError *error = NULL;

	*out = lib.secret_collection_for_alias_sync(
		service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE, w->cancel, &error);
	if (error) {
		lib.g_error_free(error);
		return KEYRING_GONE;
	}
	if (!*out)
		return KEYRING_MISSING;
	if (!lib.secret_collection_get_locked(*out) || (ask && unlock(w, service, *out)))
		return KEYRING_OK;
	lib.g_object_unref(*out);
	*out = NULL;
	return KEYRING_LOCKED;
}

enum keyring_state keyring_ready(void)
{
	enum keyring_state state = KEYRING_GONE;
	SecretCollection *collection = NULL;
	struct watch w;

	if (!has_bus() || !DYNLIB_LOAD(lib))
		return KEYRING_GONE;
	watch_begin(&w);
	SecretService *service = open_service(&w);
	if (service)
		state = open_collection(&w, service, false, &collection);
	if (collection)
		lib.g_object_unref(collection);
	close_service(service);
	watch_end(&w);
	return state;
}

static GHashTable *attributes_of(const uint8_t id[KEYRING_ID], char hex[2 * KEYRING_ID + 1])
{
	sodium_bin2hex(hex, 2 * KEYRING_ID + 1, id, KEYRING_ID);
	return lib.secret_attributes_build(&schema, "profile", hex, NULL);
}

enum keyring_state keyring_put(
	const uint8_t id[KEYRING_ID], const char *label, const uint8_t *secret, size_t n)
{
	char name[2 * KEYRING_ID + 1], text[2 * SECRET_MAX + 1];
	enum keyring_state state = KEYRING_GONE;
	SecretCollection *collection = NULL;
	struct watch w;

	if (!has_bus() || n > SECRET_MAX || !DYNLIB_LOAD(lib))
		return KEYRING_GONE;
	watch_begin(&w);
	SecretService *service = open_service(&w);
	if (service)
		state = open_collection(&w, service, true, &collection);
	if (state == KEYRING_OK) {
		GHashTable *attributes = attributes_of(id, name);
		/* As text: not every keyring keeps bytes. */
		sodium_bin2hex(text, sizeof text, secret, n);
		SecretValue *value = lib.secret_value_new(text, (gssize)(2 * n), "text/plain");
		sodium_memzero(text, sizeof text);
		SecretItem *item = lib.secret_item_create_sync(collection, &schema, attributes, label, value,
			SECRET_ITEM_CREATE_REPLACE, w.cancel, NULL);
		if (!item)
			state = KEYRING_GONE;
		else
			lib.g_object_unref(item);
		lib.secret_value_unref(value);
		lib.g_hash_table_unref(attributes);
	}
	if (collection)
		lib.g_object_unref(collection);
	close_service(service);
	watch_end(&w);
	return state;
}

static enum keyring_state read_item(
	struct watch *w, SecretService *service, SecretItem *item, uint8_t *secret, size_t n)
{
	gsize len = 0;
	size_t got = 0;

	if (lib.secret_item_get_locked(item) && !unlock(w, service, item))
		return KEYRING_LOCKED;
	if (!lib.secret_item_load_secret_sync(item, w->cancel, NULL))
		return KEYRING_GONE;
	SecretValue *value = lib.secret_item_get_secret(item);
	const char *text = value ? lib.secret_value_get(value, &len) : NULL;
	bool good = text && sodium_hex2bin(secret, n, text, len, NULL, &got, NULL) == 0 && got == n;
	if (value)
		lib.secret_value_unref(value);
	return good ? KEYRING_OK : KEYRING_MISSING;
}

/* A service with a locked default keyring may hide what is in it: then nothing found means locked. */
static enum keyring_state nothing_found(struct watch *w, SecretService *service)
{
	SecretCollection *collection = NULL;
	enum keyring_state state = open_collection(w, service, false, &collection);

	if (collection)
		lib.g_object_unref(collection);
	return state == KEYRING_OK ? KEYRING_MISSING : state;
}

enum keyring_state keyring_get(const uint8_t id[KEYRING_ID], uint8_t *secret, size_t n)
{
	char name[2 * KEYRING_ID + 1];
	enum keyring_state state = KEYRING_GONE;
	GError *error = NULL;
	struct watch w;

	if (!has_bus() || !DYNLIB_LOAD(lib))
		return KEYRING_GONE;
	watch_begin(&w);
	SecretService *service = open_service(&w);
	if (service) {
		GHashTable *attributes = attributes_of(id, name);
		GList *found = lib.secret_service_search_sync(
			service, &schema, attributes, SECRET_SEARCH_NONE, w.cancel, &error);
		if (error)
			state = KEYRING_GONE;
		else if (found)
			state = read_item(&w, service, found->data, secret, n);
		else
			state = nothing_found(&w, service);
		lib.g_clear_error(&error);
		lib.g_list_free_full(found, lib.g_object_unref);
		lib.g_hash_table_unref(attributes);
	}
	close_service(service);
	watch_end(&w);
	return state;
}
