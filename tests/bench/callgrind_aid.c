/* What tests/bench/instructions needs inside of the processes that valgrind counts: loaded into
   httpd by LD_PRELOAD, and by the application that marks. */

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void pyhost_mark(const char* name);
EXPORTED long syscall(long number, ...);

/* What has been counted since the last mark goes to a file of its own, with this name in it. */
void pyhost_mark(const char* name) {
  CALLGRIND_DUMP_STATS_AT(name);
}

static int connect_to(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (path == NULL || strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  const int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(connection, (struct sockaddr*)&address, sizeof address) == 0) return connection;
  close(connection);
  return -1;
}

/* The first descriptor that comes, or -1. */
static int receive_descriptor(int connection) {
  char byte;
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec piece = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  const struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == NULL || header->cmsg_type != SCM_RIGHTS) return -1;
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return descriptor;
}

/* Valgrind before 3.21 does not know pidfd_open(), so a process outside of it is asked. */
static int pidfd_of(pid_t pid) {
  int pidfd = -1;
  const int connection = connect_to(getenv("PYHOST_PIDFDS"));
  if (connection >= 0) {
    if (write(connection, &pid, sizeof pid) == sizeof pid) pidfd = receive_descriptor(connection);
    close(connection);
  }
  if (pidfd < 0) errno = ENOSYS;
  return pidfd;
}

long syscall(long number, ...) {
  long values[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; ++i) values[i] = va_arg(list, long);
  va_end(list);
  if (number == SYS_pidfd_open) return pidfd_of((pid_t)values[0]);
  long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  return real(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}
