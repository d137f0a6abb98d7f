// The service manager that has started a process, as sd_notify(3) of systemd speaks to it.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <chrono>
#include <optional>
#include <string>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::os {

// One message. What is not set is left out of it.
struct Notification {
  enum class State {
    unchanged,
    ready,      // READY=1: started, or reloaded
    reloading,  // RELOADING=1, with the moment of `reloading_since`
    stopping,   // STOPPING=1
  };
  State state = State::unchanged;
  // Of CLOCK_MONOTONIC. A manager that reloads by a signal (Type=notify-reload) tells by it whether
  // the message answers that signal.
  std::chrono::microseconds reloading_since{0};
  std::string status = {};  // a line for people
  std::optional<pid_t> main_pid = {};
  // From now on it may take so long until the next message.
  std::optional<std::chrono::microseconds> extended_timeout = {};
};

// The lines that systemd expects; a status of several lines becomes one.
std::string to_text(const Notification& notification);

// Now, as Notification::reloading_since wants it.
std::chrono::microseconds monotonic_now() noexcept;

class ServiceManager {
 public:
  // Takes NOTIFY_SOCKET out of the environment, so that no child of this process speaks for it;
  // call it before there are threads. Nothing when the variable is not set or empty. Fails when it
  // is neither an absolute path nor "@name", a socket of the abstract namespace.
  static base::Result<std::optional<ServiceManager>> take_from_environment();

  // Fails with the system's reason. Waits a second at most.
  base::Result<> notify(const Notification& notification) const;

 private:
  ServiceManager(base::UniqueFd socket, const sockaddr_un& address, socklen_t length) noexcept
      : socket_(std::move(socket)), address_(address), length_(length) {}

  base::UniqueFd socket_;
  sockaddr_un address_;
  socklen_t length_;
};

}  // namespace pyhost::os
