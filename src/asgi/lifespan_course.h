// What an application does at the start and the end of its loop.
#pragma once

#include <string>
#include <string_view>

#include "asgi/refusal.h"
#include "pyhost/gateway/event_loops.h"

namespace pyhost::asgi {

using gateway::LifespanUse;

// Decides what the events of the lifespan protocol (ASGI Lifespan 2.0) come to. Knows neither
// Python nor time: that the patience of whoever waits is over is an event like others.
class LifespanCourse {
 public:
  explicit LifespanCourse(LifespanUse use) noexcept
      : use_(use), stage_(use == LifespanUse::off ? Stage::unsupported : Stage::starting) {}

  enum class Stage {
    starting,     // it has been asked to start
    running,      // it has
    unsupported,  // it knows nothing of lifespans, or is not asked: it serves, and has no end
    failed,       // its start has: it is not to serve; see sentence()
    died,         // it has ended while it was to serve: see sentence()
    stopping,     // it has been asked to stop
    stopped,      // it has, or will not; sentence() says what was wrong with that, if anything
  };
  Stage stage() const noexcept { return stage_; }
  // For the log.
  const std::string& sentence() const noexcept { return sentence_; }

  // What a receive() gives.
  enum class Next { startup, shutdown, wait };
  Next next() const noexcept;
  // It was given; the next one gives something else.
  void told(Next event) noexcept;

  // What the application sends. `message` is that of a failure, and may be empty.
  enum class Event { startup_complete, startup_failed, shutdown_complete, shutdown_failed };
  Verdict sent(Event event, std::string_view message);

  // Its call has ended. `exception` is what it has raised, in one line; empty when it has returned.
  void ended(std::string_view exception);
  // It has not answered in time.
  void patience_is_over();
  // It is to stop; without effect unless it runs.
  void stop() noexcept;

 private:
  Verdict started(Event event, std::string_view message);
  Verdict finished(Event event, std::string_view message);
  void settle(Stage stage, std::string sentence);

  const LifespanUse use_;
  Stage stage_;
  bool startup_told_ = false;
  bool shutdown_told_ = false;
  std::string sentence_;
};

}  // namespace pyhost::asgi
