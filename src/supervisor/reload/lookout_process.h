// A pyhost-lookout: watches the files of reload-on= for all groups of one user.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "control/watch_list.h"
#include "os/event_loop.h"
#include "os/line_reader.h"
#include "launch/worker_start.h"

namespace pyhost::supervisor {

// Started anew when it has ended. Single-threaded, in the thread of the loop, which outlives it.
class LookoutProcess {
 public:
  struct Handlers {
    // What it says, which is to be trusted as little as its user.
    std::function<void(gateway::WatchReport)> on_report;
    // Nothing is watched just now: why.
    std::function<void(const std::string& problem)> on_end;
  };

  LookoutProcess(EventLoop& loop, std::string program, Credentials credentials, Handlers handlers);
  LookoutProcess(const LookoutProcess&) = delete;
  LookoutProcess& operator=(const LookoutProcess&) = delete;
  // It ends.
  ~LookoutProcess();

  const Credentials& credentials() const noexcept { return credentials_; }
  // From now on it watches these.
  void follow(gateway::WatchList list);

  // Starts it when that is due.
  void advance(TimePoint now);
  std::optional<TimePoint> next_deadline() const noexcept;

 private:
  struct Running {
    pid_t pid;
    base::UniqueFd pidfd;
    LineReader lines;
    TimePoint started;
  };

  base::Result<> start();
  void read();
  void heed(const std::string& line);
  void note_end();
  void retry(const std::string& problem);
  void end();
  void forget() noexcept;

  EventLoop& loop_;
  const std::string program_;
  const Credentials credentials_;
  const Handlers handlers_;
  gateway::WatchList list_;
  std::optional<Running> running_;
  std::string failure_;                // the sentence in which it said why it could not start
  std::optional<TimePoint> start_at_;  // unless it runs
  Milliseconds pause_;
};

}  // namespace pyhost::supervisor
