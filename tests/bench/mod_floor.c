/* The floor that tests/bench measures against: httpd answering from memory, with the bytes and
   headers of docs/examples/hello.wsgi. */

#include <httpd.h>

#include <http_config.h>
#include <http_protocol.h>
#include <string.h>

static const char body[] = "Hello, world!\n";

static int answer(request_rec* r) {
  if (r->handler == NULL || strcmp(r->handler, "floor") != 0) return DECLINED;
  ap_set_content_type(r, "text/plain");
  ap_set_content_length(r, sizeof body - 1);
  return ap_rwrite(body, sizeof body - 1, r) < 0 ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

static void register_hooks(apr_pool_t* pool) {
  (void)pool;
  ap_hook_handler(answer, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(floor) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, AP_MODULE_FLAG_NONE};
