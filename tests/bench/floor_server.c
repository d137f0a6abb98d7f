/* The second process of a floor for two: answers each request of mod_floor from one epoll loop.

   usage: floor_server SOCKET */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "floor_protocol.h"

enum { kEvents = 64, kBacklog = 128 };

static void check(int result, const char* what) {
  if (result >= 0) return;
  perror(what);
  exit(1);
}

static int listen_at(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    fprintf(stderr, "the path of the socket is too long\n");
    exit(1);
  }
  strcpy(address.sun_path, path);
  const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(listening, "socket");
  umask(0);
  check(bind(listening, (struct sockaddr*)&address, sizeof address), "bind");
  check(listen(listening, kBacklog), "listen");
  return listening;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void answer(int connection) {
  static const char reply[FLOOR_REPLY_BYTES];
  char request[FLOOR_REQUEST_BYTES];
  const int whole = recv(connection, request, sizeof request, MSG_WAITALL) == sizeof request;
  if (!whole || send(connection, reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply) {
    close(connection);
  }
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: floor_server SOCKET\n");
    return 2;
  }
  const int listening = listen_at(argv[1]);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  check(epoll, "epoll_create1");
  watch(epoll, listening);
  struct epoll_event events[kEvents];
  while (1) {
    const int count = epoll_wait(epoll, events, kEvents, -1);
    if (count < 0 && errno != EINTR) check(count, "epoll_wait");
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listening) {
        const int connection = accept(listening, NULL, NULL);
        if (connection >= 0) watch(epoll, connection);
      } else {
        answer(events[i].data.fd);
      }
    }
  }
}
