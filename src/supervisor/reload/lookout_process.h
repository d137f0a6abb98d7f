// A pyhost-lookout: watches the files of reload-on= for all groups of one user.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "control/watch_list.h"
#include "launch/worker_start.h"
#include "os/event_loop.h"
#include "os/line_reader.h"

namespace pyhost::supervisor {

// Started anew when it has ended. Single-threaded, in the thread of the loop, which outlives it.
class LookoutProcess {
 public:
  struct Handlers {
    // What it says, which is to be trusted as little as its user.
    std::function<void(control::WatchReport)> on_report;
    // Nothing is watched just now: why.
    std::function<void(const std::string& problem)> on_end;
  };

  LookoutProcess(os::EventLoop& loop, std::string program, launch::Credentials credentials,
                 Handlers handlers);
  LookoutProcess(const LookoutProcess&) = delete;
  LookoutProcess& operator=(const LookoutProcess&) = delete;
  // It ends.
  ~LookoutProcess();

  const launch::Credentials& credentials() const noexcept { return credentials_; }
  // From now on it watches these.
  void follow(control::WatchList list);

  // Starts it when that is due.
  void advance(base::TimePoint now);
  std::optional<base::TimePoint> next_deadline() const noexcept;

 private:
  struct Running {
    pid_t pid;
    base::UniqueFd pidfd;
    os::LineReader lines;
    base::TimePoint started;
  };

  base::Result<> start();
  void read();
  void heed(const std::string& line);
  void note_end();
  void retry(const std::string& problem);
  void end();
  void forget() noexcept;

  os::EventLoop& loop_;
  const std::string program_;
  const launch::Credentials credentials_;
  const Handlers handlers_;
  control::WatchList list_;
  std::optional<Running> running_;
  std::string failure_;                      // the sentence in which it said why it could not start
  std::optional<base::TimePoint> start_at_;  // unless it runs
  base::Milliseconds pause_;
};

}  // namespace pyhost::supervisor
