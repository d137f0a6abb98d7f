/* Says in the error log where a child of httpd has crashed, with one record such as

     crashed with signal 11 in libapr-1.so.0:apr_os_sock_get < mod_mpm_event.so < apache2:main

   from the inside out; a function is named when its object exports it. (httpd has a hook for this,
   but Debian builds it without.) */

#include <httpd.h>

#include <dlfcn.h>
#include <execinfo.h>
#include <http_config.h>
#include <http_log.h>
#include <http_main.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES_MAX = 64, TRACE_BYTES = 4096 };
/* The handler's own frame, and the C library's return from it. */
enum { FRAMES_OF_HANDLER = 2 };

static size_t append_frame(char* end, size_t room, const void* address) {
  Dl_info place;
  if (!dladdr(address, &place) || place.dli_fname == NULL) return 0;
  const char* slash = strrchr(place.dli_fname, '/');
  const int written = snprintf(end, room, " < %s%s%s", slash ? slash + 1 : place.dli_fname,
                               place.dli_sname ? ":" : "", place.dli_sname ? place.dli_sname : "");
  return written > 0 && (size_t)written < room ? (size_t)written : 0;
}

static void say_where(int number) {
  static void* frames[FRAMES_MAX];
  static char trace[TRACE_BYTES];
  /* A crash in here, or in another thread, is not to be described as well. */
  signal(number, SIG_DFL);
  const int count = backtrace(frames, FRAMES_MAX);
  size_t length = 0;
  for (int i = FRAMES_OF_HANDLER; i < count; ++i) {
    length += append_frame(trace + length, sizeof trace - length, frames[i]);
  }
  ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, ap_server_conf, "crashed with signal %d in%s", number,
               length > 0 ? trace + strlen(" <") : " no known place");
  raise(number);
}

static void watch_child(apr_pool_t* pool, server_rec* server) {
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  void* frame;
  (void)pool;
  /* A child that crashes before has not run anything of a module. */
  ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, server, "initialises its modules");
  /* The first call loads a library, which a crashed process had better not do. */
  (void)backtrace(&frame, 1);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; ++i) signal(numbers[i], say_where);
}

static void register_hooks(apr_pool_t* pool) {
  (void)pool;
  ap_hook_child_init(watch_child, NULL, NULL, APR_HOOK_FIRST);
}

AP_DECLARE_MODULE(crash_trace) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                  register_hooks,          0};
