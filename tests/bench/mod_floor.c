/* The floors that tests/bench measures against, with the bytes and headers of
   docs/examples/hello.wsgi. "SetHandler floor" answers from memory; "SetHandler floor-remote" asks
   floor_server.c first, over one persistent connection for each thread to FloorSocket. */

#include <httpd.h>

#include <http_config.h>
#include <http_protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "floor_protocol.h"

static const char body[] = "Hello, world!\n";
static struct sockaddr_un server = {.sun_family = AF_UNIX};
static __thread int connection = -1;

static int answer(request_rec* r) {
  ap_set_content_type(r, "text/plain");
  ap_set_content_length(r, sizeof body - 1);
  return ap_rwrite(body, sizeof body - 1, r) < 0 ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

/* Whether the thread has a connection to the server. */
static int connected(void) {
  if (connection >= 0) return 1;
  connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(connection, (struct sockaddr*)&server, sizeof server) == 0) return 1;
  close(connection);
  connection = -1;
  return 0;
}

static int answer_remotely(request_rec* r) {
  static const char request[FLOOR_REQUEST_BYTES];
  char reply[FLOOR_REPLY_BYTES];
  if (!connected()) return HTTP_SERVICE_UNAVAILABLE;
  if (write(connection, request, sizeof request) != sizeof request ||
      recv(connection, reply, sizeof reply, MSG_WAITALL) != sizeof reply) {
    close(connection);
    connection = -1;
    return HTTP_BAD_GATEWAY;
  }
  return answer(r);
}

static int handle(request_rec* r) {
  if (r->handler == NULL) return DECLINED;
  if (strcmp(r->handler, "floor") == 0) return answer(r);
  return strcmp(r->handler, "floor-remote") == 0 ? answer_remotely(r) : DECLINED;
}

static const char* set_socket(cmd_parms* cmd, void* config, const char* path) {
  (void)cmd;
  (void)config;
  if (strlen(path) >= sizeof server.sun_path) return "the path of the socket is too long";
  strcpy(server.sun_path, path);
  return NULL;
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("FloorSocket", set_socket, NULL, RSRC_CONF, "The socket of floor_server"),
    {NULL}};

static void register_hooks(apr_pool_t* pool) {
  (void)pool;
  ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(floor) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, register_hooks, AP_MODULE_FLAG_NONE};
