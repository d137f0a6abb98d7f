// Whether the application serves.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "serve/group_call.h"

namespace pyhost::serve {

// Asks the supervisor now and then until it says so, and about a reload until it is done. Nobody
// waits: fd() and next_look() say when advance() is due.
class Readiness {
 public:
  enum class State {
    starting,
    serving,
    reloading,  // and serving
  };

  // `socket` is that of the supervisor; without one httpd alone serves.
  Readiness(std::string socket, std::string group)
      : socket_(std::move(socket)), group_(std::move(group)) {}

  // httpd accepts requests.
  void begin();
  // Replaces the workers; nothing while they start, or are being replaced. False when that cannot
  // be asked for.
  bool reload();

  State state() const noexcept { return state_; }
  // How the last reload has ended: a sentence.
  const std::string& outcome() const noexcept { return outcome_; }

  int fd() const noexcept { return call_ ? call_->fd() : -1; }
  std::optional<base::Clock::time_point> next_look() const noexcept { return look_at_; }
  void advance();

 private:
  void ask();
  void heed_status(const base::Result<std::string>& answer);
  void heed_reload(const base::Result<std::string>& answer);

  const std::string socket_;
  const std::string group_;
  State state_ = State::starting;
  std::optional<GroupCall> call_;
  std::optional<base::Clock::time_point> look_at_;
  std::string outcome_;
};

}  // namespace pyhost::serve
