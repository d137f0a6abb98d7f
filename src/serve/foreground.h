// Stays with a httpd in the foreground.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "serve/file_watch.h"
#include "serve/httpd_process.h"
#include "serve/log_lines.h"
#include "serve/log_relay.h"
#include "serve/readiness.h"
#include "serve/service_notices.h"
#include "serve/stop_signals.h"

namespace pyhost::serve {

struct ForegroundPlan {
  LogView log_view;
  std::string httpd_name;  // of its processes
  std::string pid_file;    // httpd writes it when its configuration is in force
  std::string greeting;    // printed then
  // What running requests have when pyhost is told to stop for the first time.
  std::chrono::milliseconds graceful_time;
  std::string supervisor;  // its socket; "" without workers
};

// Passes httpd's logs on, lets it finish what it has when asked to stop, restarts it gracefully
// when files have changed, has the workers replaced on SIGUSR1, tells the service manager, and
// looks after processes that nobody else waits for. One thread; everything is waited for in one
// poll().
class Foreground {
 public:
  // `watch` may be null. Signals and watch belong to the caller.
  Foreground(HttpdProcess httpd, StopSignals& signals, FileWatch* watch, ServiceNotices notices,
             ForegroundPlan plan);

  // Returns the exit code of `pyhost serve` when httpd has ended.
  int stay();

 private:
  void wait() const;
  int poll_timeout_ms() const;
  void relay_logs();
  void greet_when_up();
  void begin_stop();
  void stop_at_once();
  void end_when_idle();
  void heed_signals();
  void heed_changes();
  void heed_reloads();
  void tell_readiness();
  // httpd's supervisor ends after it.
  bool all_have_ended() const;
  int farewell(int wait_status) const;

  HttpdProcess httpd_;
  StopSignals& signals_;
  FileWatch* const watch_;
  const ServiceNotices notices_;
  const ForegroundPlan plan_;
  Readiness readiness_;
  Readiness::State told_ = Readiness::State::starting;  // to the service manager
  LogRelay access_log_;
  LogRelay error_log_;
  bool access_log_open_ = true;
  bool error_log_open_ = true;
  bool greeted_ = false;
  bool stopping_ = false;
  bool told_to_end_ = false;
  std::optional<base::Clock::time_point> stop_at_;  // when requests are waited for no longer
  std::optional<base::Clock::time_point> kill_at_;
  std::optional<base::Clock::time_point> restart_at_;  // set when files have changed
};

}  // namespace pyhost::serve
