#include "serve/stop_signals.h"

#include <signal.h>
#include <sys/signalfd.h>

namespace pyhost::serve {

StopSignals::StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  // A reader that closes our output shows as a failing write.
  signal(SIGPIPE, SIG_IGN);
  fd_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

unsigned StopSignals::stops_requested() noexcept {
  signalfd_siginfo info{};
  while (read(fd_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGUSR1) {
      reload_requested_ = true;
    } else if (info.ssi_signo != SIGCHLD) {
      ++stops_requested_;
    }
  }
  return stops_requested_;
}

void StopSignals::restore_defaults() noexcept {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
}

}  // namespace pyhost::serve
