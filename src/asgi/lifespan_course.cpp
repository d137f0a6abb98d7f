#include "asgi/lifespan_course.h"

#include <fmt/format.h>

#include <utility>

namespace pyhost::asgi {
namespace {

std::string with_message(std::string_view what, std::string_view message) {
  return message.empty() ? std::string(what) : fmt::format("{}: {}", what, message);
}

std::string end_of_call(std::string_view exception) {
  return exception.empty() ? "it returned" : fmt::format("it raised {}", exception);
}

}  // namespace

LifespanCourse::Next LifespanCourse::next() const noexcept {
  if (!startup_told_) return Next::startup;
  return stage_ == Stage::stopping && !shutdown_told_ ? Next::shutdown : Next::wait;
}

void LifespanCourse::told(Next event) noexcept {
  if (event == Next::startup) startup_told_ = true;
  if (event == Next::shutdown) shutdown_told_ = true;
}

void LifespanCourse::settle(Stage stage, std::string sentence) {
  stage_ = stage;
  sentence_ = std::move(sentence);
}

Verdict LifespanCourse::sent(Event event, std::string_view message) {
  const bool about_start = event == Event::startup_complete || event == Event::startup_failed;
  return about_start ? started(event, message) : finished(event, message);
}

Verdict LifespanCourse::started(Event event, std::string_view message) {
  if (stage_ != Stage::starting) {
    return out_of_order("the application has answered lifespan.startup before, or too late");
  }
  if (event == Event::startup_complete) {
    settle(Stage::running, "");
  } else {
    settle(Stage::failed, with_message("it sent lifespan.startup.failed", message));
  }
  return std::nullopt;
}

Verdict LifespanCourse::finished(Event event, std::string_view message) {
  if (stage_ != Stage::stopping) {
    return out_of_order("the application has answered lifespan.shutdown, which it was not sent");
  }
  const bool failed = event == Event::shutdown_failed;
  settle(Stage::stopped,
         failed ? with_message("it sent lifespan.shutdown.failed", message) : std::string());
  return std::nullopt;
}

void LifespanCourse::ended(std::string_view exception) {
  switch (stage_) {
    case Stage::starting:
      settle(use_ == LifespanUse::on ? Stage::failed : Stage::unsupported,
             end_of_call(exception) + " before it had answered lifespan.startup");
      break;
    case Stage::running:
      settle(Stage::died, end_of_call(exception) + " before it was sent lifespan.shutdown");
      break;
    case Stage::stopping:
      settle(Stage::stopped, exception.empty() ? std::string() : end_of_call(exception));
      break;
    case Stage::unsupported:
    case Stage::failed:
    case Stage::died:
    case Stage::stopped:
      break;
  }
}

void LifespanCourse::patience_is_over() {
  if (stage_ == Stage::starting) {
    settle(Stage::failed, "it did not answer lifespan.startup in time");
  } else if (stage_ == Stage::stopping) {
    settle(Stage::stopped, "it did not answer lifespan.shutdown in time");
  }
}

void LifespanCourse::stop() noexcept {
  if (stage_ == Stage::running) stage_ = Stage::stopping;
}

}  // namespace pyhost::asgi
