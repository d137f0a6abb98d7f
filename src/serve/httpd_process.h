// The httpd that `pyhost serve` runs.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "control/passed_listeners.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "serve/serve_options.h"

namespace pyhost::serve {

// A httpd in the foreground, in a process group of its own: Ctrl-C on the terminal reaches only us,
// and we pass it on as a stop. It stops by itself when this process dies. Not synchronised.
class HttpdProcess {
 public:
  // `environment` is added to that of this process; it gets the descriptors of `listeners`.
  static base::Result<HttpdProcess> start(const std::string& program,
                                          const std::string& config_file, const Pairs& environment,
                                          const std::vector<control::PassedListener>& listeners);

  HttpdProcess(HttpdProcess&& other) noexcept;
  HttpdProcess& operator=(HttpdProcess&&) = delete;
  // Stops it and waits, killing it after ten seconds.
  ~HttpdProcess();

  pid_t pid() const noexcept { return pid_; }
  // Where httpd's stdout and stderr can be read. They end when the last of its processes has.
  int output_fd() const noexcept { return output_.get(); }
  int errors_fd() const noexcept { return errors_.get(); }

  void stop() const noexcept;
  // It accepts nobody any more, and ends when the requests that run have.
  void stop_gracefully() const noexcept;
  void kill_all() const noexcept;
  // Starts new processes with the same configuration while the old ones finish.
  void graceful_restart() const noexcept;
  // What waitpid() said, once it has ended. Other children of this process that have ended are
  // forgotten with that: nobody waits for them.
  std::optional<int> poll_status() noexcept;
  bool has_ended() const noexcept { return status_.has_value(); }

 private:
  HttpdProcess() = default;

  pid_t pid_ = -1;
  std::optional<int> status_;
  base::UniqueFd output_;
  base::UniqueFd errors_;
};

}  // namespace pyhost::serve
